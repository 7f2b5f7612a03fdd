//! Workers' named parts in cases.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Page, Placed, Snapshot, ViewerTx, failed, lateral,
    schema::{unit_memberships, worker_involvements},
};
use crate::{
    domain::codes::{Capacity, ChangeReason},
    error::Result,
};

/// A worker's named part in a case.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = worker_involvements, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct InvolvementRow {
    pub id: Uuid,
    pub case_id: Uuid,
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
pub async fn lead(tx: &mut ViewerTx, case_id: Uuid) -> Result<Option<InvolvementRow>> {
    worker_involvements::table
        .filter(worker_involvements::case_id.eq(case_id))
        .filter(worker_involvements::capacity.eq("LEAD_PRACTITIONER"))
        .filter(worker_involvements::ended_at.is_null())
        .select(InvolvementRow::as_select())
        .first(tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// The lead practitioners of these cases inside a change.
pub async fn leads(tx: &mut ViewerTx, case_ids: &[Uuid]) -> Result<Vec<Uuid>> {
    worker_involvements::table
        .filter(worker_involvements::case_id.eq_any(case_ids.to_vec()))
        .filter(worker_involvements::capacity.eq("LEAD_PRACTITIONER"))
        .filter(worker_involvements::ended_at.is_null())
        .select(worker_involvements::worker_id)
        .load(tx.conn()?)
        .await
        .map_err(failed)
}

/// Parts inside a unit (co-worker, clinical) of workers who belong to none of these units, inside a change.
pub async fn parts_without_unit(
    tx: &mut ViewerTx,
    case_id: Uuid,
    units_that_stay: &[Uuid],
) -> Result<Vec<InvolvementRow>> {
    let at = tx.viewer().at;
    let stays = unit_memberships::table
        .filter(unit_memberships::worker_id.eq(worker_involvements::worker_id))
        .filter(unit_memberships::unit_id.eq_any(units_that_stay.to_vec()))
        .filter(unit_memberships::started_at.le(at))
        .filter(unit_memberships::ended_at.is_null().or(unit_memberships::ended_at.gt(at)));
    worker_involvements::table
        .filter(worker_involvements::case_id.eq(case_id))
        .filter(worker_involvements::capacity.eq_any(vec!["CO_WORKER", "CLINICAL"]))
        .filter(worker_involvements::ended_at.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(stays)))
        .order(worker_involvements::id)
        .select(InvolvementRow::as_select())
        .load(tx.conn()?)
        .await
        .map_err(failed)
}

/// Ends an involvement.
pub async fn end(tx: &mut ViewerTx, id: Uuid, at: DateTime<Utc>, reason: ChangeReason) -> Result<()> {
    diesel::update(worker_involvements::table.find(id).filter(worker_involvements::ended_at.is_null()))
        .set((
            worker_involvements::ended_at.eq(at),
            worker_involvements::change_reason.eq(Coded(reason)),
            worker_involvements::version.eq(worker_involvements::version + 1),
        ))
        .execute(tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Names a worker lead practitioner.
pub async fn start_lead(
    tx: &mut ViewerTx,
    id: Uuid,
    case_id: Uuid,
    child_id: Uuid,
    worker_id: Uuid,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(worker_involvements::table)
        .values((
            worker_involvements::id.eq(id),
            worker_involvements::case_id.eq(case_id),
            worker_involvements::child_id.eq(child_id),
            worker_involvements::worker_id.eq(worker_id),
            worker_involvements::capacity.eq(Coded(Capacity::LeadPractitioner)),
            worker_involvements::started_at.eq(at),
        ))
        .execute(tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(())
}

/// The parts inside a unit (lead, co-worker, clinical) that a worker has in cases which this unit holds and no other
/// unit of theirs does, inside a change, in the order of the cases.
pub async fn parts_in_unit(tx: &mut ViewerTx, worker_id: Uuid, unit_id: Uuid) -> Result<Vec<InvolvementRow>> {
    use super::schema::allocations;
    let at = tx.viewer().at;
    let (here, elsewhere) = diesel::alias!(allocations as here, allocations as elsewhere);
    let held_here = here
        .filter(here.field(allocations::case_id).eq(worker_involvements::case_id))
        .filter(here.field(allocations::unit_id).eq(unit_id))
        .filter(here.field(allocations::ended_at).is_null());
    let held_elsewhere = elsewhere
        .inner_join(unit_memberships::table.on(unit_memberships::unit_id.eq(elsewhere.field(allocations::unit_id))))
        .filter(elsewhere.field(allocations::case_id).eq(worker_involvements::case_id))
        .filter(elsewhere.field(allocations::ended_at).is_null())
        .filter(elsewhere.field(allocations::unit_id).ne(unit_id))
        .filter(unit_memberships::worker_id.eq(worker_id))
        .filter(unit_memberships::started_at.le(at))
        .filter(unit_memberships::ended_at.is_null().or(unit_memberships::ended_at.gt(at)));
    worker_involvements::table
        .filter(worker_involvements::worker_id.eq(worker_id))
        .filter(worker_involvements::ended_at.is_null())
        .filter(worker_involvements::capacity.eq_any(vec!["LEAD_PRACTITIONER", "CO_WORKER", "CLINICAL"]))
        .filter(diesel::dsl::exists(held_here))
        .filter(diesel::dsl::not(diesel::dsl::exists(held_elsewhere)))
        .order((worker_involvements::case_id, worker_involvements::id))
        .select(InvolvementRow::as_select())
        .load(tx.conn()?)
        .await
        .map_err(failed)
}
