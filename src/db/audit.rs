//! The audit: appended to by every process, sealed by the relay's leader, verified from outside.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as UuidSql},
};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection, pooled_connection::deadpool::Object,
};
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
    /// Persons, families, conferences.
    pub subjects: Vec<Uuid>,
    /// Cases and plans of theirs.
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
    pub subjects: Vec<Uuid>,
    pub records: Vec<Uuid>,
    pub asked: Vec<Uuid>,
    pub classes: Vec<String>,
    pub codes: Vec<String>,
    pub events: Vec<Uuid>,
    pub recipients: Vec<Uuid>,
}

/// An append that takes longer has failed: Postgres itself gives up before.
const STUCK_AFTER: Duration = Duration::from_secs(12);

/// Appends these entries at once, outside of any viewer's transaction: committed when this returns.
pub async fn append(db: &Db, entries: &[NewEntry]) -> Result<()> {
    #[derive(QueryableByName)]
    struct Appended {
        #[diesel(sql_type = BigInt)]
        appended: i64,
    }
    let text = serde_json::to_string(entries).map_err(Error::internal)?;
    let mut conn = db.pool.get().await.map_err(no_connection)?;
    // One statement however many: a VALUES list of each length would be prepared on its own.
    let query = diesel::sql_query("select hearth.append_audit($1::jsonb) as appended").bind::<Text, _>(text);
    let Ok(appended) = tokio::time::timeout(STUCK_AFTER, Kept(query).get_result(&mut conn)).await else {
        // The connection is half open, and the next one must not be it.
        drop(Object::take(conn));
        return Err(Error::Timeout);
    };
    let appended: Appended = appended.map_err(failed)?;
    if usize::try_from(appended.appended) == Ok(entries.len()) {
        Ok(())
    } else {
        Err(Error::internal(format!("of {} entries of the audit {} were appended", entries.len(), appended.appended)))
    }
}

/// Which entries are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Only of this worker.
    pub worker_id: Option<Uuid>,
    /// Only those that name this record, shown or asked for.
    pub record_id: Option<Uuid>,
}

/// Entries about a record: that name it or its conferences, or its case or plan, or that it was asked for in vain. Each part
/// has an index.
macro_rules! wanted {
    ($query:ident, $wanted:ident) => {
        if let Some(worker) = $wanted.worker_id {
            $query = $query.filter(audit_entries::worker_id.eq(worker));
        }
        if let Some(record) = $wanted.record_id {
            $query = $query.filter(
                diesel::dsl::sql::<Bool>("(subjects && hearth.audit_subjects(")
                    .bind::<UuidSql, _>(record)
                    .sql(") or (subjects @> array[hearth.audit_child(")
                    .bind::<UuidSql, _>(record)
                    .sql(")] and records @> array[")
                    .bind::<UuidSql, _>(record)
                    .sql("]) or (asked <> '{}' and asked @> array[")
                    .bind::<UuidSql, _>(record)
                    .sql("]))"),
            );
        }
    };
}

/// A page of the entries that the viewer may read, newest first.
pub async fn page(snapshot: &Snapshot, wanted: Wanted, page: &Page<i64>) -> Result<Vec<EntryRow>> {
    let mut query = latest_first!(audit_entries::table.select(EntryRow::as_select()), page, audit_entries::id);
    wanted!(query, wanted);
    snapshot.load(query).await
}

