//! Who of other agencies takes part, and what they are asked for: asked, chased, answered, refused, withdrawn.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, managers_of, permitted, stamp, units_of},
    illegal, optional_text, text,
};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx, cases,
        cases::Locked,
        enquiries,
        information::{self, NewAgencyParticipant, NewChase, NewRequest, RequestChange, RequestCore},
        outbox::Audience,
        units,
    },
    domain::{
        calendar::london_day,
        codes::{Agency, EnquiryStatus, EventType, InformationDuty, InformationStatus, InvitationMethod, Severity},
        event::{Detail, InformationDetail},
        ids::{AgencyParticipantId, InformationRequestId},
        safeguarding::InformationStep,
    },
    error::{Error, Refusal, Result},
};

/// Adds somebody of another agency.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AddAgencyParticipant {
    pub case_id: Uuid,
    pub agency: Agency,
    pub organisation: String,
    pub name: Option<String>,
    pub contact: Option<String>,
    /// Today when missing.
    pub joined_on: Option<NaiveDate>,
}

/// Ends somebody's part.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EndAgencyParticipant {
    pub participant_id: Uuid,
    pub left_on: NaiveDate,
    pub expected_version: i32,
}

/// Asks for information.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RequestInformation {
    pub participant_id: Uuid,
    pub duty: InformationDuty,
    pub questions: String,
    pub due_at: DateTime<Utc>,
}

/// Asks again.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ChaseInformation {
    pub request_id: Uuid,
    pub method: InvitationMethod,
    pub note: Option<String>,
    pub expected_version: i32,
}

/// Writes an answer down.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordInformationAnswer {
    pub request_id: Uuid,
    /// Now when missing.
    pub received_at: Option<DateTime<Utc>>,
    pub text: String,
    pub expected_version: i32,
}

/// Writes down that they refuse, or withdraws what was asked.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EndInformationRequest {
    pub request_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

/// How far ahead an answer may be due.
const DUE_WITHIN_DAYS: i64 = 92;

impl Services {
    /// Somebody of another agency takes part from now on, and can be asked.
    pub async fn add_agency_participant(
        &self,
        viewer: Viewer,
        key: &str,
        input: AddAgencyParticipant,
    ) -> Result<Outcome> {
        if input.agency == Agency::SocialCare {
            return Err(Error::bad_input(
                "agency",
                "must be another agency: members of units have a part by their unit",
            ));
        }
        let mut wanted = input.clone();
        wanted.organisation = text("organisation", &input.organisation, 200)?;
        wanted.name = optional_text("name", input.name.as_deref(), 200)?;
        wanted.contact = optional_text("contact", input.contact.as_deref(), 200)?;
        self.change(viewer, "addAgencyParticipant", key, &input, move |tx| Box::pin(add(tx, wanted))).await
    }

    /// They take part no longer. What they were asked must be settled.
    pub async fn end_agency_participant(
        &self,
        viewer: Viewer,
        key: &str,
        input: EndAgencyParticipant,
    ) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "endAgencyParticipant", key, &input, move |tx| Box::pin(leave(tx, wanted))).await
    }

    /// Asks somebody of another agency. In an enquiry they are required to answer.
    pub async fn request_information(&self, viewer: Viewer, key: &str, input: RequestInformation) -> Result<Outcome> {
        let questions = text("questions", &input.questions, 20_000)?;
        if input.due_at <= viewer.at || input.due_at > viewer.at + TimeDelta::days(DUE_WITHIN_DAYS) {
            return Err(Error::bad_input(
                "dueAt",
                format!("must lie in the future, at most {DUE_WITHIN_DAYS} days ahead"),
            ));
        }
        let wanted = input.clone();
        self.change(viewer, "requestInformation", key, &input, move |tx| Box::pin(ask(tx, wanted, questions))).await
    }

    /// Asks again.
    pub async fn chase_information(&self, viewer: Viewer, key: &str, input: ChaseInformation) -> Result<Outcome> {
        let note = optional_text("note", input.note.as_deref(), 2_000)?;
        let wanted = input.clone();
        self.change(viewer, "chaseInformation", key, &input, move |tx| Box::pin(chase(tx, wanted, note))).await
    }

    /// Writes down what they said.
    pub async fn record_information_answer(
        &self,
        viewer: Viewer,
        key: &str,
        input: RecordInformationAnswer,
    ) -> Result<Outcome> {
        let said = text("text", &input.text, 50_000)?;
        if input.received_at.is_some_and(|at| at > viewer.at) {
            return Err(Error::bad_input("receivedAt", "must not lie in the future"));
        }
        let wanted = input.clone();
        self.change(viewer, "recordInformationAnswer", key, &input, move |tx| Box::pin(answer(tx, wanted, said))).await
    }

    /// They refuse: the managers hear of it at once.
    pub async fn record_information_refusal(
        &self,
        viewer: Viewer,
        key: &str,
        input: EndInformationRequest,
    ) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "recordInformationRefusal", key, &input, move |tx| Box::pin(refuse(tx, wanted, reason)))
            .await
    }

    /// It is not needed any more.
    pub async fn withdraw_information_request(
        &self,
        viewer: Viewer,
        key: &str,
        input: EndInformationRequest,
    ) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "withdrawInformationRequest", key, &input, move |tx| Box::pin(withdraw(tx, wanted, reason)))
            .await
    }
}

