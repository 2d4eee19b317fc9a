//! Lists in files that a new connector has to stand in: entries of one form, found by a pattern and kept in order.
//!
//! A pattern is the text of an entry with `{x}` for the connector's name, the same everywhere in it, `{T}` for any word,
//! and `{*}` for anything up to the end of the line.

use crate::names::Names;

/// Puts an entry where it belongs among those that fit the pattern: after the last one whose name comes before, else
/// before the first. `lead` lines above an entry belong to it. `None` if there is no such list.
pub(crate) fn insert(text: &str, pattern: &str, lead: usize, name: &str, entry: &str) -> Option<String> {
    let found = find(text, pattern);
    let (first, ..) = found.first()?;
    let before = found.iter().rev().find(|(_, other, _)| other.as_str() < name);
    let at = before.map_or_else(|| lines_up(text, *first, lead), |(begin, _, length)| begin + length);
    Some(format!("{}{entry}{}", &text[..at], &text[at..]))
}

/// Puts an entry after the one of a certain name. `None` if that is not there.
pub(crate) fn insert_after(text: &str, pattern: &str, other: &str, entry: &str) -> Option<String> {
    let found = find(text, pattern);
    let (begin, _, length) = found.into_iter().find(|(_, name, _)| name == other)?;
    let at = begin + length;
    Some(format!("{}{entry}{}", &text[..at], &text[at..]))
}

/// Puts a quoted word into the list in brackets that begins on the line that begins with `start`, in order. A list that
/// stands below that line stays there.
pub(crate) fn insert_word(text: &str, start: &str, word: &str) -> Option<String> {
    let begin = if text.starts_with(start) { 0 } else { text.find(&format!("\n{start}"))? + 1 };
    let open = begin + text[begin..].find('[')?;
    let close = open + text[open..].find(']')?;
    let quoted = format!("\"{word}\"");
    let list = &text[open + 1..close];
    let mut words: Vec<&str> = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    words.push(&quoted);
    words.sort_unstable();
    let is_long = list.contains('\n');
    let (before, after) = if is_long { ("\n    ", ",\n") } else { ("", "") };
    Some(format!("{}{before}{}{after}{}", &text[..=open], words.join(", "), &text[close..]))
}

/// Whether a connector stands in a list already.
pub(crate) fn has(text: &str, pattern: &str, names: &Names) -> bool {
    find(text, pattern).iter().any(|(_, name, _)| *name == names.name)
}

/// The entries: where each begins, its name, and its length.
fn find(text: &str, pattern: &str) -> Vec<(usize, String, usize)> {
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    let fits = |begin: usize| fit(&text[begin..], pattern).map(|(name, length)| (begin, name, length));
    starts.filter_map(fits).collect()
}

