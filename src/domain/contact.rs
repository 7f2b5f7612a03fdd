//! Rules of the front door: what a decision makes of a contact, who is whom, when a child comes back.

use chrono::{Days, Months, NaiveDate};

use super::codes::{ClosureReason, ContactDecision, ContactStatus, MatchDifference, NeedKind, ReferralDecision, Sex};

impl ContactDecision {
    /// Where a contact stands after it.
    pub fn leads_to(self) -> ContactStatus {
        match self {
            Self::NoFurtherAction
            | Self::InformationAdvice
            | Self::Signpost
            | Self::ConsultationMeeting
            | Self::EarlyHelp => ContactStatus::ContactClosed,
            Self::PassToOpenCase => ContactStatus::PassedToCase,
            Self::ReferralStatutory | Self::ImmediateProtection => ContactStatus::Referred,
        }
    }
}

impl ContactStatus {
    /// What can come next: a contact is decided once.
    pub fn legal_next(self) -> Vec<Self> {
        match self {
            Self::Contact => vec![Self::ContactClosed, Self::PassedToCase, Self::Referred],
            Self::ContactClosed | Self::PassedToCase | Self::Referred => Vec::new(),
        }
    }
}

impl ReferralDecision {
    /// Whether the case goes on, to a unit.
    pub fn accepts(self) -> bool {
        self.closes().is_none()
    }

    /// Why its case is closed, when it is: nobody has assessed the child, so neither RC8 nor RC9.
    pub fn closes(self) -> Option<ClosureReason> {
        match self {
            Self::AcceptAssess | Self::AcceptS47 => None,
            Self::Nfa | Self::EarlyHelp => Some(ClosureReason::Rc7),
            Self::OtherLa => Some(ClosureReason::Rc5),
        }
    }
}

/// What must be asked of every child whom a contact is about.
pub const ASKED: [NeedKind; 3] = [NeedKind::Religion, NeedKind::Culture, NeedKind::Disability];

/// What of it has no answer.
pub fn unanswered(answered: &[NeedKind]) -> Vec<NeedKind> {
    ASKED.into_iter().filter(|kind| !answered.contains(kind)).collect()
}

/// Who a child is, as told or as known; what was not told is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Day of birth.
    pub born: Option<NaiveDate>,
    /// Expected day of birth of an unborn child.
    pub expected: Option<NaiveDate>,
    /// Sex.
    pub sex: Option<Sex>,
}

/// How long before the expected day a child may be born, and how long after it, in days.
const EARLY: u64 = 17 * 7;
const LATE: u64 = 4 * 7;

/// Whether a child who was expected on one day may have been born on the other.
fn may_be_born(expected: NaiveDate, born: NaiveDate) -> bool {
    born >= expected - Days::new(EARLY) && born <= expected + Days::new(LATE)
}

/// Whether a birth may still be expected for that day: not long ago, and not more than ten months ahead.
pub fn may_be_expected(expected: NaiveDate, today: NaiveDate) -> bool {
    expected >= today - Days::new(LATE) && expected <= today + Months::new(10)
}

/// Whether somebody born on that day is a child.
pub fn is_a_child(born: NaiveDate, today: NaiveDate) -> bool {
    born <= today && born + Months::new(18 * 12) > today
}

/// In what somebody who was told of seems to be another than a known child. What was not told does not differ, and an
/// unborn child may have been born meanwhile.
pub fn differences(told: Who, known: Who, named_alike: bool) -> Vec<MatchDifference> {
    let mut found = Vec::new();
    if !named_alike {
        found.push(MatchDifference::Name);
    }
    let apart = |one: Option<NaiveDate>, other: Option<NaiveDate>| one.is_some() && other.is_some() && one != other;
    let crossed = |expected: Option<NaiveDate>, born: Option<NaiveDate>| {
        expected.zip(born).is_some_and(|(expected, born)| !may_be_born(expected, born))
    };
    if apart(told.born, known.born)
        || apart(told.expected, known.expected)
        || crossed(told.expected, known.born)
        || crossed(known.expected, told.born)
    {
        found.push(MatchDifference::Birth);
    }
    let said = |sex: Option<Sex>| sex.filter(|sex| *sex != Sex::U);
    if said(told.sex).is_some() && said(known.sex).is_some() && told.sex != known.sex {
        found.push(MatchDifference::Sex);
    }
    found
}

