//! Invitations to conferences: sent, answered, with reports, or why somebody is not to come.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx, columns::choose_class, failed, lateral,
    lateral::latest_first, page::placed, schema::conference_invitations,
};
use crate::{
    domain::codes::{
        ConferenceState, ConferenceType, Exclusion, FieldClass, InvitationCapacity, InvitationMethod,
        InvitationResponse,
    },
    error::{Error, Result},
};

/// The core of somebody's invitation.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conference_invitations, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct InvitationCore {
    pub id: Uuid,
    pub conference_id: Uuid,
    pub person_id: Option<Uuid>,
    pub worker_id: Option<Uuid>,
    pub agency_name: Option<Personal<String>>,
    pub capacity: Coded<InvitationCapacity>,
    pub sent_at: Option<DateTime<Utc>>,
    pub method: Option<Coded<InvitationMethod>>,
    pub response: Coded<InvitationResponse>,
    pub responded_at: Option<DateTime<Utc>>,
    pub answer_asked_at: DateTime<Utc>,
    pub report_requested_at: Option<DateTime<Utc>>,
    pub report_received_at: Option<DateTime<Utc>>,
    pub report_shared_at: Option<DateTime<Utc>>,
    pub exclusion: Option<Coded<Exclusion>>,
    pub excluded_by: Option<Uuid>,
    pub excluded_at: Option<DateTime<Utc>>,
    pub version: i32,
}

/// An invitation with what was selected of it.
#[derive(Clone, Debug)]
pub struct InvitationRow {
    /// The core.
    pub core: InvitationCore,
    read: Columns,
    exclusion_reason: Option<Personal<String>>,
}

impl InvitationRow {
    /// Narrative: why somebody is not to come.
    pub fn exclusion_reason(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.exclusion_reason.as_ref().map(Personal::read))
    }
}

type Raw = (InvitationCore, Option<Personal<String>>);

fn row(read: Columns) -> impl Fn(Raw) -> InvitationRow {
    move |(core, exclusion_reason)| InvitationRow { core, read, exclusion_reason }
}

macro_rules! columns {
    ($read:expr) => {
        (
            InvitationCore::as_select(),
            choose_class(
                $read.has(Columns::NARRATIVE),
                conference_invitations::exclusion_reason,
                "NULL",
                "conference_invitations.conference_id",
                FieldClass::ThirdParty,
            )
            .unless("conference_invitations.exclusion = 'WHEREABOUTS_UNKNOWN'"),
        )
    };
}

