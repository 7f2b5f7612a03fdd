//! Allocating cases to units, jointly, as cover, and ending it.

use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, managers_of, stamp, units_of},
    enquiries::pass_lead,
    involvements::{BESIDE_LEAD, end_lead, end_parts, lead_in},
    optional_text, text,
};
use crate::{
    auth::{
        Viewer, policy,
        policy::Action,
        viewer::{Holding, Standing},
    },
    db::{
        Coded, ViewerTx,
        allocations::{self, AllocationCore, NewAllocation},
        cases,
        cases::Locked,
        enquiries, involvements,
        outbox::{Audience, Post},
        plans,
        referrals::{self, ReferralCore},
        units::{self, UnitRow},
        viewers,
    },
    domain::{
        codes::{AllocationKind, ChangeReason, EventType, Priority, Service, Severity, UnallocatedReason},
        event::Detail,
        ids::{AllocationId, AreaId, CaseId, InvolvementId, UnitId, WorkerId},
        transfer::takes,
    },
    error::{Error, Refusal, Result},
};

/// Gives a case from the queue to a unit.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AllocateCase {
    pub case_id: Uuid,
    pub unit_id: Uuid,
    pub reason: String,
    pub priority: Priority,
    pub summary: Option<String>,
    /// The unit's consultant social worker when missing.
    pub lead_practitioner_id: Option<Uuid>,
    /// Why not the unit that held the child's last case, of a child who comes back within six months.
    pub previous_unit_reason: Option<String>,
    pub expected_version: i32,
}

/// Brings a unit in jointly or as cover.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct StartHelping {
    pub case_id: Uuid,
    pub unit_id: Uuid,
    pub kind: AllocationKind,
    pub reason: String,
    pub summary: Option<String>,
    pub expected_version: i32,
}

/// Ends an allocation of any kind.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EndAllocation {
    pub allocation_id: Uuid,
    pub reason: String,
    /// The case's version.
    pub expected_version: i32,
}

/// A unit that is open on the change's day, or why it is not to be had.
pub(super) async fn active_unit(tx: &ViewerTx, id: Uuid) -> Result<UnitRow> {
    let unit = units::get(tx, id).await?.ok_or(Error::NotFound)?;
    let today = crate::domain::calendar::london_day(tx.viewer().at);
    if unit.active_from > today || unit.active_to.is_some_and(|last| last < today) {
        return Err(Error::guard("UNIT_ACTIVE", "This unit is not active today: choose another."));
    }
    Ok(unit)
}

/// The unit, with how many cases it holds, has room for another one, or who gives it one more may do so; if not, what to do
/// `instead`. Counted while the unit is locked, so that two who each see the last free place do not both take it.
pub(super) fn check_capacity(
    (unit, held): (&UnitRow, i64),
    standing: &Standing,
    me: WorkerId,
    holding: &Holding,
    instead: &str,
) -> Result<()> {
    if held >= i64::from(unit.capacity_cases)
        && policy::require(standing, me, holding, Action::AllocateOverCapacity).is_err()
    {
        return Err(Error::guard(
            "UNIT_CAPACITY",
            format!("The unit holds as many cases as it has capacity for: {instead}."),
        ));
    }
    Ok(())
}

/// Whether units of this service take children with an agreed permanent plan only.
pub(super) fn takes_permanence_only(service: Service) -> bool {
    matches!(service, Service::LookedAfter | Service::Adoption)
}

/// That they do.
pub(super) fn permanence_plan() -> Error {
    Error::guard(
        "PERMANENCE_PLAN_AGREED",
        "The looked-after children and adoption services take a child only with an agreed permanent plan: choose a unit of \
         another service.",
    )
}

/// A referral is accepted before a unit takes the case; and the unit that knows the child comes first.
async fn check_referral(tx: &ViewerTx, referral: &ReferralCore, unit: &UnitRow, says_why: bool) -> Result<()> {
    if !referral.decision.is_some_and(|decision| decision.0.accepts()) {
        return Err(Error::guard("REFERRAL_ACCEPTED", "Nobody has decided about the referral yet: accept it first."));
    }
    let Some(previous) = referral.previous_unit_id.filter(|previous| *previous != unit.id && !says_why) else {
        return Ok(());
    };
    match active_unit(tx, previous).await {
        // It takes no cases any more.
        Err(Error::Refused(_)) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::guard(
            "PREVIOUS_UNIT_FIRST",
            "Another unit held this child's case until less than six months before: give it to that one, or say in \
             `previousUnitReason` why not.",
        )),
    }
}

