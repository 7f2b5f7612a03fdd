//! Allocations: units holding cases.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx, columns::choose_whole, failed, lateral, page::placed,
    schema::allocations,
};
use crate::{
    domain::codes::{AllocationKind, Priority},
    error::{Error, Result},
};

/// The core of an allocation.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = allocations, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct AllocationCore {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub unit_id: Uuid,
    pub kind: Coded<AllocationKind>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub reason_start: Personal<String>,
    pub reason_end: Option<Personal<String>>,
    pub transfer_id: Option<Uuid>,
    pub priority: Coded<Priority>,
    pub version: i32,
}

/// An allocation with what was selected of it.
#[derive(Clone, Debug)]
pub struct AllocationRow {
    /// The core.
    pub core: AllocationCore,
    read: Columns,
    summary: Option<Personal<String>>,
}

impl AllocationRow {
    /// Narrative: what the unit was told.
    pub fn summary(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.summary.as_ref().map(Personal::read))
    }
}

type Raw = (AllocationCore, Option<Personal<String>>);

fn row(read: Columns) -> impl Fn(Raw) -> AllocationRow {
    move |(core, summary)| AllocationRow { core, read, summary }
}

macro_rules! columns {
    ($read:expr) => {
        (
            AllocationCore::as_select(),
            choose_whole($read.has(Columns::NARRATIVE), allocations::summary, "NULL", "allocations.child_id"),
        )
    };
}

