//! Sittings of conferences: who came, what they said to the decision, and the steps that a conference took.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Personal, Placed, Snapshot, ViewerTx,
    columns::choose,
    failed,
    kept::Kept,
    lateral,
    page::placed,
    schema::{conference_attendances, conference_sittings, conference_steps, conference_views},
};
use crate::{
    domain::{
        Code,
        codes::{AbuseCategory, Attendance, ConferenceState, InvitationCapacity, QuorumException, SittingOutcome},
        conference::Step,
    },
    error::{Error, Result},
};

/// The core of a sitting.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conference_sittings, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct SittingCore {
    pub id: Uuid,
    pub conference_id: Uuid,
    pub opened_at: DateTime<Utc>,
    pub opened_by: Uuid,
    pub ended_at: Option<DateTime<Utc>>,
    pub outcome: Option<Coded<SittingOutcome>>,
    pub quorate: Option<bool>,
    pub quorum_exception: Option<Coded<QuorumException>>,
}

/// A sitting with what was selected of it.
#[derive(Clone, Debug)]
pub struct SittingRow {
    /// The core.
    pub core: SittingCore,
    read: Columns,
    interim_plan: Option<Personal<String>>,
}

impl SittingRow {
    /// Narrative: what keeps the child safe until the conference sits again.
    pub fn interim_plan(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.interim_plan.as_ref().map(Personal::read))
    }
}

/// Whether somebody came to a sitting.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conference_attendances, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct AttendanceRow {
    pub sitting_id: Uuid,
    pub invitation_id: Uuid,
    pub attended: Coded<Attendance>,
    pub recorded_at: DateTime<Utc>,
}

/// The core of what somebody said to a decision.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conference_views, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ViewCore {
    pub id: Uuid,
    pub sitting_id: Uuid,
    pub conference_id: Uuid,
    pub invitation_id: Uuid,
    pub child_id: Option<Uuid>,
    pub agrees: bool,
    pub category: Option<Coded<AbuseCategory>>,
    pub recorded_at: DateTime<Utc>,
}

/// What somebody said to a decision, with what was selected of it.
#[derive(Clone, Debug)]
pub struct ViewRow {
    /// The core.
    pub core: ViewCore,
    read: Columns,
    text: Option<Personal<String>>,
}

impl ViewRow {
    /// Narrative: in their words.
    pub fn text(&self) -> Result<&str> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.text.as_ref().map(Personal::read).unwrap_or_default())
    }
}

/// A step that a conference took.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conference_steps, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct StepRow {
    pub conference_id: Uuid,
    pub step: String,
    pub state_before: Coded<ConferenceState>,
    pub state_after: Coded<ConferenceState>,
    pub reason: Option<Personal<String>>,
    pub taken_by: Uuid,
    pub taken_at: DateTime<Utc>,
}

/// The sittings of each of these conferences, latest first.
pub async fn of_conferences(
    snapshot: &Snapshot,
    conference_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<SittingRow>>> {
    let query = conference_sittings::table
        .filter(conference_sittings::conference_id.eq(lateral::parent_id()))
        .order((conference_sittings::opened_at.desc(), conference_sittings::id.desc()))
        .select((
            SittingCore::as_select(),
            choose(read.has(Columns::NARRATIVE), conference_sittings::interim_plan, "NULL"),
        ));
    let rows: Vec<Placed<(SittingCore, Option<Personal<String>>)>> =
        snapshot.load(lateral::for_each(conference_ids, query)).await?;
    Ok(placed(rows, |(core, interim_plan)| SittingRow { core, read, interim_plan }))
}

/// These sittings.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<SittingRow>> {
    let query = conference_sittings::table.filter(conference_sittings::id.eq_any(ids.to_vec())).select((
        SittingCore::as_select(),
        choose(read.has(Columns::NARRATIVE), conference_sittings::interim_plan, "NULL"),
    ));
    let rows: Vec<(SittingCore, Option<Personal<String>>)> = snapshot.load(query).await?;
    Ok(rows.into_iter().map(|(core, interim_plan)| SittingRow { core, read, interim_plan }).collect())
}

/// Who came to each of these sittings.
pub async fn attendances_of(snapshot: &Snapshot, sitting_ids: &[Uuid]) -> Result<Vec<Placed<AttendanceRow>>> {
    let query = conference_attendances::table
        .filter(conference_attendances::sitting_id.eq(lateral::parent_id()))
        .order(conference_attendances::invitation_id)
        .select(AttendanceRow::as_select());
    snapshot.load(lateral::for_each(sitting_ids, query)).await
}

/// How many came to the last sitting of each of these conferences, of those whom the viewer sees.
pub async fn present_of(snapshot: &Snapshot, conference_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let counted = lateral::plain::<diesel::sql_types::BigInt>(
        "SELECT count(*) FROM conference_attendances a WHERE a.attended <> 'NO' AND a.sitting_id = (\
         SELECT s.id FROM conference_sittings s WHERE s.conference_id = parent.id ORDER BY s.opened_at DESC LIMIT 1)",
    );
    snapshot.load(lateral::for_each(conference_ids, counted)).await
}

