//! Strategy discussions, and the section 47 enquiries that follow them.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx,
    columns::{choose_class, choose_whole},
    conferences::ConferenceRow,
    failed, lateral,
    lateral::newest_first,
    page::placed,
    schema::{
        allocations, conference_children, conferences, section47_enquiries, strategy_discussions, strategy_participants,
    },
};
use crate::{
    domain::codes::{Agency, CaseStatus, EnquiryMode, EnquiryOutcome, EnquiryStatus, FieldClass, StrategyDecision},
    error::{Error, Result},
};

type Text = Option<Personal<String>>;

/// The core of a strategy discussion about one child.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = strategy_discussions, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct DiscussionCore {
    pub id: Uuid,
    pub meeting_id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub held_at: DateTime<Utc>,
    pub decision: Coded<StrategyDecision>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// A strategy discussion with what was selected of it.
#[derive(Clone, Debug)]
pub struct DiscussionRow {
    /// The core.
    pub core: DiscussionCore,
    read: Columns,
    information_shared: Text,
    texts: (Text, Text, Text),
    actions: Option<Personal<Vec<String>>>,
}

/// The narrative group, and what others said.
#[allow(missing_docs)]
impl DiscussionRow {
    pub fn information_shared(&self) -> Result<Option<&str>> {
        self.read.check(Columns::THIRD_PARTY)?;
        Ok(self.information_shared.as_ref().map(Personal::read))
    }
    fn text<'a>(&'a self, text: &'a Text) -> Result<Option<&'a str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(text.as_ref().map(Personal::read))
    }
    pub fn decision_reason(&self) -> Result<Option<&str>> {
        self.text(&self.texts.0)
    }
    pub fn immediate_action(&self) -> Result<Option<&str>> {
        self.text(&self.texts.1)
    }
    pub fn absence_reason(&self) -> Result<Option<&str>> {
        self.text(&self.texts.2)
    }
    pub fn actions(&self) -> Result<Option<&[String]>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.actions.as_ref().map(Personal::read))
    }
}

type RawDiscussion = (DiscussionCore, Text, Text, Text, Text, Option<Personal<Vec<String>>>);

fn discussion(read: Columns) -> impl Fn(RawDiscussion) -> DiscussionRow {
    move |(core, information_shared, reason, immediate, absence, actions)| DiscussionRow {
        core,
        read,
        information_shared,
        texts: (reason, immediate, absence),
        actions,
    }
}

macro_rules! discussion_columns {
    ($read:expr) => {{
        let (wide, others) = ($read.has(Columns::NARRATIVE), $read.has(Columns::THIRD_PARTY));
        let (child, class) = ("strategy_discussions.child_id", FieldClass::ThirdParty);
        (
            DiscussionCore::as_select(),
            choose_class(others, strategy_discussions::information_shared.nullable(), "NULL", child, class),
            choose_whole(wide, strategy_discussions::decision_reason.nullable(), "NULL", child),
            choose_whole(wide, strategy_discussions::immediate_action, "NULL", child),
            choose_whole(wide, strategy_discussions::absence_reason, "NULL", child),
            choose_whole(wide, strategy_discussions::actions.nullable(), "NULL::text[]", child),
        )
    }};
}

/// These discussions.
pub async fn discussions_by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<DiscussionRow>> {
    let query = strategy_discussions::table
        .filter(strategy_discussions::id.eq_any(ids.to_vec()))
        .select(discussion_columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(discussion(read)).collect())
}

