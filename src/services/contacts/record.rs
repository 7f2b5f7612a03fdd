//! Taking a contact down, its first look, and what is noted of it afterwards.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Announcer, Entity, Informing, Outcome, Services, detail, informed, open_contact, optional_text, past, permitted,
    tell, text,
};
use crate::{
    auth::{Viewer, policy::Action, viewer::Holding},
    db::{
        Coded, ViewerTx,
        contacts::{self, Informed, NewContact, NewContactPerson},
        needs::NewNeed,
        outbox::{Audience, Post},
    },
    domain::{
        Code,
        calendar::london_day,
        codes::{
            ConsentStatus, ConsultationState, ContactChannel, ContactPersonKind, ContactUrgency, EventType,
            ReferralSource, Severity, Sex,
        },
        contact::{may_be_expected, unanswered},
        ids::{ContactId, ContactPersonId, WorkerId},
    },
    error::{Error, Refusal, Result},
    services::needs::{self, NeedInput, NeedsOf},
};

/// Most people of one contact.
const PEOPLE: usize = 20;

/// Takes a contact down.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordContact {
    /// Now when missing.
    pub received_at: Option<DateTime<Utc>>,
    pub channel: ContactChannel,
    pub source: ReferralSource,
    pub caller_name: Option<String>,
    pub caller_contact: Option<String>,
    pub concern: String,
    pub consent: ConsentStatus,
    pub people: Vec<PersonInput>,
}

/// Somebody whom a contact is about, as told.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct PersonInput {
    pub kind: ContactPersonKind,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub expected_date_of_birth: Option<NaiveDate>,
    pub sex: Option<Sex>,
    pub address: Option<String>,
    pub description: Option<String>,
    pub needs: Vec<NeedInput>,
}

/// Says how urgent a contact is.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct TriageContact {
    pub contact_id: Uuid,
    pub urgency: ContactUrgency,
    pub expected_version: i32,
}

/// Records that who made a contact was told what became of it, or why not.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordReferrerInformed {
    pub contact_id: Uuid,
    pub informing: Informing,
    pub expected_version: i32,
}

/// Records what became of an invitation to meet with a social worker.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordConsultation {
    pub consultation_id: Uuid,
    pub state: ConsultationState,
    pub note: Option<String>,
    pub expected_version: i32,
}

impl Services {
    /// The front door knows of it from now on.
    pub async fn record_contact(&self, viewer: Viewer, key: &str, input: RecordContact) -> Result<Outcome> {
        let taken = Taken::check(&input, viewer)?;
        self.change(viewer, "recordContact", key, &input, move |tx| Box::pin(record(tx, taken))).await
    }

    /// How urgent it is, by its first look; again when it turns out otherwise.
    pub async fn triage_contact(&self, viewer: Viewer, key: &str, input: TriageContact) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "triageContact", key, &input, move |tx| Box::pin(triage(tx, wanted))).await
    }

    /// After the decision, once.
    pub async fn record_referrer_informed(
        &self,
        viewer: Viewer,
        key: &str,
        input: RecordReferrerInformed,
    ) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "recordReferrerInformed", key, &input, move |tx| Box::pin(inform(tx, wanted))).await
    }

    /// They met, or did not.
    pub async fn record_consultation(&self, viewer: Viewer, key: &str, input: RecordConsultation) -> Result<Outcome> {
        let note = optional_text("note", input.note.as_deref(), 10_000)?;
        let wanted = input.clone();
        self.change(viewer, "recordConsultation", key, &input, move |tx| Box::pin(conclude(tx, wanted, note))).await
    }
}

/// A contact as it will be written.
struct Taken {
    contact: NewContact,
    people: Vec<NewContactPerson>,
    needs: Vec<NewNeed>,
}

