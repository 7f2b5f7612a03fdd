//! The audit: appended to by every process, sealed by the relay's leader, verified from outside.

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as UuidSql},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Coded, Db, Page, Placed, Snapshot, failed, kept::Kept, lateral, lateral::latest_first, no_connection,
    schema::audit_entries,
};
use crate::{
    domain::codes::{AuditAction, FieldClass, Purpose},
    error::{Error, Result},
};

/// What is written down of an operation, or of events that were sent.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct NewEntry {
    pub at: DateTime<Utc>,
    pub worker_id: Option<Uuid>,
    pub action: AuditAction,
    pub purpose: Purpose,
    pub operation: Vec<String>,
    pub operation_hash: Option<String>,
    pub request_id: Option<Uuid>,
    pub process: Uuid,
    pub records: Vec<Uuid>,
    pub asked: Vec<Uuid>,
    pub classes: Vec<FieldClass>,
    pub codes: Vec<&'static str>,
    pub events: Vec<Uuid>,
    pub recipients: Vec<Uuid>,
}

/// An entry as an auditor reads it.
#[derive(Clone, Debug, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = audit_entries, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct EntryRow {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub worker_id: Option<Uuid>,
    pub action: Coded<AuditAction>,
    pub purpose: Coded<Purpose>,
    pub operation: Vec<String>,
    pub operation_hash: Option<String>,
    pub request_id: Option<Uuid>,
    pub records: Vec<Uuid>,
    pub asked: Vec<Uuid>,
    pub classes: Vec<String>,
    pub codes: Vec<String>,
    pub events: Vec<Uuid>,
    pub recipients: Vec<Uuid>,
}

/// Appends these entries at once, outside of any viewer's transaction: committed when this returns.
pub async fn append(db: &Db, entries: &[NewEntry]) -> Result<()> {
    let entries = serde_json::to_string(entries).map_err(Error::internal)?;
    let mut conn = db.pool.get().await.map_err(no_connection)?;
    // One statement however many: a VALUES list of each length would be prepared on its own.
    let query = diesel::sql_query(
        "insert into audit_entries (at, worker_id, action, purpose, operation, operation_hash, request_id, process, records,
                                    asked, classes, codes, events, recipients)
         select at, worker_id, action, purpose, operation, operation_hash, request_id, process, records, asked, classes, codes,
                events, recipients
         from jsonb_to_recordset($1::jsonb) as e (
             at timestamptz, worker_id uuid, action text, purpose text, operation text[], operation_hash text,
             request_id uuid, process uuid, records uuid[], asked uuid[], classes text[], codes text[], events uuid[],
             recipients uuid[])",
    );
    Kept(query.bind::<Text, _>(entries)).execute(&mut conn).await.map_err(failed)?;
    Ok(())
}

/// Which entries are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Only of this worker.
    pub worker_id: Option<Uuid>,
    /// Only those that name this record, shown or asked for.
    pub record_id: Option<Uuid>,
}

/// A page of the entries that the viewer may read, newest first.
pub async fn page(snapshot: &Snapshot, wanted: Wanted, page: &Page<i64>) -> Result<Vec<EntryRow>> {
    let mut query = latest_first!(audit_entries::table.select(EntryRow::as_select()), page, audit_entries::id);
    if let Some(worker) = wanted.worker_id {
        query = query.filter(audit_entries::worker_id.eq(worker));
    }
    if let Some(record) = wanted.record_id {
        query =
            query.filter(audit_entries::records.contains(vec![record]).or(audit_entries::asked.contains(vec![record])));
    }
    snapshot.load(query).await
}

