//! Free text as it comes from a client: what is refused, and how names are shortened.

use std::fmt;

/// Why a text was refused. Never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// Nothing but white space.
    Empty,
    /// More characters than allowed.
    TooLong(usize),
    /// A control or bidirectional-override character, which could hide or reorder what a reader sees.
    Unprintable,
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "must not be empty"),
            Self::TooLong(max) => write!(f, "must not be longer than {max} characters"),
            Self::Unprintable => {
                write!(
                    f,
                    "must not contain control characters or bidirectional overrides; remove them and send it again"
                )
            }
        }
    }
}

/// Trims a text and refuses what must not be stored: emptiness, more than `max` characters, NUL and other control
/// characters (line breaks and tabs are fine), bidirectional overrides and isolates.
pub fn clean(text: &str, max: usize) -> Result<String, TextFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextFault::Empty);
    }
    if text.chars().count() > max {
        return Err(TextFault::TooLong(max));
    }
    let hides = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
    };
    if text.chars().any(hides) {
        return Err(TextFault::Unprintable);
    }
    Ok(text.to_owned())
}

/// The initials of a child, as pushes carry them: a lock screen may show them.
pub fn initials(first_name: &str, last_name: &str) -> String {
    [first_name, last_name].iter().filter_map(|name| name.trim().chars().next()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nul_and_bidi_overrides_are_refused() {
        for bad in ["a\0b", "a\u{202E}b", "a\u{2066}b", "a\u{7}b", "a\u{85}b"] {
            assert_eq!(clean(bad, 10), Err(TextFault::Unprintable), "{bad:?}");
        }
    }

    #[test]
    fn line_breaks_stay() {
        assert_eq!(clean(" one\ntwo ", 10), Ok("one\ntwo".to_owned()));
    }

    #[test]
    fn the_limit_counts_characters_and_holds_at_the_edge() {
        assert!(clean("ééé", 3).is_ok());
        assert_eq!(clean("éééé", 3), Err(TextFault::TooLong(3)));
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_clean_already(text in any::<String>()) {
            if let Ok(kept) = clean(&text, 100) {
                prop_assert_eq!(clean(&kept, 100), Ok(kept.clone()));
                prop_assert!(!kept.contains('\0'));
            }
        }

        #[test]
        fn initials_never_hold_more_than_the_first_letters(first in "[a-z]{1,8}", last in "[a-z]{1,8}") {
            prop_assert_eq!(initials(&first, &last).chars().count(), 2);
        }
    }
}
