//! Plans, their goals and actions.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Placed, Snapshot, ViewerTx,
    columns::choose,
    failed, lateral,
    schema::{plan_actions, plan_goals, plans},
};
use crate::{
    domain::codes::{AbuseCategory, GoalStatus, PlanKind, PlanStatus},
    error::{Error, Result},
};

/// The core of a plan.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plans, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct PlanCore {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub kind: Coded<PlanKind>,
    pub status: Coded<PlanStatus>,
    pub start_on: Option<NaiveDate>,
    pub end_on: Option<NaiveDate>,
    pub agreed_change_by: Option<NaiveDate>,
    pub review_due_on: Option<NaiveDate>,
    pub conference_id: Option<Uuid>,
    pub initial_category: Option<Coded<AbuseCategory>>,
    pub latest_category: Option<Coded<AbuseCategory>>,
    pub number_of_previous_cpps: Option<i32>,
    pub version: i32,
}

/// A plan with what was selected of it.
#[derive(Clone, Debug)]
pub struct PlanRow {
    /// The core.
    pub core: PlanCore,
    read: Columns,
    overall_aim: Option<String>,
    parent_view: Option<String>,
    child_view: Option<String>,
}

/// The narrative group.
#[allow(missing_docs)]
impl PlanRow {
    pub fn overall_aim(&self) -> Result<&str> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.overall_aim.as_deref().unwrap_or_default())
    }
    pub fn parent_view(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.parent_view.as_deref())
    }
    pub fn child_view(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.child_view.as_deref())
    }
}

type Raw = (PlanCore, Option<String>, Option<String>, Option<String>);

fn row(read: Columns) -> impl Fn(Raw) -> PlanRow {
    move |(core, overall_aim, parent_view, child_view)| PlanRow { core, read, overall_aim, parent_view, child_view }
}

macro_rules! columns {
    ($read:expr) => {{
        let wide = $read.has(Columns::NARRATIVE);
        (
            PlanCore::as_select(),
            choose(wide, plans::overall_aim.nullable(), "NULL"),
            choose(wide, plans::parent_view, "NULL"),
            choose(wide, plans::child_view, "NULL"),
        )
    }};
}

/// A goal of a plan.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_goals, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct GoalRow {
    pub id: Uuid,
    pub plan_id: Uuid,
    pub position: i32,
    pub what_needs_to_change: String,
    pub why: String,
    pub measure: Option<String>,
    pub baseline: Option<String>,
    pub target: Option<String>,
    pub status: Coded<GoalStatus>,
}

/// An action of a plan.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_actions, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ActionRow {
    pub id: Uuid,
    pub goal_id: Uuid,
    pub plan_id: Uuid,
    pub text: String,
    pub owner_worker_id: Option<Uuid>,
    pub owner_person_id: Option<Uuid>,
    pub owner_agency: Option<String>,
    pub due_on: Option<NaiveDate>,
    pub done_on: Option<NaiveDate>,
    pub outcome: Option<String>,
}

/// These plans.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<PlanRow>> {
    let query = plans::table.filter(plans::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// The plans in force (active or escalated) of each of these cases.
pub async fn current_of_cases(snapshot: &Snapshot, case_ids: &[Uuid], read: Columns) -> Result<Vec<Placed<PlanRow>>> {
    let query = plans::table
        .filter(plans::case_id.eq(lateral::parent_id()))
        .filter(plans::status.eq_any(vec!["ACTIVE", "ESCALATED"]))
        .order(plans::id)
        .select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(case_ids, query)).await?;
    Ok(rows.into_iter().map(|(at, raw)| (at, row(read)(raw))).collect())
}

/// A page of all plans of each of these children, latest first.
pub async fn of_children(
    snapshot: &Snapshot,
    child_ids: &[Uuid],
    page: &Page<Uuid>,
    read: Columns,
) -> Result<Vec<Placed<PlanRow>>> {
    let mut query = plans::table
        .filter(plans::child_id.eq(lateral::parent_id()))
        .order(plans::id.desc())
        .limit(page.limit())
        .select(columns!(read))
        .into_boxed();
    if let Some(id) = page.after {
        query = query.filter(plans::id.lt(id));
    }
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(child_ids, query)).await?;
    Ok(rows.into_iter().map(|(at, raw)| (at, row(read)(raw))).collect())
}

/// How many plans each of these children has had.
pub async fn count_of_children(snapshot: &Snapshot, child_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = plans::table.filter(plans::child_id.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(child_ids, query)).await
}

/// The goals of each of these plans.
pub async fn goals_of(snapshot: &Snapshot, plan_ids: &[Uuid]) -> Result<Vec<Placed<GoalRow>>> {
    let query = plan_goals::table
        .filter(plan_goals::plan_id.eq(lateral::parent_id()))
        .order(plan_goals::position)
        .select(GoalRow::as_select());
    snapshot.load(lateral::for_each(plan_ids, query)).await
}

/// These goals.
pub async fn goals_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<GoalRow>> {
    snapshot.load(plan_goals::table.filter(plan_goals::id.eq_any(ids.to_vec())).select(GoalRow::as_select())).await
}

/// These actions.
pub async fn actions_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<ActionRow>> {
    snapshot
        .load(plan_actions::table.filter(plan_actions::id.eq_any(ids.to_vec())).select(ActionRow::as_select()))
        .await
}

