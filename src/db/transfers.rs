//! Transfers of cases between units.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx, columns::choose, failed, lateral,
    lateral::newest_first, page::placed, schema::case_transfers,
};
use crate::{
    domain::codes::{TransferDirection, TransferKind, TransferState},
    error::{Error, Result},
};

/// The core of a transfer.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = case_transfers, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct TransferCore {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub from_unit_id: Uuid,
    pub to_unit_id: Uuid,
    pub kind: Coded<TransferKind>,
    pub state: Coded<TransferState>,
    pub requested_by: Uuid,
    pub requested_at: DateTime<Utc>,
    pub responded_by: Option<Uuid>,
    pub responded_at: Option<DateTime<Utc>>,
    pub effective_on: Option<NaiveDate>,
    pub joint_meeting_on: Option<NaiveDate>,
    pub version: i32,
}

/// A transfer with what was selected of it.
#[derive(Clone, Debug)]
pub struct TransferRow {
    /// The core.
    pub core: TransferCore,
    read: Columns,
    handover_summary: Option<Personal<String>>,
    response_reason: Option<Personal<String>>,
}

impl TransferRow {
    /// Narrative: why it was rejected or withdrawn.
    pub fn response_reason(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.response_reason.as_ref().map(Personal::read))
    }

    /// Narrative: what the receiving unit needs to know.
    pub fn handover_summary(&self) -> Result<&str> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.handover_summary.as_ref().map(Personal::read).unwrap_or_default())
    }
}

type Raw = (TransferCore, Option<Personal<String>>, Option<Personal<String>>);

fn row(read: Columns) -> impl Fn(Raw) -> TransferRow {
    move |(core, handover_summary, response_reason)| TransferRow { core, read, handover_summary, response_reason }
}

macro_rules! columns {
    ($read:expr) => {
        (
            TransferCore::as_select(),
            choose($read.has(Columns::NARRATIVE), case_transfers::handover_summary.nullable(), "NULL"),
            choose($read.has(Columns::NARRATIVE), case_transfers::response_reason, "NULL"),
        )
    };
}

