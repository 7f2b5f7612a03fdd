//! Who is kept from a record: restrictions, denials by name; and who broke the glass.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Page, Personal, Placed, Snapshot, ViewerTx, cases,
    cases::CaseCore,
    failed, lateral,
    lateral::newest_first,
    schema::{access_denials, access_restrictions, areas, break_glass_uses, worker_posts, workers},
    workers::WorkerRow,
};
use crate::{
    domain::codes::{BreakGlassFinding, BreakGlassReason, DenialReason, FieldClass, RestrictionReason},
    error::{Error, Result},
};

/// A restriction of a person's record.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = access_restrictions, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct RestrictionRow {
    pub id: Uuid,
    pub person_id: Uuid,
    pub reason: Coded<RestrictionReason>,
    pub owner_id: Uuid,
    pub allowed: Vec<Uuid>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub created_by: Uuid,
    pub version: i32,
}

/// A worker who may not see a person's record.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = access_denials, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct DenialRow {
    pub id: Uuid,
    pub person_id: Uuid,
    pub worker_id: Uuid,
    pub reason: Coded<DenialReason>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub created_by: Uuid,
    pub version: i32,
}

/// A use of break-glass.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = break_glass_uses, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct GlassRow {
    pub id: Uuid,
    pub child_id: Uuid,
    pub worker_id: Uuid,
    pub reason: Coded<BreakGlassReason>,
    pub explanation: Personal<String>,
    pub started_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub alerted: Vec<Uuid>,
    pub review_due_on: NaiveDate,
    pub reviewed_by: Option<Uuid>,
    pub reviewed_at: Option<DateTime<Utc>>,
    pub finding: Option<Coded<BreakGlassFinding>>,
    pub review_note: Option<Personal<String>>,
    pub version: i32,
}

/// These restrictions.
pub async fn restrictions_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<RestrictionRow>> {
    let query = access_restrictions::table
        .filter(access_restrictions::id.eq_any(ids.to_vec()))
        .select(RestrictionRow::as_select());
    snapshot.load(query).await
}

/// These denials.
pub async fn denials_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<DenialRow>> {
    let query = access_denials::table.filter(access_denials::id.eq_any(ids.to_vec())).select(DenialRow::as_select());
    snapshot.load(query).await
}

/// These uses of break-glass.
pub async fn uses_by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<GlassRow>> {
    let query = break_glass_uses::table.filter(break_glass_uses::id.eq_any(ids.to_vec())).select(GlassRow::as_select());
    snapshot.load(query).await
}

