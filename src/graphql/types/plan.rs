use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    Case, Child, Conference, Person, SupportRequest, Worker, case, child, conference, conference::ConferenceChild,
    worker,
};
use crate::{
    db::{
        Columns, Personal, conferences,
        conferences::ConferenceChildRow,
        plans,
        plans::{ActionShown, GoalRow, PlanRow},
        progress,
        progress::{AdoptionStepRow, EscalationRow, EvidenceRow, PlanViewRow, ReviewRow, ShareRow},
        support,
    },
    domain::{
        calendar::london_day,
        codes::{
            AbuseCategory, AdoptionStep, EscalationChoice, EvidenceSource, EvidenceStrength, GoalStatus,
            InvitationMethod, Participation, PermanenceRoute, PlanKind, PlanSection, PlanStance, PlanStatus,
            ReversalReason,
        },
        ids::{ActionId, GoalId, PlanId},
    },
    error::Error,
    graphql::{
        batch::{Instant, Item},
        connection::{Connection, Listing},
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

record! {
    /// A plan.
    Plan(PlanRow)
}

/// A plan for a child: its kind says what for.
#[Object]
impl Plan {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(PlanId::KIND, self.0.core.id)
    }

    /// What kind of plan.
    async fn kind(&self) -> PlanKind {
        self.0.core.kind.0
    }

    /// Where it stands.
    async fn status(&self) -> PlanStatus {
        self.0.core.status.0
    }

    /// First day. A child protection plan starts on the day of its conference.
    async fn start_on(&self) -> Option<Date> {
        self.0.core.start_on.map(Date)
    }

    /// Last day, when it is over.
    async fn end_on(&self) -> Option<Date> {
        self.0.core.end_on.map(Date)
    }

    /// Until when change was agreed to be achieved.
    async fn agreed_change_by(&self) -> Option<Date> {
        self.0.core.agreed_change_by.map(Date)
    }

    /// When its review is due.
    async fn review_due_on(&self) -> Option<Date> {
        self.0.core.review_due_on.map(Date)
    }

    /// Category of abuse at the start, of a child protection plan.
    async fn initial_category(&self) -> Option<AbuseCategory> {
        self.0.core.initial_category.map(|category| category.0)
    }

    /// Category of abuse now, of a child protection plan.
    async fn latest_category(&self) -> Option<AbuseCategory> {
        self.0.core.latest_category.map(|category| category.0)
    }

    /// How many child protection plans the child had before this one.
    async fn number_of_previous_cpps(&self) -> Option<i32> {
        self.0.core.number_of_previous_cpps
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// 1 for a plan as it was first made, 2 and on for the versions that revise it.
    async fn revision(&self) -> i32 {
        self.0.core.revision
    }

    /// When it was first shared; from then on its content stays as it is.
    async fn shared_at(&self) -> Option<DateTime> {
        self.0.core.shared_at.map(DateTime)
    }

    /// What the plan is for. Narrative: read only when selected.
    async fn overall_aim(&self) -> Nullable<String> {
        nullable(self.0.overall_aim().map(|text| Some(text.to_owned())))
    }

    /// What the parents say. Narrative: read only when selected.
    async fn parent_view(&self) -> Nullable<String> {
        nullable(self.0.parent_view().map(|text| text.map(str::to_owned)))
    }

    /// What the child says. Narrative: read only when selected.
    async fn child_view(&self) -> Nullable<String> {
        nullable(self.0.child_view().map(|text| text.map(str::to_owned)))
    }

    /// What it says beside goals: each section that was written. Narrative: read only when selected.
    async fn sections(&self) -> Answer<Vec<PlanSectionText>> {
        let found = self.0.sections()?;
        Ok(found.into_iter().map(|(section, text)| PlanSectionText { section, text: text.to_owned() }).collect())
    }

    /// What a plan of this kind says beside goals before it is agreed.
    async fn required_sections(&self) -> &[PlanSection] {
        self.0.core.kind.0.required_sections()
    }

    /// Where the child is to grow up, of a permanence plan.
    async fn route(&self) -> Option<PermanenceRoute> {
        self.0.core.route.map(|route| route.0)
    }

    /// What is pursued beside it, of a permanence plan.
    async fn parallel_route(&self) -> Option<PermanenceRoute> {
        self.0.core.parallel_route.map(|route| route.0)
    }

    /// When needs were assessed, of a pathway plan.
    async fn needs_assessed_on(&self) -> Option<Date> {
        self.0.core.needs_assessed_on.map(Date)
    }

    /// Whether the agreed period for change is over while the plan is in force: the unit settles its goals, or chooses what
    /// follows.
    async fn change_period_over(&self) -> bool {
        let in_force = matches!(self.0.core.status.0, PlanStatus::Active | PlanStatus::Escalated);
        let today = london_day(self.0.snapshot().viewer().at);
        in_force && self.0.core.agreed_change_by.is_some_and(|until| until < today)
    }

    /// What the family says of this version, or why they could not be asked; latest first, at most 100.
    async fn views(&self) -> Answer<Vec<PlanView>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { progress::views_of(&snapshot, &ids).await };
        let found = self.0.many("views", String::new(), |plan| plan.core.id, load).await?;
        Ok(found.into_iter().map(PlanView).collect())
    }

    /// How far a plan for adoption has come, whatever its version, as it was recorded: last record first, at most 100. Of each
    /// step the last record counts.
    async fn adoption_steps(&self) -> Answer<Vec<AdoptionRecord>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { progress::adoption_steps_of(&snapshot, &ids).await };
        let found = self.0.many("adoptionSteps", String::new(), |plan| plan.core.line_id, load).await?;
        Ok(found.into_iter().map(AdoptionRecord).collect())
    }

    /// The case.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |plan| Some(plan.core.case_id), read).await)
    }

    /// The child.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |plan| Some(plan.core.child_id), read).await)
    }

    /// The conference that made the plan.
    async fn conference(&self) -> Nullable<Conference> {
        nullable(conference::one(&self.0, "conference", |plan| plan.core.conference_id).await)
    }

    /// The plan's goals in their order.
    async fn goals(&self) -> Answer<Vec<Goal>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { plans::goals_of(&snapshot, &ids).await };
        let found = self.0.many("goals", String::new(), |plan| plan.core.id, load).await?;
        Ok(found.into_iter().map(Goal).collect())
    }

    /// The version that this one revises.
    async fn previous(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "previous", |plan| plan.core.previous_id, read).await)
    }

    /// The version that revises this one: the latest, when a draft that was shared was drafted anew.
    async fn next(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        let load = move |snapshot: Instant, ids: Vec<_>| async move { plans::next_of(&snapshot, &ids, read).await };
        let found = self.0.first("next", format!("{read:?}"), |plan| plan.core.id, load).await;
        nullable(found.map(|one| one.map(Plan)))
    }

    /// With whom this version was shared, first one first.
    async fn shares(&self) -> Answer<Vec<PlanShare>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { progress::shares_of(&snapshot, &ids).await };
        let found = self.0.many("shares", String::new(), |plan| plan.core.id, load).await?;
        Ok(found.into_iter().map(PlanShare).collect())
    }

    /// Its reviews, latest first. A child protection plan is reviewed by conferences.
    async fn reviews(&self) -> Answer<Vec<PlanReview>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { progress::reviews_of(&snapshot, &ids).await };
        let found = self.0.many("reviews", String::new(), |plan| plan.core.id, load).await?;
        Ok(found.into_iter().map(PlanReview).collect())
    }

    /// When the agreed period for change passed without change or the plan broke down, and what the unit chose; latest
    /// first.
    async fn escalations(&self) -> Answer<Vec<PlanEscalation>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { progress::escalations_of(&snapshot, &ids).await };
        let found = self.0.many("escalations", String::new(), |plan| plan.core.id, load).await?;
        Ok(found.into_iter().map(PlanEscalation).collect())
    }

    /// Actions that are neither done nor given up, soonest due first.
    async fn open_actions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
    ) -> Nullable<Vec<Action>> {
        nullable(
            async {
                let page = crate::db::Page::<()>::new(first, None)?;
                let read = selection::of(ctx, selection::ACTION);
                let load = move |snapshot: Instant, ids: Vec<_>| async move {
                    plans::open_actions_of(&snapshot, &ids, page.first, read).await
                };
                let found =
                    self.0.many("openActions", format!("{} {read:?}", page.first), |plan| plan.core.id, load).await?;
                Ok::<_, Error>(Some(found.into_iter().map(Action).collect()))
            }
            .await,
        )
    }

    /// The child's parts in conferences that decided about this plan, latest first.
    async fn conference_parts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<ConferenceChild>> {
        let read = selection::of_nodes(ctx, selection::CONFERENCE_CHILD);
        let list = Listing::new(ctx, &self.0, |plan| plan.core.id, "Plan.conferenceParts", first, after).reading(read);
        list.page(
            |row: &ConferenceChildRow| row.core.id,
            move |snapshot, ids, page| async move { conferences::parts_of_plans(&snapshot, &ids, &page, read).await },
            move |snapshot, ids| async move { conferences::count_parts_of_plans(&snapshot, &ids).await },
        )
        .await
    }
}

