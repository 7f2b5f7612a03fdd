//! Contacts at the front door: whom they are about, what was asked about needs, consultations.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Uuid as UuidSql},
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx,
    columns::{choose, choose_class},
    failed, lateral,
    lateral::newest_first,
    needs,
    page::placed,
    schema::{children, consultations, contact_people, contacts, persons},
};
use crate::{
    domain::codes::{
        ConsentStatus, ConsultationState, ContactChannel, ContactDecision, ContactPersonKind, ContactStatus,
        ContactUrgency, FieldClass, NotInformedReason, ReferralSource, Sex,
    },
    error::{Error, Result},
};

/// The core of a contact.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = contacts, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ContactCore {
    pub id: Uuid,
    pub contact_no: i64,
    pub received_at: DateTime<Utc>,
    pub channel: Coded<ContactChannel>,
    pub source: Coded<ReferralSource>,
    pub consent: Coded<ConsentStatus>,
    pub status: Coded<ContactStatus>,
    pub urgency: Option<Coded<ContactUrgency>>,
    pub triaged_by: Option<Uuid>,
    pub triaged_at: Option<DateTime<Utc>>,
    pub decision: Option<Coded<ContactDecision>>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
    pub referrer_informed_at: Option<DateTime<Utc>>,
    pub referrer_not_informed: Option<Coded<NotInformedReason>>,
    pub taken_by: Uuid,
    pub version: i32,
}

impl ContactCore {
    /// Refuses when somebody changed the contact since the client read it.
    pub fn expect_version(&self, expected: i32) -> Result<()> {
        Error::expect_version(self.version, expected)
    }
}

/// A contact with what was selected of it.
#[derive(Clone, Debug)]
pub struct ContactRow {
    /// The core.
    pub core: ContactCore,
    read: Columns,
    concern: Option<Personal<String>>,
    decision_reason: Option<Personal<String>>,
    caller_name: Option<Personal<String>>,
    caller_contact: Option<Personal<String>>,
}

impl ContactRow {
    /// Narrative: what the caller said.
    pub fn concern(&self) -> Result<&str> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.concern.as_ref().map(Personal::read).unwrap_or_default())
    }
    /// Narrative: why it was decided so.
    pub fn decision_reason(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.decision_reason.as_ref().map(Personal::read))
    }
    /// Third party: who called.
    pub fn caller_name(&self) -> Result<Option<&str>> {
        self.read.check(Columns::THIRD_PARTY)?;
        Ok(self.caller_name.as_ref().map(Personal::read))
    }
    /// Third party: how the caller is reached.
    pub fn caller_contact(&self) -> Result<Option<&str>> {
        self.read.check(Columns::THIRD_PARTY)?;
        Ok(self.caller_contact.as_ref().map(Personal::read))
    }
}

macro_rules! columns {
    ($read:expr) => {{
        let (wide, third) = ($read.has(Columns::NARRATIVE), $read.has(Columns::THIRD_PARTY));
        (
            ContactCore::as_select(),
            choose(wide, contacts::concern.nullable(), "NULL"),
            choose(wide, contacts::decision_reason, "NULL"),
            choose_class(third, contacts::caller_name, "NULL", "contacts.id", FieldClass::ThirdParty),
            choose_class(third, contacts::caller_contact, "NULL", "contacts.id", FieldClass::ThirdParty),
        )
    }};
}

type Words = Option<Personal<String>>;
type Raw = (ContactCore, Words, Words, Words, Words);

fn row(read: Columns) -> impl Fn(Raw) -> ContactRow {
    move |(core, concern, decision_reason, caller_name, caller_contact)| ContactRow {
        core,
        read,
        concern,
        decision_reason,
        caller_name,
        caller_contact,
    }
}

