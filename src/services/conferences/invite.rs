//! Invitations: sent, answered, with reports; and why somebody is not to come.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{About, Entity, Outcome, Services, Taking, text};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx, children,
        invitations::{self, InvitationChange, InvitationCore, NewInvitation},
        outbox::Audience,
        viewers, workers,
    },
    domain::{
        codes::{EventType, Exclusion, InvitationCapacity, InvitationMethod, InvitationResponse, ReportStep, Severity},
        conference::{Step, capacity_fault},
        event::{Detail, InvitationDetail},
        ids::InvitationId,
    },
    error::{Error, Result},
};

/// Who is invited.
#[derive(Clone, Serialize)]
pub enum Invitee {
    /// Somebody of the family, or another person known to the service.
    Person(Uuid),
    /// A worker of the authority.
    Worker(Uuid),
    /// An agency, by its name.
    Agency(String),
}

/// An invitation to send.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct Invited {
    pub invitee: Invitee,
    pub capacity: InvitationCapacity,
    pub method: InvitationMethod,
    pub report_requested: bool,
}

/// Sends invitations.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct InviteToConference {
    pub conference_id: Uuid,
    pub invitations: Vec<Invited>,
    pub expected_version: i32,
}

/// Records an answer.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AnswerInvitation {
    pub invitation_id: Uuid,
    pub accepted: bool,
    /// The invitation's version.
    pub expected_version: i32,
}

/// Records how far somebody's report has come.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordConferenceReport {
    pub invitation_id: Uuid,
    pub step: ReportStep,
    /// Now when missing.
    pub at: Option<DateTime<Utc>>,
    /// The invitation's version.
    pub expected_version: i32,
}

/// Records why somebody is not to come.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ExcludeFromConference {
    pub conference_id: Uuid,
    pub person_id: Uuid,
    pub capacity: InvitationCapacity,
    pub exclusion: Exclusion,
    pub reason: String,
    pub expected_version: i32,
}

/// The most invitations that one request may send.
const MAX_INVITATIONS: usize = 50;

impl Services {
    /// Sends invitations. Without any it sends the ones again that a conference with a new date has already.
    pub async fn invite_to_conference(&self, viewer: Viewer, key: &str, input: InviteToConference) -> Result<Outcome> {
        if input.invitations.len() > MAX_INVITATIONS {
            return Err(Error::bad_input("invitations", format!("must be at most {MAX_INVITATIONS} at once")));
        }
        let mut wanted = input.clone();
        for one in &mut wanted.invitations {
            if let Invitee::Agency(name) = &mut one.invitee {
                *name = text("agencyName", name, 200)?;
            }
        }
        self.change(viewer, "inviteToConference", key, &input, move |tx| Box::pin(invite(tx, wanted))).await
    }

    /// Records the answer for the present date. A later answer replaces it.
    pub async fn answer_invitation(&self, viewer: Viewer, key: &str, input: AnswerInvitation) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "answerInvitation", key, &input, move |tx| Box::pin(answer(tx, wanted))).await
    }

    /// A report is asked for, then received, then shared with the parents: in this order.
    pub async fn record_conference_report(
        &self,
        viewer: Viewer,
        key: &str,
        input: RecordConferenceReport,
    ) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "recordConferenceReport", key, &input, move |tx| Box::pin(report(tx, wanted))).await
    }

    /// Somebody is not to come: the chair excludes them, or nobody knows where they are. An invitation that they had
    /// stays, with the reason.
    pub async fn exclude_from_conference(
        &self,
        viewer: Viewer,
        key: &str,
        input: ExcludeFromConference,
    ) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 2_000)?;
        let wanted = input.clone();
        self.change(viewer, "excludeFromConference", key, &input, move |tx| Box::pin(exclude(tx, wanted, reason))).await
    }
}

/// Who is meant is in sight and fits the capacity.
async fn check_invitee(tx: &ViewerTx, about: &About, one: &Invited) -> Result<()> {
    let kind = match &one.invitee {
        Invitee::Person(id) => {
            if !children::person_in_sight(tx, *id).await? {
                return Err(Error::NotFound);
            }
            if one.capacity == InvitationCapacity::Child && !about.child_ids().contains(id) {
                return Err(Error::bad_input("capacity", "is CHILD only for a child whom the conference is about"));
            }
            "person"
        }
        Invitee::Worker(id) => {
            let worker = workers::get(tx, *id).await?.ok_or(Error::NotFound)?;
            if !worker.active {
                return Err(Error::guard("WORKER_ACTIVE", "This worker does not work here any more: invite another."));
            }
            if about.conference.chair_id == Some(worker.id) {
                return Err(Error::bad_input("workerId", "is the chair, who needs no invitation"));
            }
            "worker"
        }
        Invitee::Agency(_) => "agency",
    };
    match capacity_fault(kind, one.capacity) {
        Some(fault) => Err(Error::bad_input("capacity", fault)),
        None => Ok(()),
    }
}