/// How many entries the viewer may read.
pub async fn count(snapshot: &Snapshot, wanted: Wanted) -> Result<i64> {
    let mut query = audit_entries::table.count().into_boxed();
    wanted!(query, wanted);
    let counted: Vec<i64> = snapshot.load(query).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// A page of who looked at each of these children, newest first. Nothing for whoever may not know.
pub async fn who_looked(snapshot: &Snapshot, child_ids: &[Uuid], page: &Page<i64>) -> Result<Vec<Placed<EntryRow>>> {
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
        Array<UuidSql>,
        Array<Text>,
        Array<Text>,
        Array<UuidSql>,
        Array<UuidSql>,
    );
    let before = page.after.map_or("NULL".to_owned(), |id| id.to_string());
    // Both are numbers.
    let query = diesel::dsl::sql::<Columns>(&format!(
        "SELECT id, at, worker_id, action, purpose, operation, operation_hash, request_id, subjects, records, asked, \
         classes, codes, events, recipients FROM hearth.who_looked(parent.id, {before}, {})",
        page.limit()
    ));
    snapshot.load(lateral::for_each(child_ids, query)).await
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
struct Seal {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    upto: i64,
    #[diesel(sql_type = BigInt)]
    entries: i64,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

/// What an entry says, as one text: its columns in this order. What a column that is added later says needs a text of its own,
/// or no link before it can be reckoned any more.
const TEXT: &str = "row(e.id, extract(epoch from e.at), e.worker_id, e.action, e.purpose, e.operation, e.operation_hash, \
    e.request_id, e.process, e.subjects, e.records, e.asked, e.classes, e.codes, e.events, e.recipients)::text";

/// The digest of a text.
fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

/// The hash of a link over the one before it: digests are all of one length, so two entries never read as one.
fn linked<'a>(before: &[u8], digests: impl Iterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(before);
    digests.for_each(|digest| hasher.update(digest));
    hasher.finalize().to_vec()
}

/// Entries of one link at most.
const LINK: i64 = 5_000;

const LAST: &str = "select seq, upto, entries, hash from audit_seals order by seq desc limit 1";

/// Seals what is settled and not sealed yet, as the relay's role. Nothing when there is nothing. Entries are read and not
/// touched.
pub(in crate::db) async fn seal(conn: &mut AsyncPgConnection, at: DateTime<Utc>) -> Result<Option<Link>> {
    #[derive(QueryableByName)]
    struct Settled {
        #[diesel(sql_type = Nullable<BigInt>)]
        upto: Option<i64>,
    }
    #[derive(QueryableByName)]
    struct Digested {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Binary)]
        digest: Vec<u8>,
    }
    let last: Option<Seal> = Kept(diesel::sql_query(LAST)).get_result(conn).await.optional().map_err(failed)?;
    let (seq, sealed, before) = last.map_or((1, 0, Vec::new()), |last| (last.seq + 1, last.upto, last.hash));
    let settled = diesel::sql_query("select hearth.audit_settled() as upto");
    let settled: Settled = Kept(settled).get_result(conn).await.map_err(failed)?;
    let Some(settled) = settled.upto.filter(|upto| *upto > sealed) else { return Ok(None) };
    // The database digests: the texts stay there.
    let query = format!(
        "select e.id, sha256(convert_to({TEXT}, 'UTF8')) as digest from audit_entries e
         where e.id > $1 and e.id <= $2 order by e.id limit $3"
    );
    let query = diesel::sql_query(query).bind::<BigInt, _>(sealed).bind::<BigInt, _>(settled).bind::<BigInt, _>(LINK);
    let waiting: Vec<Digested> = Kept(query).load(conn).await.map_err(failed)?;
    let Some(upto) = waiting.last().map(|entry| entry.id) else { return Ok(None) };
    let hash = linked(&before, waiting.iter().map(|entry| &entry.digest));
    let insert =
        diesel::sql_query("insert into audit_seals (seq, upto, entries, hash, sealed_at) values ($1, $2, $3, $4, $5)");
    let count = i64::try_from(waiting.len()).map_err(Error::internal)?;
    let insert = insert
        .bind::<BigInt, _>(seq)
        .bind::<BigInt, _>(upto)
        .bind::<BigInt, _>(count)
        .bind::<Binary, _>(&hash)
        .bind::<Timestamptz, _>(at);
    Kept(insert).execute(conn).await.map_err(failed)?;
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
    /// Links that are anchored.
    pub anchors: usize,
    /// What is wrong, in words; empty when nothing is.
    pub faults: Vec<String>,
}

/// The newest link, as the relay's role.
pub(in crate::db) async fn newest(conn: &mut AsyncPgConnection) -> Result<Option<Link>> {
    let last: Option<Seal> = Kept(diesel::sql_query(LAST)).get_result(conn).await.optional().map_err(failed)?;
    Ok(last.map(|last| Link { seq: last.seq, hash: last.hash }))
}