/// The running restriction of each of these persons.
pub async fn restriction_of_persons(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<RestrictionRow>>> {
    let query = access_restrictions::table
        .filter(access_restrictions::person_id.eq(lateral::parent_id()))
        .filter(access_restrictions::ended_at.is_null())
        .select(RestrictionRow::as_select());
    snapshot.load(lateral::for_each(person_ids, query)).await
}

/// The running denials of each of these persons, oldest first.
pub async fn denials_of_persons(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<DenialRow>>> {
    let query = access_denials::table
        .filter(access_denials::person_id.eq(lateral::parent_id()))
        .filter(access_denials::ended_at.is_null())
        .order((access_denials::started_at, access_denials::id))
        .select(DenialRow::as_select());
    snapshot.load(lateral::for_each(person_ids, query)).await
}

/// A page of the running restrictions that the viewer may read, newest first.
pub async fn restrictions(snapshot: &Snapshot, page: &Page<(DateTime<Utc>, Uuid)>) -> Result<Vec<RestrictionRow>> {
    let query = newest_first!(
        access_restrictions::table.filter(access_restrictions::ended_at.is_null()).select(RestrictionRow::as_select()),
        page,
        access_restrictions::started_at,
        access_restrictions::id
    );
    snapshot.load(query).await
}

/// How many running restrictions the viewer may read.
pub async fn count_restrictions(snapshot: &Snapshot) -> Result<i64> {
    let query = access_restrictions::table.filter(access_restrictions::ended_at.is_null()).count();
    let counted: Vec<i64> = snapshot.load(query).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// A page of the uses of break-glass of which the viewer was alerted, newest first.
pub async fn alerted_uses(
    snapshot: &Snapshot,
    to_review: bool,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<GlassRow>> {
    let mut query = newest_first!(
        break_glass_uses::table
            .filter(break_glass_uses::alerted.contains(vec![snapshot.viewer().worker_id.0]))
            .select(GlassRow::as_select()),
        page,
        break_glass_uses::started_at,
        break_glass_uses::id
    );
    if to_review {
        query = query.filter(break_glass_uses::reviewed_at.is_null());
    }
    snapshot.load(query).await
}

/// How many they are.
pub async fn count_alerted_uses(snapshot: &Snapshot, to_review: bool) -> Result<i64> {
    let mut query = break_glass_uses::table
        .filter(break_glass_uses::alerted.contains(vec![snapshot.viewer().worker_id.0]))
        .count()
        .into_boxed();
    if to_review {
        query = query.filter(break_glass_uses::reviewed_at.is_null());
    }
    let counted: Vec<i64> = snapshot.load(query).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// Who is on the list of each of these restrictions, by name.
pub async fn listed_of(snapshot: &Snapshot, restriction_ids: &[Uuid]) -> Result<Vec<Placed<WorkerRow>>> {
    let on_list =
        access_restrictions::allowed.contains(diesel::dsl::array::<diesel::sql_types::Uuid, _>((workers::id,)));
    let query = access_restrictions::table
        .inner_join(workers::table.on(on_list))
        .filter(access_restrictions::id.eq(lateral::parent_id()))
        .order((workers::name, workers::id))
        .select(WorkerRow::as_select());
    snapshot.load(lateral::for_each(restriction_ids, query)).await
}

/// The uses of break-glass of each of these children's records, newest first.
pub async fn uses_of_children(snapshot: &Snapshot, child_ids: &[Uuid]) -> Result<Vec<Placed<GlassRow>>> {
    let query = break_glass_uses::table
        .filter(break_glass_uses::child_id.eq(lateral::parent_id()))
        .order((break_glass_uses::started_at.desc(), break_glass_uses::id.desc()))
        .limit(100)
        .select(GlassRow::as_select());
    snapshot.load(lateral::for_each(child_ids, query)).await
}

diesel::define_sql_function! {
    /// How many children whom the unit holds are restricted; null for who has nothing to do with the unit.
    #[sql_name = "hearth.restricted_of_unit"]
    fn restricted_of_unit(unit: diesel::sql_types::Uuid) -> diesel::sql_types::Nullable<diesel::sql_types::BigInt>;
}
diesel::define_sql_function! {
    /// How many persons of the family are restricted; null for a family out of sight.
    #[sql_name = "hearth.restricted_of_family"]
    fn restricted_of_family(family: diesel::sql_types::Uuid) -> diesel::sql_types::Nullable<diesel::sql_types::BigInt>;
}

/// How many children whom each of these units holds are restricted, whether or not the viewer may see them.
pub async fn restricted_of_units(snapshot: &Snapshot, unit_ids: &[Uuid]) -> Result<Vec<Placed<Option<i64>>>> {
    snapshot.load(lateral::for_each(unit_ids, diesel::select(restricted_of_unit(lateral::parent_id())))).await
}

/// How many persons of each of these families are restricted, whether or not the viewer may see them.
pub async fn restricted_of_families(snapshot: &Snapshot, family_ids: &[Uuid]) -> Result<Vec<Placed<Option<i64>>>> {
    snapshot.load(lateral::for_each(family_ids, diesel::select(restricted_of_family(lateral::parent_id())))).await
}

/// Of each of these subjects the classes of fields that the viewer does not read, among `of`.
pub async fn withheld(
    snapshot: &Snapshot,
    subject_ids: &[Uuid],
    of: &'static [FieldClass],
) -> Result<Vec<Placed<Coded<FieldClass>>>> {
    let all: Vec<Placed<Coded<FieldClass>>> = snapshot
        .load(lateral::for_each(
            subject_ids,
            lateral::plain::<diesel::sql_types::Text>(
                "SELECT c.class FROM unnest(ARRAY['CLINICAL', 'THIRD_PARTY', 'CONFIDENTIAL_ADDRESS']) AS c (class) \
                 WHERE NOT EXISTS (SELECT FROM sight s WHERE s.subject_id = parent.id AND s.whole \
                 AND s.holder_id = ANY (hearth.opens(c.class)))",
            ),
        ))
        .await?;
    Ok(all.into_iter().filter(|(_, class)| of.contains(&class.0)).collect())
}

/// A person in whole sight inside a change, locked against other changes of who may see them; with the open case, if it is
/// a child that has one. Hidden or missing: NOT_FOUND.
pub async fn person(tx: &ViewerTx, person_id: Uuid) -> Result<Option<cases::Locked>> {
    use super::schema::cases as of;
    let whole: bool = diesel::select(sees(person_id)).get_result(&mut tx.conn()?).await.map_err(failed)?;
    if !whole {
        return Err(Error::NotFound);
    }
    let case: Option<CaseCore> = of::table
        .filter(of::child_id.eq(person_id))
        .filter(of::closed_on.is_null())
        .select(CaseCore::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    let locked = match case {
        Some(case) => Some(cases::lock_seen(tx, None, &case).await?),
        None => None,
    };
    tx.queue_for(person_id).await?;
    Ok(locked)
}

diesel::define_sql_function! {
    /// Whether the viewer sees the subject whole.
    #[sql_name = "hearth.sees"]
    fn sees(subject: diesel::sql_types::Uuid) -> diesel::sql_types::Bool;
}

/// A restriction that the viewer may read, locked. Hidden or missing: NOT_FOUND.
pub async fn restriction(tx: &ViewerTx, id: Uuid) -> Result<RestrictionRow> {
    let find = || access_restrictions::table.find(id).select(RestrictionRow::as_select());
    let seen = find().first(&mut tx.conn()?).await.map_err(failed)?;
    tx.queue_for(seen.person_id).await?;
    find().first(&mut tx.conn()?).await.map_err(failed)
}

/// A denial that the viewer may read, locked. Hidden or missing: NOT_FOUND.
pub async fn denial(tx: &ViewerTx, id: Uuid) -> Result<DenialRow> {
    let find = || access_denials::table.find(id).select(DenialRow::as_select());
    let seen = find().first(&mut tx.conn()?).await.map_err(failed)?;
    tx.queue_for(seen.person_id).await?;
    find().first(&mut tx.conn()?).await.map_err(failed)
}

/// A use of break-glass that the viewer may read, locked. Hidden or missing: NOT_FOUND.
pub async fn glass_use(tx: &ViewerTx, id: Uuid) -> Result<GlassRow> {
    let find = || break_glass_uses::table.find(id).select(GlassRow::as_select());
    find().first(&mut tx.conn()?).await.map_err(failed)?;
    tx.queue_for(id).await?;
    find().first(&mut tx.conn()?).await.map_err(failed)
}

/// Which of these workers are active.
pub async fn active_among(tx: &ViewerTx, worker_ids: &[Uuid]) -> Result<Vec<Uuid>> {
    workers::table
        .filter(workers::id.eq_any(worker_ids.to_vec()))
        .filter(workers::active)
        .select(workers::id)
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Whether a worker manages an area or is head of service at the change's moment: may own a restriction.
pub async fn may_own(tx: &ViewerTx, worker_id: Uuid) -> Result<bool> {
    let at = tx.viewer().at;
    let manages = areas::table.filter(areas::service_manager_id.eq(worker_id));
    let heads = worker_posts::table
        .filter(worker_posts::worker_id.eq(worker_id))
        .filter(worker_posts::post.eq("HEAD_OF_SERVICE"))
        .filter(worker_posts::started_at.le(at))
        .filter(worker_posts::ended_at.is_null().or(worker_posts::ended_at.gt(at)));
    diesel::select(diesel::dsl::exists(manages).or(diesel::dsl::exists(heads)))
        .get_result(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// A new restriction.
#[derive(Insertable)]
#[diesel(table_name = access_restrictions)]
#[allow(missing_docs)]
pub struct NewRestriction {
    pub id: Uuid,
    pub person_id: Uuid,
    pub reason: Coded<RestrictionReason>,
    pub owner_id: Uuid,
    pub allowed: Vec<Uuid>,
    pub started_at: DateTime<Utc>,
    pub created_by: Uuid,
}

/// Restricts the record of a person who is authorised for writing.
pub async fn restrict(tx: &ViewerTx, new: NewRestriction) -> Result<()> {
    tx.run(diesel::insert_into(access_restrictions::table).values(new)).await?;
    Ok(())
}

/// Names another owner and others who may see the record. Returns the new version.
pub async fn relist(tx: &ViewerTx, restriction: &RestrictionRow, owner: Uuid, allowed: Vec<Uuid>) -> Result<i32> {
    let version = restriction.version + 1;
    let changed = tx
        .run(diesel::update(access_restrictions::table.find(restriction.id)).set((
            access_restrictions::owner_id.eq(owner),
            access_restrictions::allowed.eq(allowed),
            access_restrictions::version.eq(version),
        )))
        .await?;
    if changed == 1 { Ok(version) } else { Err(Error::NotFound) }
}

/// Ends a restriction. Returns the new version.
pub async fn lift(tx: &ViewerTx, restriction: &RestrictionRow, at: DateTime<Utc>) -> Result<i32> {
    let version = restriction.version + 1;
    let changed = tx
        .run(
            diesel::update(access_restrictions::table.find(restriction.id))
                .set((access_restrictions::ended_at.eq(at), access_restrictions::version.eq(version))),
        )
        .await?;
    if changed == 1 { Ok(version) } else { Err(Error::NotFound) }
}

/// A new denial.
#[derive(Insertable)]
#[diesel(table_name = access_denials)]
#[allow(missing_docs)]
pub struct NewDenial {
    pub id: Uuid,
    pub person_id: Uuid,
    pub worker_id: Uuid,
    pub reason: Coded<DenialReason>,
    pub started_at: DateTime<Utc>,
    pub created_by: Uuid,
}

/// Keeps a worker from the record of a person who is authorised for writing.
pub async fn deny(tx: &ViewerTx, new: NewDenial) -> Result<()> {
    tx.run(diesel::insert_into(access_denials::table).values(new)).await?;
    Ok(())
}

/// Ends a denial. Returns the new version.
pub async fn end_denial(tx: &ViewerTx, denial: &DenialRow, at: DateTime<Utc>) -> Result<i32> {
    let version = denial.version + 1;
    let changed = tx
        .run(
            diesel::update(access_denials::table.find(denial.id))
                .set((access_denials::ended_at.eq(at), access_denials::version.eq(version))),
        )
        .await?;
    if changed == 1 { Ok(version) } else { Err(Error::NotFound) }
}

/// What breaking the glass of a child's record would do.
#[derive(Clone, Debug, QueryableByName)]
pub struct Glass {
    /// Whether the viewer sees the record whole anyway.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub sees: bool,
    /// Who is told, and reviews it.
    #[diesel(sql_type = diesel::sql_types::Array<diesel::sql_types::Uuid>)]
    pub alerted: Vec<Uuid>,
}

/// What breaking the glass of a child's record would do. Nothing for a child who does not exist or from whom a denial keeps
/// the viewer.
pub async fn glass(tx: &ViewerTx, child_id: Uuid) -> Result<Option<Glass>> {
    diesel::sql_query("select sees, alerted from hearth.glass($1)")
        .bind::<diesel::sql_types::Uuid, _>(child_id)
        .get_result(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// How often a worker broke a glass since a moment.
pub async fn uses_since(tx: &ViewerTx, worker_id: Uuid, since: DateTime<Utc>) -> Result<i64> {
    break_glass_uses::table
        .filter(break_glass_uses::worker_id.eq(worker_id))
        .filter(break_glass_uses::started_at.gt(since))
        .count()
        .get_result(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// A new use of break-glass.
#[derive(Insertable)]
#[diesel(table_name = break_glass_uses)]
#[allow(missing_docs)]
pub struct NewUse {
    pub id: Uuid,
    pub child_id: Uuid,
    pub worker_id: Uuid,
    pub reason: Coded<BreakGlassReason>,
    pub explanation: String,
    pub started_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub alerted: Vec<Uuid>,
    pub review_due_on: NaiveDate,
}

/// Opens the record of a child who is authorised for writing, for the viewer.
pub async fn break_glass(tx: &ViewerTx, new: NewUse) -> Result<()> {
    tx.run(diesel::insert_into(break_glass_uses::table).values(new)).await?;
    Ok(())
}

/// Records the review of a use. Returns the new version.
pub async fn review(
    tx: &ViewerTx,
    glass: &GlassRow,
    finding: BreakGlassFinding,
    note: Option<String>,
    at: DateTime<Utc>,
) -> Result<i32> {
    let version = glass.version + 1;
    let changed = tx
        .run(diesel::update(break_glass_uses::table.find(glass.id)).set((
            break_glass_uses::reviewed_by.eq(tx.viewer().worker_id.0),
            break_glass_uses::reviewed_at.eq(at),
            break_glass_uses::finding.eq(Coded(finding)),
            break_glass_uses::review_note.eq(note),
            break_glass_uses::version.eq(version),
        )))
        .await?;
    if changed == 1 { Ok(version) } else { Err(Error::NotFound) }
}
