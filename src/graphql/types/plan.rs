use async_graphql::{Context, ID, Object};

use super::{Case, Child, Conference, Person, Worker, case, child, conference, worker};
use crate::{
    db::{
        Columns, plans,
        plans::{ActionRow, GoalRow, PlanRow},
    },
    domain::{
        codes::{AbuseCategory, GoalStatus, PlanKind, PlanStatus},
        ids::{ActionId, GoalId, PlanId},
    },
    error::Error,
    graphql::{
        batch::{Instant, Item},
        error::{Answer, Nullable, nullable},
        scalars::{Date, global},
        selection,
    },
};

record! {
    /// A plan.
    Plan(PlanRow)
}

/// A child in need plan or a child protection plan.
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

    /// Actions that are not done, soonest due first.
    async fn open_actions(
        &self,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
    ) -> Nullable<Vec<Action>> {
        nullable(
            async {
                let page = crate::db::Page::<()>::new(first, None)?;
                let load = move |snapshot: Instant, ids: Vec<_>| async move {
                    plans::open_actions_of(&snapshot, &ids, page.first).await
                };
                let found = self.0.many("openActions", page.first.to_string(), |plan| plan.core.id, load).await?;
                Ok::<_, Error>(Some(found.into_iter().map(Action).collect()))
            }
            .await,
        )
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
        &self.0.what_needs_to_change
    }

    /// Why.
    async fn why(&self) -> &str {
        &self.0.why
    }

    /// How change is measured.
    async fn measure(&self) -> Option<&str> {
        self.0.measure.as_deref()
    }

    /// Where things stood at the start.
    async fn baseline(&self) -> Option<&str> {
        self.0.baseline.as_deref()
    }

    /// Where things should stand.
    async fn target(&self) -> Option<&str> {
        self.0.target.as_deref()
    }

    /// Where the goal stands.
    async fn status(&self) -> GoalStatus {
        self.0.status.0
    }

    /// Who does what for it.
    async fn actions(&self) -> Answer<Vec<Action>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { plans::actions_of_goals(&snapshot, &ids).await };
        let found = self.0.many("actions", String::new(), |goal| goal.id, load).await?;
        Ok(found.into_iter().map(Action).collect())
    }

    /// The plan.
    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        nullable(one(&self.0, "plan", |goal| Some(goal.plan_id), read).await)
    }
}

record! {
    /// An action of a plan.
    Action(ActionRow)
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
        &self.0.text
    }

    /// Until when.
    async fn due_on(&self) -> Option<Date> {
        self.0.due_on.map(Date)
    }

    /// When it was done.
    async fn done_on(&self) -> Option<Date> {
        self.0.done_on.map(Date)
    }

    /// What came of it.
    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_deref()
    }

    /// The worker who does it.
    async fn owner_worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "ownerWorker", |action| action.owner_worker_id).await)
    }

    /// The family member who does it.
    async fn owner_person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "ownerPerson", |action| action.owner_person_id, read).await)
    }

    /// The agency that does it.
    async fn owner_agency(&self) -> Option<&str> {
        self.0.owner_agency.as_deref()
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