/// Somebody takes part in a case, whose child is authorised for writing, from now on.
pub(super) async fn takes_part(
    tx: &ViewerTx,
    announcer: &Announcer,
    (case, stamp): (&Locked, &Stamp),
    new: NewAgencyParticipant,
) -> Result<()> {
    let (entity, agency) = (Entity { kind: AgencyParticipantId::KIND, id: new.id, version: 1 }, new.agency.0);
    information::add(tx, new).await?;
    tell_of_participant(tx, announcer, (case, stamp), entity, (agency, None)).await
}

async fn tell_of_participant(
    tx: &ViewerTx,
    announcer: &Announcer,
    (case, stamp): (&Locked, &Stamp),
    entity: Entity,
    (agency, left_on): (Agency, Option<NaiveDate>),
) -> Result<()> {
    let (of, detail) = (EventType::AgencyParticipantChanged, Detail::Participant { agency, left_on });
    announcer.announce(tx, of, Severity::Info, entity, Some(stamp), detail, &units_of(case)).await
}

async fn add(tx: &ViewerTx, input: AddAgencyParticipant) -> Result<Outcome> {
    let case = cases::lock(tx, input.case_id).await?;
    let announcer = permitted(tx, &case.holding, Action::KeepAgencyParticipants).await?.with(&case);
    case.expect_open()?;
    let joined_on = input.joined_on.unwrap_or_else(|| london_day(announcer.at));
    if joined_on > london_day(announcer.at) {
        return Err(Error::bad_input("joinedOn", "must not lie in the future"));
    }
    tx.authorise(&[case.core.child_id]).await?;
    let id = AgencyParticipantId::new().0;
    let new = NewAgencyParticipant {
        id,
        case_id: case.core.id,
        child_id: case.core.child_id,
        agency: Coded(input.agency),
        organisation: input.organisation,
        name: input.name,
        contact: input.contact,
        joined_on,
        added_by: tx.viewer().worker_id.0,
        created_at: announcer.at,
    };
    takes_part(tx, &announcer, (&case, &stamp(tx, &case.core).await?), new).await?;
    Ok(Outcome { case_id: Some(case.core.id), participant_id: Some(id), ..Outcome::default() })
}

async fn leave(tx: &ViewerTx, input: EndAgencyParticipant) -> Result<Outcome> {
    let found = information::participant(tx, input.participant_id).await?;
    let case = cases::lock(tx, found.case_id).await?;
    let one = information::participant(tx, input.participant_id).await?;
    let announcer = permitted(tx, &case.holding, Action::KeepAgencyParticipants).await?.with(&case);
    Error::expect_version(one.version, input.expected_version)?;
    if one.left_on.is_some() {
        return Err(Error::Refused(Refusal::IllegalTransition { from: "ENDED", legal_next: Vec::new() }));
    }
    if input.left_on < one.joined_on || input.left_on > london_day(announcer.at) {
        return Err(Error::bad_input("leftOn", "must lie between the day on which they joined and today"));
    }
    if information::participant_is_asked(tx, one.id).await? {
        return Err(Error::guard(
            "INFORMATION_ANSWERED",
            "They have not answered what they were asked: record what they say, or withdraw it.",
        ));
    }
    tx.authorise(&[one.child_id]).await?;
    information::leave(tx, &one, input.left_on).await?;
    let entity = Entity { kind: AgencyParticipantId::KIND, id: one.id, version: one.version + 1 };
    let stamp = stamp(tx, &case.core).await?;
    tell_of_participant(tx, &announcer, (&case, &stamp), entity, (one.agency.0, Some(input.left_on))).await?;
    Ok(Outcome { case_id: Some(case.core.id), participant_id: Some(one.id), ..Outcome::default() })
}

