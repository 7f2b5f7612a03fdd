//! Children and other people.

use chrono::NaiveDate;
use diesel::{
    dsl::{count_star, exists},
    expression::{ValidGrouping, is_aggregate},
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Float, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot,
    columns::{choose_class, choose_whole},
    lateral,
    schema::{
        addresses, allocations, cases, children, family_members, person_names, persons, plans, units,
        worker_involvements,
    },
    unkept::Unkept,
};
use crate::{
    domain::codes::{CaseStatus, FieldClass, PlanKind, Service, Sex},
    error::{Error, Result},
};

/// The core of a person.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = persons, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct PersonCore {
    pub id: Uuid,
    pub person_no: i64,
    pub first_name: Personal<String>,
    pub last_name: Personal<String>,
    pub preferred_name: Option<Personal<String>>,
    pub date_of_birth: Option<Personal<NaiveDate>>,
    pub expected_date_of_birth: Option<Personal<NaiveDate>>,
    pub date_of_birth_estimated: bool,
    pub sex: Coded<Sex>,
    pub sort_name: Option<Personal<String>>,
    pub version: i32,
    pub other_names: Personal<Vec<String>>,
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
    ethnicity: Option<Personal<String>>,
    religion: Option<Personal<String>>,
    first_language: Option<Personal<String>>,
    interpreter_needed: Option<bool>,
    communication_needs: Option<Personal<String>>,
    nhs_no: Option<Personal<String>>,
}

#[derive(Clone, Debug, Default, Queryable)]
struct ChildSensitive {
    upn: Option<Personal<String>>,
    disabilities: Option<Personal<Vec<String>>>,
}

/// The sensitive group of a person.
#[allow(missing_docs)]
impl PersonRow {
    pub fn ethnicity(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.ethnicity.as_ref().map(Personal::read))
    }
    pub fn religion(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.religion.as_ref().map(Personal::read))
    }
    pub fn first_language(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.first_language.as_ref().map(Personal::read))
    }
    pub fn interpreter_needed(&self) -> Result<Option<bool>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.sensitive.interpreter_needed)
    }
    pub fn communication_needs(&self) -> Result<Option<&str>> {
        self.read.check(Columns::CLINICAL)?;
        Ok(self.sensitive.communication_needs.as_ref().map(Personal::read))
    }
    pub fn nhs_no(&self) -> Result<Option<&str>> {
        self.read.check(Columns::CLINICAL)?;
        Ok(self.sensitive.nhs_no.as_ref().map(Personal::read))
    }
    pub fn upn(&self) -> Result<Option<&str>> {
        self.read.check(Columns::SENSITIVE)?;
        Ok(self.child.upn.as_ref().map(Personal::read))
    }
    pub fn disabilities(&self) -> Result<Option<&[String]>> {
        self.read.check(Columns::CLINICAL)?;
        Ok(self.child.disabilities.as_ref().map(Personal::read))
    }
}

/// An address.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs)]
pub struct AddressRow {
    pub kind: String,
    /// None where it is confidential and the viewer's role does not read such.
    pub line: Option<Personal<String>>,
    /// The same.
    pub postcode: Option<Personal<String>>,
    pub from_on: NaiveDate,
    pub to_on: Option<NaiveDate>,
    pub confidential: bool,
}

macro_rules! sensitive {
    ($read:expr) => {{
        let (read, clinical) = ($read.has(Columns::SENSITIVE), $read.has(Columns::CLINICAL));
        (
            choose_whole(read, persons::ethnicity, "NULL", "persons.id"),
            choose_whole(read, persons::religion, "NULL", "persons.id"),
            choose_whole(read, persons::first_language, "NULL", "persons.id"),
            choose_whole(read, persons::interpreter_needed, "NULL::boolean", "persons.id"),
            choose_class(clinical, persons::communication_needs, "NULL", "persons.id", FieldClass::Clinical),
            choose_class(clinical, persons::nhs_no, "NULL", "persons.id", FieldClass::Clinical),
        )
    }};
}

