//! Family groups and relationships.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Placed, Snapshot, ViewerTx, failed, lateral,
    schema::{children, family_groups, family_members, relationships},
};
use crate::{domain::codes::ParentalResponsibility, error::Result};

/// A family group.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = family_groups, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct FamilyGroupRow {
    pub id: Uuid,
    pub name: String,
    pub version: i32,
}

/// Somebody's membership of a family group.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = family_members, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct FamilyMemberRow {
    pub family_id: Uuid,
    pub person_id: Uuid,
    pub from_on: NaiveDate,
    pub to_on: Option<NaiveDate>,
}

/// What one person is to another.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = relationships, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct RelationshipRow {
    pub person_id: Uuid,
    pub other_id: Uuid,
    pub type_: String,
    pub parental_responsibility: Coded<ParentalResponsibility>,
    pub main_carer: bool,
    pub from_on: NaiveDate,
    pub to_on: Option<NaiveDate>,
}

/// These family groups.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<FamilyGroupRow>> {
    let query = family_groups::table.filter(family_groups::id.eq_any(ids.to_vec())).select(FamilyGroupRow::as_select());
    snapshot.load(query).await
}

/// The family groups of each of these people.
pub async fn of_persons(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<FamilyGroupRow>>> {
    let theirs = family_members::table
        .inner_join(family_groups::table)
        .filter(family_members::person_id.eq(lateral::parent_id()))
        .order((family_members::from_on.desc(), family_groups::id))
        .select(FamilyGroupRow::as_select());
    snapshot.load(lateral::for_each(person_ids, theirs)).await
}

/// The members of each of these family groups, eldest membership first.
pub async fn members_of(snapshot: &Snapshot, family_ids: &[Uuid]) -> Result<Vec<Placed<FamilyMemberRow>>> {
    let members = family_members::table
        .filter(family_members::family_id.eq(lateral::parent_id()))
        .order((family_members::from_on, family_members::id))
        .select(FamilyMemberRow::as_select());
    snapshot.load(lateral::for_each(family_ids, members)).await
}

/// The ids of the children of each of these family groups.
pub async fn children_of(snapshot: &Snapshot, family_ids: &[Uuid]) -> Result<Vec<Placed<Uuid>>> {
    let theirs = family_members::table
        .inner_join(children::table.on(children::id.eq(family_members::person_id)))
        .filter(family_members::family_id.eq(lateral::parent_id()))
        .order((family_members::from_on, family_members::id))
        .select(children::id);
    snapshot.load(lateral::for_each(family_ids, theirs)).await
}

/// What each of these people is to others.
pub async fn relationships_of(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<RelationshipRow>>> {
    let theirs = relationships::table
        .filter(relationships::person_id.eq(lateral::parent_id()))
        .order((relationships::from_on, relationships::id))
        .select(RelationshipRow::as_select());
    snapshot.load(lateral::for_each(person_ids, theirs)).await
}

/// A family group that all of these children are in, inside a change.
pub async fn common_to(tx: &mut ViewerTx, child_ids: &[Uuid]) -> Result<Option<Uuid>> {
    let rows: Vec<(Uuid, Uuid)> = family_members::table
        .filter(family_members::person_id.eq_any(child_ids.to_vec()))
        .order((family_members::family_id, family_members::person_id))
        .select((family_members::family_id, family_members::person_id))
        .distinct()
        .load(tx.conn()?)
        .await
        .map_err(failed)?;
    let common = rows.chunk_by(|one, other| one.0 == other.0).find(|of_one| of_one.len() == child_ids.len());
    Ok(common.and_then(|of_one| of_one.first()).map(|(family, _)| *family))
}
