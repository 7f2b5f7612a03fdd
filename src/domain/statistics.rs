//! Numbers that name nobody.

/// Counts of fewer people than this are withheld.
pub const SMALLEST: i64 = 5;

/// Withholds counts of one to four, and when that is a single one the smallest other that is not zero too: from a total that
/// is known elsewhere it could be reckoned back.
pub fn suppressed(counts: &[i64]) -> Vec<Option<i64>> {
    let mut shown: Vec<Option<i64>> =
        counts.iter().map(|count| (!(1..SMALLEST).contains(count)).then_some(*count)).collect();
    if shown.iter().filter(|count| count.is_none()).count() == 1
        && let Some(next) = shown.iter().flatten().filter(|count| **count > 0).min().copied()
        && let Some(also) = shown.iter_mut().find(|count| **count == Some(next))
    {
        *also = None;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_single_small_number_takes_the_next_one_with_it() {
        assert_eq!(suppressed(&[30, 3, 12, 0]), [Some(30), None, None, Some(0)]);
        assert_eq!(suppressed(&[3, 4, 12]), [None, None, Some(12)]);
        assert_eq!(suppressed(&[7, 12]), [Some(7), Some(12)]);
        assert_eq!(suppressed(&[2]), [None]);
    }

    proptest! {
        #[test]
        fn no_number_from_one_to_four_is_shown_and_none_can_be_reckoned_from_the_total(
            counts in proptest::collection::vec(0_i64..40, 0..12)
        ) {
            let shown = suppressed(&counts);
            prop_assert!(shown.iter().flatten().all(|count| *count == 0 || *count >= SMALLEST));
            let withheld = shown.iter().filter(|count| count.is_none()).count();
            let positive = counts.iter().filter(|count| **count > 0).count();
            prop_assert!(withheld != 1 || positive == 1);
        }
    }
}
