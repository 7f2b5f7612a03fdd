//! Days are days in London, whatever the machine's clock says.

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use chrono_tz::Europe::London;

/// The day of a moment in London.
pub fn london_day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&London).date_naive()
}

/// Whether a moment lies on a Saturday or Sunday in London.
pub fn on_weekend(at: DateTime<Utc>) -> bool {
    matches!(london_day(at).weekday(), Weekday::Sat | Weekday::Sun)
}

/// The next day from Monday to Friday after this one. Bank holidays are not known here yet.
pub fn next_weekday(day: NaiveDate) -> NaiveDate {
    let ahead = match day.weekday() {
        Weekday::Fri => 3,
        Weekday::Sat => 2,
        _ => 1,
    };
    day + chrono::Days::new(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summer_evening_in_utc_is_the_next_day_in_london() {
        let at: DateTime<Utc> = "2026-06-30T23:30:00Z".parse().unwrap();
        assert_eq!(london_day(at), NaiveDate::from_ymd_opt(2026, 7, 1).unwrap());
        let winter: DateTime<Utc> = "2026-12-31T23:30:00Z".parse().unwrap();
        assert_eq!(london_day(winter), NaiveDate::from_ymd_opt(2026, 12, 31).unwrap());
    }

    #[test]
    fn the_weekend_begins_on_saturday_in_london() {
        // Friday 23:30 UTC in summer is Saturday in London.
        assert!(on_weekend("2026-07-03T23:30:00Z".parse().unwrap()));
        assert!(!on_weekend("2026-07-03T22:30:00Z".parse().unwrap()));
    }

    #[test]
    fn the_weekday_after_a_friday_or_a_saturday_is_monday() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (from, to) in [
            ("2026-11-26", "2026-11-27"),
            ("2026-11-27", "2026-11-30"),
            ("2026-11-28", "2026-11-30"),
            ("2026-11-29", "2026-11-30"),
        ] {
            assert_eq!(next_weekday(day(from)), day(to));
        }
    }
}
