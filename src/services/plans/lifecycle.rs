//! A plan's way: agreed, shared, reviewed, escalated, ended.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::{Announcer, Audience, Entity, Outcome, Services, Stamp, Taking, plan_detail, text};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx, children, families, involvements,
        plans::{self, ActionRow, PlanCore, PlanUpdate},
        progress::{self, Choice, NewReview, NewShare},
        units,
    },
    domain::{
        Code,
        calendar::london_day,
        codes::{
            Capacity, CaseStatus, EscalationChoice, EventType, GoalStatus, InvitationMethod, Participation,
            PermanenceRoute, PlanChange, PlanKind, PlanStatus, Severity,
        },
        conference::participation_fault,
        ids::PlanId,
        plan::{GoalShape, PATHWAY_FROM, Step, goals_fault, period_fault},
    },
    error::{Error, Result},
};

/// Brings a draft into force.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AgreePlan {
    pub plan_id: Uuid,
    /// First day; of a revision it stays the first version's.
    pub start_on: Option<NaiveDate>,
    pub review_due_on: Option<NaiveDate>,
    pub expected_version: i32,
}

/// With whom a plan is shared.
#[derive(Clone, Serialize)]
pub enum Recipient {
    /// Somebody of the family.
    Person(Uuid),
    /// An agency, by its name.
    Agency(String),
}

/// Shares a version.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct SharePlan {
    pub plan_id: Uuid,
    pub recipients: Vec<Recipient>,
    pub method: InvitationMethod,
    pub shared_on: NaiveDate,
    pub expected_version: i32,
}

/// Records a review of a child in need plan.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordPlanReview {
    pub plan_id: Uuid,
    pub held_on: NaiveDate,
    pub participation: Participation,
    pub decisions: Vec<String>,
    pub change_of_plan: bool,
    pub next_review_on: NaiveDate,
    pub expected_version: i32,
}

/// The plan broke down, or the agreed period for change passed without change.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EscalatePlan {
    pub plan_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

/// What the unit chooses for an escalated plan.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct SettlePlanEscalation {
    pub plan_id: Uuid,
    pub choice: EscalationChoice,
    pub reason: String,
    /// With EXTEND.
    pub new_change_by: Option<NaiveDate>,
    pub expected_version: i32,
}

/// Ends a plan.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EndPlan {
    pub plan_id: Uuid,
    pub end_on: NaiveDate,
    pub reason: String,
    pub expected_version: i32,
}

const MAX_RECIPIENTS: usize = 30;
const MAX_DECISIONS: usize = 30;

impl Services {
    /// Brings a draft into force; a revision takes the place of the version before it. A child in need plan and a
    /// child protection plan are never in force together.
    pub async fn agree_plan(&self, viewer: Viewer, key: &str, input: AgreePlan) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "agreePlan", key, &input, move |tx| Box::pin(agree(tx, wanted))).await
    }

    /// Shares a version with parents, the child or agencies. Its content stays as it is from then on.
    pub async fn share_plan(&self, viewer: Viewer, key: &str, input: SharePlan) -> Result<Outcome> {
        if input.recipients.is_empty() || input.recipients.len() > MAX_RECIPIENTS {
            return Err(Error::bad_input("recipients", format!("must name between 1 and {MAX_RECIPIENTS}")));
        }
        let mut wanted = input.clone();
        for one in &mut wanted.recipients {
            if let Recipient::Agency(name) = one {
                *name = text("agencyName", name, 200)?;
            }
        }
        self.change(viewer, "sharePlan", key, &input, move |tx| Box::pin(share(tx, wanted))).await
    }

    /// Records a review of a child in need plan, which goes on. A child protection plan is reviewed by a conference.
    pub async fn record_plan_review(&self, viewer: Viewer, key: &str, input: RecordPlanReview) -> Result<Outcome> {
        if input.decisions.len() > MAX_DECISIONS {
            return Err(Error::bad_input("decisions", format!("must be at most {MAX_DECISIONS}")));
        }
        let mut wanted = input.clone();
        for decision in &mut wanted.decisions {
            *decision = text("decisions", decision, 2_000)?;
        }
        self.change(viewer, "recordPlanReview", key, &input, move |tx| Box::pin(review(tx, wanted))).await
    }

    /// The plan did not work. The managers hear of it, and the unit has to choose what follows.
    pub async fn escalate_plan(&self, viewer: Viewer, key: &str, input: EscalatePlan) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "escalatePlan", key, &input, move |tx| Box::pin(escalate(tx, wanted, reason))).await
    }

    /// What follows: another period, a strategy discussion, a legal gateway, a decision on care, or the plan's end.
    pub async fn settle_plan_escalation(
        &self,
        viewer: Viewer,
        key: &str,
        input: SettlePlanEscalation,
    ) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "settlePlanEscalation", key, &input, move |tx| Box::pin(settle(tx, wanted, reason))).await
    }

    /// Ends a child in need plan whose goals are settled. A child protection plan is ended by a conference.
    pub async fn end_plan(&self, viewer: Viewer, key: &str, input: EndPlan) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "endPlan", key, &input, move |tx| Box::pin(end(tx, wanted, reason))).await
    }
}

