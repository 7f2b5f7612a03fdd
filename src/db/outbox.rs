//! The one log: appended by changes, put in order by the relay, read by the bus.

use std::pin::pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types::BigInt};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::StreamExt;
use uuid::Uuid;

use super::{
    Coded, Db, Snapshot, ViewerTx, failed, no_connection,
    schema::{outbox, outbox_audience, relay_state, unit_memberships, workers},
};
use crate::{
    domain::codes::{EventType, Role, Severity},
    error::{Error, Result},
};

/// An event to append.
#[derive(Insertable)]
#[diesel(table_name = outbox)]
#[allow(missing_docs)]
pub struct NewEvent {
    pub event_id: Uuid,
    pub type_: Coded<EventType>,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub actor_id: Uuid,
    pub actor_role: Coded<Role>,
    pub case_id: Option<Uuid>,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub entity_type: &'static str,
    pub entity_id: Uuid,
    pub entity_version: i32,
    pub severity: Coded<Severity>,
    pub data: serde_json::Value,
}

/// Whom an event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Audience {
    /// All members of a unit.
    Unit(Uuid),
    /// A named worker.
    Worker(Uuid),
    /// The managers of an area.
    Area(Uuid),
}

/// Appends an event and its audience in the change's own transaction.
pub async fn append(tx: &mut ViewerTx, event: NewEvent, audience: &[Audience]) -> Result<()> {
    let event_id = event.event_id;
    let mut rows: Vec<_> = audience
        .iter()
        .map(|one| match one {
            Audience::Unit(id) => (*id, "UNIT"),
            Audience::Worker(id) => (*id, "WORKER"),
            Audience::Area(id) => (*id, "AREA"),
        })
        .collect();
    rows.sort_unstable();
    rows.dedup_by_key(|(holder, _)| *holder);
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(holder, kind)| {
            (
                outbox_audience::event_id.eq(event_id),
                outbox_audience::holder_id.eq(holder),
                outbox_audience::kind.eq(kind),
            )
        })
        .collect();
    let conn = tx.conn()?;
    diesel::insert_into(outbox::table).values(event).execute(conn).await.map_err(failed)?;
    diesel::insert_into(outbox_audience::table).values(rows).execute(conn).await.map_err(failed)?;
    Ok(())
}

/// The position of the one order in a snapshot: query, then subscribe from here, and nothing is missed.
pub async fn position(snapshot: &Snapshot) -> Result<i64> {
    let found: Vec<i64> = snapshot.load(relay_state::table.select(relay_state::last_seq)).await?;
    found.into_iter().next().ok_or_else(|| Error::internal("no relay state"))
}

/// An event as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct EventRow {
    pub event_id: Uuid,
    pub seq: Option<i64>,
    /// Codes are text here: one that only a newer program knows must not keep back the events behind it.
    pub type_: String,
    pub schema_version: i32,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub actor_id: Uuid,
    pub actor_role: String,
    pub case_id: Option<Uuid>,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub entity_type: String,
    pub entity_id: Uuid,
    pub entity_version: i32,
    pub severity: String,
    pub data: serde_json::Value,
}

/// An event with the units that it is for, and of each the workers who were members then and are now.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event.
    pub event: EventRow,
    /// (unit, worker), sorted.
    pub recipients: Vec<(Uuid, Uuid)>,
    /// The units, sorted, with or without members.
    pub units: Vec<Uuid>,
}

/// Unit, worker, from, to.
type Period = (Uuid, Uuid, DateTime<Utc>, Option<DateTime<Utc>>);

/// Reads events for delivery, as the bus's role.
#[derive(Clone)]
pub struct EventLog {
    db: Db,
}

/// Where the one order begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The newest position.
    pub last: i64,
    /// Everything up to here has been pruned.
    pub pruned: i64,
}

impl EventLog {
    /// On the bus's database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Where the one order begins and ends now.
    pub async fn extent(&self) -> Result<Extent> {
        let mut conn = self.db.pool.get().await.map_err(no_connection)?;
        let (last, pruned) = relay_state::table
            .select((relay_state::last_seq, relay_state::pruned_seq))
            .first(&mut conn)
            .await
            .map_err(failed)?;
        Ok(Extent { last, pruned })
    }

