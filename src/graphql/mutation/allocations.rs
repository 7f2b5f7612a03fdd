use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, optional};
use crate::{
    domain::{
        codes::{AllocationKind, ChangeReason, Priority},
        ids::{AllocationId, CaseId, UnitId, WorkerId},
    },
    error::Result,
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::local,
        types::{Allocation, Case, Involvement},
    },
    services::{
        allocations::{AllocateCase, EndAllocation, StartHelping},
        involvements::ChangeLead,
    },
};

payload! {
    /// Answer to allocateCase.
    AllocateCasePayload {
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
        /// The new allocation; null when you may not see it.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to startJointAllocation.
    StartJointAllocationPayload {
        /// The case.
        case: Nullable<Case>,
        /// The new allocation.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to startCoverAllocation.
    StartCoverAllocationPayload {
        /// The case.
        case: Nullable<Case>,
        /// The new allocation.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to endAllocation.
    EndAllocationPayload {
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
        /// The allocation; null when you may not see it any more.
        allocation: Nullable<Allocation>,
    }
}
payload! {
    /// Answer to changeLeadPractitioner.
    ChangeLeadPractitionerPayload {
        /// The case.
        case: Nullable<Case>,
        /// The new lead practitioner's part.
        involvement: Nullable<Involvement>,
    }
}

/// Gives a case from the queue to a unit.
#[derive(InputObject)]
pub struct AllocateCaseInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the unit.
    unit_id: ID,
    /// Why. At most 500 characters.
    reason: String,
    /// How urgent.
    #[graphql(default_with = "Priority::None")]
    priority: Priority,
    /// What the unit needs to know. At most 10,000 characters.
    summary: Option<String>,
    /// Global id of the lead practitioner: a qualified member of the unit. Its consultant social worker when left out.
    lead_practitioner_id: Option<ID>,
    /// Why it is not given to the unit that held the child's last case, of a child who comes back within six months. At most
    /// 500 characters.
    previous_unit_reason: Option<String>,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Brings another unit in.
#[derive(InputObject)]
pub struct StartHelpingInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the unit.
    unit_id: ID,
    /// Why. At most 500 characters.
    reason: String,
    /// What the unit needs to know. At most 10,000 characters.
    summary: Option<String>,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Ends an allocation of any kind.
#[derive(InputObject)]
pub struct EndAllocationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the allocation.
    allocation_id: ID,
    /// Why. At most 500 characters.
    reason: String,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Names another lead practitioner.
#[derive(InputObject)]
pub struct ChangeLeadPractitionerInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the worker: a qualified member of the holding unit.
    worker_id: ID,
    /// Why, as the statutory return codes it.
    reason: ChangeReason,
    /// The case's version as you read it.
    expected_version: i32,
}

fn helping(input: &StartHelpingInput, kind: AllocationKind) -> Result<StartHelping> {
    Ok(StartHelping {
        case_id: local("caseId", CaseId::KIND, &input.case_id)?,
        unit_id: local("unitId", UnitId::KIND, &input.unit_id)?,
        kind,
        reason: input.reason.clone(),
        summary: input.summary.clone(),
        expected_version: input.expected_version,
    })
}

/// Who holds a case.
#[derive(Default)]
pub struct AllocationMutations;

/// Who holds a case.
#[Object]
impl AllocationMutations {
    /// Gives a case from the queue to a unit. Every member of the unit hears of it at once.
    async fn allocate_case(&self, ctx: &Context<'_>, input: AllocateCaseInput) -> Nullable<AllocateCasePayload> {
        change!(
            ctx,
            input,
            allocate_case,
            AllocateCasePayload,
            AllocateCase {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                unit_id: local("unitId", UnitId::KIND, &input.unit_id)?,
                reason: input.reason,
                priority: input.priority,
                summary: input.summary,
                lead_practitioner_id: optional(
                    "leadPractitionerId",
                    WorkerId::KIND,
                    input.lead_practitioner_id.as_ref(),
                )?,
                previous_unit_reason: input.previous_unit_reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Brings another unit in to work the case jointly.
    async fn start_joint_allocation(
        &self,
        ctx: &Context<'_>,
        input: StartHelpingInput,
    ) -> Nullable<StartJointAllocationPayload> {
        change!(ctx, input, start_helping, StartJointAllocationPayload, helping(&input, AllocationKind::Joint)?)
    }

    /// Brings another unit in to stand in for the holding one.
    async fn start_cover_allocation(
        &self,
        ctx: &Context<'_>,
        input: StartHelpingInput,
    ) -> Nullable<StartCoverAllocationPayload> {
        change!(ctx, input, start_helping, StartCoverAllocationPayload, helping(&input, AllocationKind::Cover)?)
    }

    /// Ends an allocation: primary (the case goes to the queue), joint or cover.
    async fn end_allocation(&self, ctx: &Context<'_>, input: EndAllocationInput) -> Nullable<EndAllocationPayload> {
        change!(
            ctx,
            input,
            end_allocation,
            EndAllocationPayload,
            EndAllocation {
                allocation_id: local("allocationId", AllocationId::KIND, &input.allocation_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Names another lead practitioner of the holding unit.
    async fn change_lead_practitioner(
        &self,
        ctx: &Context<'_>,
        input: ChangeLeadPractitionerInput,
    ) -> Nullable<ChangeLeadPractitionerPayload> {
        change!(
            ctx,
            input,
            change_lead_practitioner,
            ChangeLeadPractitionerPayload,
            ChangeLead {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                worker_id: local("workerId", WorkerId::KIND, &input.worker_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