async fn agree(tx: &ViewerTx, input: AgreePlan) -> Result<Outcome> {
    // Who agrees depends on the kind: the unit's consultant; a manager, where a child is to live; for a child protection plan
    // its conference's chair.
    let action = match kind_of(tx, input.plan_id).await? {
        PlanKind::ChildProtection => Action::AgreeProtectionPlan,
        kind if kind.decides_about_care() => Action::AgreeCarePlan,
        _ => Action::AgreePlan,
    };
    let taking = Taking::begin(tx, input.plan_id, action, Step::Agree, Some(input.expected_version)).await?;
    let (plan, today) = (&taking.plan, taking.today());
    let open = plans::open_of_case(tx, plan.case_id, plan.kind.0).await?;
    let before = open.as_ref().filter(|open| open.line_id == plan.line_id);
    if before.is_some_and(|before| before.status.0 == PlanStatus::Escalated) {
        return Err(Error::guard(
            "ESCALATION_OPEN",
            "The plan in force is escalated: settle that first, then agree the revised one.",
        ));
    }
    check_particulars(tx, &taking, before).await?;
    check_heard(tx, &taking).await?;
    taking.authorise(tx).await?;
    if let Some(before) = before {
        let actions = plans::open_actions(tx, plan.id).await?;
        carry_over(tx, before.id, plan.id, &actions, today).await?;
    }
    // After that: what is settled already needs nothing more to be done for it, and what was done is not to be done again.
    let (goals, actions) = (plans::goals(tx, plan.id).await?, plans::open_actions(tx, plan.id).await?);
    let shapes: Vec<GoalShape> = goals
        .iter()
        .filter(|goal| goal.status.0 == GoalStatus::Open)
        .map(|goal| GoalShape {
            measured: goal.measure.is_some() && goal.target.is_some(),
            actions: actions.iter().filter(|one| one.goal_id == goal.id).count(),
        })
        .collect();
    // Of a plan that seeks change, one whose goals are all settled ends rather than goes on.
    if let Some((guard, why)) = goals_fault(plan.kind.0, &shapes) {
        return Err(Error::guard(guard, why));
    }
    let start_on = match (before, &open) {
        (Some(before), _) => {
            if input.start_on.is_some_and(|day| Some(day) != before.start_on) {
                return Err(Error::bad_input("startOn", "stays the first version's: leave it out"));
            }
            before.start_on.unwrap_or(today)
        }
        // A conference makes such a plan, and ends it with its drafts.
        _ if plan.kind.0 == PlanKind::ChildProtection => {
            return Err(Error::guard(
                "REVISED_PLAN_OPEN",
                "The plan that this draft revises is not in force any more: draft a new one.",
            ));
        }
        (None, Some(_)) => {
            return Err(Error::guard(
                "ONE_OPEN_PLAN",
                "The child has such a plan in force: revise that one. A child in need plan and a child protection plan are \
                 never in force together.",
            ));
        }
        (None, None) => {
            let start = input.start_on.unwrap_or(today);
            if start > today {
                return Err(Error::bad_input("startOn", "must not lie in the future"));
            }
            if start < taking.case.core.opened_on {
                return Err(Error::bad_input("startOn", "must not lie before the case was opened"));
            }
            if plans::last_end(tx, plan.case_id, plan.kind.0).await?.is_some_and(|last| start < last) {
                return Err(Error::bad_input("startOn", "must not lie before the end of the plan before it"));
            }
            start
        }
    };
    if before.is_none() {
        check_first_day(tx, &taking, start_on).await?;
    }
    let extends_period = check_period(tx, &taking, before, start_on).await?;
    // A review that took place while the draft was written set the next one, sooner or later than the draft says.
    let reviewed = before.and_then(|before| before.review_due_on);
    let review_due_on = input.review_due_on.or(reviewed).or(plan.review_due_on);
    if review_due_on.is_some_and(|due| due <= start_on) {
        return Err(Error::bad_input("reviewDueOn", "must lie after the plan's first day"));
    }

    if let Some(before) = before {
        plans::supersede(tx, before, today).await?;
        let replaced = plans::get(tx, before.id).await?.ok_or(Error::NotFound)?;
        taking.tell(tx, &replaced, PlanChange::Superseded, Severity::Info, false).await?;
    }
    let update = PlanUpdate {
        version: taking.version(),
        status: Some(Coded(taking.status)),
        start_on: Some(start_on),
        review_due_on: Some(review_due_on),
        extends_period: extends_period.then_some(true),
        ..PlanUpdate::default()
    };
    plans::update(tx, plan.id, update).await?;
    let agreed = plans::get(tx, plan.id).await?.ok_or(Error::NotFound)?;
    taking.tell(tx, &agreed, PlanChange::Agreed, Severity::Action, true).await?;
    Ok(taking.outcome())
}