    /// Up to `limit` events after `seq` in order; only those for `unit` when it is given. Who receives them is
    /// decided here, at delivery, by membership at the event's time and at `at`.
    pub async fn after(&self, seq: i64, unit: Option<Uuid>, limit: i64, at: DateTime<Utc>) -> Result<Vec<Delivery>> {
        let mut conn = self.db.pool.get().await.map_err(no_connection)?;
        let mut query = outbox::table
            .filter(outbox::seq.gt(seq))
            .order(outbox::seq)
            .limit(limit)
            .select(EventRow::as_select())
            .into_boxed();
        if let Some(unit) = unit {
            query = query.filter(diesel::dsl::exists(
                outbox_audience::table
                    .filter(outbox_audience::event_id.eq(outbox::event_id))
                    .filter(outbox_audience::holder_id.eq(unit)),
            ));
        }
        let events: Vec<EventRow> = query.load(&mut conn).await.map_err(failed)?;
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = events.iter().map(|event| event.event_id).collect();
        let mut audience = outbox_audience::table
            .filter(outbox_audience::event_id.eq_any(&ids))
            .filter(outbox_audience::kind.eq("UNIT"))
            .select((outbox_audience::event_id, outbox_audience::holder_id))
            .into_boxed();
        if let Some(unit) = unit {
            audience = audience.filter(outbox_audience::holder_id.eq(unit));
        }
        let audience: Vec<(Uuid, Uuid)> = audience.load(&mut conn).await.map_err(failed)?;
        let mut units: Vec<Uuid> = audience.iter().map(|(_, unit)| *unit).collect();
        units.sort_unstable();
        units.dedup();
        // Everybody who is a member of these units now, with every period in which they were one.
        let (now, then) = diesel::alias!(unit_memberships as now, unit_memberships as then);
        let periods: Vec<Period> = now
            .inner_join(
                then.on(then
                    .field(unit_memberships::unit_id)
                    .eq(now.field(unit_memberships::unit_id))
                    .and(then.field(unit_memberships::worker_id).eq(now.field(unit_memberships::worker_id)))),
            )
            .inner_join(workers::table.on(workers::id.eq(now.field(unit_memberships::worker_id))))
            .filter(workers::active)
            .filter(now.field(unit_memberships::unit_id).eq_any(&units))
            .filter(now.field(unit_memberships::started_at).le(at))
            .filter(now.field(unit_memberships::ended_at).is_null().or(now.field(unit_memberships::ended_at).gt(at)))
            .select((
                now.field(unit_memberships::unit_id),
                now.field(unit_memberships::worker_id),
                then.field(unit_memberships::started_at),
                then.field(unit_memberships::ended_at),
            ))
            .load(&mut conn)
            .await
            .map_err(failed)?;
        Ok(events
            .into_iter()
            .map(|event| {
                let mut units: Vec<Uuid> =
                    audience.iter().filter(|(of, _)| *of == event.event_id).map(|(_, unit)| *unit).collect();
                units.sort_unstable();
                let mut recipients: Vec<(Uuid, Uuid)> = periods
                    .iter()
                    .filter(|(unit, _, from, to)| {
                        units.binary_search(unit).is_ok()
                            && *from <= event.recorded_at
                            && to.is_none_or(|to| to > event.recorded_at)
                    })
                    .map(|(unit, worker, ..)| (*unit, *worker))
                    .collect();
                recipients.sort_unstable();
                recipients.dedup();
                Delivery { event, recipients, units }
            })
            .collect())
    }
}

diesel::define_sql_function! {
    /// Takes a session's advisory lock, if nobody has it.
    fn pg_try_advisory_lock(key: BigInt) -> diesel::sql_types::Bool;
}

/// The relay's lock: who has it gives events their order.
const RELAY_LOCK: i64 = 0x6865_6172_7468;

