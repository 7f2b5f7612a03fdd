//! Assessments, section 47 enquiries and requests for information: their state machines, and what makes each of them whole.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{
    codes::{
        Agency, AssessmentFactor, AssessmentOutcome, AssessmentStatus, CaseStatus, ClosureReason, EnquiryMode,
        EnquiryOutcome, EnquiryStatus, InformationStatus, NeedKind, Service, StrategyDecision,
    },
    contact::unanswered,
};

/// A step of an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssessmentStep {
    /// Write it.
    Edit,
    /// Hand it in.
    Submit,
    /// Give it back.
    Return,
    /// Authorise it.
    Authorise,
}

impl AssessmentStep {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::Edit, Self::Submit, Self::Return, Self::Authorise];

    /// The status that the step leads to, or none when it is not legal there.
    pub fn from_status(self, status: AssessmentStatus) -> Option<AssessmentStatus> {
        use AssessmentStatus::*;
        match (self, status) {
            (Self::Edit, InProgress) => Some(InProgress),
            (Self::Submit, InProgress) => Some(Submitted),
            (Self::Return, Submitted) => Some(InProgress),
            (Self::Authorise, Submitted) => Some(Authorised),
            _ => None,
        }
    }
}

/// A step of an enquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnquiryStep {
    /// Write down how far it has come.
    Progress,
    /// Give it the outcome of a conference.
    CallConference,
    /// Give it another outcome.
    Conclude,
    /// Countersign that there is no conference.
    Countersign,
    /// Give its outcome back.
    Return,
    /// Decide again, because its conference is not to be held after all.
    Reopen,
}

impl EnquiryStep {
    /// Every step.
    pub const ALL: [Self; 6] =
        [Self::Progress, Self::CallConference, Self::Conclude, Self::Countersign, Self::Return, Self::Reopen];

    /// The step that gives an enquiry this outcome.
    pub fn concluding(outcome: EnquiryOutcome) -> Self {
        if outcome == EnquiryOutcome::InitialConference { Self::CallConference } else { Self::Conclude }
    }

    /// The status that the step leads to, or none when it is not legal there.
    pub fn from_status(self, status: EnquiryStatus) -> Option<EnquiryStatus> {
        use EnquiryStatus::*;
        match (self, status) {
            (Self::Progress, Open) => Some(Open),
            (Self::CallConference, Open) => Some(Concluded),
            (Self::Conclude, Open) => Some(AwaitingCountersignature),
            (Self::Countersign, AwaitingCountersignature) => Some(Concluded),
            (Self::Return, AwaitingCountersignature) => Some(Open),
            (Self::Reopen, Concluded) => Some(Open),
            _ => None,
        }
    }
}

/// A step of a request for information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InformationStep {
    /// Ask again.
    Chase,
    /// Write down the answer.
    Answer,
    /// Write down that they refuse.
    Refuse,
    /// Withdraw it.
    Withdraw,
}

impl InformationStep {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::Chase, Self::Answer, Self::Refuse, Self::Withdraw];

    /// The status that the step leads to, or none when it is not legal there. Who refused may answer yet.
    pub fn from_status(self, status: InformationStatus) -> Option<InformationStatus> {
        use InformationStatus::*;
        match (self, status) {
            (Self::Chase, Sent | Chased) => Some(Chased),
            (Self::Answer, Sent | Chased | Refused) => Some(Responded),
            (Self::Refuse, Sent | Chased) => Some(Refused),
            (Self::Withdraw, Sent | Chased | Refused) => Some(Withdrawn),
            _ => None,
        }
    }
}

