use async_graphql::{Context, ID, Object};

use super::{Allocation, Case, Unit, Worker, case, unit, worker};
use crate::{
    db::{Columns, allocations, transfers, transfers::TransferRow},
    domain::{
        codes::{TransferKind, TransferState},
        ids::TransferId,
    },
    graphql::{
        batch::{Instant, Item},
        error::{Nullable, nullable},
        scalars::{Date, DateTime, global},
        selection,
    },
};

record! {
    /// A request to move a case to another unit.
    Transfer(TransferRow)
}

/// A request to move a case to another unit. While it waits for its answer the receiving unit reads it, its handover
/// summary and the core of the case.
#[Object]
impl Transfer {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(TransferId::KIND, self.0.core.id)
    }

    /// What kind of move.
    async fn kind(&self) -> TransferKind {
        self.0.core.kind.0
    }

    /// Where it stands.
    async fn state(&self) -> TransferState {
        self.0.core.state.0
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime {
        DateTime(self.0.core.requested_at)
    }

    /// When it was answered.
    async fn responded_at(&self) -> Option<DateTime> {
        self.0.core.responded_at.map(DateTime)
    }

    /// The day on which the case moved.
    async fn effective_on(&self) -> Option<Date> {
        self.0.core.effective_on.map(Date)
    }

    /// The day of a meeting of both units with the family.
    async fn joint_meeting_on(&self) -> Option<Date> {
        self.0.core.joint_meeting_on.map(Date)
    }

    /// Steps when it is answered: send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.core.version
    }

    /// What the receiving unit needs to know. Narrative: read only when selected.
    async fn handover_summary(&self) -> Nullable<String> {
        nullable(self.0.handover_summary().map(|text| Some(text.to_owned())))
    }

    /// Why it was rejected or withdrawn. Narrative: read only when selected.
    async fn response_reason(&self) -> Nullable<String> {
        nullable(self.0.response_reason().map(|text| text.map(str::to_owned)))
    }

    /// The case.
    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        nullable(case::one(&self.0, "case", |one| Some(one.core.case_id), read).await)
    }

    /// The unit that asks.
    async fn from_unit(&self) -> Nullable<Unit> {
        nullable(unit::one(&self.0, "fromUnit", |one| Some(one.core.from_unit_id)).await)
    }

    /// The unit that is asked.
    async fn to_unit(&self) -> Nullable<Unit> {
        nullable(unit::one(&self.0, "toUnit", |one| Some(one.core.to_unit_id)).await)
    }

    /// Who asked.
    async fn requested_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "requestedBy", |one| Some(one.core.requested_by)).await)
    }

    /// Who answered.
    async fn responded_by(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "respondedBy", |one| one.core.responded_by).await)
    }

    /// The allocation that the transfer led to.
    async fn allocation(&self, ctx: &Context<'_>) -> Nullable<Allocation> {
        let read = selection::of(ctx, selection::ALLOCATION);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { allocations::of_transfers(&snapshot, &ids, read).await };
        let found = self.0.first("allocation", format!("{read:?}"), |transfer| transfer.core.id, load).await;
        nullable(found.map(|one| one.map(Allocation)))
    }
}

/// The transfer with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
    read: Columns,
) -> crate::error::Result<Option<Transfer>> {
    let load = move |snapshot: Instant, ids: Vec<_>| async move { transfers::by_ids(&snapshot, &ids, read).await };
    let found = from.one(relation, format!("{read:?}"), foreign, |one: &TransferRow| one.core.id, load).await?;
    Ok(found.map(Transfer))
}