/// How many entries the viewer may read.
pub async fn count(snapshot: &Snapshot, wanted: Wanted) -> Result<i64> {
    let mut query = audit_entries::table.count().into_boxed();
    if let Some(worker) = wanted.worker_id {
        query = query.filter(audit_entries::worker_id.eq(worker));
    }
    if let Some(record) = wanted.record_id {
        query =
            query.filter(audit_entries::records.contains(vec![record]).or(audit_entries::asked.contains(vec![record])));
    }
    let counted: Vec<i64> = snapshot.load(query).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// A page of who looked at each of these children, newest first. Nothing for whoever may not know.
pub async fn who_looked(snapshot: &Snapshot, child_ids: &[Uuid], page: &Page<i64>) -> Result<Vec<Placed<EntryRow>>> {
    type Row = (
        i64,
        DateTime<Utc>,
        Option<Uuid>,
        Coded<AuditAction>,
        Coded<Purpose>,
        Vec<String>,
        Option<String>,
        Option<Uuid>,
        Vec<Uuid>,
        Vec<Uuid>,
        Vec<String>,
        Vec<String>,
        Vec<Uuid>,
        Vec<Uuid>,
    );
    type Columns = (
        BigInt,
        Timestamptz,
        Nullable<UuidSql>,
        Text,
        Text,
        Array<Text>,
        Nullable<Text>,
        Nullable<UuidSql>,
        Array<UuidSql>,
        Array<UuidSql>,
        Array<Text>,
        Array<Text>,
        Array<UuidSql>,
        Array<UuidSql>,
    );
    let before = page.after.map_or("NULL".to_owned(), |id| id.to_string());
    // Both are numbers.
    let query = diesel::dsl::sql::<Columns>(&format!(
        "SELECT id, at, worker_id, action, purpose, operation, operation_hash, request_id, records, asked, classes, codes, \
         events, recipients FROM hearth.who_looked(parent.id, {before}, {})",
        page.limit()
    ));
    let rows: Vec<Placed<Row>> = snapshot.load(lateral::for_each(child_ids, query)).await?;
    let row = |(
        id,
        at,
        worker_id,
        action,
        purpose,
        operation,
        operation_hash,
        request_id,
        records,
        asked,
        classes,
        codes,
        events,
        recipients,
    ): Row| EntryRow {
        id,
        at,
        worker_id,
        action,
        purpose,
        operation,
        operation_hash,
        request_id,
        records,
        asked,
        classes,
        codes,
        events,
        recipients,
    };
    Ok(rows.into_iter().map(|(place, one)| (place, row(one))).collect())
}

/// A link of the chain: its number and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number, from 1.
    pub seq: i64,
    /// SHA-256 of the link before and of its entries.
    pub hash: Vec<u8>,
}

