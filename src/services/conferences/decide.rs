//! The chair's decision for each child, and what goes out afterwards.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Announcer, Entity, Outcome, Services, Stamp, Taking, Telling, end_line, managers_of, optional_text, plan_detail,
    sitting::{latest_sitting, quorum_of},
    stamp, units_of,
};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx, assessments, cases,
        cases::Locked,
        children,
        conferences::{self, ConferenceChange, ConferenceChildCore, DecisionChange},
        enquiries,
        plans::{self, NewPlan, Particulars, PlanCore},
        progress::{self, NewReview},
        sittings::{self, Ending},
        units,
    },
    domain::{
        calendar::london_day,
        codes::{
            AbuseCategory, CaseStatus, ConferenceDecision, ConferenceRecord, EventType, PlanChange, PlanKind,
            PlanStatus, QuorumException, Service, Severity, SittingOutcome, TransferKind,
        },
        conference::{Step, decision_fault, exception_fault},
        event::{ConferenceDetail, Detail},
        ids::PlanId,
    },
    error::{Error, Result},
};

/// What was decided for one child.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ChildDecision {
    pub child_id: Uuid,
    pub decision: ConferenceDecision,
    pub category: Option<AbuseCategory>,
    pub outline_plan: Option<String>,
    pub next_review_on: Option<NaiveDate>,
}

/// Records what a conference decided, for every child.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct DecideConference {
    pub conference_id: Uuid,
    pub decisions: Vec<ChildDecision>,
    /// Why the chair goes on without a quorum.
    pub quorum_exception: Option<QuorumException>,
    pub expected_version: i32,
}

/// Records that outline plans or minutes went out.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct IssueConferenceRecord {
    pub conference_id: Uuid,
    pub record: ConferenceRecord,
    /// Now when missing.
    pub sent_at: Option<DateTime<Utc>>,
    pub expected_version: i32,
}

impl Services {
    /// Records the chair's decision for every child. PLAN makes the child protection plan, dated the conference, and
    /// ends an open child in need plan; END ends the plan and steps down to a child in need plan from the same day.
    pub async fn decide_conference(&self, viewer: Viewer, key: &str, input: DecideConference) -> Result<Outcome> {
        let mut outlines = Vec::with_capacity(input.decisions.len());
        for decision in &input.decisions {
            outlines.push(optional_text("outlinePlan", decision.outline_plan.as_deref(), 20_000)?);
        }
        let wanted = input.clone();
        self.change(viewer, "decideConference", key, &input, move |tx| Box::pin(decide(tx, wanted, outlines))).await
    }

    /// The outline plans go out first, the minutes after them; with the minutes the conference is over.
    pub async fn issue_conference_record(
        &self,
        viewer: Viewer,
        key: &str,
        input: IssueConferenceRecord,
    ) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "issueConferenceRecord", key, &input, move |tx| Box::pin(issue(tx, wanted))).await
    }
}

async fn issue(tx: &ViewerTx, input: IssueConferenceRecord) -> Result<Outcome> {
    let step = match input.record {
        ConferenceRecord::OutlinePlan => Step::IssueOutlinePlan,
        ConferenceRecord::Minutes => Step::IssueMinutes,
    };
    let action = Action::IssueConferenceRecord;
    let taking = Taking::begin(tx, input.conference_id, action, step, Some(input.expected_version)).await?;
    let sent_at = input.sent_at.unwrap_or(taking.at);
    if sent_at > taking.at {
        return Err(Error::bad_input("sentAt", "must not lie in the future"));
    }
    let conference = &taking.about.conference;
    let change = match (input.record, conference.outline_plan_sent_at) {
        (ConferenceRecord::OutlinePlan, Some(_)) => {
            return Err(Error::conflict("The outline plans went out already: read the conference again."));
        }
        (ConferenceRecord::Minutes, None) => {
            return Err(Error::guard("OUTLINE_PLAN_SENT", "The outline plans go out before the minutes."));
        }
        (_, Some(before)) if sent_at < before => {
            return Err(Error::bad_input("sentAt", "must not lie before the outline plans went out"));
        }
        (_, None) if conference.held_at.is_some_and(|held| sent_at < held) => {
            return Err(Error::bad_input("sentAt", "must not lie before the conference"));
        }
        (ConferenceRecord::OutlinePlan, None) => {
            ConferenceChange { outline_plan_sent_at: Some(sent_at), ..taking.change() }
        }
        (ConferenceRecord::Minutes, Some(_)) => ConferenceChange { minutes_sent_at: Some(sent_at), ..taking.change() },
    };
    taking.take(tx, change, None).await?;
    let audience = taking.about.audience();
    taking.tell(tx, EventType::ConferenceIssued, Severity::Info, taking.detail(), &audience).await?;
    Ok(taking.outcome())
}

