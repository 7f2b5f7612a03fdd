//! What was answered to the question about needs from religion, culture, language and disability: with a contact, or with an
//! assessment.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Personal, Placed, Snapshot, ViewerTx,
    columns::choose_class,
    failed, lateral,
    schema::{contact_people, particular_needs},
};
use crate::{
    domain::{
        Code,
        codes::{FieldClass, NeedAnswer, NeedKind},
    },
    error::Result,
};

/// An answer to the question about needs.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs)]
pub struct NeedRow {
    /// The contact, or the child of the assessment.
    pub subject_id: Uuid,
    pub contact_id: Option<Uuid>,
    pub assessment_id: Option<Uuid>,
    pub kind: Coded<NeedKind>,
    pub answer: Coded<NeedAnswer>,
    /// None where it is about health and the viewer's role does not read such.
    pub description: Option<Personal<String>>,
    /// The same.
    pub what_we_will_do: Option<Personal<String>>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {{
        let (of, open) = ("particular_needs.subject_id", "particular_needs.kind <> 'DISABILITY'");
        (
            particular_needs::subject_id,
            particular_needs::contact_id,
            particular_needs::assessment_id,
            particular_needs::kind,
            particular_needs::answer,
            choose_class(true, particular_needs::description, "NULL", of, FieldClass::Clinical).unless(open),
            choose_class(true, particular_needs::what_we_will_do, "NULL", of, FieldClass::Clinical).unless(open),
            particular_needs::recorded_by,
            particular_needs::recorded_at,
        )
    }};
}

/// What was answered for each of these people of contacts.
pub async fn of_contact_people(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<NeedRow>>> {
    let query = particular_needs::table
        .filter(particular_needs::contact_person_id.eq(lateral::parent_id().nullable()))
        .order(particular_needs::kind)
        .select(columns!());
    snapshot.load(lateral::for_each(person_ids, query)).await
}

/// What was answered in each of these assessments.
pub async fn of_assessments(snapshot: &Snapshot, assessment_ids: &[Uuid]) -> Result<Vec<Placed<NeedRow>>> {
    let query = particular_needs::table
        .filter(particular_needs::assessment_id.eq(lateral::parent_id().nullable()))
        .order(particular_needs::kind)
        .select(columns!());
    snapshot.load(lateral::for_each(assessment_ids, query)).await
}

/// What was answered for each of these children, of each kind: the last need, or the last answer when none is known.
// Two statements that go out together: one with OR over both ways would read the whole table.
pub async fn of_children(snapshot: &Snapshot, child_ids: &[Uuid]) -> Result<Vec<Placed<NeedRow>>> {
    macro_rules! last {
        ($answers:expr) => {
            $answers
                .distinct_on(particular_needs::kind)
                .order((
                    particular_needs::kind,
                    particular_needs::answer.eq("NEED").desc(),
                    particular_needs::recorded_at.desc(),
                    particular_needs::id,
                ))
                .select(columns!())
        };
    }
    let told = particular_needs::table
        .inner_join(contact_people::table)
        .filter(contact_people::child_id.eq(lateral::parent_id().nullable()));
    let assessed = particular_needs::table.filter(particular_needs::child_id.eq(lateral::parent_id().nullable()));
    type Answers = Result<Vec<Placed<NeedRow>>>;
    let (told, assessed): (Answers, Answers) = futures_util::join!(
        snapshot.load(lateral::for_each(child_ids, last!(told))),
        snapshot.load(lateral::for_each(child_ids, last!(assessed))),
    );
    let mut rows = told?;
    rows.extend(assessed?);
    rows.sort_by_key(|(at, row)| {
        (*at, row.kind.0.code(), row.answer.0 != NeedAnswer::Need, std::cmp::Reverse(row.recorded_at))
    });
    rows.dedup_by_key(|(at, row)| (*at, row.kind));
    Ok(rows)
}

/// A new answer about a need, of a contact or of an assessment.
#[derive(Clone, Insertable)]
#[diesel(table_name = particular_needs)]
#[allow(missing_docs)]
pub struct NewNeed {
    pub id: Uuid,
    pub contact_id: Option<Uuid>,
    pub contact_person_id: Option<Uuid>,
    pub assessment_id: Option<Uuid>,
    pub child_id: Option<Uuid>,
    pub kind: Coded<NeedKind>,
    pub answer: Coded<NeedAnswer>,
    pub description: Option<String>,
    pub what_we_will_do: Option<String>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// Writes answers down. Their contact is authorised for writing.
pub async fn record(tx: &ViewerTx, needs: Vec<NewNeed>) -> Result<()> {
    tx.run(diesel::insert_into(particular_needs::table).values(needs)).await?;
    Ok(())
}

/// Writes the answers of an assessment down, in place of those that it had of the same kinds. Its child is authorised for
/// writing.
pub async fn answer(tx: &ViewerTx, needs: Vec<NewNeed>) -> Result<()> {
    for need in needs {
        let change = (
            particular_needs::answer.eq(need.answer),
            particular_needs::description.eq(need.description.clone()),
            particular_needs::what_we_will_do.eq(need.what_we_will_do.clone()),
            particular_needs::recorded_by.eq(need.recorded_by),
            particular_needs::recorded_at.eq(need.recorded_at),
        );
        let insert = diesel::insert_into(particular_needs::table)
            .values(need)
            .on_conflict((particular_needs::assessment_id, particular_needs::kind))
            .do_update()
            .set(change);
        tx.run(insert).await?;
    }
    Ok(())
}

/// The kinds of needs that an assessment has an answer about, inside a change.
pub async fn answered(tx: &ViewerTx, assessment_id: Uuid) -> Result<Vec<NeedKind>> {
    let query = particular_needs::table
        .filter(particular_needs::assessment_id.eq(assessment_id))
        .order(particular_needs::kind)
        .select(particular_needs::kind);
    let kinds: Vec<Coded<NeedKind>> = query.load(&mut tx.conn()?).await.map_err(failed)?;
    Ok(kinds.into_iter().map(|kind| kind.0).collect())
}