async fn invite(tx: &ViewerTx, input: InviteToConference) -> Result<Outcome> {
    let taking =
        Taking::begin(tx, input.conference_id, Action::InviteToConference, Step::Invite, Some(input.expected_version))
            .await?;
    let nobody = taking.about.invitations.iter().all(|one| one.sent_at.is_none());
    if input.invitations.is_empty() && (nobody || taking.about.conference.state.0 == taking.state) {
        return Err(Error::bad_input("invitations", "must name at least one"));
    }
    for one in &input.invitations {
        check_invitee(tx, &taking.about, one).await?;
    }
    taking.take(tx, taking.change(), None).await?;
    let mut new = Vec::with_capacity(input.invitations.len());
    for one in input.invitations {
        let (person_id, worker_id, agency_name) = match one.invitee {
            Invitee::Person(id) => (Some(id), None, None),
            Invitee::Worker(id) => (None, Some(id), None),
            Invitee::Agency(name) => (None, None, Some(name)),
        };
        let excluded = taking
            .about
            .invitations
            .iter()
            .find(|known| person_id.is_some() && known.person_id == person_id && known.exclusion.is_some());
        if let Some(known) = excluded {
            // Whom the chair keeps away, only the chair asks again.
            if known.exclusion == Some(Coded(Exclusion::Excluded)) {
                let standing = viewers::standing(tx).await?;
                taking.about.require(&standing, tx.viewer().worker_id, Action::ExcludeFromConference)?;
            }
            // The reason against it is gone: found again, or the chair thought better of it.
            let change = InvitationChange {
                version: known.version + 1,
                capacity: Some(Coded(one.capacity)),
                sent_at: Some(taking.at),
                method: Some(Coded(one.method)),
                answer_asked_at: Some(taking.at),
                // A request that was made already stands, with whatever came of it.
                report_requested_at: (one.report_requested && known.report_requested_at.is_none()).then_some(taking.at),
                response: Some(Coded(InvitationResponse::None)),
                responded_at: Some(None),
                exclusion: Some(None),
                exclusion_reason: Some(None),
                excluded_by: Some(None),
                excluded_at: Some(None),
                ..InvitationChange::default()
            };
            invitations::change(tx, known.id, change).await?;
            continue;
        }
        new.push(NewInvitation {
            id: InvitationId::new().0,
            conference_id: taking.id(),
            person_id,
            worker_id,
            agency_name,
            capacity: Coded(one.capacity),
            sent_at: Some(taking.at),
            method: Some(Coded(one.method)),
            answer_asked_at: taking.at,
            report_requested_at: one.report_requested.then_some(taking.at),
            exclusion: None,
            exclusion_reason: None,
            excluded_by: None,
            excluded_at: None,
        });
    }
    let mut audience = taking.about.audience();
    audience.extend(new.iter().filter_map(|one| one.worker_id).map(Audience::Worker));
    if !new.is_empty() {
        invitations::insert(tx, new).await?;
    }
    taking.tell(tx, EventType::ConferenceChanged, Severity::Action, taking.detail(), &audience).await?;
    Ok(taking.outcome())
}

/// An invitation in sight with the step that is about it. Its own version counts: answers to one conference come from
/// many sides at once.
async fn begin_with(
    tx: &ViewerTx,
    invitation_id: Uuid,
    action: Action,
    step: Step,
    expected_version: i32,
) -> Result<(Taking, InvitationCore)> {
    let conference_id = invitations::conference_of(tx, invitation_id).await?;
    let taking = Taking::begin(tx, conference_id, action, step, None).await?;
    let found = taking.about.invitations.iter().find(|one| one.id == invitation_id).cloned();
    let found = found.ok_or(Error::NotFound)?;
    Error::expect_version(found.version, expected_version)?;
    Ok((taking, found))
}

impl Taking {
    async fn tell_of(
        &self,
        tx: &ViewerTx,
        of: EventType,
        invitation: (Uuid, i32),
        detail: InvitationDetail,
    ) -> Result<Outcome> {
        let entity = Entity { kind: InvitationId::KIND, id: invitation.0, version: invitation.1 };
        let audience = self.about.audience();
        let detail = Detail::Invitation(detail);
        self.announcer.announce(tx, of, Severity::Info, entity, None, detail, &audience).await?;
        Ok(Outcome { invitation_id: Some(invitation.0), ..self.outcome() })
    }

    fn invitation_detail(&self, capacity: InvitationCapacity) -> InvitationDetail {
        InvitationDetail {
            conference_id: self.id(),
            kind: self.about.conference.type_.0,
            capacity,
            response: None,
            report: None,
            exclusion: None,
        }
    }
}

