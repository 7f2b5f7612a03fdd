//! Family groups and relationships.

use chrono::NaiveDate;
use diesel::{dsl::exists, prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Personal, Placed, Snapshot, ViewerTx, failed, lateral,
    schema::{family_groups, family_members, relationships},
};
use crate::{
    domain::codes::{ParentalResponsibility, SiblingLink},
    error::Result,
};

/// A family group.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = family_groups, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct FamilyGroupRow {
    pub id: Uuid,
    pub name: Personal<String>,
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

/// What each of these people is to others.
pub async fn relationships_of(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<RelationshipRow>>> {
    let theirs = relationships::table
        .filter(relationships::person_id.eq(lateral::parent_id()))
        .order((relationships::from_on, relationships::id))
        .select(RelationshipRow::as_select());
    snapshot.load(lateral::for_each(person_ids, theirs)).await
}

/// A family group that all of these children are in, inside a change.
pub async fn common_to(tx: &ViewerTx, child_ids: &[Uuid]) -> Result<Option<Uuid>> {
    let rows: Vec<(Uuid, Uuid)> = family_members::table
        .filter(family_members::person_id.eq_any(child_ids.to_vec()))
        .order((family_members::family_id, family_members::person_id))
        .select((family_members::family_id, family_members::person_id))
        .distinct()
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    let common = rows.chunk_by(|one, other| one.0 == other.0).find(|of_one| of_one.len() == child_ids.len());
    Ok(common.and_then(|of_one| of_one.first()).map(|(family, _)| *family))
}

/// Who has parental responsibility for these children on a day and is alive, as far as the viewer sees, inside a
/// change.
pub async fn holders_of_responsibility(tx: &ViewerTx, child_ids: &[Uuid], on: NaiveDate) -> Result<Vec<Uuid>> {
    use super::schema::persons;
    relationships::table
        .inner_join(persons::table.on(persons::id.eq(relationships::person_id)))
        .filter(relationships::other_id.eq_any(child_ids.to_vec()))
        .filter(relationships::parental_responsibility.eq(Coded(ParentalResponsibility::Yes)))
        .filter(relationships::from_on.le(on))
        .filter(relationships::to_on.is_null().or(relationships::to_on.gt(on)))
        .filter(persons::date_of_death.is_null())
        .select(relationships::person_id)
        .distinct()
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Of each of these conferences, who has parental responsibility for one of its children today and has neither an
/// invitation nor a recorded reason, as far as the viewer sees.
pub async fn uninvited_parents(snapshot: &Snapshot, conference_ids: &[Uuid]) -> Result<Vec<Placed<Uuid>>> {
    use super::schema::{conference_children, conference_invitations, persons};
    let today = crate::domain::calendar::london_day(snapshot.viewer().at);
    let accounted_for = conference_invitations::table
        .filter(conference_invitations::conference_id.eq(lateral::parent_id()))
        .filter(conference_invitations::person_id.eq(relationships::person_id.nullable()))
        .filter(conference_invitations::sent_at.is_not_null().or(conference_invitations::exclusion.is_not_null()));
    let query = relationships::table
        .inner_join(persons::table.on(persons::id.eq(relationships::person_id)))
        .inner_join(conference_children::table.on(conference_children::child_id.eq(relationships::other_id)))
        .filter(conference_children::conference_id.eq(lateral::parent_id()))
        .filter(relationships::parental_responsibility.eq(Coded(ParentalResponsibility::Yes)))
        .filter(relationships::from_on.le(today))
        .filter(relationships::to_on.is_null().or(relationships::to_on.gt(today)))
        .filter(persons::date_of_death.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(accounted_for)))
        .select(relationships::person_id)
        .distinct()
        .order(relationships::person_id);
    snapshot.load(lateral::for_each(conference_ids, query)).await
}

/// The memberships of family groups of each of these people, those that are over included.
pub async fn memberships_of(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<FamilyMemberRow>>> {
    let theirs = family_members::table
        .filter(family_members::person_id.eq(lateral::parent_id()))
        .order((family_members::from_on.desc(), family_members::id))
        .select(FamilyMemberRow::as_select());
    snapshot.load(lateral::for_each(person_ids, theirs)).await
}

/// What the members of each of these family groups are to each other, those that are over included.
pub async fn relationships_within(snapshot: &Snapshot, family_ids: &[Uuid]) -> Result<Vec<Placed<RelationshipRow>>> {
    let person = family_members::table
        .filter(family_members::family_id.eq(lateral::parent_id()))
        .filter(family_members::person_id.eq(relationships::person_id));
    let other = family_members::table
        .filter(family_members::family_id.eq(lateral::parent_id()))
        .filter(family_members::person_id.eq(relationships::other_id));
    let theirs = relationships::table
        .filter(exists(person))
        .filter(exists(other))
        .order((relationships::from_on, relationships::id))
        .select(RelationshipRow::as_select());
    snapshot.load(lateral::for_each(family_ids, theirs)).await
}

/// A child's brother or sister, and how.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs)]
pub struct SiblingRow {
    pub child_id: Uuid,
    pub how: Vec<Coded<SiblingLink>>,
}

/// Children who are in one family group with each of these children now, or recorded as siblings of any kind; eldest
/// first. Whoever is out of sight is not among them.
pub async fn siblings_of(snapshot: &Snapshot, child_ids: &[Uuid]) -> Result<Vec<Placed<SiblingRow>>> {
    let siblings = lateral::plain::<(sql_types::Uuid, sql_types::Array<sql_types::Text>)>(
        "WITH today AS (SELECT (hearth.at() AT TIME ZONE 'Europe/London')::date AS day) \
         SELECT c.id, array_agg(DISTINCT found.how ORDER BY found.how) FROM (\
            SELECT other.person_id AS id, 'SHARED_FAMILY' AS how \
            FROM family_members mine JOIN family_members other ON other.family_id = mine.family_id, today \
            WHERE mine.person_id = parent.id AND other.person_id <> parent.id \
              AND today.day BETWEEN mine.from_on AND coalesce(mine.to_on, today.day) \
              AND today.day BETWEEN other.from_on AND coalesce(other.to_on, today.day) \
            UNION ALL \
            SELECT r.other_id, CASE r.type WHEN 'sibling' THEN 'SIBLING' WHEN 'halfSibling' THEN 'HALF_SIBLING' \
                WHEN 'stepSibling' THEN 'STEP_SIBLING' ELSE 'UNBORN_SIBLING' END \
            FROM relationships r, today WHERE r.person_id = parent.id \
              AND r.type IN ('sibling', 'halfSibling', 'stepSibling', 'unbornSibling', 'siblingOfUnbornChild') \
              AND today.day BETWEEN r.from_on AND coalesce(r.to_on, today.day) \
        ) AS found JOIN children c ON c.id = found.id JOIN persons p ON p.id = c.id \
        GROUP BY c.id, p.id ORDER BY coalesce(p.date_of_birth, p.expected_date_of_birth), c.id",
    );
    snapshot.load(lateral::for_each(child_ids, siblings)).await
}