/// What kind of plan it is, in sight.
async fn kind_of(tx: &ViewerTx, id: Uuid) -> Result<PlanKind> {
    Ok(plans::get(tx, id).await?.ok_or(Error::NotFound)?.kind.0)
}

/// What the kind asks for beside goals, before a plan is agreed.
async fn check_particulars(tx: &ViewerTx, taking: &Taking, before: Option<&PlanCore>) -> Result<()> {
    let (plan, case) = (&taking.plan, &taking.case.core);
    let kind = plan.kind.0;
    if let Some((guard, why)) = kind.case_fault(case.status.0) {
        return Err(Error::guard(guard, why));
    }
    let missing: Vec<&str> = kind
        .required_sections()
        .iter()
        .filter(|section| !plan.section_codes.contains(&Coded(**section)))
        .map(|section| section.code())
        .collect();
    if !missing.is_empty() {
        return Err(Error::guard("SECTIONS", format!("Such a plan also says: {}.", missing.join(", "))));
    }
    match kind {
        PlanKind::Permanence if plan.route.is_none() => {
            return Err(Error::guard("ROUTE", "A permanence plan says where the child is to grow up: choose a route."));
        }
        PlanKind::Care => {
            let officers = involvements::beside(tx, case.id, &[Capacity::Iro]).await?;
            if officers.is_empty() {
                return Err(Error::guard(
                    "REVIEWING_OFFICER",
                    "A care plan names the reviewing officer, and nobody is: give somebody the part IRO first.",
                ));
            }
            check_independent(tx, taking, &officers).await?;
            if let Some(before) = before
                && !progress::is_to_change(tx, before.id).await?
            {
                return Err(Error::guard(
                    "CONSIDERED_AT_REVIEW",
                    "A care plan changes only after a review considered it (regulation 32(2) of the 2010 regulations): record \
                     the review with changeOfPlan first.",
                ));
            }
        }
        PlanKind::Adoption => {
            let planned = plans::open_of_case(tx, case.id, PlanKind::Permanence).await?;
            let adoption = Some(Coded(PermanenceRoute::Adoption));
            if !planned.is_some_and(|planned| planned.route == adoption || planned.parallel_route == adoption) {
                return Err(Error::guard(
                    "PERMANENCE_ROUTE",
                    "A plan for adoption follows from the permanence plan: agree one with ADOPTION as its route or its parallel \
                     route first.",
                ));
            }
        }
        PlanKind::Pathway => {
            if plan.needs_assessed_on.is_none() {
                return Err(Error::guard(
                    "NEEDS_ASSESSED",
                    "A pathway plan rests on an assessment of needs: write down when it was made.",
                ));
            }
            if involvements::beside(tx, case.id, &[Capacity::PersonalAdviser]).await?.is_empty() {
                return Err(Error::guard(
                    "PERSONAL_ADVISER",
                    "A pathway plan names the personal adviser, and nobody is: give somebody the part PERSONAL_ADVISER first.",
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

/// What must be so on a plan's first day, which may lie back.
async fn check_first_day(tx: &ViewerTx, taking: &Taking, start_on: NaiveDate) -> Result<()> {
    let plan = &taking.plan;
    if plan.kind.0 != PlanKind::Pathway {
        return Ok(());
    }
    if plan.needs_assessed_on.is_some_and(|assessed| assessed > start_on) {
        return Err(Error::bad_input("startOn", "must not lie before the needs were assessed"));
    }
    let born = children::births(tx, &[plan.child_id]).await?.into_iter().find_map(|(_, born)| born);
    let age = born.and_then(|born| start_on.years_since(born));
    if age.is_none_or(|age| age < PATHWAY_FROM) {
        return Err(Error::guard(
            "AGE",
            format!("A pathway plan is for a young person of {PATHWAY_FROM} or over, on its first day too."),
        ));
    }
    Ok(())
}

/// A reviewing officer stays outside the unit whose work they review, also when the case or they moved since.
async fn check_independent(tx: &ViewerTx, taking: &Taking, officers: &[Uuid]) -> Result<()> {
    let Some(primary) = &taking.case.primary else { return Ok(()) };
    for officer in officers {
        if units::role_in(tx, primary.unit_id, *officer).await?.is_some() {
            return Err(Error::guard(
                "REVIEWING_OFFICER",
                "The reviewing officer belongs to the unit that holds the case, whose work they would review: give the part IRO to \
                 somebody else first.",
            ));
        }
    }
    Ok(())
}

/// The child and everybody with parental responsibility were asked what they say of this version, or it says why not.
async fn check_heard(tx: &ViewerTx, taking: &Taking) -> Result<()> {
    let plan = &taking.plan;
    let (_, parents, child) = plans::narrative(tx, plan.id).await?;
    let heard = progress::heard(tx, plan.id).await?;
    let born = children::births(tx, &[plan.child_id]).await?.into_iter().any(|(_, born)| born.is_some());
    if born && child.is_none() && !heard.contains(&plan.child_id) {
        return Err(Error::guard(
            "CHILD_HEARD",
            "It is not said what the child says of the plan: write childView into the draft, or record what they say, or why \
             they could not be asked.",
        ));
    }
    let holders = families::holders_of_responsibility(tx, &[plan.child_id], taking.today()).await?;
    let missing = holders.iter().filter(|person| !heard.contains(person)).count();
    if parents.is_none() && missing > 0 {
        return Err(Error::guard(
            "PARENTS_HEARD",
            format!(
                "It is not said what {missing} with parental responsibility say of the plan: write parentView into the draft, \
                 or record what they say, or why they could not be asked."
            ),
        ));
    }
    Ok(())
}

/// The agreed period for change of a plan about to be agreed. Answers whether it is longer than the one in force before: that
/// extends it, which the unit does once without its service manager, and not when it is over.
async fn check_period(tx: &ViewerTx, taking: &Taking, before: Option<&PlanCore>, start_on: NaiveDate) -> Result<bool> {
    let (plan, today) = (&taking.plan, taking.today());
    let until_now = before.and_then(|before| before.agreed_change_by);
    if let Some(before) = before
        && is_over(tx, before, today).await?
    {
        return Err(period_over());
    }
    let Some(agreed_change_by) = plan.agreed_change_by else {
        if !plan.kind.0.seeks_change() {
            return Ok(false);
        }
        return Err(Error::guard(
            "PERIOD_AGREED",
            "A plan says until when change is to be achieved: write agreedChangeBy into the draft.",
        ));
    };
    if let Some(fault) = period_fault(agreed_change_by, start_on, today) {
        return Err(Error::guard("PERIOD_AGREED", format!("The agreed period for change {fault}.")));
    }
    // A version of a child protection plan is agreed by the chair of its conference, who does not belong to the unit: what they
    // agree does not use up the unit's one extension.
    let by_unit = plan.kind.0.seeks_change() && plan.kind.0 != PlanKind::ChildProtection;
    let extends = by_unit && until_now.is_some_and(|day| agreed_change_by > day);
    if extends
        && !taking.may(tx.viewer().worker_id, Action::ExtendPlanAgain)
        && progress::extensions(tx, plan.line_id).await? > 0
    {
        return Err(Error::guard(
            "SECOND_EXTENSION",
            "The period was extended before: a second extension is the service manager's to give. Keep the period in the draft, \
             or escalate the plan so that they choose EXTEND.",
        ));
    }
    Ok(extends)
}

fn period_over() -> Error {
    Error::guard(
        "CHANGE_PERIOD_OVER",
        "The agreed period for change is over and not everything is achieved: the unit or its service manager escalates the plan, \
         and chooses what follows.",
    )
}

/// Whether the period for change that was agreed with a plan in force was over on a day, with goals open.
async fn is_over(tx: &ViewerTx, plan: &PlanCore, on: NaiveDate) -> Result<bool> {
    Ok(plan.kind.0.seeks_change()
        && plan.agreed_change_by.is_some_and(|until| until < on)
        && plans::goals(tx, plan.id).await?.iter().any(|goal| goal.status.0 == GoalStatus::Open))
}

/// Takes over what became of the version in force while its revision was written: actions that were done, and where its
/// goals stand, open again among them. A draft says what is to be, not what was: it settles no goal, it only gives up
/// what it leaves out, and that stays given up. A goal that was given up meanwhile does not come back, nor what was to be
/// done for it.
async fn carry_over(tx: &ViewerTx, before: Uuid, draft: Uuid, actions: &[ActionRow], today: NaiveDate) -> Result<()> {
    let mut open: Vec<&ActionRow> = actions.iter().collect();
    for (done, on) in plans::done_actions(tx, before).await? {
        if let Some(at) = open.iter().position(|action| action.lineage_id == done.lineage_id) {
            plans::done(tx, open.swap_remove(at), on, done.outcome.as_ref().map(|text| text.read().to_owned())).await?;
        }
    }
    let standings = plans::standings(tx, before).await?;
    for goal in plans::goals(tx, draft).await? {
        // A goal that the draft adds has none.
        let Some(status) = standings.get(&goal.lineage_id).filter(|status| **status != goal.status.0) else { continue };
        plans::settle_goal(tx, &goal, *status).await?;
        if *status == GoalStatus::Dropped {
            for action in open.iter().filter(|action| action.goal_id == goal.id) {
                plans::drop_action(tx, action, today).await?;
            }
        }
    }
    Ok(())
}

async fn share(tx: &ViewerTx, input: SharePlan) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let taking = Taking::begin(tx, input.plan_id, Action::SharePlan, Step::Share, Some(input.expected_version)).await?;
    if input.shared_on > taking.today() {
        return Err(Error::bad_input("sharedOn", "must not lie in the future"));
    }
    let mut new = Vec::with_capacity(input.recipients.len());
    for one in input.recipients {
        let (person_id, agency_name) = match one {
            Recipient::Person(id) if !children::person_in_sight(tx, id).await? => return Err(Error::NotFound),
            Recipient::Person(id) => (Some(id), None),
            Recipient::Agency(name) => (None, Some(name)),
        };
        new.push(NewShare {
            id: Uuid::now_v7(),
            plan_id: taking.plan.id,
            child_id: taking.plan.child_id,
            person_id,
            agency_name,
            shared_on: input.shared_on,
            method: Coded(input.method),
            shared_by: me.0,
        });
    }
    taking.authorise(tx).await?;
    progress::share(tx, new).await?;
    let update = PlanUpdate {
        version: taking.version(),
        shared_at: taking.plan.shared_at.is_none().then_some(taking.at),
        ..PlanUpdate::default()
    };
    plans::update(tx, taking.plan.id, update).await?;
    let shared = plans::get(tx, taking.plan.id).await?.ok_or(Error::NotFound)?;
    taking.tell(tx, &shared, PlanChange::Shared, Severity::Info, false).await?;
    Ok(taking.outcome())
}

async fn review(tx: &ViewerTx, input: RecordPlanReview) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let action = match kind_of(tx, input.plan_id).await? {
        kind if kind.decides_about_care() => Action::ReviewCarePlan,
        _ => Action::RecordPlanReview,
    };
    let taking = Taking::begin(tx, input.plan_id, action, Step::Review, Some(input.expected_version)).await?;
    let plan = &taking.plan;
    if plan.kind.0 == PlanKind::ChildProtection {
        return Err(Error::guard(
            "CONFERENCE_REVIEWS",
            "A child protection plan is reviewed by a conference: request a review conference.",
        ));
    }
    if input.held_on > taking.today() {
        return Err(Error::bad_input("heldOn", "must not lie in the future"));
    }
    // The day of the review lies after the plan's first day, and reviews follow one another.
    if plan.start_on.is_some_and(|start| input.held_on <= start) {
        return Err(Error::bad_input("heldOn", "must lie after the plan's first day"));
    }
    if progress::last_review(tx, plan.line_id).await?.is_some_and(|last| input.held_on <= last) {
        return Err(Error::bad_input("heldOn", "must lie after the review before it"));
    }
    if input.next_review_on <= input.held_on {
        return Err(Error::bad_input("nextReviewOn", "must lie after the review"));
    }
    let born = children::births(tx, &[plan.child_id]).await?.into_iter().find_map(|(_, born)| born);
    if let Some(why) = participation_fault(input.participation, born, input.held_on) {
        return Err(Error::bad_input("participation", why));
    }
    if plan.kind.0.decides_about_care() {
        check_independent(tx, &taking, &[me.0]).await?;
    }
    if plan.status.0 == PlanStatus::Active && is_over(tx, plan, input.held_on).await? {
        return Err(period_over());
    }
    taking.authorise(tx).await?;
    let new = NewReview {
        id: Uuid::now_v7(),
        plan_id: plan.id,
        child_id: plan.child_id,
        due_on: plan.review_due_on,
        held_on: input.held_on,
        chair_id: Some(me.0),
        conference_id: None,
        participation: Some(Coded(input.participation)),
        decisions: input.decisions,
        change_of_plan: input.change_of_plan,
        next_review_on: Some(input.next_review_on),
        recorded_by: me.0,
        recorded_at: taking.at,
    };
    progress::review(tx, new).await?;
    plans::reviewed(tx, plan, Some(input.next_review_on)).await?;
    let reviewed = plans::get(tx, plan.id).await?.ok_or(Error::NotFound)?;
    taking.tell(tx, &reviewed, PlanChange::Reviewed, Severity::Info, false).await?;
    Ok(taking.outcome())
}

async fn escalate(tx: &ViewerTx, input: EscalatePlan, reason: String) -> Result<Outcome> {
    let taking =
        Taking::begin(tx, input.plan_id, Action::EscalatePlan, Step::Escalate, Some(input.expected_version)).await?;
    taking.authorise(tx).await?;
    progress::escalate(tx, Uuid::now_v7(), taking.plan.id, taking.plan.child_id, reason, taking.at).await?;
    let update = PlanUpdate { version: taking.version(), status: Some(Coded(taking.status)), ..PlanUpdate::default() };
    plans::update(tx, taking.plan.id, update).await?;
    let escalated = plans::get(tx, taking.plan.id).await?.ok_or(Error::NotFound)?;
    taking.tell(tx, &escalated, PlanChange::Escalated, Severity::Urgent, true).await?;
    Ok(taking.outcome())
}

async fn settle(tx: &ViewerTx, input: SettlePlanEscalation, reason: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let step = match input.choice {
        EscalationChoice::Extend => Step::Extend,
        EscalationChoice::Close => Step::End,
        EscalationChoice::Strategy | EscalationChoice::LegalGateway | EscalationChoice::CareDecision => Step::Choose,
    };
    let action = Action::SettlePlanEscalation;
    let taking = Taking::begin(tx, input.plan_id, action, step, Some(input.expected_version)).await?;
    let (plan, today) = (&taking.plan, taking.today());
    if plan.status.0 != PlanStatus::Escalated {
        return Err(Error::guard("ESCALATED", "There is nothing to settle: the plan is not escalated."));
    }
    match (input.choice, input.new_change_by) {
        // What seeks no change, and has no period, goes on as it is.
        (EscalationChoice::Extend, None) if !plan.kind.0.seeks_change() && plan.agreed_change_by.is_none() => {}
        (EscalationChoice::Extend, None) => {
            return Err(Error::bad_input("newChangeBy", "is needed with EXTEND: until when?"));
        }
        (EscalationChoice::Extend, Some(_)) if !plan.kind.0.seeks_change() && plan.agreed_change_by.is_none() => {
            return Err(Error::bad_input("newChangeBy", "is not for a plan without an agreed period: leave it out"));
        }
        (EscalationChoice::Extend, Some(until)) => {
            if until <= today || plan.agreed_change_by.is_some_and(|before| until <= before) {
                return Err(Error::bad_input("newChangeBy", "must lie in the future and after the period before"));
            }
            if progress::extensions(tx, plan.line_id).await? > 0 && !taking.may(me, Action::ExtendPlanAgain) {
                return Err(Error::guard(
                    "SECOND_EXTENSION",
                    "The period was extended before: a second extension is the service manager's to give.",
                ));
            }
        }
        (_, Some(_)) => return Err(Error::bad_input("newChangeBy", "belongs to EXTEND only: leave it out")),
        (EscalationChoice::Close, None) => {
            if plan.kind.0.decides_about_care() && !taking.may(me, Action::EndCarePlan) {
                return Err(Error::guard(
                    "MANAGER_ENDS",
                    "Such a plan is ended by the service manager or the head of service: ask them.",
                ));
            }
            check_end(tx, &taking, today).await?;
        }
        (_, None) => {}
    }
    taking.authorise(tx).await?;
    let escalation = match progress::open_escalation(tx, plan.id).await? {
        Some(open) => open,
        None => {
            // Another way after the one that was chosen: a choice of its own, so that none is overwritten.
            let id = Uuid::now_v7();
            progress::escalate(tx, id, plan.id, plan.child_id, reason.clone(), taking.at).await?;
            id
        }
    };
    let choice =
        Choice { choice: input.choice, reason: reason.clone(), new_change_by: input.new_change_by, at: taking.at };
    progress::choose_way(tx, escalation, choice).await?;
    if input.choice == EscalationChoice::Close {
        taking.end_line(tx, today, reason).await?;
        return Ok(taking.outcome());
    }
    let update = PlanUpdate {
        version: taking.version(),
        status: Some(Coded(taking.status)),
        agreed_change_by: input.new_change_by.map(Some),
        ..PlanUpdate::default()
    };
    plans::update(tx, plan.id, update).await?;
    let settled = plans::get(tx, plan.id).await?.ok_or(Error::NotFound)?;
    taking.tell(tx, &settled, PlanChange::Chosen, Severity::Action, true).await?;
    // A revision that is being written follows, unless it says something else.
    if let Some(draft) = plans::draft_of_line(tx, plan.line_id).await?
        && input.new_change_by.is_some()
        && draft.agreed_change_by == plan.agreed_change_by
    {
        let update = PlanUpdate {
            version: draft.version + 1,
            agreed_change_by: Some(input.new_change_by),
            ..PlanUpdate::default()
        };
        plans::update(tx, draft.id, update).await?;
        let draft = plans::get(tx, draft.id).await?.ok_or(Error::NotFound)?;
        taking.tell(tx, &draft, PlanChange::Edited, Severity::Info, false).await?;
    }
    Ok(taking.outcome())
}

/// Whom the end of a plan is told, and how.
pub(in crate::services) struct Telling<'a> {
    pub(in crate::services) announcer: &'a Announcer,
    pub(in crate::services) stamp: &'a Stamp,
    pub(in crate::services) audience: &'a [Audience],
    pub(in crate::services) severity: Severity,
}

/// Ends a plan in force, and with it its line of versions: a revision that was not agreed can be agreed no more, and an
/// escalation that waits for a choice is answered by the end. Without a reason a conference ended it.
pub(in crate::services) async fn end_line(
    tx: &ViewerTx,
    telling: Telling<'_>,
    plan: &PlanCore,
    on: NaiveDate,
    reason: Option<String>,
) -> Result<()> {
    let Telling { announcer, stamp, audience, severity } = telling;
    let mut over = Vec::new();
    if let Some(draft) = plans::draft_of_line(tx, plan.line_id).await? {
        plans::supersede(tx, &draft, london_day(announcer.at)).await?;
        over.push((draft.id, PlanChange::Superseded, Severity::Info));
    }
    if let Some(open) = progress::open_escalation(tx, plan.id).await? {
        let reason = reason.clone().unwrap_or_else(|| "A conference ended the plan.".to_owned());
        let choice = Choice { choice: EscalationChoice::Close, reason, new_change_by: None, at: announcer.at };
        progress::choose_way(tx, open, choice).await?;
    }
    plans::end(tx, plan, on, reason).await?;
    over.push((plan.id, PlanChange::Ended, severity));
    for (id, change, severity) in over {
        let plan = plans::get(tx, id).await?.ok_or(Error::NotFound)?;
        let detail = plan_detail(&plan, plan.status.0, change);
        let entity = Entity { kind: PlanId::KIND, id, version: plan.version };
        announcer.announce(tx, EventType::PlanChanged, severity, entity, Some(stamp), detail, audience).await?;
    }
    Ok(())
}

impl Taking {
    async fn end_line(&self, tx: &ViewerTx, on: NaiveDate, reason: String) -> Result<()> {
        let audience = self.audience(true);
        let telling =
            Telling { announcer: &self.announcer, stamp: &self.stamp, audience: &audience, severity: Severity::Action };
        end_line(tx, telling, &self.plan, on, Some(reason)).await
    }
}

/// What must be so before a plan ends outside a conference.
async fn check_end(tx: &ViewerTx, taking: &Taking, on: NaiveDate) -> Result<()> {
    let plan = &taking.plan;
    if plan.kind.0 == PlanKind::ChildProtection {
        return Err(Error::guard(
            "CONFERENCE_ENDS",
            "A child protection plan is ended by a conference: request a review conference.",
        ));
    }
    if plan.start_on.is_some_and(|start| on < start) {
        return Err(Error::bad_input("endOn", "must not lie before the plan's first day"));
    }
    if plans::last_replaced(tx, plan.line_id).await?.is_some_and(|day| on < day) {
        return Err(Error::bad_input("endOn", "must not lie before the day on which this version was agreed"));
    }
    if progress::last_review(tx, plan.line_id).await?.is_some_and(|day| on < day) {
        return Err(Error::bad_input("endOn", "must not lie before the plan's last review"));
    }
    if plan.kind.0 == PlanKind::Care
        && matches!(taking.case.core.status.0, CaseStatus::LookedAfter | CaseStatus::LookedAfterLac)
    {
        return Err(Error::guard(
            "CHILD_IN_CARE",
            "A child who is looked after has a care plan: revise it. It changes after a review considered it.",
        ));
    }
    if plans::goals(tx, plan.id).await?.iter().any(|goal| goal.status.0 == GoalStatus::Open) {
        return Err(Error::guard(
            "GOALS_SETTLED",
            "Some goals are open: settle for each whether it is met, not met or given up.",
        ));
    }
    Ok(())
}

async fn end(tx: &ViewerTx, input: EndPlan, reason: String) -> Result<Outcome> {
    let action = match kind_of(tx, input.plan_id).await? {
        kind if kind.decides_about_care() => Action::EndCarePlan,
        _ => Action::EndPlan,
    };
    let taking = Taking::begin(tx, input.plan_id, action, Step::End, Some(input.expected_version)).await?;
    if input.end_on > taking.today() {
        return Err(Error::bad_input("endOn", "must not lie in the future"));
    }
    check_end(tx, &taking, input.end_on).await?;
    taking.authorise(tx).await?;
    taking.end_line(tx, input.end_on, reason).await?;
    Ok(taking.outcome())
}
