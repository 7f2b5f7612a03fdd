//! The diary: who chairs, when and where, moved, put off.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{About, Entity, Outcome, Services, Taking, check_date, optional_text, text};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        ViewerTx,
        cases::Locked,
        conferences,
        conferences::{ConferenceChange, NewMove},
        outbox::Audience,
        sittings, units, workers,
    },
    domain::{
        codes::{ConferenceState, EventType, Role, Severity},
        conference::Step,
        event::{ConferenceDetail, Detail},
        ids::ConferenceId,
    },
    error::{Error, Result},
};

/// Names who is to chair a conference.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AppointConferenceChair {
    pub conference_id: Uuid,
    pub chair_id: Uuid,
    pub expected_version: i32,
}

/// Gives a conference its date and chair.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ScheduleConference {
    pub conference_id: Uuid,
    pub scheduled_for: DateTime<Utc>,
    pub chair_id: Uuid,
    pub venue: Option<String>,
    pub online: bool,
    pub expected_version: i32,
}

/// Gives a conference another date.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct MoveConference {
    pub conference_id: Uuid,
    pub scheduled_for: DateTime<Utc>,
    pub reason: String,
    pub venue: Option<String>,
    pub online: Option<bool>,
    pub expected_version: i32,
}

/// Puts a conference off without a new date.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct PostponeConference {
    pub conference_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

impl Services {
    /// Names who is to chair it. The chair sees the children from then on; a chair before them no longer.
    pub async fn appoint_conference_chair(
        &self,
        viewer: Viewer,
        key: &str,
        input: AppointConferenceChair,
    ) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "appointConferenceChair", key, &input, move |tx| Box::pin(appoint(tx, wanted))).await
    }

    /// Gives it a date, a chair and a place. Whoever was invited for another date is asked again.
    pub async fn schedule_conference(&self, viewer: Viewer, key: &str, input: ScheduleConference) -> Result<Outcome> {
        let venue = optional_text("venue", input.venue.as_deref(), 500)?;
        let wanted = input.clone();
        self.change(viewer, "scheduleConference", key, &input, move |tx| Box::pin(schedule(tx, wanted, venue))).await
    }

    /// Gives it another date. Invitations stay, everybody is asked again, and no clock restarts.
    pub async fn move_conference(&self, viewer: Viewer, key: &str, input: MoveConference) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 1_000)?;
        let venue = optional_text("venue", input.venue.as_deref(), 500)?;
        let wanted = input.clone();
        self.change(viewer, "moveConference", key, &input, move |tx| Box::pin(move_it(tx, wanted, reason, venue))).await
    }

    /// Puts it off. Invitations stay, and no clock restarts.
    pub async fn postpone_conference(&self, viewer: Viewer, key: &str, input: PostponeConference) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 1_000)?;
        let wanted = input.clone();
        self.change(viewer, "postponeConference", key, &input, move |tx| Box::pin(postpone(tx, wanted, reason))).await
    }
}

/// A chair: an active worker with the post, who belongs to none of the units that hold the cases which the viewer sees. Of
/// others nothing may be told, not even that a chair belongs to them: they hear of the appointment and can object.
async fn check_chair(tx: &ViewerTx, about: &About, chair_id: Uuid) -> Result<Uuid> {
    let chair = workers::get(tx, chair_id).await?.ok_or(Error::NotFound)?;
    if !chair.active || !workers::holds_post(tx, chair.id, Role::CpChair).await? {
        return Err(Error::guard("CHAIR_POST", "The chair must be a conference chair: choose one of the chairs."));
    }
    if about.invitations.iter().any(|one| one.worker_id == Some(chair.id)) {
        return Err(Error::guard(
            "CHAIR_INDEPENDENT",
            "The chair must not speak for an agency, and this worker is invited: choose another.",
        ));
    }
    for unit in about.cases.iter().flat_map(Locked::units) {
        if units::role_in(tx, unit.0, chair.id).await?.is_some() {
            return Err(Error::guard(
                "CHAIR_INDEPENDENT",
                "The chair must be independent of the units that hold the case: choose another.",
            ));
        }
    }
    Ok(chair.id)
}

/// Everybody who hears that there is a chair: the units and leads, who is invited, the chair. A former one hears it from
/// [`tell_former_chair`].
fn audience_with(taking: &Taking, chair: Uuid) -> Vec<Audience> {
    let mut audience = taking.about.audience();
    audience.extend(former_chair(taking, chair).map(Audience::Former));
    audience.push(Audience::Worker(chair));
    audience
}

fn former_chair(taking: &Taking, chair: Uuid) -> Option<Uuid> {
    taking.about.conference.chair_id.filter(|former| *former != chair)
}

/// Whoever was the chair until now hears that they are no longer, and nothing else: no child, no new date. Whether they
/// still see a child or not, it is one event in their own feed.
async fn tell_former_chair(tx: &ViewerTx, taking: &Taking, chair: Uuid) -> Result<()> {
    let Some(former) = former_chair(taking, chair) else { return Ok(()) };
    let entity = Entity { kind: ConferenceId::KIND, id: taking.id(), version: taking.version() };
    let detail = Detail::Conference(ConferenceDetail { chair_id: None, ..taking.detail() });
    let audience = [Audience::Alone(former)];
    taking.announcer.announce(tx, EventType::ConferenceChanged, Severity::Action, entity, None, detail, &audience).await
}

