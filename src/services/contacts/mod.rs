//! The front door: contacts are taken down, identified, decided; referrals are accepted or closed.

mod decide;
mod identify;
mod record;
mod referral;

use chrono::{DateTime, Utc};

pub use decide::{ArrangeConsultation, ConsultationInput, DecideContact, Informing, ReferralInput};
pub use identify::{MatchContactChild, RegisterContactChild};
pub use record::{PersonInput, RecordConsultation, RecordContact, RecordReferrerInformed, TriageContact};
pub use referral::DecideReferral;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, permitted, stamp},
    illegal,
    involvements::qualified,
    optional_text, text,
};
use crate::{
    auth::{policy::Action, viewer::Holding},
    db::{
        ViewerTx,
        contacts::{self, ContactCore, Informed},
        outbox::{Audience, Post},
    },
    domain::{
        codes::{ContactDecision, ContactStatus, ContactUrgency, EventType, Severity},
        event::{ContactDetail, Detail},
        ids::ContactId,
    },
    error::{Error, Result},
};

/// How long ago something may have happened that is recorded now, in days.
const BACKDATED_DAYS: i64 = 31;

/// What events say of a contact.
fn detail(contact: &ContactCore, urgency: Option<ContactUrgency>, decision: Option<ContactDecision>) -> Detail {
    Detail::Contact(ContactDetail {
        contact_id: contact.id,
        contact_no: contact.contact_no,
        channel: contact.channel.0,
        source: contact.source.0,
        urgency: urgency.or(contact.urgency.map(|one| one.0)),
        status: decision.map_or(contact.status.0, ContactDecision::leads_to),
        decision: decision.or(contact.decision.map(|one| one.0)),
    })
}

/// A contact in sight that the viewer may do this to, locked, in the version that they read and not decided yet.
async fn open_contact(
    tx: &ViewerTx,
    id: uuid::Uuid,
    action: Action,
    expected_version: i32,
) -> Result<(ContactCore, Announcer)> {
    let contact = contacts::lock(tx, id).await?;
    let announcer = permitted(tx, &Holding::default(), action).await?;
    contact.expect_version(expected_version)?;
    if contact.status.0 != ContactStatus::Contact {
        return Err(illegal(contact.status.0, contact.status.0.legal_next()));
    }
    Ok((contact, announcer))
}

/// Tells the front door of a contact.
async fn tell(
    tx: &ViewerTx,
    announcer: &Announcer,
    of: EventType,
    severity: Severity,
    (contact, version): (&ContactCore, i32),
    detail: Detail,
) -> Result<()> {
    let entity = Entity { kind: ContactId::KIND, id: contact.id, version };
    announcer.announce(tx, of, severity, entity, None, detail, &[Audience::Post(Post::FrontDoor)]).await
}

/// A moment that has come, and not too long ago.
fn past(field: &'static str, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if at > now {
        return Err(Error::bad_input(field, "must not lie in the future"));
    }
    if at < now - chrono::TimeDelta::days(BACKDATED_DAYS) {
        return Err(Error::bad_input(field, format!("must not lie more than {BACKDATED_DAYS} days back")));
    }
    Ok(at)
}

/// Whether the caller was told, as a decision or a later note says it.
fn informed(contact: &ContactCore, said: Option<&Informing>, now: DateTime<Utc>) -> Result<Informed> {
    use crate::domain::codes::{NotInformedReason, ReferralSource};
    let anonymous = contact.source.0 == ReferralSource::Anonymous;
    match said {
        Some(Informing::At(at)) => {
            if anonymous {
                return Err(Error::bad_input("referrerInformedAt", "must be left out: nobody knows who called"));
            }
            let at = past("referrerInformedAt", *at, now)?;
            if at < contact.received_at {
                return Err(Error::bad_input("referrerInformedAt", "must not lie before the contact"));
            }
            Ok(Informed::At(at))
        }
        Some(Informing::Never(NotInformedReason::Anonymous)) if !anonymous => {
            Err(Error::bad_input("referrerNotInformed", "must be another reason: the caller is known"))
        }
        Some(Informing::Never(why)) => Ok(Informed::Never(*why)),
        None if anonymous => Ok(Informed::Never(NotInformedReason::Anonymous)),
        None => Ok(Informed::Not),
    }
}
