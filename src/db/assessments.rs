//! Child and family assessments.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx, columns::choose_whole, failed, lateral,
    lateral::newest_first, page::placed, schema::assessments,
};
use crate::{
    domain::codes::{AssessmentFactor, AssessmentOutcome, AssessmentStatus},
    error::{Error, Result},
};

/// The core of an assessment: that it is made, since when, and what came of it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = assessments, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct AssessmentCore {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub status: Coded<AssessmentStatus>,
    pub started_on: NaiveDate,
    pub review_on: Option<NaiveDate>,
    pub author_id: Uuid,
    pub child_seen_on: Option<NaiveDate>,
    pub child_seen_alone: Option<bool>,
    pub outcome: Option<Coded<AssessmentOutcome>>,
    pub written_by: Uuid,
    pub submitted_by: Option<Uuid>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub authorised_by: Option<Uuid>,
    pub authorised_at: Option<DateTime<Utc>>,
    pub version: i32,
}

type Text = Option<Personal<String>>;

/// An assessment with what was selected of it.
#[derive(Clone, Debug)]
pub struct AssessmentRow {
    /// The core.
    pub core: AssessmentCore,
    read: Columns,
    texts: (Text, Text, Text, Text, Text),
    /// None to whoever sees the case's core only.
    child_seen: Option<(NaiveDate, bool)>,
    factors: Option<Personal<Vec<Coded<AssessmentFactor>>>>,
}

/// The narrative group.
#[allow(missing_docs)]
impl AssessmentRow {
    fn text<'a>(&'a self, text: &'a Text) -> Result<Option<&'a str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(text.as_ref().map(Personal::read))
    }
    pub fn child_seen(&self) -> Option<(NaiveDate, bool)> {
        self.child_seen
    }
    pub fn analysis(&self) -> Result<Option<&str>> {
        self.text(&self.texts.0)
    }
    pub fn wishes_feelings(&self) -> Result<Option<&str>> {
        self.text(&self.texts.1)
    }
    pub fn not_seen_reason(&self) -> Result<Option<&str>> {
        self.text(&self.texts.2)
    }
    pub fn returned_reason(&self) -> Result<Option<&str>> {
        self.text(&self.texts.3)
    }
    pub fn authorised_reason(&self) -> Result<Option<&str>> {
        self.text(&self.texts.4)
    }
    /// None to whoever sees the case's core only.
    pub fn factors(&self) -> Result<Option<Vec<AssessmentFactor>>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.factors.as_ref().map(|factors| factors.read().iter().map(|factor| factor.0).collect()))
    }
}

type Raw =
    (AssessmentCore, Option<NaiveDate>, Text, Text, Text, Text, Text, Option<Personal<Vec<Coded<AssessmentFactor>>>>);

fn row(read: Columns) -> impl Fn(Raw) -> AssessmentRow {
    move |(core, seen_on, analysis, wishes, not_seen, returned, authorised, factors)| AssessmentRow {
        child_seen: seen_on.zip(core.child_seen_alone),
        core,
        read,
        texts: (analysis, wishes, not_seen, returned, authorised),
        factors,
    }
}

macro_rules! columns {
    ($read:expr) => {{
        let (wide, child) = ($read.has(Columns::NARRATIVE), "assessments.child_id");
        (
            AssessmentCore::as_select(),
            choose_whole(true, assessments::child_seen_on, "NULL", child),
            choose_whole(wide, assessments::analysis, "NULL", child),
            choose_whole(wide, assessments::wishes_feelings, "NULL", child),
            choose_whole(wide, assessments::not_seen_reason, "NULL", child),
            choose_whole(wide, assessments::returned_reason, "NULL", child),
            choose_whole(wide, assessments::authorised_reason, "NULL", child),
            choose_whole(wide, assessments::factors.nullable(), "NULL::text[]", child),
        )
    }};
}