macro_rules! child_columns {
    ($read:expr) => {{
        let (wide, clinical) = ($read.has(Columns::SENSITIVE), $read.has(Columns::CLINICAL));
        let disabilities = children::disabilities.nullable();
        (
            PersonCore::as_select(),
            sensitive!($read),
            (
                choose_whole(wide, children::upn, "NULL", "persons.id"),
                choose_class(clinical, disabilities, "NULL::text[]", "persons.id", FieldClass::Clinical),
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

/// A word of a search by name, and what else stands for it. Not `Debug`: a name that is searched for goes to no log.
#[derive(Clone, Queryable)]
pub struct Word {
    word: String,
    /// Sorts after everything that begins with the word.
    beyond: String,
    sounds: Vec<String>,
    nicknames: Vec<String>,
}

/// The words of a search, folded as the names are that they are compared with. None when there is no word in it.
pub async fn search_words(snapshot: &Snapshot, asked: String) -> Result<Vec<Word>> {
    snapshot.load(SearchWords(asked)).await
}

struct SearchWords(String);

impl QueryId for SearchWords {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for SearchWords {
    type SqlType = (Text, Text, Array<Text>, Array<Text>);
}

impl QueryFragment<Pg> for SearchWords {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT word, beyond, sounds, nicknames FROM hearth.search_words(");
        out.push_bind_param::<Text, _>(&self.0)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Which children are wanted: those to whom all of it applies.
#[derive(Clone, Default)]
pub struct Wanted {
    /// Each matches a name of the child.
    pub words: Vec<Word>,
    /// Held now by this unit, in any way.
    pub unit_id: Option<Uuid>,
    /// With a case in one of these.
    pub case_status: Vec<CaseStatus>,
    /// With a plan of this kind in force.
    pub plan_kind: Option<PlanKind>,
    /// With this lead practitioner now.
    pub lead_practitioner_id: Option<Uuid>,
    /// Born on this day or after it.
    pub born_from: Option<NaiveDate>,
    /// Born on this day or before it.
    pub born_to: Option<NaiveDate>,
    /// Held now by a unit of this service.
    pub service: Option<Service>,
}

impl Wanted {
    /// Whether everybody is wanted.
    pub fn all(&self) -> bool {
        self.words.is_empty()
            && self.case_status.is_empty()
            && self.unit_id.or(self.lead_practitioner_id).is_none()
            && self.born_from.or(self.born_to).is_none()
            && self.plan_kind.is_none()
            && self.service.is_none()
    }
}

/// Narrows a boxed query of children and their persons. Every comparison is leakproof, so that an index may serve it
/// before the policies are asked.
macro_rules! narrow {
    ($query:ident, $wanted:expr) => {{
        let wanted: &Wanted = $wanted;
        for word in &wanted.words {
            let begins = person_names::kind
                .eq("WORD")
                .and(person_names::key.ge(word.word.clone()))
                .and(person_names::key.lt(word.beyond.clone()));
            let sounds = person_names::kind.eq("SOUND").and(person_names::key.eq_any(word.sounds.clone()));
            let stands = person_names::kind.eq("NICKNAME").and(person_names::key.eq_any(word.nicknames.clone()));
            let named = person_names::table
                .filter(person_names::person_id.eq(children::id))
                .filter(begins.or(sounds).or(stands));
            $query = $query.filter(exists(named));
        }
        let held = || {
            allocations::table
                .inner_join(units::table)
                .filter(allocations::child_id.eq(children::id))
                .filter(allocations::ended_at.is_null())
        };
        if let Some(unit) = wanted.unit_id {
            $query = $query.filter(exists(held().filter(allocations::unit_id.eq(unit))));
        }
        if let Some(service) = wanted.service {
            $query = $query.filter(exists(held().filter(units::service.eq(Coded(service)))));
        }
        if !wanted.case_status.is_empty() {
            let status: Vec<_> = wanted.case_status.iter().copied().map(Coded).collect();
            let case = cases::table.filter(cases::child_id.eq(children::id)).filter(cases::status.eq_any(status));
            $query = $query.filter(exists(case));
        }
        if let Some(kind) = wanted.plan_kind {
            let plan = plans::table
                .filter(plans::child_id.eq(children::id))
                .filter(plans::kind.eq(Coded(kind)))
                .filter(plans::status.eq_any(vec!["ACTIVE", "ESCALATED"]));
            $query = $query.filter(exists(plan));
        }
        if let Some(worker) = wanted.lead_practitioner_id {
            let lead = worker_involvements::table
                .filter(worker_involvements::child_id.eq(children::id))
                .filter(worker_involvements::worker_id.eq(worker))
                .filter(worker_involvements::capacity.eq("LEAD_PRACTITIONER"))
                .filter(worker_involvements::ended_at.is_null());
            $query = $query.filter(exists(lead));
        }
        if let Some(day) = wanted.born_from {
            $query = $query.filter(persons::date_of_birth.ge(day));
        }
        if let Some(day) = wanted.born_to {
            $query = $query.filter(persons::date_of_birth.le(day));
        }
    }};
}

/// How much of all children the viewer sees: decides from which end a list of them is read.
#[derive(Clone, Copy, Debug, Queryable)]
pub struct Reach {
    /// Records in sight, children or not, as far as they were counted.
    seen: i64,
    /// About how many people there are; less than none before anybody has counted.
    people: f32,
}

/// Records in sight that are counted at most: whoever sees more reads lists from the other end.
const COUNTED: i64 = 5000;

impl Reach {
    // In microseconds of Postgres, measured under the policies.

    /// Looking up all that the viewer sees.
    fn sight_costs(self) -> f64 {
        2.5 * self.seen as f64
    }

    /// Walking people by name until the page is full: of what is seen about every third record is a child.
    fn walk_costs(self, limit: i64) -> f64 {
        2.4 * limit as f64 * self.people() / self.seen.max(1) as f64
    }

    /// Whether it is faster to count among what the viewer sees than to read all children.
    fn counts_by_sight(self) -> bool {
        self.by_sight() && self.count_by_sight_costs() <= self.count_of_all_costs()
    }

    fn count_by_sight_costs(self) -> f64 {
        1.3 * self.seen as f64
    }

    fn count_of_all_costs(self) -> f64 {
        0.04 * self.people()
    }

    /// Whether a page is found faster among what the viewer sees than by walking all people in order. Then it is
    /// counted on the way.
    fn pages_by_sight(self, limit: i64, counted: bool) -> bool {
        let count = if counted { self.count_by_sight_costs().min(self.count_of_all_costs()) } else { 0.0 };
        self.by_sight() && self.sight_costs() <= self.walk_costs(limit) + count
    }

    fn by_sight(self) -> bool {
        self.seen <= COUNTED
    }

    fn people(self) -> f64 {
        if self.people < 0.0 { f64::INFINITY } else { self.people.into() }
    }
}

struct HowMuch;

impl QueryId for HowMuch {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for HowMuch {
    type SqlType = (BigInt, Float);
}

impl QueryFragment<Pg> for HowMuch {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT (SELECT count(*) FROM (SELECT FROM sight LIMIT ");
        out.push_bind_param::<BigInt, _>(&(COUNTED + 1))?;
        out.push_sql(") AS seen), (SELECT reltuples FROM pg_class WHERE oid = 'public.persons'::regclass)");
        Ok(())
    }
}

/// How much the viewer sees, when everybody is wanted: otherwise what is wanted decides how it is found.
pub async fn reach(snapshot: &Snapshot, wanted: &Wanted) -> Result<Option<Reach>> {
    if !wanted.all() {
        return Ok(None);
    }
    let found: Vec<Reach> = snapshot.load(HowMuch).await?;
    found.into_iter().next().map(Some).ok_or_else(|| Error::internal("no row from a statement without a table"))
}

/// Whether a child is among what the viewer sees: what the policy says too, but here the planner begins with it.
#[derive(Clone, Copy, Debug, QueryId)]
struct InSight;

impl Expression for InSight {
    type SqlType = Bool;
}

impl QueryFragment<Pg> for InSight {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("children.id = ANY (ARRAY(SELECT subject_id FROM sight))");
        Ok(())
    }
}

impl ValidGrouping<()> for InSight {
    type IsAggregate = is_aggregate::Never;
}

impl<Source> AppearsOnTable<Source> for InSight {}
impl<Source> SelectableExpression<Source> for InSight {}

/// How many rows there are before the limit, or nothing.
#[derive(Clone, Copy, Debug)]
struct Total {
    counted: bool,
}

impl QueryId for Total {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Expression for Total {
    type SqlType = Nullable<BigInt>;
}

impl QueryFragment<Pg> for Total {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(if self.counted { "count(*) OVER ()" } else { "NULL::bigint" });
        Ok(())
    }
}

impl ValidGrouping<()> for Total {
    type IsAggregate = is_aggregate::No;
}

impl<Source> AppearsOnTable<Source> for Total {}
impl<Source> SelectableExpression<Source> for Total {}

/// A page of a list of children.
pub struct Found {
    /// Up to one row more than the page has.
    pub rows: Vec<PersonRow>,
    /// How many the whole list has, when that was counted on the way.
    pub total: Option<i64>,
}

/// A page of the wanted children in sight, by last name. `counted` when somebody asks how many there are.
pub async fn page(
    snapshot: &Snapshot,
    reach: Option<Reach>,
    wanted: &Wanted,
    page: &Page<(String, Uuid)>,
    counted: bool,
    read: Columns,
) -> Result<Found> {
    // Later pages do not pass all rows of the list.
    let counted = counted && page.after.is_none();
    let by_sight = reach.is_some_and(|reach| reach.pages_by_sight(page.limit(), counted));
    let counted = counted && by_sight;
    let (core, sensitive, of_child) = child_columns!(read);
    let mut query = children::table
        .inner_join(persons::table)
        .order((persons::sort_name, persons::id))
        .limit(page.limit())
        .select((core, sensitive, of_child, Total { counted }))
        .into_boxed();
    if let Some((name, id)) = page.after.clone() {
        query =
            query.filter(persons::sort_name.gt(name.clone()).or(persons::sort_name.eq(name).and(persons::id.gt(id))));
    }
    let rows: Vec<(PersonCore, Sensitive, ChildSensitive, Option<i64>)> = if reach.is_some() {
        if by_sight {
            query = query.filter(InSight);
        }
        snapshot.load(query).await?
    } else {
        narrow!(query, wanted);
        snapshot.load(Unkept(query)).await?
    };
    let total = counted.then(|| rows.as_slice().first().and_then(|(.., total)| *total).unwrap_or(0));
    let child = child(read);
    Ok(Found {
        rows: rows.into_iter().map(|(core, sensitive, of_child, _)| child((core, sensitive, of_child))).collect(),
        total,
    })
}

/// How many of the wanted children are in sight.
pub async fn count(snapshot: &Snapshot, reach: Option<Reach>, wanted: &Wanted) -> Result<i64> {
    let counted: Vec<i64> = match reach {
        Some(reach) if reach.counts_by_sight() => snapshot.load(children::table.filter(InSight).count()).await?,
        Some(_) => snapshot.load(children::table.count()).await?,
        None => {
            let mut query = children::table.inner_join(persons::table).select(count_star()).into_boxed();
            narrow!(query, wanted);
            snapshot.load(Unkept(query)).await?
        }
    };
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// The children of each of these family groups, eldest membership first.
pub async fn of_families(snapshot: &Snapshot, family_ids: &[Uuid], read: Columns) -> Result<Vec<Placed<PersonRow>>> {
    let theirs = family_members::table
        .inner_join(children::table.on(children::id.eq(family_members::person_id)))
        .inner_join(persons::table.on(persons::id.eq(children::id)))
        .filter(family_members::family_id.eq(lateral::parent_id()))
        .order((family_members::from_on, family_members::id))
        .select(child_columns!(read));
    let rows = snapshot.load(lateral::for_each(family_ids, theirs)).await?;
    let child = child(read);
    Ok(rows.into_iter().map(|(place, row)| (place, child(row))).collect())
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
    let (of, class) = ("addresses.person_id", FieldClass::ConfidentialAddress);
    let line = choose_class(true, addresses::line.nullable(), "NULL", of, class).unless("NOT addresses.confidential");
    let postcode =
        choose_class(true, addresses::postcode.nullable(), "NULL", of, class).unless("NOT addresses.confidential");
    let of_person = addresses::table
        .filter(addresses::person_id.eq(lateral::parent_id()))
        .order((addresses::from_on.desc(), addresses::id))
        .select((addresses::kind, line, postcode, addresses::from_on, addresses::to_on, addresses::confidential));
    snapshot.load(lateral::for_each(person_ids, of_person)).await
}

/// First and last name of a child inside a change, for the initials that events carry.
pub async fn names(tx: &super::ViewerTx, child_id: Uuid) -> Result<(String, String)> {
    persons::table
        .find(child_id)
        .select((persons::first_name, persons::last_name))
        .first(&mut tx.conn()?)
        .await
        .map_err(super::failed)
}

/// The dates of birth of these children inside a change; none for an unborn child.
pub async fn births(tx: &super::ViewerTx, child_ids: &[Uuid]) -> Result<Vec<(Uuid, Option<NaiveDate>)>> {
    persons::table
        .filter(persons::id.eq_any(child_ids.to_vec()))
        .select((persons::id, persons::date_of_birth))
        .load(&mut tx.conn()?)
        .await
        .map_err(super::failed)
}

/// Whether this is a person in sight, inside a change.
pub async fn person_in_sight(tx: &super::ViewerTx, id: Uuid) -> Result<bool> {
    diesel::select(diesel::dsl::exists(persons::table.find(id)))
        .get_result(&mut tx.conn()?)
        .await
        .map_err(super::failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoe() -> Personal<String> {
        Personal::of("Zoe".to_owned())
    }

    #[test]
    fn a_row_shows_nothing_of_a_person() {
        let born = || Some(Personal::of(NaiveDate::from_ymd_opt(1987, 6, 5).unwrap()));
        let core = PersonCore {
            id: Uuid::nil(),
            person_no: 1,
            first_name: zoe(),
            last_name: zoe(),
            preferred_name: Some(zoe()),
            date_of_birth: born(),
            expected_date_of_birth: born(),
            date_of_birth_estimated: false,
            sex: Coded(Sex::F),
            sort_name: Some(zoe()),
            version: 1,
            other_names: Personal::of(vec!["Zoe".to_owned()]),
        };
        let sensitive = Sensitive {
            ethnicity: Some(zoe()),
            religion: Some(zoe()),
            first_language: Some(zoe()),
            interpreter_needed: None,
            communication_needs: Some(zoe()),
            nhs_no: Some(zoe()),
        };
        let child = ChildSensitive { upn: Some(zoe()), disabilities: Some(Personal::of(vec!["Zoe".to_owned()])) };
        let row = PersonRow { core, read: Columns::CORE, sensitive, child };
        let address = AddressRow {
            kind: "HOME".to_owned(),
            line: Some(zoe()),
            postcode: Some(zoe()),
            from_on: NaiveDate::MIN,
            to_on: None,
            confidential: true,
        };
        assert_eq!(row.core.first_name.read(), "Zoe", "whoever asks is told");
        for shown in [format!("{row:?}"), format!("{row:#?}"), format!("{address:?}")] {
            assert!(!shown.contains("Zoe") && !shown.contains("1987") && shown.contains("(personal)"), "{shown}");
        }
    }

    fn reach(seen: i64, people: f32) -> Reach {
        Reach { seen, people }
    }

    #[test]
    fn who_sees_few_of_many_is_read_from_what_they_see() {
        assert!(reach(150, 45_000.0).pages_by_sight(26, false) && reach(150, 45_000.0).counts_by_sight());
        assert!(!reach(4500, 45_000.0).pages_by_sight(26, true) && !reach(4500, 45_000.0).counts_by_sight());
        assert!(!reach(1500, 2_000.0).pages_by_sight(26, true) && !reach(1500, 2_000.0).counts_by_sight());
    }

    #[test]
    fn a_page_that_is_counted_too_is_read_from_what_they_see_rather() {
        assert!(!reach(1100, 39_000.0).pages_by_sight(26, false));
        assert!(reach(1100, 39_000.0).pages_by_sight(26, true));
    }

    #[test]
    fn who_sees_more_than_was_counted_is_not() {
        let much = reach(super::COUNTED + 1, 1e9);
        assert!(!much.pages_by_sight(26, true) && !much.counts_by_sight());
    }

    #[test]
    fn before_anybody_has_counted_there_may_be_many() {
        assert!(reach(40, -1.0).pages_by_sight(26, false) && reach(40, -1.0).counts_by_sight());
    }
}