/// The plan with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Plan>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { plans::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |plan: &PlanRow| plan.core.id, load).await?;
    Ok(found.map(Plan))
}

/// A section of a plan.
#[derive(SimpleObject)]
pub struct PlanSectionText {
    /// Which.
    section: PlanSection,
    /// What it says.
    text: String,
}

record! {
    /// What somebody of the family says of a plan.
    PlanView(PlanViewRow)
}

/// What somebody of the family says of a plan, or why they could not be asked. Appended, never rewritten.
#[Object]
impl PlanView {
    /// Whether they agree, or why there is no view.
    async fn stance(&self) -> PlanStance {
        self.0.stance.0
    }

    /// Their words; with NO_ANSWER and NOT_ASKED why there are none.
    async fn words(&self) -> &str {
        self.0.words.read()
    }

    /// When.
    async fn said_on(&self) -> Date {
        Date(self.0.said_on)
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.recorded_at)
    }

    /// Whose view it is.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "person", |one| Some(one.person_id), read).await)
    }

    /// Who recorded it.
    async fn recorded_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "recordedBy", |one| Some(one.recorded_by)).await)
    }

    /// The version of the plan.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "plan", |one| Some(one.plan_id), read).await)
    }
}

record! {
    /// How far a plan for adoption has come.
    AdoptionRecord(AdoptionStepRow)
}