/// Whether a child whose last case closed on that day is referred again: within twelve months.
pub fn re_referred(last_closed_on: Option<NaiveDate>, received_on: NaiveDate) -> bool {
    last_closed_on.is_some_and(|closed| received_on <= closed + Months::new(12))
}

/// Whether the unit that held that case is asked first: within six months (local practice).
pub fn goes_back(last_closed_on: Option<NaiveDate>, received_on: NaiveDate) -> bool {
    last_closed_on.is_some_and(|closed| received_on <= closed + Months::new(6))
}

/// Whether a child may be referred on that day: at most 40 weeks before the birth, as the children in need census checks.
pub fn referable(who: Who, received_on: NaiveDate) -> bool {
    who.born.or(who.expected).is_none_or(|birth| received_on >= birth - Days::new(40 * 7))
}

#[cfg(test)]
mod tests {
    use super::{super::Code, *};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_contact_is_decided_once() {
        for (decision, ..) in ContactDecision::ALL {
            let next = decision.leads_to();
            assert!(ContactStatus::Contact.legal_next().contains(&next), "{decision:?}");
            assert!(next.legal_next().is_empty(), "{decision:?}");
        }
    }

    #[test]
    fn every_one_of_religion_culture_and_disability_must_be_answered() {
        assert_eq!(unanswered(&[]), ASKED);
        assert_eq!(unanswered(&[NeedKind::Language, NeedKind::Religion, NeedKind::Disability]), [NeedKind::Culture]);
        assert!(unanswered(&[NeedKind::Disability, NeedKind::Culture, NeedKind::Religion]).is_empty());
    }

    #[test]
    fn what_was_not_told_makes_nobody_another() {
        let known = Who { born: Some(day("2018-05-05")), expected: None, sex: Some(Sex::F) };
        assert!(differences(Who::default(), known, true).is_empty());
        assert!(differences(known, known, true).is_empty());
        let unborn = Who { born: None, expected: Some(day("2018-05-20")), sex: Some(Sex::U) };
        assert!(differences(unborn, known, true).is_empty(), "born meanwhile");
        let later = Who { expected: Some(day("2026-05-20")), ..unborn };
        assert_eq!(differences(later, known, true), [MatchDifference::Birth], "a sibling to come");
        let other = Who { born: Some(day("2018-05-06")), expected: None, sex: Some(Sex::M) };
        assert_eq!(
            differences(other, known, false),
            [MatchDifference::Name, MatchDifference::Birth, MatchDifference::Sex]
        );
    }

    #[test]
    fn a_child_comes_back_within_six_months_to_the_unit_and_within_twelve_as_a_re_referral() {
        let closed = Some(day("2025-08-31"));
        assert!(goes_back(closed, day("2026-02-28")) && !goes_back(closed, day("2026-03-01")));
        assert!(re_referred(closed, day("2026-08-31")) && !re_referred(closed, day("2026-09-01")));
        assert!(!re_referred(None, day("2026-09-01")) && !goes_back(None, day("2026-09-01")));
    }

    #[test]
    fn a_child_is_under_eighteen_and_a_birth_is_expected_for_a_day_to_come() {
        let today = day("2026-11-18");
        assert!(is_a_child(day("2008-11-19"), today) && !is_a_child(day("2008-11-18"), today));
        assert!(is_a_child(today, today) && !is_a_child(day("2026-11-19"), today));
        assert!(may_be_expected(day("2027-09-18"), today) && !may_be_expected(day("2027-09-19"), today));
        assert!(may_be_expected(day("2026-10-21"), today) && !may_be_expected(day("2026-10-20"), today));
    }

    #[test]
    fn an_unborn_child_is_referred_from_forty_weeks_before_the_birth() {
        let unborn = Who { expected: Some(day("2027-08-25")), ..Who::default() };
        assert!(referable(unborn, day("2026-11-18")) && !referable(unborn, day("2026-11-17")));
        assert!(referable(Who::default(), day("2026-11-17")));
    }

    #[test]
    fn a_referral_that_is_not_accepted_closes_its_case() {
        for (decision, ..) in ReferralDecision::ALL {
            assert_eq!(decision.accepts(), decision.closes().is_none());
        }
        assert_eq!(ReferralDecision::OtherLa.closes(), Some(ClosureReason::Rc5));
    }
}
