//! Workers' named parts in cases.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Page, Placed, Snapshot, ViewerTx, failed, lateral,
    schema::{allocations, unit_memberships, worker_involvements},
    units::runs,
};
use crate::{
    domain::codes::{Capacity, ChangeReason},
    error::{Error, Result},
};

/// A worker's named part in a case.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = worker_involvements, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct InvolvementRow {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub worker_id: Uuid,
    pub capacity: Coded<Capacity>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub change_reason: Option<Coded<ChangeReason>>,
    pub version: i32,
}

/// These involvements.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<InvolvementRow>> {
    let query = worker_involvements::table
        .filter(worker_involvements::id.eq_any(ids.to_vec()))
        .select(InvolvementRow::as_select());
    snapshot.load(query).await
}

/// The running involvements of each of these cases.
pub async fn current_of_cases(snapshot: &Snapshot, case_ids: &[Uuid]) -> Result<Vec<Placed<InvolvementRow>>> {
    let query = worker_involvements::table
        .filter(worker_involvements::case_id.eq(lateral::parent_id()))
        .filter(worker_involvements::ended_at.is_null())
        .order((worker_involvements::started_at, worker_involvements::id))
        .select(InvolvementRow::as_select());
    snapshot.load(lateral::for_each(case_ids, query)).await
}

/// The lead practitioner of each of these cases.
pub async fn lead_of_cases(snapshot: &Snapshot, case_ids: &[Uuid]) -> Result<Vec<Placed<InvolvementRow>>> {
    let query = worker_involvements::table
        .filter(worker_involvements::case_id.eq(lateral::parent_id()))
        .filter(worker_involvements::capacity.eq("LEAD_PRACTITIONER"))
        .filter(worker_involvements::ended_at.is_null())
        .limit(1)
        .select(InvolvementRow::as_select());
    snapshot.load(lateral::for_each(case_ids, query)).await
}