/// A step of a plan for adoption, as it was recorded.
#[Object]
impl AdoptionRecord {
    /// What happened.
    async fn step(&self) -> AdoptionStep {
        self.0.step.0
    }

    /// When.
    async fn happened_on(&self) -> Date {
        Date(self.0.happened_on)
    }

    /// Why the decision was reversed, with REVERSED.
    async fn reversal_reason(&self) -> Option<ReversalReason> {
        self.0.reversal_reason.map(|reason| reason.0)
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.recorded_at)
    }

    /// Who recorded it.
    async fn recorded_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "recordedBy", |one| Some(one.recorded_by)).await)
    }

    /// The version of the plan in which it was recorded.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "plan", |one| Some(one.plan_id), read).await)
    }
}

record! {
    /// A goal of a plan.
    Goal(GoalRow)
}

/// A goal of a plan: what needs to change.
#[Object]
impl Goal {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(GoalId::KIND, self.0.id)
    }

    /// Its place among the plan's goals.
    async fn position(&self) -> i32 {
        self.0.position
    }

    /// What needs to change.
    async fn what_needs_to_change(&self) -> &str {
        self.0.what_needs_to_change.read()
    }

    /// Why.
    async fn why(&self) -> &str {
        self.0.why.read()
    }

    /// How change is measured.
    async fn measure(&self) -> Option<&str> {
        self.0.measure.as_ref().map(Personal::read)
    }

    /// Where things stood at the start.
    async fn baseline(&self) -> Option<&str> {
        self.0.baseline.as_ref().map(Personal::read)
    }

    /// Where things should stand.
    async fn target(&self) -> Option<&str> {
        self.0.target.as_ref().map(Personal::read)
    }

    /// Where the goal stands.
    async fn status(&self) -> GoalStatus {
        self.0.status.0
    }

    /// Steps with every change: send it as `expectedVersion` where a goal is asked for.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Evidence of change, latest first, from every version of the plan that had this goal.
    async fn evidence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<ChangeEvidence>> {
        let read = selection::of_nodes(ctx, selection::EVIDENCE);
        let list = Listing::new(ctx, &self.0, |goal| goal.lineage_id, "Goal.evidence", first, after).reading(read);
        list.page(
            |row: &EvidenceRow| (row.core.observed_on, row.core.id),
            move |snapshot, ids, page| async move { progress::evidence_of(&snapshot, &ids, &page, read).await },
            |snapshot, ids| async move { progress::count_evidence_of(&snapshot, &ids).await },
        )
        .await
    }

    /// Who does what for it.
    async fn actions(&self, ctx: &Context<'_>) -> Answer<Vec<Action>> {
        let read = selection::of(ctx, selection::ACTION);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { plans::actions_of_goals(&snapshot, &ids, read).await };
        let found = self.0.many("actions", format!("{read:?}"), |goal| goal.id, load).await?;
        Ok(found.into_iter().map(Action).collect())
    }

    /// What parenting support workers were asked for with this goal in mind, latest first, at most 100.
    async fn support_requests(&self) -> Answer<Vec<SupportRequest>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { support::of_goals(&snapshot, &ids).await };
        let found = self.0.many("supportRequests", String::new(), |goal| goal.id, load).await?;
        Ok(found.into_iter().map(SupportRequest).collect())
    }

    /// The plan.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "plan", |goal| Some(goal.plan_id), read).await)
    }
}