async fn ask(tx: &ViewerTx, input: RequestInformation, questions: String) -> Result<Outcome> {
    let found = information::participant(tx, input.participant_id).await?;
    let case = cases::lock(tx, found.case_id).await?;
    let asked = information::participant(tx, input.participant_id).await?;
    let announcer = permitted(tx, &case.holding, Action::AskForInformation).await?.with(&case);
    case.expect_open()?;
    if asked.left_on.is_some() {
        return Err(Error::guard("TAKES_PART", "They take part no longer: ask somebody who does."));
    }
    let enquiry = match input.duty {
        InformationDuty::S47 => {
            let open = enquiries::open_of_case(tx, case.core.id).await?;
            let open = open.filter(|enquiry| enquiry.status.0 == EnquiryStatus::Open);
            Some(open.ok_or_else(|| {
                Error::guard(
                    "ENQUIRY_OPEN",
                    "Only in a section 47 enquiry are others required to answer, and none is open: ask with the family's \
                     consent.",
                )
            })?)
        }
        InformationDuty::S17Consent | InformationDuty::Court => None,
    };
    let stamp = stamp(tx, &case.core).await?;
    tx.authorise(&[case.core.child_id]).await?;
    let id = InformationRequestId::new().0;
    let new = NewRequest {
        id,
        case_id: case.core.id,
        child_id: case.core.child_id,
        participant_id: asked.id,
        enquiry_id: enquiry.map(|enquiry| enquiry.id),
        duty: Coded(input.duty),
        questions,
        asked_by: tx.viewer().worker_id.0,
        asked_at: announcer.at,
        due_at: input.due_at,
    };
    information::ask(tx, new).await?;
    let request = information::get(tx, id).await?;
    let taking = Taking { request, agency: asked.agency.0, case, announcer, stamp };
    taking.tell(tx, EventType::InfoRequestSent, Severity::Info, false).await?;
    Ok(taking.outcome())
}

/// A step of a request that policy and the state machine allow, about to be taken.
struct Taking {
    /// As it is told of.
    request: RequestCore,
    agency: Agency,
    case: Locked,
    announcer: Announcer,
    stamp: Stamp,
}

impl Taking {
    /// Locks the request's case and asks, in this order: policy, version, status. Answers the status after the step.
    async fn begin(
        tx: &ViewerTx,
        id: Uuid,
        action: Action,
        step: InformationStep,
        expected_version: i32,
    ) -> Result<(Self, InformationStatus)> {
        let found = information::get(tx, id).await?;
        let case = cases::lock(tx, found.case_id).await?;
        // Again: it may have changed while the case was waited for.
        let request = information::get(tx, id).await?;
        let announcer = permitted(tx, &case.holding, action).await?.with(&case);
        Error::expect_version(request.version, expected_version)?;
        let status = request.status.0;
        let next = step.from_status(status).ok_or_else(|| illegal(status, status.legal_next()))?;
        let agency = information::participant(tx, request.participant_id).await?.agency.0;
        let stamp = stamp(tx, &case.core).await?;
        Ok((Self { request, agency, case, announcer, stamp }, next))
    }

    /// Makes the change, of a child that it opens for writing.
    async fn take(&mut self, tx: &ViewerTx, status: InformationStatus, change: RequestChange) -> Result<()> {
        tx.authorise(&[self.request.child_id]).await?;
        let change = RequestChange { version: self.request.version + 1, status: Some(Coded(status)), ..change };
        information::change(tx, self.request.id, change).await?;
        self.request = information::get(tx, self.request.id).await?;
        Ok(())
    }