#[derive(QueryableByName)]
struct Sealable {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct Seal {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    entries: i64,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

/// The hash of a link over the one before it.
fn linked(before: &[u8], entries: &[Sealable]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(before);
    for entry in entries {
        // With its length: two entries never read as one.
        hasher.update((entry.text.len() as u64).to_be_bytes());
        hasher.update(entry.text.as_bytes());
    }
    hasher.finalize().to_vec()
}

/// Entries of one link at most.
const LINK: i64 = 5_000;

/// Seals what is not sealed yet, as the relay's role. Nothing when there is nothing.
pub(in crate::db) async fn seal(conn: &mut AsyncPgConnection, at: DateTime<Utc>) -> Result<Option<Link>> {
    conn.batch_execute("BEGIN").await.map_err(failed)?;
    let sealed = seal_within(conn, at).await;
    let end = if sealed.is_ok() { "COMMIT" } else { "ROLLBACK" };
    conn.batch_execute(end).await.map_err(failed)?;
    sealed
}

async fn seal_within(conn: &mut AsyncPgConnection, at: DateTime<Utc>) -> Result<Option<Link>> {
    let waiting = diesel::sql_query(
        "select id, (to_jsonb(e) - 'seal')::text as text from audit_entries e where seal is null order by id limit $1",
    );
    let waiting: Vec<Sealable> = Kept(waiting.bind::<BigInt, _>(LINK)).load(conn).await.map_err(failed)?;
    if waiting.is_empty() {
        return Ok(None);
    }
    let last: Option<Seal> =
        Kept(diesel::sql_query("select seq, entries, hash from audit_seals order by seq desc limit 1"))
            .get_result(conn)
            .await
            .optional()
            .map_err(failed)?;
    let (seq, before) = last.map_or((1, Vec::new()), |last| (last.seq + 1, last.hash));
    let hash = linked(&before, &waiting);
    let ids: Vec<i64> = waiting.iter().map(|entry| entry.id).collect();
    let count = i64::try_from(ids.len()).map_err(Error::internal)?;
    Kept(
        diesel::sql_query("update audit_entries set seal = $1 where id = any ($2)")
            .bind::<BigInt, _>(seq)
            .bind::<Array<BigInt>, _>(ids),
    )
    .execute(conn)
    .await
    .map_err(failed)?;
    Kept(
        diesel::sql_query("insert into audit_seals (seq, entries, hash, sealed_at) values ($1, $2, $3, $4)")
            .bind::<BigInt, _>(seq)
            .bind::<BigInt, _>(count)
            .bind::<Binary, _>(&hash)
            .bind::<Timestamptz, _>(at),
    )
    .execute(conn)
    .await
    .map_err(failed)?;
    Ok(Some(Link { seq, hash }))
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Links of the chain.
    pub links: i64,
    /// Entries in them.
    pub entries: i64,
    /// Entries that are not sealed yet.
    pub waiting: i64,
    /// Anchors that were looked for in the chain.
    pub anchors: usize,
    /// What is wrong, in words; empty when nothing is.
    pub faults: Vec<String>,
}

/// Reckons the whole chain anew, as the relay's role, and looks for every anchor in it: links that were written down outside
/// the database. Long chains take their time; nothing is locked.
pub async fn verify(url: &str, anchors: &[Link]) -> Result<Verified> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        waiting: i64,
        #[diesel(sql_type = BigInt)]
        beyond: i64,
    }
    let mut conn = AsyncPgConnection::establish(url).await.map_err(Error::internal)?;
    conn.batch_execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET timezone = 'UTC'")
        .await
        .map_err(failed)?;
    let mut found = Verified { anchors: anchors.len(), ..Verified::default() };
    let mut before: Vec<u8> = Vec::new();
    let mut expected = 1;
    loop {
        let next: Option<Seal> =
            diesel::sql_query("select seq, entries, hash from audit_seals where seq >= $1 order by seq limit 1")
                .bind::<BigInt, _>(expected)
                .get_result(&mut conn)
                .await
                .optional()
                .map_err(failed)?;
        let Some(seal) = next else { break };
        if seal.seq != expected {
            found.faults.push(format!("links {expected} to {} are missing", seal.seq - 1));
        }
        let entries: Vec<Sealable> = diesel::sql_query(
            "select id, (to_jsonb(e) - 'seal')::text as text from audit_entries e where seal = $1 order by id",
        )
        .bind::<BigInt, _>(seal.seq)
        .load(&mut conn)
        .await
        .map_err(failed)?;
        let count = i64::try_from(entries.len()).map_err(Error::internal)?;
        if count != seal.entries {
            found.faults.push(format!("link {} was made of {} entries and has {count}", seal.seq, seal.entries));
        }
        if linked(&before, &entries) != seal.hash {
            found.faults.push(format!("link {} does not follow from its entries and the link before", seal.seq));
        }
        for anchor in anchors.iter().filter(|anchor| anchor.seq == seal.seq && anchor.hash != seal.hash) {
            found.faults.push(format!("link {} is not the one that was anchored", anchor.seq));
        }
        found.links += 1;
        found.entries += count;
        before = seal.hash;
        expected = seal.seq + 1;
    }
    for anchor in anchors.iter().filter(|anchor| anchor.seq >= expected) {
        found.faults.push(format!("link {} was anchored and is missing", anchor.seq));
    }
    let counted: Counted = diesel::sql_query(
        "select count(*) filter (where seal is null) as waiting,
                count(*) filter (where seal is not null and not exists (select from audit_seals s where s.seq = e.seal)) as beyond
         from audit_entries e",
    )
    .get_result(&mut conn)
    .await
    .map_err(failed)?;
    if counted.beyond > 0 {
        found.faults.push(format!("{} entries belong to links that are missing", counted.beyond));
    }
    found.waiting = counted.waiting;
    conn.batch_execute("COMMIT").await.map_err(failed)?;
    Ok(found)
}
