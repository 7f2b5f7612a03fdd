use async_graphql::{Context, ID, InputObject, Object};

use crate::{
    domain::{
        codes::{ConferenceType, DisputeOutcome},
        ids::{CaseId, ConferenceId},
    },
    error::Result,
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        mutation::Changed,
        scalars::local,
        types::Conference,
    },
    services::conferences::{
        DisputeConference, ProposeConferenceWithdrawal, RequestConference, SettleConferenceDispute, WithdrawConference,
    },
};

payload! {
    /// Answer to requestConference.
    RequestConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to proposeConferenceWithdrawal.
    ProposeConferenceWithdrawalPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to withdrawConference.
    WithdrawConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to disputeConference.
    DisputeConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to settleConferenceDispute.
    SettleConferenceDisputePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}

/// Asks for a child protection conference.
#[derive(InputObject)]
pub struct RequestConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global ids of the cases of the children that it is about: one family, at most 20.
    case_ids: Vec<ID>,
    /// What kind of conference.
    r#type: ConferenceType,
}

/// Proposes to withdraw the request for a conference.
#[derive(InputObject)]
pub struct ProposeConferenceWithdrawalInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Withdraws the request for a conference.
#[derive(InputObject)]
pub struct WithdrawConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Disputes that a conference is called for.
#[derive(InputObject)]
pub struct DisputeConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Settles a chair's dispute.
#[derive(InputObject)]
pub struct SettleConferenceDisputeInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// How.
    outcome: DisputeOutcome,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Conferences are asked for, and requests withdrawn or disputed.
#[derive(Default)]
pub struct RequestMutations;

/// Conferences are asked for, and requests withdrawn or disputed.
#[Object]
impl RequestMutations {
    /// Asks for a child protection conference about one or more children of a family.
    async fn request_conference(
        &self,
        ctx: &Context<'_>,
        input: RequestConferenceInput,
    ) -> Nullable<RequestConferencePayload> {
        change!(
            ctx,
            input,
            request_conference,
            RequestConferencePayload,
            RequestConference {
                case_ids: input
                    .case_ids
                    .iter()
                    .map(|id| local("caseIds", CaseId::KIND, id))
                    .collect::<Result<Vec<_>>>()?,
                kind: input.r#type,
            }
        )
    }

    /// Proposes to the service manager to withdraw the request for a conference. Nothing is withdrawn yet.
    async fn propose_conference_withdrawal(
        &self,
        ctx: &Context<'_>,
        input: ProposeConferenceWithdrawalInput,
    ) -> Nullable<ProposeConferenceWithdrawalPayload> {
        change!(
            ctx,
            input,
            propose_conference_withdrawal,
            ProposeConferenceWithdrawalPayload,
            ProposeConferenceWithdrawal {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Withdraws the request for a conference that the consultant social worker proposed to withdraw.
    async fn withdraw_conference(
        &self,
        ctx: &Context<'_>,
        input: WithdrawConferenceInput,
    ) -> Nullable<WithdrawConferencePayload> {
        change!(
            ctx,
            input,
            withdraw_conference,
            WithdrawConferencePayload,
            WithdrawConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// The appointed chair disputes that a conference is called for; the managers hear of it and settle it.
    async fn dispute_conference(
        &self,
        ctx: &Context<'_>,
        input: DisputeConferenceInput,
    ) -> Nullable<DisputeConferencePayload> {
        change!(
            ctx,
            input,
            dispute_conference,
            DisputeConferencePayload,
            DisputeConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Settles a chair's dispute: the conference goes ahead, or its request is withdrawn.
    async fn settle_conference_dispute(
        &self,
        ctx: &Context<'_>,
        input: SettleConferenceDisputeInput,
    ) -> Nullable<SettleConferenceDisputePayload> {
        change!(
            ctx,
            input,
            settle_conference_dispute,
            SettleConferenceDisputePayload,
            SettleConferenceDispute {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                outcome: input.outcome,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