/// The actions of each of these goals.
pub async fn actions_of_goals(snapshot: &Snapshot, goal_ids: &[Uuid]) -> Result<Vec<Placed<ActionRow>>> {
    let query = plan_actions::table
        .filter(plan_actions::goal_id.eq(lateral::parent_id()))
        .order((plan_actions::due_on.asc().nulls_last(), plan_actions::id))
        .select(ActionRow::as_select());
    snapshot.load(lateral::for_each(goal_ids, query)).await
}

/// The first open actions of each of these plans, soonest due first.
pub async fn open_actions_of(snapshot: &Snapshot, plan_ids: &[Uuid], first: i64) -> Result<Vec<Placed<ActionRow>>> {
    let query = plan_actions::table
        .filter(plan_actions::plan_id.eq(lateral::parent_id()))
        .filter(plan_actions::done_on.is_null())
        .order((plan_actions::due_on.asc().nulls_last(), plan_actions::id.asc()))
        .limit(first)
        .select(ActionRow::as_select());
    snapshot.load(lateral::for_each(plan_ids, query)).await
}

/// A page of the open actions of each of these workers by due date; those without one are not among them.
pub async fn due_of_workers(
    snapshot: &Snapshot,
    worker_ids: &[Uuid],
    due_by: Option<NaiveDate>,
    page: &Page<(NaiveDate, Uuid)>,
) -> Result<Vec<Placed<ActionRow>>> {
    let mut query = plan_actions::table
        .filter(plan_actions::owner_worker_id.eq(lateral::parent_id().nullable()))
        .filter(plan_actions::done_on.is_null())
        .filter(plan_actions::due_on.is_not_null())
        .order((plan_actions::due_on.asc(), plan_actions::id.asc()))
        .limit(page.limit())
        .select(ActionRow::as_select())
        .into_boxed();
    if let Some(day) = due_by {
        query = query.filter(plan_actions::due_on.le(day));
    }
    if let Some((due, id)) = page.after {
        query =
            query.filter(plan_actions::due_on.gt(due).or(plan_actions::due_on.eq(due).and(plan_actions::id.gt(id))));
    }
    snapshot.load(lateral::for_each(worker_ids, query)).await
}

/// How many open actions with a due date each of these workers has.
pub async fn count_due_of_workers(
    snapshot: &Snapshot,
    worker_ids: &[Uuid],
    due_by: Option<NaiveDate>,
) -> Result<Vec<Placed<i64>>> {
    let mut query = plan_actions::table
        .filter(plan_actions::owner_worker_id.eq(lateral::parent_id().nullable()))
        .filter(plan_actions::done_on.is_null())
        .filter(plan_actions::due_on.is_not_null())
        .select(diesel::dsl::count_star())
        .into_boxed();
    if let Some(day) = due_by {
        query = query.filter(plan_actions::due_on.le(day));
    }
    snapshot.load(lateral::for_each(worker_ids, query)).await
}

/// The plan in force of a case inside a change.
pub async fn open_of_case(tx: &mut ViewerTx, case_id: Uuid) -> Result<Option<PlanCore>> {
    plans::table
        .filter(plans::case_id.eq(case_id))
        .filter(plans::status.eq_any(vec!["ACTIVE", "ESCALATED"]))
        .select(PlanCore::as_select())
        .first(tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// How many child protection plans the child has had.
pub async fn previous_protection_plans(tx: &mut ViewerTx, child_id: Uuid) -> Result<i64> {
    plans::table
        .filter(plans::child_id.eq(child_id))
        .filter(plans::kind.eq("CHILD_PROTECTION"))
        .filter(plans::status.ne("DRAFT"))
        .count()
        .get_result(tx.conn()?)
        .await
        .map_err(failed)
}

/// A new plan.
#[derive(Insertable)]
#[diesel(table_name = plans)]
#[allow(missing_docs)]
pub struct NewPlan {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub kind: Coded<PlanKind>,
    pub status: Coded<PlanStatus>,
    pub start_on: Option<NaiveDate>,
    pub overall_aim: String,
    pub review_due_on: Option<NaiveDate>,
    pub conference_id: Option<Uuid>,
    pub initial_category: Option<Coded<AbuseCategory>>,
    pub latest_category: Option<Coded<AbuseCategory>>,
    pub number_of_previous_cpps: Option<i32>,
}

/// Writes a plan.
pub async fn insert(tx: &mut ViewerTx, new: NewPlan) -> Result<()> {
    diesel::insert_into(plans::table).values(new).execute(tx.conn()?).await.map_err(failed)?;
    Ok(())
}

/// Ends a plan in force.
pub async fn end(tx: &mut ViewerTx, plan: &PlanCore, on: NaiveDate) -> Result<i32> {
    let version = plan.version + 1;
    let ended = diesel::update(plans::table.find(plan.id))
        .set((plans::status.eq(Coded(PlanStatus::Ended)), plans::end_on.eq(on), plans::version.eq(version)))
        .execute(tx.conn()?)
        .await
        .map_err(failed)?;
    if ended == 1 { Ok(version) } else { Err(Error::NotFound) }
}

/// A plan goes on after a review conference.
pub async fn reviewed(tx: &mut ViewerTx, plan: &PlanCore, review_due_on: Option<NaiveDate>) -> Result<i32> {
    let version = plan.version + 1;
    diesel::update(plans::table.find(plan.id))
        .set((plans::review_due_on.eq(review_due_on), plans::version.eq(version)))
        .execute(tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(version)
}
