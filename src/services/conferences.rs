//! Child protection conferences: asked for, scheduled, moved, decided for each child.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, managers_of, stamp, units_of},
    optional_text, text,
};
use crate::{
    auth::{
        Viewer, policy,
        policy::Action,
        viewer::{Holding, Standing},
    },
    db::{
        Coded, ViewerTx, cases,
        cases::Locked,
        conferences::{
            self, ConferenceChange, ConferenceChildCore, ConferenceRow, DecisionChange, Holders, NewConference, NewMove,
        },
        families,
        outbox::Audience,
        plans::{self, NewPlan, PlanCore},
        units, viewers, workers,
    },
    domain::{
        Code,
        calendar::{london_day, on_weekend},
        codes::{
            AbuseCategory, CaseStatus, ConferenceDecision, ConferenceState, ConferenceType, EventType, PlanKind,
            PlanStatus, Role, Severity,
        },
        conference::{Step, decision_fault, legal_next},
        event::Detail,
        ids::{ConferenceChildId, ConferenceId, PlanId, WorkerId},
    },
    error::{Error, Refusal, Result},
};

/// Asks for a conference about one or more children of a family.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct RequestConference {
    pub case_ids: Vec<Uuid>,
    pub kind: ConferenceType,
}

/// Gives a conference its date and chair.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct ScheduleConference {
    pub conference_id: Uuid,
    pub scheduled_for: DateTime<Utc>,
    pub chair_id: Uuid,
    pub venue: Option<String>,
    pub online: bool,
    pub expected_version: i32,
}

/// Gives a conference another date.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct MoveConference {
    pub conference_id: Uuid,
    pub scheduled_for: DateTime<Utc>,
    pub reason: String,
    pub venue: Option<String>,
    pub online: Option<bool>,
    pub expected_version: i32,
}

/// What was decided for one child.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct ChildDecision {
    pub child_id: Uuid,
    pub decision: ConferenceDecision,
    pub category: Option<AbuseCategory>,
    pub outline_plan: Option<String>,
    pub next_review_on: Option<NaiveDate>,
}

/// Records what a conference decided, for every child.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct DecideConference {
    pub conference_id: Uuid,
    pub held_at: DateTime<Utc>,
    pub decisions: Vec<ChildDecision>,
    pub expected_version: i32,
}

/// The most children of one meeting.
const MAX_CHILDREN: usize = 20;

impl Services {
    /// Asks the conference unit for a conference. The children's cases must be in one family.
    pub async fn request_conference(&self, viewer: Viewer, key: &str, input: RequestConference) -> Result<Outcome> {
        if input.case_ids.is_empty() || input.case_ids.len() > MAX_CHILDREN {
            return Err(Error::bad_input("caseIds", format!("must name between 1 and {MAX_CHILDREN} cases")));
        }
        let wanted = input.clone();
        self.change(viewer, "requestConference", key, &input, move |tx| Box::pin(request(tx, wanted))).await
    }

    /// Gives it a date, a chair and a place.
    pub async fn schedule_conference(&self, viewer: Viewer, key: &str, input: ScheduleConference) -> Result<Outcome> {
        let venue = optional_text("venue", input.venue.as_deref(), 500)?;
        let wanted = input.clone();
        self.change(viewer, "scheduleConference", key, &input, move |tx| Box::pin(schedule(tx, wanted, venue))).await
    }

    /// Gives it another date. Invitations stay, everybody is asked again, and no clock restarts.
    pub async fn move_conference(&self, viewer: Viewer, key: &str, input: MoveConference) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 1_000)?;
        let venue = optional_text("venue", input.venue.as_deref(), 500)?;
        let wanted = input.clone();
        self.change(viewer, "moveConference", key, &input, move |tx| Box::pin(move_it(tx, wanted, reason, venue))).await
    }

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
}

/// A conference with the cases of its children, locked in a fixed order.
struct About {
    conference: ConferenceRow,
    /// Those whom the viewer sees, with their cases.
    children: Vec<ConferenceChildCore>,
    cases: Vec<Locked>,
    /// Of all children, seen or not.
    holders: Holders,
}

