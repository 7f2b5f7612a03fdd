//! What becomes of a contact.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Announcer, Audience, Entity, Outcome, Post, Services, Stamp, detail, informed, open_contact, optional_text,
    permitted, qualified,
    record::{told_already, told_of_meeting},
    referral::{Accepted, offered},
    text,
};
use crate::{
    auth::{Viewer, policy::Action, viewer::Holding},
    db::{
        Coded, ViewerTx, children,
        contacts::{self, ContactCore, ContactPersonCore, KnownChildRow, NewConsultation},
        referrals::{self, NewCase, NewReferral},
        units::UnitRow,
    },
    domain::{
        Code,
        calendar::london_day,
        codes::{
            CaseStatus, ConsultationState, ContactDecision, ContactPersonKind, ContactUrgency, EventType,
            NotInformedReason, PrimaryNeed, ReferralCategory, ReferralDecision, Severity, UnallocatedReason,
        },
        contact::{Who, goes_back, re_referred, referable},
        event::Detail,
        ids::{CaseId, ConsultationId, ContactId, ReferralId},
    },
    error::{Error, Result},
};

/// That who made a contact was told, or why not.
#[derive(Clone, Copy, Serialize)]
#[allow(missing_docs)]
pub enum Informing {
    At(DateTime<Utc>),
    Never(NotInformedReason),
}

/// A meeting with a social worker.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ConsultationInput {
    pub worker_id: Uuid,
    pub scheduled_for: DateTime<Utc>,
    pub place: Option<String>,
    pub online: bool,
}

/// What a referral is made of.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ReferralInput {
    pub category: ReferralCategory,
    pub primary_need: PrimaryNeed,
    pub summary: Option<String>,
    /// Whom of those the contact is about; all children when missing.
    pub people: Option<Vec<Uuid>>,
}

/// Decides about a contact.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct DecideContact {
    pub contact_id: Uuid,
    pub decision: ContactDecision,
    pub reason: String,
    pub informing: Option<Informing>,
    pub consultation: Option<ConsultationInput>,
    pub referral: Option<ReferralInput>,
    pub expected_version: i32,
}

/// Invites to another meeting, after one that nobody came to or that was cancelled.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ArrangeConsultation {
    pub contact_id: Uuid,
    pub consultation: ConsultationInput,
    pub expected_version: i32,
}

/// The texts of a decision, cleaned.
struct Texts {
    reason: String,
    summary: Option<String>,
    place: Option<String>,
}

impl Services {
    /// Decides, once. What goes to a case is seen by whoever works it, and by the front door no longer than it waits.
    pub async fn decide_contact(&self, viewer: Viewer, key: &str, input: DecideContact) -> Result<Outcome> {
        let texts = Texts {
            reason: text("reason", &input.reason, 5_000)?,
            summary: optional_text("summary", input.referral.as_ref().and_then(|one| one.summary.as_deref()), 10_000)?,
            place: optional_text("place", input.consultation.as_ref().and_then(|one| one.place.as_deref()), 500)?,
        };
        let meets = input.decision == ContactDecision::ConsultationMeeting;
        if meets != input.consultation.is_some() {
            return Err(Error::bad_input(
                "consultation",
                if meets { "is needed: when, where and with whom" } else { "belongs to CONSULTATION_MEETING" },
            ));
        }
        let refers =
            matches!(input.decision, ContactDecision::ReferralStatutory | ContactDecision::ImmediateProtection);
        if refers != input.referral.is_some() {
            return Err(Error::bad_input(
                "referral",
                if refers { "is needed: what it is about" } else { "belongs to a referral or immediate protection" },
            ));
        }
        let wanted = input.clone();
        self.change(viewer, "decideContact", key, &input, move |tx| Box::pin(decide(tx, wanted, texts))).await
    }

    /// Of a contact about which was decided that they meet. Whom they are to meet sees it until they recorded what came of it.
    pub async fn arrange_consultation(&self, viewer: Viewer, key: &str, input: ArrangeConsultation) -> Result<Outcome> {
        let place = optional_text("place", input.consultation.place.as_deref(), 500)?;
        let wanted = input.clone();
        self.change(viewer, "arrangeConsultation", key, &input, move |tx| Box::pin(arrange_again(tx, wanted, place)))
            .await
    }
}

/// A child whom a contact is about, and what the front door may know of it.
struct Concerned {
    person: Uuid,
    child: KnownChildRow,
}

