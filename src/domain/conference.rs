//! The conference's state machine (child protection conference, Working Together to Safeguard Children).

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::codes::{
    Attendance, ConferenceDecision, ConferenceState, ConferenceType, InvitationCapacity, Participation, QuorumException,
};

/// A step of a conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Name who is to chair it.
    AppointChair,
    /// Give it a date and a chair.
    Schedule,
    /// Send invitations.
    Invite,
    /// Record somebody's answer.
    Answer,
    /// Ask for a report, receive it, share it with the parents.
    Report,
    /// Record why somebody is not to come.
    Exclude,
    /// Give it another date. Never restarts a clock.
    Move,
    /// Put it off without a new date. Restarts no clock either.
    Postpone,
    /// Begin the meeting.
    Open,
    /// Record who came.
    Attend,
    /// Minute what somebody said to the decision.
    View,
    /// End the meeting because it has no quorum.
    Adjourn,
    /// Decide for each child.
    Decide,
    /// Send the outline plans out.
    IssueOutlinePlan,
    /// Send the minutes out.
    IssueMinutes,
    /// Ask the service manager to withdraw the request.
    ProposeWithdrawal,
    /// Withdraw the request.
    Withdraw,
    /// The chair does not think that a conference is called for.
    Dispute,
    /// The managers decide that it goes ahead.
    Uphold,
    /// The managers decide that it does not.
    Drop,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 20] = [
        Self::AppointChair,
        Self::Schedule,
        Self::Invite,
        Self::Answer,
        Self::Report,
        Self::Exclude,
        Self::Move,
        Self::Postpone,
        Self::Open,
        Self::Attend,
        Self::View,
        Self::Adjourn,
        Self::Decide,
        Self::IssueOutlinePlan,
        Self::IssueMinutes,
        Self::ProposeWithdrawal,
        Self::Withdraw,
        Self::Dispute,
        Self::Uphold,
        Self::Drop,
    ];

    /// Its name in a conference's history.
    pub fn code(self) -> &'static str {
        match self {
            Self::AppointChair => "APPOINT_CHAIR",
            Self::Schedule => "SCHEDULE",
            Self::Invite => "INVITE",
            Self::Answer => "ANSWER",
            Self::Report => "REPORT",
            Self::Exclude => "EXCLUDE",
            Self::Move => "MOVE",
            Self::Postpone => "POSTPONE",
            Self::Open => "OPEN",
            Self::Attend => "ATTEND",
            Self::View => "VIEW",
            Self::Adjourn => "ADJOURN",
            Self::Decide => "DECIDE",
            Self::IssueOutlinePlan => "ISSUE_OUTLINE_PLAN",
            Self::IssueMinutes => "ISSUE_MINUTES",
            Self::ProposeWithdrawal => "PROPOSE_WITHDRAWAL",
            Self::Withdraw => "WITHDRAW",
            Self::Dispute => "DISPUTE",
            Self::Uphold => "UPHOLD",
            Self::Drop => "DROP",
        }
    }

    /// The state that the step leads to from `state`, or none when it is not legal there.
    pub fn from_state(self, state: ConferenceState) -> Option<ConferenceState> {
        use ConferenceState::*;
        match (self, state) {
            // Also while it sits: a chair who cannot go on must not hold it open for ever.
            (Self::AppointChair, Requested | Scheduled | Invited | InSession | Postponed | Inquorate) => Some(state),
            (Self::Schedule, Requested | Postponed | Inquorate) => Some(Scheduled),
            (Self::Invite, Scheduled | Invited) => Some(Invited),
            // Somebody comes who was not invited.
            (Self::Invite, InSession) => Some(InSession),
            // Invitations outlive a move and a postponement.
            (Self::Answer, Scheduled | Invited) => Some(state),
            (Self::Report, Scheduled | Invited | InSession | Postponed | Inquorate) => Some(state),
            (Self::Exclude, Scheduled | Invited | InSession) => Some(state),
            // Invitations stay; who was invited is asked again.
            (Self::Move, Scheduled | Invited) => Some(state),
            (Self::Postpone, Scheduled | Invited) => Some(Postponed),
            (Self::Open, Invited) => Some(InSession),
            (Self::Attend, InSession) => Some(InSession),
            // Minutes may be amended until they are out.
            (Self::View, InSession | Decided) => Some(state),
            (Self::Adjourn, InSession) => Some(Inquorate),
            (Self::Decide, InSession) => Some(Decided),
            (Self::IssueOutlinePlan, Decided) => Some(Decided),
            (Self::IssueMinutes, Decided) => Some(Issued),
            (Self::ProposeWithdrawal, Requested) => Some(Requested),
            (Self::Withdraw, Requested) | (Self::Drop, Disputed) => Some(Withdrawn),
            (Self::Dispute, Requested) => Some(Disputed),
            (Self::Uphold, Disputed) => Some(Requested),
            _ => None,
        }
    }
}

/// The states that can come next after `state`.
pub fn legal_next(state: ConferenceState) -> Vec<ConferenceState> {
    let next: BTreeSet<_> =
        Step::ALL.into_iter().filter_map(|step| step.from_state(state)).filter(|next| *next != state).collect();
    next.into_iter().collect()
}