    /// Tells the units that work the case, who asked, and where it is theirs to act the managers.
    async fn tell(&self, tx: &ViewerTx, of: EventType, severity: Severity, managers: bool) -> Result<()> {
        let one = &self.request;
        let detail = Detail::Information(InformationDetail {
            agency: self.agency,
            duty: one.duty.0,
            status: one.status.0,
            due_at: one.due_at,
        });
        let mut audience = units_of(&self.case);
        audience.push(Audience::Worker(one.asked_by));
        if managers {
            audience.extend(managers_of(&self.case));
        }
        let entity = Entity { kind: InformationRequestId::KIND, id: one.id, version: one.version };
        self.announcer.announce(tx, of, severity, entity, Some(&self.stamp), detail, &audience).await
    }

    fn outcome(&self) -> Outcome {
        Outcome { case_id: Some(self.case.core.id), request_id: Some(self.request.id), ..Outcome::default() }
    }
}

async fn chase(tx: &ViewerTx, input: ChaseInformation, note: Option<String>) -> Result<Outcome> {
    let (action, step) = (Action::ChaseInformation, InformationStep::Chase);
    let (mut taking, status) = Taking::begin(tx, input.request_id, action, step, input.expected_version).await?;
    taking.take(tx, status, RequestChange::default()).await?;
    let new = NewChase {
        id: Uuid::now_v7(),
        request_id: taking.request.id,
        child_id: taking.request.child_id,
        method: Coded(input.method),
        note,
        chased_by: tx.viewer().worker_id.0,
        chased_at: taking.announcer.at,
    };
    information::chase(tx, new).await?;
    taking.tell(tx, EventType::InfoRequestChanged, Severity::Info, false).await?;
    Ok(taking.outcome())
}

async fn answer(tx: &ViewerTx, input: RecordInformationAnswer, said: String) -> Result<Outcome> {
    let (action, step) = (Action::RecordInformation, InformationStep::Answer);
    let (mut taking, status) = Taking::begin(tx, input.request_id, action, step, input.expected_version).await?;
    let received_at = input.received_at.unwrap_or(taking.announcer.at.max(taking.request.asked_at));
    if received_at < taking.request.asked_at {
        return Err(Error::bad_input("receivedAt", "must not lie before it was asked"));
    }
    let change = RequestChange {
        received_at: Some(received_at),
        response: Some(said),
        recorded_by: Some(tx.viewer().worker_id.0),
        ..RequestChange::default()
    };
    taking.take(tx, status, change).await?;
    taking.tell(tx, EventType::InfoRequestAnswered, Severity::Action, false).await?;
    Ok(taking.outcome())
}

async fn refuse(tx: &ViewerTx, input: EndInformationRequest, reason: String) -> Result<Outcome> {
    let (action, step) = (Action::RecordInformation, InformationStep::Refuse);
    let (mut taking, status) = Taking::begin(tx, input.request_id, action, step, input.expected_version).await?;
    let escalated_to = match taking.case.holding.primary {
        Some((_, area)) => units::manager_of(tx, area.0).await?,
        None => None,
    };
    let change = RequestChange {
        refused_at: Some(taking.announcer.at.max(taking.request.asked_at)),
        refusal_reason: Some(reason),
        refused_by: Some(tx.viewer().worker_id.0),
        escalated_to,
        ..RequestChange::default()
    };
    taking.take(tx, status, change).await?;
    let severity = if taking.request.duty.0 == InformationDuty::S47 { Severity::Urgent } else { Severity::Action };
    taking.tell(tx, EventType::InfoRequestRefused, severity, true).await?;
    Ok(taking.outcome())
}

async fn withdraw(tx: &ViewerTx, input: EndInformationRequest, reason: String) -> Result<Outcome> {
    let (action, step) = (Action::AskForInformation, InformationStep::Withdraw);
    let (mut taking, status) = Taking::begin(tx, input.request_id, action, step, input.expected_version).await?;
    let change = RequestChange {
        withdrawn_reason: Some(reason),
        recorded_by: Some(tx.viewer().worker_id.0),
        ..RequestChange::default()
    };
    taking.take(tx, status, change).await?;
    taking.tell(tx, EventType::InfoRequestChanged, Severity::Info, false).await?;
    Ok(taking.outcome())
}