/// Who of a contact is known: whom somebody matched. Their open cases stay as they are until the change ends.
async fn concerned(tx: &ViewerTx, people: &[ContactPersonCore]) -> Result<Vec<Concerned>> {
    let read = async || {
        let mut found = Vec::new();
        for person in people {
            if let Some(child) = person.child_id
                && let Some(child) = contacts::known(tx, person.id, child).await?
            {
                found.push(Concerned { person: person.id, child });
            }
        }
        Ok(found)
    };
    let found: Vec<Concerned> = read().await?;
    let cases: Vec<Uuid> = found.iter().filter_map(|one| one.child.open_case_id).collect();
    if cases.is_empty() {
        return Ok(found);
    }
    // Whoever allocates, moves or closes one of them meanwhile is waited for, and what is told goes to who holds it then.
    contacts::hold_cases(tx, cases).await?;
    read().await
}

async fn decide(tx: &ViewerTx, input: DecideContact, texts: Texts) -> Result<Outcome> {
    let (contact, announcer) =
        open_contact(tx, input.contact_id, Action::DecideContact, input.expected_version).await?;
    let informed = informed(&contact, input.informing.as_ref(), announcer.at)?;
    tx.authorise(&[contact.id]).await?;
    sees_every_child(tx, &contact).await?;
    let people = contacts::people(tx, contact.id).await?;
    let concerned = concerned(tx, &people).await?;
    let at = announcer.at;
    let mut outcome = Outcome { contact_id: Some(contact.id), ..Outcome::default() };
    // Whoever works with one of the children hears of it, whatever is decided.
    let told: Vec<&Concerned> = concerned.iter().filter(|one| one.child.open_case_id.is_some()).collect();
    let mut referred = Vec::new();
    let goes_to_cases = match (input.decision, &input.referral) {
        (ContactDecision::PassToOpenCase, _) => {
            if told.is_empty() || told.len() < concerned.len() {
                return Err(Error::guard(
                    "OPEN_CASE",
                    "Not every known child of this contact has an open case: match the child first, or make a referral, \
                     which passes those who have one to it.",
                ));
            }
            true
        }
        (decision, Some(referral)) => {
            referred = whom_to_refer(&contact, &people, &concerned, referral)?;
            if referred.is_empty() && decision == ContactDecision::ReferralStatutory {
                return Err(Error::guard(
                    "NO_OPEN_CASE",
                    "Every child of this contact has an open case: decide PASS_TO_OPEN_CASE, and whoever holds it hears \
                     at once.",
                ));
            }
            true
        }
        _ => {
            told_already(informed)?;
            false
        }
    };
    if input.decision == ContactDecision::ImmediateProtection {
        qualified(tx).await?;
    }

    let mut opened: Vec<Uuid> = referred.iter().map(|one| one.child.child_id).collect();
    opened.push(contact.id);
    tx.authorise(&opened).await?;
    // The front door sees the children until the contact is decided: what is read of them, or written of their cases, comes
    // before.
    let mut cases = Vec::new();
    if let Some(referral) = &input.referral {
        for one in &referred {
            let accepted = input.decision == ContactDecision::ImmediateProtection;
            let case = refer(tx, &contact, one, referral, &texts, accepted, at).await?;
            contacts::went_to(tx, one.person, case.id).await?;
            outcome.referral_ids.push(case.referral_id);
            cases.push(case);
        }
    }
    for one in told.iter().filter(|_| goes_to_cases) {
        if let Some(case) = one.child.open_case_id {
            contacts::went_to(tx, one.person, case).await?;
        }
    }
    if let Some(meeting) = &input.consultation {
        let id = arrange(tx, &contact, meeting, texts.place.clone(), at).await?;
        outcome.consultation_id = Some(id);
    }
    let version = contacts::decide(tx, &contact, input.decision, texts.reason, informed, at).await?;

    announce(tx, &announcer, (&contact, version), &input, &told, &cases).await?;
    tracing::info!(decision = input.decision.code(), "a contact was decided");
    Ok(outcome)
}

