//! The plan's state machine.
//!
//! A plan that is revised becomes a new version: a draft beside the one in force, which it replaces when it is agreed.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::codes::{
    AdoptionStep, CaseStatus, GoalStatus, PermanenceRoute, PlanKind, PlanSection, PlanStatus, SupportStatus,
};

/// A step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Change a draft.
    Edit,
    /// Bring a draft into force.
    Agree,
    /// Share a version with the family or an agency; its content stays as it is from then on.
    Share,
    /// Record what the family says of it.
    Hear,
    /// Begin the next version beside the one in force.
    Revise,
    /// Begin the next version of a draft that was shared; it takes the draft's place.
    Redraft,
    /// Record what becomes of it: actions, goals, evidence.
    Progress,
    /// Review it: it stays as it is.
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
    pub const ALL: [Self; 12] = [
        Self::Edit,
        Self::Agree,
        Self::Share,
        Self::Hear,
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
            (Self::Share | Self::Hear, Draft | Active | Escalated) => Some(status),
            (Self::Revise, Active | Escalated) => Some(status),
            (Self::Redraft, Draft) => Some(Superseded),
            (Self::Progress, Active | Escalated) => Some(status),
            // Reviewed, an escalated plan stays escalated: what follows is still to be chosen.
            (Self::Review, Active | Escalated) => Some(status),
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

impl PlanKind {
    /// The kinds that bring change about in a family: with goals, and a period that is agreed for it.
    pub fn seeks_change(self) -> bool {
        matches!(self, Self::Cin | Self::ChildProtection | Self::Support)
    }

    /// Whether it is for a child who comes into care or is in care.
    pub fn in_care(self) -> bool {
        matches!(
            self,
            Self::Care | Self::Placement | Self::Health | Self::PersonalEducation | Self::Permanence | Self::Adoption
        )
    }

    /// Whether a manager brings it into force and ends it, and the reviewing officer reviews it: these say where a child is to
    /// live.
    pub fn decides_about_care(self) -> bool {
        matches!(self, Self::Care | Self::Permanence | Self::Adoption)
    }

    /// The kinds of which a case has one in force at a time, this one among them.
    pub fn one_of(self) -> &'static [Self] {
        const IN_NEED: [PlanKind; 2] = [PlanKind::Cin, PlanKind::ChildProtection];
        match self {
            Self::Cin | Self::ChildProtection => &IN_NEED,
            Self::Care => &[Self::Care],
            Self::Placement => &[Self::Placement],
            Self::Health => &[Self::Health],
            Self::PersonalEducation => &[Self::PersonalEducation],
            Self::Pathway => &[Self::Pathway],
            Self::Permanence => &[Self::Permanence],
            Self::Adoption => &[Self::Adoption],
            Self::Support => &[Self::Support],
        }
    }

    /// What it says beside goals before it is agreed. Of the Care Planning, Placement and Case Review (England) Regulations
    /// 2010: a care plan regulation 5, a placement plan schedule 2, health and education schedule 1, a pathway plan schedule
    /// 8; of the plan for adoption the Adoption Agencies Regulations 2005. Known, their texts not read again.
    pub fn required_sections(self) -> &'static [PlanSection] {
        use PlanSection::*;
        match self {
            Self::Cin | Self::ChildProtection | Self::Support => &[],
            Self::Care => &[
                Permanence,
                Health,
                Education,
                EmotionalBehavioural,
                ReligiousPersuasion,
                RacialOrigin,
                CulturalLinguistic,
                FamilyRelationships,
                SocialPresentation,
                SelfCare,
                Placement,
                WishesFeelings,
            ],
            Self::Placement => &[DailyCare, Contact, Decisions, Health, Education, WishesFeelings],
            Self::Health => &[Health, EmotionalBehavioural],
            Self::PersonalEducation => &[Education, WishesFeelings],
            Self::Pathway => &[
                PersonalSupport,
                Accommodation,
                Education,
                Employment,
                FamilyRelationships,
                PracticalSkills,
                Money,
                Health,
                Contingency,
            ],
            Self::Permanence => &[Contact, WishesFeelings, Contingency],
            Self::Adoption => &[Matching, Contact, AdoptionSupport, WishesFeelings],
        }
    }

    /// Why there is no plan of this kind for a child whose case stands like this.
    pub fn case_fault(self, case: CaseStatus) -> Option<(&'static str, &'static str)> {
        use CaseStatus::*;
        match self {
            _ if self.in_care() && !matches!(case, CareDecision | LookedAfter | LookedAfterLac) => Some((
                "CHILD_IN_CARE",
                "Such a plan is for a child who is looked after, or for whom it was decided that they come into care.",
            )),
            Self::Pathway if !matches!(case, LookedAfter | LookedAfterLac | CareLeaver) => {
                Some(("CHILD_IN_CARE", "A pathway plan is for a young person who is looked after or has left care."))
            }
            _ => None,
        }
    }
}

