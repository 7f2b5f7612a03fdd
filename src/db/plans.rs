//! Plans, their goals and actions.

use std::{collections::HashMap, ops::Deref};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx,
    columns::{choose, choose_whole},
    failed, lateral,
    lateral::latest_first,
    page::placed,
    schema::{plan_actions, plan_goals, plans},
    workers::{Beside, BesideRow, WorkerRow, beside},
};
use crate::{
    domain::{
        Code,
        codes::{AbuseCategory, GoalStatus, PermanenceRoute, PlanKind, PlanSection, PlanStatus},
        transfer::{Permanence, PlannedHome},
    },
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
    pub revision: i32,
    pub previous_id: Option<Uuid>,
    pub line_id: Uuid,
    pub shared_at: Option<DateTime<Utc>>,
    pub route: Option<Coded<PermanenceRoute>>,
    pub parallel_route: Option<Coded<PermanenceRoute>>,
    pub needs_assessed_on: Option<NaiveDate>,
    pub section_codes: Vec<Coded<PlanSection>>,
    pub version: i32,
}

/// A plan with what was selected of it.
#[derive(Clone, Debug)]
pub struct PlanRow {
    /// The core.
    pub core: PlanCore,
    read: Columns,
    overall_aim: Option<Personal<String>>,
    parent_view: Option<Personal<String>>,
    child_view: Option<Personal<String>>,
    sections: Option<Texts>,
}

/// The texts of sections.
type Texts = Personal<Vec<String>>;

/// The narrative group.
#[allow(missing_docs)]
impl PlanRow {
    pub fn overall_aim(&self) -> Result<&str> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.overall_aim.as_ref().map(Personal::read).unwrap_or_default())
    }
    pub fn parent_view(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.parent_view.as_ref().map(Personal::read))
    }
    pub fn child_view(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.child_view.as_ref().map(Personal::read))
    }
    /// The text of each section that was written; none for whoever does not see the child whole.
    pub fn sections(&self) -> Result<Vec<(PlanSection, &str)>> {
        self.read.check(Columns::SECTIONS)?;
        let texts = self.sections.as_ref().map(Personal::read).unwrap_or_default();
        Ok(self.core.section_codes.iter().map(|code| code.0).zip(texts.iter().map(String::as_str)).collect())
    }
}

type Raw = (PlanCore, Option<Personal<String>>, Option<Personal<String>>, Option<Personal<String>>, Option<Texts>);

fn row(read: Columns) -> impl Fn(Raw) -> PlanRow {
    move |(core, overall_aim, parent_view, child_view, sections)| PlanRow {
        core,
        read,
        overall_aim,
        parent_view,
        child_view,
        sections,
    }
}