/// These assessments.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<AssessmentRow>> {
    let query = assessments::table.filter(assessments::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// The assessment of each of these cases that is not authorised yet.
pub async fn open_of_cases(
    snapshot: &Snapshot,
    case_ids: &[Uuid],
    read: Columns,
) -> Result<Vec<Placed<AssessmentRow>>> {
    let query = assessments::table
        .filter(assessments::case_id.eq(lateral::parent_id()))
        .filter(assessments::status.ne("AUTHORISED"))
        .select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(case_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

macro_rules! of {
    ($(#[$doc:meta])* $page:ident, $(#[$count_doc:meta])* $count:ident, by $column:expr) => {
        $(#[$doc])*
        pub async fn $page(
            snapshot: &Snapshot,
            ids: &[Uuid],
            page: &Page<(NaiveDate, Uuid)>,
            read: Columns,
        ) -> Result<Vec<Placed<AssessmentRow>>> {
            let query = assessments::table.filter($column).select(columns!(read));
            let query = newest_first!(query, page, assessments::started_on, assessments::id);
            let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(ids, query)).await?;
            Ok(placed(rows, row(read)))
        }

        $(#[$count_doc])*
        pub async fn $count(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
            snapshot.load(lateral::for_each(ids, assessments::table.filter($column).count())).await
        }
    };
}
of! {
    /// A page of the assessments of each of these cases, latest first.
    of_cases,
    /// How many assessments each of these cases has.
    count_of_cases, by assessments::case_id.eq(lateral::parent_id())
}
of! {
    /// A page of the assessments of each of these children, latest first.
    of_children,
    /// How many assessments each of these children has had.
    count_of_children, by assessments::child_id.eq(lateral::parent_id())
}
of! {
    /// A page of the assessments that each of these workers writes or wrote, latest first.
    of_authors,
    /// How many assessments each of these workers writes or wrote.
    count_of_authors, by assessments::author_id.eq(lateral::parent_id())
}

/// A new assessment.
#[derive(Insertable)]
#[diesel(table_name = assessments)]
#[allow(missing_docs)]
pub struct NewAssessment {
    pub id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub started_on: NaiveDate,
    pub review_on: Option<NaiveDate>,
    pub author_id: Uuid,
    pub written_by: Uuid,
    pub created_at: DateTime<Utc>,
}

/// Begins an assessment of a child that is authorised for writing.
pub async fn start(tx: &ViewerTx, new: NewAssessment) -> Result<()> {
    tx.run(diesel::insert_into(assessments::table).values(new)).await?;
    Ok(())
}

/// An assessment in sight, inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<AssessmentCore> {
    assessments::table.find(id).select(AssessmentCore::as_select()).first(&mut tx.conn()?).await.map_err(failed)
}

/// Whether a case has an assessment that is not authorised yet.
pub async fn is_open(tx: &ViewerTx, case_id: Uuid) -> Result<bool> {
    let open = assessments::table.filter(assessments::case_id.eq(case_id)).filter(assessments::status.ne("AUTHORISED"));
    diesel::select(diesel::dsl::exists(open)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// The outcome of the case's last assessment that was authorised.
pub async fn last_outcome(tx: &ViewerTx, case_id: Uuid) -> Result<Option<AssessmentOutcome>> {
    let found: Option<Option<Coded<AssessmentOutcome>>> = assessments::table
        .filter(assessments::case_id.eq(case_id))
        .filter(assessments::status.eq("AUTHORISED"))
        .order((assessments::authorised_at.desc(), assessments::id.desc()))
        .select(assessments::outcome)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    Ok(found.flatten().map(|outcome| outcome.0))
}

/// Whether a case has or had an assessment.
pub async fn was_begun(tx: &ViewerTx, case_id: Uuid) -> Result<bool> {
    let begun = assessments::table.filter(assessments::case_id.eq(case_id));
    diesel::select(diesel::dsl::exists(begun)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// What of an assessment is written down so far.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs)]
pub struct Written {
    pub analysed: bool,
    pub wishes: bool,
    pub not_seen_reason: bool,
    pub factors: Vec<Coded<AssessmentFactor>>,
}

/// What of it is written down so far.
pub async fn written(tx: &ViewerTx, id: Uuid) -> Result<Written> {
    assessments::table
        .find(id)
        .select((
            assessments::analysis.is_not_null(),
            assessments::wishes_feelings.is_not_null(),
            assessments::not_seen_reason.is_not_null(),
            assessments::factors,
        ))
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// What a change makes of an assessment. What is none stays as it is.
#[derive(AsChangeset, Default)]
#[diesel(table_name = assessments)]
#[allow(missing_docs)]
pub struct AssessmentChange {
    pub version: i32,
    pub status: Option<Coded<AssessmentStatus>>,
    pub review_on: Option<Option<NaiveDate>>,
    pub child_seen_on: Option<Option<NaiveDate>>,
    pub child_seen_alone: Option<Option<bool>>,
    pub not_seen_reason: Option<Option<String>>,
    pub wishes_feelings: Option<Option<String>>,
    pub analysis: Option<Option<String>>,
    pub factors: Option<Vec<Coded<AssessmentFactor>>>,
    pub outcome: Option<Option<Coded<AssessmentOutcome>>>,
    pub written_by: Option<Uuid>,
    pub submitted_by: Option<Option<Uuid>>,
    pub submitted_at: Option<Option<DateTime<Utc>>>,
    pub returned_reason: Option<Option<String>>,
    pub authorised_by: Option<Uuid>,
    pub authorised_at: Option<DateTime<Utc>>,
    pub authorised_reason: Option<String>,
}

/// Changes an assessment of a child that is authorised for writing.
pub async fn change(tx: &ViewerTx, id: Uuid, change: AssessmentChange) -> Result<()> {
    let changed = tx.run(diesel::update(assessments::table.find(id)).set(change)).await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}
