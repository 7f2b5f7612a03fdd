//! The meeting: opened, who came, what they said to the decision, ended without a quorum.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{About, Entity, Outcome, Services, Taking, check_date, text};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx, children, conferences, families,
        invitations::InvitationCore,
        sittings::{self, Came, Ending, NewView, SittingCore},
    },
    domain::{
        calendar::london_day,
        codes::{
            AbuseCategory, Attendance, ConferenceState, ConferenceType, EventType, Exclusion, Participation, Severity,
            SittingOutcome,
        },
        conference::{Step, participation_fault, quorate, was_there},
        event::{ConferenceDetail, Detail},
        ids::ConferenceId,
    },
    error::{Error, Result},
};

/// Begins the meeting.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct OpenConference {
    pub conference_id: Uuid,
    /// Now when missing.
    pub opened_at: Option<DateTime<Utc>>,
    pub expected_version: i32,
}

/// Records who came, and how the children took part.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordAttendance {
    pub conference_id: Uuid,
    pub attendances: Vec<(Uuid, Attendance)>,
    pub participations: Vec<(Uuid, Participation)>,
    pub expected_version: i32,
}

/// Minutes what somebody said to the decision.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordConferenceView {
    pub invitation_id: Uuid,
    pub child_id: Option<Uuid>,
    pub agrees: bool,
    pub text: String,
    pub category: Option<AbuseCategory>,
}

/// Ends the meeting because it has no quorum.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AdjournConference {
    pub conference_id: Uuid,
    pub interim_plan: String,
    pub expected_version: i32,
}

impl Services {
    /// Begins the meeting. An initial conference does not begin while somebody with parental responsibility has
    /// neither an invitation nor a recorded reason.
    pub async fn open_conference(&self, viewer: Viewer, key: &str, input: OpenConference) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "openConference", key, &input, move |tx| Box::pin(open(tx, wanted))).await
    }

    /// Records who came; recording it again corrects it.
    pub async fn record_attendance(&self, viewer: Viewer, key: &str, input: RecordAttendance) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "recordAttendance", key, &input, move |tx| Box::pin(attend(tx, wanted))).await
    }

    /// Minutes what somebody who came said. A dissent blocks nothing.
    pub async fn record_conference_view(
        &self,
        viewer: Viewer,
        key: &str,
        input: RecordConferenceView,
    ) -> Result<Outcome> {
        let said = text("text", &input.text, 10_000)?;
        let wanted = input.clone();
        self.change(viewer, "recordConferenceView", key, &input, move |tx| Box::pin(minute(tx, wanted, said))).await
    }

    /// Ends a meeting without a quorum. It needs an interim plan, and does not happen twice in a row.
    pub async fn adjourn_conference(&self, viewer: Viewer, key: &str, input: AdjournConference) -> Result<Outcome> {
        let interim_plan = text("interimPlan", &input.interim_plan, 20_000)?;
        let wanted = input.clone();
        self.change(viewer, "adjournConference", key, &input, move |tx| Box::pin(adjourn(tx, wanted, interim_plan)))
            .await
    }
}

/// The sitting that runs, or the latest one.
pub(super) async fn latest_sitting(tx: &ViewerTx, about: &About) -> Result<SittingCore> {
    let sittings = sittings::of_conference(tx, about.conference.id).await?;
    sittings.into_iter().next().ok_or_else(|| Error::internal("a conference in session has a sitting"))
}

/// Whether a sitting has its quorum. Needs the conference authorised for writing.
pub(super) async fn quorum_of(tx: &ViewerTx, sitting_id: Uuid) -> Result<bool> {
    let came = sittings::came(tx, sitting_id).await?;
    Ok(quorate(came.iter().map(|(capacity, name)| (*capacity, name.as_deref()))))
}

