use async_graphql::{Context, ID, InputObject, Object};

use crate::{
    domain::ids::{ConferenceId, WorkerId},
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        mutation::Changed,
        scalars::{DateTime, local},
        types::Conference,
    },
    services::conferences::{AppointConferenceChair, MoveConference, PostponeConference, ScheduleConference},
};

payload! {
    /// Answer to appointConferenceChair.
    AppointConferenceChairPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to scheduleConference.
    ScheduleConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to moveConference.
    MoveConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to postponeConference.
    PostponeConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}

/// Names who is to chair a conference.
#[derive(InputObject)]
pub struct AppointConferenceChairInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Global id of the chair: a conference chair who is independent of the units that hold the case.
    chair_id: ID,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Gives a conference its date and chair.
#[derive(InputObject)]
pub struct ScheduleConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When: a weekday in the future.
    scheduled_for: DateTime,
    /// Global id of the chair: a conference chair who is independent of the units that hold the case.
    chair_id: ID,
    /// Where; needed unless it is online. At most 500 characters.
    venue: Option<String>,
    /// Whether it is held online.
    #[graphql(default)]
    online: bool,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Gives a conference another date.
#[derive(InputObject)]
pub struct MoveConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When: a weekday in the future.
    scheduled_for: DateTime,
    /// Why. At most 1,000 characters.
    reason: String,
    /// Where, if that changes too. At most 500 characters.
    venue: Option<String>,
    /// Whether it is held online, if that changes too.
    online: Option<bool>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Puts a conference off without a new date.
#[derive(InputObject)]
pub struct PostponeConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// The diary of conferences: chair, date and place.
#[derive(Default)]
pub struct DiaryMutations;

/// The diary of conferences: chair, date and place.
#[Object]
impl DiaryMutations {
    /// Names who is to chair a conference. The chair sees the children from then on.
    async fn appoint_conference_chair(
        &self,
        ctx: &Context<'_>,
        input: AppointConferenceChairInput,
    ) -> Nullable<AppointConferenceChairPayload> {
        change!(
            ctx,
            input,
            appoint_conference_chair,
            AppointConferenceChairPayload,
            AppointConferenceChair {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                chair_id: local("chairId", WorkerId::KIND, &input.chair_id)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Gives a conference its date, chair and place. Whoever was invited for another date is asked again.
    async fn schedule_conference(
        &self,
        ctx: &Context<'_>,
        input: ScheduleConferenceInput,
    ) -> Nullable<ScheduleConferencePayload> {
        change!(
            ctx,
            input,
            schedule_conference,
            ScheduleConferencePayload,
            ScheduleConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                scheduled_for: input.scheduled_for.0,
                chair_id: local("chairId", WorkerId::KIND, &input.chair_id)?,
                venue: input.venue,
                online: input.online,
                expected_version: input.expected_version,
            }
        )
    }

    /// Gives a conference another date. Invitations stay, everybody is asked again, no clock restarts.
    async fn move_conference(&self, ctx: &Context<'_>, input: MoveConferenceInput) -> Nullable<MoveConferencePayload> {
        change!(
            ctx,
            input,
            move_conference,
            MoveConferencePayload,
            MoveConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                scheduled_for: input.scheduled_for.0,
                reason: input.reason,
                venue: input.venue,
                online: input.online,
                expected_version: input.expected_version,
            }
        )
    }

    /// Puts a conference off without a new date. Invitations stay, no clock restarts; schedule it again.
    async fn postpone_conference(
        &self,
        ctx: &Context<'_>,
        input: PostponeConferenceInput,
    ) -> Nullable<PostponeConferencePayload> {
        change!(
            ctx,
            input,
            postpone_conference,
            PostponeConferencePayload,
            PostponeConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
