//! The one log: appended by changes, put in order by the relay, read by the bus.

use std::pin::pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    sql_types::{BigInt, Bool, Uuid as UuidSql},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::StreamExt;
use uuid::Uuid;

use super::{
    Coded, Db, Page, Placed, Snapshot, ViewerTx, failed,
    kept::Kept,
    lateral, no_connection, recipients,
    schema::{outbox, outbox_audience, relay_state},
};
use crate::{
    clock::Clock,
    domain::{
        Code,
        codes::{AccessEndReason, EventType, Role, Severity},
    },
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
    /// A worker whom this very change takes out of sight of what the event is about: told that they are, in their own
    /// feed, whatever they may see now. For events that say nothing which they did not see before.
    Leaving(Uuid),
    /// A worker to whom this event alone says what the change means for them: in their own feed and no other, whatever
    /// they may see now. What the same change says to the others names them as [`Audience::Former`].
    Alone(Uuid),
    /// A worker who had a part in it until this very change, and is told so by an event of their own: this one is in the
    /// feeds of the children whom they still see, not in their own.
    Former(Uuid),
    /// The managers of an area.
    Area(Uuid),
    /// Whoever has a post: the front door's, the queue's.
    Post(Post),
}

/// A post that events go to, whoever has it then and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Post {
    /// Who may allocate: first response and all service managers. What `hearth.queue()` answers.
    Queue,
    /// First response, and the service managers of the areas whose units take in what comes. `hearth.front_door()`.
    FrontDoor,
}

impl Post {
    /// As what it stands in an audience, and the topic of its stream.
    pub const fn topic(self) -> Uuid {
        match self {
            Self::Queue => Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001),
            Self::FrontDoor => Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0004),
        }
    }
}

/// Appends an event and its audience in the change's own transaction.
pub async fn append(tx: &ViewerTx, event: NewEvent, audience: impl Iterator<Item = Audience>) -> Result<()> {
    let event_id = event.event_id;
    let mut rows: Vec<_> = audience
        .map(|one| match one {
            Audience::Unit(id) => (id, "UNIT"),
            Audience::Worker(id) => (id, "WORKER"),
            Audience::Leaving(id) => (id, "LEAVING"),
            Audience::Alone(id) => (id, "ALONE"),
            Audience::Former(id) => (id, "FORMER"),
            Audience::Area(id) => (id, "AREA"),
            Audience::Post(post) => (post.topic(), "POST"),
        })
        .collect();
    // Who is named twice is leaving, or a former one: those come first.
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
    let (mut one, mut two) = (conn, conn);
    // Together, the event first: a trigger copies its time to its audience.
    let event = Kept(diesel::insert_into(outbox::table).values(event)).execute(&mut one);
    let audience = Kept(diesel::insert_into(outbox_audience::table).values(rows)).execute(&mut two);
    let (event, audience) = futures_util::join!(event, audience);
    event.map_err(failed)?;
    audience.map_err(failed)?;
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

/// A page of the events that each of these units' streams brought to the viewer, newest first. Those of types that only
/// a newer program knows are left out.
pub async fn recent_of_units(
    snapshot: &Snapshot,
    unit_ids: &[Uuid],
    page: &Page<i64>,
) -> Result<Vec<Placed<EventRow>>> {
    let mut query = outbox_audience::table
        .inner_join(outbox::table.on(outbox::event_id.eq(outbox_audience::event_id)))
        .filter(outbox_audience::holder_id.eq(lateral::parent_id()))
        .filter(outbox::type_.eq_any(known_types()))
        .order(outbox_audience::seq.desc())
        .limit(page.limit())
        .select(EventRow::as_select())
        .into_boxed();
    if let Some(before) = page.after {
        query = query.filter(outbox_audience::seq.lt(before));
    }
    snapshot.load(lateral::for_each(unit_ids, query)).await
}

/// How many events each of these units' streams brought to the viewer.
pub async fn count_recent_of_units(snapshot: &Snapshot, unit_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = outbox_audience::table
        .inner_join(outbox::table.on(outbox::event_id.eq(outbox_audience::event_id)))
        .filter(outbox_audience::holder_id.eq(lateral::parent_id()))
        .filter(outbox::type_.eq_any(known_types()))
        .count();
    snapshot.load(lateral::for_each(unit_ids, query)).await
}

fn known_types() -> Vec<&'static str> {
    EventType::ALL.iter().map(|(_, code, _)| *code).collect()
}

