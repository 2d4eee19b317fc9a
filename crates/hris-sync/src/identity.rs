//! Who is who when ids change hands: what two records of one id, or of two, have in common. Pure functions.

use std::borrow::Cow;

/// How the attributes that tell people apart compare on two sides; `None` where one side has no value or does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Likeness {
    pub(crate) email: Option<bool>,
    pub(crate) last_name: Option<bool>,
    pub(crate) birth_date: Option<bool>,
    pub(crate) start_date: Option<bool>,
}

impl Likeness {
    /// Whether a newcomer seems to be a known person who is gone, under another id: they agree in the address and against
    /// nothing but a start date or name that the birth date outweighs, or else in both dates.
    pub(crate) fn is_move(self) -> bool {
        let (birth, start) = (self.birth_date, self.start_date);
        match self.email {
            _ if birth == Some(false) => false,
            Some(true) => birth == Some(true) || start != Some(false) && self.last_name != Some(false),
            _ => birth == Some(true) && start == Some(true),
        }
    }

    /// Whether the id of a linked person seems to be somebody else's now. A leaver who comes back has to agree in one
    /// attribute at least; of an active person name and a date have to differ, since names and addresses change
    /// together when people marry.
    pub(crate) fn is_somebody_else(self, has_left: bool) -> bool {
        let all = [self.email, self.last_name, self.birth_date, self.start_date];
        if all.contains(&Some(true)) {
            return false;
        }
        if has_left {
            return all.contains(&Some(false));
        }
        self.last_name == Some(false) && [self.birth_date, self.start_date].contains(&Some(false))
    }
}

/// An Employee ID without blanks and leading zeros. IDs are different people's unless they are equal; those that agree
/// in this form deserve a look.
pub(crate) fn plain_id(id: &str) -> Cow<'_, str> {
    if id.contains(char::is_whitespace) {
        let joined: String = id.split_whitespace().collect();
        return Cow::Owned(without_zeros(&joined).to_owned());
    }
    Cow::Borrowed(without_zeros(id))
}

fn without_zeros(id: &str) -> &str {
    match id.trim_start_matches('0') {
        "" if !id.is_empty() => "0",
        rest => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGREES: Option<bool> = Some(true);
    const DIFFERS: Option<bool> = Some(false);

    fn like(
        email: Option<bool>,
        last_name: Option<bool>,
        birth: Option<bool>,
        start: Option<bool>,
    ) -> Likeness {
        Likeness { email, last_name, birth_date: birth, start_date: start }
    }

    #[test]
    fn a_move_needs_the_address_or_both_dates_and_never_goes_against_the_birth_date() {
        for (likeness, expected) in [
            (like(AGREES, None, None, None), true),
            (like(AGREES, DIFFERS, AGREES, AGREES), true),
            (like(AGREES, None, AGREES, DIFFERS), true),
            (like(AGREES, None, None, DIFFERS), false),
            (like(AGREES, DIFFERS, None, AGREES), false),
            (like(AGREES, AGREES, None, None), true),
            (like(AGREES, AGREES, DIFFERS, AGREES), false),
            (like(DIFFERS, DIFFERS, AGREES, AGREES), true),
            (like(DIFFERS, AGREES, AGREES, None), false),
            (like(None, AGREES, None, AGREES), false),
            (like(None, None, None, None), false),
        ] {
            assert_eq!(likeness.is_move(), expected, "{likeness:?}");
        }
    }

    #[test]
    fn somebody_who_comes_back_agrees_in_one_attribute_where_any_can_be_compared() {
        for (likeness, expected) in [
            (like(DIFFERS, DIFFERS, DIFFERS, DIFFERS), true),
            (like(DIFFERS, None, None, None), true),
            (like(DIFFERS, DIFFERS, AGREES, DIFFERS), false),
            (like(AGREES, DIFFERS, DIFFERS, DIFFERS), false),
            (like(None, None, None, None), false),
        ] {
            assert_eq!(likeness.is_somebody_else(true), expected, "{likeness:?}");
        }
    }

    #[test]
    fn an_active_person_is_somebody_else_only_where_name_and_a_date_differ_and_nothing_agrees() {
        for (likeness, expected) in [
            (like(DIFFERS, DIFFERS, DIFFERS, None), true),
            (like(None, DIFFERS, None, DIFFERS), true),
            (like(DIFFERS, DIFFERS, None, None), false),
            (like(DIFFERS, None, DIFFERS, DIFFERS), false),
            (like(DIFFERS, DIFFERS, AGREES, DIFFERS), false),
        ] {
            assert_eq!(likeness.is_somebody_else(false), expected, "{likeness:?}");
        }
    }

    #[test]
    fn ids_are_plain_without_blanks_and_leading_zeros() {
        for (id, plain) in [
            ("00123", "123"),
            (" 1 23 ", "123"),
            ("123", "123"),
            ("A012", "A012"),
            ("000", "0"),
            ("0", "0"),
            ("é1", "é1"),
            ("0é", "é"),
        ] {
            assert_eq!(plain_id(id), plain);
        }
    }
}