/// The name in an entry that a text begins with, and the entry's length.
fn fit(text: &str, pattern: &str) -> Option<(String, usize)> {
    let (mut rest, mut pattern) = (text, pattern);
    let mut name: Option<&str> = None;
    while !pattern.is_empty() {
        let (literal, wildcard, after) = next_wildcard(pattern);
        rest = rest.strip_prefix(literal)?;
        let taken = match wildcard {
            "{x}" => {
                taken(rest, |letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
            }
            "{T}" => taken(rest, char::is_alphanumeric),
            "{*}" => taken(rest, |letter| letter != '\n'),
            _ => "",
        };
        if wildcard == "{x}" {
            if taken.is_empty() || name.is_some_and(|name| name != taken) {
                return None;
            }
            name = Some(taken);
        }
        rest = &rest[taken.len()..];
        pattern = after;
    }
    Some((name?.to_owned(), text.len() - rest.len()))
}

/// What stands before the first wildcard, the wildcard, and what stands after it.
fn next_wildcard(pattern: &str) -> (&str, &str, &str) {
    let places = ["{x}", "{T}", "{*}"].into_iter().filter_map(|wildcard| pattern.find(wildcard));
    match places.min() {
        Some(at) => (&pattern[..at], &pattern[at..at + 3], &pattern[at + 3..]),
        None => (pattern, "", ""),
    }
}

fn taken(text: &str, fits: impl Fn(char) -> bool) -> &str {
    let end = text.find(|letter| !fits(letter)).unwrap_or(text.len());
    &text[..end]
}

/// The beginning of the line so many lines above a line's beginning.
fn lines_up(text: &str, begin: usize, lines: usize) -> usize {
    (0..lines).fold(begin, |at, _| {
        let above = text[..at].strip_suffix('\n').unwrap_or_default();
        above.rfind('\n').map_or(0, |end| end + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "all:\n#[on(\"merge\")]\nmod merge;\n#[on(\"sesame\")]\nmod sesame;\nend\n";
    const PATTERN: &str = "#[on(\"{x}\")]\nmod {x};\n";

    fn inserted(name: &str) -> String {
        insert(LIST, PATTERN, 0, name, &PATTERN.replace("{x}", name)).unwrap()
    }

    #[test]
    fn an_entry_goes_to_its_place_in_the_order() {
        for (name, before, after) in [
            ("acorn", "all:\n", "#[on(\"merge\")]"),
            ("oak", "mod merge;\n", "#[on(\"sesame\")]"),
            ("yew", "mod sesame;\n", "end"),
        ] {
            let expected = format!("{before}#[on(\"{name}\")]\nmod {name};\n{after}");
            assert!(inserted(name).contains(&expected), "{}", inserted(name));
        }
        assert_eq!(insert("nothing of the kind", PATTERN, 0, "oak", ""), None);
    }

    #[test]
    fn what_stands_above_an_entry_stays_with_it() {
        let list = "enum E {\n    /// Merge.\n    Merge(hris_merge::C),\n}\n";
        let pattern = "    {T}(hris_{x}::C),\n";
        let entry = "    /// Acorn.\n    Acorn(hris_acorn::C),\n";
        let expected = "enum E {\n    /// Acorn.\n    Acorn(hris_acorn::C),\n    /// Merge.\n";
        assert!(insert(list, pattern, 1, "acorn", entry).unwrap().starts_with(expected));
    }

    #[test]
    fn a_name_has_to_be_the_same_all_over_an_entry() {
        let text = "memory = [\"dep:hris-store-memory\"]\nmerge = [\"dep:hris-merge\"]\n";
        assert_eq!(find(text, "{x} = [\"dep:hris-{x}\"]\n").len(), 1);
        let row = "| `sesame` | yes | anything |\n";
        assert_eq!(fit(row, "| `{x}` | {*}\n"), Some(("sesame".to_owned(), row.len())));
    }

    #[test]
    fn an_entry_can_follow_a_certain_other_one() {
        let after = insert_after(LIST, PATTERN, "merge", "new\n").unwrap();
        assert!(after.contains("mod merge;\nnew\n#[on(\"sesame\")]"));
        assert_eq!(insert_after(LIST, PATTERN, "oak", "new\n"), None);
        let names = Names::new("sesame", None, None).unwrap();
        assert!(has(LIST, PATTERN, &names));
    }

    #[test]
    fn a_word_goes_to_its_place_in_a_line() {
        let text = "a = 1\nsim = [\"hris-merge?/sim\", \"hris-sesame?/sim\"]\n";
        let new = insert_word(text, "sim = ", "hris-oak?/sim").unwrap();
        assert!(new.contains("[\"hris-merge?/sim\", \"hris-oak?/sim\", \"hris-sesame?/sim\"]\n"), "{new}");
        assert_eq!(insert_word(text, "default = ", "x"), None);
        let below = "a = { features = [\n    \"merge\", \"sim\",\n] }\n";
        let new = insert_word(below, "a = ", "oak").unwrap();
        assert_eq!(new, "a = { features = [\n    \"merge\", \"oak\", \"sim\",\n] }\n");
    }
}