/// For whom a case is opened: every child of the contact, or those who were named, who has none.
fn whom_to_refer<'a>(
    contact: &ContactCore,
    people: &[ContactPersonCore],
    concerned: &'a [Concerned],
    referral: &ReferralInput,
) -> Result<Vec<&'a Concerned>> {
    let mut wanted: Vec<Uuid> = match &referral.people {
        Some(named) => {
            let is_child = |id: &Uuid| people.iter().any(|one| one.id == *id && one.kind.0 == ContactPersonKind::Child);
            if named.is_empty() || !named.iter().all(is_child) {
                return Err(Error::bad_input("contactPersonIds", "must name children of this contact"));
            }
            named.clone()
        }
        None => people.iter().filter(|one| one.kind.0 == ContactPersonKind::Child).map(|one| one.id).collect(),
    };
    wanted.sort_unstable();
    wanted.dedup();
    let known: Vec<&Concerned> = concerned.iter().filter(|one| wanted.contains(&one.person)).collect();
    if known.is_empty() || known.len() < wanted.len() {
        return Err(Error::guard(
            "CHILD_IDENTIFIED",
            "A referral needs to be clear about who the child is: match every child with a known one, or register it.",
        ));
    }
    let referred: Vec<&Concerned> = known.into_iter().filter(|one| one.child.open_case_id.is_none()).collect();
    let received_on = london_day(contact.received_at);
    for one in &referred {
        let who = Who {
            born: one.child.date_of_birth.as_ref().map(|day| day.day()),
            expected: one.child.expected_date_of_birth.as_ref().map(|day| day.day()),
            sex: None,
        };
        if !referable(who, received_on) {
            return Err(Error::guard(
                "FORTY_WEEKS",
                "A child is referred at most 40 weeks before the birth: check the expected day.",
            ));
        }
    }
    Ok(referred)
}

/// A case that a referral opened.
struct Opened {
    id: Uuid,
    referral_id: Uuid,
    stamp: Stamp,
    /// The unit that it is offered to, when it is accepted already.
    target: Option<UnitRow>,
    re_referral: bool,
}

async fn refer(
    tx: &ViewerTx,
    contact: &ContactCore,
    one: &Concerned,
    referral: &ReferralInput,
    texts: &Texts,
    accepted: bool,
    at: DateTime<Utc>,
) -> Result<Opened> {
    let (me, child, received_on) = (tx.viewer().worker_id.0, &one.child, london_day(contact.received_at));
    let case = NewCase {
        id: CaseId::new().0,
        child_id: child.child_id,
        // Cases of a child never overlap: one that closed since is over first.
        opened_on: child.last_closed_on.map_or(received_on, |closed| closed.max(received_on)),
        status: Coded(CaseStatus::Referred),
        primary_need: Coded(referral.primary_need),
        referral_summary: texts.summary.clone(),
        created_at: at,
    };
    let decided = accepted.then_some(());
    let previous = child.last_unit_id.filter(|_| goes_back(child.last_held_to, received_on));
    let re_referral = re_referred(child.last_closed_on, received_on);
    let target = if accepted { offered(tx, None, previous).await? } else { None };
    let new = NewReferral {
        id: ReferralId::new().0,
        contact_id: contact.id,
        case_id: case.id,
        child_id: child.child_id,
        received_on,
        source: contact.source,
        category: Coded(referral.category),
        decision: decided.map(|()| Coded(ReferralDecision::AcceptS47)),
        decision_reason: decided.map(|()| texts.reason.clone()),
        decided_by: decided.map(|()| me),
        decided_at: decided.map(|()| at),
        target_unit_id: target.as_ref().map(|unit| unit.id),
        re_referral,
        previous_unit_id: previous,
        created_by: me,
        created_at: at,
    };
    let (id, referral_id) = (case.id, new.id);
    let case_no = referrals::open(tx, case, new).await?;
    let names = children::names(tx, child.child_id).await?;
    let stamp = Stamp::of_new(id, case_no, child.child_id, &names);
    Ok(Opened { id, referral_id, stamp, target, re_referral })
}

/// Nothing is decided, and nobody let in, over the head of a child whom the viewer does not see.
async fn sees_every_child(tx: &ViewerTx, contact: &ContactCore) -> Result<()> {
    if !contacts::sees_every_child(tx, contact.id).await? {
        return Err(Error::guard(
            "EVERY_CHILD",
            "You do not see every child of this contact: ask somebody of first response who does.",
        ));
    }
    Ok(())
}