/// An event with who receives it in which stream.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event.
    pub event: EventRow,
    /// (topic, worker), sorted: see `recipients`.
    pub recipients: Vec<(Uuid, Uuid)>,
}

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

    /// Up to `limit` events after `seq` in order; only those of one stream when its topic (a unit, a worker, a child)
    /// is given. Who receives them is decided here, at delivery, as of a moment after they were read: whatever ended before
    /// one of them got its place has ended by then.
    pub async fn after(&self, seq: i64, topic: Option<Uuid>, limit: i64, clock: &Clock) -> Result<Vec<Delivery>> {
        let mut conn = self.db.pool.get().await.map_err(no_connection)?;
        let mut query = outbox::table
            .filter(outbox::seq.gt(seq))
            .order(outbox::seq)
            .limit(limit)
            .select(EventRow::as_select())
            .into_boxed();
        if let Some(topic) = topic {
            // Two ranges of two indexes, of which one is empty. Diesel has no IN over a UNION.
            query = query.filter(
                diesel::dsl::sql::<Bool>(
                    "outbox.event_id IN ((SELECT event_id FROM outbox_audience WHERE holder_id = ",
                )
                .bind::<UuidSql, _>(topic)
                .sql(" AND seq > ")
                .bind::<BigInt, _>(seq)
                .sql(" ORDER BY seq LIMIT ")
                .bind::<BigInt, _>(limit)
                .sql(") UNION ALL (SELECT event_id FROM outbox_subjects WHERE child_id = ")
                .bind::<UuidSql, _>(topic)
                .sql(" AND seq > ")
                .bind::<BigInt, _>(seq)
                .sql(" ORDER BY seq LIMIT ")
                .bind::<BigInt, _>(limit)
                .sql("))"),
            );
        }
        let events: Vec<EventRow> = query.load(&mut conn).await.map_err(failed)?;
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let recipients = recipients::of(&conn, &events, clock()).await?;
        Ok(events.into_iter().zip(recipients).map(|(event, recipients)| Delivery { event, recipients }).collect())
    }
}

impl EventLog {
    /// Of these streams (worker, topic) those that have lost their right as of `at`: their place among them, and why.
    pub async fn ended_access(
        &self,
        streams: &[(Uuid, Uuid)],
        at: DateTime<Utc>,
    ) -> Result<Vec<(usize, AccessEndReason)>> {
        use diesel::sql_types::{Array, Text, Timestamptz};
        #[derive(QueryableByName)]
        struct Ended {
            #[diesel(sql_type = BigInt)]
            place: i64,
            #[diesel(sql_type = Text)]
            reason: Coded<AccessEndReason>,
        }
        let (workers, topics): (Vec<Uuid>, Vec<Uuid>) = streams.iter().copied().unzip();
        let mut conn = self.db.pool.get().await.map_err(no_connection)?;
        let query = diesel::sql_query("select place, reason from hearth.ended_access($1, $2, $3)")
            .bind::<Array<UuidSql>, _>(workers)
            .bind::<Array<UuidSql>, _>(topics)
            .bind::<Timestamptz, _>(at);
        let ended: Vec<Ended> = query.load(&mut conn).await.map_err(failed)?;
        Ok(ended.into_iter().filter_map(|one| Some((usize::try_from(one.place - 1).ok()?, one.reason.0))).collect())
    }
}

diesel::define_sql_function! {
    /// Takes a session's advisory lock, if nobody has it.
    fn pg_try_advisory_lock(key: BigInt) -> Bool;
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
        let numbered: Vec<Numbered> = Kept(diesel::sql_query(
            "with waiting as (
                 select id, row_number() over (order by id) as place
                 from (select id from outbox where seq is null order by id limit 500) as first
             ), given as (
                 update outbox set seq = s.last_seq + w.place from waiting w, relay_state s where outbox.id = w.id
                 returning outbox.event_id, outbox.seq
             ), heard as (
                 update outbox_audience set seq = g.seq from given g where outbox_audience.event_id = g.event_id
             ), about as (
                 update outbox_subjects set seq = g.seq from given g where outbox_subjects.event_id = g.event_id
             )
             update relay_state set last_seq = last_seq + (select count(*) from given)
             where exists (select from given)
             returning last_seq, (select count(*) from given) as given",
        ))
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

    /// The newest link of the audit's chain.
    pub async fn newest_link(&mut self) -> Result<Option<super::audit::Link>> {
        super::audit::newest(&mut self.conn).await
    }

    /// Seals what of the audit is not sealed yet: the next link of its chain, if there is one.
    pub async fn seal(&mut self, at: DateTime<Utc>) -> Result<Option<super::audit::Link>> {
        super::audit::seal(&mut self.conn, at).await
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
