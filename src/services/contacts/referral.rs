//! What becomes of a referral: a unit, or nothing further.

use serde::Serialize;
use uuid::Uuid;

use super::{Announcer, Audience, Entity, Outcome, Post, Services, Stamp, qualified, stamp, text};
use crate::{
    auth::{Viewer, policy, policy::Action},
    db::{ViewerTx, cases, enquiries, referrals, units::UnitRow, viewers},
    domain::{
        Code,
        calendar::london_day,
        codes::{EventType, ReferralDecision, Severity},
        event::Detail,
        ids::ReferralId,
    },
    error::{Error, Refusal, Result},
    services::allocations::{active_unit, permanence_plan, takes_permanence_only},
};

/// Accepts a referral, or closes it.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct DecideReferral {
    pub referral_id: Uuid,
    pub decision: ReferralDecision,
    pub reason: String,
    /// The unit that it is offered to; of a child who comes back within six months the one that held the case before, when
    /// missing.
    pub target_unit_id: Option<Uuid>,
    /// The case's version.
    pub expected_version: i32,
}

impl Services {
    /// The case waits for a unit, or is closed.
    pub async fn decide_referral(&self, viewer: Viewer, key: &str, input: DecideReferral) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        if input.target_unit_id.is_some() && !input.decision.accepts() {
            return Err(Error::bad_input("targetUnitId", "belongs to a referral that is accepted"));
        }
        let wanted = input.clone();
        self.change(viewer, "decideReferral", key, &input, move |tx| Box::pin(decide(tx, wanted, reason))).await
    }
}

/// The unit that a referral is offered to: the one that is named, or else the one that knew the child, if it takes cases.
pub(super) async fn offered(tx: &ViewerTx, named: Option<Uuid>, previous: Option<Uuid>) -> Result<Option<UnitRow>> {
    let unit = match (named, previous) {
        (Some(named), _) => active_unit(tx, named).await?,
        (None, Some(previous)) => match active_unit(tx, previous).await {
            Ok(unit) if !takes_permanence_only(unit.service.0) => unit,
            Ok(_) | Err(Error::Refused(_)) => return Ok(None),
            Err(error) => return Err(error),
        },
        (None, None) => return Ok(None),
    };
    if takes_permanence_only(unit.service.0) {
        return Err(permanence_plan());
    }
    Ok(Some(unit))
}

/// What is told of a referral that was accepted.
pub(super) struct Accepted {
    pub(super) referral_id: Uuid,
    pub(super) version: i32,
    pub(super) contact_id: Uuid,
    pub(super) decision: ReferralDecision,
    pub(super) re_referral: bool,
}

impl Accepted {
    /// Tells the front door, and the unit that it is offered to, with its managers.
    pub(super) async fn announce(
        self,
        tx: &ViewerTx,
        announcer: &Announcer,
        stamp: &Stamp,
        unit: Option<&UnitRow>,
    ) -> Result<()> {
        let detail = Detail::Referral {
            contact_id: self.contact_id,
            decision: self.decision,
            target_unit_id: unit.map(|unit| unit.id),
            target_unit_name: unit.map(|unit| unit.name.clone()),
            re_referral: self.re_referral,
        };
        let entity = Entity { kind: ReferralId::KIND, id: self.referral_id, version: self.version };
        let mut audience = vec![Audience::Post(Post::FrontDoor)];
        audience.extend(unit.iter().flat_map(|unit| [Audience::Unit(unit.id), Audience::Area(unit.area_id)]));
        let severity = if self.decision == ReferralDecision::AcceptS47 { Severity::Urgent } else { Severity::Action };
        announcer.announce(tx, EventType::ReferralAccepted, severity, entity, Some(stamp), detail, &audience).await
    }
}

async fn decide(tx: &ViewerTx, input: DecideReferral, reason: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let referral = referrals::get(tx, input.referral_id).await?;
    let case = cases::lock(tx, referral.case_id).await?;
    // Again under the lock.
    let referral = referrals::get(tx, input.referral_id).await?;
    let standing = viewers::standing(tx).await?;
    let role = policy::require(&standing, me, &case.holding, Action::DecideReferral)?;
    case.expect_version(input.expected_version)?;
    if let Some(decided) = referral.decision {
        return Err(Error::Refused(Refusal::IllegalTransition { from: decided.0.code(), legal_next: Vec::new() }));
    }
    qualified(tx).await?;
    let at = case.moment(tx.viewer().at);
    let stamp = stamp(tx, &case.core).await?;
    let announcer = Announcer::new(&standing.name, role, at);
    if let Some(closes) = input.decision.closes() {
        if enquiries::was_made(tx, case.core.id).await? {
            return Err(Error::guard(
                "ENQUIRY_OVER",
                "A section 47 enquiry about the child was begun: accept the referral, so that a unit goes on with it.",
            ));
        }
        if !referrals::referrer_told(tx, referral.id).await? {
            return Err(Error::guard(
                "REFERRER_INFORMED",
                "Tell who made the contact what becomes of it and record that, or why they cannot be told: afterwards nobody \
                 works with the child who could.",
            ));
        }
        tx.authorise(&[case.core.child_id]).await?;
        let version = referrals::decide(tx, &referral, input.decision, reason.clone(), None, at).await?;
        let detail = Detail::Referral {
            contact_id: referral.contact_id,
            decision: input.decision,
            target_unit_id: None,
            target_unit_name: None,
            re_referral: referral.re_referral,
        };
        let entity = Entity { kind: ReferralId::KIND, id: referral.id, version };
        let audience = [Audience::Post(Post::FrontDoor), Audience::Post(Post::Queue)];
        announcer
            .announce(tx, EventType::ReferralClosed, Severity::Info, entity, Some(&stamp), detail, &audience)
            .await?;
        let closure = cases::Closure { reason: closes, rationale: reason, safe_at_home: None };
        cases::close(tx, &case, closure, true, london_day(at)).await?;
    } else {
        let unit = offered(tx, input.target_unit_id, referral.previous_unit_id).await?;
        cases::authorise_and_touch(tx, &case, case.core.status.0).await?;
        let target = unit.as_ref().map(|unit| unit.id);
        let version = referrals::decide(tx, &referral, input.decision, reason, target, at).await?;
        let accepted = Accepted {
            referral_id: referral.id,
            version,
            contact_id: referral.contact_id,
            decision: input.decision,
            re_referral: referral.re_referral,
        };
        accepted.announce(tx, &announcer, &stamp, unit.as_ref()).await?;
    }
    tracing::info!(decision = input.decision.code(), "a referral was decided");
    Ok(Outcome { case_id: Some(case.core.id), referral_id: Some(referral.id), ..Outcome::default() })
}