/// One child's decision, with what it is about.
struct Decided<'a> {
    child: &'a ConferenceChildCore,
    case: &'a Locked,
    wanted: ChildDecision,
    outline: Option<String>,
    open_plan: Option<PlanCore>,
    stamp: Stamp,
}

async fn decide(tx: &ViewerTx, input: DecideConference, outlines: Vec<Option<String>>) -> Result<Outcome> {
    let taking =
        Taking::begin(tx, input.conference_id, Action::DecideConference, Step::Decide, Some(input.expected_version))
            .await?;
    let about = &taking.about;
    about.every_child()?;
    let sitting = latest_sitting(tx, about).await?;
    let held_on = london_day(sitting.opened_at);

    let mut wanted: Vec<(ChildDecision, Option<String>)> = input.decisions.into_iter().zip(outlines).collect();
    let mut decided = Vec::with_capacity(about.children.len());
    for (child, case) in about.children.iter().zip(&about.cases) {
        let found = wanted.iter().position(|(one, _)| one.child_id == child.child_id);
        let Some(found) = found else {
            return Err(Error::bad_input("decisions", "must hold one decision for every child of the conference"));
        };
        let (one, outline) = wanted.swap_remove(found);
        let open_plan = plans::open_of_case(tx, case.core.id, PlanKind::ChildProtection).await?;
        let protected = open_plan.as_ref().is_some_and(|plan| plan.kind.0 == PlanKind::ChildProtection);
        if let Some(why) = decision_fault(about.conference.type_.0, one.decision, one.category.is_some(), protected) {
            return Err(Error::guard("DECISION_FITS", why));
        }
        if one.next_review_on.is_some_and(|day| day <= held_on) {
            return Err(Error::bad_input("nextReviewOn", "must lie after the conference"));
        }
        case.expect_open()?;
        if open_plan.as_ref().and_then(|plan| plan.start_on).is_some_and(|start| match one.decision {
            // A plan is not ended on the day that it began, nor by a meeting before it.
            ConferenceDecision::End | ConferenceDecision::Continue => start >= held_on,
            ConferenceDecision::Plan => start > held_on,
            ConferenceDecision::NoPlan | ConferenceDecision::Defer => false,
        }) {
            return Err(Error::guard(
                "PLAN_STARTED_BEFORE",
                "The child's present plan began on or after the day of this conference: end it first, if it is one in \
                 need, or adjourn and come together again.",
            ));
        }
        let ends_later = open_plan.is_none()
            && plans::last_end(tx, case.core.id, PlanKind::ChildProtection).await?.is_some_and(|last| last > held_on);
        if one.decision == ConferenceDecision::Plan && ends_later {
            return Err(Error::guard(
                "PLAN_STARTED_BEFORE",
                "The child's last plan ended after the day of this conference, and plans never overlap: adjourn and come \
                 together again.",
            ));
        }
        let stamp = stamp(tx, &case.core).await?;
        decided.push(Decided { child, case, wanted: one, outline, open_plan, stamp });
    }
    if !wanted.is_empty() {
        return Err(Error::bad_input("decisions", "must name each child of the conference once, and nobody else"));
    }

    // Quorum counts everybody, also whom the chair does not see by name: for that the conference must be opened.
    tx.authorise(&about.subjects()).await?;
    let quorate = quorum_of(tx, sitting.id).await?;
    let unborn = children::births(tx, &about.child_ids()).await?.iter().any(|(_, born)| born.is_none());
    match input.quorum_exception {
        None if !quorate => {
            return Err(Error::guard(
                "QUORUM",
                "Social care and at least two other agencies must have come: record the attendance, adjourn, or give \
                 the reason for going on without a quorum.",
            ));
        }
        Some(_) if quorate => {
            return Err(Error::bad_input("quorumException", "is for a meeting without a quorum: leave it out"));
        }
        Some(reason) => {
            if let Some(why) = exception_fault(reason, about.conference.type_.0, unborn) {
                return Err(Error::guard("QUORUM", why));
            }
        }
        None => {}
    }
    let change = ConferenceChange {
        held_at: Some(sitting.opened_at),
        quorate: Some(quorate),
        quorum_reason: input.quorum_exception.map(Coded),
        ..taking.change()
    };
    taking.take(tx, change, None).await?;
    let ending = Ending {
        at: taking.at,
        outcome: SittingOutcome::Decided,
        quorate,
        exception: input.quorum_exception,
        interim_plan: None,
    };
    sittings::end(tx, sitting.id, ending).await?;
    let detail = ConferenceDetail { quorate: Some(quorate), ..taking.detail() };
    let audience = about.audience_with_managers();
    taking.tell(tx, EventType::ConferenceDecided, Severity::Action, detail, &audience).await?;

    let mut plan_ids = Vec::new();
    for one in decided {
        let plan_id = carry_out(tx, &taking.announcer, taking.id(), held_on, &one).await?;
        plan_ids.extend(plan_id);
        let change = DecisionChange {
            decision: Coded(one.wanted.decision),
            category: one.wanted.category.map(Coded),
            outline_plan: one.outline,
            next_review_on: one.wanted.next_review_on,
            plan_id,
        };
        conferences::decide(tx, one.child.id, change).await?;
    }
    Ok(Outcome { plan_ids, ..taking.outcome() })
}