/// How many did not agree at the last sitting of each of these conferences, of those whom the viewer sees.
pub async fn dissents_of(snapshot: &Snapshot, conference_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let counted = lateral::plain::<diesel::sql_types::BigInt>(
        "SELECT count(*) FROM conference_views v WHERE NOT v.agrees AND v.sitting_id = (\
         SELECT s.id FROM conference_sittings s WHERE s.conference_id = parent.id ORDER BY s.opened_at DESC LIMIT 1)",
    );
    snapshot.load(lateral::for_each(conference_ids, counted)).await
}

/// To which sittings each of these invited people came, latest record first.
pub async fn attendances_of_invitations(
    snapshot: &Snapshot,
    invitation_ids: &[Uuid],
) -> Result<Vec<Placed<AttendanceRow>>> {
    let query = conference_attendances::table
        .filter(conference_attendances::invitation_id.eq(lateral::parent_id()))
        .order((conference_attendances::recorded_at.desc(), conference_attendances::id.desc()))
        .select(AttendanceRow::as_select());
    snapshot.load(lateral::for_each(invitation_ids, query)).await
}

macro_rules! views_of {
    ($(#[$doc:meta])* $name:ident by $column:ident) => {
        $(#[$doc])*
        pub async fn $name(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<Placed<ViewRow>>> {
            let query = conference_views::table
                .filter(conference_views::$column.eq(lateral::parent_id()))
                .order(conference_views::id)
                .select((
                    ViewCore::as_select(),
                    choose(read.has(Columns::NARRATIVE), conference_views::text.nullable(), "NULL"),
                ));
            let rows: Vec<Placed<(ViewCore, Option<Personal<String>>)>> = snapshot.load(lateral::for_each(ids, query)).await?;
            Ok(placed(rows, |(core, text)| ViewRow { core, read, text }))
        }
    };
}

views_of! {
    /// What was said at each of these sittings.
    views_of_sittings by sitting_id
}
views_of! {
    /// What each of these invited people said.
    views_of_invitations by invitation_id
}

/// The steps of each of these conferences, first one first.
pub async fn steps_of(snapshot: &Snapshot, conference_ids: &[Uuid]) -> Result<Vec<Placed<StepRow>>> {
    let query = conference_steps::table
        .filter(conference_steps::conference_id.eq(lateral::parent_id()))
        .order(conference_steps::version)
        .select(StepRow::as_select());
    snapshot.load(lateral::for_each(conference_ids, query)).await
}

/// The sittings of a conference inside a change, latest first.
pub async fn of_conference(tx: &ViewerTx, conference_id: Uuid) -> Result<Vec<SittingCore>> {
    conference_sittings::table
        .filter(conference_sittings::conference_id.eq(conference_id))
        .order((conference_sittings::opened_at.desc(), conference_sittings::id.desc()))
        .select(SittingCore::as_select())
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Begins a sitting.
pub async fn open(tx: &ViewerTx, id: Uuid, conference_id: Uuid, at: DateTime<Utc>) -> Result<()> {
    let by = tx.viewer().worker_id.0;
    tx.run(diesel::insert_into(conference_sittings::table).values((
        conference_sittings::id.eq(id),
        conference_sittings::conference_id.eq(conference_id),
        conference_sittings::opened_at.eq(at),
        conference_sittings::opened_by.eq(by),
    )))
    .await?;
    Ok(())
}

/// How a sitting ends.
pub struct Ending {
    /// When.
    pub at: DateTime<Utc>,
    /// How.
    pub outcome: SittingOutcome,
    /// Whether it had its quorum.
    pub quorate: bool,
    /// Why the chair went on without.
    pub exception: Option<QuorumException>,
    /// What keeps the child safe until it sits again.
    pub interim_plan: Option<String>,
}

/// Ends a sitting.
pub async fn end(tx: &ViewerTx, id: Uuid, ending: Ending) -> Result<()> {
    let ended = tx
        .run(diesel::update(conference_sittings::table.find(id)).set((
            conference_sittings::ended_at.eq(ending.at),
            conference_sittings::outcome.eq(Coded(ending.outcome)),
            conference_sittings::quorate.eq(ending.quorate),
            conference_sittings::quorum_exception.eq(ending.exception.map(Coded)),
            conference_sittings::interim_plan.eq(ending.interim_plan),
        )))
        .await?;
    if ended == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Who came, for one invitation of a sitting: its id, its person, and whether they came.
pub struct Came {
    /// The invitation.
    pub invitation_id: Uuid,
    /// Its person.
    pub person_id: Option<Uuid>,
    /// Whether they came.
    pub attended: Attendance,
}

/// Records who came; a later record of the same sitting corrects an earlier one.
pub async fn attend(
    tx: &ViewerTx,
    sitting_id: Uuid,
    conference_id: Uuid,
    came: Vec<Came>,
    at: DateTime<Utc>,
) -> Result<()> {
    let by = tx.viewer().worker_id.0;
    let rows: Vec<_> = came
        .into_iter()
        .map(|one| {
            (
                conference_attendances::id.eq(Uuid::now_v7()),
                conference_attendances::sitting_id.eq(sitting_id),
                conference_attendances::conference_id.eq(conference_id),
                conference_attendances::invitation_id.eq(one.invitation_id),
                conference_attendances::person_id.eq(one.person_id),
                conference_attendances::attended.eq(Coded(one.attended)),
                conference_attendances::recorded_by.eq(by),
                conference_attendances::recorded_at.eq(at),
            )
        })
        .collect();
    diesel::insert_into(conference_attendances::table)
        .values(rows)
        .on_conflict((conference_attendances::sitting_id, conference_attendances::invitation_id))
        .do_update()
        .set((
            conference_attendances::attended.eq(diesel::upsert::excluded(conference_attendances::attended)),
            conference_attendances::recorded_by.eq(diesel::upsert::excluded(conference_attendances::recorded_by)),
            conference_attendances::recorded_at.eq(diesel::upsert::excluded(conference_attendances::recorded_at)),
        ))
        .execute(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Which agencies and other people came to a sitting: capacity and the agency's name. Also those whom the viewer does not
/// see by name; needs the conference authorised for writing.
pub async fn came(tx: &ViewerTx, sitting_id: Uuid) -> Result<Vec<(InvitationCapacity, Option<String>)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        capacity: String,
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
        agency_name: Option<String>,
    }
    let agencies = diesel::sql_query("select capacity, agency_name from hearth.agencies_present($1)");
    let rows: Vec<Row> =
        Kept(agencies.bind::<diesel::sql_types::Uuid, _>(sitting_id)).load(&mut tx.conn()?).await.map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            let capacity = InvitationCapacity::parse(&row.capacity);
            let capacity = capacity.ok_or_else(|| Error::internal("an unknown capacity"))?;
            Ok((capacity, row.agency_name))
        })
        .collect()
}

/// Whether somebody came to a sitting, as far as it is recorded, inside a change.
pub async fn attendance(tx: &ViewerTx, sitting_id: Uuid, invitation_id: Uuid) -> Result<Option<Attendance>> {
    let found: Option<Coded<Attendance>> = conference_attendances::table
        .filter(conference_attendances::sitting_id.eq(sitting_id))
        .filter(conference_attendances::invitation_id.eq(invitation_id))
        .select(conference_attendances::attended)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    Ok(found.map(|attended| attended.0))
}

/// What somebody said to a decision.
#[derive(Insertable)]
#[diesel(table_name = conference_views)]
#[allow(missing_docs)]
pub struct NewView {
    pub id: Uuid,
    pub sitting_id: Uuid,
    pub conference_id: Uuid,
    pub invitation_id: Uuid,
    pub person_id: Option<Uuid>,
    pub child_id: Option<Uuid>,
    pub agrees: bool,
    pub text: String,
    pub category: Option<Coded<AbuseCategory>>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// Minutes what somebody said.
pub async fn minute(tx: &ViewerTx, new: NewView) -> Result<()> {
    tx.run(diesel::insert_into(conference_views::table).values(new)).await?;
    Ok(())
}

/// A step to remember.
#[allow(missing_docs)]
pub struct Taken {
    pub conference_id: Uuid,
    pub step: Step,
    pub before: ConferenceState,
    pub after: ConferenceState,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
    pub version: i32,
}

/// Remembers a step.
pub async fn remember(tx: &ViewerTx, taken: Taken) -> Result<()> {
    let by = tx.viewer().worker_id.0;
    tx.run(diesel::insert_into(conference_steps::table).values((
        conference_steps::id.eq(Uuid::now_v7()),
        conference_steps::conference_id.eq(taken.conference_id),
        conference_steps::step.eq(taken.step.code()),
        conference_steps::state_before.eq(Coded(taken.before)),
        conference_steps::state_after.eq(Coded(taken.after)),
        conference_steps::reason.eq(taken.reason),
        conference_steps::taken_by.eq(by),
        conference_steps::taken_at.eq(taken.at),
        conference_steps::version.eq(taken.version),
    )))
    .await?;
    Ok(())
}

/// The reason that was given when a conference last took this step, inside a change.
pub async fn last_reason(tx: &ViewerTx, conference_id: Uuid, step: Step) -> Result<Option<String>> {
    let found: Option<Option<String>> = conference_steps::table
        .filter(conference_steps::conference_id.eq(conference_id))
        .filter(conference_steps::step.eq(step.code()))
        .order(conference_steps::version.desc())
        .select(conference_steps::reason)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    Ok(found.flatten())
}
