//! Who of other agencies takes part, and what they are asked for.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx,
    columns::{choose_class, choose_whole},
    failed, lateral,
    lateral::newest_first,
    page::placed,
    schema::{agency_participants, information_chases, information_requests},
};
use crate::{
    domain::codes::{Agency, FieldClass, InformationDuty, InformationStatus, InvitationMethod},
    error::{Error, Result},
};

/// Somebody of another agency who works with the child and takes part.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = agency_participants, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct AgencyParticipantRow {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub agency: Coded<Agency>,
    pub organisation: Personal<String>,
    pub name: Option<Personal<String>>,
    pub contact: Option<Personal<String>>,
    pub joined_on: NaiveDate,
    pub left_on: Option<NaiveDate>,
    pub added_by: Uuid,
    pub version: i32,
}

/// These participants.
pub async fn participants_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<AgencyParticipantRow>> {
    let query = agency_participants::table
        .filter(agency_participants::id.eq_any(ids.to_vec()))
        .select(AgencyParticipantRow::as_select());
    snapshot.load(query).await
}

/// Who takes part in each of these cases: now only, or ever.
pub async fn participants_of_cases(
    snapshot: &Snapshot,
    case_ids: &[Uuid],
    current: bool,
) -> Result<Vec<Placed<AgencyParticipantRow>>> {
    let mut query = agency_participants::table
        .filter(agency_participants::case_id.eq(lateral::parent_id()))
        .order((agency_participants::joined_on, agency_participants::id))
        .limit(super::MAX_FIRST)
        .select(AgencyParticipantRow::as_select())
        .into_boxed();
    if current {
        query = query.filter(agency_participants::left_on.is_null());
    }
    snapshot.load(lateral::for_each(case_ids, query)).await
}

/// A new participant.
#[derive(Insertable)]
#[diesel(table_name = agency_participants)]
#[allow(missing_docs)]
pub struct NewAgencyParticipant {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub agency: Coded<Agency>,
    pub organisation: String,
    pub name: Option<String>,
    pub contact: Option<String>,
    pub joined_on: NaiveDate,
    pub added_by: Uuid,
    pub created_at: DateTime<Utc>,
}

/// Adds a participant of a child's case that is authorised for writing.
pub async fn add(tx: &ViewerTx, new: NewAgencyParticipant) -> Result<()> {
    tx.run(diesel::insert_into(agency_participants::table).values(new)).await?;
    Ok(())
}