impl PermanenceRoute {
    /// Whether the child is to remain in care on it, until adopted if that is the route: such a child may be held by the
    /// looked-after children service.
    pub fn remains_in_care(self) -> bool {
        match self {
            Self::LongTermFostering | Self::Adoption | Self::Residential | Self::Independence => true,
            Self::ReturnHome | Self::KinshipSgo => false,
        }
    }
}

/// The age from which a young person in care has a pathway plan, in years (Children Act 1989 schedule 2 paragraph 19B).
pub const PATHWAY_FROM: u32 = 16;

/// Why a step of a plan for adoption does not fit the ones before it, of which the last of each kind is given.
pub fn adoption_fault(
    step: AdoptionStep,
    on: NaiveDate,
    before: &[(AdoptionStep, NaiveDate)],
) -> Option<(&'static str, &'static str)> {
    use AdoptionStep::*;
    let day = |of: AdoptionStep| before.iter().find(|(one, _)| *one == of).map(|(_, day)| *day);
    let needs = |of: AdoptionStep, why: &'static str| day(of).is_none().then_some(("ADOPTION_STEPS", why));
    if step != Reversed && day(Reversed).is_some() {
        return Some((
            "NOT_REVERSED",
            "The decision to place the child for adoption was reversed: end this plan, and draft another if adoption is \
             considered again.",
        ));
    }
    let missing = match step {
        BestInterest => None,
        AgencyDecision => {
            needs(BestInterest, "Record first when it was decided that adoption is in the child's interest.")
        }
        PlacementOrder | Matched | Reversed => {
            needs(AgencyDecision, "Record first when the agency decided that the child should be placed for adoption.")
        }
        Placed => needs(Matched, "Record first when the child was matched with adopters."),
    };
    // In the order in which they happen; a step that is recorded again keeps its place among the others.
    let place = |of: AdoptionStep| match of {
        BestInterest => 0,
        AgencyDecision => 1,
        PlacementOrder => 2,
        Matched => 3,
        Placed => 4,
        Reversed => 5,
    };
    // An order may come before or after the match.
    let ordered =
        |one: AdoptionStep| one == step || matches!((one, step), (PlacementOrder, Matched) | (Matched, PlacementOrder));
    let out_of_order = before
        .iter()
        .filter(|(one, _)| !ordered(*one))
        .any(|(one, day)| if place(*one) < place(step) { on < *day } else { on > *day });
    missing.or(out_of_order.then_some((
        "ADOPTION_ORDER",
        "The days of a plan for adoption follow one another: best interest, agency decision, match, placement.",
    )))
}

/// A step of a parenting support worker's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportStep {
    /// They take it on.
    Accept,
    /// They say no.
    Decline,
    /// It is not needed any more.
    Withdraw,
    /// The work is over.
    End,
}

impl SupportStep {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::Accept, Self::Decline, Self::Withdraw, Self::End];

    /// The status that the step leads to, or none when it is not legal there.
    pub fn from_status(self, status: SupportStatus) -> Option<SupportStatus> {
        use SupportStatus::*;
        match (self, status) {
            (Self::Accept, Requested) => Some(Accepted),
            (Self::Decline, Requested) => Some(Declined),
            (Self::Withdraw, Requested) => Some(Withdrawn),
            (Self::End, Accepted) => Some(Ended),
            _ => None,
        }
    }
}

impl SupportStatus {
    /// The statuses that can come next.
    pub fn legal_next(self) -> Vec<Self> {
        SupportStep::ALL.into_iter().filter_map(|step| step.from_status(self)).collect()
    }
}