impl Services {
    /// The unit holds the case from now on. A case that a unit holds already is refused: ask for a transfer.
    pub async fn allocate_case(&self, viewer: Viewer, key: &str, input: AllocateCase) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 500)?;
        let summary = optional_text("summary", input.summary.as_deref(), 10_000)?;
        let why_another = optional_text("previousUnitReason", input.previous_unit_reason.as_deref(), 500)?;
        let reason = match why_another {
            Some(why) => format!("{reason}\n{why}"),
            None => reason,
        };
        let wanted = input.clone();
        self.change(viewer, "allocateCase", key, &input, move |tx| Box::pin(allocate(tx, wanted, reason, summary)))
            .await
    }

    /// Another unit works the case too from now on.
    pub async fn start_helping(&self, viewer: Viewer, key: &str, input: StartHelping) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 500)?;
        let summary = optional_text("summary", input.summary.as_deref(), 10_000)?;
        let mutation = match input.kind {
            AllocationKind::Joint => "startJointAllocation",
            AllocationKind::Cover => "startCoverAllocation",
            AllocationKind::Primary => return Err(Error::internal("a primary allocation is no help")),
        };
        let wanted = input.clone();
        self.change(viewer, mutation, key, &input, move |tx| Box::pin(help(tx, wanted, reason, summary))).await
    }

    /// The unit stops holding the case. When it is the primary one, the case goes to the queue and its lead
    /// practitioner's part ends too.
    pub async fn end_allocation(&self, viewer: Viewer, key: &str, input: EndAllocation) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 500)?;
        let wanted = input.clone();
        self.change(viewer, "endAllocation", key, &input, move |tx| Box::pin(end(tx, wanted, reason))).await
    }
}

async fn allocate(tx: &ViewerTx, input: AllocateCase, reason: String, summary: Option<String>) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let seen = cases::seen(tx, input.case_id).await?;
    // The locks first: everything behind them is read under them.
    let (case, referral, unit, standing, held, lead, stamp) = futures_util::join!(
        cases::lock_seen(tx, Some(input.unit_id), &seen),
        referrals::of_case(tx, input.case_id),
        active_unit(tx, input.unit_id),
        viewers::standing(tx),
        units::count_held(tx, input.unit_id),
        lead_in(tx, input.unit_id, input.lead_practitioner_id),
        stamp(tx, &seen),
    );
    let (case, referral, unit, standing) = (case?, referral?, unit?, standing?);
    // What a referral says of the first unit no longer matters once there was one.
    let was_held = match &referral {
        Some(referral) if referral.target_unit_id.or(referral.previous_unit_id).is_some() => {
            allocations::was_held(tx, input.case_id).await?
        }
        _ => false,
    };
    let holding = Holding {
        receiving: Some((UnitId(unit.id), AreaId(unit.area_id))),
        offered: referral.as_ref().filter(|_| !was_held).and_then(|referral| referral.target_unit_id).map(UnitId),
        ..case.holding.clone()
    };
    if case.primary.is_some() {
        // Whoever sees that it is held may know it; what they wanted is not possible for anybody.
        return Err(Error::conflict("A unit holds this case already: ask for a transfer instead."));
    }
    let role = policy::require(&standing, me, &holding, Action::AllocateCase)?;
    case.expect_version(input.expected_version)?;
    case.expect_open()?;
    if let Some(referral) = referral.as_ref().filter(|_| !was_held) {
        check_referral(tx, referral, &unit, input.previous_unit_reason.is_some()).await?;
    }
    if takes_permanence_only(unit.service.0) {
        let planned = (case.core.status.0, plans::permanence(tx, case.core.id).await?);
        takes(unit.service.0, planned).map_err(|(name, why)| Error::guard(name, why))?;
    }
    check_capacity((&unit, held?), &standing, me, &holding, "choose another, or ask the service manager")?;
    let (lead, stamp) = (lead?, stamp?);
    let at = case.moment(tx.viewer().at);

    let (child, status) = (case.core.child_id, case.core.status.0.after_allocation(unit.service.0));
    let leading = async {
        let Some(lead) = &lead else { return Ok(()) };
        involvements::start_lead(tx, InvolvementId::new().0, case.core.id, child, lead.id, at).await
    };
    let (version, led) = futures_util::join!(cases::authorise_and_touch(tx, &case, status), leading);
    let version = version?;
    led?;
    let announcer = Announcer::new(&standing.name, role, at);
    let mut audience = units_of(&case);
    audience.extend([Audience::Unit(unit.id), Audience::Area(unit.area_id)]);
    audience.extend(lead.iter().map(|lead| Audience::Worker(lead.id)));
    // First: first response sees the case no more once a unit holds it.
    end_help(tx, &announcer, &case, &unit, &stamp, &audience).await?;
    let allocation_id = AllocationId::new().0;
    let starting = allocations::start(
        tx,
        NewAllocation {
            id: allocation_id,
            case_id: case.core.id,
            child_id: child,
            unit_id: unit.id,
            kind: Coded(AllocationKind::Primary),
            started_at: at,
            reason_start: reason,
            transfer_id: None,
            summary,
            priority: Coded(input.priority),
            created_by: Some(me.0),
        },
    );
    let detail = Detail::Allocation {
        unit_id: unit.id,
        unit_name: unit.name,
        kind: AllocationKind::Primary,
        priority: input.priority,
        started_at: at,
        ended_at: None,
        lead_practitioner_id: lead.map(|lead| lead.id),
        previous_unit_id: None,
    };
    let severity = if input.priority == Priority::Urgent { Severity::Urgent } else { Severity::Action };
    let entity = Entity { kind: AllocationId::KIND, id: allocation_id, version: 1 };
    let telling =
        announcer.announce(tx, EventType::AllocationStarted, severity, entity, Some(&stamp), detail, &audience);
    let (started, told) = futures_util::join!(starting, telling);
    started?;
    told?;
    tracing::info!(case_version = version, "a case was allocated");
    Ok(Outcome { case_id: Some(case.core.id), allocation_id: Some(allocation_id), ..Outcome::default() })
}