/// What of the same meetings was about other children, as far as they are in sight.
pub async fn beside(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<Placed<DiscussionRow>>> {
    let own = diesel::alias!(strategy_discussions as own);
    let query = strategy_discussions::table
        .inner_join(own.on(own.field(strategy_discussions::meeting_id).eq(strategy_discussions::meeting_id)))
        .filter(own.field(strategy_discussions::id).eq(lateral::parent_id()))
        .filter(strategy_discussions::id.ne(lateral::parent_id()))
        .order(strategy_discussions::id)
        .select(discussion_columns!(read));
    let rows: Vec<Placed<RawDiscussion>> = snapshot.load(lateral::for_each(ids, query)).await?;
    Ok(placed(rows, discussion(read)))
}

/// Somebody who took part in a strategy discussion.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = strategy_participants, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ParticipantRow {
    pub id: Uuid,
    pub child_id: Uuid,
    pub case_id: Uuid,
    pub agency: Coded<Agency>,
    pub organisation: Option<Personal<String>>,
    pub name: Personal<String>,
    pub role: Option<Personal<String>>,
}

/// Who took part in each of these discussions.
pub async fn participants_of(snapshot: &Snapshot, discussion_ids: &[Uuid]) -> Result<Vec<Placed<ParticipantRow>>> {
    let query = strategy_participants::table
        .filter(strategy_participants::discussion_id.eq(lateral::parent_id()))
        .order(strategy_participants::position)
        .select(ParticipantRow::as_select());
    snapshot.load(lateral::for_each(discussion_ids, query)).await
}

/// The core of an enquiry.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = section47_enquiries, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct EnquiryCore {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub discussion_id: Uuid,
    pub started_on: NaiveDate,
    pub mode: Coded<EnquiryMode>,
    pub lead_id: Option<Uuid>,
    pub child_seen_on: Option<NaiveDate>,
    pub child_seen_alone: Option<bool>,
    pub interviewed: bool,
    pub medical: bool,
    pub status: Coded<EnquiryStatus>,
    pub outcome: Option<Coded<EnquiryOutcome>>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
    pub countersigned_by: Option<Uuid>,
    pub countersigned_at: Option<DateTime<Utc>>,
    pub version: i32,
}

/// An enquiry with what was selected of it.
#[derive(Clone, Debug)]
pub struct EnquiryRow {
    /// The core.
    pub core: EnquiryCore,
    read: Columns,
    whole: bool,
    police_reference: Text,
    texts: (Text, Text),
}

/// The narrative group.
#[allow(missing_docs)]
impl EnquiryRow {
    /// When the child was seen, and whether alone: to whoever sees the child whole.
    pub fn child_seen(&self) -> Option<(NaiveDate, bool)> {
        self.core.child_seen_on.zip(self.core.child_seen_alone).filter(|_| self.whole)
    }
    pub fn interviewed(&self) -> Option<bool> {
        self.whole.then_some(self.core.interviewed)
    }
    pub fn medical(&self) -> Option<bool> {
        self.whole.then_some(self.core.medical)
    }
    fn text<'a>(&'a self, text: &'a Text) -> Result<Option<&'a str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(text.as_ref().map(Personal::read))
    }
    pub fn police_reference(&self) -> Result<Option<&str>> {
        self.text(&self.police_reference)
    }
    pub fn findings(&self) -> Result<Option<&str>> {
        self.text(&self.texts.0)
    }
    pub fn returned_reason(&self) -> Result<Option<&str>> {
        self.text(&self.texts.1)
    }
}

type RawEnquiry = (EnquiryCore, Option<bool>, Text, Text, Text);

fn enquiry(read: Columns) -> impl Fn(RawEnquiry) -> EnquiryRow {
    move |(core, whole, police_reference, findings, returned)| EnquiryRow {
        core,
        read,
        whole: whole.is_some(),
        police_reference,
        texts: (findings, returned),
    }
}

macro_rules! enquiry_columns {
    ($read:expr) => {{
        let (wide, child) = ($read.has(Columns::NARRATIVE), "section47_enquiries.child_id");
        (
            EnquiryCore::as_select(),
            // Says whether the child is in whole sight.
            choose_whole(true, section47_enquiries::medical.nullable(), "NULL", child),
            choose_whole(wide, section47_enquiries::police_reference, "NULL", child),
            choose_whole(wide, section47_enquiries::findings, "NULL", child),
            choose_whole(wide, section47_enquiries::returned_reason, "NULL", child),
        )
    }};
}

