//! The work of parenting support workers: asked for, taken on or not, ended.

use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, permitted, queue_of, stamp, units_of},
    illegal,
    involvements::not_kept_out,
    text,
};
use crate::{
    auth::{Viewer, policy::Action, viewer::Holding},
    db::{
        Coded, ViewerTx, cases,
        cases::Locked,
        involvements,
        outbox::Audience,
        plans,
        support::{self, NewSupport, SupportChange, SupportRow},
        workers,
    },
    domain::{
        codes::{Capacity, ChangeReason, EventType, GoalStatus, PlanStatus, Role, Severity, SupportStatus},
        event::Detail,
        ids::{InvolvementId, SupportRequestId, WorkerId},
        plan::SupportStep,
    },
    error::{Error, Result},
};

/// Asks a parenting support worker.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RequestSupport {
    pub case_id: Uuid,
    pub worker_id: Uuid,
    pub asked_for: String,
    pub goal_ids: Vec<Uuid>,
}

/// Takes it on.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AcceptSupport {
    pub request_id: Uuid,
    pub expected_version: i32,
}

/// Says no, or that it is not needed any more.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RefuseSupport {
    pub request_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

/// The work is over.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EndSupport {
    pub request_id: Uuid,
    pub outcome: String,
    pub expected_version: i32,
}

const MAX_GOALS: usize = 30;

impl Services {
    /// A parenting support worker is asked to help the family make some changes. They see who the child is until they answer.
    pub async fn request_support(&self, viewer: Viewer, key: &str, input: RequestSupport) -> Result<Outcome> {
        let asked_for = text("askedFor", &input.asked_for, 10_000)?;
        if input.goal_ids.len() > MAX_GOALS {
            return Err(Error::bad_input("goalIds", format!("must be at most {MAX_GOALS}")));
        }
        let wanted = input.clone();
        self.change(viewer, "requestSupport", key, &input, move |tx| Box::pin(ask(tx, wanted, asked_for))).await
    }

    /// They take it on, and have a part in the case from now on: they see the child's plans.
    pub async fn accept_support(&self, viewer: Viewer, key: &str, input: AcceptSupport) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "acceptSupport", key, &input, move |tx| Box::pin(accept(tx, wanted))).await
    }

    /// They say no, and see nothing of the child any more.
    pub async fn decline_support(&self, viewer: Viewer, key: &str, input: RefuseSupport) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        let step = (Action::AnswerSupport, SupportStep::Decline);
        self.change(viewer, "declineSupport", key, &input, move |tx| Box::pin(refuse(tx, wanted, step, reason))).await
    }

    /// It is not needed any more, before they answered.
    pub async fn withdraw_support(&self, viewer: Viewer, key: &str, input: RefuseSupport) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        let step = (Action::WithdrawSupport, SupportStep::Withdraw);
        self.change(viewer, "withdrawSupport", key, &input, move |tx| Box::pin(refuse(tx, wanted, step, reason))).await
    }

    /// The work is over, with what came of it: the part in the case ends.
    pub async fn end_support(&self, viewer: Viewer, key: &str, input: EndSupport) -> Result<Outcome> {
        let outcome = text("outcome", &input.outcome, 10_000)?;
        let wanted = input.clone();
        self.change(viewer, "endSupport", key, &input, move |tx| Box::pin(end(tx, wanted, outcome))).await
    }
}

