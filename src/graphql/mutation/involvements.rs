use async_graphql::{Context, ID, InputObject, Object};

use super::Changed;
use crate::{
    domain::{
        codes::{Capacity, ChangeReason},
        ids::{CaseId, GoalId, InvolvementId, SupportRequestId, WorkerId},
    },
    error::Result,
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::local,
        types::{Case, Involvement, SupportRequest},
    },
    services::{
        involvements::{EndInvolvement, StartInvolvement},
        support::{AcceptSupport, EndSupport, RefuseSupport, RequestSupport},
    },
};

payload! {
    /// Answer to startInvolvement.
    StartInvolvementPayload {
        /// The part.
        involvement: Nullable<Involvement>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to endInvolvement.
    EndInvolvementPayload {
        /// The part.
        involvement: Nullable<Involvement>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to requestSupport.
    RequestSupportPayload {
        /// What they are asked for.
        support: Nullable<SupportRequest>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to acceptSupport.
    AcceptSupportPayload {
        /// What you were asked for.
        support: Nullable<SupportRequest>,
        /// Your part in the case.
        involvement: Nullable<Involvement>,
    }
}
payload! {
    /// Answer to declineSupport.
    DeclineSupportPayload {
        /// What you were asked for; null, because you see nothing of the child any more.
        support: Nullable<SupportRequest>,
    }
}
payload! {
    /// Answer to withdrawSupport.
    WithdrawSupportPayload {
        /// What they were asked for.
        support: Nullable<SupportRequest>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to endSupport.
    EndSupportPayload {
        /// What they were asked for; null when you see nothing of the child any more.
        support: Nullable<SupportRequest>,
        /// The case; null when you do not see it.
        case: Nullable<Case>,
    }
}

/// Gives a worker a part in a case.
#[derive(InputObject)]
pub struct StartInvolvementInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the worker.
    worker_id: ID,
    /// As what: CO_WORKER, CLINICAL, IRO, PERSONAL_ADVISER or SUPERVISING_SW.
    capacity: Capacity,
}

/// Ends a worker's part in a case.
#[derive(InputObject)]
pub struct EndInvolvementInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the part.
    involvement_id: ID,
    /// Why.
    reason: ChangeReason,
    /// The part's version as you read it.
    expected_version: i32,
}

/// Asks a parenting support worker.
#[derive(InputObject)]
pub struct RequestSupportInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Global id of the worker: one with the post PARENTING_SUPPORT_WORKER.
    worker_id: ID,
    /// What they are asked for. They read it before they know the plans. At most 10,000 characters.
    asked_for: String,
    /// Global ids of open goals of the case's plans that it is for, at most 30.
    #[graphql(default)]
    goal_ids: Vec<ID>,
}

/// Takes on what one is asked for.
#[derive(InputObject)]
pub struct AcceptSupportInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of what is asked for.
    support_id: ID,
    /// The request's version as you read it.
    expected_version: i32,
}

/// Says no to what one is asked for.
#[derive(InputObject)]
pub struct DeclineSupportInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of what is asked for.
    support_id: ID,
    /// Why. At most 5,000 characters.
    reason: String,
    /// The request's version as you read it.
    expected_version: i32,
}

/// Withdraws what somebody was asked for.
#[derive(InputObject)]
pub struct WithdrawSupportInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of what is asked for.
    support_id: ID,
    /// Why. At most 5,000 characters.
    reason: String,
    /// The request's version as you read it.
    expected_version: i32,
}

/// Ends the work of a parenting support worker.
#[derive(InputObject)]
pub struct EndSupportInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of what they were asked for.
    support_id: ID,
    /// What came of it. At most 10,000 characters.
    outcome: String,
    /// The request's version as you read it.
    expected_version: i32,
}

fn request(id: &ID) -> Result<uuid::Uuid> {
    local("supportId", SupportRequestId::KIND, id)
}

/// Parts in cases, and the work of parenting support workers.
#[derive(Default)]
pub struct InvolvementMutations;

/// Parts in cases, and the work of parenting support workers.
#[Object]
impl InvolvementMutations {
    /// Gives a worker a part in a case: a co-worker or a clinician of the unit that holds it, the reviewing officer or a
    /// supervising social worker of a looked-after child, the personal adviser of a young person.
    async fn start_involvement(
        &self,
        ctx: &Context<'_>,
        input: StartInvolvementInput,
    ) -> Nullable<StartInvolvementPayload> {
        change!(
            ctx,
            input,
            start_involvement,
            StartInvolvementPayload,
            StartInvolvement {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                worker_id: local("workerId", WorkerId::KIND, &input.worker_id)?,
                capacity: input.capacity,
            }
        )
    }

    /// Ends a worker's part in a case. Whoever leads is followed by another, and a parenting support worker's work has its own
    /// end.
    async fn end_involvement(&self, ctx: &Context<'_>, input: EndInvolvementInput) -> Nullable<EndInvolvementPayload> {
        change!(
            ctx,
            input,
            end_involvement,
            EndInvolvementPayload,
            EndInvolvement {
                involvement_id: local("involvementId", InvolvementId::KIND, &input.involvement_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Asks a parenting support worker to help a family make some changes. Until they answer they see who the child is.
    async fn request_support(&self, ctx: &Context<'_>, input: RequestSupportInput) -> Nullable<RequestSupportPayload> {
        change!(
            ctx,
            input,
            request_support,
            RequestSupportPayload,
            RequestSupport {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                worker_id: local("workerId", WorkerId::KIND, &input.worker_id)?,
                asked_for: input.asked_for,
                goal_ids: input
                    .goal_ids
                    .iter()
                    .map(|id| local("goalIds", GoalId::KIND, id))
                    .collect::<Result<Vec<_>>>()?,
            }
        )
    }

    /// Takes on what you are asked for: from now on you have a part in the case and see the child's plans.
    async fn accept_support(&self, ctx: &Context<'_>, input: AcceptSupportInput) -> Nullable<AcceptSupportPayload> {
        change!(
            ctx,
            input,
            accept_support,
            AcceptSupportPayload,
            AcceptSupport { request_id: request(&input.support_id)?, expected_version: input.expected_version }
        )
    }

    /// Says no to what you are asked for.
    async fn decline_support(&self, ctx: &Context<'_>, input: DeclineSupportInput) -> Nullable<DeclineSupportPayload> {
        change!(
            ctx,
            input,
            decline_support,
            DeclineSupportPayload,
            RefuseSupport {
                request_id: request(&input.support_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Withdraws what somebody was asked for, before they answered.
    async fn withdraw_support(
        &self,
        ctx: &Context<'_>,
        input: WithdrawSupportInput,
    ) -> Nullable<WithdrawSupportPayload> {
        change!(
            ctx,
            input,
            withdraw_support,
            WithdrawSupportPayload,
            RefuseSupport {
                request_id: request(&input.support_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Ends the work of a parenting support worker, with what came of it. Their part in the case ends.
    async fn end_support(&self, ctx: &Context<'_>, input: EndSupportInput) -> Nullable<EndSupportPayload> {
        change!(
            ctx,
            input,
            end_support,
            EndSupportPayload,
            EndSupport {
                request_id: request(&input.support_id)?,
                outcome: input.outcome,
                expected_version: input.expected_version,
            }
        )
    }
}
