use async_graphql::{Context, ID, InputObject, Object};

use crate::{
    domain::{
        codes::{Exclusion, InvitationCapacity, InvitationMethod, ReportStep},
        ids::{ConferenceId, InvitationId, WorkerId},
    },
    error::{Error, Result},
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        mutation::{Changed, person},
        scalars::{DateTime, local},
        types::{Conference, Invitation},
    },
    services::conferences::{
        AnswerInvitation, ExcludeFromConference, InviteToConference, Invited, Invitee, RecordConferenceReport,
    },
};

payload! {
    /// Answer to inviteToConference.
    InviteToConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to answerInvitation.
    AnswerInvitationPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The invitation; null when you may not see it.
        invitation: Nullable<Invitation>,
    }
}
payload! {
    /// Answer to recordConferenceReport.
    RecordConferenceReportPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The invitation; null when you may not see it.
        invitation: Nullable<Invitation>,
    }
}
payload! {
    /// Answer to excludeFromConference.
    ExcludeFromConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The invitation; null when you may not see it.
        invitation: Nullable<Invitation>,
    }
}

/// Sends invitations to a conference.
#[derive(InputObject)]
pub struct InviteToConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Whom to invite, at most 50 at once.
    invitations: Vec<NewInvitationInput>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Records somebody's answer to an invitation.
#[derive(InputObject)]
pub struct AnswerInvitationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the invitation.
    invitation_id: ID,
    /// Whether they will come.
    accepted: bool,
    /// The invitation's version as you read it.
    expected_version: i32,
}

/// Records how far somebody's report to a conference has come.
#[derive(InputObject)]
pub struct RecordConferenceReportInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the invitation.
    invitation_id: ID,
    /// How far it has come.
    step: ReportStep,
    /// When; now when left out.
    at: Option<DateTime>,
    /// The invitation's version as you read it.
    expected_version: i32,
}

/// Records why somebody is not to come to a conference.
#[derive(InputObject)]
pub struct ExcludeFromConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Global id of the person.
    person_id: ID,
    /// As what they would be invited.
    capacity: InvitationCapacity,
    /// Which reason. Only the chair excludes.
    exclusion: Exclusion,
    /// The reason in words. At most 2,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// An invitation to send: exactly one of person, worker and agency.
#[derive(InputObject)]
pub struct NewInvitationInput {
    /// Global id of a person.
    person_id: Option<ID>,
    /// Global id of a worker of the authority.
    worker_id: Option<ID>,
    /// Name of an agency. At most 200 characters.
    agency_name: Option<String>,
    /// As what.
    capacity: InvitationCapacity,
    /// How it is sent.
    method: InvitationMethod,
    /// Whether a report is asked for with it.
    #[graphql(default)]
    report_requested: bool,
}

fn invited(input: NewInvitationInput) -> Result<Invited> {
    let invitee = match (input.person_id, input.worker_id, input.agency_name) {
        (Some(id), None, None) => Invitee::Person(person("personId", &id)?),
        (None, Some(id), None) => Invitee::Worker(local("workerId", WorkerId::KIND, &id)?),
        (None, None, Some(name)) => Invitee::Agency(name),
        _ => {
            return Err(Error::bad_input(
                "invitations",
                "must name each exactly one of personId, workerId, agencyName",
            ));
        }
    };
    Ok(Invited { invitee, capacity: input.capacity, method: input.method, report_requested: input.report_requested })
}

/// Invitations to conferences, answers, reports.
#[derive(Default)]
pub struct InviteMutations;

/// Invitations to conferences, answers, reports.
#[Object]
impl InviteMutations {
    /// Sends invitations. Without any it sends again what a conference with a new date has already.
    async fn invite_to_conference(
        &self,
        ctx: &Context<'_>,
        input: InviteToConferenceInput,
    ) -> Nullable<InviteToConferencePayload> {
        change!(
            ctx,
            input,
            invite_to_conference,
            InviteToConferencePayload,
            InviteToConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                invitations: input.invitations.into_iter().map(invited).collect::<Result<Vec<_>>>()?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records somebody's answer for the present date. A later answer replaces it.
    async fn answer_invitation(
        &self,
        ctx: &Context<'_>,
        input: AnswerInvitationInput,
    ) -> Nullable<AnswerInvitationPayload> {
        change!(
            ctx,
            input,
            answer_invitation,
            AnswerInvitationPayload,
            AnswerInvitation {
                invitation_id: local("invitationId", InvitationId::KIND, &input.invitation_id)?,
                accepted: input.accepted,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records that a report was asked for, received, or shared with the parents, in this order.
    async fn record_conference_report(
        &self,
        ctx: &Context<'_>,
        input: RecordConferenceReportInput,
    ) -> Nullable<RecordConferenceReportPayload> {
        change!(
            ctx,
            input,
            record_conference_report,
            RecordConferenceReportPayload,
            RecordConferenceReport {
                invitation_id: local("invitationId", InvitationId::KIND, &input.invitation_id)?,
                step: input.step,
                at: input.at.map(|at| at.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Records why somebody is not to come: the chair excludes them, or nobody knows where they are. Inviting
    /// them lifts it.
    async fn exclude_from_conference(
        &self,
        ctx: &Context<'_>,
        input: ExcludeFromConferenceInput,
    ) -> Nullable<ExcludeFromConferencePayload> {
        change!(
            ctx,
            input,
            exclude_from_conference,
            ExcludeFromConferencePayload,
            ExcludeFromConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                person_id: person("personId", &input.person_id)?,
                capacity: input.capacity,
                exclusion: input.exclusion,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
