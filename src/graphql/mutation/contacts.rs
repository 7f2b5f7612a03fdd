use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, optional};
use crate::{
    domain::{
        codes::{
            ConsentStatus, ConsultationState, ContactChannel, ContactDecision, ContactPersonKind, ContactUrgency,
            MatchDifference, NeedAnswer, NeedKind, NotInformedReason, PrimaryNeed, ReferralCategory, ReferralDecision,
            ReferralSource, Sex,
        },
        ids::{ChildId, ConsultationId, ContactId, ContactPersonId, ReferralId, UnitId, WorkerId},
    },
    error::{Error, Result},
    graphql::{
        context::HearthContext,
        error::{Fault, Nullable, nullable},
        scalars::{Date, DateTime, local},
        types::{Case, Consultation, Contact, ContactPerson, Referral},
    },
    services::contacts::{
        ArrangeConsultation, ConsultationInput, DecideContact, DecideReferral, Informing, MatchContactChild,
        PersonInput, RecordConsultation, RecordContact, RecordReferrerInformed, ReferralInput, RegisterContactChild,
        TriageContact,
    },
    services::needs::NeedInput,
};

payload! {
    /// Answer to recordContact.
    RecordContactPayload {
        /// The contact.
        contact: Nullable<Contact>,
    }
}
payload! {
    /// Answer to triageContact.
    TriageContactPayload {
        /// The contact.
        contact: Nullable<Contact>,
    }
}
payload! {
    /// Answer to matchContactChild.
    MatchContactChildPayload {
        /// The contact.
        contact: Nullable<Contact>,
        /// Who was matched.
        contact_person: Nullable<ContactPerson>,
    }
}
payload! {
    /// Answer to registerContactChild.
    RegisterContactChildPayload {
        /// The contact.
        contact: Nullable<Contact>,
        /// Who was registered.
        contact_person: Nullable<ContactPerson>,
    }
}
payload! {
    /// Answer to decideContact.
    DecideContactPayload {
        /// The contact; null when you may not see it any more.
        contact: Nullable<Contact>,
        /// The meeting that was arranged.
        consultation: Nullable<Consultation>,
        /// The referrals that were made, one for each child.
        referrals: std::result::Result<Vec<Referral>, Fault>,
    }
}
payload! {
    /// Answer to recordReferrerInformed.
    RecordReferrerInformedPayload {
        /// The contact.
        contact: Nullable<Contact>,
    }
}
payload! {
    /// Answer to arrangeConsultation.
    ArrangeConsultationPayload {
        /// The contact.
        contact: Nullable<Contact>,
        /// The meeting that was arranged.
        consultation: Nullable<Consultation>,
    }
}
payload! {
    /// Answer to recordConsultation.
    RecordConsultationPayload {
        /// The contact; null when you may not see it any more.
        contact: Nullable<Contact>,
        /// The meeting; null when you may not see it any more.
        consultation: Nullable<Consultation>,
    }
}
payload! {
    /// Answer to decideReferral.
    DecideReferralPayload {
        /// The referral; null when you may not see it any more.
        referral: Nullable<Referral>,
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
    }
}

/// Takes a contact down.
#[derive(InputObject)]
pub struct RecordContactInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// When it came: now when left out, and at most 31 days back.
    received_at: Option<DateTime>,
    /// How it came.
    channel: ContactChannel,
    /// Who it came from.
    source: ReferralSource,
    /// Who called. This or `callerContact` is needed, unless it is anonymous. At most 200 characters.
    caller_name: Option<String>,
    /// How the caller is reached. At most 200 characters.
    caller_contact: Option<String>,
    /// What the caller said. At most 20,000 characters.
    concern: String,
    /// Whether the family agreed that it is passed on.
    consent: ConsentStatus,
    /// Whom it is about: at least one child, at most 20 people.
    people: Vec<ContactPersonInput>,
}

/// Somebody whom a contact is about, as told. A name or a description is needed.
#[derive(InputObject)]
pub struct ContactPersonInput {
    /// What they are in it.
    kind: ContactPersonKind,
    /// First name. At most 100 characters.
    first_name: Option<String>,
    /// Last name. At most 100 characters.
    last_name: Option<String>,
    /// Day of birth.
    date_of_birth: Option<Date>,
    /// Expected day of birth of an unborn child.
    expected_date_of_birth: Option<Date>,
    /// Sex.
    sex: Option<Sex>,
    /// Where they live. At most 500 characters.
    address: Option<String>,
    /// Who they are, where no name is known. At most 2,000 characters.
    description: Option<String>,
    /// What was answered to the question about particular needs. Of every child each of RELIGION, CULTURE and DISABILITY.
    #[graphql(default)]
    needs: Vec<ParticularNeedInput>,
}