async fn ask(tx: &ViewerTx, input: RequestSupport, asked_for: String) -> Result<Outcome> {
    let case = cases::lock(tx, input.case_id).await?;
    let announcer = permitted(tx, &case.holding, Action::AskForSupport).await?.with(&case);
    case.expect_open()?;
    let worker = workers::get(tx, input.worker_id).await?.ok_or(Error::NotFound)?;
    let mut goals = Vec::with_capacity(input.goal_ids.len());
    for id in input.goal_ids {
        let goal = plans::goal(tx, id).await?.ok_or(Error::NotFound)?;
        let plan = plans::get(tx, goal.plan_id).await?.ok_or(Error::NotFound)?;
        if plan.case_id != case.core.id || goals.contains(&id) {
            return Err(Error::bad_input("goalIds", "must name goals of this case's plans, each once"));
        }
        if goal.status.0 != GoalStatus::Open || matches!(plan.status.0, PlanStatus::Superseded | PlanStatus::Ended) {
            return Err(Error::guard(
                "GOAL_OPEN",
                "Nothing is to be done for one of the goals any more: leave it out.",
            ));
        }
        goals.push(id);
    }
    if !worker.active || !workers::holds_post(tx, worker.id, Role::ParentingSupportWorker).await? {
        return Err(Error::guard(
            "PARENTING_SUPPORT_WORKER",
            "This is no parenting support worker who works here now: ask another, or do the work in the unit.",
        ));
    }
    let stamp = stamp(tx, &case.core).await?;
    tx.authorise(&[case.core.child_id]).await?;
    not_kept_out(tx, case.core.child_id, worker.id).await?;
    let id = SupportRequestId::new().0;
    let new = NewSupport {
        id,
        case_id: case.core.id,
        child_id: case.core.child_id,
        worker_id: worker.id,
        asked_for,
        requested_by: tx.viewer().worker_id.0,
        requested_at: announcer.at,
    };
    support::ask(tx, new, &goals).await?;
    let request = support::get(tx, id).await?;
    let taking = Taking { request, case, announcer, stamp };
    taking.tell(tx, Severity::Action).await?;
    Ok(taking.outcome())
}

/// A step of a request that policy and the state machine allow, about to be taken.
struct Taking {
    /// As it is told of.
    request: SupportRow,
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
        step: SupportStep,
        expected_version: i32,
    ) -> Result<(Self, SupportStatus)> {
        let found = support::get(tx, id).await?;
        // Who is asked acts in the case without seeing it.
        let (case, parts) = match cases::lock(tx, found.case_id).await {
            Err(Error::NotFound) => {
                let (case, parts) = cases::lock_part(tx, found.case_id).await?;
                (case, Some(parts))
            }
            locked => (locked?, None),
        };
        // Again: it may have changed while the case was waited for.
        let request = support::get(tx, id).await?;
        let holding = Holding { named: vec![WorkerId(request.worker_id)], ..case.holding.clone() };
        let announcer = permitted(tx, &holding, action).await?.with(&case);
        Error::expect_version(request.version, expected_version)?;
        let status = request.status.0;
        let next = step.from_status(status).ok_or_else(|| illegal(status, status.legal_next()))?;
        let stamp = stamp(tx, &case.core).await?;
        let stamp = match &parts {
            Some(parts) => stamp.of_parts(parts),
            None => stamp,
        };
        Ok((Self { request, case, announcer, stamp }, next))
    }

    /// The change as it is told of.
    fn taken(&mut self, status: SupportStatus) {
        self.request.status = Coded(status);
        self.request.version += 1;
    }

    /// The units that work the case, or whoever sees the queue, who asked and who was asked; what takes the child out of their
    /// sight tells them so.
    fn audience(&self) -> Vec<Audience> {
        let asked = self.request.worker_id;
        let mut audience: Vec<_> = units_of(&self.case).into_iter().chain(queue_of(&self.case)).collect();
        audience.push(Audience::Worker(self.request.requested_by));
        audience.push(match self.request.status.0 {
            SupportStatus::Requested | SupportStatus::Accepted => Audience::Worker(asked),
            SupportStatus::Declined | SupportStatus::Withdrawn | SupportStatus::Ended => Audience::Leaving(asked),
        });
        audience
    }

    async fn tell(&self, tx: &ViewerTx, severity: Severity) -> Result<()> {
        let one = &self.request;
        let detail = Detail::Support { worker_id: one.worker_id, status: one.status.0 };
        let entity = Entity { kind: SupportRequestId::KIND, id: one.id, version: one.version };
        let (of, audience) = (EventType::SupportChanged, self.audience());
        self.announcer.announce(tx, of, severity, entity, Some(&self.stamp), detail, &audience).await
    }

    /// The worker's part in the case began or ended.
    async fn tell_of_part(&self, tx: &ViewerTx, id: Uuid, version: i32, reason: Option<ChangeReason>) -> Result<()> {
        let worker = workers::get(tx, self.request.worker_id).await?.ok_or(Error::NotFound)?;
        let begun = reason.is_none();
        let detail = Detail::Involvement {
            worker_id: begun.then_some(worker.id),
            worker_name: begun.then_some(worker.name),
            previous_worker_id: (!begun).then_some(worker.id),
            capacity: Capacity::ParentingSupport,
            reason,
        };
        let entity = Entity { kind: InvolvementId::KIND, id, version };
        let (of, audience) = (EventType::InvolvementChanged, self.audience());
        self.announcer.announce(tx, of, Severity::Info, entity, Some(&self.stamp), detail, &audience).await
    }

    fn outcome(&self) -> Outcome {
        Outcome { case_id: Some(self.case.core.id), support_id: Some(self.request.id), ..Outcome::default() }
    }
}