impl About {
    async fn lock(tx: &mut ViewerTx, conference_id: Uuid) -> Result<Self> {
        let conference = conferences::lock(tx, conference_id).await?;
        // Also those of children whom the viewer does not see: who holds them must not change meanwhile.
        conferences::queue_for_cases(tx, conference_id).await?;
        let children = conferences::children(tx, conference_id).await?;
        let mut cases = Vec::with_capacity(children.len());
        for child in &children {
            cases.push(cases::lock(tx, child.case_id).await?);
        }
        let holders = conferences::holders(tx, conference_id).await?;
        Ok(Self { conference, children, cases, holders })
    }

    /// The role in which the viewer may do this for at least one of the children.
    fn require(&self, standing: &Standing, me: WorkerId, action: Action) -> Result<Role> {
        let named: Vec<WorkerId> = self.conference.chair_id.into_iter().map(WorkerId).collect();
        let mut refused = Error::NotFound;
        for case in &self.cases {
            let holding = Holding { named: named.clone(), ..case.holding.clone() };
            match policy::require(standing, me, &holding, action) {
                Ok(role) => return Ok(role),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn step(&self, step: Step, expected_version: i32) -> Result<ConferenceState> {
        if self.conference.version != expected_version {
            return Err(Error::Refused(Refusal::VersionConflict { current_version: self.conference.version }));
        }
        let state = self.conference.state.0;
        step.from_state(state).ok_or_else(|| {
            Error::Refused(Refusal::IllegalTransition {
                from: state.code(),
                legal_next: legal_next(state).into_iter().map(Code::code).collect(),
            })
        })
    }

    /// What the service may write: the conference and its children.
    fn subjects(&self) -> Vec<Uuid> {
        self.children.iter().map(|child| child.child_id).chain([self.conference.id]).collect()
    }

    /// All units of all children, and the chair.
    fn audience(&self, chair: Option<Uuid>) -> Vec<Audience> {
        let mut audience: Vec<Audience> = self.holders.units.iter().copied().map(Audience::Unit).collect();
        audience.extend(chair.or(self.conference.chair_id).map(Audience::Worker));
        audience
    }

    /// The case that events name: only when there is one, because units of one child may not see the other.
    async fn stamp(&self, tx: &mut ViewerTx) -> Result<Option<Stamp>> {
        match self.cases.as_slice() {
            [one] if self.holders.cases.len() == 1 => stamp(tx, one).await.map(Some),
            _ => Ok(None),
        }
    }
}

fn check_date(field: &'static str, at: DateTime<Utc>) -> Result<()> {
    if on_weekend(at) {
        return Err(Error::bad_input(field, "must not lie on a Saturday or Sunday: a conference is held on a weekday"));
    }
    Ok(())
}

async fn request(tx: &mut ViewerTx, input: RequestConference) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let mut case_ids = input.case_ids;
    case_ids.sort_unstable();
    case_ids.dedup();
    let mut locked = Vec::with_capacity(case_ids.len());
    for id in &case_ids {
        locked.push(cases::lock(tx, *id).await?);
    }
    let standing = viewers::standing(tx).await?;
    let mut role = None;
    for case in &locked {
        role = Some(policy::require(&standing, me, &case.holding, Action::RequestConference)?);
    }
    let role = role.ok_or(Error::NotFound)?;
    let child_ids: Vec<Uuid> = locked.iter().map(|case| case.core.child_id).collect();
    for case in &locked {
        if case.core.status.0.is_closed() {
            return Err(Error::Refused(Refusal::IllegalTransition { from: "CLOSED", legal_next: Vec::new() }));
        }
    }
    if conferences::has_open(tx, &case_ids).await? {
        return Err(Error::conflict("A conference about one of these children is not over: read the case again."));
    }
    let family_id = families::common_to(tx, &child_ids).await?;
    if family_id.is_none() && child_ids.len() > 1 {
        return Err(Error::guard(
            "ONE_FAMILY",
            "One meeting is about children of one family: request a conference for each family.",
        ));
    }
    if input.kind == ConferenceType::Review {
        let mut planned = false;
        for case in &locked {
            let open = plans::open_of_case(tx, case.core.id).await?;
            planned |= open.is_some_and(|plan| plan.kind.0 == PlanKind::ChildProtection);
        }
        if !planned {
            return Err(Error::guard(
                "PROTECTION_PLAN_OPEN",
                "A review conference reviews a child protection plan, and none of these children has one.",
            ));
        }
    }
    let at = locked.iter().fold(tx.viewer().at, |at, case| case.moment(at));
    let named = match locked.as_slice() {
        [one] => Some(stamp(tx, one).await?),
        _ => None,
    };

    let conference_id = ConferenceId::new().0;
    let mut subjects = child_ids.clone();
    subjects.push(conference_id);
    tx.authorise(&subjects).await?;
    let about: Vec<_> =
        locked.iter().map(|case| (ConferenceChildId::new().0, case.core.child_id, case.core.id)).collect();
    conferences::request(
        tx,
        NewConference {
            id: conference_id,
            family_id,
            type_: Coded(input.kind),
            state: Coded(ConferenceState::Requested),
            requested_by: me.0,
            requested_at: at,
        },
        &about,
    )
    .await?;
    let audience: Vec<Audience> = locked.iter().flat_map(units_of).collect();
    let detail = Detail::Conference {
        kind: input.kind,
        state: ConferenceState::Requested,
        scheduled_for: None,
        previously_scheduled_for: None,
        online: false,
        chair_id: None,
    };
    let entity = Entity { kind: ConferenceId::KIND, id: conference_id, version: 1 };
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::ConferenceRequested, Severity::Action, entity, named.as_ref(), detail, &audience)
        .await?;
    Ok(Outcome { conference_id: Some(conference_id), ..Outcome::default() })
}

async fn schedule(tx: &mut ViewerTx, input: ScheduleConference, venue: Option<String>) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let about = About::lock(tx, input.conference_id).await?;
    let standing = viewers::standing(tx).await?;
    let role = about.require(&standing, me, Action::ScheduleConference)?;
    let state = about.step(Step::Schedule, input.expected_version)?;
    check_date("scheduledFor", input.scheduled_for)?;
    let at = tx.viewer().at;
    if input.scheduled_for <= at {
        return Err(Error::bad_input("scheduledFor", "must lie in the future"));
    }
    if !input.online && venue.is_none() {
        return Err(Error::bad_input("venue", "is needed unless the conference is online"));
    }
    let chair = workers::get(tx, input.chair_id).await?.ok_or(Error::NotFound)?;
    if !chair.active || !workers::holds_post(tx, chair.id, Role::CpChair).await? {
        return Err(Error::guard("CHAIR_POST", "The chair must be a conference chair: choose one of the chairs."));
    }
    for unit in &about.holders.units {
        if units::role_in(tx, *unit, chair.id).await?.is_some() {
            return Err(Error::guard(
                "CHAIR_INDEPENDENT",
                "The chair must be independent of the units that hold the case: choose another.",
            ));
        }
    }
    let stamp = about.stamp(tx).await?;
    tx.authorise(&about.subjects()).await?;
    let version = about.conference.version + 1;
    conferences::change(
        tx,
        about.conference.id,
        ConferenceChange {
            state: Coded(state),
            version,
            scheduled_for: Some(input.scheduled_for),
            venue,
            online: Some(input.online),
            chair_id: Some(chair.id),
            held_at: None,
        },
    )
    .await?;
    let detail = Detail::Conference {
        kind: about.conference.type_.0,
        state,
        scheduled_for: Some(input.scheduled_for),
        previously_scheduled_for: about.conference.scheduled_for,
        online: input.online,
        chair_id: Some(chair.id),
    };
    let entity = Entity { kind: ConferenceId::KIND, id: about.conference.id, version };
    let audience = about.audience(Some(chair.id));
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::ConferenceScheduled, Severity::Action, entity, stamp.as_ref(), detail, &audience)
        .await?;
    Ok(Outcome { conference_id: Some(about.conference.id), ..Outcome::default() })
}