/// What a plan's goal must have before the plan is agreed.
#[derive(Clone, Copy, Debug)]
pub struct GoalShape {
    /// Whether it says how change is measured and where things should stand.
    pub measured: bool,
    /// How many actions it has that are neither done nor dropped.
    pub actions: usize,
}

/// Why these goals of a plan, which must have some if it seeks change, are not ready to be agreed.
pub fn goals_fault(kind: PlanKind, goals: &[GoalShape]) -> Option<(&'static str, &'static str)> {
    if goals.is_empty() && kind.seeks_change() {
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

    #[test]
    fn a_plan_of_a_child_in_care_is_for_such_a_child_only() {
        use CaseStatus::*;
        for (kind, ..) in PlanKind::ALL {
            for (status, ..) in CaseStatus::ALL {
                let care = matches!(status, CareDecision | LookedAfter | LookedAfterLac);
                let fits = match kind {
                    PlanKind::Pathway => matches!(status, LookedAfter | LookedAfterLac | CareLeaver),
                    kind => !kind.in_care() || care,
                };
                assert_eq!(kind.case_fault(*status).is_none(), fits, "{kind:?} {status:?}");
            }
        }
    }

    #[test]
    fn every_kind_stands_alone_among_those_of_which_there_is_one() {
        for (kind, ..) in PlanKind::ALL {
            assert!(kind.one_of().contains(kind), "{kind:?}");
            for other in kind.one_of() {
                assert_eq!(other.one_of(), kind.one_of(), "{kind:?} {other:?}");
            }
        }
    }

    #[test]
    fn an_adoption_is_decided_matched_and_placed_in_this_order() {
        use AdoptionStep::*;
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let mut done: Vec<(AdoptionStep, NaiveDate)> = Vec::new();
        let steps = [
            (BestInterest, "2026-01-10"),
            (AgencyDecision, "2026-01-20"),
            (Matched, "2026-05-01"),
            (PlacementOrder, "2026-04-01"),
            (Placed, "2026-06-01"),
        ];
        for (at, (step, on)) in steps.into_iter().enumerate() {
            let skipped = steps[at + 1..]
                .iter()
                .filter(|(later, _)| matches!((step, later), (BestInterest, AgencyDecision) | (Matched, Placed)));
            for (later, on) in skipped {
                assert!(adoption_fault(*later, day(on), &done).is_some(), "{later:?} without {step:?}");
            }
            assert_eq!(adoption_fault(step, day(on), &done), None, "{step:?}");
            done.push((step, day(on)));
        }
        assert_eq!(adoption_fault(Matched, day("2026-05-02"), &done), None, "a wrong day is recorded again");
        assert!(adoption_fault(Matched, day("2026-06-02"), &done).is_some(), "not after the placement");
        assert!(adoption_fault(BestInterest, day("2026-01-21"), &done).is_some(), "not after what rests on it");
        assert_eq!(adoption_fault(Reversed, day("2026-07-01"), &done), None);
        done.push((Reversed, day("2026-07-01")));
        assert!(adoption_fault(Placed, day("2026-08-01"), &done).is_some(), "nothing follows a reversal");
    }

    #[test]
    fn what_somebody_does_not_take_on_ends_there() {
        use SupportStatus::*;
        for (status, next) in [
            (Requested, vec![Accepted, Declined, Withdrawn]),
            (Accepted, vec![Ended]),
            (Declined, vec![]),
            (Withdrawn, vec![]),
            (Ended, vec![]),
        ] {
            assert_eq!(status.legal_next(), next, "{status:?}");
        }
    }

    proptest! {
        #[test]
        fn goals_are_ready_exactly_when_each_is_measured_and_acted_on(
            goals in proptest::collection::vec((any::<bool>(), 0usize..3), 0..6)
        ) {
            let shapes: Vec<_> =
                goals.iter().map(|(measured, actions)| GoalShape { measured: *measured, actions: *actions }).collect();
            let ready = !goals.is_empty() && goals.iter().all(|(measured, actions)| *measured && *actions > 0);
            prop_assert_eq!(goals_fault(PlanKind::Cin, &shapes).is_none(), ready);
            prop_assert_eq!(goals_fault(PlanKind::Care, &shapes).is_none(), ready || goals.is_empty());
        }
    }
}