/// The relay's own session: the lock, the LISTEN and the numbering are on one connection, so whoever lost the
/// connection has lost the lock, and nobody else can have numbered meanwhile.
pub struct RelaySession {
    conn: AsyncPgConnection,
}

impl RelaySession {
    /// Logs in as the relay's role.
    pub async fn connect(url: &str) -> Result<Self> {
        let mut conn = AsyncPgConnection::establish(url).await.map_err(Error::internal)?;
        conn.batch_execute("SET statement_timeout = '10s'; SET timezone = 'UTC'").await.map_err(failed)?;
        Ok(Self { conn })
    }

    /// Whether this session now leads. Registers for wake-ups before the log is looked at.
    pub async fn lead(&mut self) -> Result<bool> {
        let leads: bool =
            diesel::select(pg_try_advisory_lock(RELAY_LOCK)).get_result(&mut self.conn).await.map_err(failed)?;
        if leads {
            self.conn.batch_execute("LISTEN hearth_outbox").await.map_err(failed)?;
        }
        Ok(leads)
    }

    /// Gives up to 500 committed events their place, in the order of their ids. Returns the last place given, and
    /// how many got one.
    pub async fn number(&mut self) -> Result<(i64, usize)> {
        #[derive(QueryableByName)]
        struct Numbered {
            #[diesel(sql_type = BigInt)]
            last_seq: i64,
            #[diesel(sql_type = BigInt)]
            given: i64,
        }
        // One statement is one transaction: either all of these have their place and the state knows, or nothing.
        let numbered: Vec<Numbered> = diesel::sql_query(
            "with waiting as (
                 select id, row_number() over (order by id) as place
                 from (select id from outbox where seq is null order by id limit 500) as first
             ), given as (
                 update outbox set seq = s.last_seq + w.place from waiting w, relay_state s where outbox.id = w.id
                 returning outbox.seq
             )
             update relay_state set last_seq = last_seq + (select count(*) from given)
             where exists (select from given)
             returning last_seq, (select count(*) from given) as given",
        )
        .load(&mut self.conn)
        .await
        .map_err(failed)?;
        Ok(numbered.into_iter().next().map_or((0, 0), |one| (one.last_seq, usize::try_from(one.given).unwrap_or(0))))
    }

    /// Whether events wait for their place: cheap, and what the relay asks most of the time.
    pub async fn waiting(&mut self) -> Result<bool> {
        diesel::select(diesel::dsl::exists(outbox::table.filter(outbox::seq.is_null())))
            .get_result(&mut self.conn)
            .await
            .map_err(failed)
    }

    /// Waits for a wake-up, or `at_most`.
    pub async fn wait(&mut self, at_most: Duration) -> Result<()> {
        let mut woken = pin!(self.conn.notifications_stream());
        match tokio::time::timeout(at_most, woken.next()).await {
            Ok(Some(Ok(_))) | Err(_) => Ok(()),
            Ok(Some(Err(error))) => Err(failed(error)),
            Ok(None) => Err(Error::internal("the relay's connection ended")),
        }
    }

    /// Deletes up to 2,000 events that were recorded before `before`, and idempotency keys older than `keys_before`.
    /// Returns whether there was anything: 1, or 0.
    pub async fn prune(&mut self, before: DateTime<Utc>, keys_before: DateTime<Utc>) -> Result<usize> {
        use super::schema::idempotency_keys;
        let pruned = diesel::sql_query(
            "with gone as (
                 delete from outbox where id in (
                     select id from outbox where seq is not null and recorded_at < $1 order by seq limit 2000)
                 returning seq
             )
             update relay_state set pruned_seq = greatest(pruned_seq, (select max(seq) from gone))
             where exists (select from gone)",
        )
        .bind::<diesel::sql_types::Timestamptz, _>(before)
        .execute(&mut self.conn)
        .await
        .map_err(failed)?;
        diesel::delete(idempotency_keys::table.filter(idempotency_keys::created_at.lt(keys_before)))
            .execute(&mut self.conn)
            .await
            .map_err(failed)?;
        Ok(pruned)
    }
}