async fn accept(tx: &ViewerTx, input: AcceptSupport) -> Result<Outcome> {
    let (action, step) = (Action::AnswerSupport, SupportStep::Accept);
    let (mut taking, status) = Taking::begin(tx, input.request_id, action, step, input.expected_version).await?;
    taking.case.expect_open()?;
    let (request, at) = (&taking.request, taking.announcer.at);
    tx.authorise(&[request.child_id]).await?;
    let part = InvolvementId::new().0;
    let who = (request.worker_id, Capacity::ParentingSupport);
    // Before the request is answered: with it goes the sight that it gave.
    involvements::start(tx, part, (request.case_id, request.child_id), who, at).await?;
    let change = SupportChange {
        version: request.version + 1,
        status: Some(Coded(status)),
        answered_at: Some(at.max(request.requested_at)),
        involvement_id: Some(part),
        ..SupportChange::default()
    };
    support::change(tx, request.id, change).await?;
    taking.taken(status);
    taking.tell(tx, Severity::Action).await?;
    taking.tell_of_part(tx, part, 1, None).await?;
    Ok(Outcome { involvement_id: Some(part), ..taking.outcome() })
}

async fn refuse(
    tx: &ViewerTx,
    input: RefuseSupport,
    (action, step): (Action, SupportStep),
    reason: String,
) -> Result<Outcome> {
    let (mut taking, status) = Taking::begin(tx, input.request_id, action, step, input.expected_version).await?;
    tx.authorise(&[taking.request.child_id]).await?;
    let change = SupportChange {
        version: taking.request.version + 1,
        status: Some(Coded(status)),
        answered_at: Some(taking.announcer.at.max(taking.request.requested_at)),
        reason: Some(reason),
        ..SupportChange::default()
    };
    support::change(tx, taking.request.id, change).await?;
    taking.taken(status);
    taking.tell(tx, Severity::Action).await?;
    Ok(taking.outcome())
}

async fn end(tx: &ViewerTx, input: EndSupport, outcome: String) -> Result<Outcome> {
    let (action, step) = (Action::EndSupport, SupportStep::End);
    let (mut taking, status) = Taking::begin(tx, input.request_id, action, step, input.expected_version).await?;
    let part = involvements::get(tx, taking.request.involvement_id.ok_or(Error::NotFound)?).await?;
    let at = taking.announcer.at.max(part.started_at).max(taking.request.answered_at.unwrap_or(part.started_at));
    tx.authorise(&[taking.request.child_id]).await?;
    let change = SupportChange {
        version: taking.request.version + 1,
        status: Some(Coded(status)),
        ended_at: Some(at),
        ended_by: Some(tx.viewer().worker_id.0),
        outcome: Some(outcome),
        ..SupportChange::default()
    };
    support::change(tx, taking.request.id, change).await?;
    taking.taken(status);
    taking.tell(tx, Severity::Action).await?;
    taking.tell_of_part(tx, part.id, part.version + 1, Some(ChangeReason::Others)).await?;
    // Last: with it goes their sight.
    if part.ended_at.is_none() {
        involvements::end(tx, part.id, at, ChangeReason::Others).await?;
    }
    Ok(taking.outcome())
}
