//! What can be seen of a value or an error from outside, as text to be searched.

use std::fmt;

use hris_core::Error;

/// An error with its causes, as text.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&shown(error));
        cause = error.source();
    }
    text
}

fn shown(cause: &(dyn std::error::Error + 'static)) -> String {
    format!(" {cause} {cause:?}")
}

/// `Debug` of anything, for the search for what must not be shown.
pub(crate) fn debug(value: &impl fmt::Debug) -> String {
    format!("{value:?} {value:#?}")
}

/// A text around the place where something was found, to find the culprit by.
pub(crate) fn around(text: &str, found: &str) -> String {
    const BEFORE: usize = 160;
    let at = text.find(found).unwrap_or(0);
    let begin = (at.saturating_sub(BEFORE)..=at).find(|begin| text.is_char_boundary(*begin)).unwrap_or(at);
    text.get(begin..at + found.len()).unwrap_or(found).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_find_is_shown_with_what_stands_before_it() {
        let text = format!("{}é first_name=Nerea Olmedo", "x".repeat(400));
        let shown = around(&text, "Nerea Olmedo");
        assert!(shown.ends_with("first_name=Nerea Olmedo") && shown.len() < 200, "{shown}");
    }
}
