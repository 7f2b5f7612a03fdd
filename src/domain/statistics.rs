//! Numbers that name nobody.

/// Counts of fewer people than this are withheld.
pub const SMALLEST: i64 = 5;
/// What counts are rounded to.
pub const STEP: i64 = 5;

/// Withholds counts of one to four and rounds the others to the nearest five, as the published returns do: a number that is
/// withheld cannot be reckoned from those that are shown, however many ways of counting are put side by side.
pub fn suppressed(counts: &[i64]) -> Vec<Option<i64>> {
    let shown = |count: &i64| (!(1..SMALLEST).contains(count)).then(|| (count + STEP / 2) / STEP * STEP);
    counts.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_numbers_are_withheld_and_others_come_in_fives() {
        assert_eq!(suppressed(&[30, 3, 12, 13, 0, 5]), [Some(30), None, Some(10), Some(15), Some(0), Some(5)]);
        assert_eq!(suppressed(&[1, 4]), [None, None]);
    }

    /// All that is told: the numbers, and their total counted in another way.
    fn told(counts: &[i64]) -> (Vec<Option<i64>>, Vec<Option<i64>>) {
        (suppressed(counts), suppressed(&[counts.iter().sum()]))
    }

    proptest! {
        #[test]
        fn a_withheld_number_beside_one_that_is_shown_could_as_well_be_another(
            counts in proptest::collection::vec(0_i64..40, 1..12), shown in SMALLEST..60
        ) {
            let counts = [counts, vec![shown]].concat();
            prop_assert!(suppressed(&counts).iter().flatten().all(|count| count % STEP == 0));
            let withheld = (0..counts.len()).filter(|at| (1..SMALLEST).contains(&counts[*at]));
            for at in withheld {
                let mut others = (1..SMALLEST).filter(|other| *other != counts[at]).flat_map(|other| {
                    let with = |change: Option<usize>| {
                        let mut all = counts.clone();
                        all[at] = other;
                        if let Some(place) = change {
                            all[place] += counts[at] - other;
                        }
                        all
                    };
                    let elsewhere: Vec<usize> = (0..counts.len()).filter(|place| *place != at).collect();
                    std::iter::once(with(None)).chain(elsewhere.into_iter().map(move |place| with(Some(place))))
                        .collect::<Vec<_>>()
                });
                prop_assert!(others.any(|other| told(&other) == told(&counts)), "{} of {counts:?}", counts[at]);
            }
        }
    }
}