async fn appoint(tx: &ViewerTx, input: AppointConferenceChair) -> Result<Outcome> {
    let step = Step::AppointChair;
    let taking =
        Taking::begin(tx, input.conference_id, Action::AppointConferenceChair, step, Some(input.expected_version))
            .await?;
    let chair = check_chair(tx, &taking.about, input.chair_id).await?;
    if taking.about.conference.chair_id == Some(chair) {
        return Err(Error::conflict("This worker is the chair already."));
    }
    taking.take(tx, ConferenceChange { chair_id: Some(chair), ..taking.change() }, None).await?;
    let audience = audience_with(&taking, chair);
    let detail = ConferenceDetail { chair_id: Some(chair), ..taking.detail() };
    taking.tell(tx, EventType::ConferenceChanged, Severity::Action, detail, &audience).await?;
    tell_former_chair(tx, &taking, chair).await?;
    Ok(taking.outcome())
}

async fn schedule(tx: &ViewerTx, input: ScheduleConference, venue: Option<String>) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let taking = Taking::begin(
        tx,
        input.conference_id,
        Action::ScheduleConference,
        Step::Schedule,
        Some(input.expected_version),
    )
    .await?;
    check_date("scheduledFor", input.scheduled_for)?;
    if input.scheduled_for <= taking.at {
        return Err(Error::bad_input("scheduledFor", "must lie in the future"));
    }
    if !input.online && venue.is_none() {
        return Err(Error::bad_input("venue", "is needed unless the conference is online"));
    }
    let chair = check_chair(tx, &taking.about, input.chair_id).await?;
    let before = taking.about.conference.scheduled_for;
    let change = ConferenceChange {
        scheduled_for: Some(input.scheduled_for),
        venue,
        online: Some(input.online),
        chair_id: Some(chair),
        ..taking.change()
    };
    taking.take(tx, change, None).await?;
    match before {
        // It was put off: this is the move that the reason was given for.
        Some(before) if taking.about.conference.state.0 == ConferenceState::Postponed => {
            let reason = sittings::last_reason(tx, taking.id(), Step::Postpone).await?;
            let moved = NewMove {
                id: Uuid::now_v7(),
                conference_id: taking.id(),
                moved_from: before,
                moved_to: input.scheduled_for,
                reason: reason.unwrap_or_else(|| "Postponed".to_owned()),
                moved_by: me.0,
                moved_at: taking.at,
            };
            conferences::record_move(tx, moved).await?;
        }
        _ => conferences::ask_everybody_again(tx, taking.id(), taking.at).await?,
    }
    let detail = ConferenceDetail {
        scheduled_for: Some(input.scheduled_for),
        previously_scheduled_for: before,
        online: input.online,
        chair_id: Some(chair),
        ..taking.detail()
    };
    let audience = audience_with(&taking, chair);
    taking.tell(tx, EventType::ConferenceScheduled, Severity::Action, detail, &audience).await?;
    tell_former_chair(tx, &taking, chair).await?;
    Ok(taking.outcome())
}

async fn move_it(tx: &ViewerTx, input: MoveConference, reason: String, venue: Option<String>) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let taking =
        Taking::begin(tx, input.conference_id, Action::MoveConference, Step::Move, Some(input.expected_version))
            .await?;
    let conference = &taking.about.conference;
    check_date("scheduledFor", input.scheduled_for)?;
    if input.scheduled_for <= taking.at {
        return Err(Error::bad_input("scheduledFor", "must lie in the future"));
    }
    let before = conference.scheduled_for.ok_or_else(|| Error::internal("a scheduled conference has a date"))?;
    if before == input.scheduled_for {
        return Err(Error::bad_input("scheduledFor", "is the date that it has already"));
    }
    let online = input.online.unwrap_or(conference.online);
    if !online && venue.is_none() && conference.venue.is_none() {
        return Err(Error::bad_input("venue", "is needed unless the conference is online"));
    }
    let change =
        ConferenceChange { scheduled_for: Some(input.scheduled_for), venue, online: Some(online), ..taking.change() };
    taking.take(tx, change, Some(reason.clone())).await?;
    conferences::record_move(
        tx,
        NewMove {
            id: Uuid::now_v7(),
            conference_id: taking.id(),
            moved_from: before,
            moved_to: input.scheduled_for,
            reason,
            moved_by: me.0,
            moved_at: taking.at,
        },
    )
    .await?;
    let detail = ConferenceDetail {
        scheduled_for: Some(input.scheduled_for),
        previously_scheduled_for: Some(before),
        online,
        ..taking.detail()
    };
    let audience = taking.about.audience();
    taking.tell(tx, EventType::ConferenceChanged, Severity::Action, detail, &audience).await?;
    Ok(taking.outcome())
}

async fn postpone(tx: &ViewerTx, input: PostponeConference, reason: String) -> Result<Outcome> {
    let taking = Taking::begin(
        tx,
        input.conference_id,
        Action::PostponeConference,
        Step::Postpone,
        Some(input.expected_version),
    )
    .await?;
    taking.take(tx, taking.change(), Some(reason)).await?;
    let audience = taking.about.audience_with_managers();
    let detail = taking.detail();
    taking.tell(tx, EventType::ConferenceChanged, Severity::Action, detail, &audience).await?;
    Ok(taking.outcome())
}