async fn answer(tx: &ViewerTx, input: AnswerInvitation) -> Result<Outcome> {
    let (taking, invitation) =
        begin_with(tx, input.invitation_id, Action::AnswerInvitation, Step::Answer, input.expected_version).await?;
    if invitation.exclusion.is_some() || invitation.sent_at.is_none() {
        return Err(Error::guard("INVITED", "No invitation was sent: there is nothing to answer."));
    }
    let response = if input.accepted { InvitationResponse::Accepted } else { InvitationResponse::Declined };
    if invitation.response.0 == response {
        return Err(Error::conflict("This answer is recorded already."));
    }
    tx.authorise(&taking.about.subjects()).await?;
    let change = InvitationChange {
        version: invitation.version + 1,
        response: Some(Coded(response)),
        responded_at: Some(Some(taking.at)),
        ..InvitationChange::default()
    };
    invitations::change(tx, invitation.id, change).await?;
    let detail = InvitationDetail { response: Some(response), ..taking.invitation_detail(invitation.capacity.0) };
    let entity = (invitation.id, invitation.version + 1);
    taking.tell_of(tx, EventType::ConferenceInvitationResponded, entity, detail).await
}

async fn report(tx: &ViewerTx, input: RecordConferenceReport) -> Result<Outcome> {
    let (taking, invitation) =
        begin_with(tx, input.invitation_id, Action::RecordConferenceReport, Step::Report, input.expected_version)
            .await?;
    let at = input.at.unwrap_or(taking.at);
    if at > taking.at {
        return Err(Error::bad_input("at", "must not lie in the future"));
    }
    let (done, before) = match input.step {
        ReportStep::Requested => (invitation.report_requested_at, invitation.sent_at),
        ReportStep::Received => (invitation.report_received_at, invitation.report_requested_at),
        ReportStep::SharedWithParents => (invitation.report_shared_at, invitation.report_received_at),
    };
    if done.is_some() {
        return Err(Error::conflict("This is recorded already: read the invitation again."));
    }
    let Some(before) = before else {
        return Err(Error::guard(
            "REPORT_IN_ORDER",
            "A report is asked for from somebody who is invited, then received, then shared with the parents: record \
             the step before.",
        ));
    };
    if at < before {
        return Err(Error::bad_input("at", "must not lie before the step before it"));
    }
    tx.authorise(&taking.about.subjects()).await?;
    let version = invitation.version + 1;
    let change = match input.step {
        ReportStep::Requested => {
            InvitationChange { version, report_requested_at: Some(at), ..InvitationChange::default() }
        }
        ReportStep::Received => {
            InvitationChange { version, report_received_at: Some(at), ..InvitationChange::default() }
        }
        ReportStep::SharedWithParents => {
            InvitationChange { version, report_shared_at: Some(at), ..InvitationChange::default() }
        }
    };
    invitations::change(tx, invitation.id, change).await?;
    let of = match input.step {
        ReportStep::Received => EventType::ConferenceReportReceived,
        ReportStep::Requested | ReportStep::SharedWithParents => EventType::ConferenceInvitationChanged,
    };
    let detail = InvitationDetail { report: Some(input.step), ..taking.invitation_detail(invitation.capacity.0) };
    taking.tell_of(tx, of, (invitation.id, version), detail).await
}

async fn exclude(tx: &ViewerTx, input: ExcludeFromConference, reason: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let action = match input.exclusion {
        Exclusion::Excluded => Action::ExcludeFromConference,
        Exclusion::WhereaboutsUnknown => Action::NoteWhereaboutsUnknown,
    };
    let taking = Taking::begin(tx, input.conference_id, action, Step::Exclude, Some(input.expected_version)).await?;
    if !children::person_in_sight(tx, input.person_id).await? {
        return Err(Error::NotFound);
    }
    let known = taking.about.invitations.iter().find(|one| one.person_id == Some(input.person_id));
    if known.is_some_and(|one| one.exclusion.is_some()) {
        return Err(Error::conflict("A reason is recorded already: read the conference again."));
    }
    // The reason stands with the invitation only: the step is told to everybody who sees the conference, the
    // invitation to those who see whom it is for.
    taking.take(tx, taking.change(), None).await?;
    let (entity, capacity) = match known {
        Some(known) => {
            let change = InvitationChange {
                version: known.version + 1,
                exclusion: Some(Some(Coded(input.exclusion))),
                exclusion_reason: Some(Some(reason)),
                excluded_by: Some(Some(me.0)),
                excluded_at: Some(Some(taking.at)),
                ..InvitationChange::default()
            };
            invitations::change(tx, known.id, change).await?;
            ((known.id, known.version + 1), known.capacity.0)
        }
        None => {
            let id = InvitationId::new().0;
            let new = NewInvitation {
                id,
                conference_id: taking.id(),
                person_id: Some(input.person_id),
                worker_id: None,
                agency_name: None,
                capacity: Coded(input.capacity),
                sent_at: None,
                method: None,
                answer_asked_at: taking.at,
                report_requested_at: None,
                exclusion: Some(Coded(input.exclusion)),
                exclusion_reason: Some(reason),
                excluded_by: Some(me.0),
                excluded_at: Some(taking.at),
            };
            invitations::insert(tx, vec![new]).await?;
            ((id, 1), input.capacity)
        }
    };
    let detail = InvitationDetail { exclusion: Some(input.exclusion), ..taking.invitation_detail(capacity) };
    taking.tell_of(tx, EventType::ConferenceInvitationChanged, entity, detail).await
}
