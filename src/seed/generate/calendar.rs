//! Days and times in London.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Europe::London;

pub(super) type Moment = DateTime<Utc>;

/// A moment of a day in London, as minutes after midnight; never asked for in the hour that summer time skips.
pub(super) fn moment(day: NaiveDate, hour: i64, minute: i64) -> Moment {
    let local = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(hour * 60 + minute);
    London.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |found| found.with_timezone(&Utc))
}

/// The day of a moment in London.
pub(super) fn london(at: Moment) -> NaiveDate {
    at.with_timezone(&London).date_naive()
}

pub(super) fn days(count: usize) -> Days {
    Days::new(count as u64)
}

/// Whether the day is Monday to Friday and no bank holiday of England and Wales by the standing rules; days that are
/// proclaimed once are not known here.
pub(super) fn is_working_day(day: NaiveDate) -> bool {
    let (month, date, weekday) = (day.month(), day.day(), day.weekday());
    let is_easter = |day: NaiveDate| {
        // The Gregorian computus in its usual anonymous form.
        let year = day.year();
        let (a, b, c) = (year % 19, year / 100, year % 100);
        let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
        let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
        let n = h + l - 7 * ((a + 11 * h + 22 * l) / 451) + 114;
        (day.month() as i32, day.day() as i32) == (n / 31, n % 31 + 1)
    };
    let monday = weekday == Weekday::Mon;
    let fixed = match (month, date) {
        (1, 1) | (12, 25 | 26) => true,
        // In place of a day that fell on the weekend.
        (1, 2 | 3) => monday,
        (12, 27 | 28) => monday || weekday == Weekday::Tue,
        (5, 1..=7 | 25..=31) | (8, 25..=31) => monday,
        _ => false,
    };
    weekday.number_from_monday() < 6 && !fixed && !is_easter(day + days(2)) && !is_easter(day - days(1))
}

/// The day itself when it is a working day, otherwise the last one before it.
pub(super) fn back(mut day: NaiveDate) -> NaiveDate {
    while !is_working_day(day) {
        day = day - days(1);
    }
    day
}

/// The day itself when it is a working day, otherwise the next one.
pub(super) fn forward(mut day: NaiveDate) -> NaiveDate {
    while !is_working_day(day) {
        day = day + days(1);
    }
    day
}

pub(super) fn months(count: u32) -> Months {
    Months::new(count)
}

pub(super) fn years_between(born: NaiveDate, day: NaiveDate) -> i32 {
    day.years_since(born).map_or(-1, |years| i32::try_from(years).unwrap_or(i32::MAX))
}