/// A case that waited for a conference goes back to where it stood before.
pub(super) async fn no_plan(tx: &ViewerTx, case: &Locked) -> Result<()> {
    let status = case.core.status.0;
    if status == CaseStatus::ConferencePending {
        let mut before = enquiries::case_status_before(tx, case.core.id).await?;
        // What became of it meanwhile: an assessment began, or was authorised, or another unit took the case.
        if before == Some(CaseStatus::Referred) && assessments::was_begun(tx, case.core.id).await? {
            before = Some(CaseStatus::Assessment);
        }
        if let (Some(CaseStatus::Assessment), Some(primary)) = (before, &case.primary)
            && let Some(outcome) = assessments::last_outcome(tx, case.core.id).await?
        {
            let unit = units::get(tx, primary.unit_id).await?.ok_or(Error::NotFound)?;
            before = before
                .map(|before| match unit.service.0 {
                    Service::ChildrenInNeed if outcome.goes_on() => before.after_transfer(TransferKind::ToCin),
                    service => before.after_assessment(outcome, service),
                })
                .filter(|one| !one.is_closed());
        }
        cases::touch(tx, case, status.after_no_plan(before)).await?;
    }
    Ok(())
}

/// What follows from a child's decision: plans end and begin, the case moves. Returns the plan that it leads to.
async fn carry_out(
    tx: &ViewerTx,
    announcer: &Announcer,
    conference_id: Uuid,
    held_on: NaiveDate,
    one: &Decided<'_>,
) -> Result<Option<Uuid>> {
    let status = one.case.core.status.0;
    let mut audience = units_of(one.case);
    audience.extend(managers_of(one.case));
    let (kind, status) = match one.wanted.decision {
        ConferenceDecision::Plan => (PlanKind::ChildProtection, status.after_protection_plan()),
        ConferenceDecision::End => (PlanKind::Cin, status.after_protection_ends()),
        ConferenceDecision::Continue => {
            let Some(plan) = &one.open_plan else { return Ok(None) };
            let due = one.wanted.next_review_on.or(plan.review_due_on);
            let review = NewReview {
                id: Uuid::now_v7(),
                plan_id: plan.id,
                child_id: plan.child_id,
                due_on: plan.review_due_on,
                held_on,
                chair_id: Some(tx.viewer().worker_id.0),
                conference_id: Some(conference_id),
                participation: one.child.participation,
                decisions: Vec::new(),
                change_of_plan: false,
                next_review_on: one.wanted.next_review_on,
                recorded_by: tx.viewer().worker_id.0,
                recorded_at: announcer.at,
            };
            progress::review(tx, review).await?;
            let version = plans::reviewed(tx, plan, due).await?;
            let reviewed = PlanCore { review_due_on: due, ..plan.clone() };
            let detail = plan_detail(&reviewed, plan.status.0, PlanChange::Reviewed);
            let entity = Entity { kind: PlanId::KIND, id: plan.id, version };
            announcer
                .announce(tx, EventType::PlanChanged, Severity::Info, entity, Some(&one.stamp), detail, &audience)
                .await?;
            return Ok(Some(plan.id));
        }
        ConferenceDecision::NoPlan => {
            let calls = enquiries::calls_for_conference(tx, one.case.core.id).await?;
            if one.child.enquiry_id.is_some() && calls.is_none() {
                no_plan(tx, one.case).await?;
            }
            return Ok(None);
        }
        ConferenceDecision::Defer => return Ok(None),
    };
    cases::touch(tx, one.case, status).await?;
    let previous = plans::previous_protection_plans(tx, one.case.core.child_id).await?;
    if let Some(plan) = &one.open_plan {
        let telling = Telling { announcer, stamp: &one.stamp, audience: &audience, severity: Severity::Info };
        end_line(tx, telling, plan, held_on, None).await?;
    }
    let plan_id = PlanId::new().0;
    let protection = kind == PlanKind::ChildProtection;
    plans::insert(
        tx,
        NewPlan {
            id: plan_id,
            case_id: one.case.core.id,
            child_id: one.case.core.child_id,
            kind: Coded(kind),
            status: Coded(PlanStatus::Active),
            start_on: Some(held_on),
            overall_aim: one.outline.clone().unwrap_or_default(),
            review_due_on: one.wanted.next_review_on,
            conference_id: Some(conference_id),
            initial_category: one.wanted.category.filter(|_| protection).map(Coded),
            latest_category: one.wanted.category.filter(|_| protection).map(Coded),
            number_of_previous_cpps: protection.then(|| i32::try_from(previous).unwrap_or(i32::MAX)),
            agreed_change_by: None,
            parent_view: None,
            child_view: None,
            revision: 1,
            previous_id: None,
            root_id: None,
            particulars: Particulars::default(),
        },
    )
    .await?;
    let detail = Detail::Plan {
        kind,
        status: PlanStatus::Active,
        start_on: Some(held_on),
        end_on: None,
        review_due_on: one.wanted.next_review_on,
        agreed_change_by: None,
        revision: Some(1),
        change: Some(PlanChange::Agreed),
    };
    let entity = Entity { kind: PlanId::KIND, id: plan_id, version: 1 };
    announcer
        .announce(tx, EventType::PlanAgreed, Severity::Action, entity, Some(&one.stamp), detail, &audience)
        .await?;
    Ok(Some(plan_id))
}