async fn open(tx: &ViewerTx, input: OpenConference) -> Result<Outcome> {
    let taking =
        Taking::begin(tx, input.conference_id, Action::OpenConference, Step::Open, Some(input.expected_version))
            .await?;
    let opened_at = input.opened_at.unwrap_or(taking.at);
    check_date("openedAt", opened_at)?;
    if opened_at > taking.at {
        return Err(Error::bad_input("openedAt", "must not lie in the future"));
    }
    let day = london_day(opened_at);
    if day < london_day(taking.about.conference.requested_at) {
        return Err(Error::bad_input("openedAt", "must not lie before the conference was requested"));
    }
    let sittings = sittings::of_conference(tx, taking.id()).await?;
    if sittings.iter().any(|one| one.ended_at.is_some_and(|ended| ended > opened_at)) {
        return Err(Error::bad_input("openedAt", "must not lie before the end of the sitting before"));
    }
    if taking.about.conference.type_.0 == ConferenceType::Initial {
        let children = taking.about.child_ids();
        let responsible = families::holders_of_responsibility(tx, &children, day).await?;
        let accounted = |one: &InvitationCore, person: Uuid| {
            one.person_id == Some(person) && (one.sent_at.is_some() || one.exclusion.is_some())
        };
        let missing =
            responsible.iter().filter(|person| !taking.about.invitations.iter().any(|one| accounted(one, **person)));
        let missing = missing.count();
        if missing > 0 {
            return Err(Error::guard(
                "PARENTS_INVITED",
                format!(
                    "{missing} with parental responsibility have neither an invitation nor a recorded reason: invite \
                     them, or record why they are not to come (uninvitedParents lists them)."
                ),
            ));
        }
    }
    taking.take(tx, taking.change(), None).await?;
    sittings::open(tx, Uuid::now_v7(), taking.id(), opened_at).await?;
    let audience = taking.about.audience();
    taking.tell(tx, EventType::ConferenceStarted, Severity::Info, taking.detail(), &audience).await?;
    Ok(taking.outcome())
}

async fn attend(tx: &ViewerTx, input: RecordAttendance) -> Result<Outcome> {
    let taking =
        Taking::begin(tx, input.conference_id, Action::RecordAttendance, Step::Attend, Some(input.expected_version))
            .await?;
    if input.attendances.is_empty() && input.participations.is_empty() {
        return Err(Error::bad_input("attendances", "must name at least one"));
    }
    let sitting = latest_sitting(tx, &taking.about).await?;
    let mut came = Vec::with_capacity(input.attendances.len());
    for (invitation_id, attended) in input.attendances {
        let found = taking.about.invitations.iter().find(|one| one.id == invitation_id).ok_or(Error::NotFound)?;
        if found.exclusion.is_some_and(|one| one.0 == Exclusion::Excluded) && was_there(attended) {
            return Err(Error::guard(
                "NOT_EXCLUDED",
                "The chair excluded one of them: invite them again before their attendance is recorded.",
            ));
        }
        if came.iter().any(|one: &Came| one.invitation_id == invitation_id) {
            return Err(Error::bad_input("attendances", "must name each invitation once"));
        }
        came.push(Came { invitation_id, person_id: found.person_id, attended });
    }
    let births = children::births(tx, &taking.about.child_ids()).await?;
    let mut took_part = Vec::with_capacity(input.participations.len());
    for (child_id, how) in input.participations {
        let child = taking.about.children.iter().find(|one| one.child_id == child_id).ok_or(Error::NotFound)?;
        let born = births.iter().find(|(id, _)| *id == child_id).and_then(|(_, born)| *born);
        if let Some(fault) = participation_fault(how, born, london_day(sitting.opened_at)) {
            return Err(Error::bad_input("participations", fault));
        }
        took_part.push((child.id, how));
    }
    taking.take(tx, taking.change(), None).await?;
    if !came.is_empty() {
        sittings::attend(tx, sitting.id, taking.id(), came, taking.at).await?;
    }
    for (row, how) in took_part {
        conferences::take_part(tx, row, how).await?;
    }
    let quorate = quorum_of(tx, sitting.id).await?;
    let detail = ConferenceDetail { quorate: Some(quorate), ..taking.detail() };
    let audience = taking.about.audience();
    taking.tell(tx, EventType::ConferenceAttendance, Severity::Info, detail, &audience).await?;
    Ok(taking.outcome())
}

