use async_graphql::{Context, ID, InputObject, Object};

use crate::{
    domain::{
        codes::{AbuseCategory, Attendance, Participation},
        ids::{ChildId, ConferenceId, InvitationId},
    },
    error::Result,
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        mutation::{Changed, optional},
        scalars::{DateTime, local},
        types::{Conference, Invitation},
    },
    services::conferences::{AdjournConference, OpenConference, RecordAttendance, RecordConferenceView},
};

payload! {
    /// Answer to openConference.
    OpenConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to recordAttendance.
    RecordAttendancePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to recordConferenceView.
    RecordConferenceViewPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The invitation; null when you may not see it.
        invitation: Nullable<Invitation>,
    }
}
payload! {
    /// Answer to adjournConference.
    AdjournConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}

/// Begins the meeting of a conference.
#[derive(InputObject)]
pub struct OpenConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When it began, if that is recorded afterwards: a weekday, not in the future. Now when left out.
    opened_at: Option<DateTime>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Records who came to a conference.
#[derive(InputObject)]
pub struct RecordAttendanceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Who came, of those who are invited.
    attendances: Vec<AttendanceInput>,
    /// How the children took part.
    #[graphql(default)]
    participations: Vec<ParticipationInput>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Minutes what somebody said to a conference's decision.
#[derive(InputObject)]
pub struct RecordConferenceViewInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the invitation of who said it.
    invitation_id: ID,
    /// Global id of the child whom it is about; all of them when left out.
    child_id: Option<ID>,
    /// Whether they agree.
    agrees: bool,
    /// In their words. At most 10,000 characters.
    text: String,
    /// The category of abuse that they see.
    category: Option<AbuseCategory>,
}

/// Ends a meeting that has no quorum.
#[derive(InputObject)]
pub struct AdjournConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// What keeps the children safe until it sits again. At most 20,000 characters.
    interim_plan: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Whether somebody who is invited came.
#[derive(InputObject)]
pub struct AttendanceInput {
    /// Global id of the invitation.
    invitation_id: ID,
    /// Whether they came.
    attended: Attendance,
}

/// How a child took part.
#[derive(InputObject)]
pub struct ParticipationInput {
    /// Global id of the child.
    child_id: ID,
    /// How: PN0 exactly for a child under four.
    participation: Participation,
}

/// Meetings of conferences.
#[derive(Default)]
pub struct SittingMutations;

/// Meetings of conferences.
#[Object]
impl SittingMutations {
    /// Begins the meeting. An initial conference is not opened while somebody with parental responsibility has
    /// neither an invitation nor a recorded reason (`uninvitedParents`).
    async fn open_conference(&self, ctx: &Context<'_>, input: OpenConferenceInput) -> Nullable<OpenConferencePayload> {
        change!(
            ctx,
            input,
            open_conference,
            OpenConferencePayload,
            OpenConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                opened_at: input.opened_at.map(|at| at.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Records who came, and how the children took part. Recording it again corrects it.
    async fn record_attendance(
        &self,
        ctx: &Context<'_>,
        input: RecordAttendanceInput,
    ) -> Nullable<RecordAttendancePayload> {
        change!(
            ctx,
            input,
            record_attendance,
            RecordAttendancePayload,
            RecordAttendance {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                attendances: input
                    .attendances
                    .into_iter()
                    .map(|one| Ok((local("invitationId", InvitationId::KIND, &one.invitation_id)?, one.attended)))
                    .collect::<Result<Vec<_>>>()?,
                participations: input
                    .participations
                    .into_iter()
                    .map(|one| Ok((local("childId", ChildId::KIND, &one.child_id)?, one.participation)))
                    .collect::<Result<Vec<_>>>()?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Minutes what somebody who came said to the decision. A dissent blocks nothing.
    async fn record_conference_view(
        &self,
        ctx: &Context<'_>,
        input: RecordConferenceViewInput,
    ) -> Nullable<RecordConferenceViewPayload> {
        change!(
            ctx,
            input,
            record_conference_view,
            RecordConferenceViewPayload,
            RecordConferenceView {
                invitation_id: local("invitationId", InvitationId::KIND, &input.invitation_id)?,
                child_id: optional("childId", ChildId::KIND, input.child_id.as_ref())?,
                agrees: input.agrees,
                text: input.text,
                category: input.category,
            }
        )
    }

    /// Ends a meeting that has no quorum. It needs an interim plan, and does not happen twice in a row;
    /// schedule it again.
    async fn adjourn_conference(
        &self,
        ctx: &Context<'_>,
        input: AdjournConferenceInput,
    ) -> Nullable<AdjournConferencePayload> {
        change!(
            ctx,
            input,
            adjourn_conference,
            AdjournConferencePayload,
            AdjournConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                interim_plan: input.interim_plan,
                expected_version: input.expected_version,
            }
        )
    }
}
