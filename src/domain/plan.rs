//! The plan's state machine.
//!
//! A plan that is revised becomes a new version: a draft beside the one in force, which it replaces when it is agreed.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::codes::{GoalStatus, PlanStatus};

/// A step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Change a draft.
    Edit,
    /// Bring a draft into force.
    Agree,
    /// Share a version with the family or an agency; its content stays as it is from then on.
    Share,
    /// Begin the next version beside the one in force.
    Revise,
    /// Begin the next version of a draft that was shared; it takes the draft's place.
    Redraft,
    /// Record what becomes of it: actions, goals, evidence.
    Progress,
    /// Review it: it goes on.
    Review,
    /// The agreed period for change passed without change, or the plan broke down.
    Escalate,
    /// Choose another period.
    Extend,
    /// Choose another way; the plan stays as it is until that way is taken.
    Choose,
    /// End it.
    End,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 11] = [
        Self::Edit,
        Self::Agree,
        Self::Share,
        Self::Revise,
        Self::Redraft,
        Self::Progress,
        Self::Review,
        Self::Escalate,
        Self::Extend,
        Self::Choose,
        Self::End,
    ];

    /// The status that the step leads to from `status`, or none when it is not legal there.
    pub fn from_status(self, status: PlanStatus) -> Option<PlanStatus> {
        use PlanStatus::*;
        match (self, status) {
            (Self::Edit, Draft) => Some(Draft),
            (Self::Agree, Draft) => Some(Active),
            (Self::Share, Draft | Active | Escalated) => Some(status),
            (Self::Revise, Active | Escalated) => Some(status),
            (Self::Redraft, Draft) => Some(Superseded),
            (Self::Progress, Active | Escalated) => Some(status),
            (Self::Review, Active) => Some(Active),
            (Self::Escalate, Active) => Some(Escalated),
            (Self::Extend, Escalated) => Some(Active),
            (Self::Choose, Escalated) => Some(Escalated),
            (Self::End, Active | Escalated) => Some(Ended),
            _ => None,
        }
    }
}

/// The statuses that can come next after `status`. A plan in force is superseded when its next version is agreed.
pub fn legal_next(status: PlanStatus) -> Vec<PlanStatus> {
    let mut next: BTreeSet<_> =
        Step::ALL.into_iter().filter_map(|step| step.from_status(status)).filter(|next| *next != status).collect();
    if matches!(status, PlanStatus::Active | PlanStatus::Escalated) {
        next.insert(PlanStatus::Superseded);
    }
    next.into_iter().collect()
}

/// What a plan's goal must have before the plan is agreed.
#[derive(Clone, Copy, Debug)]
pub struct GoalShape {
    /// Whether it says how change is measured and where things should stand.
    pub measured: bool,
    /// How many actions it has that are neither done nor dropped.
    pub actions: usize,
}

/// Why these goals are not ready to be agreed.
pub fn goals_fault(goals: &[GoalShape]) -> Option<(&'static str, &'static str)> {
    if goals.is_empty() {
        return Some(("GOALS", "A plan needs at least one goal: write down what needs to change."));
    }
    if goals.iter().any(|goal| !goal.measured) {
        return Some(("GOALS_MEASURED", "Every goal needs a measure and a target: how will change be seen?"));
    }
    if goals.iter().any(|goal| goal.actions == 0) {
        return Some(("GOALS_HAVE_ACTIONS", "Every goal needs at least one action: who does what for it?"));
    }
    None
}

/// Why the agreed period for change does not fit. It lies after the plan's first day and is not over yet.
pub fn period_fault(agreed_change_by: NaiveDate, start_on: NaiveDate, today: NaiveDate) -> Option<&'static str> {
    if agreed_change_by <= start_on {
        Some("must lie after the plan's first day")
    } else if agreed_change_by < today {
        Some("must not lie in the past")
    } else {
        None
    }
}

/// Why a goal cannot be put there: it is met only with evidence that change lasts.
pub fn goal_fault(from: GoalStatus, to: GoalStatus, sustained: bool) -> Option<(&'static str, &'static str)> {
    match (from, to) {
        (GoalStatus::Dropped, _) => {
            Some(("GOAL_DROPPED", "This goal was given up: revise the plan to take it up again."))
        }
        (_, GoalStatus::Met) if !sustained => Some((
            "EVIDENCE_SUSTAINED",
            "A goal is met when there is evidence of change that lasts: record evidence with sustainedSince first.",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Code;
    use super::*;

    #[test]
    fn what_is_over_takes_no_further_step() {
        for status in [PlanStatus::Ended, PlanStatus::Superseded] {
            assert!(Step::ALL.iter().all(|step| step.from_status(status).is_none()), "{status:?}");
        }
    }

    #[test]
    fn the_statuses_that_can_come_next_are_the_fields() {
        use PlanStatus::*;
        for (status, next) in [
            (Draft, vec![Active, Superseded]),
            (Active, vec![Superseded, Ended, Escalated]),
            (Escalated, vec![Active, Superseded, Ended]),
            (Superseded, vec![]),
            (Ended, vec![]),
        ] {
            assert_eq!(legal_next(status), next, "{status:?}");
        }
    }

    #[test]
    fn a_goal_is_met_only_with_lasting_evidence() {
        for (from, ..) in GoalStatus::ALL {
            assert!(goal_fault(*from, GoalStatus::Met, false).is_some());
        }
        assert!(goal_fault(GoalStatus::Open, GoalStatus::Met, true).is_none());
        assert!(goal_fault(GoalStatus::Dropped, GoalStatus::Met, true).is_some());
    }

    proptest! {
        #[test]
        fn goals_are_ready_exactly_when_each_is_measured_and_acted_on(
            goals in proptest::collection::vec((any::<bool>(), 0usize..3), 0..6)
        ) {
            let shapes: Vec<_> =
                goals.iter().map(|(measured, actions)| GoalShape { measured: *measured, actions: *actions }).collect();
            let ready = !goals.is_empty() && goals.iter().all(|(measured, actions)| *measured && *actions > 0);
            prop_assert_eq!(goals_fault(&shapes).is_none(), ready);
        }
    }
}
