//! Plans: drafted, agreed, shared, revised; what becomes of their goals; reviewed, escalated, ended.

mod draft;
mod lifecycle;
mod progress;
mod said;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

pub use draft::{ActionInput, ActionOwner, ChangePlanDraft, DraftPlan, GoalInput, PlanContent, RevisePlan};
pub use lifecycle::{AgreePlan, EndPlan, EscalatePlan, Recipient, RecordPlanReview, SettlePlanEscalation, SharePlan};
pub(super) use lifecycle::{Telling, end_line};
pub use progress::{CompletePlanAction, RecordChangeEvidence, SetGoalStatus};
pub use said::{RecordAdoptionStep, RecordPlanView};

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, managers_of, stamp, units_of},
    illegal, optional_text, text,
};
use crate::{
    auth::{
        policy,
        policy::Action,
        viewer::{Holding, Standing},
    },
    db::{
        ViewerTx, cases,
        cases::{Locked, Parts},
        conferences, involvements,
        outbox::Audience,
        plans::{self, PlanCore},
        viewers,
    },
    domain::{
        calendar::london_day,
        codes::{Capacity, EventType, PlanChange, PlanStatus, Severity},
        event::Detail,
        ids::{PlanId, WorkerId},
        plan::{Step, legal_next},
    },
    error::{Error, Result},
};

/// The parts beside the unit that hear of plans. Who hears of one may not yet act on it: see [`named_for`].
const PARTS: [Capacity; 3] = [Capacity::ParentingSupport, Capacity::Iro, Capacity::PersonalAdviser];

/// Whom an action on a plan is left to by name: the right part for it, not any.
fn named_for(action: Action, parts: &Parts, chairs: &[Uuid]) -> Vec<WorkerId> {
    let named: Vec<Uuid> = match action {
        Action::AgreeProtectionPlan => chairs.to_vec(),
        Action::ReviewCarePlan => parts.of(&[Capacity::Iro]).collect(),
        Action::CompletePlanAction | Action::RecordChangeEvidence => parts.of(&[Capacity::ParentingSupport]).collect(),
        Action::RecordPlanView => parts.of(&[Capacity::Iro]).chain(chairs.iter().copied()).collect(),
        _ => Vec::new(),
    };
    named.into_iter().map(WorkerId).collect()
}

/// What events say of a plan.
pub(super) fn plan_detail(plan: &PlanCore, status: PlanStatus, change: PlanChange) -> Detail {
    Detail::Plan {
        kind: plan.kind.0,
        status,
        start_on: plan.start_on,
        end_on: plan.end_on,
        review_due_on: plan.review_due_on,
        agreed_change_by: plan.agreed_change_by,
        revision: Some(plan.revision),
        change: Some(change),
    }
}

/// A step of a plan that policy and the state machine allow, about to be taken.
struct Taking {
    plan: PlanCore,
    case: Locked,
    standing: Standing,
    holding: Holding,
    /// Who hears of the plan by name.
    named: Vec<Uuid>,
    /// The status after it.
    status: PlanStatus,
    at: DateTime<Utc>,
    stamp: Stamp,
    announcer: Announcer,
}

impl Taking {
    /// Locks the plan's case and asks, in this order: policy, version, status. Hidden or missing: NOT_FOUND.
    async fn begin(
        tx: &ViewerTx,
        plan_id: Uuid,
        action: Action,
        step: Step,
        expected_version: Option<i32>,
    ) -> Result<Self> {
        let me = tx.viewer().worker_id;
        let found = plans::get(tx, plan_id).await?.ok_or(Error::NotFound)?;
        // Who gives parenting support sees the plans, and not the case.
        let (case, parts, seen) = match cases::lock(tx, found.case_id).await {
            Err(Error::NotFound) => {
                let (case, parts) = cases::lock_part(tx, found.case_id).await?;
                (case, parts, false)
            }
            locked => {
                let case = locked?;
                let workers = involvements::parts(tx, found.case_id).await?;
                (case, Parts { workers, chairs: Vec::new() }, true)
            }
        };
        // Again: it may have changed while the case was waited for.
        let plan = plans::get(tx, plan_id).await?.ok_or(Error::NotFound)?;
        let standing = viewers::standing(tx).await?;
        // Whoever chaired the conference that made the plan, and whoever chaired the last one that carried it on.
        let chairs = match plan.conference_id {
            None => Vec::new(),
            Some(_) if !seen => parts.chairs.clone(),
            Some(conference) => {
                let made = conferences::chair_of(tx, conference).await?;
                made.into_iter().chain(conferences::last_chair_of_child(tx, plan.child_id).await?).collect()
            }
        };
        let holding = Holding { named: named_for(action, &parts, &chairs), ..case.holding.clone() };
        let named = parts.of(&PARTS).chain(chairs).collect();
        let role = policy::require(&standing, me, &holding, action)?;
        if let Some(expected) = expected_version {
            Error::expect_version(plan.version, expected)?;
        }
        let status = plan.status.0;
        let next = step.from_status(status).ok_or_else(|| illegal(status, legal_next(status)))?;
        let at = case.moment(tx.viewer().at);
        let stamp = stamp(tx, &case.core).await?;
        let announcer = Announcer::new(&standing.name, role, at);
        Ok(Self { plan, case, standing, holding, named, status: next, at, stamp, announcer })
    }

    fn today(&self) -> NaiveDate {
        london_day(self.at)
    }

    fn version(&self) -> i32 {
        self.plan.version + 1
    }

    /// Whether the viewer may also do this.
    fn may(&self, me: WorkerId, action: Action) -> bool {
        policy::require(&self.standing, me, &self.holding, action).is_ok()
    }

    async fn authorise(&self, tx: &ViewerTx) -> Result<()> {
        tx.authorise(&[self.plan.child_id]).await
    }

    /// The units that work the case, who has a part beside them, the chair of the plan's conference, and, when it matters to
    /// them, the managers.
    fn audience(&self, managers: bool) -> Vec<Audience> {
        let mut audience = units_of(&self.case);
        audience.extend(self.named.iter().copied().map(Audience::Worker));
        if managers {
            audience.extend(managers_of(&self.case));
        }
        audience
    }

    async fn tell(
        &self,
        tx: &ViewerTx,
        plan: &PlanCore,
        change: PlanChange,
        severity: Severity,
        managers: bool,
    ) -> Result<()> {
        let of = if change == PlanChange::Agreed { EventType::PlanAgreed } else { EventType::PlanChanged };
        let entity = Entity { kind: PlanId::KIND, id: plan.id, version: plan.version };
        let detail = plan_detail(plan, plan.status.0, change);
        let audience = self.audience(managers);
        self.announcer.announce(tx, of, severity, entity, Some(&self.stamp), detail, &audience).await
    }

    fn outcome(&self) -> Outcome {
        Outcome { case_id: Some(self.case.core.id), plan_id: Some(self.plan.id), ..Outcome::default() }
    }
}
