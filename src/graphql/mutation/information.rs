use async_graphql::{Context, ID, InputObject, Object};

use super::Changed;
use crate::{
    domain::{
        codes::{Agency, InformationDuty, InvitationMethod},
        ids::{AgencyParticipantId, CaseId, InformationRequestId},
    },
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::{Date, DateTime, local},
        types::{AgencyParticipant, Case, InformationRequest},
    },
    services::information::{
        AddAgencyParticipant, ChaseInformation, EndAgencyParticipant, EndInformationRequest, RecordInformationAnswer,
        RequestInformation,
    },
};

payload! {
    /// Answer to addAgencyParticipant.
    AddAgencyParticipantPayload {
        /// Who takes part.
        participant: Nullable<AgencyParticipant>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to endAgencyParticipant.
    EndAgencyParticipantPayload {
        /// Who takes part.
        participant: Nullable<AgencyParticipant>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to requestInformation.
    RequestInformationPayload {
        /// The request.
        request: Nullable<InformationRequest>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to chaseInformation.
    ChaseInformationPayload {
        /// The request.
        request: Nullable<InformationRequest>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to recordInformationAnswer.
    RecordInformationAnswerPayload {
        /// The request.
        request: Nullable<InformationRequest>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to recordInformationRefusal.
    RecordInformationRefusalPayload {
        /// The request.
        request: Nullable<InformationRequest>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to withdrawInformationRequest.
    WithdrawInformationRequestPayload {
        /// The request.
        request: Nullable<InformationRequest>,
        /// The case.
        case: Nullable<Case>,
    }
}

/// Adds somebody of another agency.
#[derive(InputObject)]
pub struct AddAgencyParticipantInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// The agency: not social care.
    agency: Agency,
    /// The organisation, as they call it. At most 200 characters.
    organisation: String,
    /// Their name. At most 200 characters.
    name: Option<String>,
    /// How to reach them. At most 200 characters.
    contact: Option<String>,
    /// Since when; today when left out.
    joined_on: Option<Date>,
}

/// Ends somebody's part.
#[derive(InputObject)]
pub struct EndAgencyParticipantInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of who takes part.
    participant_id: ID,
    /// Until when: not in the future.
    left_on: Date,
    /// The participant's version as you read it.
    expected_version: i32,
}

/// Asks somebody of another agency.
#[derive(InputObject)]
pub struct RequestInformationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of who is asked.
    participant_id: ID,
    /// Why they are asked. S47 only while a section 47 enquiry is open.
    duty: InformationDuty,
    /// What is asked. At most 20,000 characters.
    questions: String,
    /// When the answer is due: in the future, at most 92 days ahead.
    due_at: DateTime,
}

/// Asks for an answer again.
#[derive(InputObject)]
pub struct ChaseInformationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the request.
    request_id: ID,
    /// How.
    method: InvitationMethod,
    /// What came of it. At most 2,000 characters.
    note: Option<String>,
    /// The request's version as you read it.
    expected_version: i32,
}

/// Records an answer.
#[derive(InputObject)]
pub struct RecordInformationAnswerInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the request.
    request_id: ID,
    /// When it came; now when left out.
    received_at: Option<DateTime>,
    /// What they said. At most 50,000 characters.
    text: String,
    /// The request's version as you read it.
    expected_version: i32,
}

/// Records that they refuse.
#[derive(InputObject)]
pub struct RecordInformationRefusalInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the request.
    request_id: ID,
    /// Why, as they say. At most 5,000 characters.
    reason: String,
    /// The request's version as you read it.
    expected_version: i32,
}

/// Withdraws what was asked.
#[derive(InputObject)]
pub struct WithdrawInformationRequestInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the request.
    request_id: ID,
    /// Why. At most 5,000 characters.
    reason: String,
    /// The request's version as you read it.
    expected_version: i32,
}

/// Who of other agencies takes part, and what they are asked.
#[derive(Default)]
pub struct InformationMutations;

#[Object]
impl InformationMutations {
    /// Says that somebody of another agency works with the child and takes part: they can be asked for information.
    async fn add_agency_participant(
        &self,
        ctx: &Context<'_>,
        input: AddAgencyParticipantInput,
    ) -> Nullable<AddAgencyParticipantPayload> {
        change!(
            ctx,
            input,
            add_agency_participant,
            AddAgencyParticipantPayload,
            AddAgencyParticipant {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                agency: input.agency,
                organisation: input.organisation,
                name: input.name,
                contact: input.contact,
                joined_on: input.joined_on.map(|day| day.0),
            }
        )
    }

    /// Says that they take part no longer. Refused while they have not answered what they were asked.
    async fn end_agency_participant(
        &self,
        ctx: &Context<'_>,
        input: EndAgencyParticipantInput,
    ) -> Nullable<EndAgencyParticipantPayload> {
        change!(
            ctx,
            input,
            end_agency_participant,
            EndAgencyParticipantPayload,
            EndAgencyParticipant {
                participant_id: local("participantId", AgencyParticipantId::KIND, &input.participant_id)?,
                left_on: input.left_on.0,
                expected_version: input.expected_version,
            }
        )
    }

    /// Asks somebody of another agency for information. In a section 47 enquiry they are required to answer.
    async fn request_information(
        &self,
        ctx: &Context<'_>,
        input: RequestInformationInput,
    ) -> Nullable<RequestInformationPayload> {
        change!(
            ctx,
            input,
            request_information,
            RequestInformationPayload,
            RequestInformation {
                participant_id: local("participantId", AgencyParticipantId::KIND, &input.participant_id)?,
                duty: input.duty,
                questions: input.questions,
                due_at: input.due_at.0,
            }
        )
    }

    /// Records that an answer was asked for again.
    async fn chase_information(
        &self,
        ctx: &Context<'_>,
        input: ChaseInformationInput,
    ) -> Nullable<ChaseInformationPayload> {
        change!(
            ctx,
            input,
            chase_information,
            ChaseInformationPayload,
            ChaseInformation {
                request_id: local("requestId", InformationRequestId::KIND, &input.request_id)?,
                method: input.method,
                note: input.note,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records what they said, also when they had refused before.
    async fn record_information_answer(
        &self,
        ctx: &Context<'_>,
        input: RecordInformationAnswerInput,
    ) -> Nullable<RecordInformationAnswerPayload> {
        change!(
            ctx,
            input,
            record_information_answer,
            RecordInformationAnswerPayload,
            RecordInformationAnswer {
                request_id: local("requestId", InformationRequestId::KIND, &input.request_id)?,
                received_at: input.received_at.map(|at| at.0),
                text: input.text,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records that they refuse. The managers of the holding unit's area hear of it at once.
    async fn record_information_refusal(
        &self,
        ctx: &Context<'_>,
        input: RecordInformationRefusalInput,
    ) -> Nullable<RecordInformationRefusalPayload> {
        change!(
            ctx,
            input,
            record_information_refusal,
            RecordInformationRefusalPayload,
            EndInformationRequest {
                request_id: local("requestId", InformationRequestId::KIND, &input.request_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Withdraws what was asked: it is not needed any more.
    async fn withdraw_information_request(
        &self,
        ctx: &Context<'_>,
        input: WithdrawInformationRequestInput,
    ) -> Nullable<WithdrawInformationRequestPayload> {
        change!(
            ctx,
            input,
            withdraw_information_request,
            WithdrawInformationRequestPayload,
            EndInformationRequest {
                request_id: local("requestId", InformationRequestId::KIND, &input.request_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