record! {
    /// An action of a plan.
    Action(ActionShown)
}

/// An action of a plan, owned by a worker, somebody of the family, or an agency.
#[Object]
impl Action {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(ActionId::KIND, self.0.id)
    }

    /// What is to be done.
    async fn text(&self) -> &str {
        self.0.text.read()
    }

    /// Until when.
    async fn due_on(&self) -> Option<Date> {
        self.0.due_on.map(Date)
    }

    /// When it was done.
    async fn done_on(&self) -> Option<Date> {
        self.0.done_on.map(Date)
    }

    /// When it was given up without being done: left out of the plan, or the plan was over.
    async fn dropped_on(&self) -> Option<Date> {
        self.0.dropped_on.map(Date)
    }

    /// Steps with every change: send it as `expectedVersion` where an action is asked for.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What came of it.
    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_ref().map(Personal::read)
    }

    /// The worker who does it.
    async fn owner_worker(&self) -> Nullable<Worker> {
        nullable(worker::one_beside(&self.0, "ownerWorker", |one| one.owner_worker_id, ActionShown::owner).await)
    }

    /// The family member who does it.
    async fn owner_person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "ownerPerson", |action| action.owner_person_id, read).await)
    }

    /// The agency that does it.
    async fn owner_agency(&self) -> Option<&str> {
        self.0.owner_agency.as_ref().map(Personal::read)
    }

    /// The goal that it is for.
    async fn goal(&self) -> Nullable<Goal> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { plans::goals_by_ids(&snapshot, &ids).await };
        let found = self.0.one("goal", String::new(), |action| Some(action.goal_id), |goal: &GoalRow| goal.id, load);
        nullable(found.await.map(|goal| goal.map(Goal)))
    }

    /// The plan that it belongs to.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "plan", |action| Some(action.plan_id), read).await)
    }
}

record! {
    /// Somebody with whom a plan was shared.
    PlanShare(ShareRow)
}

/// Somebody with whom a version of a plan was shared.
#[Object]
impl PlanShare {
    /// The agency, when it was one.
    async fn agency_name(&self) -> Option<&str> {
        self.0.agency_name.as_ref().map(Personal::read)
    }

    /// When.
    async fn shared_on(&self) -> Date {
        Date(self.0.shared_on)
    }

    /// How.
    async fn method(&self) -> InvitationMethod {
        self.0.method.0
    }

    /// The person, when it was one.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "person", |one| one.person_id, read).await)
    }

    /// Who shared it.
    async fn shared_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "sharedBy", |one| Some(one.shared_by)).await)
    }

    /// The version that was shared.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "plan", |one| Some(one.plan_id), read).await)
    }
}