async fn move_it(tx: &mut ViewerTx, input: MoveConference, reason: String, venue: Option<String>) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let about = About::lock(tx, input.conference_id).await?;
    let standing = viewers::standing(tx).await?;
    let role = about.require(&standing, me, Action::MoveConference)?;
    let state = about.step(Step::Move, input.expected_version)?;
    check_date("scheduledFor", input.scheduled_for)?;
    let at = tx.viewer().at;
    if input.scheduled_for <= at {
        return Err(Error::bad_input("scheduledFor", "must lie in the future"));
    }
    let before = about.conference.scheduled_for.ok_or_else(|| Error::internal("a scheduled conference has a date"))?;
    if before == input.scheduled_for {
        return Err(Error::bad_input("scheduledFor", "is the date that it has already"));
    }
    let online = input.online.unwrap_or(about.conference.online);
    if !online && venue.is_none() && about.conference.venue.is_none() {
        return Err(Error::bad_input("venue", "is needed unless the conference is online"));
    }
    let stamp = about.stamp(tx).await?;
    tx.authorise(&about.subjects()).await?;
    let version = about.conference.version + 1;
    conferences::change(
        tx,
        about.conference.id,
        ConferenceChange {
            state: Coded(state),
            version,
            scheduled_for: Some(input.scheduled_for),
            venue,
            online: Some(online),
            chair_id: None,
            held_at: None,
        },
    )
    .await?;
    conferences::record_move(
        tx,
        NewMove {
            id: Uuid::now_v7(),
            conference_id: about.conference.id,
            moved_from: before,
            moved_to: input.scheduled_for,
            reason,
            moved_by: me.0,
            moved_at: at,
        },
    )
    .await?;
    let detail = Detail::Conference {
        kind: about.conference.type_.0,
        state,
        scheduled_for: Some(input.scheduled_for),
        previously_scheduled_for: Some(before),
        online,
        chair_id: about.conference.chair_id,
    };
    let entity = Entity { kind: ConferenceId::KIND, id: about.conference.id, version };
    let audience = about.audience(None);
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::ConferenceChanged, Severity::Action, entity, stamp.as_ref(), detail, &audience)
        .await?;
    Ok(Outcome { conference_id: Some(about.conference.id), ..Outcome::default() })
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

