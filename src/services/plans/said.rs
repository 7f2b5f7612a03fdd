//! What the family says of a plan, and how far a plan for adoption has come.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::{Outcome, Services, Taking, text};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx, children,
        plans::{self, PlanUpdate},
        progress::{self, NewAdoptionStep, NewPlanView},
    },
    domain::{
        codes::{AdoptionStep, PlanChange, PlanKind, PlanStance, ReversalReason, Severity},
        plan::{Step, adoption_fault},
    },
    error::{Error, Result},
};

/// Records what somebody says of a plan.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordPlanView {
    pub plan_id: Uuid,
    pub person_id: Uuid,
    pub stance: PlanStance,
    pub words: String,
    pub said_on: NaiveDate,
}

/// Records how far a plan for adoption has come.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordAdoptionStep {
    pub plan_id: Uuid,
    pub step: AdoptionStep,
    pub happened_on: NaiveDate,
    /// With REVERSED.
    pub reversal_reason: Option<ReversalReason>,
    pub expected_version: i32,
}

impl Services {
    /// What the child, a parent or somebody else of the family says of a plan, or why they could not be asked. Appended, never
    /// rewritten.
    pub async fn record_plan_view(&self, viewer: Viewer, key: &str, input: RecordPlanView) -> Result<Outcome> {
        let words = text("words", &input.words, 10_000)?;
        let wanted = input.clone();
        self.change(viewer, "recordPlanView", key, &input, move |tx| Box::pin(view(tx, wanted, words))).await
    }

    /// A step of a plan for adoption, on the day on which it happened. A step that was recorded wrongly is recorded again.
    pub async fn record_adoption_step(&self, viewer: Viewer, key: &str, input: RecordAdoptionStep) -> Result<Outcome> {
        match (input.step, input.reversal_reason) {
            (AdoptionStep::Reversed, None) => {
                return Err(Error::bad_input("reversalReason", "is needed with REVERSED: why?"));
            }
            (AdoptionStep::Reversed, Some(_)) | (_, None) => {}
            (_, Some(_)) => return Err(Error::bad_input("reversalReason", "belongs to REVERSED only: leave it out")),
        }
        let wanted = input.clone();
        self.change(viewer, "recordAdoptionStep", key, &input, move |tx| Box::pin(step(tx, wanted))).await
    }
}

async fn view(tx: &ViewerTx, input: RecordPlanView, words: String) -> Result<Outcome> {
    // Appended by several people at a time: no version of the plan.
    let taking = Taking::begin(tx, input.plan_id, Action::RecordPlanView, Step::Hear, None).await?;
    if !children::person_in_sight(tx, input.person_id).await? {
        return Err(Error::NotFound);
    }
    if input.said_on > taking.today() {
        return Err(Error::bad_input("saidOn", "must not lie in the future"));
    }
    if input.said_on < taking.case.core.opened_on {
        return Err(Error::bad_input("saidOn", "must not lie before the case was opened"));
    }
    taking.authorise(tx).await?;
    let new = NewPlanView {
        id: Uuid::now_v7(),
        plan_id: taking.plan.id,
        child_id: taking.plan.child_id,
        person_id: input.person_id,
        stance: Coded(input.stance),
        words,
        said_on: input.said_on,
        recorded_by: tx.viewer().worker_id.0,
        recorded_at: taking.at,
    };
    progress::view(tx, new).await?;
    taking.tell(tx, &taking.plan, PlanChange::ViewRecorded, Severity::Info, false).await?;
    Ok(taking.outcome())
}

async fn step(tx: &ViewerTx, input: RecordAdoptionStep) -> Result<Outcome> {
    let taking =
        Taking::begin(tx, input.plan_id, Action::RecordAdoptionStep, Step::Progress, Some(input.expected_version))
            .await?;
    if taking.plan.kind.0 != PlanKind::Adoption {
        return Err(Error::guard("PLAN_FOR_ADOPTION", "These steps belong to a plan for adoption: choose that one."));
    }
    if input.happened_on > taking.today() {
        return Err(Error::bad_input("happenedOn", "must not lie in the future"));
    }
    let before = progress::adoption_so_far(tx, taking.plan.line_id).await?;
    if let Some((guard, why)) = adoption_fault(input.step, input.happened_on, &before) {
        return Err(Error::guard(guard, why));
    }
    taking.authorise(tx).await?;
    let new = NewAdoptionStep {
        id: Uuid::now_v7(),
        plan_id: taking.plan.id,
        child_id: taking.plan.child_id,
        step: Coded(input.step),
        happened_on: input.happened_on,
        reversal_reason: input.reversal_reason.map(Coded),
        recorded_by: tx.viewer().worker_id.0,
        recorded_at: taking.at,
    };
    progress::adoption_step(tx, new).await?;
    plans::update(tx, taking.plan.id, PlanUpdate { version: taking.version(), ..PlanUpdate::default() }).await?;
    let plan = plans::get(tx, taking.plan.id).await?.ok_or(Error::NotFound)?;
    taking.tell(tx, &plan, PlanChange::AdoptionStep, Severity::Action, true).await?;
    Ok(taking.outcome())
}
