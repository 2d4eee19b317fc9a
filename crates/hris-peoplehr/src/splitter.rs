//! Takes an answer apart while it arrives: `{ …, "Result": [ element, element, … ], … }`, whatever its pieces, in
//! memory for one element. It looks at the structure only; what an element says is its reader's business.

use hris_core::{Delivery, Error, ErrorKind, Result};

/// The key whose list is handed on element by element.
const LIST: &[u8] = b"Result";

/// What becomes of the parts of an answer.
pub(crate) trait Reader {
    /// A list begins under the list's key.
    fn list(&mut self);

    /// An object of the list begins here, and the bytes after it may belong to other things: reads it and says how long
    /// it is. `None` if it is not all there or cannot be read; then it comes again, through [`Reader::element`].
    fn front(&mut self, bytes: &[u8]) -> Option<usize>;

    /// One element of the list.
    fn element(&mut self, json: &[u8]) -> Result<()>;

    /// A key beside the list, or the list's key without a list, and its value.
    fn member(&mut self, key: &[u8], json: &[u8]) -> Result<()>;
}

/// Where in the answer the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    Key { first: bool },
    Colon,
    Value,
    AfterValue,
    Element { first: bool },
    AfterElement,
    End,
}

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Splitter {
    place: Place,
    /// The token that began in an earlier piece, of which `held` has the bytes so far.
    scan: Option<Scan>,
    held: Vec<u8>,
    key: Vec<u8>,
    limit: usize,
    read: u64,
    html: bool,
}

impl Splitter {
    /// The beginning of an answer in which no element may have more than `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let (held, key) = (Vec::new(), Vec::new());
        Self { place: Place::Start, scan: None, held, key, limit, read: 0, html: false }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// Those of the reader; [`ErrorKind::Protocol`] where the answer is no such document; [`ErrorKind::TooLarge`].
    pub(crate) fn feed(&mut self, piece: &[u8], reader: &mut impl Reader) -> Result<()> {
        let mut bytes = piece;
        while !bytes.is_empty() {
            let rest = match &mut self.scan {
                Some(scan) => {
                    let end = scan.end(bytes);
                    self.resume(bytes, end, reader)
                }
                None => self.step(bytes, reader),
            };
            let rest = rest.map_err(|error| error.with_context("bytes_read", self.read))?;
            self.read += (bytes.len() - rest.len()) as u64;
            bytes = rest;
        }
        Ok(())
    }

    /// Checks that the answer is whole, once there are no more pieces.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] for an empty answer, [`ErrorKind::Incomplete`] for one that ends in the middle.
    pub(crate) fn finish(&self) -> Result<()> {
        match self.place {
            Place::End => Ok(()),
            Place::Start if self.scan.is_none() => {
                Err(broken("the answer is empty where JSON was expected", self.html))
            }
            _ => Err(Error::new(ErrorKind::Incomplete, "the answer ended in the middle")
                .with_delivery(Delivery::Answered)
                .with_context("bytes_read", self.read)),
        }
    }