macro_rules! legal_next {
    ($(#[$doc:meta])* $of:ident, $step:ident) => {
        impl $of {
            $(#[$doc])*
            pub fn legal_next(self) -> Vec<Self> {
                let next: BTreeSet<_> =
                    $step::ALL.into_iter().filter_map(|step| step.from_status(self)).filter(|next| *next != self).collect();
                next.into_iter().collect()
            }
        }
    };
}
legal_next! {
    /// The statuses that can come next.
    AssessmentStatus, AssessmentStep
}
legal_next! {
    /// The statuses that can come next.
    EnquiryStatus, EnquiryStep
}
legal_next! {
    /// The statuses that can come next.
    InformationStatus, InformationStep
}

/// What an assessment says, as far as it must before it is handed in.
#[derive(Clone, Debug, Default)]
pub struct AssessmentShape<'a> {
    /// The needs that were asked about.
    pub answered: &'a [NeedKind],
    /// Its factors.
    pub factors: &'a [AssessmentFactor],
    /// Whether it says what was understood.
    pub analysed: bool,
    /// Whether the child was seen.
    pub seen: bool,
    /// Whether it says what the child wishes and feels.
    pub wishes: bool,
    /// Whether it says why the child was not seen.
    pub not_seen_reason: bool,
}

/// Why an assessment is not whole yet, as a guard's name and what to do.
pub fn assessment_fault(shape: &AssessmentShape<'_>) -> Option<(&'static str, String)> {
    let missing = unanswered(shape.answered);
    if !missing.is_empty() {
        let kinds: Vec<String> = missing.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
        return Some((
            "NEEDS_ANSWERED",
            format!(
                "Ask about needs from {}, and write down a need, that none is known, or that the family was asked and declined.",
                kinds.join(", ")
            ),
        ));
    }
    if !shape.seen && !shape.not_seen_reason {
        return Some(("CHILD_SEEN", "Say when the child was seen, or why the child was not.".to_owned()));
    }
    if shape.seen && !shape.wishes {
        return Some((
            "WISHES_AND_FEELINGS",
            "The child was seen: write down what the child wishes and feels, in words or as you saw it.".to_owned(),
        ));
    }
    if !shape.analysed {
        return Some(("ANALYSIS", "Write down what you understand of the child's life.".to_owned()));
    }
    if shape.factors.is_empty() {
        return Some(("FACTORS", "Name at least one factor, or that there is none (21).".to_owned()));
    }
    None
}

/// Why these factors do not go together (census rules 8869 and 8897).
pub fn factors_fault(factors: &[AssessmentFactor]) -> Option<&'static str> {
    let once: BTreeSet<_> = factors.iter().collect();
    if once.len() != factors.len() {
        Some("must name each factor once")
    } else if factors.len() > 1 && factors.contains(&AssessmentFactor::NoFactor) {
        Some("must not name factors beside 21, which says that there is none")
    } else {
        None
    }
}

/// Why a case closes after an assessment with this outcome, if it does. With an enquiry or a protection plan in it, it closes
/// for another reason (census rules 8825 and 2990).
pub fn closes(status: CaseStatus, outcome: AssessmentOutcome, enquired_or_protected: bool) -> Option<ClosureReason> {
    // Whatever unit holds it.
    let after = status.after_assessment(outcome, Service::AccessAssessment);
    (!status.is_closed() && after.is_closed()).then_some(match outcome {
        _ if enquired_or_protected => ClosureReason::Rc7,
        AssessmentOutcome::EarlyHelp => ClosureReason::Rc9,
        _ => ClosureReason::Rc8,
    })
}

impl AssessmentOutcome {
    /// Whether the service stays involved.
    pub fn goes_on(self) -> bool {
        matches!(self, Self::CinPlan | Self::StrategyS47 | Self::Other)
    }
}

impl StrategyDecision {
    /// In which mode it begins an enquiry, if it does.
    pub fn enquiry(self) -> Option<EnquiryMode> {
        match self {
            Self::S47Single => Some(EnquiryMode::Single),
            Self::S47Joint => Some(EnquiryMode::Joint),
            Self::PoliceOnly | Self::AssessS17 | Self::Nfa => None,
        }
    }
}

/// Who must be at a strategy discussion (Working Together).
pub const AT_A_STRATEGY_DISCUSSION: [Agency; 3] = [Agency::SocialCare, Agency::PoliceCait, Agency::Health];

/// Why a strategy discussion with these agencies is not one, as a guard's name and what to do. Without the police or health it
/// needs a reason.
pub fn strategy_fault(
    agencies: &[Agency],
    decisions: &[StrategyDecision],
    reasoned: bool,
) -> Option<(&'static str, &'static str)> {
    let there = |agency: Agency| agencies.contains(&agency);
    if !there(Agency::SocialCare) {
        return Some(("SOCIAL_CARE_PRESENT", "Name who of children's social care took part."));
    }
    if agencies.iter().all(|agency| *agency == Agency::SocialCare) {
        return Some((
            "ANOTHER_AGENCY",
            "A strategy discussion is held with others: name who of another agency took part.",
        ));
    }
    if !reasoned && !AT_A_STRATEGY_DISCUSSION.into_iter().all(there) {
        return Some((
            "POLICE_AND_HEALTH_PRESENT",
            "The police and health take part in a strategy discussion: name who did, or say in `absenceReason` why it was held \
             without them.",
        ));
    }
    if !there(Agency::PoliceCait) && decisions.iter().any(|decision| needs_police(*decision)) {
        return Some((
            "POLICE_AGREE",
            "An enquiry jointly with the police, or one by the police, is decided with them: name who of the police took part.",
        ));
    }
    None
}

fn needs_police(decision: StrategyDecision) -> bool {
    matches!(decision, StrategyDecision::S47Joint | StrategyDecision::PoliceOnly)
}

/// What must stand in an enquiry before it has an outcome.
#[derive(Clone, Copy, Debug)]
pub struct EnquiryShape {
    /// Whether somebody leads it.
    pub led: bool,
    /// When the child was seen.
    pub child_seen_on: Option<NaiveDate>,
    /// Whether the child is born.
    pub born: bool,
    /// Whether requests for information wait for an answer.
    pub waits_for_information: bool,
}