/// An answer to the question about a particular need.
#[derive(InputObject)]
pub struct ParticularNeedInput {
    /// What it comes from.
    kind: NeedKind,
    /// What was answered.
    answer: NeedAnswer,
    /// The need, if there is one. At most 2,000 characters.
    description: Option<String>,
    /// What we will do about it. At most 2,000 characters.
    what_we_will_do: Option<String>,
}

/// Says how urgent a contact is.
#[derive(InputObject)]
pub struct TriageContactInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the contact.
    contact_id: ID,
    /// How urgent.
    urgency: ContactUrgency,
    /// The contact's version as you read it.
    expected_version: i32,
}

/// Says which known child somebody is whom a contact is about, or that this is open again.
#[derive(InputObject)]
pub struct MatchContactChildInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of a child whom the contact is about, as told.
    contact_person_id: ID,
    /// Global id of the known child; left out: it is open again who it is.
    child_id: Option<ID>,
    /// In what the record differs from what was told, when it is this child all the same.
    #[graphql(default)]
    despite: Vec<MatchDifference>,
    /// The contact's version as you read it.
    expected_version: i32,
}

/// Registers a child whom nobody knew, from what was told.
#[derive(InputObject)]
pub struct RegisterContactChildInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of a child whom the contact is about, as told.
    contact_person_id: ID,
    /// First name; as told when left out. At most 100 characters.
    first_name: Option<String>,
    /// Last name; as told when left out. At most 100 characters.
    last_name: Option<String>,
    /// Day of birth; as told when this and the next are left out.
    date_of_birth: Option<Date>,
    /// Expected day of birth of an unborn child.
    expected_date_of_birth: Option<Date>,
    /// Whether the day of birth is an estimate.
    #[graphql(default)]
    date_of_birth_estimated: bool,
    /// Sex; as told when left out.
    sex: Option<Sex>,
    /// Global ids of known children with these names and this day of birth: it is none of them.
    #[graphql(default)]
    is_none_of: Vec<ID>,
    /// The contact's version as you read it.
    expected_version: i32,
}

/// Decides about a contact.
#[derive(InputObject)]
pub struct DecideContactInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the contact.
    contact_id: ID,
    /// What is decided.
    decision: ContactDecision,
    /// Why. At most 5,000 characters.
    reason: String,
    /// When the caller was told what becomes of it. This or the next is needed where it ends at the front door.
    referrer_informed_at: Option<DateTime>,
    /// Why the caller is not told.
    referrer_not_informed: Option<NotInformedReason>,
    /// The meeting, of CONSULTATION_MEETING.
    consultation: Option<NewConsultationInput>,
    /// What is referred, of REFERRAL_STATUTORY and IMMEDIATE_PROTECTION.
    referral: Option<NewReferralInput>,
    /// The contact's version as you read it.
    expected_version: i32,
}

/// A meeting with a social worker.
#[derive(InputObject)]
pub struct NewConsultationInput {
    /// Global id of the qualified worker whom they meet.
    worker_id: ID,
    /// When.
    scheduled_for: DateTime,
    /// Where: needed unless it is online. At most 500 characters.
    place: Option<String>,
    /// Whether they meet online.
    #[graphql(default)]
    online: bool,
}

/// What is referred. Children who have an open case go to that one, and whoever holds it hears at once.
#[derive(InputObject)]
pub struct NewReferralInput {
    /// What it is about.
    category: ReferralCategory,
    /// The child's primary need, as far as it can be told.
    #[graphql(default_with = "PrimaryNeed::N0")]
    primary_need: PrimaryNeed,
    /// What a unit needs to know. At most 10,000 characters.
    summary: Option<String>,
    /// Global ids of the children whom the contact is about, as told: all of them when left out.
    contact_person_ids: Option<Vec<ID>>,
}

/// Records that who made a contact was told what became of it, or why not.
#[derive(InputObject)]
pub struct RecordReferrerInformedInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the contact.
    contact_id: ID,
    /// When they were told. This or the next.
    referrer_informed_at: Option<DateTime>,
    /// Why they are not told.
    referrer_not_informed: Option<NotInformedReason>,
    /// The contact's version as you read it.
    expected_version: i32,
}

/// Invites to another meeting, after one that nobody came to or that was cancelled.
#[derive(InputObject)]
pub struct ArrangeConsultationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the contact.
    contact_id: ID,
    /// The meeting.
    consultation: NewConsultationInput,
    /// The contact's version as you read it.
    expected_version: i32,
}

