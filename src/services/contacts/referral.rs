//! What becomes of a referral: a unit, or nothing further.

use serde::Serialize;
use uuid::Uuid;

use super::{Announcer, Audience, Entity, Outcome, Post, Services, decide::qualified, stamp, text};
use crate::{
    auth::{Viewer, policy, policy::Action},
    db::{ViewerTx, cases, referrals, units, viewers},
    domain::{
        Code,
        calendar::london_day,
        codes::{CaseStatus, EventType, ReferralDecision, Severity},
        event::Detail,
        ids::ReferralId,
    },
    error::{Error, Refusal, Result},
    services::allocations::active_unit,
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
        let legal_next = if decided.0.accepts() { vec![CaseStatus::Assessment.code()] } else { Vec::new() };
        return Err(Error::Refused(Refusal::IllegalTransition { from: decided.0.code(), legal_next }));
    }
    qualified(tx).await?;
    let at = case.moment(tx.viewer().at);
    let stamp = stamp(tx, &case.core).await?;
    let announcer = Announcer::new(&standing.name, role, at);
    let entity = |version| Entity { kind: ReferralId::KIND, id: referral.id, version };
    let said = |unit: Option<&units::UnitRow>| Detail::Referral {
        contact_id: referral.contact_id,
        decision: input.decision,
        target_unit_id: unit.map(|unit| unit.id),
        target_unit_name: unit.map(|unit| unit.name.clone()),
        re_referral: referral.re_referral,
    };
    let mut audience = vec![Audience::Post(Post::FrontDoor)];
    if let Some(closes) = input.decision.closes() {
        tx.authorise(&[case.core.child_id]).await?;
        let version = referrals::decide(tx, &referral, input.decision, reason.clone(), None, at).await?;
        audience.push(Audience::Post(Post::Queue));
        announcer
            .announce(
                tx,
                EventType::ReferralClosed,
                Severity::Info,
                entity(version),
                Some(&stamp),
                said(None),
                &audience,
            )
            .await?;
        referrals::close(tx, &case, closes, reason, london_day(at)).await?;
    } else {
        let unit = match (input.target_unit_id, referral.previous_unit_id) {
            (Some(wanted), _) => Some(active_unit(tx, wanted).await?),
            (None, Some(previous)) => active_unit(tx, previous).await.ok(),
            (None, None) => None,
        };
        cases::authorise_and_touch(tx, &case, case.core.status.0).await?;
        let target = unit.as_ref().map(|unit| unit.id);
        let version = referrals::decide(tx, &referral, input.decision, reason, target, at).await?;
        audience.extend(unit.iter().flat_map(|unit| [Audience::Unit(unit.id), Audience::Area(unit.area_id)]));
        let severity = if input.decision == ReferralDecision::AcceptS47 { Severity::Urgent } else { Severity::Action };
        announcer
            .announce(
                tx,
                EventType::ReferralAccepted,
                severity,
                entity(version),
                Some(&stamp),
                said(unit.as_ref()),
                &audience,
            )
            .await?;
    }
    tracing::info!(decision = input.decision.code(), "a referral was decided");
    Ok(Outcome { case_id: Some(case.core.id), referral_id: Some(referral.id), ..Outcome::default() })
}