/// Which link must be anchored by now: the one before the newest, which was anchored before the newest was made. Asked before
/// the anchors are read.
pub async fn must_be_anchored(url: &str) -> Result<i64> {
    let mut conn = AsyncPgConnection::establish(url).await.map_err(Error::internal)?;
    Ok(newest(&mut conn).await?.map_or(0, |link| link.seq - 1))
}

/// Reckons the whole chain anew, as the relay's role, and looks for every anchor in it: links that were written down outside
/// the database, up to the one that must be. Two anchors of one link must say the same: a chain that was made anew behind a
/// change has been anchored anew too. Long chains take their time; nothing is locked.
pub async fn verify(url: &str, anchors: Option<&[Link]>, must_be_anchored: i64) -> Result<Verified> {
    #[derive(QueryableByName)]
    struct Said {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Text)]
        text: String,
    }
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        waiting: i64,
    }
    let mut conn = AsyncPgConnection::establish(url).await.map_err(Error::internal)?;
    conn.batch_execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)?;
    let mut anchored: HashMap<i64, Vec<&[u8]>> = HashMap::new();
    for link in anchors.unwrap_or_default() {
        anchored.entry(link.seq).or_default().push(&link.hash);
    }
    let mut found = Verified::default();
    let mut before: Vec<u8> = Vec::new();
    // What stands before the first entry is no entry of ours, and would be in the first link.
    let (mut expected, mut from) = (1, i64::MIN);
    let entries_of =
        format!("select e.id, {TEXT} as text from audit_entries e where e.id > $1 and e.id <= $2 order by e.id");
    loop {
        let next =
            diesel::sql_query("select seq, upto, entries, hash from audit_seals where seq >= $1 order by seq limit 1");
        let next: Option<Seal> =
            next.bind::<BigInt, _>(expected).get_result(&mut conn).await.optional().map_err(failed)?;
        let Some(seal) = next else { break };
        if seal.seq != expected {
            found.faults.push(format!("links {expected} to {} are missing", seal.seq - 1));
        }
        let entries = diesel::sql_query(&entries_of).bind::<BigInt, _>(from).bind::<BigInt, _>(seal.upto);
        let entries: Vec<Said> = entries.load(&mut conn).await.map_err(failed)?;
        let count = i64::try_from(entries.len()).map_err(Error::internal)?;
        if count != seal.entries {
            found.faults.push(format!("link {} was made of {} entries and has {count}", seal.seq, seal.entries));
        }
        let digests: Vec<Vec<u8>> = entries.iter().map(|entry| digest(&entry.text)).collect();
        if linked(&before, digests.iter()) != seal.hash {
            let (first, last) = (entries.as_slice().first().map_or(from, |entry| entry.id), seal.upto);
            found.faults.push(format!(
                "link {} does not follow from its entries, {first} to {last}, and the link before",
                seal.seq
            ));
        }
        match anchored.get(&seal.seq) {
            Some(hashes) if hashes.iter().any(|hash| *hash != seal.hash) => {
                found.faults.push(format!("link {} is not the one that was anchored", seal.seq));
            }
            Some(_) => found.anchors += 1,
            None => {}
        }
        found.links += 1;
        found.entries += count;
        before = seal.hash;
        from = seal.upto;
        expected = seal.seq + 1;
    }
    let mut missing: Vec<i64> = anchored.keys().copied().filter(|seq| *seq >= expected).collect();
    missing.sort_unstable();
    found.faults.extend(missing.iter().map(|seq| format!("link {seq} was anchored and is missing")));
    if anchors.is_some() && must_be_anchored > 0 && !anchored.contains_key(&must_be_anchored) {
        found.faults.push(format!(
            "link {must_be_anchored} is not anchored: were the anchors cut off, or are they those of another process?"
        ));
    }
    let counted = diesel::sql_query("select count(*) as waiting from audit_entries where id > $1");
    let counted: Counted = counted.bind::<BigInt, _>(from).get_result(&mut conn).await.map_err(failed)?;
    found.waiting = counted.waiting;
    conn.batch_execute("COMMIT").await.map_err(failed)?;
    Ok(found)
}