    /// Goes on with a token that began in an earlier piece.
    fn resume<'b>(
        &mut self,
        bytes: &'b [u8],
        end: Option<usize>,
        reader: &mut impl Reader,
    ) -> Result<&'b [u8]> {
        let (token, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        self.check(self.held.len() + token.len())?;
        self.held.extend_from_slice(token);
        if end.is_some() {
            self.scan = None;
            let held = std::mem::take(&mut self.held);
            let delivered = self.deliver(&held, reader);
            // The buffer is kept, since the next piece will end in the middle of something too.
            self.held = held;
            self.held.clear();
            delivered?;
        }
        Ok(rest)
    }

    /// Takes one step: white space, a mark of the structure, or a token.
    fn step<'b>(&mut self, bytes: &'b [u8], reader: &mut impl Reader) -> Result<&'b [u8]> {
        let blank =
            |byte: &u8| is_white(*byte) || self.place == Place::Start && matches!(byte, 0xEF | 0xBB | 0xBF);
        let Some(at) = bytes.iter().position(|byte| !blank(byte)) else { return Ok(&[]) };
        let (bytes, rest) = (&bytes[at..], &bytes[at + 1..]);
        let next = match (self.place, bytes[0]) {
            (Place::Start, b'{') => Place::Key { first: true },
            (Place::Key { first: true } | Place::AfterValue, b'}') => Place::End,
            (Place::Colon, b':') => Place::Value,
            (Place::Value, b'[') if self.key == LIST => {
                reader.list();
                Place::Element { first: true }
            }
            (Place::AfterValue, b',') => Place::Key { first: false },
            (Place::Element { first: true } | Place::AfterElement, b']') => Place::AfterValue,
            (Place::AfterElement, b',') => Place::Element { first: false },
            (Place::Key { .. }, b'"') | (Place::Value | Place::Element { .. }, _) => {
                return self.token(bytes, reader);
            }
            (place, first) => {
                self.html = place == Place::Start && first == b'<';
                return Err(broken("the answer is not the JSON document that was expected", self.html));
            }
        };
        self.place = next;
        Ok(rest)
    }

    /// Reads a key, a value or an element, or the part of it that is there.
    fn token<'b>(&mut self, bytes: &'b [u8], reader: &mut impl Reader) -> Result<&'b [u8]> {
        let mut scan = Scan::begin(bytes[0])?;
        if matches!(self.place, Place::Element { .. })
            && bytes[0] == b'{'
            && let Some(length) = reader.front(bytes)
        {
            self.check(length)?;
            self.place = Place::AfterElement;
            return Ok(&bytes[length..]);
        }
        let Some(end) = scan.end(bytes) else {
            self.check(bytes.len())?;
            self.held.extend_from_slice(bytes);
            self.scan = Some(scan);
            return Ok(&[]);
        };
        self.check(end)?;
        let (token, rest) = bytes.split_at(end);
        self.deliver(token, reader)?;
        Ok(rest)
    }

    fn deliver(&mut self, token: &[u8], reader: &mut impl Reader) -> Result<()> {
        match self.place {
            Place::Key { .. } => {
                self.key.clear();
                self.key.extend_from_slice(token.get(1..token.len() - 1).unwrap_or_default());
                self.place = Place::Colon;
            }
            Place::Element { .. } => {
                reader.element(token)?;
                self.place = Place::AfterElement;
            }
            _ => {
                reader.member(&self.key, token)?;
                self.place = Place::AfterValue;
            }
        }
        Ok(())
    }

    fn check(&self, length: usize) -> Result<()> {
        if length <= self.limit {
            return Ok(());
        }
        Err(Error::new(ErrorKind::TooLarge, "one record of the answer is larger than allowed")
            .with_hint("raise `max_record_bytes` if the record is sound")
            .with_delivery(Delivery::Answered)
            .with_context("limit_bytes", self.limit))
    }
}

