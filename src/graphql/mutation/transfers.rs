use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, optional};
use crate::{
    domain::{
        codes::TransferKind,
        ids::{CaseId, TransferId, UnitId, WorkerId},
    },
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::{Date, local},
        types::{Allocation, Case, Transfer},
    },
    services::transfers::{AcceptTransfer, RefuseTransfer, RequestTransfer},
};

payload! {
    /// Answer to requestTransfer.
    RequestTransferPayload {
        /// The case.
        case: Nullable<Case>,
        /// The transfer.
        transfer: Nullable<Transfer>,
    }
}
payload! {
    /// Answer to acceptTransfer.
    AcceptTransferPayload {
        /// The case.
        case: Nullable<Case>,
        /// The transfer.
        transfer: Nullable<Transfer>,
        /// The new allocation.
        allocation: Nullable<Allocation>,
    }
}

payload! {
    /// Answer to rejectTransfer.
    RejectTransferPayload {
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
        /// The transfer; null when you may not see it any more.
        transfer: Nullable<Transfer>,
    }
}
payload! {
    /// Answer to withdrawTransfer.
    WithdrawTransferPayload {
        /// The case.
        case: Nullable<Case>,
        /// The transfer.
        transfer: Nullable<Transfer>,
    }
}

/// Does not take a case over.
#[derive(InputObject)]
pub struct RejectTransferInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the transfer.
    transfer_id: ID,
    /// Why. At most 2,000 characters.
    reason: String,
    /// The transfer's version as you read it.
    expected_version: i32,
}

/// Keeps a case after all.
#[derive(InputObject)]
pub struct WithdrawTransferInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the transfer.
    transfer_id: ID,
    /// Why. At most 2,000 characters.
    reason: String,
    /// The transfer's version as you read it.
    expected_version: i32,
}

/// Asks another unit to take a case over.
#[derive(InputObject)]
pub struct RequestTransferInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the unit that is asked.
    to_unit_id: ID,
    /// What kind of move.
    kind: TransferKind,
    /// What the receiving unit needs to know. At most 10,000 characters.
    handover_summary: String,
    /// The day of a meeting of both units with the family.
    joint_meeting_on: Option<Date>,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Takes a case over.
#[derive(InputObject)]
pub struct AcceptTransferInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the transfer.
    transfer_id: ID,
    /// Global id of the lead practitioner: a qualified member of the receiving unit. Its consultant social worker
    /// when left out.
    lead_practitioner_id: Option<ID>,
    /// The transfer's version as you read it.
    expected_version: i32,
}

/// Moving cases between units.
#[derive(Default)]
pub struct TransferMutations;

/// Moving cases between units.
#[Object]
impl TransferMutations {
    /// Asks another unit to take a case over. Both units hear of it; nothing moves until it is accepted.
    async fn request_transfer(
        &self,
        ctx: &Context<'_>,
        input: RequestTransferInput,
    ) -> Nullable<RequestTransferPayload> {
        change!(
            ctx,
            input,
            request_transfer,
            RequestTransferPayload,
            RequestTransfer {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                to_unit_id: local("toUnitId", UnitId::KIND, &input.to_unit_id)?,
                kind: input.kind,
                handover_summary: input.handover_summary,
                joint_meeting_on: input.joint_meeting_on.map(|day| day.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Takes a case over: it moves at once. Into a unit that is at its capacity only its service manager takes it. The
    /// leaving unit's last event of the case is TRANSFER_COMPLETED.
    async fn accept_transfer(&self, ctx: &Context<'_>, input: AcceptTransferInput) -> Nullable<AcceptTransferPayload> {
        change!(
            ctx,
            input,
            accept_transfer,
            AcceptTransferPayload,
            AcceptTransfer {
                lead_practitioner_id: optional(
                    "leadPractitionerId",
                    WorkerId::KIND,
                    input.lead_practitioner_id.as_ref()
                )?,
                transfer_id: local("transferId", TransferId::KIND, &input.transfer_id)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Does not take a case over: it stays where it is, and the receiving unit sees it no longer.
    async fn reject_transfer(&self, ctx: &Context<'_>, input: RejectTransferInput) -> Nullable<RejectTransferPayload> {
        change!(
            ctx,
            input,
            reject_transfer,
            RejectTransferPayload,
            RefuseTransfer {
                transfer_id: local("transferId", TransferId::KIND, &input.transfer_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Keeps a case after all whose transfer was not answered yet.
    async fn withdraw_transfer(
        &self,
        ctx: &Context<'_>,
        input: WithdrawTransferInput,
    ) -> Nullable<WithdrawTransferPayload> {
        change!(
            ctx,
            input,
            withdraw_transfer,
            WithdrawTransferPayload,
            RefuseTransfer {
                transfer_id: local("transferId", TransferId::KIND, &input.transfer_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
