use async_graphql::{Context, ID, Object};

use super::{Case, Transfer, Unit, case, transfer, unit};
use crate::{
    db::{Columns, Personal, allocations, allocations::AllocationRow},
    domain::{
        codes::{AllocationKind, Priority},
        ids::AllocationId,
    },
    graphql::{
        batch::{Instant, Item},
        error::{Nullable, nullable},
        scalars::{DateTime, global},
        selection,
    },
};

record! {
    /// A unit's holding of a case.
    Allocation(AllocationRow)
}

/// A unit's holding of a case. Its past is never rewritten.
#[Object]
impl Allocation {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(AllocationId::KIND, self.0.core.id)
    }

    /// How the unit holds the case.
    async fn kind(&self) -> AllocationKind {
        self.0.core.kind.0
    }

    /// Since when.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.core.started_at)
    }

    /// Until when; missing while it runs.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.core.ended_at.map(DateTime)
    }

    /// Why it began.
    async fn reason_start(&self) -> &str {
        self.0.core.reason_start.read()
    }

    /// Why it ended.
    async fn reason_end(&self) -> Option<&str> {
        self.0.core.reason_end.as_ref().map(Personal::read)
    }

    /// How urgent it is.
    async fn priority(&self) -> Priority {
        self.0.core.priority.0
    }

    /// Steps when it ends.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// What the unit was told. Narrative: read only when selected.
    async fn summary(&self) -> Nullable<String> {
        nullable(self.0.summary().map(|text| text.map(str::to_owned)))
    }

    /// The case.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |one| Some(one.core.case_id), read).await)
    }

    /// The unit.
    async fn unit(&self) -> Nullable<Unit> {
        nullable(unit::one(&self.0, "unit", |one| Some(one.core.unit_id)).await)
    }

    /// The transfer that brought the case here, if one did.
    async fn transfer(&self, ctx: &Context<'_>) -> Nullable<Transfer> {
        let read = selection::of(ctx, selection::TRANSFER);
        nullable(transfer::one(&self.0, "transfer", |one| one.core.transfer_id, read).await)
    }
}

/// The allocation with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Allocation>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { allocations::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |one: &AllocationRow| one.core.id, load).await?;
    Ok(found.map(Allocation))
}