/// Tells that a unit's allocation ends now, with who led in it.
pub(super) async fn tell_ended(
    tx: &ViewerTx,
    announcer: &Announcer,
    (row, unit): (&AllocationCore, &UnitRow),
    lead_practitioner_id: Option<Uuid>,
    stamp: &Stamp,
    severity: Severity,
    audience: &[Audience],
) -> Result<()> {
    let detail = Detail::Allocation {
        unit_id: unit.id,
        unit_name: unit.name.clone(),
        kind: row.kind.0,
        priority: row.priority.0,
        started_at: row.started_at,
        ended_at: Some(announcer.at),
        lead_practitioner_id,
        previous_unit_id: None,
    };
    let entity = Entity { kind: AllocationId::KIND, id: row.id, version: row.version + 1 };
    announcer.announce(tx, EventType::AllocationEnded, severity, entity, Some(stamp), detail, audience).await
}

/// A unit that helped and now holds the case helps no longer.
pub(super) async fn end_help(
    tx: &ViewerTx,
    announcer: &Announcer,
    case: &Locked,
    unit: &UnitRow,
    stamp: &Stamp,
    audience: &[Audience],
) -> Result<()> {
    for helped in case.helping.iter().filter(|open| open.unit_id == unit.id) {
        let Some(row) = allocations::get(tx, helped.id).await? else { continue };
        allocations::end(tx, helped.id, announcer.at, "Holds the case now").await?;
        tell_ended(tx, announcer, (&row, unit), None, stamp, Severity::Info, audience).await?;
    }
    Ok(())
}

async fn help(tx: &ViewerTx, input: StartHelping, reason: String, summary: Option<String>) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let case = cases::lock_with_unit(tx, input.case_id, input.unit_id).await?;
    let unit = active_unit(tx, input.unit_id).await?;
    let standing = viewers::standing(tx).await?;
    let role = policy::require(&standing, me, &case.holding, Action::StartHelpingAllocation)?;
    case.expect_version(input.expected_version)?;
    let Some(primary) = &case.primary else {
        return Err(Error::guard("CASE_HELD", "No unit holds this case: allocate it first."));
    };
    if primary.unit_id == unit.id {
        return Err(Error::conflict("This unit holds the case itself."));
    }
    if case.helping.iter().any(|open| open.unit_id == unit.id) {
        return Err(Error::conflict("This unit helps with the case already."));
    }
    let at = case.moment(tx.viewer().at);
    let stamp = stamp(tx, &case.core).await?;
    let lead = involvements::lead(tx, case.core.id).await?;

    cases::authorise_and_touch(tx, &case, case.core.status.0).await?;
    let allocation_id = AllocationId::new().0;
    allocations::start(
        tx,
        NewAllocation {
            id: allocation_id,
            case_id: case.core.id,
            child_id: case.core.child_id,
            unit_id: unit.id,
            kind: Coded(input.kind),
            started_at: at,
            reason_start: reason,
            transfer_id: None,
            summary,
            priority: Coded(Priority::None),
            created_by: Some(me.0),
        },
    )
    .await?;
    let mut audience = units_of(&case);
    audience.push(Audience::Unit(unit.id));
    audience.extend(managers_of(&case));
    let detail = Detail::Allocation {
        unit_id: unit.id,
        unit_name: unit.name,
        kind: input.kind,
        priority: Priority::None,
        started_at: at,
        ended_at: None,
        lead_practitioner_id: lead.map(|lead| lead.worker_id),
        previous_unit_id: None,
    };
    let entity = Entity { kind: AllocationId::KIND, id: allocation_id, version: 1 };
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::AllocationStarted, Severity::Action, entity, Some(&stamp), detail, &audience)
        .await?;
    Ok(Outcome { case_id: Some(case.core.id), allocation_id: Some(allocation_id), ..Outcome::default() })
}

