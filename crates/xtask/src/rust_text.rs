//! Rust source as text: comments and literals blanked out, attributes found, words matched whole.
//!
//! Not a parser. It sees code that no build compiles (other features, other platforms, macro bodies), and the
//! checks need no more than words in order.

use std::ops::Range;

/// A source file with everything that is not code replaced by spaces, so that offsets and lines stay.
#[derive(Debug)]
pub(crate) struct RustText {
    code: String,
}

impl RustText {
    pub(crate) fn new(source: &str) -> Self {
        Self { code: blank(source) }
    }

    /// The code. Quotes stay, what they enclose is blank.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Where each attribute stands, from its `#` past its closing bracket.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = Range<usize>> {
        self.code.match_indices('#').filter_map(|(start, _)| Some(start..attribute_end(&self.code, start)?))
    }

    /// Where a word stands that is not part of a longer one.
    pub(crate) fn words(&self, word: &str) -> impl Iterator<Item = usize> {
        words(&self.code, word)
    }

    /// Whether a function of this name is defined here, in a macro or out of one.
    pub(crate) fn defines_function(&self, name: &str) -> bool {
        self.words(name).any(|at| self.code[..at].trim_end().strip_suffix("fn").is_some_and(ends_apart))
    }

    /// The names of functions that carry a test attribute; `$name` where a macro fills it in.
    pub(crate) fn tests(&self) -> Vec<&str> {
        self.attributes()
            .filter(|attribute| is_test(&self.code[attribute.clone()]))
            .filter_map(|attribute| function_after(&self.code, attribute.end))
            .collect()
    }
}

/// Where `word` stands in `code`, whole.
pub(crate) fn words(code: &str, word: &str) -> impl Iterator<Item = usize> {
    code.match_indices(word)
        .filter(|(at, word)| ends_apart(&code[..*at]) && starts_apart(&code[at + word.len()..]))
        .map(|(at, _)| at)
}

/// The word at the start of `code`, if any.
pub(crate) fn first_word(code: &str) -> &str {
    let end = code.find(|c| !is_word(c)).unwrap_or(code.len());
    &code[..end]
}

/// The word at the end of `code`, if any.
pub(crate) fn last_word(code: &str) -> &str {
    let start = code.trim_end_matches(is_word).len();
    &code[start..]
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn ends_apart(before: &str) -> bool {
    !before.ends_with(is_word)
}

fn starts_apart(after: &str) -> bool {
    !after.starts_with(is_word)
}

fn attribute_end(code: &str, start: usize) -> Option<usize> {
    let after_hash = code[start + 1..].trim_start();
    let body = after_hash.strip_prefix('!').unwrap_or(after_hash).trim_start();
    if !body.starts_with('[') {
        return None;
    }
    let mut depth = 0_usize;
    for (at, c) in body.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(code.len() - body.len() + at + 1),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(…)]` and the like.
fn is_test(attribute: &str) -> bool {
    let inner = attribute.trim_start_matches(['#', '[', ' ']);
    let path = inner.find(['(', ']', '=']).map_or(inner, |end| &inner[..end]);
    path.trim().rsplit("::").next() == Some("test")
}

/// The name of the function that the attribute ending at `from` belongs to.
fn function_after(code: &str, from: usize) -> Option<&str> {
    let rest = &code[from..];
    let keyword = words(rest, "fn").next()?;
    if rest[..keyword].contains(['{', '}', ';']) {
        return None;
    }
    let name = rest[keyword + 2..].trim_start();
    let start = usize::from(name.starts_with('$'));
    Some(&name[..start + first_word(&name[start..]).len()])
}

fn blank(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if let Some(literal) = literal_or_comment(rest, &code) {
            let (text, after) = rest.split_at(literal.len);
            push_blanked(&mut code, text, &literal.blank);
            rest = after;
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    code
}

/// How long a literal or comment is, and which part of it to blank.
struct Literal {
    len: usize,
    blank: Range<usize>,
}

fn push_blanked(code: &mut String, text: &str, blank: &Range<usize>) {
    code.push_str(&text[..blank.start]);
    for byte in text[blank.clone()].bytes() {
        code.push(if byte == b'\n' { '\n' } else { ' ' });
    }
    code.push_str(&text[blank.end..]);
}

fn literal_or_comment(rest: &str, before: &str) -> Option<Literal> {
    if rest.starts_with("//") {
        let len = rest.find('\n').unwrap_or(rest.len());
        return Some(Literal { len, blank: 0..len });
    }
    if rest.starts_with("/*") {
        let len = block_comment_len(rest);
        return Some(Literal { len, blank: 0..len });
    }
    match rest.as_bytes().first()? {
        b'"' => Some(quoted(rest, '"')),
        b'\'' => is_char_literal(rest).then(|| quoted(rest, '\'')),
        // `r"…"`, `br#"…"#`, `cr"…"`, but not a name that ends in r.
        b'r' if ["", "b", "c"].contains(&last_word(before)) => raw_string(rest),
        _ => None,
    }
}

