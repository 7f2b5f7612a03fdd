//! The conference's state machine (child protection conference, Working Together to Safeguard Children).

use super::codes::{ConferenceDecision, ConferenceState, ConferenceType};

/// A step of a conference that this service can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Give it a date and a chair.
    Schedule,
    /// Give it another date. Never restarts a clock.
    Move,
    /// Decide for each child.
    Decide,
}

impl Step {
    /// The state that the step leads to from `state`, or none when it is not legal there.
    pub fn from_state(self, state: ConferenceState) -> Option<ConferenceState> {
        use ConferenceState::*;
        match (self, state) {
            (Self::Schedule, Requested | Postponed | Inquorate) => Some(Scheduled),
            // Invitations stay; who was invited is asked again.
            (Self::Move, Scheduled) => Some(Scheduled),
            (Self::Move, Invited) => Some(Invited),
            // The chair records the decisions of a meeting that was held; opening it is a step of its own only
            // where the meeting is run in the service.
            (Self::Decide, Scheduled | Invited | InSession) => Some(Decided),
            _ => None,
        }
    }
}

/// The steps that are legal in `state`, as states that they lead to.
pub fn legal_next(state: ConferenceState) -> Vec<ConferenceState> {
    let mut next: Vec<_> =
        [Step::Schedule, Step::Move, Step::Decide].into_iter().filter_map(|step| step.from_state(state)).collect();
    next.dedup();
    next
}

/// Why a decision does not fit: in words for the chair.
pub fn decision_fault(
    kind: ConferenceType,
    decision: ConferenceDecision,
    has_category: bool,
    has_open_protection_plan: bool,
) -> Option<&'static str> {
    use ConferenceDecision::*;
    match decision {
        Plan if !has_category => Some("a PLAN decision needs the category of abuse"),
        Plan if has_open_protection_plan => {
            Some("the child already has a child protection plan: decide CONTINUE or END")
        }
        Continue | End if !has_open_protection_plan => {
            Some("the child has no child protection plan to continue or end")
        }
        NoPlan if has_open_protection_plan => Some("the child has a child protection plan: decide CONTINUE or END"),
        End if kind == ConferenceType::Initial => Some("an initial conference cannot end a plan: only a review can"),
        Plan => None,
        _ if has_category => Some("only a PLAN decision has a category of abuse"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;

    #[test]
    fn a_decided_conference_takes_no_further_step_here() {
        use ConferenceState::*;
        for state in [Decided, Issued, Withdrawn, Disputed] {
            assert!(legal_next(state).is_empty(), "{state:?}");
        }
    }

    #[test]
    fn moving_never_changes_the_state() {
        for (state, ..) in ConferenceState::ALL {
            if let Some(next) = Step::Move.from_state(*state) {
                assert_eq!(next, *state);
            }
        }
    }

    #[test]
    fn a_category_is_given_exactly_with_a_plan_decision() {
        for (decision, ..) in ConferenceDecision::ALL {
            let open = matches!(decision, ConferenceDecision::Continue | ConferenceDecision::End);
            let with = decision_fault(ConferenceType::Review, *decision, true, open).is_none();
            let without = decision_fault(ConferenceType::Review, *decision, false, open).is_none();
            assert_eq!(with, *decision == ConferenceDecision::Plan, "{decision:?}");
            assert_eq!(without, *decision != ConferenceDecision::Plan, "{decision:?}");
        }
    }
}