/// Whether a sitting has its quorum: social care and at least two other agencies, each counted once however many of
/// them came. Family, advocates and supporters are no agencies, and neither is the chair.
pub fn quorate<'a>(came: impl IntoIterator<Item = (InvitationCapacity, Option<&'a str>)>) -> bool {
    use InvitationCapacity::*;
    let mut social_care = false;
    let mut agencies = BTreeSet::new();
    for (capacity, name) in came {
        match capacity {
            SocialCare => social_care = true,
            School | Health | Police => {
                agencies.insert((capacity, None));
            }
            // Two agencies without a code of their own are told apart by their names; a person or a worker of the
            // authority in this capacity is none.
            Other => {
                agencies.extend(name.map(|name| (capacity, Some(name))));
            }
            Parent | Child | Family | Advocate | Supporter => {}
        }
    }
    social_care && agencies.len() >= 2
}

/// Why the chair's reason for going on without a quorum does not fit.
pub fn exception_fault(reason: QuorumException, kind: ConferenceType, unborn: bool) -> Option<&'static str> {
    match reason {
        QuorumException::PreBirth if kind != ConferenceType::PreBirth && !unborn => {
            Some("PRE_BIRTH is a reason for a conference before a birth only")
        }
        QuorumException::PreBirth | QuorumException::OnlyTwoAgencies | QuorumException::DelayDetrimental => None,
    }
}

/// Why this kind of invitee (`person`, `worker` or `agency`) cannot be invited in this capacity.
pub fn capacity_fault(invitee: &str, capacity: InvitationCapacity) -> Option<&'static str> {
    use InvitationCapacity::*;
    match (invitee, capacity) {
        ("agency", Parent | Child | Family) => Some("is a capacity of a person: give personId"),
        ("worker", Parent | Child | Family | Supporter | School | Health | Police) => {
            Some("is no capacity of a worker of the authority: SOCIAL_CARE, ADVOCATE or OTHER")
        }
        _ => None,
    }
}

/// Why a code of participation does not fit a child: PN0 is exactly for children under four, born or not.
pub fn participation_fault(how: Participation, born: Option<NaiveDate>, on: NaiveDate) -> Option<&'static str> {
    let under_four = born.is_none_or(|born| on.years_since(born).is_none_or(|years| years < 4));
    match (how, under_four) {
        (Participation::Pn0, false) => Some("is PN0 only for a child under four"),
        (Participation::Pn0, true) | (_, false) => None,
        (_, true) => Some("is PN0 for a child under four"),
    }
}

/// Whether somebody with this attendance was there to be heard.
pub fn was_there(attended: Attendance) -> bool {
    attended != Attendance::No
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
    use proptest::prelude::*;

    use super::super::Code;
    use super::*;

    #[test]
    fn what_is_over_takes_no_further_step() {
        use ConferenceState::*;
        for state in [Issued, Withdrawn] {
            assert!(Step::ALL.iter().all(|step| step.from_state(state).is_none()), "{state:?}");
        }
    }

    #[test]
    fn the_states_that_can_come_next_are_the_fields() {
        use ConferenceState::*;
        for (state, next) in [
            (Requested, vec![Scheduled, Withdrawn, Disputed]),
            (Scheduled, vec![Invited, Postponed]),
            (Invited, vec![InSession, Postponed]),
            (InSession, vec![Decided, Inquorate]),
            (Decided, vec![Issued]),
            (Issued, vec![]),
            (Postponed, vec![Scheduled]),
            (Inquorate, vec![Scheduled]),
            (Withdrawn, vec![]),
            (Disputed, vec![Requested, Withdrawn]),
        ] {
            let found: BTreeSet<_> = legal_next(state).into_iter().collect();
            assert_eq!(found, next.into_iter().collect(), "{state:?}");
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

    #[test]
    fn a_quorum_is_social_care_and_two_other_agencies() {
        use InvitationCapacity::*;
        assert!(quorate([(SocialCare, None), (School, None), (Health, None)]));
        assert!(quorate([(SocialCare, None), (Other, Some("housing")), (Other, Some("probation"))]));
        // Two nurses are one agency; the family is none; social care must be there.
        assert!(!quorate([(SocialCare, None), (Health, None), (Health, None)]));
        assert!(!quorate([(SocialCare, None), (Health, None), (Parent, None), (Advocate, None)]));
        assert!(!quorate([(School, None), (Health, None), (Police, None)]));
    }

    #[test]
    fn participation_is_pn0_exactly_under_four() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let on = day("2026-11-18");
        assert!(participation_fault(Participation::Pn0, Some(day("2022-11-19")), on).is_none());
        assert!(participation_fault(Participation::Pn0, Some(day("2022-11-18")), on).is_some());
        assert!(participation_fault(Participation::Pn1, Some(day("2022-11-18")), on).is_none());
        assert!(participation_fault(Participation::Pn1, Some(day("2022-11-19")), on).is_some());
        assert!(participation_fault(Participation::Pn0, None, on).is_none());
    }

    #[test]
    fn before_a_birth_is_a_reason_only_before_a_birth() {
        let reason = QuorumException::PreBirth;
        assert!(exception_fault(reason, ConferenceType::Initial, false).is_some());
        assert!(exception_fault(reason, ConferenceType::Initial, true).is_none());
        assert!(exception_fault(reason, ConferenceType::PreBirth, false).is_none());
    }

    proptest! {
        #[test]
        fn whoever_comes_in_addition_never_breaks_a_quorum(
            came in proptest::collection::vec(0..InvitationCapacity::ALL.len(), 0..12), also in 0..InvitationCapacity::ALL.len()
        ) {
            let of = |at: usize| (InvitationCapacity::ALL[at].0, None);
            let before = quorate(came.iter().map(|at| of(*at)));
            let after = quorate(came.iter().chain([&also]).map(|at| of(*at)));
            prop_assert!(!before || after);
        }
    }
}
