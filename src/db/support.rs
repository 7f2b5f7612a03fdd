//! What parenting support workers are asked for.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Page, Personal, Placed, Snapshot, ViewerTx, failed, lateral,
    lateral::newest_first,
    plans::GoalRow,
    schema::{plan_goals, support_goals, support_requests},
};
use crate::{
    domain::codes::SupportStatus,
    error::{Error, Result},
};

/// What a parenting support worker is asked for.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = support_requests, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct SupportRow {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub worker_id: Uuid,
    pub asked_for: Personal<String>,
    pub status: Coded<SupportStatus>,
    pub requested_by: Uuid,
    pub requested_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
    pub reason: Option<Personal<String>>,
    pub involvement_id: Option<Uuid>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<Uuid>,
    pub outcome: Option<Personal<String>>,
    pub version: i32,
}

const OPEN: [&str; 2] = ["REQUESTED", "ACCEPTED"];

/// These requests.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<SupportRow>> {
    let query =
        support_requests::table.filter(support_requests::id.eq_any(ids.to_vec())).select(SupportRow::as_select());
    snapshot.load(query).await
}

macro_rules! of {
    ($(#[$doc:meta])* $page:ident, $(#[$count_doc:meta])* $count:ident, by $column:ident) => {
        $(#[$doc])*
        pub async fn $page(
            snapshot: &Snapshot,
            ids: &[Uuid],
            open: bool,
            page: &Page<(DateTime<Utc>, Uuid)>,
        ) -> Result<Vec<Placed<SupportRow>>> {
            let query = support_requests::table
                .filter(support_requests::$column.eq(lateral::parent_id()))
                .select(SupportRow::as_select());
            let mut query = newest_first!(query, page, support_requests::requested_at, support_requests::id);
            if open {
                query = query.filter(support_requests::status.eq_any(OPEN.to_vec()));
            }
            snapshot.load(lateral::for_each(ids, query)).await
        }

        $(#[$count_doc])*
        pub async fn $count(snapshot: &Snapshot, ids: &[Uuid], open: bool) -> Result<Vec<Placed<i64>>> {
            let query = support_requests::table.filter(support_requests::$column.eq(lateral::parent_id()));
            if open {
                let query = query.filter(support_requests::status.eq_any(OPEN.to_vec())).count();
                return snapshot.load(lateral::for_each(ids, query)).await;
            }
            snapshot.load(lateral::for_each(ids, query.count())).await
        }
    };
}
of! {
    /// A page of what was asked for in each of these cases, latest first.
    of_cases,
    /// How often support was asked for in each of these cases.
    count_of_cases, by case_id
}
of! {
    /// A page of what each of these workers was asked for, latest first.
    of_workers,
    /// How often each of these workers was asked.
    count_of_workers, by worker_id
}

/// The goals of plans that each of these requests is for, in their order.
pub async fn goals_of(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<GoalRow>>> {
    let query = plan_goals::table
        .inner_join(support_goals::table.on(support_goals::goal_id.eq(plan_goals::id)))
        .filter(support_goals::request_id.eq(lateral::parent_id()))
        .order(support_goals::position)
        .select(GoalRow::as_select());
    snapshot.load(lateral::for_each(ids, query)).await
}

/// What was asked for each of these goals, latest first.
pub async fn of_goals(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<SupportRow>>> {
    let query = support_requests::table
        .inner_join(support_goals::table.on(support_goals::request_id.eq(support_requests::id)))
        .filter(support_goals::goal_id.eq(lateral::parent_id()))
        .order((support_requests::requested_at.desc(), support_requests::id.desc()))
        .limit(super::MAX_FIRST)
        .select(SupportRow::as_select());
    snapshot.load(lateral::for_each(ids, query)).await
}

/// A new request.
#[derive(Insertable)]
#[diesel(table_name = support_requests)]
#[allow(missing_docs)]
pub struct NewSupport {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub worker_id: Uuid,
    pub asked_for: String,
    pub requested_by: Uuid,
    pub requested_at: DateTime<Utc>,
}

/// Asks for support of a family whose child is authorised for writing, for these goals.
pub async fn ask(tx: &ViewerTx, new: NewSupport, goals: &[Uuid]) -> Result<()> {
    let (id, child_id) = (new.id, new.child_id);
    tx.run(diesel::insert_into(support_requests::table).values(new)).await?;
    let rows: Vec<_> = (1..)
        .zip(goals)
        .map(|(position, goal)| {
            (
                support_goals::request_id.eq(id),
                support_goals::child_id.eq(child_id),
                support_goals::goal_id.eq(*goal),
                support_goals::position.eq(position),
            )
        })
        .collect();
    if !rows.is_empty() {
        diesel::insert_into(support_goals::table).values(rows).execute(&mut tx.conn()?).await.map_err(failed)?;
    }
    Ok(())
}

/// A request in sight, inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<SupportRow> {
    support_requests::table.find(id).select(SupportRow::as_select()).first(&mut tx.conn()?).await.map_err(failed)
}

/// Whether support that was asked for in a case is not over, inside a change; by a part in it, where one is named.
pub async fn is_open(tx: &ViewerTx, case_id: Uuid, involvement_id: Option<Uuid>) -> Result<bool> {
    let mut open = support_requests::table
        .filter(support_requests::case_id.eq(case_id))
        .filter(support_requests::status.eq_any(OPEN.to_vec()))
        .into_boxed();
    if let Some(part) = involvement_id {
        open = open.filter(support_requests::involvement_id.eq(part));
    }
    let counted: i64 = open.count().get_result(&mut tx.conn()?).await.map_err(failed)?;
    Ok(counted > 0)
}

/// What a change makes of a request. What is none stays as it is.
#[derive(AsChangeset, Default)]
#[diesel(table_name = support_requests)]
#[allow(missing_docs)]
pub struct SupportChange {
    pub version: i32,
    pub status: Option<Coded<SupportStatus>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
    pub involvement_id: Option<Uuid>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<Uuid>,
    pub outcome: Option<String>,
}

/// Changes a request about a child that is authorised for writing.
pub async fn change(tx: &ViewerTx, id: Uuid, change: SupportChange) -> Result<()> {
    let changed = tx.run(diesel::update(support_requests::table.find(id)).set(change)).await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}