impl Taken {
    fn check(input: &RecordContact, viewer: Viewer) -> Result<Self> {
        let (me, now) = (viewer.worker_id.0, viewer.at);
        let received_at = past("receivedAt", input.received_at.unwrap_or(now), now)?;
        let caller_name = optional_text("callerName", input.caller_name.as_deref(), 200)?;
        let caller_contact = optional_text("callerContact", input.caller_contact.as_deref(), 200)?;
        let known = caller_name.is_some() || caller_contact.is_some();
        match input.source {
            ReferralSource::Anonymous if known => {
                return Err(Error::bad_input(
                    "callerName",
                    "must be left out of an anonymous contact, and callerContact",
                ));
            }
            ReferralSource::Anonymous => {}
            _ if !known => {
                return Err(Error::bad_input(
                    "callerName",
                    "or callerContact is needed; choose the source _9 if the caller will not say",
                ));
            }
            _ => {}
        }
        let concern = text("concern", &input.concern, 20_000)?;
        if input.people.len() > PEOPLE {
            return Err(Error::bad_input("people", format!("must not be more than {PEOPLE}")));
        }
        let id = ContactId::new().0;
        let (mut people, mut needs) = (Vec::new(), Vec::new());
        for (position, said) in (1..).zip(&input.people) {
            let person = person(id, position, said, london_day(now))?;
            needs.extend(answers(&person, said, me, now)?);
            people.push(person);
        }
        if !input.people.iter().any(|person| person.kind == ContactPersonKind::Child) {
            return Err(Error::guard(
                "ABOUT_A_CHILD",
                "A contact is about a child: add one, by a description if no name is known.",
            ));
        }
        let contact = NewContact {
            id,
            received_at,
            channel: Coded(input.channel),
            source: Coded(input.source),
            caller_name,
            caller_contact,
            concern,
            consent: Coded(input.consent),
            taken_by: me,
            created_at: now,
        };
        Ok(Self { contact, people, needs })
    }
}

fn person(contact_id: Uuid, position: i32, said: &PersonInput, today: NaiveDate) -> Result<NewContactPerson> {
    let first_name = optional_text("firstName", said.first_name.as_deref(), 100)?;
    let last_name = optional_text("lastName", said.last_name.as_deref(), 100)?;
    let description = optional_text("description", said.description.as_deref(), 2_000)?;
    if first_name.is_none() && last_name.is_none() && description.is_none() {
        return Err(Error::bad_input("firstName", "or lastName or a description is needed of everybody"));
    }
    if said.date_of_birth.is_some() && said.expected_date_of_birth.is_some() {
        return Err(Error::bad_input("expectedDateOfBirth", "must be left out of somebody who is born"));
    }
    if said.date_of_birth.is_some_and(|born| born > today) {
        return Err(Error::bad_input("dateOfBirth", "must not lie in the future: use expectedDateOfBirth"));
    }
    if said.expected_date_of_birth.is_some_and(|expected| !may_be_expected(expected, today)) {
        return Err(Error::bad_input("expectedDateOfBirth", "must be the day on which somebody may still be born"));
    }
    Ok(NewContactPerson {
        id: ContactPersonId::new().0,
        contact_id,
        position,
        kind: Coded(said.kind),
        first_name,
        last_name,
        date_of_birth: said.date_of_birth,
        expected_date_of_birth: said.expected_date_of_birth,
        sex: said.sex.map(Coded),
        address: optional_text("address", said.address.as_deref(), 500)?,
        description,
    })
}

/// What was answered for somebody: of every child each of religion, culture and disability.
fn answers(person: &NewContactPerson, said: &PersonInput, me: Uuid, now: DateTime<Utc>) -> Result<Vec<NewNeed>> {
    let kinds = needs::kinds(&said.needs)?;
    let missing = unanswered(&kinds);
    if person.kind.0 == ContactPersonKind::Child && !missing.is_empty() {
        let missing: Vec<&str> = missing.into_iter().map(Code::code).collect();
        return Err(Error::guard(
            "NEEDS_ASKED",
            format!(
                "Ask about particular needs of each child, and say what was answered: a need, NONE_KNOWN or \
                 ASKED_DECLINED. Not answered: {}.",
                missing.join(", ")
            ),
        ));
    }
    let of = NeedsOf::ContactPerson { contact_id: person.contact_id, id: person.id };
    said.needs.iter().map(|need| need.checked(of, me, now)).collect()
}

async fn record(tx: &ViewerTx, taken: Taken) -> Result<Outcome> {
    let announcer = permitted(tx, &Holding::default(), Action::RecordContact).await?;
    let id = taken.contact.id;
    tx.authorise(&[id]).await?;
    contacts::record(tx, taken.contact, taken.people, taken.needs).await?;
    let contact = contacts::lock(tx, id).await?;
    let said = detail(&contact, None, None);
    let entity = Entity { kind: ContactId::KIND, id, version: contact.version };
    let audience = [Audience::Post(Post::FrontDoor)];
    announcer.announce(tx, EventType::ContactReceived, Severity::Action, entity, None, said, &audience).await?;
    Ok(Outcome { contact_id: Some(id), ..Outcome::default() })
}

