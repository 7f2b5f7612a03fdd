//! What becomes of a plan in force: actions done, evidence of change, where goals stand.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::{Entity, Outcome, Services, Taking, optional_text, plan_detail, text};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx, plans,
        progress::{self, NewEvidence},
    },
    domain::{
        codes::{EventType, EvidenceSource, EvidenceStrength, GoalStatus, PlanChange, Role, Severity},
        ids::{ActionId, GoalId},
        plan::{Step, goal_fault},
    },
    error::{Error, Result},
};

/// Records that an action was done.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct CompletePlanAction {
    pub action_id: Uuid,
    pub done_on: NaiveDate,
    pub outcome: Option<String>,
    /// The action's version.
    pub expected_version: i32,
}

/// Records evidence of change.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordChangeEvidence {
    pub goal_id: Uuid,
    pub observed_on: NaiveDate,
    pub source: EvidenceSource,
    pub strength: EvidenceStrength,
    pub sustained_since: Option<NaiveDate>,
    pub text: String,
}

/// Settles where a goal stands.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct SetGoalStatus {
    pub goal_id: Uuid,
    pub status: GoalStatus,
    /// The goal's version.
    pub expected_version: i32,
}

impl Services {
    /// An action was done, with what came of it.
    pub async fn complete_plan_action(&self, viewer: Viewer, key: &str, input: CompletePlanAction) -> Result<Outcome> {
        let outcome = optional_text("outcome", input.outcome.as_deref(), 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "completePlanAction", key, &input, move |tx| Box::pin(complete(tx, wanted, outcome))).await
    }

    /// Evidence of change is appended, never rewritten.
    pub async fn record_change_evidence(
        &self,
        viewer: Viewer,
        key: &str,
        input: RecordChangeEvidence,
    ) -> Result<Outcome> {
        let seen = text("text", &input.text, 10_000)?;
        let wanted = input.clone();
        self.change(viewer, "recordChangeEvidence", key, &input, move |tx| Box::pin(evidence(tx, wanted, seen))).await
    }

    /// A goal is met (with evidence that change lasts), not met, given up, or open again.
    pub async fn set_goal_status(&self, viewer: Viewer, key: &str, input: SetGoalStatus) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "setGoalStatus", key, &input, move |tx| Box::pin(settle(tx, wanted))).await
    }
}

/// Goals and actions have versions of their own: several people work on one plan every day.
async fn tell(tx: &ViewerTx, taking: &Taking, entity: Entity, change: PlanChange) -> Result<()> {
    let detail = plan_detail(&taking.plan, taking.plan.status.0, change);
    let audience = taking.audience(false);
    taking
        .announcer
        .announce(tx, EventType::PlanChanged, Severity::Info, entity, Some(&taking.stamp), detail, &audience)
        .await
}

async fn complete(tx: &ViewerTx, input: CompletePlanAction, outcome: Option<String>) -> Result<Outcome> {
    let plan_id = plans::action(tx, input.action_id).await?.ok_or(Error::NotFound)?.plan_id;
    let taking = Taking::begin(tx, plan_id, Action::CompletePlanAction, Step::Progress, None).await?;
    let action = plans::action(tx, input.action_id).await?.ok_or(Error::NotFound)?;
    if taking.announcer.actor_role == Role::ParentingSupportWorker
        && action.owner_worker_id != Some(tx.viewer().worker_id.0)
    {
        return Err(Error::guard("OWN_ACTION", "This is somebody else's to do: record what you did yourself."));
    }
    Error::expect_version(action.version, input.expected_version)?;
    if action.done_on.is_some() {
        return Err(Error::conflict("This action is done already."));
    }
    if action.dropped_on.is_some() {
        return Err(Error::conflict("This action was given up: read the plan again."));
    }
    if input.done_on > taking.today() {
        return Err(Error::bad_input("doneOn", "must not lie in the future"));
    }
    taking.authorise(tx).await?;
    let version = plans::done(tx, &action, input.done_on, outcome).await?;
    let entity = Entity { kind: ActionId::KIND, id: action.id, version };
    tell(tx, &taking, entity, PlanChange::ActionDone).await?;
    Ok(Outcome { action_id: Some(action.id), ..taking.outcome() })
}

async fn evidence(tx: &ViewerTx, input: RecordChangeEvidence, seen: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let goal = plans::goal(tx, input.goal_id).await?.ok_or(Error::NotFound)?;
    let taking = Taking::begin(tx, goal.plan_id, Action::RecordChangeEvidence, Step::Progress, None).await?;
    if input.observed_on > taking.today() {
        return Err(Error::bad_input("observedOn", "must not lie in the future"));
    }
    if input.sustained_since.is_some_and(|since| since > input.observed_on) {
        return Err(Error::bad_input("sustainedSince", "must not lie after the day on which it was observed"));
    }
    taking.authorise(tx).await?;
    let new = NewEvidence {
        id: Uuid::now_v7(),
        goal_id: goal.id,
        lineage_id: goal.lineage_id,
        plan_id: goal.plan_id,
        child_id: taking.plan.child_id,
        observed_on: input.observed_on,
        source: Coded(input.source),
        strength: Coded(input.strength),
        sustained_since: input.sustained_since,
        text: seen,
        recorded_by: me.0,
        recorded_at: taking.at,
    };
    progress::evidence(tx, new).await?;
    let entity = Entity { kind: GoalId::KIND, id: goal.id, version: goal.version };
    tell(tx, &taking, entity, PlanChange::Evidence).await?;
    Ok(Outcome { goal_id: Some(goal.id), ..taking.outcome() })
}

async fn settle(tx: &ViewerTx, input: SetGoalStatus) -> Result<Outcome> {
    let plan_id = plans::goal(tx, input.goal_id).await?.ok_or(Error::NotFound)?.plan_id;
    let taking = Taking::begin(tx, plan_id, Action::SetGoalStatus, Step::Progress, None).await?;
    let goal = plans::goal(tx, input.goal_id).await?.ok_or(Error::NotFound)?;
    Error::expect_version(goal.version, input.expected_version)?;
    if goal.status.0 == input.status {
        return Err(Error::conflict("The goal stands there already."));
    }
    let sustained = progress::sustained(tx, goal.lineage_id).await?;
    if let Some((guard, why)) = goal_fault(goal.status.0, input.status, sustained) {
        return Err(Error::guard(guard, why));
    }
    taking.authorise(tx).await?;
    let version = plans::settle_goal(tx, &goal, input.status).await?;
    let entity = Entity { kind: GoalId::KIND, id: goal.id, version };
    tell(tx, &taking, entity, PlanChange::GoalSettled).await?;
    Ok(Outcome { goal_id: Some(goal.id), ..taking.outcome() })
}