async fn arrange_again(tx: &ViewerTx, input: ArrangeConsultation, place: Option<String>) -> Result<Outcome> {
    let contact = contacts::lock(tx, input.contact_id).await?;
    let announcer = permitted(tx, &Holding::default(), Action::DecideContact).await?;
    contact.expect_version(input.expected_version)?;
    if contact.decision.is_none_or(|decision| decision.0 != ContactDecision::ConsultationMeeting) {
        return Err(Error::guard(
            "CONSULTATION_MEETING",
            "They are invited to meet when that is what is decided about a contact: decide this one, or record what was told \
             since as another one.",
        ));
    }
    for state in contacts::consultation_states(tx, contact.id).await? {
        let why = match state {
            ConsultationState::Arranged => "A meeting is arranged: record first what became of it, or cancel it.",
            ConsultationState::Held => "They have met: record what was told since as another contact.",
            ConsultationState::NotAttended | ConsultationState::Cancelled => continue,
        };
        return Err(Error::guard("NOBODY_MET", why));
    }
    tx.authorise(&[contact.id]).await?;
    sees_every_child(tx, &contact).await?;
    let id = arrange(tx, &contact, &input.consultation, place, announcer.at).await?;
    contacts::touch(tx, &contact).await?;
    told_of_meeting(tx, &announcer, &contact, input.consultation.worker_id).await?;
    Ok(Outcome { contact_id: Some(contact.id), consultation_id: Some(id), ..Outcome::default() })
}

async fn arrange(
    tx: &ViewerTx,
    contact: &ContactCore,
    meeting: &ConsultationInput,
    place: Option<String>,
    at: DateTime<Utc>,
) -> Result<Uuid> {
    if meeting.scheduled_for <= at {
        return Err(Error::bad_input("scheduledFor", "must lie in the future"));
    }
    if !meeting.online && place.is_none() {
        return Err(Error::bad_input("place", "is needed of a meeting that is not online"));
    }
    if !contacts::may_meet(tx, contact.id, meeting.worker_id).await? {
        return Err(Error::guard(
            "QUALIFIED",
            "They are invited to meet with a social worker: name another one, who is qualified and works in a unit.",
        ));
    }
    let id = ConsultationId::new().0;
    let new = NewConsultation {
        id,
        contact_id: contact.id,
        worker_id: meeting.worker_id,
        scheduled_for: meeting.scheduled_for,
        place,
        online: meeting.online,
    };
    contacts::arrange(tx, new).await?;
    Ok(id)
}

/// Tells the front door; whoever holds an open case of one of the children; and of new cases whoever may allocate them.
async fn announce(
    tx: &ViewerTx,
    announcer: &Announcer,
    (contact, version): (&ContactCore, i32),
    input: &DecideContact,
    told: &[&Concerned],
    opened: &[Opened],
) -> Result<()> {
    let said = || detail(contact, None, Some(input.decision));
    let entity = || Entity { kind: ContactId::KIND, id: contact.id, version };
    let danger = input.decision == ContactDecision::ImmediateProtection
        || contact.urgency.is_some_and(|urgency| urgency.0 == ContactUrgency::Red);
    let severity = if danger { Severity::Urgent } else { Severity::Info };
    let mut front_door = vec![Audience::Post(Post::FrontDoor)];
    front_door.extend(input.consultation.iter().map(|meeting| Audience::Alone(meeting.worker_id)));
    announcer.announce(tx, EventType::ContactDecided, severity, entity(), None, said(), &front_door).await?;
    for one in told {
        let Some(stamp) = Stamp::of_known(&one.child) else { continue };
        let mut audience: Vec<Audience> = one.child.unit_ids.iter().copied().map(Audience::Unit).collect();
        audience.extend(one.child.area_id.map(Audience::Area));
        if one.child.held_by.is_none() {
            // It waits in the queue.
            audience.extend([Audience::Post(Post::FrontDoor), Audience::Post(Post::Queue)]);
        }
        let severity = severity.max(Severity::Action);
        announcer.announce(tx, EventType::ContactDecided, severity, entity(), Some(&stamp), said(), &audience).await?;
    }
    for case in opened {
        let said = Detail::Unallocated { since: announcer.at, reason: UnallocatedReason::Referred };
        let entity = Entity { kind: CaseId::KIND, id: case.id, version: 1 };
        let audience = [Audience::Post(Post::FrontDoor), Audience::Post(Post::Queue)];
        let severity = severity.max(Severity::Action);
        announcer
            .announce(tx, EventType::CaseUnallocated, severity, entity, Some(&case.stamp), said, &audience)
            .await?;
        if input.decision == ContactDecision::ImmediateProtection {
            let of = Accepted {
                referral_id: case.referral_id,
                version: 1,
                contact_id: contact.id,
                decision: ReferralDecision::AcceptS47,
                re_referral: case.re_referral,
            };
            of.announce(tx, announcer, &case.stamp, case.target.as_ref()).await?;
        }
    }
    Ok(())
}