/// These allocations.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<AllocationRow>> {
    let query = allocations::table.filter(allocations::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// A page of the running allocations of each of these units, newest first.
pub async fn of_units(
    snapshot: &Snapshot,
    unit_ids: &[Uuid],
    kind: Option<AllocationKind>,
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<AllocationRow>>> {
    let mut query = allocations::table
        .filter(allocations::unit_id.eq(lateral::parent_id()))
        .filter(allocations::ended_at.is_null())
        .order((allocations::started_at.desc(), allocations::id.asc()))
        .limit(page.limit())
        .select(columns!(read))
        .into_boxed();
    if let Some(kind) = kind {
        query = query.filter(allocations::kind.eq(Coded(kind)));
    }
    if let Some((started, id)) = page.after {
        query = query.filter(
            allocations::started_at.lt(started).or(allocations::started_at.eq(started).and(allocations::id.gt(id))),
        );
    }
    Ok(placed(snapshot.load(lateral::for_each(unit_ids, query)).await?, row(read)))
}

/// How many allocations of each of these units run and are in sight.
pub async fn count_of_units(
    snapshot: &Snapshot,
    unit_ids: &[Uuid],
    kind: Option<AllocationKind>,
) -> Result<Vec<Placed<i64>>> {
    let mut query = allocations::table
        .filter(allocations::unit_id.eq(lateral::parent_id()))
        .filter(allocations::ended_at.is_null())
        .select(diesel::dsl::count_star())
        .into_boxed();
    if let Some(kind) = kind {
        query = query.filter(allocations::kind.eq(Coded(kind)));
    }
    snapshot.load(lateral::for_each(unit_ids, query)).await
}

/// A page of the allocations of each of these cases, newest first; only those that run when `current`.
pub async fn of_cases(
    snapshot: &Snapshot,
    case_ids: &[Uuid],
    current: bool,
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<AllocationRow>>> {
    let mut query = allocations::table
        .filter(allocations::case_id.eq(lateral::parent_id()))
        .order((allocations::started_at.desc(), allocations::id.asc()))
        .limit(page.limit())
        .select(columns!(read))
        .into_boxed();
    if current {
        query = query.filter(allocations::ended_at.is_null());
    }
    if let Some((started, id)) = page.after {
        query = query.filter(
            allocations::started_at.lt(started).or(allocations::started_at.eq(started).and(allocations::id.gt(id))),
        );
    }
    Ok(placed(snapshot.load(lateral::for_each(case_ids, query)).await?, row(read)))
}

/// How many allocations each of these cases has had.
pub async fn count_of_cases(snapshot: &Snapshot, case_ids: &[Uuid], current: bool) -> Result<Vec<Placed<i64>>> {
    let mut query = allocations::table
        .filter(allocations::case_id.eq(lateral::parent_id()))
        .select(diesel::dsl::count_star())
        .into_boxed();
    if current {
        query = query.filter(allocations::ended_at.is_null());
    }
    snapshot.load(lateral::for_each(case_ids, query)).await
}

/// The running primary allocation of each of these cases.
pub async fn primary_of_cases(
    snapshot: &Snapshot,
    case_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<AllocationRow>>> {
    let query = allocations::table
        .filter(allocations::case_id.eq(lateral::parent_id()))
        .filter(allocations::kind.eq("PRIMARY"))
        .filter(allocations::ended_at.is_null())
        .limit(1)
        .select(columns!(read));
    Ok(placed(snapshot.load(lateral::for_each(case_ids, query)).await?, row(read)))
}

/// A new allocation.
#[derive(Insertable)]
#[diesel(table_name = allocations)]
#[allow(missing_docs)]
pub struct NewAllocation {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub unit_id: Uuid,
    pub kind: Coded<AllocationKind>,
    pub started_at: DateTime<Utc>,
    pub reason_start: String,
    pub transfer_id: Option<Uuid>,
    pub summary: Option<String>,
    pub priority: Coded<Priority>,
    pub created_by: Option<Uuid>,
}

/// Starts an allocation. Another one in the way is a conflict, whether the viewer sees it or not.
pub async fn start(tx: &ViewerTx, new: NewAllocation) -> Result<()> {
    tx.run(diesel::insert_into(allocations::table).values(new)).await?;
    Ok(())
}

/// Ends an allocation that runs. What it opened is out of sight from the next statement on.
pub async fn end(tx: &ViewerTx, id: Uuid, at: DateTime<Utc>, reason: &str) -> Result<()> {
    let ended = tx
        .run(diesel::update(allocations::table.find(id).filter(allocations::ended_at.is_null())).set((
            allocations::ended_at.eq(at),
            allocations::reason_end.eq(reason),
            allocations::version.eq(allocations::version + 1),
        )))
        .await?;
    if ended == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// The case of an allocation in sight, and whether it still runs, inside a change.
pub async fn case_of(tx: &ViewerTx, id: Uuid) -> Result<Option<Uuid>> {
    allocations::table.find(id).select(allocations::case_id).first(&mut tx.conn()?).await.optional().map_err(failed)
}

/// The unit that holds a case in sight, before the case is locked.
pub async fn holder_of(tx: &ViewerTx, case_id: Uuid) -> Result<Option<Uuid>> {
    allocations::table
        .filter(allocations::case_id.eq(case_id))
        .filter(allocations::kind.eq("PRIMARY"))
        .filter(allocations::ended_at.is_null())
        .select(allocations::unit_id)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// Whether a unit has ever held the case, inside a change.
pub async fn was_held(tx: &ViewerTx, case_id: Uuid) -> Result<bool> {
    let held = allocations::table.filter(allocations::case_id.eq(case_id)).filter(allocations::kind.eq("PRIMARY"));
    diesel::select(diesel::dsl::exists(held)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// An allocation inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<Option<AllocationCore>> {
    allocations::table
        .find(id)
        .select(AllocationCore::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// The allocation that each of these transfers led to.
pub async fn of_transfers(
    snapshot: &Snapshot,
    transfer_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<AllocationRow>>> {
    let query = allocations::table
        .filter(allocations::transfer_id.eq(lateral::parent_id().nullable()))
        .order((allocations::started_at, allocations::id))
        .limit(1)
        .select(columns!(read));
    Ok(placed(snapshot.load(lateral::for_each(transfer_ids, query)).await?, row(read)))
}