macro_rules! columns {
    ($read:expr) => {{
        let wide = $read.has(Columns::NARRATIVE);
        (
            PlanCore::as_select(),
            choose(wide, plans::overall_aim.nullable(), "NULL"),
            choose(wide, plans::parent_view, "NULL"),
            choose(wide, plans::child_view, "NULL"),
            choose_whole(
                $read.has(Columns::SECTIONS),
                plans::section_texts.nullable(),
                "NULL::text[]",
                "plans.child_id",
            ),
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
    pub child_id: Uuid,
    pub position: i32,
    pub what_needs_to_change: Personal<String>,
    pub why: Personal<String>,
    pub measure: Option<Personal<String>>,
    pub baseline: Option<Personal<String>>,
    pub target: Option<Personal<String>>,
    pub status: Coded<GoalStatus>,
    pub lineage_id: Uuid,
    pub version: i32,
}

/// An action of a plan.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_actions, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ActionRow {
    pub id: Uuid,
    pub goal_id: Uuid,
    pub plan_id: Uuid,
    pub child_id: Uuid,
    pub text: Personal<String>,
    pub owner_worker_id: Option<Uuid>,
    pub owner_person_id: Option<Uuid>,
    pub owner_agency: Option<Personal<String>>,
    pub due_on: Option<NaiveDate>,
    pub done_on: Option<NaiveDate>,
    pub outcome: Option<Personal<String>>,
    pub dropped_on: Option<NaiveDate>,
    pub lineage_id: Uuid,
    pub version: i32,
}

/// An action with the worker who does it, when that was asked for.
#[derive(Clone, Debug)]
pub struct ActionShown {
    row: ActionRow,
    owner: Option<Option<WorkerRow>>,
}

impl ActionShown {
    /// The worker who does it, if that was read with it.
    pub fn owner(&self) -> Option<Option<&WorkerRow>> {
        self.owner.as_ref().map(Option::as_ref)
    }
}

impl Deref for ActionShown {
    type Target = ActionRow;
    fn deref(&self) -> &ActionRow {
        &self.row
    }
}

macro_rules! shown {
    ($read:expr) => {
        (ActionRow::as_select(), Beside { selected: $read.has(Columns::OWNER), key: "plan_actions.owner_worker_id" })
    };
}

fn shown(read: Columns) -> impl Fn((ActionRow, BesideRow)) -> ActionShown {
    move |(row, owner)| ActionShown { row, owner: read.has(Columns::OWNER).then(|| beside(owner)) }
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
    Ok(placed(rows, row(read)))
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
    Ok(placed(rows, row(read)))
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
        .order((plan_goals::position, plan_goals::id))
        .select(GoalRow::as_select());
    snapshot.load(lateral::for_each(plan_ids, query)).await
}

/// These goals.
pub async fn goals_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<GoalRow>> {
    snapshot.load(plan_goals::table.filter(plan_goals::id.eq_any(ids.to_vec())).select(GoalRow::as_select())).await
}

/// These actions.
pub async fn actions_by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<ActionShown>> {
    let query = plan_actions::table.filter(plan_actions::id.eq_any(ids.to_vec())).select(shown!(read));
    Ok(snapshot.load(query).await?.into_iter().map(shown(read)).collect())
}

/// The actions of each of these goals.
pub async fn actions_of_goals(
    snapshot: &Snapshot,
    goal_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<ActionShown>>> {
    let query = plan_actions::table
        .filter(plan_actions::goal_id.eq(lateral::parent_id()))
        .order((plan_actions::due_on.asc().nulls_last(), plan_actions::id))
        .select(shown!(read));
    Ok(placed(snapshot.load(lateral::for_each(goal_ids, query)).await?, shown(read)))
}

/// The first open actions of each of these plans, soonest due first.
pub async fn open_actions_of(
    snapshot: &Snapshot,
    plan_ids: &[Uuid],
    first: i64,
    read: Columns,
) -> Result<Vec<Placed<ActionShown>>> {
    let query = plan_actions::table
        .filter(plan_actions::plan_id.eq(lateral::parent_id()))
        .filter(plan_actions::done_on.is_null())
        .filter(plan_actions::dropped_on.is_null())
        .order((plan_actions::due_on.asc().nulls_last(), plan_actions::id.asc()))
        .limit(first)
        .select(shown!(read));
    Ok(placed(snapshot.load(lateral::for_each(plan_ids, query)).await?, shown(read)))
}

/// A page of the open actions of each of these workers by due date; those without one are not among them.
pub async fn due_of_workers(
    snapshot: &Snapshot,
    worker_ids: &[Uuid],
    due_by: Option<NaiveDate>,
    page: &Page<(NaiveDate, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<ActionShown>>> {
    // Of plans in force: not of drafts, nor of versions that were replaced.
    let in_force = plans::table
        .filter(plans::id.eq(plan_actions::plan_id))
        .filter(plans::status.eq_any(vec!["ACTIVE", "ESCALATED"]));
    let mut query = plan_actions::table
        .filter(plan_actions::owner_worker_id.eq(lateral::parent_id().nullable()))
        .filter(plan_actions::done_on.is_null())
        .filter(plan_actions::dropped_on.is_null())
        .filter(plan_actions::due_on.is_not_null())
        .filter(diesel::dsl::exists(in_force))
        .order((plan_actions::due_on.asc(), plan_actions::id.asc()))
        .limit(page.limit())
        .select(shown!(read))
        .into_boxed();
    if let Some(day) = due_by {
        query = query.filter(plan_actions::due_on.le(day));
    }
    if let Some((due, id)) = page.after {
        query =
            query.filter(plan_actions::due_on.gt(due).or(plan_actions::due_on.eq(due).and(plan_actions::id.gt(id))));
    }
    Ok(placed(snapshot.load(lateral::for_each(worker_ids, query)).await?, shown(read)))
}

/// How many open actions with a due date each of these workers has.
pub async fn count_due_of_workers(
    snapshot: &Snapshot,
    worker_ids: &[Uuid],
    due_by: Option<NaiveDate>,
) -> Result<Vec<Placed<i64>>> {
    let in_force = plans::table
        .filter(plans::id.eq(plan_actions::plan_id))
        .filter(plans::status.eq_any(vec!["ACTIVE", "ESCALATED"]));
    let mut query = plan_actions::table
        .filter(plan_actions::owner_worker_id.eq(lateral::parent_id().nullable()))
        .filter(plan_actions::done_on.is_null())
        .filter(plan_actions::dropped_on.is_null())
        .filter(plan_actions::due_on.is_not_null())
        .filter(diesel::dsl::exists(in_force))
        .select(diesel::dsl::count_star())
        .into_boxed();
    if let Some(day) = due_by {
        query = query.filter(plan_actions::due_on.le(day));
    }
    snapshot.load(lateral::for_each(worker_ids, query)).await
}

/// The plan in force of a case, of this kind or of one that is not in force beside it, inside a change.
pub async fn open_of_case(tx: &ViewerTx, case_id: Uuid, kind: PlanKind) -> Result<Option<PlanCore>> {
    plans::table
        .filter(plans::case_id.eq(case_id))
        .filter(plans::status.eq_any(vec!["ACTIVE", "ESCALATED"]))
        .filter(plans::kind.eq_any(coded(kind.one_of())))
        .select(PlanCore::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

fn coded(kinds: &[PlanKind]) -> Vec<Coded<PlanKind>> {
    kinds.iter().copied().map(Coded).collect()
}

/// Whether a plan of any kind is in force in a case, inside a change.
pub async fn is_open(tx: &ViewerTx, case_id: Uuid) -> Result<bool> {
    let open =
        plans::table.filter(plans::case_id.eq(case_id)).filter(plans::status.eq_any(vec!["ACTIVE", "ESCALATED"]));
    diesel::select(diesel::dsl::exists(open)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// A plan in force about where a child is to grow up.
#[derive(QueryableByName)]
struct PlannedHomeRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    kind: Coded<PlanKind>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    route: Option<Coded<PermanenceRoute>>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    parallel_route: Option<Coded<PermanenceRoute>>,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    reversed: bool,
}

/// What is in force about where the child of a case is to grow up, inside a change; for whoever sees the case, and not its
/// plans, too.
pub async fn permanence(tx: &ViewerTx, case_id: Uuid) -> Result<Permanence> {
    let query = diesel::sql_query("SELECT * FROM hearth.permanence_of($1)").bind::<diesel::sql_types::Uuid, _>(case_id);
    let found: Vec<PlannedHomeRow> = query.load(&mut tx.conn()?).await.map_err(failed)?;
    let homes: Vec<PlannedHome> = found
        .into_iter()
        .map(|row| PlannedHome {
            kind: row.kind.0,
            route: row.route.map(|route| route.0),
            parallel_route: row.parallel_route.map(|route| route.0),
            reversed: row.reversed,
        })
        .collect();
    Ok(Permanence::of(&homes))
}

/// The plans of a case that sought change and were agreed, of each line the last version, the latest first, inside a change.
pub async fn that_sought_change(tx: &ViewerTx, case_id: Uuid) -> Result<Vec<PlanCore>> {
    let kinds: Vec<PlanKind> =
        PlanKind::ALL.iter().map(|(kind, ..)| *kind).filter(|kind| kind.seeks_change()).collect();
    plans::table
        .filter(plans::case_id.eq(case_id))
        .filter(plans::kind.eq_any(coded(&kinds)))
        .filter(plans::status.eq_any(vec!["ACTIVE", "ESCALATED", "ENDED"]))
        .order((plans::start_on.desc(), plans::id.desc()))
        .select(PlanCore::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Whether a case has or had a child protection plan.
pub async fn had_protection(tx: &ViewerTx, case_id: Uuid) -> Result<bool> {
    let had = plans::table.filter(plans::case_id.eq(case_id)).filter(plans::kind.eq("CHILD_PROTECTION"));
    diesel::select(diesel::dsl::exists(had)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// How many child protection plans the child has had.
pub async fn previous_protection_plans(tx: &ViewerTx, child_id: Uuid) -> Result<i64> {
    plans::table
        .filter(plans::child_id.eq(child_id))
        .filter(plans::kind.eq("CHILD_PROTECTION"))
        // A version is no further plan.
        .filter(plans::revision.eq(1))
        .filter(plans::status.ne("DRAFT"))
        .count()
        .get_result(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// The drafts of a case inside a change.
pub async fn drafts_of_case(tx: &ViewerTx, case_id: Uuid) -> Result<Vec<PlanCore>> {
    plans::table
        .filter(plans::case_id.eq(case_id))
        .filter(plans::status.eq("DRAFT"))
        .order(plans::id)
        .select(PlanCore::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// The draft of a line of versions inside a change.
pub async fn draft_of_line(tx: &ViewerTx, line_id: Uuid) -> Result<Option<PlanCore>> {
    plans::table
        .filter(plans::line_id.eq(line_id))
        .filter(plans::status.eq(Coded(PlanStatus::Draft)))
        .select(PlanCore::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
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
    pub agreed_change_by: Option<NaiveDate>,
    pub parent_view: Option<String>,
    pub child_view: Option<String>,
    pub revision: i32,
    pub previous_id: Option<Uuid>,
    pub root_id: Option<Uuid>,
    #[diesel(embed)]
    pub particulars: Particulars,
}

/// What a plan says beside its goals, as its kind asks.
#[derive(Clone, Default, Insertable, AsChangeset, Queryable, Selectable)]
#[diesel(table_name = plans, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct Particulars {
    pub section_codes: Vec<Coded<PlanSection>>,
    /// One for each code.
    pub section_texts: Vec<String>,
    pub route: Option<Coded<PermanenceRoute>>,
    pub parallel_route: Option<Coded<PermanenceRoute>>,
    pub needs_assessed_on: Option<NaiveDate>,
}

/// What a plan says beside its goals, inside a change.
pub async fn particulars(tx: &ViewerTx, id: Uuid) -> Result<Particulars> {
    plans::table.find(id).select(Particulars::as_select()).first(&mut tx.conn()?).await.map_err(failed)
}

/// Changes what a draft says beside its goals.
pub async fn write_particulars(tx: &ViewerTx, id: Uuid, particulars: Particulars) -> Result<()> {
    tx.run(diesel::update(plans::table.find(id)).set(particulars)).await?;
    Ok(())
}

/// Writes a plan.
pub async fn insert(tx: &ViewerTx, new: NewPlan) -> Result<()> {
    tx.run(diesel::insert_into(plans::table).values(new)).await?;
    Ok(())
}

/// What a change makes of a plan. What is none stays as it is.
#[derive(AsChangeset, Default)]
#[diesel(table_name = plans)]
#[allow(missing_docs)]
pub struct PlanUpdate {
    pub version: i32,
    pub status: Option<Coded<PlanStatus>>,
    pub start_on: Option<NaiveDate>,
    pub end_on: Option<NaiveDate>,
    pub end_reason: Option<String>,
    pub overall_aim: Option<String>,
    pub agreed_change_by: Option<Option<NaiveDate>>,
    pub review_due_on: Option<Option<NaiveDate>>,
    pub parent_view: Option<Option<String>>,
    pub child_view: Option<Option<String>>,
    pub shared_at: Option<DateTime<Utc>>,
    pub extends_period: Option<bool>,
}

/// Changes a plan.
pub async fn update(tx: &ViewerTx, id: Uuid, update: PlanUpdate) -> Result<()> {
    let changed = tx.run(diesel::update(plans::table.find(id)).set(update)).await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Ends a plan in force: what is open of its actions is given up. Returns its new version.
pub async fn end(tx: &ViewerTx, plan: &PlanCore, on: NaiveDate, reason: Option<String>) -> Result<i32> {
    close(tx, plan, PlanStatus::Ended, on, reason).await
}

/// Takes a plan or a draft out of force because a later version takes its place. Returns its new version.
pub async fn supersede(tx: &ViewerTx, plan: &PlanCore, on: NaiveDate) -> Result<i32> {
    close(tx, plan, PlanStatus::Superseded, on, None).await
}

async fn close(
    tx: &ViewerTx,
    plan: &PlanCore,
    status: PlanStatus,
    on: NaiveDate,
    reason: Option<String>,
) -> Result<i32> {
    let version = plan.version + 1;
    tx.run(
        diesel::update(
            plan_actions::table
                .filter(plan_actions::plan_id.eq(plan.id))
                .filter(plan_actions::done_on.is_null())
                .filter(plan_actions::dropped_on.is_null()),
        )
        .set((plan_actions::dropped_on.eq(on), plan_actions::version.eq(plan_actions::version + 1))),
    )
    .await?;
    let change = PlanUpdate {
        version,
        status: Some(Coded(status)),
        end_on: Some(on),
        end_reason: reason,
        ..PlanUpdate::default()
    };
    update(tx, plan.id, change).await?;
    Ok(version)
}

/// A plan goes on after a review conference.
pub async fn reviewed(tx: &ViewerTx, plan: &PlanCore, review_due_on: Option<NaiveDate>) -> Result<i32> {
    let version = plan.version + 1;
    update(tx, plan.id, PlanUpdate { version, review_due_on: Some(review_due_on), ..PlanUpdate::default() }).await?;
    Ok(version)
}

/// A plan inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<Option<PlanCore>> {
    plans::table.find(id).select(PlanCore::as_select()).first(&mut tx.conn()?).await.optional().map_err(failed)
}

/// What a plan says, inside a change: aim, the parents' view, the child's view.
pub async fn narrative(tx: &ViewerTx, id: Uuid) -> Result<(String, Option<String>, Option<String>)> {
    plans::table
        .find(id)
        .select((plans::overall_aim, plans::parent_view, plans::child_view))
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// A plan's goals that were not dropped, in their order, inside a change.
pub async fn goals(tx: &ViewerTx, plan_id: Uuid) -> Result<Vec<GoalRow>> {
    plan_goals::table
        .filter(plan_goals::plan_id.eq(plan_id))
        .filter(plan_goals::status.ne(Coded(GoalStatus::Dropped)))
        .order((plan_goals::position, plan_goals::id))
        .select(GoalRow::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Where each goal of a plan stands, by its lineage; dropped ones among them, inside a change.
pub async fn standings(tx: &ViewerTx, plan_id: Uuid) -> Result<HashMap<Uuid, GoalStatus>> {
    let found: Vec<(Uuid, Coded<GoalStatus>)> = plan_goals::table
        .filter(plan_goals::plan_id.eq(plan_id))
        .select((plan_goals::lineage_id, plan_goals::status))
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(found.into_iter().map(|(lineage, status)| (lineage, status.0)).collect())
}

/// A plan's actions that were neither done nor dropped, inside a change.
pub async fn open_actions(tx: &ViewerTx, plan_id: Uuid) -> Result<Vec<ActionRow>> {
    plan_actions::table
        .filter(plan_actions::plan_id.eq(plan_id))
        .filter(plan_actions::done_on.is_null())
        .filter(plan_actions::dropped_on.is_null())
        .order(plan_actions::id)
        .select(ActionRow::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// A goal inside a change.
pub async fn goal(tx: &ViewerTx, id: Uuid) -> Result<Option<GoalRow>> {
    plan_goals::table.find(id).select(GoalRow::as_select()).first(&mut tx.conn()?).await.optional().map_err(failed)
}

/// An action inside a change.
pub async fn action(tx: &ViewerTx, id: Uuid) -> Result<Option<ActionRow>> {
    plan_actions::table.find(id).select(ActionRow::as_select()).first(&mut tx.conn()?).await.optional().map_err(failed)
}

/// A new goal.
#[derive(Insertable)]
#[diesel(table_name = plan_goals)]
#[allow(missing_docs)]
pub struct NewGoal {
    pub id: Uuid,
    pub plan_id: Uuid,
    pub child_id: Uuid,
    pub position: i32,
    pub what_needs_to_change: String,
    pub why: String,
    pub measure: Option<String>,
    pub baseline: Option<String>,
    pub target: Option<String>,
    pub status: Coded<GoalStatus>,
    pub root_id: Option<Uuid>,
}

/// A new action.
#[derive(Insertable)]
#[diesel(table_name = plan_actions)]
#[allow(missing_docs)]
pub struct NewAction {
    pub id: Uuid,
    pub goal_id: Uuid,
    pub plan_id: Uuid,
    pub child_id: Uuid,
    pub text: String,
    pub owner_worker_id: Option<Uuid>,
    pub owner_person_id: Option<Uuid>,
    pub owner_agency: Option<String>,
    pub due_on: Option<NaiveDate>,
    pub root_id: Option<Uuid>,
}

/// Writes goals.
pub async fn insert_goals(tx: &ViewerTx, new: Vec<NewGoal>) -> Result<()> {
    diesel::insert_into(plan_goals::table).values(new).execute(&mut tx.conn()?).await.map_err(failed)?;
    Ok(())
}

/// Writes actions.
pub async fn insert_actions(tx: &ViewerTx, new: Vec<NewAction>) -> Result<()> {
    diesel::insert_into(plan_actions::table).values(new).execute(&mut tx.conn()?).await.map_err(failed)?;
    Ok(())
}

/// What a draft's goal says now.
#[derive(AsChangeset)]
#[diesel(table_name = plan_goals, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct GoalContent {
    pub position: i32,
    pub what_needs_to_change: String,
    pub why: String,
    pub measure: Option<String>,
    pub baseline: Option<String>,
    pub target: Option<String>,
    pub version: i32,
}

/// What a draft's action says now.
#[derive(AsChangeset)]
#[diesel(table_name = plan_actions, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct ActionContent {
    pub text: String,
    pub owner_worker_id: Option<Uuid>,
    pub owner_person_id: Option<Uuid>,
    pub owner_agency: Option<String>,
    pub due_on: Option<NaiveDate>,
    pub version: i32,
}

/// Makes room for a new order: places below zero are nobody's.
pub async fn unplace_goals(tx: &ViewerTx, plan_id: Uuid) -> Result<()> {
    tx.run(
        diesel::update(
            plan_goals::table
                .filter(plan_goals::plan_id.eq(plan_id))
                .filter(plan_goals::status.ne(Coded(GoalStatus::Dropped))),
        )
        .set(plan_goals::position.eq(plan_goals::position * -1 - 1)),
    )
    .await?;
    Ok(())
}

/// Changes what a draft's goal says.
pub async fn rewrite_goal(tx: &ViewerTx, id: Uuid, content: GoalContent) -> Result<()> {
    tx.run(diesel::update(plan_goals::table.find(id)).set(content)).await?;
    Ok(())
}

/// Changes what a draft's action says.
pub async fn rewrite_action(tx: &ViewerTx, id: Uuid, content: ActionContent) -> Result<()> {
    tx.run(diesel::update(plan_actions::table.find(id)).set(content)).await?;
    Ok(())
}

/// Settles where a goal stands.
pub async fn settle_goal(tx: &ViewerTx, goal: &GoalRow, status: GoalStatus) -> Result<i32> {
    let version = goal.version + 1;
    tx.run(
        diesel::update(plan_goals::table.find(goal.id))
            .set((plan_goals::status.eq(Coded(status)), plan_goals::version.eq(version))),
    )
    .await?;
    Ok(version)
}

/// An action was done.
pub async fn done(tx: &ViewerTx, action: &ActionRow, on: NaiveDate, outcome: Option<String>) -> Result<i32> {
    let version = action.version + 1;
    tx.run(diesel::update(plan_actions::table.find(action.id)).set((
        plan_actions::done_on.eq(on),
        plan_actions::outcome.eq(outcome),
        plan_actions::version.eq(version),
    )))
    .await?;
    Ok(version)
}

/// Gives an action up.
pub async fn drop_action(tx: &ViewerTx, action: &ActionRow, on: NaiveDate) -> Result<()> {
    tx.run(
        diesel::update(plan_actions::table.find(action.id))
            .set((plan_actions::dropped_on.eq(on), plan_actions::version.eq(action.version + 1))),
    )
    .await?;
    Ok(())
}

/// The versions that revise each of these plans, latest first: at most the next one and drafts that it replaced.
pub async fn next_of(snapshot: &Snapshot, plan_ids: &[Uuid], read: Columns) -> Result<Vec<Placed<PlanRow>>> {
    let query = plans::table
        .filter(plans::previous_id.eq(lateral::parent_id().nullable()))
        .order((plans::revision.desc(), plans::id.desc()))
        .select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(plan_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// Actions of a plan that are done, and since when.
pub async fn done_actions(tx: &ViewerTx, plan_id: Uuid) -> Result<Vec<(ActionRow, NaiveDate)>> {
    let found: Vec<ActionRow> = plan_actions::table
        .filter(plan_actions::plan_id.eq(plan_id))
        .filter(plan_actions::done_on.is_not_null())
        .order(plan_actions::id)
        .select(ActionRow::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(found.into_iter().filter_map(|action| action.done_on.map(|on| (action, on))).collect())
}

/// The last day of the plans of a case that are over, of this kind or one that is not in force beside it, inside a change:
/// they never overlap.
pub async fn last_end(tx: &ViewerTx, case_id: Uuid, kind: PlanKind) -> Result<Option<NaiveDate>> {
    plans::table
        .filter(plans::case_id.eq(case_id))
        .filter(plans::kind.eq_any(coded(kind.one_of())))
        .filter(plans::start_on.is_not_null())
        .select(diesel::dsl::max(plans::end_on))
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// The last day of the versions of a plan that a later one replaced, inside a change.
pub async fn last_replaced(tx: &ViewerTx, line_id: Uuid) -> Result<Option<NaiveDate>> {
    plans::table
        .filter(plans::line_id.eq(line_id))
        .filter(plans::status.eq("SUPERSEDED"))
        .filter(plans::start_on.is_not_null())
        .select(diesel::dsl::max(plans::end_on))
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// The plan of a goal.
pub async fn of_goal(snapshot: &Snapshot, goal_id: Uuid, read: Columns) -> Result<Vec<PlanRow>> {
    let of_goal = plan_goals::table.filter(plan_goals::id.eq(goal_id)).select(plan_goals::plan_id);
    let query = plans::table.filter(plans::id.eq_any(of_goal)).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// The plan of an action.
pub async fn of_action(snapshot: &Snapshot, action_id: Uuid, read: Columns) -> Result<Vec<PlanRow>> {
    let of_action = plan_actions::table.filter(plan_actions::id.eq(action_id)).select(plan_actions::plan_id);
    let query = plans::table.filter(plans::id.eq_any(of_action)).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// A page of all plans of each of these cases, latest first.
pub async fn of_cases(
    snapshot: &Snapshot,
    case_ids: &[Uuid],
    page: &Page<Uuid>,
    read: Columns,
) -> Result<Vec<Placed<PlanRow>>> {
    let query = plans::table.filter(plans::case_id.eq(lateral::parent_id())).select(columns!(read));
    let query = latest_first!(query, page, plans::id);
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(case_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// How many plans each of these cases has had.
pub async fn count_of_cases(snapshot: &Snapshot, case_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = plans::table.filter(plans::case_id.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(case_ids, query)).await
}

/// The plans that each of these conferences made.
pub async fn of_conferences(
    snapshot: &Snapshot,
    conference_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<PlanRow>>> {
    let query = plans::table
        .filter(plans::conference_id.eq(lateral::parent_id().nullable()))
        .order(plans::id)
        .select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(conference_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

macro_rules! owned {
    ($(#[$doc:meta])* $page:ident, $(#[$count_doc:meta])* $count:ident, by $column:ident) => {
        $(#[$doc])*
        pub async fn $page(
            snapshot: &Snapshot,
            ids: &[Uuid],
            open: bool,
            page: &Page<Uuid>,
            read: Columns,
        ) -> Result<Vec<Placed<ActionShown>>> {
            let query = plan_actions::table
                .filter(plan_actions::$column.eq(lateral::parent_id().nullable()))
                .select(shown!(read));
            let mut query = latest_first!(query, page, plan_actions::id);
            if open {
                query = query.filter(plan_actions::done_on.is_null()).filter(plan_actions::dropped_on.is_null());
            }
            Ok(placed(snapshot.load(lateral::for_each(ids, query)).await?, shown(read)))
        }

        $(#[$count_doc])*
        pub async fn $count(snapshot: &Snapshot, ids: &[Uuid], open: bool) -> Result<Vec<Placed<i64>>> {
            let mut query = plan_actions::table
                .filter(plan_actions::$column.eq(lateral::parent_id().nullable()))
                .select(diesel::dsl::count_star())
                .into_boxed();
            if open {
                query = query.filter(plan_actions::done_on.is_null()).filter(plan_actions::dropped_on.is_null());
            }
            snapshot.load(lateral::for_each(ids, query)).await
        }
    };
}

owned! {
    /// A page of the actions of each of these workers, latest first; only those that are neither done nor dropped
    /// when `open`.
    owned_by_workers,
    /// How many actions each of these workers has or had.
    count_owned_by_workers, by owner_worker_id
}
owned! {
    /// A page of the actions of each of these people, latest first; only those that are neither done nor dropped
    /// when `open`.
    owned_by_persons,
    /// How many actions each of these people has or had.
    count_owned_by_persons, by owner_person_id
}