/// Records what became of an invitation to meet.
#[derive(InputObject)]
pub struct RecordConsultationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the consultation.
    consultation_id: ID,
    /// What became of it: HELD, NOT_ATTENDED or CANCELLED.
    state: ConsultationState,
    /// What came of it; needed of a meeting that was held. At most 10,000 characters.
    note: Option<String>,
    /// The consultation's version as you read it.
    expected_version: i32,
}

/// Accepts a referral, or closes it.
#[derive(InputObject)]
pub struct DecideReferralInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the referral.
    referral_id: ID,
    /// What is decided.
    decision: ReferralDecision,
    /// Why. At most 5,000 characters.
    reason: String,
    /// Global id of the unit that it is offered to. Of a child who comes back within six months the one that held the case
    /// before, when left out.
    target_unit_id: Option<ID>,
    /// The case's version as you read it.
    expected_version: i32,
}

fn informing(at: Option<DateTime>, never: Option<NotInformedReason>) -> Result<Option<Informing>> {
    match (at, never) {
        (Some(_), Some(_)) => {
            Err(Error::bad_input("referrerNotInformed", "must be left out when it is said when they were told"))
        }
        (at, never) => Ok(at.map(|at| Informing::At(at.0)).or(never.map(Informing::Never))),
    }
}

impl From<ParticularNeedInput> for NeedInput {
    fn from(need: ParticularNeedInput) -> Self {
        Self {
            kind: need.kind,
            answer: need.answer,
            description: need.description,
            what_we_will_do: need.what_we_will_do,
        }
    }
}

impl From<ContactPersonInput> for PersonInput {
    fn from(said: ContactPersonInput) -> Self {
        Self {
            kind: said.kind,
            first_name: said.first_name,
            last_name: said.last_name,
            date_of_birth: said.date_of_birth.map(|day| day.0),
            expected_date_of_birth: said.expected_date_of_birth.map(|day| day.0),
            sex: said.sex,
            address: said.address,
            description: said.description,
            needs: said.needs.into_iter().map(NeedInput::from).collect(),
        }
    }
}

fn consultation(said: &NewConsultationInput) -> Result<ConsultationInput> {
    Ok(ConsultationInput {
        worker_id: local("workerId", WorkerId::KIND, &said.worker_id)?,
        scheduled_for: said.scheduled_for.0,
        place: said.place.clone(),
        online: said.online,
    })
}

fn referral(said: &NewReferralInput) -> Result<ReferralInput> {
    let each = |ids: &Vec<ID>| {
        ids.iter().map(|id| local("contactPersonIds", ContactPersonId::KIND, id)).collect::<Result<Vec<_>>>()
    };
    Ok(ReferralInput {
        category: said.category,
        primary_need: said.primary_need,
        summary: said.summary.clone(),
        people: said.contact_person_ids.as_ref().map(each).transpose()?,
    })
}

/// The front door.
#[derive(Default)]
pub struct ContactMutations;

/// The front door.
#[Object]
impl ContactMutations {
    /// Takes a contact down. The front door hears of it at once. Refused without an answer to the question about needs from
    /// religion, culture and disability of every child.
    async fn record_contact(&self, ctx: &Context<'_>, input: RecordContactInput) -> Nullable<RecordContactPayload> {
        change!(
            ctx,
            input,
            record_contact,
            RecordContactPayload,
            RecordContact {
                received_at: input.received_at.map(|at| at.0),
                channel: input.channel,
                source: input.source,
                caller_name: input.caller_name,
                caller_contact: input.caller_contact,
                concern: input.concern,
                consent: input.consent,
                people: input.people.into_iter().map(PersonInput::from).collect(),
            }
        )
    }

    /// Says how urgent a contact is, by its first look; again when it turns out otherwise.
    async fn triage_contact(&self, ctx: &Context<'_>, input: TriageContactInput) -> Nullable<TriageContactPayload> {
        change!(
            ctx,
            input,
            triage_contact,
            TriageContactPayload,
            TriageContact {
                contact_id: local("contactId", ContactId::KIND, &input.contact_id)?,
                urgency: input.urgency,
                expected_version: input.expected_version,
            }
        )
    }

