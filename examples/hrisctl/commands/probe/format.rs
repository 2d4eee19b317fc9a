//! The form of a value, told without the value.

use hris::core::{Email, ValueRef};

/// Names the form of a value.
pub(super) fn of(value: &ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Text(text) => of_text(text),
        ValueRef::Date(_) => "date",
        ValueRef::BirthDate(date) if date.year().is_none() => "birth date without year",
        ValueRef::BirthDate(_) => "birth date",
        ValueRef::Bool(_) => "flag",
        _ => "something else",
    }
}

fn of_text(text: &str) -> &'static str {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return "blank text";
    }
    if trimmed.len() != text.len() {
        return "text with space around it";
    }
    let shape = shape(text);
    match shape.as_str() {
        "9" if text.starts_with('0') && text.len() > 1 => "digits with leading zeros",
        "9" => "digits",
        "9-9-9" if text.find('-') == Some(4) => "text like YYYY-MM-DD",
        "9-9-9" => "text like DD-MM-YYYY",
        "9/9/9" if text.find('/') == Some(4) => "text like YYYY/MM/DD",
        "9/9/9" => "text like DD/MM/YYYY or MM/DD/YYYY",
        "9.9.9" => "text like DD.MM.YYYY",
        "9-9-9T9:9:9" | "9-9-9T9:9:9Z" | "9-9-9T9:9:9.9Z" | "9-9-9T9:9:9+9:9" => "date and time",
        _ if is_uuid(text) => "uuid",
        _ if Email::is_plausible(text) && text.contains('@') => "e-mail address",
        _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-() .".contains(&byte)) => "phone number",
        _ if matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no") => {
            "yes or no as text"
        }
        _ if text.is_ascii() => "text",
        _ => "text beyond ASCII",
    }
}

/// The text with every run of digits as one `9`.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for letter in text.chars() {
        let letter = if letter.is_ascii_digit() { '9' } else { letter };
        if letter != '9' || !shape.ends_with('9') {
            shape.push(letter);
        }
    }
    shape
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
