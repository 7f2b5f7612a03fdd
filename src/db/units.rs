//! Units, areas and who belongs to them.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Page, Placed, Snapshot, ViewerTx, failed, lateral,
    schema::{areas, unit_memberships, units, workers},
    workers::WorkerRow,
};
use crate::{
    domain::codes::{Role, Service},
    error::Result,
};

/// A social work unit.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = units, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct UnitRow {
    pub id: Uuid,
    pub name: String,
    pub service: Coded<Service>,
    pub area_id: Uuid,
    pub contact_point: Option<String>,
    pub active_from: NaiveDate,
    pub active_to: Option<NaiveDate>,
    pub capacity_cases: i32,
    pub version: i32,
}

/// A service manager's span of units.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = areas, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct AreaRow {
    pub id: Uuid,
    pub name: String,
    pub service_manager_id: Option<Uuid>,
}

/// A worker's membership of a unit.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = unit_memberships, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct MembershipRow {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub worker_id: Uuid,
    pub role: Coded<Role>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub cover: bool,
    pub version: i32,
}

/// These units.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<UnitRow>> {
    snapshot.load(units::table.filter(units::id.eq_any(ids.to_vec())).select(UnitRow::as_select())).await
}

/// A page of all units by name.
pub async fn page(snapshot: &Snapshot, page: &Page<(String, Uuid)>) -> Result<Vec<UnitRow>> {
    let mut query =
        units::table.order((units::name, units::id)).limit(page.limit()).select(UnitRow::as_select()).into_boxed();
    if let Some((name, id)) = page.after.clone() {
        query = query.filter(units::name.gt(name.clone()).or(units::name.eq(name).and(units::id.gt(id))));
    }
    snapshot.load(query).await
}

/// How many units there are.
pub async fn count(snapshot: &Snapshot) -> Result<i64> {
    let counted: Vec<i64> = snapshot.load(units::table.count()).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// The units of each of these areas.
pub async fn of_areas(snapshot: &Snapshot, area_ids: &[Uuid]) -> Result<Vec<Placed<UnitRow>>> {
    let of_area = units::table
        .filter(units::area_id.eq(lateral::parent_id()))
        .order((units::name, units::id))
        .select(UnitRow::as_select());
    snapshot.load(lateral::for_each(area_ids, of_area)).await
}

/// These areas.
pub async fn areas_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<AreaRow>> {
    snapshot.load(areas::table.filter(areas::id.eq_any(ids.to_vec())).select(AreaRow::as_select())).await
}

/// The areas that each of these workers manages.
pub async fn areas_of_workers(snapshot: &Snapshot, worker_ids: &[Uuid]) -> Result<Vec<Placed<AreaRow>>> {
    let managed = areas::table
        .filter(areas::service_manager_id.eq(lateral::parent_id().nullable()))
        .order((areas::name, areas::id))
        .select(AreaRow::as_select());
    snapshot.load(lateral::for_each(worker_ids, managed)).await
}

/// The current members of each of these units.
pub async fn members_of(snapshot: &Snapshot, unit_ids: &[Uuid]) -> Result<Vec<Placed<MembershipRow>>> {
    let at = snapshot.viewer().at;
    let current = unit_memberships::table
        .filter(unit_memberships::unit_id.eq(lateral::parent_id()))
        .filter(unit_memberships::started_at.le(at))
        .filter(unit_memberships::ended_at.is_null().or(unit_memberships::ended_at.gt(at)))
        .order((unit_memberships::role, unit_memberships::started_at, unit_memberships::id))
        .select(MembershipRow::as_select());
    snapshot.load(lateral::for_each(unit_ids, current)).await
}

/// The current memberships of each of these workers.
pub async fn memberships_of_workers(snapshot: &Snapshot, worker_ids: &[Uuid]) -> Result<Vec<Placed<MembershipRow>>> {
    let at = snapshot.viewer().at;
    let current = unit_memberships::table
        .filter(unit_memberships::worker_id.eq(lateral::parent_id()))
        .filter(unit_memberships::started_at.le(at))
        .filter(unit_memberships::ended_at.is_null().or(unit_memberships::ended_at.gt(at)))
        .order((unit_memberships::started_at, unit_memberships::id))
        .select(MembershipRow::as_select());
    snapshot.load(lateral::for_each(worker_ids, current)).await
}

/// These memberships.
pub async fn memberships_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<MembershipRow>> {
    let query =
        unit_memberships::table.filter(unit_memberships::id.eq_any(ids.to_vec())).select(MembershipRow::as_select());
    snapshot.load(query).await
}

/// A unit inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<Option<UnitRow>> {
    units::table.find(id).select(UnitRow::as_select()).first(&mut tx.conn()?).await.optional().map_err(failed)
}

/// Waits until no other change concerns the unit's members, gives it a case, or counts its cases. Before any case is
/// locked: see [`super::cases::lock`].
pub async fn queue_for(tx: &ViewerTx, id: Uuid) -> Result<()> {
    tx.queue_for(id).await
}

