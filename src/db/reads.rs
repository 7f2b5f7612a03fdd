//! How far members have read their units' feeds.
//!
//! A position is its owner's. Of others only counts are told, by functions of the database that go past the policies.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Uuid as UuidSql},
    upsert::excluded,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Placed, Snapshot, ViewerTx, failed, lateral,
    schema::{feed_reads, relay_state, unit_memberships},
};
use crate::error::Result;

diesel::define_sql_function! {
    /// Events of the unit's stream that the member has not read, at most 1,000; null when that is not the viewer's to
    /// know.
    #[sql_name = "hearth.unread"]
    fn unread(unit: UuidSql, worker: UuidSql) -> diesel::sql_types::Nullable<BigInt>;
}

/// Who of a unit has seen an event.
#[derive(Clone, Debug, Queryable)]
pub struct SeenRow {
    /// The unit.
    pub unit_id: Uuid,
    /// Recipients there who have read so far.
    pub seen: i64,
    /// Recipients there.
    pub of: i64,
}

/// Of each of these events: who has seen it in the viewer's own units.
pub async fn seen_by(snapshot: &Snapshot, event_ids: &[Uuid]) -> Result<Vec<Placed<SeenRow>>> {
    let seen = diesel::dsl::sql::<(UuidSql, BigInt, BigInt)>(
        "SELECT unit_id, seen, recipients FROM hearth.seen_by(parent.id) ORDER BY unit_id",
    );
    snapshot.load(lateral::for_each(event_ids, seen)).await
}

/// What the viewer has not read of each of these units' streams; none for units that they do not belong to.
pub async fn unread_of_units(snapshot: &Snapshot, unit_ids: &[Uuid]) -> Result<Vec<Placed<Option<i64>>>> {
    let me = snapshot.viewer().worker_id.0;
    let counted = diesel::dsl::select(unread(lateral::parent_id(), me));
    snapshot.load(lateral::for_each(unit_ids, counted)).await
}

/// What the member of each of these memberships has not read; none for memberships of other units and ended ones.
pub async fn unread_of_memberships(snapshot: &Snapshot, membership_ids: &[Uuid]) -> Result<Vec<Placed<Option<i64>>>> {
    let counted = unit_memberships::table
        .filter(unit_memberships::id.eq(lateral::parent_id()))
        .filter(unit_memberships::ended_at.is_null().or(unit_memberships::ended_at.gt(snapshot.viewer().at)))
        .select(unread(unit_memberships::unit_id, unit_memberships::worker_id));
    snapshot.load(lateral::for_each(membership_ids, counted)).await
}

/// The last place of the one order, inside a change.
pub async fn last_place(tx: &ViewerTx) -> Result<i64> {
    relay_state::table.select(relay_state::last_seq).first(&mut tx.conn()?).await.map_err(failed)
}

/// The viewer has read the unit's stream up to `seq`. Never goes back.
pub async fn advance(tx: &ViewerTx, unit_id: Uuid, seq: i64) -> Result<()> {
    let viewer = tx.viewer();
    let upsert = diesel::insert_into(feed_reads::table)
        .values((
            feed_reads::worker_id.eq(viewer.worker_id.0),
            feed_reads::unit_id.eq(unit_id),
            feed_reads::seq.eq(seq),
            feed_reads::at.eq(viewer.at),
        ))
        .on_conflict((feed_reads::worker_id, feed_reads::unit_id))
        .do_update()
        .set((feed_reads::seq.eq(excluded(feed_reads::seq)), feed_reads::at.eq(excluded(feed_reads::at))));
    diesel::query_dsl::methods::FilterDsl::filter(upsert, feed_reads::seq.lt(excluded(feed_reads::seq)))
        .execute(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(())
}