/// An answer that is no JSON of the expected outline. Proxies and networks interject, so another try may help.
fn broken(message: &'static str, html: bool) -> Error {
    let message = if html { "the answer is HTML or XML where JSON was expected" } else { message };
    Error::new(ErrorKind::Protocol, message).with_delivery(Delivery::Answered).with_retryable(true)
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Finds the end of one JSON value, in any number of pieces.
#[derive(Clone, Copy, Debug)]
struct Scan {
    depth: u32,
    within: Within,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// A number, `true`, `false` or `null`, which ends before whatever follows it.
    Bare,
    /// A text.
    Text,
    /// A text, just after a backslash.
    Escape,
    /// Between the texts of an object or a list.
    Structure,
}

impl Scan {
    /// A value that begins with this byte, which is scanned with the rest.
    fn begin(first: u8) -> Result<Self> {
        match first {
            b'"' | b'{' | b'[' => Ok(Self { depth: 0, within: Within::Structure }),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Ok(Self { depth: 0, within: Within::Bare }),
            _ => Err(broken("the answer is not a whole JSON document", false)),
        }
    }

    /// How many of these bytes belong to the value, if it ends among them.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.within == Within::Bare {
            return bytes.iter().position(|byte| is_white(*byte) || matches!(byte, b',' | b']' | b'}'));
        }
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match (self.within, byte) {
                (Within::Escape, _) => self.within = Within::Text,
                (Within::Text, b'\\') => self.within = Within::Escape,
                (Within::Text, b'"') => {
                    self.within = Within::Structure;
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                (Within::Structure, b'"') => self.within = Within::Text,
                (Within::Structure, b'{' | b'[') => self.depth += 1,
                (Within::Structure, b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;
    use serde_json::{Value, json};

    /// Keeps everything, reading objects from the front or not.
    #[derive(Debug, Default, PartialEq)]
    struct Kept {
        from_the_front: bool,
        lists: usize,
        elements: Vec<Value>,
        members: Vec<(String, Value)>,
    }

    fn value(json: &[u8]) -> Result<Value> {
        serde_json::from_slice(json).map_err(|_| broken("not JSON", false))
    }

    impl Reader for Kept {
        fn list(&mut self) {
            self.lists += 1;
        }

        fn front(&mut self, bytes: &[u8]) -> Option<usize> {
            if !self.from_the_front {
                return None;
            }
            let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
            let element = values.next()?.ok()?;
            self.elements.push(element);
            Some(values.byte_offset())
        }

        fn element(&mut self, json: &[u8]) -> Result<()> {
            self.elements.push(value(json)?);
            Ok(())
        }

        fn member(&mut self, key: &[u8], json: &[u8]) -> Result<()> {
            self.members.push((String::from_utf8_lossy(key).into_owned(), value(json)?));
            Ok(())
        }
    }

    /// Splits a document that arrives in pieces of these lengths, over and over.
    fn split(document: &[u8], lengths: &[usize], limit: usize, from_the_front: bool) -> Result<Kept> {
        let mut kept = Kept { from_the_front, ..Kept::default() };
        let mut splitter = Splitter::new(limit);
        let (mut rest, mut lengths) = (document, lengths.iter().cycle());
        while !rest.is_empty() {
            let length = lengths.next().copied().unwrap_or(usize::MAX).clamp(1, rest.len());
            let (piece, after) = rest.split_at(length);
            splitter.feed(piece, &mut kept)?;
            rest = after;
        }
        assert_eq!(splitter.read, document.len() as u64, "every byte was counted once");
        splitter.finish()?;
        Ok(kept)
    }

    fn whole(document: &str) -> Result<Kept> {
        split(document.as_bytes(), &[usize::MAX], 1 << 20, true)
    }

    fn kind_of(document: &str) -> Option<ErrorKind> {
        let kinds = [(1, false), (1, true), (usize::MAX, true), (3, true)];
        let mut kinds = kinds.map(|(length, front)| {
            split(document.as_bytes(), &[length], 1 << 20, front).err().map(|error| error.kind())
        });
        kinds.sort_by_key(|kind| format!("{kind:?}"));
        assert_eq!(kinds[0], kinds[3], "{document}");
        kinds[0]
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i16>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
            any::<String>().prop_map(Value::from),
            "[\"\\\\{}\\[\\],:é ]{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map("[a-z\"\\\\{}]{0,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn written(value: &Value, spacious: bool) -> String {
        if spacious { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }.unwrap()
    }

    proptest! {
        #[test]
        fn any_pieces_of_any_list_give_the_same_records(
            elements in proptest::collection::vec(any_json(), 0..12),
            before in any_json(),
            after in any_json(),
            lengths in proptest::collection::vec(1_usize..40, 1..6),
            spacious: bool,
        ) {
            let list = written(&Value::from(elements.clone()), spacious);
            let (first, last) = (written(&before, spacious), written(&after, spacious));
            let document = format!("\u{feff} {{\"isError\" : {first},\"Result\":{list} , \"Message\":{last}}}\n");
            for front in [false, true] {
                for lengths in [&lengths[..], &[1], &[usize::MAX]] {
                    let kept = split(document.as_bytes(), lengths, 1 << 20, front).unwrap();
                    prop_assert_eq!(&kept.elements, &elements);
                    prop_assert_eq!(kept.lists, 1);
                    let members = [("isError".to_owned(), before.clone()), ("Message".to_owned(), after.clone())];
                    prop_assert_eq!(&kept.members, &members);
                }
            }
        }

        #[test]
        fn a_document_that_is_cut_anywhere_is_never_whole(
            elements in proptest::collection::vec(any_json(), 0..6),
            cut in any::<prop::sample::Index>(),
            lengths in proptest::collection::vec(1_usize..40, 1..4),
            front: bool,
        ) {
            let document = json!({ "Result": elements, "Status": 0 }).to_string();
            let cut = &document.as_bytes()[..cut.index(document.len())];
            let error = split(cut, &lengths, 1 << 20, front).unwrap_err();
            let expected = if cut.is_empty() { ErrorKind::Protocol } else { ErrorKind::Incomplete };
            prop_assert_eq!(error.kind(), expected);
        }

        #[test]
        fn no_bytes_make_it_panic_and_the_pieces_do_not_matter(
            document in "[\\[\\]{}\",:\\\\ 0tn<eR]{0,40}",
            lengths in proptest::collection::vec(1_usize..5, 1..4),
        ) {
            let document = format!("{{\"Result\":[{document}");
            let one = split(document.as_bytes(), &[usize::MAX], 64, false).map_err(|error| error.kind());
            let other = split(document.as_bytes(), &lengths, 64, false).map_err(|error| error.kind());
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn the_list_may_stand_anywhere_or_be_no_list() {
        let kept = whole(r#"{"Result":[{"a":"]}\"["},7],"isError":false,"Status":0}"#).unwrap();
        assert_eq!(kept.elements, [json!({ "a": "]}\"[" }), json!(7)]);
        assert_eq!(kept.members.len(), 2);
        let kept = whole(r#"{"Status":0,"Result":{"CompanyId":7},"Other":[1,{"Result":[2]}]}"#).unwrap();
        assert_eq!((kept.lists, kept.elements.len()), (0, 0));
        assert_eq!(kept.members[1], ("Result".to_owned(), json!({ "CompanyId": 7 })));
        assert_eq!(kept.members[2].1, json!([1, { "Result": [2] }]), "lists under other keys are values");
        assert_eq!(whole(r#"{"Result":null}"#).unwrap().members[0].1, Value::Null);
        assert_eq!(whole("{ }").unwrap(), Kept { from_the_front: true, ..Kept::default() });
        assert_eq!(whole(r#"{"Result":[]}"#).unwrap().lists, 1);
    }

    #[test]
    fn what_is_no_such_document_is_an_error_that_may_pass() {
        for document in [
            "[]",
            "7",
            "<html>",
            "\"{}\"",
            r#"{"Result":[1 2]}"#,
            r#"{"Result":[,]}"#,
            r#"{"Result":[1,]}"#,
            r#"{"Result":[]]}"#,
            r#"{"a" 1}"#,
            r#"{"a":}"#,
            "{,}",
            r#"{"a":1,}"#,
            r#"{"a":1}{"#,
            r#"{"a":1} x"#,
            r#"{"Result":[{"a":tru}]}"#,
            "{a:1}",
            "",
            " \u{feff}\n",
        ] {
            assert_eq!(kind_of(document), Some(ErrorKind::Protocol), "{document}");
        }
        assert!(whole("<html>").unwrap_err().message().contains("HTML"));
        assert!(whole("").unwrap_err().is_retryable());
        assert_eq!(kind_of(r#"{"Result":[{"a":"#), Some(ErrorKind::Incomplete));
    }

    #[test]
    fn one_record_may_have_so_many_bytes_however_they_come_and_the_rest_any_number() {
        let record = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
        let many = vec![record(100); 50].join(",");
        let document = |last: usize| format!("{{\"Result\":[{many},{}]}}", record(last));
        for lengths in [1, 7, 64, 5_000] {
            for front in [false, true] {
                assert!(split(document(100).as_bytes(), &[lengths], 100, front).is_ok());
                let error = split(document(101).as_bytes(), &[lengths], 100, front).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TooLarge);
            }
        }
        let endless = format!("{{\"Message\":\"{}", "x".repeat(1_000));
        assert_eq!(split(endless.as_bytes(), &[10], 100, true).unwrap_err().kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn a_value_may_be_skipped_without_being_looked_at() {
        let scan = |json: &str| Scan::begin(json.as_bytes()[0]).unwrap().end(json.as_bytes());
        for json in [r#"{"a":[1,{"b":"}"}]}"#, r#""\\""#, r#""\"""#, "[[],[]]", r#"["\u00e9"]"#] {
            assert_eq!(scan(&format!("{json} ,")), Some(json.len()), "{json}");
            assert!(serde_json::from_str::<IgnoredAny>(json).is_ok());
        }
        assert_eq!(scan("-1.5e3]"), Some(6));
        assert_eq!(scan("12"), None, "more digits may follow");
    }
}