async fn decide(tx: &mut ViewerTx, input: DecideConference, outlines: Vec<Option<String>>) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let about = About::lock(tx, input.conference_id).await?;
    let standing = viewers::standing(tx).await?;
    let role = about.require(&standing, me, Action::DecideConference)?;
    let state = about.step(Step::Decide, input.expected_version)?;
    let at = tx.viewer().at;
    check_date("heldAt", input.held_at)?;
    if input.held_at > at {
        return Err(Error::bad_input("heldAt", "must not lie in the future: a decision is recorded after the meeting"));
    }
    let held_on = london_day(input.held_at);
    if held_on < london_day(about.conference.requested_at) {
        return Err(Error::bad_input("heldAt", "must not lie before the conference was requested"));
    }

    if about.children.len() != about.holders.cases.len() {
        return Err(Error::guard(
            "EVERY_CHILD",
            "A decision is needed for every child, and you may not see all of them: ask the service manager.",
        ));
    }

    let mut wanted: Vec<(ChildDecision, Option<String>)> = input.decisions.into_iter().zip(outlines).collect();
    let mut decided = Vec::with_capacity(about.children.len());
    for (child, case) in about.children.iter().zip(&about.cases) {
        let found = wanted.iter().position(|(one, _)| one.child_id == child.child_id);
        let Some(found) = found else {
            return Err(Error::bad_input("decisions", "must hold one decision for every child of the conference"));
        };
        let (one, outline) = wanted.swap_remove(found);
        let open_plan = plans::open_of_case(tx, case.core.id).await?;
        let protected = open_plan.as_ref().is_some_and(|plan| plan.kind.0 == PlanKind::ChildProtection);
        if let Some(why) = decision_fault(about.conference.type_.0, one.decision, one.category.is_some(), protected) {
            return Err(Error::guard("DECISION_FITS", why));
        }
        if one.next_review_on.is_some_and(|day| day <= held_on) {
            return Err(Error::bad_input("nextReviewOn", "must lie after the conference"));
        }
        if case.core.status.0.is_closed() {
            return Err(Error::Refused(Refusal::IllegalTransition { from: "CLOSED", legal_next: Vec::new() }));
        }
        if open_plan.as_ref().and_then(|plan| plan.start_on).is_some_and(|start| match one.decision {
            // A plan is not ended on the day that it began, nor by a meeting before it.
            ConferenceDecision::End => start >= held_on,
            ConferenceDecision::Plan => start > held_on,
            _ => false,
        }) {
            return Err(Error::guard(
                "PLAN_STARTED_BEFORE",
                "The child's present plan began on or after the day of this conference: check heldAt.",
            ));
        }
        let stamp = stamp(tx, case).await?;
        decided.push(Decided { child, case, wanted: one, outline, open_plan, stamp });
    }
    if !wanted.is_empty() {
        return Err(Error::bad_input("decisions", "must name each child of the conference once, and nobody else"));
    }

    tx.authorise(&about.subjects()).await?;
    let version = about.conference.version + 1;
    conferences::change(
        tx,
        about.conference.id,
        ConferenceChange {
            state: Coded(state),
            version,
            scheduled_for: None,
            venue: None,
            online: None,
            chair_id: None,
            held_at: Some(input.held_at),
        },
    )
    .await?;
    let announcer = Announcer::new(&standing.name, role, at);
    let mut audience = about.audience(None);
    audience.extend(about.cases.iter().flat_map(managers_of));
    let detail = Detail::Conference {
        kind: about.conference.type_.0,
        state,
        scheduled_for: about.conference.scheduled_for,
        previously_scheduled_for: None,
        online: about.conference.online,
        chair_id: about.conference.chair_id,
    };
    let entity = Entity { kind: ConferenceId::KIND, id: about.conference.id, version };
    let named = match decided.as_slice() {
        [one] => Some(&one.stamp),
        _ => None,
    };
    announcer.announce(tx, EventType::ConferenceDecided, Severity::Action, entity, named, detail, &audience).await?;

    let mut plan_ids = Vec::new();
    for one in decided {
        let plan_id = carry_out(tx, &announcer, about.conference.id, held_on, &one).await?;
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
    Ok(Outcome { conference_id: Some(about.conference.id), plan_ids, ..Outcome::default() })
}