/// These transfers.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<TransferRow>> {
    let query = case_transfers::table.filter(case_transfers::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// The transfers of each of these cases, newest first.
pub async fn of_cases(snapshot: &Snapshot, case_ids: &[Uuid], read: Columns) -> Result<Vec<Placed<TransferRow>>> {
    let query = case_transfers::table
        .filter(case_transfers::case_id.eq(lateral::parent_id()))
        .order((case_transfers::requested_at.desc(), case_transfers::id))
        .limit(super::MAX_FIRST)
        .select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(case_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// A page of the transfers that wait for each of these units' answer, oldest first.
pub async fn requested_of_units(
    snapshot: &Snapshot,
    unit_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<TransferRow>>> {
    let mut query = case_transfers::table
        .filter(case_transfers::to_unit_id.eq(lateral::parent_id()))
        .filter(case_transfers::state.eq("REQUESTED"))
        .order((case_transfers::requested_at.asc(), case_transfers::id.asc()))
        .limit(page.limit())
        .select(columns!(read))
        .into_boxed();
    if let Some((requested, id)) = page.after {
        query = query.filter(
            case_transfers::requested_at
                .gt(requested)
                .or(case_transfers::requested_at.eq(requested).and(case_transfers::id.gt(id))),
        );
    }
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(unit_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// How many transfers wait for each of these units' answer.
pub async fn count_requested_of_units(snapshot: &Snapshot, unit_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = case_transfers::table
        .filter(case_transfers::to_unit_id.eq(lateral::parent_id()))
        .filter(case_transfers::state.eq("REQUESTED"))
        .count();
    snapshot.load(lateral::for_each(unit_ids, query)).await
}

/// A new request.
#[derive(Insertable)]
#[diesel(table_name = case_transfers)]
#[allow(missing_docs)]
pub struct NewTransfer {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub from_unit_id: Uuid,
    pub to_unit_id: Uuid,
    pub kind: Coded<TransferKind>,
    pub state: Coded<TransferState>,
    pub requested_by: Uuid,
    pub requested_at: DateTime<Utc>,
    pub handover_summary: String,
    pub joint_meeting_on: Option<NaiveDate>,
}

/// Asks for a transfer.
pub async fn request(tx: &ViewerTx, new: NewTransfer) -> Result<()> {
    tx.run(diesel::insert_into(case_transfers::table).values(new)).await?;
    Ok(())
}

/// A transfer inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<Option<TransferCore>> {
    case_transfers::table
        .find(id)
        .select(TransferCore::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// Records that a transfer was accepted and is complete.
pub async fn complete(tx: &ViewerTx, id: Uuid, by: Uuid, at: DateTime<Utc>, effective_on: NaiveDate) -> Result<()> {
    let answered = tx
        .run(diesel::update(case_transfers::table.find(id).filter(case_transfers::state.eq("REQUESTED"))).set((
            case_transfers::state.eq(Coded(TransferState::Completed)),
            case_transfers::responded_by.eq(by),
            case_transfers::responded_at.eq(at),
            case_transfers::effective_on.eq(effective_on),
            case_transfers::version.eq(case_transfers::version + 1),
        )))
        .await?;
    if answered == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Records that a transfer was rejected or withdrawn.
pub async fn refuse(
    tx: &ViewerTx,
    id: Uuid,
    state: TransferState,
    by: Uuid,
    at: DateTime<Utc>,
    reason: String,
) -> Result<()> {
    let answered = tx
        .run(diesel::update(case_transfers::table.find(id).filter(case_transfers::state.eq("REQUESTED"))).set((
            case_transfers::state.eq(Coded(state)),
            case_transfers::responded_by.eq(by),
            case_transfers::responded_at.eq(at),
            case_transfers::response_reason.eq(reason),
            case_transfers::version.eq(case_transfers::version + 1),
        )))
        .await?;
    if answered == 1 { Ok(()) } else { Err(Error::NotFound) }
}

macro_rules! between {
    ($query:expr, $direction:expr) => {{
        let (from, to) = (
            case_transfers::from_unit_id.eq(lateral::parent_id()),
            case_transfers::to_unit_id.eq(lateral::parent_id()),
        );
        match $direction {
            Some(TransferDirection::Incoming) => $query.filter(to),
            Some(TransferDirection::Outgoing) => $query.filter(from),
            None => $query.filter(to.or(from)),
        }
    }};
}

/// A page of the transfers to or from each of these units, newest first.
pub async fn of_units(
    snapshot: &Snapshot,
    unit_ids: &[Uuid],
    direction: Option<TransferDirection>,
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<TransferRow>>> {
    let mut query = newest_first!(
        case_transfers::table.select(columns!(read)),
        page,
        case_transfers::requested_at,
        case_transfers::id
    );
    query = between!(query, direction);
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(unit_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// How many transfers to or from each of these units are in sight.
pub async fn count_of_units(
    snapshot: &Snapshot,
    unit_ids: &[Uuid],
    direction: Option<TransferDirection>,
) -> Result<Vec<Placed<i64>>> {
    let query = case_transfers::table.select(diesel::dsl::count_star()).into_boxed();
    snapshot.load(lateral::for_each(unit_ids, between!(query, direction))).await
}

/// A page of the transfers that each of these workers asked for, newest first.
pub async fn requested_by(
    snapshot: &Snapshot,
    worker_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<TransferRow>>> {
    let query =
        case_transfers::table.filter(case_transfers::requested_by.eq(lateral::parent_id())).select(columns!(read));
    let query = newest_first!(query, page, case_transfers::requested_at, case_transfers::id);
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(worker_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// How many transfers each of these workers asked for.
pub async fn count_requested_by(snapshot: &Snapshot, worker_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = case_transfers::table.filter(case_transfers::requested_by.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(worker_ids, query)).await
}

/// A page of the transfers that each of these workers answered, newest first.
pub async fn answered_by(
    snapshot: &Snapshot,
    worker_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<TransferRow>>> {
    let query = case_transfers::table
        .filter(case_transfers::responded_by.eq(lateral::parent_id().nullable()))
        .select(columns!(read));
    let query = newest_first!(query, page, case_transfers::requested_at, case_transfers::id);
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(worker_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// How many transfers each of these workers answered.
pub async fn count_answered_by(snapshot: &Snapshot, worker_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = case_transfers::table.filter(case_transfers::responded_by.eq(lateral::parent_id().nullable())).count();
    snapshot.load(lateral::for_each(worker_ids, query)).await
}