/// These contacts.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<ContactRow>> {
    let query = contacts::table.filter(contacts::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// A page of the contacts in sight, latest first; only those that nobody has decided when `open`.
pub async fn page(
    snapshot: &Snapshot,
    open: bool,
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<ContactRow>> {
    let mut query = newest_first!(contacts::table.select(columns!(read)), page, contacts::received_at, contacts::id);
    if open {
        query = query.filter(contacts::status.eq("CONTACT"));
    }
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// How many they are.
pub async fn count(snapshot: &Snapshot, open: bool) -> Result<i64> {
    let mut query = contacts::table.count().into_boxed();
    if open {
        query = query.filter(contacts::status.eq("CONTACT"));
    }
    let counted: Vec<i64> = snapshot.load(query).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

macro_rules! about {
    ($column:expr) => {
        contact_people::table.inner_join(contacts::table).filter($column.eq(lateral::parent_id().nullable()))
    };
}

/// A page of the contacts about each of these children, latest first.
pub async fn of_children(
    snapshot: &Snapshot,
    child_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<ContactRow>>> {
    let query = newest_first!(
        about!(contact_people::child_id).select(columns!(read)),
        page,
        contacts::received_at,
        contacts::id
    );
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(child_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// How many contacts about each of these children are in sight.
pub async fn count_of_children(snapshot: &Snapshot, child_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    snapshot.load(lateral::for_each(child_ids, about!(contact_people::child_id).count())).await
}

/// A page of the contacts that went to each of these cases, latest first.
pub async fn of_cases(
    snapshot: &Snapshot,
    case_ids: &[Uuid],
    page: &Page<(DateTime<Utc>, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<ContactRow>>> {
    let query = newest_first!(
        about!(contact_people::case_id).select(columns!(read)),
        page,
        contacts::received_at,
        contacts::id
    );
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(case_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// How many contacts that went to each of these cases are in sight.
pub async fn count_of_cases(snapshot: &Snapshot, case_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    snapshot.load(lateral::for_each(case_ids, about!(contact_people::case_id).count())).await
}

/// Somebody whom a contact is about, as told.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = contact_people, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ContactPersonCore {
    pub id: Uuid,
    pub contact_id: Uuid,
    pub kind: Coded<ContactPersonKind>,
    pub first_name: Option<Personal<String>>,
    pub last_name: Option<Personal<String>>,
    pub date_of_birth: Option<Personal<NaiveDate>>,
    pub expected_date_of_birth: Option<Personal<NaiveDate>>,
    pub sex: Option<Coded<Sex>>,
    pub description: Option<Personal<String>>,
    pub child_id: Option<Uuid>,
    pub case_id: Option<Uuid>,
}

/// The same with what was selected.
#[derive(Clone, Debug)]
pub struct ContactPersonRow {
    /// The core.
    pub core: ContactPersonCore,
    read: Columns,
    address: Option<Personal<String>>,
}

impl ContactPersonRow {
    /// Where they are said to live, for whose role reads where people live who must not be found.
    pub fn address(&self) -> Result<Option<&str>> {
        self.read.check(Columns::ADDRESS)?;
        Ok(self.address.as_ref().map(Personal::read))
    }
}

macro_rules! person_columns {
    ($read:expr) => {
        (
            ContactPersonCore::as_select(),
            choose_class(
                $read.has(Columns::ADDRESS),
                contact_people::address,
                "NULL",
                "contact_people.contact_id",
                FieldClass::ConfidentialAddress,
            ),
        )
    };
}

fn person(read: Columns) -> impl Fn((ContactPersonCore, Words)) -> ContactPersonRow {
    move |(core, address)| ContactPersonRow { core, read, address }
}

/// These people of contacts.
pub async fn people_by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<ContactPersonRow>> {
    let query = contact_people::table.filter(contact_people::id.eq_any(ids.to_vec())).select(person_columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(person(read)).collect())
}

/// Whom each of these contacts is about, in the order in which they were told.
pub async fn people_of(
    snapshot: &Snapshot,
    contact_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<ContactPersonRow>>> {
    let query = contact_people::table
        .filter(contact_people::contact_id.eq(lateral::parent_id()))
        .order(contact_people::position)
        .select(person_columns!(read));
    let rows: Vec<Placed<(ContactPersonCore, Words)>> = snapshot.load(lateral::for_each(contact_ids, query)).await?;
    Ok(placed(rows, person(read)))
}

/// An invitation to meet with a social worker.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = consultations, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ConsultationRow {
    pub id: Uuid,
    pub contact_id: Uuid,
    pub worker_id: Uuid,
    pub scheduled_for: DateTime<Utc>,
    pub place: Option<Personal<String>>,
    pub online: bool,
    pub state: Coded<ConsultationState>,
    pub note: Option<Personal<String>>,
    pub version: i32,
}

/// These consultations.
pub async fn consultations_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<ConsultationRow>> {
    let query = consultations::table.filter(consultations::id.eq_any(ids.to_vec()));
    snapshot.load(query.select(ConsultationRow::as_select())).await
}

/// The consultations to which each of these contacts led, in the order in which they were arranged.
pub async fn consultations_of(snapshot: &Snapshot, contact_ids: &[Uuid]) -> Result<Vec<Placed<ConsultationRow>>> {
    let query = consultations::table
        .filter(consultations::contact_id.eq(lateral::parent_id()))
        .order(consultations::id)
        .select(ConsultationRow::as_select());
    snapshot.load(lateral::for_each(contact_ids, query)).await
}

/// A child whom the service knows, as first response may know of it while a contact is undecided.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs)]
pub struct KnownChildRow {
    pub child_id: Uuid,
    pub first_name: Personal<String>,
    pub last_name: Personal<String>,
    pub date_of_birth: Option<Personal<NaiveDate>>,
    pub expected_date_of_birth: Option<Personal<NaiveDate>>,
    pub sex: Coded<Sex>,
    /// Whether every name that was told, or asked for, is one of the child's.
    pub all_names: bool,
    /// Whether the day of birth that was told is the child's.
    pub same_birth: bool,
    /// The units that hold the child now, in any way.
    pub unit_ids: Vec<Uuid>,
    /// The unit that holds the open case.
    pub held_by: Option<Uuid>,
    pub open_case_id: Option<Uuid>,
    pub open_case_no: Option<i64>,
    /// The area of the unit that holds the open case.
    pub area_id: Option<Uuid>,
    /// Its lead practitioner.
    pub lead_id: Option<Uuid>,
    /// When the child's last case closed.
    pub last_closed_on: Option<NaiveDate>,
    /// The unit that held the last closed case that anybody held.
    pub last_unit_id: Option<Uuid>,
    /// When that one closed.
    pub last_held_to: Option<NaiveDate>,
}

/// `hearth.known_children` of somebody whom a contact is about. `about` none: of each parent.
#[derive(Default)]
struct KnownChildren {
    about: Option<Uuid>,
    asked: Option<String>,
    born: Option<NaiveDate>,
    expected: Option<NaiveDate>,
    child: Option<Uuid>,
}

impl QueryId for KnownChildren {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for KnownChildren {
    type SqlType = (
        UuidSql,
        Text,
        Text,
        Nullable<Date>,
        Nullable<Date>,
        Text,
        Bool,
        Bool,
        Array<UuidSql>,
        Nullable<UuidSql>,
        Nullable<UuidSql>,
        Nullable<BigInt>,
        Nullable<UuidSql>,
        Nullable<UuidSql>,
        Nullable<Date>,
        Nullable<UuidSql>,
        Nullable<Date>,
    );
}

impl QueryFragment<Pg> for KnownChildren {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT * FROM hearth.known_children(");
        match &self.about {
            Some(about) => out.push_bind_param::<UuidSql, _>(about)?,
            None => out.push_sql("parent.id"),
        }
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.asked)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Date>, _>(&self.born)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Date>, _>(&self.expected)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<UuidSql>, _>(&self.child)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The known children who may be each of these people of contacts, likeliest first, at most 20; by these words instead of the
/// names that were told, if there are any.
pub async fn known_children(
    snapshot: &Snapshot,
    person_ids: &[Uuid],
    asked: Option<String>,
) -> Result<Vec<Placed<KnownChildRow>>> {
    snapshot.load(lateral::for_each(person_ids, KnownChildren { asked, ..KnownChildren::default() })).await
}

/// A known child beside somebody whom a contact is about. None for a child whom first response may not know of.
pub async fn known(tx: &ViewerTx, about: Uuid, child: Uuid) -> Result<Option<KnownChildRow>> {
    let found: Vec<KnownChildRow> =
        KnownChildren { about: Some(about), child: Some(child), ..KnownChildren::default() }
            .load(&mut tx.conn()?)
            .await
            .map_err(failed)?;
    Ok(found.into_iter().next())
}

/// The known children with these names and this birth, for somebody whom a contact is about.
pub async fn alike(
    tx: &ViewerTx,
    about: Uuid,
    names: String,
    born: Option<NaiveDate>,
    expected: Option<NaiveDate>,
) -> Result<Vec<Uuid>> {
    let wanted = KnownChildren { about: Some(about), asked: Some(names), born, expected, child: None };
    let found: Vec<KnownChildRow> = wanted.load(&mut tx.conn()?).await.map_err(failed)?;
    Ok(found.into_iter().filter(|child| child.all_names && child.same_birth).map(|child| child.child_id).collect())
}

diesel::define_sql_function! {
    /// How many children of a contact, which is authorised for writing, the viewer does not see.
    #[sql_name = "hearth.hidden_in"]
    fn hidden_in_contact(contact: UuidSql) -> Nullable<BigInt>;
}
diesel::define_sql_function! {
    /// Whether a worker may be named to meet with somebody of a contact that is authorised for writing.
    #[sql_name = "hearth.may_meet"]
    fn may_meet_for(contact: UuidSql, worker: UuidSql) -> Bool;
}
diesel::define_sql_function! {
    /// Whether a restriction to these would leave an undecided contact about the child to nobody.
    #[sql_name = "hearth.leaves_contact"]
    fn leaves_contact_of(child: UuidSql, listed: Array<UuidSql>) -> Bool;
}

/// Whether the viewer sees every child of a contact, which is authorised for writing.
pub async fn sees_every_child(tx: &ViewerTx, contact: Uuid) -> Result<bool> {
    let hidden: Option<i64> =
        diesel::select(hidden_in_contact(contact)).get_result(&mut tx.conn()?).await.map_err(failed)?;
    Ok(hidden == Some(0))
}

/// Whether this is a social worker of a unit, from whom no child of the contact, which is authorised for writing, is kept.
pub async fn may_meet(tx: &ViewerTx, contact: Uuid, worker: Uuid) -> Result<bool> {
    diesel::select(may_meet_for(contact, worker)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// Whether a contact about the child waits for a decision and none of these workers is first response.
pub async fn leaves_contact(tx: &ViewerTx, child: Uuid, listed: Vec<Uuid>) -> Result<bool> {
    diesel::select(leaves_contact_of(child, listed)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// Keeps the holders of these cases as they are until the change ends. Behind the contact's lock, by their ids.
pub async fn hold_cases(tx: &ViewerTx, mut cases: Vec<Uuid>) -> Result<()> {
    cases.sort_unstable();
    cases.dedup();
    if cases.is_empty() { Ok(()) } else { tx.wait_for(&cases).await }
}

// Changes.

/// A new contact.
#[derive(Insertable)]
#[diesel(table_name = contacts)]
#[allow(missing_docs)]
pub struct NewContact {
    pub id: Uuid,
    pub received_at: DateTime<Utc>,
    pub channel: Coded<ContactChannel>,
    pub source: Coded<ReferralSource>,
    pub caller_name: Option<String>,
    pub caller_contact: Option<String>,
    pub concern: String,
    pub consent: Coded<ConsentStatus>,
    pub taken_by: Uuid,
    pub created_at: DateTime<Utc>,
}

/// Somebody whom a new contact is about.
#[derive(Insertable)]
#[diesel(table_name = contact_people)]
#[allow(missing_docs)]
pub struct NewContactPerson {
    pub id: Uuid,
    pub contact_id: Uuid,
    pub position: i32,
    pub kind: Coded<ContactPersonKind>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub expected_date_of_birth: Option<NaiveDate>,
    pub sex: Option<Coded<Sex>>,
    pub address: Option<String>,
    pub description: Option<String>,
}

/// A new invitation to meet.
#[derive(Insertable)]
#[diesel(table_name = consultations)]
#[allow(missing_docs)]
pub struct NewConsultation {
    pub id: Uuid,
    pub contact_id: Uuid,
    pub worker_id: Uuid,
    pub scheduled_for: DateTime<Utc>,
    pub place: Option<String>,
    pub online: bool,
}

/// Writes a contact that is authorised for writing.
pub async fn record(
    tx: &ViewerTx,
    contact: NewContact,
    people: Vec<NewContactPerson>,
    needs: Vec<needs::NewNeed>,
) -> Result<()> {
    tx.run(diesel::insert_into(contacts::table).values(contact)).await?;
    tx.run(diesel::insert_into(contact_people::table).values(people)).await?;
    needs::record(tx, needs).await
}

/// A contact in sight, locked: changes of one contact happen one after the other. Hidden or missing: NOT_FOUND. Before a
/// case is locked, if one is.
pub async fn lock(tx: &ViewerTx, id: Uuid) -> Result<ContactCore> {
    let found = |conn| async move {
        let mut conn = conn;
        contacts::table.find(id).select(ContactCore::as_select()).first(&mut conn).await.map_err(failed)
    };
    let _: ContactCore = found(tx.conn()?).await?;
    tx.queue_for(id).await?;
    found(tx.conn()?).await
}

/// Whom a contact is about, as far as they are in sight, inside a change.
pub async fn people(tx: &ViewerTx, contact_id: Uuid) -> Result<Vec<ContactPersonCore>> {
    contact_people::table
        .filter(contact_people::contact_id.eq(contact_id))
        .order(contact_people::position)
        .select(ContactPersonCore::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// The contact of somebody whom one is about, inside a change.
pub async fn contact_of(tx: &ViewerTx, person_id: Uuid) -> Result<Uuid> {
    contact_people::table
        .find(person_id)
        .select(contact_people::contact_id)
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

fn touched(changed: usize, version: i32) -> Result<i32> {
    if changed == 1 { Ok(version) } else { Err(Error::NotFound) }
}

/// Steps a contact's version.
pub async fn touch(tx: &ViewerTx, contact: &ContactCore) -> Result<i32> {
    let version = contact.version + 1;
    let change = diesel::update(contacts::table.find(contact.id)).set(contacts::version.eq(version));
    touched(tx.run(change).await?, version)
}

/// Records how urgent a contact is.
pub async fn triage(tx: &ViewerTx, contact: &ContactCore, urgency: ContactUrgency, at: DateTime<Utc>) -> Result<i32> {
    let version = contact.version + 1;
    let change = diesel::update(contacts::table.find(contact.id)).set((
        contacts::urgency.eq(Coded(urgency)),
        contacts::triaged_by.eq(tx.viewer().worker_id.0),
        contacts::triaged_at.eq(at),
        contacts::version.eq(version),
    ));
    touched(tx.run(change).await?, version)
}

diesel::define_sql_function! {
    /// Lets the front door see who a child is whom it is about to match.
    #[sql_name = "hearth.open_match"]
    fn open_match(about: UuidSql, child: UuidSql) -> Bool;
}

/// Says who a child is whom a contact is about, or that this is open again. The contact is authorised for writing.
pub async fn match_child(tx: &ViewerTx, person_id: Uuid, child: Option<Uuid>, at: DateTime<Utc>) -> Result<()> {
    let me = tx.viewer().worker_id.0;
    if let Some(child) = child {
        let opening = diesel::select(open_match(person_id, child));
        if !opening.get_result::<bool>(&mut tx.conn()?).await.map_err(failed)? {
            return Err(Error::NotFound);
        }
    }
    let change = diesel::update(contact_people::table.find(person_id)).set((
        contact_people::child_id.eq(child),
        contact_people::matched_by.eq(child.map(|_| me)),
        contact_people::matched_at.eq(child.map(|_| at)),
    ));
    touched(tx.run(change).await?, 0).map(drop)
}

/// Whether the caller was told, when or why not.
#[derive(Clone, Copy, Debug)]
pub enum Informed {
    /// Not yet.
    Not,
    /// At that moment.
    At(DateTime<Utc>),
    /// Not at all, because.
    Never(NotInformedReason),
}

/// Records a decision about a contact.
pub async fn decide(
    tx: &ViewerTx,
    contact: &ContactCore,
    decision: ContactDecision,
    reason: String,
    informed: Informed,
    at: DateTime<Utc>,
) -> Result<i32> {
    let version = contact.version + 1;
    let (told, not_told) = told(informed);
    let change = diesel::update(contacts::table.find(contact.id)).set((
        contacts::status.eq(Coded(decision.leads_to())),
        contacts::decision.eq(Coded(decision)),
        contacts::decision_reason.eq(reason),
        contacts::decided_by.eq(tx.viewer().worker_id.0),
        contacts::decided_at.eq(at),
        contacts::referrer_informed_at.eq(told),
        contacts::referrer_not_informed.eq(not_told),
        contacts::version.eq(version),
    ));
    touched(tx.run(change).await?, version)
}

fn told(informed: Informed) -> (Option<DateTime<Utc>>, Option<Coded<NotInformedReason>>) {
    match informed {
        Informed::Not => (None, None),
        Informed::At(at) => (Some(at), None),
        Informed::Never(why) => (None, Some(Coded(why))),
    }
}

/// Records that the caller was told, or why not.
pub async fn inform(tx: &ViewerTx, contact: &ContactCore, informed: Informed) -> Result<i32> {
    let version = contact.version + 1;
    let (told, not_told) = told(informed);
    let change = diesel::update(contacts::table.find(contact.id)).set((
        contacts::referrer_informed_at.eq(told),
        contacts::referrer_not_informed.eq(not_told),
        contacts::version.eq(version),
    ));
    touched(tx.run(change).await?, version)
}

/// Says to which case a contact went for a child whom it is about.
pub async fn went_to(tx: &ViewerTx, person_id: Uuid, case_id: Uuid) -> Result<()> {
    let change = diesel::update(contact_people::table.find(person_id)).set(contact_people::case_id.eq(case_id));
    touched(tx.run(change).await?, 0).map(drop)
}

/// Arranges a meeting.
pub async fn arrange(tx: &ViewerTx, new: NewConsultation) -> Result<()> {
    tx.run(diesel::insert_into(consultations::table).values(new)).await?;
    Ok(())
}

/// Where the consultations of a contact stand, inside a change.
pub async fn consultation_states(tx: &ViewerTx, contact_id: Uuid) -> Result<Vec<ConsultationState>> {
    let query = consultations::table.filter(consultations::contact_id.eq(contact_id)).select(consultations::state);
    let states: Vec<Coded<ConsultationState>> = query.load(&mut tx.conn()?).await.map_err(failed)?;
    Ok(states.into_iter().map(|state| state.0).collect())
}

/// A consultation in sight, inside a change.
pub async fn consultation(tx: &ViewerTx, id: Uuid) -> Result<ConsultationRow> {
    consultations::table.find(id).select(ConsultationRow::as_select()).first(&mut tx.conn()?).await.map_err(failed)
}

/// Records what became of a meeting.
pub async fn conclude(
    tx: &ViewerTx,
    consultation: &ConsultationRow,
    state: ConsultationState,
    note: Option<String>,
    at: DateTime<Utc>,
) -> Result<i32> {
    let version = consultation.version + 1;
    let change = diesel::update(consultations::table.find(consultation.id)).set((
        consultations::state.eq(Coded(state)),
        consultations::note.eq(note),
        consultations::recorded_by.eq(tx.viewer().worker_id.0),
        consultations::recorded_at.eq(at),
        consultations::version.eq(version),
    ));
    touched(tx.run(change).await?, version)
}

/// A child whom nobody knew.
#[derive(Insertable)]
#[diesel(table_name = persons)]
#[allow(missing_docs)]
pub struct NewPerson {
    pub id: Uuid,
    pub first_name: String,
    pub last_name: String,
    pub date_of_birth: Option<NaiveDate>,
    pub expected_date_of_birth: Option<NaiveDate>,
    pub date_of_birth_estimated: bool,
    pub sex: Coded<Sex>,
    pub created_at: DateTime<Utc>,
}

/// Registers a child that is authorised for writing.
pub async fn register(tx: &ViewerTx, new: NewPerson) -> Result<()> {
    let id = new.id;
    tx.run(diesel::insert_into(persons::table).values(new)).await?;
    tx.run(diesel::insert_into(children::table).values(children::id.eq(id))).await?;
    Ok(())
}
