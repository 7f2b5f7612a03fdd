//! Child protection conferences.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx,
    columns::choose,
    failed,
    kept::Kept,
    lateral,
    lateral::{latest_first, newest_first},
    page::placed,
    schema::{conference_children, conference_moves, conferences},
};
use crate::{
    domain::codes::{
        AbuseCategory, ConferenceDecision, ConferenceState, ConferenceType, Participation, QuorumException,
    },
    error::{Error, Result},
};

/// A child protection conference.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conferences, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ConferenceRow {
    pub id: Uuid,
    pub family_id: Option<Uuid>,
    pub type_: Coded<ConferenceType>,
    pub state: Coded<ConferenceState>,
    pub requested_by: Uuid,
    pub requested_at: DateTime<Utc>,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub venue: Option<Personal<String>>,
    pub online: bool,
    pub chair_id: Option<Uuid>,
    pub held_at: Option<DateTime<Utc>>,
    pub quorate: Option<bool>,
    pub outline_plan_sent_at: Option<DateTime<Utc>>,
    pub minutes_sent_at: Option<DateTime<Utc>>,
    pub withdrawal_proposed_by: Option<Uuid>,
    pub version: i32,
}

/// The core of one child's part in a conference.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conference_children, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ConferenceChildCore {
    pub id: Uuid,
    pub conference_id: Uuid,
    pub child_id: Uuid,
    pub case_id: Uuid,
    pub decision: Option<Coded<ConferenceDecision>>,
    pub category: Option<Coded<AbuseCategory>>,
    pub next_review_on: Option<NaiveDate>,
    pub plan_id: Option<Uuid>,
    pub participation: Option<Coded<Participation>>,
    pub enquiry_id: Option<Uuid>,
}

/// One child's part in a conference with what was selected of it.
#[derive(Clone, Debug)]
pub struct ConferenceChildRow {
    /// The core.
    pub core: ConferenceChildCore,
    read: Columns,
    outline_plan: Option<Personal<String>>,
}

impl ConferenceChildRow {
    /// Narrative: the outline plan.
    pub fn outline_plan(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.outline_plan.as_ref().map(Personal::read))
    }
}

/// A date that a conference was moved from.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conference_moves, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct MoveRow {
    pub id: Uuid,
    pub conference_id: Uuid,
    pub moved_from: DateTime<Utc>,
    pub moved_to: DateTime<Utc>,
    pub reason: Personal<String>,
    pub moved_by: Uuid,
    pub moved_at: DateTime<Utc>,
}

/// These conferences.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<ConferenceRow>> {
    let query = conferences::table.filter(conferences::id.eq_any(ids.to_vec())).select(ConferenceRow::as_select());
    snapshot.load(query).await
}

/// The next conference with a date of each of these cases.
pub async fn next_of_cases(snapshot: &Snapshot, case_ids: &[Uuid]) -> Result<Vec<Placed<ConferenceRow>>> {
    let query = conference_children::table
        .inner_join(conferences::table)
        .filter(conference_children::case_id.eq(lateral::parent_id()))
        .filter(conferences::state.eq_any(vec!["SCHEDULED", "INVITED"]))
        .filter(conferences::scheduled_for.ge(snapshot.viewer().at))
        .order((conferences::scheduled_for.asc(), conferences::id.asc()))
        .limit(1)
        .select(ConferenceRow::as_select());
    snapshot.load(lateral::for_each(case_ids, query)).await
}