/// Whether a membership runs at a change's moment. One that somebody ended is over, and one that is written down has
/// begun, even if the change's moment lies before: it waited for the unit while the other was committed.
#[diesel::dsl::auto_type(no_type_alias)]
pub(in crate::db) fn runs(at: DateTime<Utc>) -> _ {
    unit_memberships::ended_at
        .is_null()
        .or(unit_memberships::ended_at.gt(at).and(unit_memberships::reason_end.is_null()))
}

/// The role of a worker in a unit at the change's moment.
pub async fn role_in(tx: &ViewerTx, unit_id: Uuid, worker_id: Uuid) -> Result<Option<Role>> {
    let at = tx.viewer().at;
    let role: Option<Coded<Role>> = unit_memberships::table
        .filter(unit_memberships::unit_id.eq(unit_id))
        .filter(unit_memberships::worker_id.eq(worker_id))
        .filter(runs(at))
        .select(unit_memberships::role)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    Ok(role.map(|role| role.0))
}

/// The consultant social worker of a unit at the change's moment, other than `but`; the one who covers only if there is
/// no other.
pub async fn consultant_of(tx: &ViewerTx, unit_id: Uuid, but: Option<Uuid>) -> Result<Option<WorkerRow>> {
    use crate::domain::Code;
    let at = tx.viewer().at;
    unit_memberships::table
        .inner_join(workers::table)
        .filter(unit_memberships::unit_id.eq(unit_id))
        .filter(unit_memberships::role.eq(Role::ConsultantSocialWorker.code()))
        .filter(runs(at))
        .filter(unit_memberships::worker_id.ne(but.unwrap_or(Uuid::nil())))
        .order(unit_memberships::cover)
        .select(WorkerRow::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

diesel::define_sql_function! {
    /// Open primary allocations of a unit, whoever asks.
    #[sql_name = "hearth.cases_held"]
    fn cases_held(unit: diesel::sql_types::Uuid) -> diesel::sql_types::BigInt;
}

/// How many cases the unit holds, for its capacity: counts cases that the viewer may not see.
pub async fn count_held(tx: &ViewerTx, unit_id: Uuid) -> Result<i64> {
    diesel::select(cases_held(unit_id)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// A membership inside a change.
pub async fn membership(tx: &ViewerTx, id: Uuid) -> Result<Option<MembershipRow>> {
    unit_memberships::table
        .find(id)
        .select(MembershipRow::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// How much of a full post a membership is, in hundredths, inside a change.
pub async fn share_of_post(tx: &ViewerTx, id: Uuid) -> Result<i32> {
    unit_memberships::table
        .find(id)
        .select(diesel::dsl::sql::<diesel::sql_types::Integer>("(fte * 100)::integer"))
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// A new membership.
#[allow(missing_docs)]
pub struct NewMembership {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub worker_id: Uuid,
    pub role: Role,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    /// How much of a full post, in hundredths.
    pub share: i32,
    pub cover: bool,
}

/// Makes somebody a member of a unit that is authorised for writing.
pub async fn join(tx: &ViewerTx, new: NewMembership) -> Result<()> {
    use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
    // The share is a numeric, which diesel would read with one more library.
    diesel::sql_query(
        "insert into unit_memberships (id, unit_id, worker_id, role, started_at, ended_at, fte, cover)
         values ($1, $2, $3, $4, $5, $6, $7 / 100.0, $8)",
    )
    .bind::<SqlUuid, _>(new.id)
    .bind::<SqlUuid, _>(new.unit_id)
    .bind::<SqlUuid, _>(new.worker_id)
    .bind::<Text, _>(Coded(new.role))
    .bind::<Timestamptz, _>(new.started_at)
    .bind::<Nullable<Timestamptz>, _>(new.ended_at)
    .bind::<Integer, _>(new.share)
    .bind::<Bool, _>(new.cover)
    .execute(&mut tx.conn()?)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Ends a membership. Returns its new version.
pub async fn leave(tx: &ViewerTx, membership: &MembershipRow, at: DateTime<Utc>, reason: &str) -> Result<i32> {
    let version = membership.version + 1;
    let ended = tx
        .run(diesel::update(unit_memberships::table.find(membership.id)).set((
            unit_memberships::ended_at.eq(at),
            unit_memberships::reason_end.eq(reason),
            unit_memberships::version.eq(version),
        )))
        .await?;
    if ended == 1 { Ok(version) } else { Err(crate::error::Error::NotFound) }
}

/// The active units of a service, inside a change.
pub async fn of_service(tx: &ViewerTx, service: Service, on: NaiveDate) -> Result<Vec<Uuid>> {
    units::table
        .filter(units::service.eq(Coded(service)))
        .filter(units::active_from.le(on))
        .filter(units::active_to.is_null().or(units::active_to.ge(on)))
        .order(units::id)
        .select(units::id)
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Who manages an area, inside a change.
pub async fn manager_of(tx: &ViewerTx, area_id: Uuid) -> Result<Option<Uuid>> {
    areas::table.find(area_id).select(areas::service_manager_id).first(&mut tx.conn()?).await.map_err(failed)
}
