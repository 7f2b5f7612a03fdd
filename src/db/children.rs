//! Children and other people.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Placed, Snapshot,
    columns::choose_whole,
    lateral,
    schema::{addresses, children, persons},
};
use crate::{domain::codes::Sex, error::Result};

/// The core of a person.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = persons, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct PersonCore {
    pub id: Uuid,
    pub person_no: i64,
    pub first_name: String,
    pub last_name: String,
    pub preferred_name: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub expected_date_of_birth: Option<NaiveDate>,
    pub date_of_birth_estimated: bool,
    pub sex: Coded<Sex>,
    pub sort_name: Option<String>,
    pub version: i32,
}

/// A person with what was selected of them. Use the accessors for the sensitive group.
#[derive(Clone, Debug)]
pub struct PersonRow {
    /// The core.
    pub core: PersonCore,
    read: Columns,
    sensitive: Sensitive,
    child: ChildSensitive,
}

#[derive(Clone, Debug, Default, Queryable)]
struct Sensitive {
    ethnicity: Option<String>,
    religion: Option<String>,
    first_language: Option<String>,
    interpreter_needed: Option<bool>,
    communication_needs: Option<String>,
    nhs_no: Option<String>,
}

#[derive(Clone, Debug, Default, Queryable)]
struct ChildSensitive {
    upn: Option<String>,
    disabilities: Option<Vec<String>>,
}

/// The sensitive group of a person.
#[allow(missing_docs)]
impl PersonRow {
    pub fn ethnicity(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.ethnicity.as_deref())
    }
    pub fn religion(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.religion.as_deref())
    }
    pub fn first_language(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.first_language.as_deref())
    }
    pub fn interpreter_needed(&self) -> Result<Option<bool>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.interpreter_needed)
    }
    pub fn communication_needs(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.communication_needs.as_deref())
    }
    pub fn nhs_no(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.nhs_no.as_deref())
    }
    pub fn upn(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.child.upn.as_deref())
    }
    pub fn disabilities(&self) -> Result<&[String]> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.child.disabilities.as_deref().unwrap_or_default())
    }
}

/// An address.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = addresses, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct AddressRow {
    pub kind: String,
    pub line: String,
    pub postcode: String,
    pub from_on: NaiveDate,
    pub to_on: Option<NaiveDate>,
    pub confidential: bool,
}

macro_rules! sensitive {
    ($read:expr) => {{
        let read = $read.has(Columns::SENSITIVE);
        (
            choose_whole(read, persons::ethnicity, "NULL", "persons.id"),
            choose_whole(read, persons::religion, "NULL", "persons.id"),
            choose_whole(read, persons::first_language, "NULL", "persons.id"),
            choose_whole(read, persons::interpreter_needed, "NULL::boolean", "persons.id"),
            choose_whole(read, persons::communication_needs, "NULL", "persons.id"),
            choose_whole(read, persons::nhs_no, "NULL", "persons.id"),
        )
    }};
}

macro_rules! child_columns {
    ($read:expr) => {{
        let wide = $read.has(Columns::SENSITIVE);
        (
            PersonCore::as_select(),
            sensitive!($read),
            (
                choose_whole(wide, children::upn, "NULL", "persons.id"),
                choose_whole(wide, children::disabilities.nullable(), "NULL::text[]", "persons.id"),
            ),
        )
    }};
}

fn child(read: Columns) -> impl Fn((PersonCore, Sensitive, ChildSensitive)) -> PersonRow {
    move |(core, sensitive, child)| PersonRow { core, read, sensitive, child }
}

/// These children.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<PersonRow>> {
    let query = children::table
        .inner_join(persons::table)
        .filter(children::id.eq_any(ids.to_vec()))
        .select(child_columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(child(read)).collect())
}

/// A page of all children in sight, by last name.
pub async fn page(snapshot: &Snapshot, page: &Page<(String, Uuid)>, read: Columns) -> Result<Vec<PersonRow>> {
    let mut query = children::table
        .inner_join(persons::table)
        .order((persons::sort_name, persons::id))
        .limit(page.limit())
        .select(child_columns!(read))
        .into_boxed();
    if let Some((name, id)) = page.after.clone() {
        query =
            query.filter(persons::sort_name.gt(name.clone()).or(persons::sort_name.eq(name).and(persons::id.gt(id))));
    }
    Ok(snapshot.load(query).await?.into_iter().map(child(read)).collect())
}

/// How many children are in sight.
pub async fn count(snapshot: &Snapshot) -> Result<i64> {
    let counted: Vec<i64> = snapshot.load(children::table.count()).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// These people, children or not.
pub async fn persons_by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<PersonRow>> {
    let columns = (PersonCore::as_select(), sensitive!(read));
    let query = persons::table.filter(persons::id.eq_any(ids.to_vec())).select(columns);
    let rows: Vec<(PersonCore, Sensitive)> = snapshot.load(query).await?;
    let row = |(core, sensitive)| PersonRow { core, read, sensitive, child: ChildSensitive::default() };
    Ok(rows.into_iter().map(row).collect())
}

/// The addresses of each of these people, newest first.
pub async fn addresses_of(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<AddressRow>>> {
    let of_person = addresses::table
        .filter(addresses::person_id.eq(lateral::parent_id()))
        .order((addresses::from_on.desc(), addresses::id))
        .select(AddressRow::as_select());
    snapshot.load(lateral::for_each(person_ids, of_person)).await
}

/// First and last name of a child inside a change, for the initials that events carry.
pub async fn names(tx: &mut super::ViewerTx, child_id: Uuid) -> Result<(String, String)> {
    persons::table
        .find(child_id)
        .select((persons::first_name, persons::last_name))
        .first(tx.conn()?)
        .await
        .map_err(super::failed)
}