/// A page of the conferences of each of these cases, latest request first.
pub async fn of_cases(
    snapshot: &Snapshot,
    case_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<Placed<ConferenceRow>>> {
    let mut query = conference_children::table
        .inner_join(conferences::table)
        .filter(conference_children::case_id.eq(lateral::parent_id()))
        .order((conferences::requested_at.desc(), conferences::id.asc()))
        .limit(page.limit())
        .select(ConferenceRow::as_select())
        .into_boxed();
    if let Some((requested, id)) = page.after {
        query = query.filter(
            conferences::requested_at
                .lt(requested)
                .or(conferences::requested_at.eq(requested).and(conferences::id.gt(id))),
        );
    }
    snapshot.load(lateral::for_each(case_ids, query)).await
}

/// How many conferences each of these cases has had.
pub async fn count_of_cases(snapshot: &Snapshot, case_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = conference_children::table.filter(conference_children::case_id.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(case_ids, query)).await
}

/// A page of the coming conferences that each of these workers chairs, or that are about a case in which the worker
/// has a named part, soonest first.
pub async fn coming_of_workers(
    snapshot: &Snapshot,
    worker_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<Placed<ConferenceRow>>> {
    use super::schema::worker_involvements;
    let named = conference_children::table
        .inner_join(worker_involvements::table.on(worker_involvements::case_id.eq(conference_children::case_id)))
        .filter(conference_children::conference_id.eq(conferences::id))
        .filter(worker_involvements::worker_id.eq(lateral::parent_id()))
        .filter(worker_involvements::ended_at.is_null());
    let mut query = conferences::table
        .filter(conferences::state.eq_any(vec!["SCHEDULED", "INVITED"]))
        .filter(conferences::scheduled_for.ge(snapshot.viewer().at))
        .filter(conferences::chair_id.eq(lateral::parent_id().nullable()).or(diesel::dsl::exists(named)))
        .order((conferences::scheduled_for.asc(), conferences::id.asc()))
        .limit(page.limit())
        .select(ConferenceRow::as_select())
        .into_boxed();
    if let Some((scheduled, id)) = page.after {
        query = query.filter(
            conferences::scheduled_for
                .gt(scheduled)
                .or(conferences::scheduled_for.eq(scheduled).and(conferences::id.gt(id))),
        );
    }
    snapshot.load(lateral::for_each(worker_ids, query)).await
}

/// How many coming conferences concern each of these workers by name.
pub async fn count_coming_of_workers(snapshot: &Snapshot, worker_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    use super::schema::worker_involvements;
    let named = conference_children::table
        .inner_join(worker_involvements::table.on(worker_involvements::case_id.eq(conference_children::case_id)))
        .filter(conference_children::conference_id.eq(conferences::id))
        .filter(worker_involvements::worker_id.eq(lateral::parent_id()))
        .filter(worker_involvements::ended_at.is_null());
    let query = conferences::table
        .filter(conferences::state.eq_any(vec!["SCHEDULED", "INVITED"]))
        .filter(conferences::scheduled_for.ge(snapshot.viewer().at))
        .filter(conferences::chair_id.eq(lateral::parent_id().nullable()).or(diesel::dsl::exists(named)))
        .count();
    snapshot.load(lateral::for_each(worker_ids, query)).await
}

/// Each child's part in each of these conferences; children out of sight are not among them.
pub async fn children_of(
    snapshot: &Snapshot,
    conference_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<ConferenceChildRow>>> {
    let query = conference_children::table
        .filter(conference_children::conference_id.eq(lateral::parent_id()))
        .order(conference_children::id)
        .select((
            ConferenceChildCore::as_select(),
            choose(read.has(Columns::NARRATIVE), conference_children::outline_plan, "NULL"),
        ));
    let rows: Vec<Placed<(ConferenceChildCore, Option<Personal<String>>)>> =
        snapshot.load(lateral::for_each(conference_ids, query)).await?;
    Ok(rows
        .into_iter()
        .map(|(at, (core, outline_plan))| (at, ConferenceChildRow { core, read, outline_plan }))
        .collect())
}

/// The dates that each of these conferences was moved from, oldest first.
pub async fn moves_of(snapshot: &Snapshot, conference_ids: &[Uuid]) -> Result<Vec<Placed<MoveRow>>> {
    let query = conference_moves::table
        .filter(conference_moves::conference_id.eq(lateral::parent_id()))
        .order((conference_moves::moved_at, conference_moves::id))
        .select(MoveRow::as_select());
    snapshot.load(lateral::for_each(conference_ids, query)).await
}

/// A conference inside a change, locked against other changes. Hidden or missing: NOT_FOUND.
pub async fn lock(tx: &ViewerTx, id: Uuid) -> Result<ConferenceRow> {
    read(tx, id).await?.ok_or(Error::NotFound)?;
    tx.queue_for(id).await?;
    read(tx, id).await?.ok_or(Error::NotFound)
}

async fn read(tx: &ViewerTx, id: Uuid) -> Result<Option<ConferenceRow>> {
    conferences::table
        .find(id)
        .select(ConferenceRow::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// The children of a conference that the viewer sees, inside a change, in a fixed order: without those whom they see only
/// because they broke a glass, which is for reading.
pub async fn children(tx: &ViewerTx, conference_id: Uuid) -> Result<Vec<ConferenceChildCore>> {
    conference_children::table
        .filter(conference_children::conference_id.eq(conference_id))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("NOT hearth.by_glass(conference_children.child_id)"))
        .order(conference_children::case_id)
        .select(ConferenceChildCore::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Every case of a conference, and who holds and leads it now. Also of children whom the viewer does not see: their
/// units must hear of it.
pub struct Holders {
    /// The cases that the conference is about, seen or not, by id.
    pub cases: Vec<Uuid>,
    /// Units of any of them.
    pub units: Vec<Uuid>,
    /// Lead practitioners of any of them.
    pub leads: Vec<Uuid>,
}

/// See [`Holders`].
pub async fn holders(tx: &ViewerTx, conference_id: Uuid) -> Result<Holders> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        case_id: Uuid,
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Uuid>)]
        unit_id: Option<Uuid>,
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Uuid>)]
        lead_id: Option<Uuid>,
    }
    let holders = diesel::sql_query("select case_id, unit_id, lead_id from hearth.conference_holders($1)");
    let rows: Vec<Row> =
        Kept(holders.bind::<diesel::sql_types::Uuid, _>(conference_id)).load(&mut tx.conn()?).await.map_err(failed)?;
    let once = |mut ids: Vec<Uuid>| {
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    Ok(Holders {
        cases: once(rows.iter().map(|row| row.case_id).collect()),
        units: once(rows.iter().filter_map(|row| row.unit_id).collect()),
        leads: once(rows.iter().filter_map(|row| row.lead_id).collect()),
    })
}

/// Waits until no other change is about any of the conference's cases, in the order of their ids.
pub async fn queue_for_cases(tx: &ViewerTx, conference_id: Uuid) -> Result<()> {
    tx.wait_for(&holders(tx, conference_id).await?.cases).await
}

/// Whether one of these cases has a conference that is not over.
pub async fn has_open(tx: &ViewerTx, case_ids: &[Uuid]) -> Result<bool> {
    diesel::select(diesel::dsl::exists(
        conference_children::table
            .inner_join(conferences::table)
            .filter(conference_children::case_id.eq_any(case_ids.to_vec()))
            .filter(conferences::state.ne_all(vec!["DECIDED", "ISSUED", "WITHDRAWN"])),
    ))
    .get_result(&mut tx.conn()?)
    .await
    .map_err(failed)
}

/// Whether a conference about the child in a case has decided and its minutes are not out.
pub async fn is_unissued(tx: &ViewerTx, case_id: Uuid) -> Result<bool> {
    let decided = conference_children::table
        .inner_join(conferences::table)
        .filter(conference_children::case_id.eq(case_id))
        .filter(conferences::state.eq("DECIDED"));
    diesel::select(diesel::dsl::exists(decided)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// A new conference.
#[derive(Insertable)]
#[diesel(table_name = conferences)]
#[allow(missing_docs)]
pub struct NewConference {
    pub id: Uuid,
    pub family_id: Option<Uuid>,
    pub type_: Coded<ConferenceType>,
    pub state: Coded<ConferenceState>,
    pub requested_by: Uuid,
    pub requested_at: DateTime<Utc>,
}

/// Asks for a conference about these children: (row id, child, case, the enquiry that it follows).
pub async fn request(tx: &ViewerTx, new: NewConference, about: &[(Uuid, Uuid, Uuid, Option<Uuid>)]) -> Result<()> {
    let conference = new.id;
    let mut conn = tx.conn()?;
    diesel::insert_into(conferences::table).values(new).execute(&mut conn).await.map_err(failed)?;
    let rows: Vec<_> = about
        .iter()
        .map(|(id, child, case, enquiry)| {
            (
                conference_children::id.eq(*id),
                conference_children::conference_id.eq(conference),
                conference_children::child_id.eq(*child),
                conference_children::case_id.eq(*case),
                conference_children::enquiry_id.eq(*enquiry),
            )
        })
        .collect();
    diesel::insert_into(conference_children::table).values(rows).execute(&mut conn).await.map_err(failed)?;
    Ok(())
}

/// What a step changes of a conference. What is none stays as it is.
#[derive(AsChangeset)]
#[diesel(table_name = conferences)]
#[allow(missing_docs)]
pub struct ConferenceChange {
    pub state: Coded<ConferenceState>,
    pub version: i32,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub venue: Option<String>,
    pub online: Option<bool>,
    pub chair_id: Option<Uuid>,
    pub held_at: Option<DateTime<Utc>>,
    pub quorate: Option<bool>,
    pub quorum_reason: Option<Coded<QuorumException>>,
    pub outline_plan_sent_at: Option<DateTime<Utc>>,
    pub minutes_sent_at: Option<DateTime<Utc>>,
    pub withdrawal_proposed_by: Option<Option<Uuid>>,
}

impl ConferenceChange {
    /// Only the state. What was proposed of a request is over when the request is.
    pub fn to(state: ConferenceState, version: i32) -> Self {
        let requested = matches!(state, ConferenceState::Requested | ConferenceState::Withdrawn);
        Self {
            state: Coded(state),
            version,
            scheduled_for: None,
            venue: None,
            online: None,
            chair_id: None,
            held_at: None,
            quorate: None,
            quorum_reason: None,
            outline_plan_sent_at: None,
            minutes_sent_at: None,
            withdrawal_proposed_by: (!requested).then_some(None),
        }
    }
}

/// Takes a step.
pub async fn change(tx: &ViewerTx, id: Uuid, change: ConferenceChange) -> Result<()> {
    let changed = tx.run(diesel::update(conferences::table.find(id)).set(change)).await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// A move to record.
#[derive(Insertable)]
#[diesel(table_name = conference_moves)]
#[allow(missing_docs)]
pub struct NewMove {
    pub id: Uuid,
    pub conference_id: Uuid,
    pub moved_from: DateTime<Utc>,
    pub moved_to: DateTime<Utc>,
    pub reason: String,
    pub moved_by: Uuid,
    pub moved_at: DateTime<Utc>,
}

diesel::define_sql_function! {
    /// Asks for new answers to all invitations of a conference that is authorised for writing.
    #[sql_name = "hearth.ask_again"]
    fn ask_again(conference: diesel::sql_types::Uuid, at: diesel::sql_types::Timestamptz) -> diesel::sql_types::BigInt;
}

/// How a child took part.
pub async fn take_part(tx: &ViewerTx, conference_child_id: Uuid, how: Participation) -> Result<()> {
    tx.run(
        diesel::update(conference_children::table.find(conference_child_id))
            .set(conference_children::participation.eq(Coded(how))),
    )
    .await?;
    Ok(())
}

/// Records a move, keeps the invitations and asks everybody again: an answer for another day is no answer.
pub async fn record_move(tx: &ViewerTx, new: NewMove) -> Result<()> {
    let (conference, at) = (new.conference_id, new.moved_at);
    let mut conn = tx.conn()?;
    diesel::insert_into(conference_moves::table).values(new).execute(&mut conn).await.map_err(failed)?;
    diesel::select(ask_again(conference, at)).execute(&mut conn).await.map_err(failed)?;
    Ok(())
}

/// Asks everybody again whose answer was for another day.
pub async fn ask_everybody_again(tx: &ViewerTx, conference_id: Uuid, at: DateTime<Utc>) -> Result<()> {
    diesel::select(ask_again(conference_id, at)).execute(&mut tx.conn()?).await.map_err(failed)?;
    Ok(())
}

/// What was decided for one child.
#[derive(AsChangeset)]
#[diesel(table_name = conference_children)]
#[allow(missing_docs)]
pub struct DecisionChange {
    pub decision: Coded<ConferenceDecision>,
    pub category: Option<Coded<AbuseCategory>>,
    pub outline_plan: Option<String>,
    pub next_review_on: Option<NaiveDate>,
    pub plan_id: Option<Uuid>,
}

/// Records what was decided for one child.
pub async fn decide(tx: &ViewerTx, conference_child_id: Uuid, decision: DecisionChange) -> Result<()> {
    let changed = tx.run(diesel::update(conference_children::table.find(conference_child_id)).set(decision)).await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Who chairs a conference in sight, inside a change.
pub async fn chair_of(tx: &ViewerTx, id: Uuid) -> Result<Option<Uuid>> {
    let chair: Option<Option<Uuid>> = conferences::table
        .find(id)
        .select(conferences::chair_id)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    Ok(chair.flatten())
}

diesel::define_sql_function! {
    /// The chairs of the protection plan in force of a case that the viewer sees at all.
    #[sql_name = "hearth.chairs_to_tell"]
    fn chairs_to_tell(case: diesel::sql_types::Uuid) -> diesel::sql_types::Array<diesel::sql_types::Uuid>;
}

/// Who chaired the conference that made the protection plan in force of a case, and the last one that carried it on, inside a
/// change; for whoever sees the case, and not its plans, too.
pub async fn chairs_in_force(tx: &ViewerTx, case_id: Uuid) -> Result<Vec<Uuid>> {
    diesel::select(chairs_to_tell(case_id)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// The chair of the last conference that made or carried on a plan of this child's.
pub async fn last_chair_of_child(tx: &ViewerTx, child_id: Uuid) -> Result<Option<Uuid>> {
    let chair: Option<Option<Uuid>> = conference_children::table
        .inner_join(conferences::table)
        .filter(conference_children::child_id.eq(child_id))
        .filter(conference_children::plan_id.is_not_null())
        .order(conferences::held_at.desc().nulls_last())
        .select(conferences::chair_id)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    Ok(chair.flatten())
}

/// A page of the conferences about each of these children, latest request first.
pub async fn of_children(
    snapshot: &Snapshot,
    child_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<Placed<ConferenceRow>>> {
    let query = conference_children::table
        .inner_join(conferences::table)
        .filter(conference_children::child_id.eq(lateral::parent_id()))
        .select(ConferenceRow::as_select());
    let query = newest_first!(query, page, conferences::requested_at, conferences::id);
    snapshot.load(lateral::for_each(child_ids, query)).await
}

/// How many conferences there have been about each of these children.
pub async fn count_of_children(snapshot: &Snapshot, child_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = conference_children::table.filter(conference_children::child_id.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(child_ids, query)).await
}

macro_rules! of {
    ($(#[$doc:meta])* $page:ident, $(#[$count_doc:meta])* $count:ident, by $($key:tt)*) => {
        $(#[$doc])*
        pub async fn $page(
            snapshot: &Snapshot,
            ids: &[Uuid],
            page: &Page<(DateTime<Utc>, Uuid)>,
        ) -> Result<Vec<Placed<ConferenceRow>>> {
            let query = conferences::table.filter(conferences::$($key)*).select(ConferenceRow::as_select());
            let query = newest_first!(query, page, conferences::requested_at, conferences::id);
            snapshot.load(lateral::for_each(ids, query)).await
        }

        $(#[$count_doc])*
        pub async fn $count(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
            let query = conferences::table.filter(conferences::$($key)*).count();
            snapshot.load(lateral::for_each(ids, query)).await
        }
    };
}

of! {
    /// A page of the conferences about each of these families, latest request first.
    of_families,
    /// How many conferences there have been about each of these families.
    count_of_families, by family_id.eq(lateral::parent_id().nullable())
}
of! {
    /// A page of the conferences that each of these workers chairs or chaired, latest request first.
    chaired_by,
    /// How many conferences each of these workers chairs or chaired.
    count_chaired_by, by chair_id.eq(lateral::parent_id().nullable())
}
of! {
    /// A page of the conferences that each of these workers asked for, latest request first.
    requested_by,
    /// How many conferences each of these workers asked for.
    count_requested_by, by requested_by.eq(lateral::parent_id())
}

macro_rules! part_columns {
    ($read:expr) => {
        (
            ConferenceChildCore::as_select(),
            choose($read.has(Columns::NARRATIVE), conference_children::outline_plan, "NULL"),
        )
    };
}

fn parts(
    read: Columns,
    rows: Vec<Placed<(ConferenceChildCore, Option<Personal<String>>)>>,
) -> Vec<Placed<ConferenceChildRow>> {
    placed(rows, |(core, outline_plan)| ConferenceChildRow { core, read, outline_plan })
}

/// A page of the parts that each of these children has in conferences, latest first.
pub async fn parts_of_children(
    snapshot: &Snapshot,
    ids: &[Uuid],
    page: &Page<Uuid>,
    read: Columns,
) -> Result<Vec<Placed<ConferenceChildRow>>> {
    let query = conference_children::table
        .filter(conference_children::child_id.eq(lateral::parent_id()))
        .select(part_columns!(read));
    let query = latest_first!(query, page, conference_children::id);
    Ok(parts(read, snapshot.load(lateral::for_each(ids, query)).await?))
}

/// How many there are.
pub async fn count_parts_of_children(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = conference_children::table.filter(conference_children::child_id.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(ids, query)).await
}

/// A page of the parts that each of these cases has in conferences, latest first.
pub async fn parts_of_cases(
    snapshot: &Snapshot,
    ids: &[Uuid],
    page: &Page<Uuid>,
    read: Columns,
) -> Result<Vec<Placed<ConferenceChildRow>>> {
    let query = conference_children::table
        .filter(conference_children::case_id.eq(lateral::parent_id()))
        .select(part_columns!(read));
    let query = latest_first!(query, page, conference_children::id);
    Ok(parts(read, snapshot.load(lateral::for_each(ids, query)).await?))
}

/// How many there are.
pub async fn count_parts_of_cases(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = conference_children::table.filter(conference_children::case_id.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(ids, query)).await
}

/// A page of the parts that each of these plans was decided on in conferences, latest first.
pub async fn parts_of_plans(
    snapshot: &Snapshot,
    ids: &[Uuid],
    page: &Page<Uuid>,
    read: Columns,
) -> Result<Vec<Placed<ConferenceChildRow>>> {
    let query = conference_children::table
        .filter(conference_children::plan_id.eq(lateral::parent_id().nullable()))
        .select(part_columns!(read));
    let query = latest_first!(query, page, conference_children::id);
    Ok(parts(read, snapshot.load(lateral::for_each(ids, query)).await?))
}

/// How many there are.
pub async fn count_parts_of_plans(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query =
        conference_children::table.filter(conference_children::plan_id.eq(lateral::parent_id().nullable())).count();
    snapshot.load(lateral::for_each(ids, query)).await
}

/// A page of the moves of conferences that each of these workers made, newest first.
pub async fn moved_by(
    snapshot: &Snapshot,
    ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<Placed<MoveRow>>> {
    let query = conference_moves::table
        .filter(conference_moves::moved_by.eq(lateral::parent_id()))
        .select(MoveRow::as_select());
    let query = newest_first!(query, page, conference_moves::moved_at, conference_moves::id);
    snapshot.load(lateral::for_each(ids, query)).await
}

/// How many moves of conferences each of these workers made.
pub async fn count_moved_by(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = conference_moves::table.filter(conference_moves::moved_by.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(ids, query)).await
}