/// These enquiries.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<EnquiryRow>> {
    let query =
        section47_enquiries::table.filter(section47_enquiries::id.eq_any(ids.to_vec())).select(enquiry_columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(enquiry(read)).collect())
}

/// The enquiry that each of these discussions began.
pub async fn of_discussions(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<Placed<EnquiryRow>>> {
    let query = section47_enquiries::table
        .filter(section47_enquiries::discussion_id.eq(lateral::parent_id()))
        .select(enquiry_columns!(read));
    let rows: Vec<Placed<RawEnquiry>> = snapshot.load(lateral::for_each(ids, query)).await?;
    Ok(placed(rows, enquiry(read)))
}

/// The enquiry of each of these cases that is not over.
pub async fn open_of_cases(snapshot: &Snapshot, case_ids: &[Uuid], read: Columns) -> Result<Vec<Placed<EnquiryRow>>> {
    let query = section47_enquiries::table
        .filter(section47_enquiries::case_id.eq(lateral::parent_id()))
        .filter(section47_enquiries::status.ne("CONCLUDED"))
        .select(enquiry_columns!(read));
    let rows: Vec<Placed<RawEnquiry>> = snapshot.load(lateral::for_each(case_ids, query)).await?;
    Ok(placed(rows, enquiry(read)))
}

/// The conference that each of these enquiries called for.
pub async fn conferences_of(snapshot: &Snapshot, enquiry_ids: &[Uuid]) -> Result<Vec<Placed<ConferenceRow>>> {
    let query = conference_children::table
        .inner_join(conferences::table)
        .filter(conference_children::enquiry_id.eq(lateral::parent_id().nullable()))
        .filter(conferences::state.ne("WITHDRAWN"))
        .order(conferences::requested_at.desc())
        .limit(1)
        .select(ConferenceRow::as_select());
    snapshot.load(lateral::for_each(enquiry_ids, query)).await
}

macro_rules! of {
    (
        $row:ident, $raw:ident, $make:ident, $columns:ident, $table:ident, $moment:ident: $key:ty;
        $($(#[$doc:meta])* $page:ident, $(#[$count_doc:meta])* $count:ident, by $column:expr;)+
    ) => {$(
        $(#[$doc])*
        pub async fn $page(
            snapshot: &Snapshot,
            ids: &[Uuid],
            page: &Page<($key, Uuid)>,
            read: Columns,
        ) -> Result<Vec<Placed<$row>>> {
            let query = $table::table.filter($column).select($columns!(read));
            let query = newest_first!(query, page, $table::$moment, $table::id);
            let rows: Vec<Placed<$raw>> = snapshot.load(lateral::for_each(ids, query)).await?;
            Ok(placed(rows, $make(read)))
        }

        $(#[$count_doc])*
        pub async fn $count(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
            snapshot.load(lateral::for_each(ids, $table::table.filter($column).count())).await
        }
    )+};
}
of! {
    DiscussionRow, RawDiscussion, discussion, discussion_columns, strategy_discussions, held_at: DateTime<Utc>;
    /// A page of the strategy discussions of each of these cases, latest first.
    discussions_of_cases,
    /// How many strategy discussions each of these cases has.
    count_discussions_of_cases, by strategy_discussions::case_id.eq(lateral::parent_id());
    /// A page of the strategy discussions about each of these children, latest first.
    discussions_of_children,
    /// How many strategy discussions about each of these children there were.
    count_discussions_of_children, by strategy_discussions::child_id.eq(lateral::parent_id());
}
of! {
    EnquiryRow, RawEnquiry, enquiry, enquiry_columns, section47_enquiries, started_on: NaiveDate;
    /// A page of the enquiries of each of these cases, latest first.
    of_cases,
    /// How many enquiries each of these cases has.
    count_of_cases, by section47_enquiries::case_id.eq(lateral::parent_id());
    /// A page of the enquiries about each of these children, latest first.
    of_children,
    /// How many enquiries about each of these children there were.
    count_of_children, by section47_enquiries::child_id.eq(lateral::parent_id());
    /// A page of the enquiries that each of these workers leads or led, latest first.
    of_leads,
    /// How many enquiries each of these workers leads or led.
    count_of_leads, by section47_enquiries::lead_id.eq(lateral::parent_id().nullable());
}

/// A new strategy discussion about one child.
#[derive(Insertable)]
#[diesel(table_name = strategy_discussions)]
#[allow(missing_docs)]
pub struct NewDiscussion {
    pub id: Uuid,
    pub meeting_id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub held_at: DateTime<Utc>,
    pub information_shared: String,
    pub decision: Coded<StrategyDecision>,
    pub decision_reason: String,
    pub immediate_action: Option<String>,
    pub actions: Vec<String>,
    pub absence_reason: Option<String>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// Somebody who took part.
#[derive(Insertable)]
#[diesel(table_name = strategy_participants)]
#[allow(missing_docs)]
pub struct NewParticipant {
    pub id: Uuid,
    pub discussion_id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub position: i32,
    pub agency: Coded<Agency>,
    pub organisation: Option<String>,
    pub name: String,
    pub role: Option<String>,
}

/// Writes a discussion about a child that is authorised for writing.
pub async fn discuss(tx: &ViewerTx, new: NewDiscussion, participants: Vec<NewParticipant>) -> Result<()> {
    tx.run(diesel::insert_into(strategy_discussions::table).values(new)).await?;
    tx.run(diesel::insert_into(strategy_participants::table).values(participants)).await?;
    Ok(())
}

/// A new enquiry.
#[derive(Insertable)]
#[diesel(table_name = section47_enquiries)]
#[allow(missing_docs)]
pub struct NewEnquiry {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub discussion_id: Uuid,
    pub started_on: NaiveDate,
    pub mode: Coded<EnquiryMode>,
    pub lead_id: Option<Uuid>,
    pub police_reference: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Begins an enquiry about a child that is authorised for writing.
pub async fn open(tx: &ViewerTx, new: NewEnquiry) -> Result<()> {
    tx.run(diesel::insert_into(section47_enquiries::table).values(new)).await?;
    Ok(())
}

/// An enquiry in sight, inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<EnquiryCore> {
    section47_enquiries::table.find(id).select(EnquiryCore::as_select()).first(&mut tx.conn()?).await.map_err(failed)
}

/// The enquiry of a case that is not over.
pub async fn open_of_case(tx: &ViewerTx, case_id: Uuid) -> Result<Option<EnquiryCore>> {
    section47_enquiries::table
        .filter(section47_enquiries::case_id.eq(case_id))
        .filter(section47_enquiries::status.ne("CONCLUDED"))
        .select(EnquiryCore::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// Whether an enquiry was made in a case.
pub async fn was_made(tx: &ViewerTx, case_id: Uuid) -> Result<bool> {
    let made = section47_enquiries::table.filter(section47_enquiries::case_id.eq(case_id));
    diesel::select(diesel::dsl::exists(made)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// The enquiry of a case that called for a conference which nobody has asked for yet, or which put the decision off.
/// With the moment at which it was decided.
pub async fn calls_for_conference(tx: &ViewerTx, case_id: Uuid) -> Result<Option<(Uuid, DateTime<Utc>)>> {
    let asked = conference_children::table
        .inner_join(conferences::table)
        .filter(conference_children::case_id.eq(section47_enquiries::case_id))
        .filter(conference_children::enquiry_id.is_not_null())
        .filter(conference_children::decision.is_null().or(conference_children::decision.ne("DEFER")))
        .filter(conferences::requested_at.nullable().ge(section47_enquiries::decided_at));
    section47_enquiries::table
        .filter(section47_enquiries::case_id.eq(case_id))
        .filter(section47_enquiries::status.eq("CONCLUDED"))
        .filter(section47_enquiries::outcome.eq("INITIAL_CONFERENCE"))
        .filter(diesel::dsl::not(diesel::dsl::exists(asked)))
        .order(section47_enquiries::id.desc())
        .select((section47_enquiries::id, section47_enquiries::decided_at.assume_not_null()))
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// Whether a conference that followed an enquiry decided about the child.
pub async fn was_decided_on(tx: &ViewerTx, id: Uuid) -> Result<bool> {
    let decided = conference_children::table
        .filter(conference_children::enquiry_id.eq(id))
        .filter(conference_children::decision.ne("DEFER"));
    diesel::select(diesel::dsl::exists(decided)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// The cases of a unit in which a worker leads an enquiry that is not over, by id.
pub async fn cases_led(tx: &ViewerTx, worker_id: Uuid, unit_id: Uuid) -> Result<Vec<Uuid>> {
    let held = allocations::table
        .filter(allocations::case_id.eq(section47_enquiries::case_id))
        .filter(allocations::unit_id.eq(unit_id))
        .filter(allocations::kind.eq("PRIMARY"))
        .filter(allocations::ended_at.is_null());
    section47_enquiries::table
        .filter(section47_enquiries::lead_id.eq(worker_id))
        .filter(section47_enquiries::status.ne("CONCLUDED"))
        .filter(diesel::dsl::exists(held))
        // What is seen through a broken glass alone is out of sight for a change.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("NOT hearth.by_glass(section47_enquiries.child_id)"))
        .select(section47_enquiries::case_id)
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Where a case stood before its last enquiry called for a conference.
pub async fn case_status_before(tx: &ViewerTx, case_id: Uuid) -> Result<Option<CaseStatus>> {
    let found: Option<Option<Coded<CaseStatus>>> = section47_enquiries::table
        .filter(section47_enquiries::case_id.eq(case_id))
        .filter(section47_enquiries::case_status_before.is_not_null())
        .order(section47_enquiries::id.desc())
        .select(section47_enquiries::case_status_before)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    Ok(found.flatten().map(|status| status.0))
}

/// The enquiry that the child's last conference in a case followed, if it had one that decided.
pub async fn of_last_conference(tx: &ViewerTx, case_id: Uuid) -> Result<Option<Option<Uuid>>> {
    conference_children::table
        .inner_join(conferences::table)
        .filter(conference_children::case_id.eq(case_id))
        .filter(conference_children::decision.is_not_null())
        .order((conferences::held_at.desc(), conferences::id.desc()))
        .select(conference_children::enquiry_id)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// What a change makes of an enquiry. What is none stays as it is.
#[derive(AsChangeset, Default)]
#[diesel(table_name = section47_enquiries)]
#[allow(missing_docs)]
pub struct EnquiryChange {
    pub version: i32,
    pub lead_id: Option<Option<Uuid>>,
    pub police_reference: Option<String>,
    pub child_seen_on: Option<NaiveDate>,
    pub child_seen_alone: Option<bool>,
    pub interviewed: Option<bool>,
    pub medical: Option<bool>,
    pub status: Option<Coded<EnquiryStatus>>,
    pub outcome: Option<Option<Coded<EnquiryOutcome>>>,
    pub findings: Option<Option<String>>,
    pub decided_by: Option<Option<Uuid>>,
    pub decided_at: Option<Option<DateTime<Utc>>>,
    pub case_status_before: Option<Option<Coded<CaseStatus>>>,
    pub returned_reason: Option<Option<String>>,
    pub countersigned_by: Option<Uuid>,
    pub countersigned_at: Option<DateTime<Utc>>,
}

/// Changes an enquiry about a child that is authorised for writing.
pub async fn change(tx: &ViewerTx, id: Uuid, change: EnquiryChange) -> Result<()> {
    let changed = tx.run(diesel::update(section47_enquiries::table.find(id)).set(change)).await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}
