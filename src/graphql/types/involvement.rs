use async_graphql::{Context, ID, Object};

use super::{Case, Worker, case, worker};
use crate::{
    db::{involvements, involvements::InvolvementRow},
    domain::{
        codes::{Capacity, ChangeReason},
        ids::InvolvementId,
    },
    graphql::{
        batch::{Instant, Item},
        error::{Nullable, nullable},
        scalars::{DateTime, global},
        selection,
    },
};

record! {
    /// A worker's named part in a case.
    Involvement(InvolvementRow)
}

/// A worker's named part in a case.
#[Object]
impl Involvement {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(InvolvementId::KIND, self.0.id)
    }

    /// As what.
    async fn capacity(&self) -> Capacity {
        self.0.capacity.0
    }

    /// Since when.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// Until when; missing while it runs.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Why it ended.
    async fn change_reason(&self) -> Option<ChangeReason> {
        self.0.change_reason.map(|reason| reason.0)
    }

    /// Steps with every change: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The case.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |one| Some(one.case_id), read).await)
    }

    /// The worker.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |one| Some(one.worker_id)).await)
    }
}

/// The involvement with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> crate::error::Result<Option<Involvement>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { involvements::by_ids(&snapshot, &ids).await };
    Ok(from.one(relation, String::new(), foreign, |one: &InvolvementRow| one.id, load).await?.map(Involvement))
}