async fn end(tx: &ViewerTx, input: EndAllocation, reason: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let case_id = allocations::case_of(tx, input.allocation_id).await?.ok_or(Error::NotFound)?;
    let case = cases::lock(tx, case_id).await?;
    let allocation = allocations::get(tx, input.allocation_id).await?.ok_or(Error::NotFound)?;
    let standing = viewers::standing(tx).await?;
    let action = match allocation.kind.0 {
        AllocationKind::Primary => Action::EndPrimaryAllocation,
        AllocationKind::Joint | AllocationKind::Cover => Action::EndHelpingAllocation,
    };
    // A helping unit may end its own help, nobody else's.
    let mut holding = case.holding.clone();
    holding.helping.retain(|unit| unit.0 == allocation.unit_id);
    let role = policy::require(&standing, me, &holding, action)?;
    case.expect_version(input.expected_version)?;
    if allocation.ended_at.is_some() {
        return Err(Error::Refused(Refusal::IllegalTransition { from: "ENDED", legal_next: Vec::new() }));
    }
    let primary = allocation.kind.0 == AllocationKind::Primary;
    if primary && holding.receiving.is_some() {
        return Err(Error::conflict("A transfer of this case waits for its answer: settle it first."));
    }
    let unit = units::get(tx, allocation.unit_id).await?.ok_or(Error::NotFound)?;
    let at = case.moment(tx.viewer().at);
    let stamp = stamp(tx, &case.core).await?;
    let lead = if primary { involvements::lead(tx, case.core.id).await? } else { None };

    cases::authorise_and_touch(tx, &case, case.core.status.0).await?;
    let announcer = Announcer::new(&standing.name, role, at);
    let mut audience = units_of(&case);
    audience.extend(managers_of(&case));
    audience.extend(lead.iter().map(|lead| Audience::Worker(lead.worker_id)));
    let led = lead.as_ref().map(|lead| lead.worker_id);
    tell_ended(tx, &announcer, (&allocation, &unit), led, &stamp, Severity::Action, &audience).await?;
    if let Some(lead) = &lead {
        end_lead(tx, &announcer, lead, &stamp, Severity::Action, &audience).await?;
    }
    let stay: Vec<Uuid> = case.units().into_iter().map(|held| held.0).filter(|held| *held != unit.id).collect();
    end_parts(tx, &announcer, case.core.id, &stamp, (&BESIDE_LEAD, &stay), ChangeReason::Others, &audience).await?;
    if primary && !case.core.status.0.is_closed() {
        let detail = Detail::Unallocated { since: at, reason: UnallocatedReason::AllocationEnded };
        let entity = Entity { kind: CaseId::KIND, id: case.core.id, version: case.core.version + 1 };
        let waiting = [Audience::Post(Post::FrontDoor), Audience::Post(Post::Queue)];
        // A child about whom an enquiry is made is left with nobody.
        let enquired = enquiries::open_of_case(tx, case.core.id).await?.is_some();
        let severity = if enquired { Severity::Urgent } else { Severity::Action };
        announcer.announce(tx, EventType::CaseUnallocated, severity, entity, Some(&stamp), detail, &waiting).await?;
        pass_lead(tx, &announcer, (&case, &stamp), None, &audience).await?;
    }
    // Last: from here on the viewer may not see the case any more.
    allocations::end(tx, allocation.id, at, &reason).await?;
    Ok(Outcome { case_id: Some(case.core.id), allocation_id: Some(allocation.id), ..Outcome::default() })
}
