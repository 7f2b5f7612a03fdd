//! Numbers that name nobody.

/// Counts of fewer people than this are withheld.
pub const SMALLEST: i64 = 5;
/// What counts are rounded to.
pub const STEP: i64 = 5;

/// Withholds counts of one to four and rounds the others to the nearest five, as the published returns do. Where somebody who
/// knows the total could reckon what is withheld, because every number lies at the edge of what it may stand for, the smallest
/// other ones are withheld too: which of them is which cannot be told.
pub fn suppressed(counts: &[i64]) -> Vec<Option<i64>> {
    let round = |count: &i64| (!(1..SMALLEST).contains(count)).then(|| (count + STEP / 2) / STEP * STEP);
    let mut shown: Vec<Option<i64>> = counts.iter().map(round).collect();
    let withheld: i64 = shown.iter().map(|count| i64::from(count.is_none())).sum();
    // What all that are withheld may come to.
    let (mut least, mut most) = (counts.iter().sum::<i64>(), counts.iter().sum::<i64>());
    for count in shown.iter().flatten().filter(|count| **count > 0) {
        least -= count + STEP / 2;
        most -= (count - STEP / 2).max(SMALLEST);
    }
    if withheld > 0 && (least >= withheld * (SMALLEST - 1) || most <= withheld) {
        let smallest = shown.iter().flatten().copied().filter(|count| *count > 0).min();
        for count in shown.iter_mut().filter(|count| **count == smallest) {
            *count = None;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_numbers_are_withheld_and_others_come_in_fives() {
        assert_eq!(suppressed(&[30, 3, 12, 13, 0, 5]), [Some(30), None, Some(10), Some(15), Some(0), Some(5)]);
        assert_eq!(suppressed(&[1, 4]), [None, None]);
        assert_eq!(suppressed(&[27, 7]), [Some(25), Some(5)], "nothing is withheld");
        // Of 38 at most 34 are the others.
        assert_eq!(suppressed(&[27, 4, 7]), [Some(25), None, None]);
        assert_eq!(suppressed(&[28, 4, 7]), [Some(30), None, Some(5)]);
        assert_eq!(suppressed(&[27, 0, 4, 7, 6]), [Some(25), Some(0), None, Some(5), Some(5)]);
        assert_eq!(suppressed(&[27, 0, 4, 7, 7]), [Some(25), Some(0), None, None, None]);
    }

    /// The same table with another number in this place, and the same total: others move as far as they are still shown alike, or
    /// two change places.
    fn alternatives(counts: &[i64], at: usize) -> Vec<Vec<i64>> {
        let places = || (0..counts.len()).filter(|place| *place != at);
        let mut found: Vec<Vec<i64>> = places()
            .map(|place| {
                let mut all = counts.to_vec();
                all.swap(at, place);
                all
            })
            .collect();
        let alike = |one: i64, other: i64| suppressed(&[one]) == suppressed(&[other]);
        for other in (1..SMALLEST).filter(|other| *other != counts[at]) {
            let mut all = counts.to_vec();
            all[at] = other;
            for place in places() {
                let step = (counts.iter().sum::<i64>() - all.iter().sum::<i64>()).signum();
                while all.iter().sum::<i64>() != counts.iter().sum::<i64>() && alike(all[place], all[place] + step) {
                    all[place] += step;
                }
            }
            found.push(all);
        }
        found
    }

    proptest! {
        #[test]
        fn a_withheld_number_beside_one_that_is_shown_could_as_well_be_another_even_for_who_knows_the_total(
            counts in proptest::collection::vec(0_i64..40, 1..12), shown in SMALLEST..60
        ) {
            let counts = [counts, vec![shown]].concat();
            let told = suppressed(&counts);
            prop_assert!(told.iter().flatten().all(|count| count % STEP == 0));
            for at in (0..counts.len()).filter(|at| (1..SMALLEST).contains(&counts[*at])) {
                prop_assert!(told[at].is_none());
                let total: i64 = counts.iter().sum();
                let other = alternatives(&counts, at).into_iter().find(|all| {
                    all[at] != counts[at] && all.iter().sum::<i64>() == total && suppressed(all) == told
                });
                prop_assert!(other.is_some(), "{} of {counts:?}", counts[at]);
            }
        }
    }
}