record! {
    /// Evidence of change.
    ChangeEvidence(EvidenceRow)
}

/// Evidence that what needs to change does change. Appended, never rewritten.
#[Object]
impl ChangeEvidence {
    /// When it was observed.
    async fn observed_on(&self) -> Date {
        Date(self.0.core.observed_on)
    }

    /// Where it comes from.
    async fn source(&self) -> EvidenceSource {
        self.0.core.source.0
    }

    /// How strong it is.
    async fn strength(&self) -> EvidenceStrength {
        self.0.core.strength.0
    }

    /// Since when the change has lasted, if it has.
    async fn sustained_since(&self) -> Option<Date> {
        self.0.core.sustained_since.map(Date)
    }

    /// What was seen. Narrative: read only when selected.
    async fn text(&self) -> Nullable<String> {
        nullable(self.0.text().map(|text| Some(text.to_owned())))
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.core.recorded_at)
    }

    /// Who recorded it.
    async fn recorded_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "recordedBy", |one| Some(one.core.recorded_by)).await)
    }

    /// The goal for which it was recorded.
    async fn goal(&self) -> Nullable<Goal> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { plans::goals_by_ids(&snapshot, &ids).await };
        let found = self.0.one("goal", String::new(), |one| Some(one.core.goal_id), |goal: &GoalRow| goal.id, load);
        nullable(found.await.map(|goal| goal.map(Goal)))
    }
}

record! {
    /// A review of a plan.
    PlanReview(ReviewRow)
}

/// A review of a plan: it went on.
#[Object]
impl PlanReview {
    /// When it was due.
    async fn due_on(&self) -> Option<Date> {
        self.0.due_on.map(Date)
    }

    /// When it was held.
    async fn held_on(&self) -> Date {
        Date(self.0.held_on)
    }

    /// How the child took part.
    async fn participation(&self) -> Option<Participation> {
        self.0.participation.map(|how| how.0)
    }

    /// What was decided.
    async fn decisions(&self) -> &[String] {
        self.0.decisions.read()
    }

    /// Whether the plan is to change: revise it then.
    async fn change_of_plan(&self) -> bool {
        self.0.change_of_plan
    }

    /// When the next one is due.
    async fn next_review_on(&self) -> Option<Date> {
        self.0.next_review_on.map(Date)
    }

    /// Who chaired it.
    async fn chair(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "chair", |one| one.chair_id).await)
    }

    /// The conference that reviewed a child protection plan.
    async fn conference(&self) -> Nullable<Conference> {
        nullable(conference::one(&self.0, "conference", |one| one.conference_id).await)
    }

    /// The plan.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "plan", |one| Some(one.plan_id), read).await)
    }
}

record! {
    /// An escalation of a plan.
    PlanEscalation(EscalationRow)
}

/// The agreed period for change passed without change, or the plan broke down; and what the unit chose.
#[Object]
impl PlanEscalation {
    /// When it was raised.
    async fn raised_at(&self) -> DateTime {
        DateTime(self.0.raised_at)
    }

    /// Why.
    async fn reason(&self) -> &str {
        self.0.reason.read()
    }

    /// What the unit chose; missing until it has.
    async fn choice(&self) -> Option<EscalationChoice> {
        self.0.choice.map(|choice| choice.0)
    }

    /// Why it chose that.
    async fn choice_reason(&self) -> Option<&str> {
        self.0.choice_reason.as_ref().map(Personal::read)
    }

    /// The new end of the agreed period, with EXTEND.
    async fn new_change_by(&self) -> Option<Date> {
        self.0.new_change_by.map(Date)
    }

    /// When it was chosen.
    async fn chosen_at(&self) -> Option<DateTime> {
        self.0.chosen_at.map(DateTime)
    }

    /// Who raised it; nobody when the clock did.
    async fn raised_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "raisedBy", |one| one.raised_by).await)
    }

    /// Who chose.
    async fn chosen_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "chosenBy", |one| one.chosen_by).await)
    }

    /// The plan.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "plan", |one| Some(one.plan_id), read).await)
    }
}