/// A page of the running involvements of each of these workers, newest first.
pub async fn of_workers(
    snapshot: &Snapshot,
    worker_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<Placed<InvolvementRow>>> {
    let mut query = worker_involvements::table
        .filter(worker_involvements::worker_id.eq(lateral::parent_id()))
        .filter(worker_involvements::ended_at.is_null())
        .order((worker_involvements::started_at.desc(), worker_involvements::id.asc()))
        .limit(page.limit())
        .select(InvolvementRow::as_select())
        .into_boxed();
    if let Some((started, id)) = page.after {
        query = query.filter(
            worker_involvements::started_at
                .lt(started)
                .or(worker_involvements::started_at.eq(started).and(worker_involvements::id.gt(id))),
        );
    }
    snapshot.load(lateral::for_each(worker_ids, query)).await
}

/// How many involvements of each of these workers run and are in sight.
pub async fn count_of_workers(snapshot: &Snapshot, worker_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = worker_involvements::table
        .filter(worker_involvements::worker_id.eq(lateral::parent_id()))
        .filter(worker_involvements::ended_at.is_null())
        .count();
    snapshot.load(lateral::for_each(worker_ids, query)).await
}

/// The lead practitioner of a case inside a change: involvement and worker.
pub async fn lead(tx: &ViewerTx, case_id: Uuid) -> Result<Option<InvolvementRow>> {
    worker_involvements::table
        .filter(worker_involvements::case_id.eq(case_id))
        .filter(worker_involvements::capacity.eq("LEAD_PRACTITIONER"))
        .filter(worker_involvements::ended_at.is_null())
        .select(InvolvementRow::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// The lead practitioners of these cases inside a change.
pub async fn leads(tx: &ViewerTx, case_ids: &[Uuid]) -> Result<Vec<Uuid>> {
    worker_involvements::table
        .filter(worker_involvements::case_id.eq_any(case_ids.to_vec()))
        .filter(worker_involvements::capacity.eq("LEAD_PRACTITIONER"))
        .filter(worker_involvements::ended_at.is_null())
        .select(worker_involvements::worker_id)
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Who has a part of these capacities in a case, inside a change.
pub async fn beside(tx: &ViewerTx, case_id: Uuid, capacities: &[Capacity]) -> Result<Vec<Uuid>> {
    worker_involvements::table
        .filter(worker_involvements::case_id.eq(case_id))
        .filter(worker_involvements::capacity.eq_any(capacities.iter().copied().map(Coded).collect::<Vec<_>>()))
        .filter(worker_involvements::ended_at.is_null())
        .select(worker_involvements::worker_id)
        .distinct()
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Who has which part in a case, inside a change.
pub async fn parts(tx: &ViewerTx, case_id: Uuid) -> Result<Vec<(Capacity, Uuid)>> {
    let found: Vec<(Coded<Capacity>, Uuid)> = worker_involvements::table
        .filter(worker_involvements::case_id.eq(case_id))
        .filter(worker_involvements::ended_at.is_null())
        .order(worker_involvements::id)
        .select((worker_involvements::capacity, worker_involvements::worker_id))
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(found.into_iter().map(|(capacity, worker)| (capacity.0, worker)).collect())
}

diesel::define_sql_function! {
    /// Whether a restriction or a denial keeps a worker from a child who is authorised for writing.
    #[sql_name = "hearth.keeps_out"]
    fn keeps_out_of(child: diesel::sql_types::Uuid, worker: diesel::sql_types::Uuid) -> diesel::sql_types::Bool;
}

/// Whether a restriction or a denial keeps a worker from a child who is authorised for writing.
pub async fn keeps_out(tx: &ViewerTx, child_id: Uuid, worker_id: Uuid) -> Result<bool> {
    diesel::select(keeps_out_of(child_id, worker_id)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// An involvement in sight, inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<InvolvementRow> {
    let query = worker_involvements::table.find(id).select(InvolvementRow::as_select());
    query.first(&mut tx.conn()?).await.map_err(failed)
}

/// Parts of these capacities of workers who belong to none of these units, of one worker only if one is named, inside a
/// change.
pub async fn parts_without_unit(
    tx: &ViewerTx,
    case_id: Uuid,
    capacities: &[Capacity],
    worker_id: Option<Uuid>,
    units_that_stay: &[Uuid],
) -> Result<Vec<InvolvementRow>> {
    let at = tx.viewer().at;
    let stays = unit_memberships::table
        .filter(unit_memberships::worker_id.eq(worker_involvements::worker_id))
        .filter(unit_memberships::unit_id.eq_any(units_that_stay.to_vec()))
        .filter(runs(at));
    let mut query = worker_involvements::table
        .filter(worker_involvements::case_id.eq(case_id))
        .filter(worker_involvements::capacity.eq_any(capacities.iter().copied().map(Coded).collect::<Vec<_>>()))
        .filter(worker_involvements::ended_at.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(stays)))
        .order(worker_involvements::id)
        .select(InvolvementRow::as_select())
        .into_boxed();
    if let Some(worker) = worker_id {
        query = query.filter(worker_involvements::worker_id.eq(worker));
    }
    query.load(&mut tx.conn()?).await.map_err(failed)
}

/// Ends an involvement that runs.
pub async fn end(tx: &ViewerTx, id: Uuid, at: DateTime<Utc>, reason: ChangeReason) -> Result<()> {
    let ended = tx
        .run(diesel::update(worker_involvements::table.find(id).filter(worker_involvements::ended_at.is_null())).set((
            worker_involvements::ended_at.eq(at),
            worker_involvements::change_reason.eq(Coded(reason)),
            worker_involvements::version.eq(worker_involvements::version + 1),
        )))
        .await?;
    if ended == 1 { Ok(()) } else { Err(Error::conflict("This part ended meanwhile: read the case again.")) }
}

/// Names a worker lead practitioner.
pub async fn start_lead(
    tx: &ViewerTx,
    id: Uuid,
    case_id: Uuid,
    child_id: Uuid,
    worker_id: Uuid,
    at: DateTime<Utc>,
) -> Result<()> {
    start(tx, id, (case_id, child_id), (worker_id, Capacity::LeadPractitioner), at).await
}

/// Gives a worker a part in a case of a child.
pub async fn start(
    tx: &ViewerTx,
    id: Uuid,
    (case_id, child_id): (Uuid, Uuid),
    (worker_id, capacity): (Uuid, Capacity),
    at: DateTime<Utc>,
) -> Result<()> {
    tx.run(diesel::insert_into(worker_involvements::table).values((
        worker_involvements::id.eq(id),
        worker_involvements::case_id.eq(case_id),
        worker_involvements::child_id.eq(child_id),
        worker_involvements::worker_id.eq(worker_id),
        worker_involvements::capacity.eq(Coded(capacity)),
        worker_involvements::started_at.eq(at),
    )))
    .await?;
    Ok(())
}

/// The cases that a unit holds and in which a worker has a part of one of these capacities, inside a change, by id.
pub async fn cases_with_parts(
    tx: &ViewerTx,
    worker_id: Uuid,
    unit_id: Uuid,
    capacities: &[Capacity],
) -> Result<Vec<Uuid>> {
    let held = allocations::table
        .filter(allocations::case_id.eq(worker_involvements::case_id))
        .filter(allocations::unit_id.eq(unit_id))
        .filter(allocations::ended_at.is_null());
    worker_involvements::table
        .filter(worker_involvements::worker_id.eq(worker_id))
        .filter(worker_involvements::ended_at.is_null())
        .filter(worker_involvements::capacity.eq_any(capacities.iter().copied().map(Coded).collect::<Vec<_>>()))
        .filter(diesel::dsl::exists(held))
        // What is seen through a broken glass alone is out of sight for a change.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("NOT hearth.by_glass(worker_involvements.child_id)"))
        .select(worker_involvements::case_id)
        .distinct()
        .order(worker_involvements::case_id)
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}