async fn triage(tx: &ViewerTx, input: TriageContact) -> Result<Outcome> {
    let (contact, announcer) =
        open_contact(tx, input.contact_id, Action::TriageContact, input.expected_version).await?;
    tx.authorise(&[contact.id]).await?;
    let version = contacts::triage(tx, &contact, input.urgency, announcer.at).await?;
    let severity = if input.urgency == ContactUrgency::Red { Severity::Urgent } else { Severity::Info };
    let said = detail(&contact, Some(input.urgency), None);
    tell(tx, &announcer, EventType::ContactChanged, severity, (&contact, version), said).await?;
    Ok(Outcome { contact_id: Some(contact.id), ..Outcome::default() })
}

async fn inform(tx: &ViewerTx, input: RecordReferrerInformed) -> Result<Outcome> {
    let contact = contacts::lock(tx, input.contact_id).await?;
    let announcer = permitted(tx, &Holding::default(), Action::InformReferrer).await?;
    contact.expect_version(input.expected_version)?;
    if contact.decision.is_none() {
        return Err(Error::guard(
            "DECIDED",
            "Nothing is decided about this contact yet: decide it, and say there that the caller was told.",
        ));
    }
    if contact.referrer_informed_at.is_some() {
        return Err(Error::conflict("It is recorded already that the caller was told."));
    }
    let said = informed(&contact, Some(&input.informing), announcer.at)?;
    tx.authorise(&[contact.id]).await?;
    let version = contacts::inform(tx, &contact, said).await?;
    let said = detail(&contact, None, None);
    tell(tx, &announcer, EventType::ContactChanged, Severity::Info, (&contact, version), said).await?;
    Ok(Outcome { contact_id: Some(contact.id), ..Outcome::default() })
}

async fn conclude(tx: &ViewerTx, input: RecordConsultation, note: Option<String>) -> Result<Outcome> {
    let consultation = contacts::consultation(tx, input.consultation_id).await?;
    let contact = contacts::lock(tx, consultation.contact_id).await?;
    // Again under the lock.
    let consultation = contacts::consultation(tx, input.consultation_id).await?;
    let holding = Holding { named: vec![WorkerId(consultation.worker_id)], ..Holding::default() };
    let announcer = permitted(tx, &holding, Action::RecordConsultation).await?;
    Error::expect_version(consultation.version, input.expected_version)?;
    if consultation.state.0 != ConsultationState::Arranged {
        let from = consultation.state.0.code();
        return Err(Error::Refused(Refusal::IllegalTransition { from, legal_next: Vec::new() }));
    }
    match input.state {
        ConsultationState::Arranged => {
            return Err(Error::bad_input("state", "must be HELD, NOT_ATTENDED or CANCELLED"));
        }
        ConsultationState::Held if note.is_none() => {
            return Err(Error::guard("NOTE", "Say what came of the meeting."));
        }
        ConsultationState::Held | ConsultationState::NotAttended if consultation.scheduled_for > announcer.at => {
            return Err(Error::guard("HELD", "The meeting has not been held yet: record it afterwards, or cancel it."));
        }
        _ => {}
    }
    tx.authorise(&[contact.id]).await?;
    contacts::touch(tx, &contact).await?;
    contacts::conclude(tx, &consultation, input.state, note, announcer.at).await?;
    told_of_meeting(tx, &announcer, &contact, consultation.worker_id).await?;
    Ok(Outcome { contact_id: Some(contact.id), consultation_id: Some(consultation.id), ..Outcome::default() })
}

/// Tells the front door, and whom they are to meet.
pub(super) async fn told_of_meeting(
    tx: &ViewerTx,
    announcer: &Announcer,
    contact: &contacts::ContactCore,
    worker: Uuid,
) -> Result<()> {
    let entity = Entity { kind: ContactId::KIND, id: contact.id, version: contact.version + 1 };
    let audience = [Audience::Post(Post::FrontDoor), Audience::Alone(worker)];
    let said = detail(contact, None, None);
    announcer.announce(tx, EventType::ContactChanged, Severity::Info, entity, None, said, &audience).await
}

/// A decision that ends at the front door needs the caller told, or a reason why not.
pub(super) fn told_already(informed: Informed) -> Result<()> {
    if matches!(informed, Informed::Not) {
        return Err(Error::guard(
            "REFERRER_INFORMED",
            "Tell the caller what becomes of it and say when, or why they cannot be told.",
        ));
    }
    Ok(())
}
