//! When the unit that holds a case may close it.

use super::codes::{ClosureReason, GoalStatus};

/// A goal of the last plan that sought change.
#[derive(Clone, Copy, Debug)]
pub struct Achieved {
    /// Where it stands.
    pub status: GoalStatus,
    /// Whether there is evidence that the change lasts.
    pub lasts: bool,
}

impl ClosureReason {
    /// Whether the child goes on living at home, or with whoever has them by an order, and no social worker is needed any more:
    /// then there is evidence that change lasts, and it is stated that the child is safe.
    pub fn at_home(self) -> bool {
        match self {
            Self::Rc3 | Self::Rc4 | Self::Rc7 => true,
            Self::Rc1 | Self::Rc2 | Self::Rc5 | Self::Rc6 | Self::Rc8 | Self::Rc9 => false,
        }
    }
}

/// Months after a child protection plan in which a case is the service manager's to close.
pub const MONTHS_AFTER_PROTECTION: u32 = 3;

/// Why a case whose last plan had these goals is not closed for this reason. Given up, a goal asks for nothing; one is achieved
/// at least.
pub fn closing_fault(reason: ClosureReason, goals: &[Achieved]) -> Option<(&'static str, &'static str)> {
    if matches!(reason, ClosureReason::Rc8 | ClosureReason::Rc9) {
        return Some((
            "ASSESSMENT_CLOSES",
            "RC8 and RC9 are outcomes of an assessment: authorise it, or choose another reason.",
        ));
    }
    if !reason.at_home() {
        return None;
    }
    let mut asked = goals.iter().filter(|goal| goal.status != GoalStatus::Dropped).peekable();
    if asked.peek().is_none() {
        return Some((
            "CHANGE_LASTS",
            "Nothing shows that change lasts: no goal of a plan was achieved. Agree a plan with the family, or choose another reason.",
        ));
    }
    asked.any(|goal| goal.status != GoalStatus::Met || !goal.lasts).then_some((
        "CHANGE_LASTS",
        "A case is held until there is evidence, for every goal of its last plan, of positive and lasting change: go on with a plan \
         for what is not achieved.",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Code;

    fn goals() -> impl Strategy<Value = Vec<Achieved>> {
        let one = (0..GoalStatus::ALL.len(), any::<bool>())
            .prop_map(|(status, lasts)| Achieved { status: GoalStatus::ALL[status].0, lasts });
        proptest::collection::vec(one, 0..5)
    }

    proptest! {
        #[test]
        fn a_case_closes_at_home_exactly_when_a_goal_is_met_and_every_one_that_was_not_given_up_lasts(goals in goals()) {
            let asked: Vec<_> = goals.iter().filter(|goal| goal.status != GoalStatus::Dropped).collect();
            let achieved = !asked.is_empty() && asked.iter().all(|goal| goal.status == GoalStatus::Met && goal.lasts);
            for (reason, ..) in ClosureReason::ALL.iter().filter(|(reason, ..)| reason.at_home()) {
                prop_assert_eq!(closing_fault(*reason, &goals).is_none(), achieved);
            }
        }

        #[test]
        fn whoever_leaves_the_service_otherwise_is_asked_for_no_evidence_and_an_assessment_closes_by_itself(goals in goals()) {
            for reason in [ClosureReason::Rc1, ClosureReason::Rc2, ClosureReason::Rc5, ClosureReason::Rc6] {
                prop_assert!(closing_fault(reason, &goals).is_none());
            }
            for reason in [ClosureReason::Rc8, ClosureReason::Rc9] {
                prop_assert_eq!(closing_fault(reason, &goals).unwrap().0, "ASSESSMENT_CLOSES");
            }
        }
    }
}