/// A participant in sight, inside a change.
pub async fn participant(tx: &ViewerTx, id: Uuid) -> Result<AgencyParticipantRow> {
    agency_participants::table
        .find(id)
        .select(AgencyParticipantRow::as_select())
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Which organisations of other agencies take part in a case now, inside a change.
pub async fn organisations(tx: &ViewerTx, case_id: Uuid) -> Result<Vec<(Agency, String)>> {
    let query = agency_participants::table
        .filter(agency_participants::case_id.eq(case_id))
        .filter(agency_participants::left_on.is_null())
        .select((agency_participants::agency, agency_participants::organisation));
    let rows: Vec<(Coded<Agency>, String)> = query.load(&mut tx.conn()?).await.map_err(failed)?;
    Ok(rows.into_iter().map(|(agency, organisation)| (agency.0, organisation)).collect())
}

/// Whether requests to a participant wait for an answer.
pub async fn participant_is_asked(tx: &ViewerTx, id: Uuid) -> Result<bool> {
    let open = information_requests::table
        .filter(information_requests::participant_id.eq(id))
        .filter(information_requests::status.eq_any(["SENT", "CHASED"]));
    diesel::select(diesel::dsl::exists(open)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// Ends somebody's part.
pub async fn leave(tx: &ViewerTx, participant: &AgencyParticipantRow, on: NaiveDate) -> Result<()> {
    let change = diesel::update(agency_participants::table.find(participant.id))
        .set((agency_participants::left_on.eq(on), agency_participants::version.eq(participant.version + 1)));
    if tx.run(change).await? == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// The core of a request for information.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = information_requests, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct RequestCore {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub participant_id: Uuid,
    pub enquiry_id: Option<Uuid>,
    pub duty: Coded<InformationDuty>,
    pub asked_by: Uuid,
    pub asked_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub status: Coded<InformationStatus>,
    pub received_at: Option<DateTime<Utc>>,
    pub refused_at: Option<DateTime<Utc>>,
    pub refused_by: Option<Uuid>,
    pub escalated_to: Option<Uuid>,
    pub recorded_by: Option<Uuid>,
    pub version: i32,
}

type Text = Option<Personal<String>>;

/// A request for information with what was selected of it.
#[derive(Clone, Debug)]
pub struct RequestRow {
    /// The core.
    pub core: RequestCore,
    read: Columns,
    response: Text,
    texts: (Text, Text, Text),
}

/// The narrative group, and what others said.
#[allow(missing_docs)]
impl RequestRow {
    pub fn response(&self) -> Result<Option<&str>> {
        self.read.check(Columns::THIRD_PARTY)?;
        Ok(self.response.as_ref().map(Personal::read))
    }
    fn text<'a>(&'a self, text: &'a Text) -> Result<Option<&'a str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(text.as_ref().map(Personal::read))
    }
    pub fn questions(&self) -> Result<Option<&str>> {
        self.text(&self.texts.0)
    }
    pub fn refusal_reason(&self) -> Result<Option<&str>> {
        self.read.check(Columns::THIRD_PARTY)?;
        Ok(self.texts.1.as_ref().map(Personal::read))
    }
    pub fn withdrawn_reason(&self) -> Result<Option<&str>> {
        self.text(&self.texts.2)
    }
}

type Raw = (RequestCore, Text, Text, Text, Text);

fn row(read: Columns) -> impl Fn(Raw) -> RequestRow {
    move |(core, response, questions, refusal, withdrawn)| RequestRow {
        core,
        read,
        response,
        texts: (questions, refusal, withdrawn),
    }
}

macro_rules! columns {
    ($read:expr) => {{
        let (wide, others) = ($read.has(Columns::NARRATIVE), $read.has(Columns::THIRD_PARTY));
        let child = "information_requests.child_id";
        (
            RequestCore::as_select(),
            choose_class(others, information_requests::response, "NULL", child, FieldClass::ThirdParty),
            choose_whole(wide, information_requests::questions.nullable(), "NULL", child),
            choose_class(others, information_requests::refusal_reason, "NULL", child, FieldClass::ThirdParty),
            choose_whole(wide, information_requests::withdrawn_reason, "NULL", child),
        )
    }};
}

/// These requests.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<RequestRow>> {
    let query =
        information_requests::table.filter(information_requests::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

macro_rules! of {
    ($(#[$doc:meta])* $page:ident, $(#[$count_doc:meta])* $count:ident, by $column:expr) => {
        $(#[$doc])*
        pub async fn $page(
            snapshot: &Snapshot,
            ids: &[Uuid],
            open: bool,
            page: &Page<(DateTime<Utc>, Uuid)>,
            read: Columns,
        ) -> Result<Vec<Placed<RequestRow>>> {
            let query = information_requests::table.filter($column).select(columns!(read));
            let mut query = newest_first!(query, page, information_requests::asked_at, information_requests::id);
            if open {
                query = query.filter(information_requests::status.eq_any(vec!["SENT", "CHASED"]));
            }
            let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(ids, query)).await?;
            Ok(placed(rows, row(read)))
        }

        $(#[$count_doc])*
        pub async fn $count(snapshot: &Snapshot, ids: &[Uuid], open: bool) -> Result<Vec<Placed<i64>>> {
            let query = information_requests::table.filter($column);
            if open {
                let query = query.filter(information_requests::status.eq_any(vec!["SENT", "CHASED"])).count();
                return snapshot.load(lateral::for_each(ids, query)).await;
            }
            snapshot.load(lateral::for_each(ids, query.count())).await
        }
    };
}
of! {
    /// A page of the requests of each of these cases, latest first.
    of_cases,
    /// How many requests each of these cases has.
    count_of_cases, by information_requests::case_id.eq(lateral::parent_id())
}
of! {
    /// A page of the requests in each of these enquiries, latest first.
    of_enquiries,
    /// How many requests each of these enquiries has.
    count_of_enquiries, by information_requests::enquiry_id.eq(lateral::parent_id().nullable())
}
of! {
    /// A page of the requests to each of these participants, latest first.
    of_participants,
    /// How many requests each of these participants has had.
    count_of_participants, by information_requests::participant_id.eq(lateral::parent_id())
}
of! {
    /// A page of the requests that each of these workers made, latest first.
    of_askers,
    /// How many requests each of these workers made.
    count_of_askers, by information_requests::asked_by.eq(lateral::parent_id())
}

/// When somebody was asked again.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs)]
pub struct ChaseRow {
    pub id: Uuid,
    pub child_id: Uuid,
    pub request_id: Uuid,
    pub method: Coded<InvitationMethod>,
    /// None for roles that do not read what others say.
    pub note: Option<Personal<String>>,
    pub chased_by: Uuid,
    pub chased_at: DateTime<Utc>,
}

/// When the answer to each of these requests was asked for again, first one first.
pub async fn chases_of(snapshot: &Snapshot, request_ids: &[Uuid]) -> Result<Vec<Placed<ChaseRow>>> {
    let query = information_chases::table
        .filter(information_chases::request_id.eq(lateral::parent_id()))
        .order((information_chases::chased_at, information_chases::id))
        .limit(super::MAX_FIRST)
        .select((
            information_chases::id,
            information_chases::child_id,
            information_chases::request_id,
            information_chases::method,
            choose_class(true, information_chases::note, "NULL", "information_chases.child_id", FieldClass::ThirdParty),
            information_chases::chased_by,
            information_chases::chased_at,
        ));
    snapshot.load(lateral::for_each(request_ids, query)).await
}

/// A new request.
#[derive(Insertable)]
#[diesel(table_name = information_requests)]
#[allow(missing_docs)]
pub struct NewRequest {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub participant_id: Uuid,
    pub enquiry_id: Option<Uuid>,
    pub duty: Coded<InformationDuty>,
    pub questions: String,
    pub asked_by: Uuid,
    pub asked_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
}

/// Asks about a child that is authorised for writing.
pub async fn ask(tx: &ViewerTx, new: NewRequest) -> Result<()> {
    tx.run(diesel::insert_into(information_requests::table).values(new)).await?;
    Ok(())
}

/// A request in sight, inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<RequestCore> {
    information_requests::table.find(id).select(RequestCore::as_select()).first(&mut tx.conn()?).await.map_err(failed)
}

/// Whether requests of a case wait for an answer; in one enquiry only, where one is named.
pub async fn waits(tx: &ViewerTx, case_id: Uuid, enquiry_id: Option<Uuid>) -> Result<bool> {
    let mut open = information_requests::table
        .filter(information_requests::case_id.eq(case_id))
        .filter(information_requests::status.eq_any(vec!["SENT", "CHASED"]))
        .into_boxed();
    if let Some(enquiry) = enquiry_id {
        open = open.filter(information_requests::enquiry_id.eq(enquiry));
    }
    let counted: i64 = open.count().get_result(&mut tx.conn()?).await.map_err(failed)?;
    Ok(counted > 0)
}

/// A new chase.
#[derive(Insertable)]
#[diesel(table_name = information_chases)]
#[allow(missing_docs)]
pub struct NewChase {
    pub id: Uuid,
    pub request_id: Uuid,
    pub child_id: Uuid,
    pub method: Coded<InvitationMethod>,
    pub note: Option<String>,
    pub chased_by: Uuid,
    pub chased_at: DateTime<Utc>,
}

/// Writes a chase down.
pub async fn chase(tx: &ViewerTx, new: NewChase) -> Result<()> {
    tx.run(diesel::insert_into(information_chases::table).values(new)).await?;
    Ok(())
}

/// What a change makes of a request. What is none stays as it is.
#[derive(AsChangeset, Default)]
#[diesel(table_name = information_requests)]
#[allow(missing_docs)]
pub struct RequestChange {
    pub version: i32,
    pub status: Option<Coded<InformationStatus>>,
    pub received_at: Option<DateTime<Utc>>,
    pub response: Option<String>,
    pub refused_at: Option<DateTime<Utc>>,
    pub refusal_reason: Option<String>,
    pub refused_by: Option<Uuid>,
    pub escalated_to: Option<Uuid>,
    pub withdrawn_reason: Option<String>,
    pub recorded_by: Option<Uuid>,
}

/// Changes a request about a child that is authorised for writing.
pub async fn change(tx: &ViewerTx, id: Uuid, change: RequestChange) -> Result<()> {
    let changed = tx.run(diesel::update(information_requests::table.find(id)).set(change)).await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}
