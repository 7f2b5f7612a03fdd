use async_graphql::{Context, ID, Object};

use super::{Case, Child, Goal, Involvement, Worker, case, child, involvement, worker};
use crate::{
    db::{Personal, support, support::SupportRow},
    domain::{codes::SupportStatus, ids::SupportRequestId},
    graphql::{
        batch::{Instant, Item},
        error::{Answer, Nullable, nullable},
        scalars::{DateTime, global},
        selection,
    },
};

record! {
    /// What a parenting support worker is asked for.
    SupportRequest(SupportRow)
}

/// What a parenting support worker is asked for: to help a family make some changes.
#[Object]
impl SupportRequest {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(SupportRequestId::KIND, self.0.id)
    }

    /// Where it stands.
    async fn status(&self) -> SupportStatus {
        self.0.status.0
    }

    /// What they are asked for.
    async fn asked_for(&self) -> &str {
        self.0.asked_for.read()
    }

    /// When they were asked.
    async fn requested_at(&self) -> DateTime {
        DateTime(self.0.requested_at)
    }

    /// When they answered, or it was withdrawn.
    async fn answered_at(&self) -> Option<DateTime> {
        self.0.answered_at.map(DateTime)
    }

    /// Why it was declined or withdrawn.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_ref().map(Personal::read)
    }

    /// When the work ended.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// What came of it.
    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_ref().map(Personal::read)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Who is asked.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |one| Some(one.worker_id)).await)
    }

    /// Who asked.
    async fn requested_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "requestedBy", |one| Some(one.requested_by)).await)
    }

    /// Who recorded that it ended.
    async fn ended_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "endedBy", |one| one.ended_by).await)
    }

    /// Their part in the case, once they took it on.
    async fn involvement(&self) -> Nullable<Involvement> {
        nullable(involvement::one(&self.0, "involvement", |one| one.involvement_id).await)
    }

    /// The goals that it is for; of those that you may see.
    async fn goals(&self) -> Answer<Vec<Goal>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { support::goals_of(&snapshot, &ids).await };
        let found = self.0.many("goals", String::new(), |one| one.id, load).await?;
        Ok(found.into_iter().map(Goal).collect())
    }

    /// The case; null for whoever sees only what they are asked for.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |one| Some(one.case_id), read).await)
    }

    /// The child.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |one| Some(one.child_id), read).await)
    }
}

/// The request with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<SupportRequest>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { support::by_ids(&snapshot, &ids).await };
    Ok(from.one(relation, String::new(), foreign, |one: &SupportRow| one.id, load).await?.map(SupportRequest))
}