/// These invitations.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<InvitationRow>> {
    let query =
        conference_invitations::table.filter(conference_invitations::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// The invitations to each of these conferences.
pub async fn of_conferences(
    snapshot: &Snapshot,
    conference_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<InvitationRow>>> {
    let query = conference_invitations::table
        .filter(conference_invitations::conference_id.eq(lateral::parent_id()))
        .order(conference_invitations::id)
        .select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(conference_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// What an invitation says of its conference.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs)]
pub struct MeetingRow {
    pub kind: Coded<ConferenceType>,
    pub state: Coded<ConferenceState>,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub online: bool,
    pub venue: Option<Personal<String>>,
}

/// What each of these invitations says of its conference.
pub async fn meetings_of(snapshot: &Snapshot, invitation_ids: &[Uuid]) -> Result<Vec<Placed<MeetingRow>>> {
    use diesel::sql_types::{Bool, Nullable, Text, Timestamptz};
    let query = lateral::plain::<(Text, Text, Nullable<Timestamptz>, Bool, Nullable<Text>)>(
        "SELECT * FROM hearth.invited_to(parent.id)",
    );
    snapshot.load(lateral::for_each(invitation_ids, query)).await
}

/// The invitations to a conference that the viewer sees, inside a change.
pub async fn of_conference(tx: &ViewerTx, conference_id: Uuid) -> Result<Vec<InvitationCore>> {
    conference_invitations::table
        .filter(conference_invitations::conference_id.eq(conference_id))
        .order(conference_invitations::id)
        .select(InvitationCore::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// The conference of an invitation in sight, inside a change.
pub async fn conference_of(tx: &ViewerTx, id: Uuid) -> Result<Uuid> {
    conference_invitations::table
        .find(id)
        .select(conference_invitations::conference_id)
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// A new invitation.
#[derive(Insertable)]
#[diesel(table_name = conference_invitations)]
#[allow(missing_docs)]
pub struct NewInvitation {
    pub id: Uuid,
    pub conference_id: Uuid,
    pub person_id: Option<Uuid>,
    pub worker_id: Option<Uuid>,
    pub agency_name: Option<String>,
    pub capacity: Coded<InvitationCapacity>,
    pub sent_at: Option<DateTime<Utc>>,
    pub method: Option<Coded<InvitationMethod>>,
    pub answer_asked_at: DateTime<Utc>,
    pub report_requested_at: Option<DateTime<Utc>>,
    pub exclusion: Option<Coded<Exclusion>>,
    pub exclusion_reason: Option<String>,
    pub excluded_by: Option<Uuid>,
    pub excluded_at: Option<DateTime<Utc>>,
}

/// Invites, or records why not.
pub async fn insert(tx: &ViewerTx, new: Vec<NewInvitation>) -> Result<()> {
    diesel::insert_into(conference_invitations::table).values(new).execute(&mut tx.conn()?).await.map_err(failed)?;
    Ok(())
}

/// What a change makes of an invitation. What is none stays as it is.
#[derive(AsChangeset, Default)]
#[diesel(table_name = conference_invitations)]
#[allow(missing_docs)]
pub struct InvitationChange {
    pub version: i32,
    pub capacity: Option<Coded<InvitationCapacity>>,
    pub sent_at: Option<DateTime<Utc>>,
    pub method: Option<Coded<InvitationMethod>>,
    pub response: Option<Coded<InvitationResponse>>,
    pub responded_at: Option<Option<DateTime<Utc>>>,
    pub answer_asked_at: Option<DateTime<Utc>>,
    pub report_requested_at: Option<DateTime<Utc>>,
    pub report_received_at: Option<DateTime<Utc>>,
    pub report_shared_at: Option<DateTime<Utc>>,
    pub exclusion: Option<Option<Coded<Exclusion>>>,
    pub exclusion_reason: Option<Option<String>>,
    pub excluded_by: Option<Option<Uuid>>,
    pub excluded_at: Option<Option<DateTime<Utc>>>,
}

/// Changes an invitation.
pub async fn change(tx: &ViewerTx, id: Uuid, change: InvitationChange) -> Result<()> {
    let changed = tx.run(diesel::update(conference_invitations::table.find(id)).set(change)).await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}

macro_rules! of {
    ($(#[$doc:meta])* $page:ident, $(#[$count_doc:meta])* $count:ident, by $column:ident) => {
        $(#[$doc])*
        pub async fn $page(
            snapshot: &Snapshot,
            ids: &[Uuid],
            page: &Page<Uuid>,
            read: Columns,
        ) -> Result<Vec<Placed<InvitationRow>>> {
            let query = conference_invitations::table
                .filter(conference_invitations::$column.eq(lateral::parent_id().nullable()))
                .select(columns!(read));
            let query = latest_first!(query, page, conference_invitations::id);
            let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(ids, query)).await?;
            Ok(placed(rows, row(read)))
        }

        $(#[$count_doc])*
        pub async fn $count(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
            let query = conference_invitations::table
                .filter(conference_invitations::$column.eq(lateral::parent_id().nullable()))
                .count();
            snapshot.load(lateral::for_each(ids, query)).await
        }
    };
}

of! {
    /// A page of the invitations of each of these people, latest first.
    of_persons,
    /// How many invitations each of these people has had.
    count_of_persons, by person_id
}
of! {
    /// A page of the invitations of each of these workers, latest first.
    of_workers,
    /// How many invitations each of these workers has had.
    count_of_workers, by worker_id
}
