use async_graphql::{Context, ID, Object};

use super::{Case, Child, Worker, case, child, contact::ParticularNeed, worker};
use crate::{
    db::{Columns, assessments, assessments::AssessmentRow, needs},
    domain::{
        codes::{AssessmentFactor, AssessmentOutcome, AssessmentStatus},
        ids::AssessmentId,
    },
    graphql::{
        batch::{Instant, Item},
        error::{Answer, Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

record! {
    /// A child and family assessment.
    Assessment(AssessmentRow)
}

/// A child and family assessment (Children Act 1989 section 17). Another person than who wrote it authorises it.
#[Object]
impl Assessment {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(AssessmentId::KIND, self.0.core.id)
    }

    /// Where it stands.
    async fn status(&self) -> AssessmentStatus {
        self.0.core.status.0
    }

    /// Its first day: not before the referral.
    async fn started_on(&self) -> Date {
        Date(self.0.core.started_on)
    }

    /// When the unit looks at it together, before it is due.
    async fn review_on(&self) -> Option<Date> {
        self.0.core.review_on.map(Date)
    }

    /// When the child was seen. Null to whoever sees the case's core only.
    async fn child_seen_on(&self) -> Option<Date> {
        self.0.child_seen().map(|(day, _)| Date(day))
    }

    /// Whether the child was seen alone.
    async fn child_seen_alone(&self) -> Option<bool> {
        self.0.child_seen().map(|(_, alone)| alone)
    }

    /// What it came to; null until it is handed in.
    async fn outcome(&self) -> Option<AssessmentOutcome> {
        self.0.core.outcome.map(|outcome| outcome.0)
    }

    /// When it was handed in.
    async fn submitted_at(&self) -> Option<DateTime> {
        self.0.core.submitted_at.map(DateTime)
    }

    /// When it was authorised; from then on it stays as it is.
    async fn authorised_at(&self) -> Option<DateTime> {
        self.0.core.authorised_at.map(DateTime)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// What was found, in the census's codes. Null to whoever sees the case's core only.
    async fn factors(&self) -> Nullable<Vec<AssessmentFactor>> {
        nullable(self.0.factors())
    }

    /// What was understood of the child's life. Narrative: read only when selected.
    async fn analysis(&self) -> Nullable<String> {
        nullable(self.0.analysis().map(|text| text.map(str::to_owned)))
    }

    /// What the child wishes and feels. Narrative: read only when selected.
    async fn wishes_feelings(&self) -> Nullable<String> {
        nullable(self.0.wishes_feelings().map(|text| text.map(str::to_owned)))
    }

    /// Why the child was not seen. Narrative: read only when selected.
    async fn not_seen_reason(&self) -> Nullable<String> {
        nullable(self.0.not_seen_reason().map(|text| text.map(str::to_owned)))
    }

    /// Why it was given back, while it is written further. Narrative: read only when selected.
    async fn returned_reason(&self) -> Nullable<String> {
        nullable(self.0.returned_reason().map(|text| text.map(str::to_owned)))
    }

    /// Why it was authorised so. Narrative: read only when selected.
    async fn authorised_reason(&self) -> Nullable<String> {
        nullable(self.0.authorised_reason().map(|text| text.map(str::to_owned)))
    }

    /// What was answered to the question about needs from religion, culture and disability.
    async fn needs(&self) -> Answer<Vec<ParticularNeed>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { needs::of_assessments(&snapshot, &ids).await };
        let found = self.0.many("needs", String::new(), |one| one.core.id, load).await?;
        Ok(found.into_iter().map(ParticularNeed).collect())
    }

    /// The case.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |one| Some(one.core.case_id), read).await)
    }

    /// The child.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |one| Some(one.core.child_id), read).await)
    }

    /// Who began it.
    async fn author(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "author", |one| Some(one.core.author_id)).await)
    }

    /// Who handed it in.
    async fn submitted_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "submittedBy", |one| one.core.submitted_by).await)
    }

    /// Who authorised it.
    async fn authorised_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "authorisedBy", |one| one.core.authorised_by).await)
    }
}

/// The assessment with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Assessment>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { assessments::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |one: &AssessmentRow| one.core.id, load).await?;
    Ok(found.map(Assessment))
}