/// Why an enquiry cannot have an outcome yet, as a guard's name and what to do. That agencies have not answered holds no
/// conference up.
pub fn enquiry_fault(shape: EnquiryShape, outcome: EnquiryOutcome) -> Option<(&'static str, &'static str)> {
    if !shape.led {
        return Some((
            "LEAD_NAMED",
            "A qualified social worker leads an enquiry: name who does, with recordSection47Progress.",
        ));
    }
    if shape.born && shape.child_seen_on.is_none() {
        return Some(("CHILD_SEEN", "The child is seen in every enquiry: record when, with recordSection47Progress."));
    }
    if shape.waits_for_information && outcome != EnquiryOutcome::InitialConference {
        return Some((
            "INFORMATION_ANSWERED",
            "Others have not answered what they were asked: chase them, record what they say, or withdraw what is not needed.",
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_finished_takes_no_further_step() {
        assert!(AssessmentStatus::Authorised.legal_next().is_empty());
        assert_eq!(EnquiryStatus::Concluded.legal_next(), [EnquiryStatus::Open], "when its conference is withdrawn");
        assert!(InformationStatus::Responded.legal_next().is_empty());
        assert!(InformationStatus::Withdrawn.legal_next().is_empty());
    }

    #[test]
    fn who_refused_may_answer_yet_and_is_not_chased() {
        let refused = InformationStatus::Refused;
        assert_eq!(InformationStep::Answer.from_status(refused), Some(InformationStatus::Responded));
        assert_eq!(InformationStep::Chase.from_status(refused), None);
    }

    #[test]
    fn only_a_conference_is_called_without_a_second_signature() {
        for (outcome, ..) in EnquiryOutcome::ALL {
            let after = EnquiryStep::concluding(*outcome).from_status(EnquiryStatus::Open).unwrap();
            assert_eq!(after == EnquiryStatus::Concluded, *outcome == EnquiryOutcome::InitialConference);
        }
    }

    #[test]
    fn a_case_closes_after_an_assessment_alone_only_without_enquiry_and_protection_plan() {
        for (status, ..) in CaseStatus::ALL {
            for (outcome, ..) in AssessmentOutcome::ALL {
                for protected in [false, true] {
                    let reason = closes(*status, *outcome, protected);
                    let ends = *status == CaseStatus::Assessment
                        && matches!(outcome, AssessmentOutcome::Nfa | AssessmentOutcome::EarlyHelp);
                    assert_eq!(reason.is_some(), ends, "{status:?} {outcome:?}");
                    let alone = matches!(reason, Some(ClosureReason::Rc8 | ClosureReason::Rc9));
                    assert!(!(alone && protected));
                }
            }
        }
    }

    #[test]
    fn a_strategy_discussion_needs_police_and_health_or_a_reason_and_joint_ones_the_police() {
        use Agency::*;
        let fault = |agencies: &[Agency], decision, reasoned| {
            strategy_fault(agencies, &[decision], reasoned).map(|(guard, _)| guard)
        };
        assert_eq!(fault(&[SocialCare, PoliceCait, Health], StrategyDecision::S47Joint, false), None);
        assert_eq!(fault(&[PoliceCait, Health], StrategyDecision::Nfa, true), Some("SOCIAL_CARE_PRESENT"));
        assert_eq!(fault(&[SocialCare], StrategyDecision::Nfa, true), Some("ANOTHER_AGENCY"));
        assert_eq!(fault(&[SocialCare, Health], StrategyDecision::Nfa, false), Some("POLICE_AND_HEALTH_PRESENT"));
        assert_eq!(fault(&[SocialCare, Health], StrategyDecision::S47Single, true), None);
        assert_eq!(fault(&[SocialCare, Health], StrategyDecision::S47Joint, true), Some("POLICE_AGREE"));
        assert_eq!(fault(&[SocialCare, Health], StrategyDecision::PoliceOnly, true), Some("POLICE_AGREE"));
    }

    fn factors() -> impl Strategy<Value = Vec<AssessmentFactor>> {
        let all: Vec<AssessmentFactor> = AssessmentFactor::ALL.iter().map(|(factor, ..)| *factor).collect();
        proptest::collection::vec(proptest::sample::select(all), 0..6)
    }

    proptest! {
        #[test]
        fn factors_are_named_once_and_none_stands_alone(named in factors()) {
            let once: BTreeSet<_> = named.iter().collect();
            let alone = named.len() <= 1 || !named.contains(&AssessmentFactor::NoFactor);
            prop_assert_eq!(factors_fault(&named).is_none(), once.len() == named.len() && alone);
        }

        #[test]
        fn an_assessment_is_whole_only_when_every_part_of_it_is(
            answered in 0_usize..4, seen: bool, wishes: bool, why: bool, analysed: bool, named in factors()
        ) {
            let shape = AssessmentShape {
                answered: &super::super::contact::ASKED[..answered.min(3)], factors: &named, analysed, seen, wishes,
                not_seen_reason: why,
            };
            let whole = answered >= 3 && analysed && !named.is_empty() && (if seen { wishes } else { why });
            prop_assert_eq!(assessment_fault(&shape).is_none(), whole);
        }
    }
}