async fn minute(tx: &ViewerTx, input: RecordConferenceView, said: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let conference_id = crate::db::invitations::conference_of(tx, input.invitation_id).await?;
    let taking = Taking::begin(tx, conference_id, Action::RecordConferenceView, Step::View, None).await?;
    let invitation = taking.about.invitations.iter().find(|one| one.id == input.invitation_id);
    let invitation = invitation.ok_or(Error::NotFound)?;
    if input.child_id.is_some_and(|child| !taking.about.child_ids().contains(&child)) {
        return Err(Error::NotFound);
    }
    let sitting = latest_sitting(tx, &taking.about).await?;
    if !sittings::attendance(tx, sitting.id, invitation.id).await?.is_some_and(was_there) {
        return Err(Error::guard("ATTENDED", "A view is minuted of somebody who came: record their attendance first."));
    }
    tx.authorise(&taking.about.subjects()).await?;
    let new = NewView {
        id: Uuid::now_v7(),
        sitting_id: sitting.id,
        conference_id,
        invitation_id: invitation.id,
        person_id: invitation.person_id,
        child_id: input.child_id,
        agrees: input.agrees,
        text: said,
        category: input.category.map(Coded),
        recorded_by: me.0,
        recorded_at: taking.at,
    };
    sittings::minute(tx, new).await?;
    let detail = ConferenceDetail { state: taking.about.conference.state.0, ..taking.detail() };
    // Appended to, not changed: the conference keeps its version.
    let entity = Entity { kind: ConferenceId::KIND, id: conference_id, version: taking.about.conference.version };
    let audience = taking.about.audience();
    let of = EventType::ConferenceViewRecorded;
    taking.announcer.announce(tx, of, Severity::Info, entity, None, Detail::Conference(detail), &audience).await?;
    Ok(Outcome { invitation_id: Some(invitation.id), ..taking.outcome() })
}

async fn adjourn(tx: &ViewerTx, input: AdjournConference, interim_plan: String) -> Result<Outcome> {
    let taking =
        Taking::begin(tx, input.conference_id, Action::AdjournConference, Step::Adjourn, Some(input.expected_version))
            .await?;
    let sittings = sittings::of_conference(tx, taking.id()).await?;
    let sitting = latest_sitting(tx, &taking.about).await?;
    let before = sittings.iter().find(|one| one.id != sitting.id);
    if before.is_some_and(|one| one.outcome.is_some_and(|outcome| outcome.0 == SittingOutcome::Inquorate)) {
        return Err(Error::guard(
            "SECOND_INQUORATE",
            "The sitting before was not quorate either, and that must not happen twice: decide, with the reason for \
             going on without a quorum.",
        ));
    }
    debug_assert_eq!(taking.state, ConferenceState::Inquorate);
    taking.take(tx, taking.change(), None).await?;
    let quorate = quorum_of(tx, sitting.id).await?;
    if quorate {
        return Err(Error::guard("NO_QUORUM", "Social care and two other agencies are there: the meeting is quorate."));
    }
    let ending = Ending {
        at: taking.at,
        outcome: SittingOutcome::Inquorate,
        quorate,
        exception: None,
        interim_plan: Some(interim_plan),
    };
    sittings::end(tx, sitting.id, ending).await?;
    let detail = ConferenceDetail { quorate: Some(false), ..taking.detail() };
    let audience = taking.about.audience_with_managers();
    taking.tell(tx, EventType::ConferenceChanged, Severity::Action, detail, &audience).await?;
    Ok(taking.outcome())
}