/// What follows from a child's decision: plans end and begin, the case moves. Returns the plan that it leads to.
async fn carry_out(
    tx: &mut ViewerTx,
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
        ConferenceDecision::End => (PlanKind::Cin, if status == CaseStatus::Cp { CaseStatus::Cin } else { status }),
        ConferenceDecision::Continue => {
            if let Some(plan) = &one.open_plan {
                let due = one.wanted.next_review_on.or(plan.review_due_on);
                let version = plans::reviewed(tx, plan, due).await?;
                let detail = detail(plan, plan.status.0, plan.end_on, due);
                let entity = Entity { kind: PlanId::KIND, id: plan.id, version };
                announcer
                    .announce(tx, EventType::PlanChanged, Severity::Info, entity, Some(&one.stamp), detail, &audience)
                    .await?;
                return Ok(Some(plan.id));
            }
            return Ok(None);
        }
        ConferenceDecision::NoPlan | ConferenceDecision::Defer => return Ok(None),
    };
    cases::touch(tx, one.case, status).await?;
    let previous = plans::previous_protection_plans(tx, one.case.core.child_id).await?;
    if let Some(plan) = &one.open_plan {
        let version = plans::end(tx, plan, held_on).await?;
        let detail = detail(plan, PlanStatus::Ended, Some(held_on), plan.review_due_on);
        let entity = Entity { kind: PlanId::KIND, id: plan.id, version };
        announcer
            .announce(tx, EventType::PlanChanged, Severity::Info, entity, Some(&one.stamp), detail, &audience)
            .await?;
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
    };
    let entity = Entity { kind: PlanId::KIND, id: plan_id, version: 1 };
    announcer
        .announce(tx, EventType::PlanAgreed, Severity::Action, entity, Some(&one.stamp), detail, &audience)
        .await?;
    Ok(Some(plan_id))
}

fn detail(plan: &PlanCore, status: PlanStatus, end_on: Option<NaiveDate>, review_due_on: Option<NaiveDate>) -> Detail {
    Detail::Plan {
        kind: plan.kind.0,
        status,
        start_on: plan.start_on,
        end_on,
        review_due_on,
        agreed_change_by: plan.agreed_change_by,
    }
}