    /// Says which known child somebody is whom a contact is about. Refused when the record differs from what was told, unless
    /// that is said too. Nothing in the known child's record changes by it.
    async fn match_contact_child(
        &self,
        ctx: &Context<'_>,
        input: MatchContactChildInput,
    ) -> Nullable<MatchContactChildPayload> {
        change!(
            ctx,
            input,
            match_contact_child,
            MatchContactChildPayload,
            MatchContactChild {
                contact_person_id: local("contactPersonId", ContactPersonId::KIND, &input.contact_person_id)?,
                child_id: optional("childId", ChildId::KIND, input.child_id.as_ref())?,
                despite: input.despite,
                expected_version: input.expected_version,
            }
        )
    }

    /// Registers a child whom nobody knew. Refused when somebody is known with these names and this day of birth, unless it is
    /// said that it is none of them.
    async fn register_contact_child(
        &self,
        ctx: &Context<'_>,
        input: RegisterContactChildInput,
    ) -> Nullable<RegisterContactChildPayload> {
        change!(
            ctx,
            input,
            register_contact_child,
            RegisterContactChildPayload,
            RegisterContactChild {
                contact_person_id: local("contactPersonId", ContactPersonId::KIND, &input.contact_person_id)?,
                first_name: input.first_name,
                last_name: input.last_name,
                date_of_birth: input.date_of_birth.map(|day| day.0),
                expected_date_of_birth: input.expected_date_of_birth.map(|day| day.0),
                date_of_birth_estimated: input.date_of_birth_estimated,
                sex: input.sex,
                is_none_of: input
                    .is_none_of
                    .iter()
                    .map(|id| local("isNoneOf", ChildId::KIND, id))
                    .collect::<Result<_>>()?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Decides about a contact, once. A referral opens a case for every child, which waits in the queue; children with an open
    /// case go to that one, and whoever holds it hears at once.
    async fn decide_contact(&self, ctx: &Context<'_>, input: DecideContactInput) -> Nullable<DecideContactPayload> {
        change!(
            ctx,
            input,
            decide_contact,
            DecideContactPayload,
            DecideContact {
                contact_id: local("contactId", ContactId::KIND, &input.contact_id)?,
                decision: input.decision,
                reason: input.reason,
                informing: informing(input.referrer_informed_at, input.referrer_not_informed)?,
                consultation: input.consultation.as_ref().map(consultation).transpose()?,
                referral: input.referral.as_ref().map(referral).transpose()?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records that who made a contact was told what became of it, after the decision, or why not.
    async fn record_referrer_informed(
        &self,
        ctx: &Context<'_>,
        input: RecordReferrerInformedInput,
    ) -> Nullable<RecordReferrerInformedPayload> {
        change!(
            ctx,
            input,
            record_referrer_informed,
            RecordReferrerInformedPayload,
            RecordReferrerInformed {
                contact_id: local("contactId", ContactId::KIND, &input.contact_id)?,
                informing: informing(input.referrer_informed_at, input.referrer_not_informed)?
                    .ok_or_else(|| { Error::bad_input("referrerInformedAt", "or referrerNotInformed is needed") })?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Invites to another meeting with a social worker, after one that nobody came to or that was cancelled.
    async fn arrange_consultation(
        &self,
        ctx: &Context<'_>,
        input: ArrangeConsultationInput,
    ) -> Nullable<ArrangeConsultationPayload> {
        change!(
            ctx,
            input,
            arrange_consultation,
            ArrangeConsultationPayload,
            ArrangeConsultation {
                contact_id: local("contactId", ContactId::KIND, &input.contact_id)?,
                consultation: consultation(&input.consultation)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records what became of an invitation to meet with a social worker.
    async fn record_consultation(
        &self,
        ctx: &Context<'_>,
        input: RecordConsultationInput,
    ) -> Nullable<RecordConsultationPayload> {
        change!(
            ctx,
            input,
            record_consultation,
            RecordConsultationPayload,
            RecordConsultation {
                consultation_id: local("consultationId", ConsultationId::KIND, &input.consultation_id)?,
                state: input.state,
                note: input.note,
                expected_version: input.expected_version,
            }
        )
    }

    /// Accepts a referral: the case waits for a unit, and may be offered to one. Or closes it.
    async fn decide_referral(&self, ctx: &Context<'_>, input: DecideReferralInput) -> Nullable<DecideReferralPayload> {
        change!(
            ctx,
            input,
            decide_referral,
            DecideReferralPayload,
            DecideReferral {
                referral_id: local("referralId", ReferralId::KIND, &input.referral_id)?,
                decision: input.decision,
                reason: input.reason,
                target_unit_id: optional("targetUnitId", UnitId::KIND, input.target_unit_id.as_ref())?,
                expected_version: input.expected_version,
            }
        )
    }
}