fn block_comment_len(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> Literal {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => {
                return Literal { len: at + 1, blank: 1..at };
            }
            _ => {}
        }
    }
    Literal { len: rest.len(), blank: 1..rest.len() }
}

/// `'x'` or `'\n'`, and not a lifetime.
fn is_char_literal(rest: &str) -> bool {
    let mut after = rest.chars().skip(1);
    after.next() == Some('\\') || after.next() == Some('\'')
}

fn raw_string(rest: &str) -> Option<Literal> {
    let hashes = rest[1..].len() - rest[1..].trim_start_matches('#').len();
    let opened = 1 + hashes + 1;
    if rest.as_bytes().get(opened - 1) != Some(&b'"') {
        return None;
    }
    let closing = format!("\"{}", "#".repeat(hashes));
    let end = rest[opened..].find(&closing).map_or(rest.len(), |at| opened + at);
    Some(Literal { len: (end + closing.len()).min(rest.len()), blank: opened..end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        RustText::new(source).code().to_owned()
    }

    #[test]
    fn comments_and_literals_are_blanked_and_offsets_stay() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("x\"y", 1)"#, r#"f("    ", 1)"#),
            (r##"f(r#"x"y"#)"##, r##"f(r#"   "#)"##),
            (r#"b"//" c"#, r#"b"  " c"#),
            ("'\"' x '\\'' y", "' ' x '  ' y"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("r#fn bar\"s\"", "r#fn bar\" \""),
            ("\"ä\" z", "\"  \" z"),
            ("\"open", "\"    "),
        ];
        for (source, expected) in cases {
            assert_eq!(code(source), expected, "{source}");
            assert_eq!(code(source).len(), source.len(), "{source}");
        }
    }

    #[test]
    fn words_match_whole() {
        let text = RustText::new("wire wiremock rewire self.wire wire_1");
        assert_eq!(text.words("wire").collect::<Vec<_>>(), [0, 26]);
    }

    #[test]
    fn attributes_end_at_their_own_bracket() {
        let text = RustText::new("#[a(x[1])] #![b] x # y #[c = \"]\"]");
        let found: Vec<_> = text.attributes().map(|range| &text.code()[range]).collect();
        assert_eq!(found, ["#[a(x[1])]", "#![b]", "#[c = \" \"]"]);
    }

    #[test]
    fn functions_are_found_by_name() {
        let text = RustText::new("pub fn decide() {} // fn other\nlet fn_x = decided(); call(third)");
        assert!(text.defines_function("decide"));
        for absent in ["other", "decided", "third", "x"] {
            assert!(!text.defines_function(absent), "{absent}");
        }
    }

    #[test]
    fn tests_are_functions_with_a_test_attribute() {
        let text = RustText::new(
            "#[test]\nfn a() {}\n#[tokio::test(flavor = \"x\")]\n#[cfg(y)]\nasync fn b() {}\n#[cfg(test)]\nfn c() {}\n\
             #[cfg(test)]\nmod tests { fn d() {} }\n#[test]\nfn $name() {}\n// #[test]\nfn e() {}\n#[testing]\nfn f() {}",
        );
        assert_eq!(text.tests(), ["a", "b", "$name"]);
    }
}
