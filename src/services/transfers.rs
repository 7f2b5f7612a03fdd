//! Moving cases between units.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    allocations::{active_unit, check_capacity, end_help, tell_ended},
    announce::{Announcer, Entity, managers_of, stamp, units_of},
    enquiries::pass_lead,
    involvements::{BESIDE_LEAD, end_parts, lead_in},
    text,
};
use crate::{
    auth::{Viewer, policy, policy::Action, viewer::Holding},
    db::{
        Coded, ViewerTx,
        allocations::{self, NewAllocation},
        assessments, cases,
        cases::Locked,
        enquiries, involvements,
        outbox::Audience,
        plans,
        transfers::{self, NewTransfer, TransferCore},
        units, viewers,
    },
    domain::{
        Code,
        calendar::london_day,
        codes::{
            AllocationKind, Capacity, CaseStatus, ChangeReason, EventType, Priority, Severity, TransferKind,
            TransferState,
        },
        event::Detail,
        ids::{AllocationId, AreaId, InvolvementId, TransferId, UnitId},
        transfer::guard,
    },
    error::{Error, Refusal, Result},
};

/// Asks another unit to take a case over.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RequestTransfer {
    pub case_id: Uuid,
    pub to_unit_id: Uuid,
    pub kind: TransferKind,
    pub handover_summary: String,
    pub joint_meeting_on: Option<NaiveDate>,
    pub expected_version: i32,
}

/// Takes a case over.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct AcceptTransfer {
    pub transfer_id: Uuid,
    /// The receiving unit's consultant social worker when missing.
    pub lead_practitioner_id: Option<Uuid>,
    pub expected_version: i32,
}

/// Says no to a transfer: the receiving unit rejects it, or the asking unit withdraws it.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RefuseTransfer {
    pub transfer_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

impl Services {
    /// The receiving unit does not take the case. It no longer sees the case's core.
    pub async fn reject_transfer(&self, viewer: Viewer, key: &str, input: RefuseTransfer) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 2_000)?;
        let wanted = input.clone();
        self.change(viewer, "rejectTransfer", key, &input, move |tx| {
            Box::pin(refuse(tx, wanted, TransferState::Rejected, reason))
        })
        .await
    }

    /// The asking unit keeps the case after all.
    pub async fn withdraw_transfer(&self, viewer: Viewer, key: &str, input: RefuseTransfer) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 2_000)?;
        let wanted = input.clone();
        self.change(viewer, "withdrawTransfer", key, &input, move |tx| {
            Box::pin(refuse(tx, wanted, TransferState::Withdrawn, reason))
        })
        .await
    }

    /// Asks; nothing moves until the receiving unit accepts. It reads the case's core and the handover summary from
    /// now on.
    pub async fn request_transfer(&self, viewer: Viewer, key: &str, input: RequestTransfer) -> Result<Outcome> {
        let summary = text("handoverSummary", &input.handover_summary, 10_000)?;
        let wanted = input.clone();
        self.change(viewer, "requestTransfer", key, &input, move |tx| Box::pin(request(tx, wanted, summary))).await
    }

    /// Accepts, and moves the case at once: old allocation and lead practitioner end, new ones start, in one
    /// transaction.
    pub async fn accept_transfer(&self, viewer: Viewer, key: &str, input: AcceptTransfer) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "acceptTransfer", key, &input, move |tx| Box::pin(accept(tx, wanted))).await
    }
}

/// The children in need service takes a case from assessment when that found that the service stays involved.
async fn assessed(tx: &ViewerTx, case: &Locked, kind: TransferKind) -> Result<()> {
    let status = match case.core.status.0 {
        // As where it stood before a conference was called for.
        CaseStatus::ConferencePending => enquiries::case_status_before(tx, case.core.id).await?,
        status => Some(status),
    };
    if kind != TransferKind::ToCin || !matches!(status, Some(CaseStatus::Referred | CaseStatus::Assessment)) {
        return Ok(());
    }
    if assessments::is_open(tx, case.core.id).await?
        || !matches!(assessments::last_outcome(tx, case.core.id).await?, Some(outcome) if outcome.goes_on())
    {
        return Err(Error::guard(
            "ASSESSMENT_AUTHORISED",
            "The children in need service takes a case when its assessment is authorised and found that the service stays \
             involved: hand it in with CIN_PLAN, and have it authorised.",
        ));
    }
    Ok(())
}

async fn request(tx: &ViewerTx, input: RequestTransfer, handover_summary: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let case = cases::lock(tx, input.case_id).await?;
    let to = active_unit(tx, input.to_unit_id).await?;
    let standing = viewers::standing(tx).await?;
    let role = policy::require(&standing, me, &case.holding, Action::RequestTransfer)?;
    case.expect_version(input.expected_version)?;
    let Some(primary) = &case.primary else {
        return Err(Error::guard("CASE_HELD", "No unit holds this case: allocate it instead."));
    };
    if primary.unit_id == to.id {
        return Err(Error::conflict("This unit holds the case already."));
    }
    if case.holding.receiving.is_some() {
        return Err(Error::conflict("A transfer of this case waits for its answer already."));
    }
    let from = units::get(tx, primary.unit_id).await?.ok_or(Error::NotFound)?;
    let held = (case.core.status.0, plans::permanence(tx, case.core.id).await?);
    guard(input.kind, (from.service.0, to.service.0), held).map_err(|(name, why)| Error::guard(name, why))?;
    assessed(tx, &case, input.kind).await?;
    let at = case.moment(tx.viewer().at);
    if input.joint_meeting_on.is_some_and(|day| day < london_day(at)) {
        return Err(Error::bad_input("jointMeetingOn", "must not lie in the past"));
    }
    let stamp = stamp(tx, &case.core).await?;

    cases::authorise_and_touch(tx, &case, case.core.status.0).await?;
    let transfer_id = TransferId::new().0;
    transfers::request(
        tx,
        NewTransfer {
            id: transfer_id,
            case_id: case.core.id,
            child_id: case.core.child_id,
            from_unit_id: from.id,
            to_unit_id: to.id,
            kind: Coded(input.kind),
            state: Coded(TransferState::Requested),
            requested_by: me.0,
            requested_at: at,
            handover_summary,
            joint_meeting_on: input.joint_meeting_on,
        },
    )
    .await?;
    let mut audience = units_of(&case);
    audience.push(Audience::Unit(to.id));
    let detail = Detail::Transfer {
        from_unit_id: from.id,
        from_unit_name: from.name,
        to_unit_id: to.id,
        to_unit_name: to.name,
        kind: input.kind,
        state: TransferState::Requested,
        effective_on: None,
    };
    let entity = Entity { kind: TransferId::KIND, id: transfer_id, version: 1 };
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::TransferRequested, Severity::Action, entity, Some(&stamp), detail, &audience)
        .await?;
    Ok(Outcome { case_id: Some(case.core.id), transfer_id: Some(transfer_id), ..Outcome::default() })
}

async fn accept(tx: &ViewerTx, input: AcceptTransfer) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let seen = transfers::get(tx, input.transfer_id).await?.ok_or(Error::NotFound)?;
    let case = cases::lock_with_unit(tx, seen.case_id, seen.to_unit_id).await?;
    let transfer = transfers::get(tx, input.transfer_id).await?.ok_or(Error::NotFound)?;
    let to = units::get(tx, transfer.to_unit_id).await?.ok_or(Error::NotFound)?;
    let standing = viewers::standing(tx).await?;
    let holding = Holding { receiving: Some((UnitId(to.id), AreaId(to.area_id))), ..case.holding.clone() };
    let role = policy::require(&standing, me, &holding, Action::AcceptTransfer)?;
    Error::expect_version(transfer.version, input.expected_version)?;
    if transfer.state.0 != TransferState::Requested {
        return Err(not_requested(&transfer));
    }
    let primary = case.primary.clone().filter(|open| open.unit_id == transfer.from_unit_id);
    let Some(primary) = primary else {
        return Err(Error::conflict("The case is not held by the unit that asked any more."));
    };
    let to = active_unit(tx, to.id).await?;
    let from = units::get(tx, primary.unit_id).await?.ok_or(Error::NotFound)?;
    let planned = (case.core.status.0, plans::permanence(tx, case.core.id).await?);
    guard(transfer.kind.0, (from.service.0, to.service.0), planned).map_err(|(name, why)| Error::guard(name, why))?;
    assessed(tx, &case, transfer.kind.0).await?;
    let held = units::count_held(tx, to.id).await?;
    let instead = "ask its service manager to accept it, or reject the transfer";
    check_capacity((&to, held), &standing, me, &holding, instead)?;
    let lead = lead_in(tx, to.id, input.lead_practitioner_id).await?;
    let old_allocation = allocations::get(tx, primary.id).await?.ok_or(Error::NotFound)?;
    let old_lead = involvements::lead(tx, case.core.id).await?;
    let at = old_lead
        .as_ref()
        .map_or_else(|| case.moment(tx.viewer().at), |lead| case.moment(tx.viewer().at).max(lead.started_at));
    let today = london_day(at);
    let stamp = stamp(tx, &case.core).await?;

    cases::authorise_and_touch(tx, &case, case.core.status.0.after_transfer(transfer.kind.0)).await?;
    if let Some(old) = &old_lead {
        involvements::end(tx, old.id, at, ChangeReason::Tsproc).await?;
    }
    allocations::end(tx, primary.id, at, "Transferred").await?;
    // In this order, each to both units; the leaving unit's last event of the case is the last one.
    let announcer = Announcer::new(&standing.name, role, at);
    let mut audience = units_of(&case);
    audience.push(Audience::Unit(to.id));
    // The case's events name who led it before the change; of this one also who leads it from now on.
    audience.extend(lead.iter().map(|lead| Audience::Worker(lead.id)));
    let mut managers = managers_of(&case);
    managers.push(Audience::Area(to.area_id));
    let with_managers: Vec<_> = audience.iter().chain(&managers).copied().collect();
    let allocation_id = AllocationId::new().0;
    allocations::start(
        tx,
        NewAllocation {
            id: allocation_id,
            case_id: case.core.id,
            child_id: case.core.child_id,
            unit_id: to.id,
            kind: Coded(AllocationKind::Primary),
            started_at: at,
            reason_start: "Transferred".to_owned(),
            transfer_id: Some(transfer.id),
            summary: None,
            priority: Coded(Priority::None),
            created_by: Some(me.0),
        },
    )
    .await?;
    let involvement_id = InvolvementId::new().0;
    if let Some(lead) = &lead {
        involvements::start_lead(tx, involvement_id, case.core.id, case.core.child_id, lead.id, at).await?;
    }
    pass_lead(tx, &announcer, (&case, &stamp), lead.as_ref().map(|lead| lead.id), &with_managers).await?;
    transfers::complete(tx, transfer.id, me.0, at, today).await?;

    let led = old_lead.as_ref().map(|lead| lead.worker_id);
    tell_ended(tx, &announcer, (&old_allocation, &from), led, &stamp, Severity::Info, &with_managers).await?;
    end_help(tx, &announcer, &case, &to, &stamp, &with_managers).await?;
    let started = Detail::Allocation {
        unit_id: to.id,
        unit_name: to.name.clone(),
        kind: AllocationKind::Primary,
        priority: Priority::None,
        started_at: at,
        ended_at: None,
        lead_practitioner_id: lead.as_ref().map(|lead| lead.id),
        previous_unit_id: Some(from.id),
    };
    let entity = Entity { kind: AllocationId::KIND, id: allocation_id, version: 1 };
    announcer
        .announce(tx, EventType::AllocationStarted, Severity::Action, entity, Some(&stamp), started, &with_managers)
        .await?;
    let mut named = audience.clone();
    named.extend(lead.iter().map(|lead| Audience::Worker(lead.id)));
    named.extend(old_lead.iter().map(|lead| Audience::Worker(lead.worker_id)));
    let entity = match (&lead, &old_lead) {
        (Some(_), _) => Some(Entity { kind: InvolvementId::KIND, id: involvement_id, version: 1 }),
        (None, Some(old)) => Some(Entity { kind: InvolvementId::KIND, id: old.id, version: old.version + 1 }),
        (None, None) => None,
    };
    if let Some(entity) = entity {
        let changed = Detail::Involvement {
            worker_id: lead.as_ref().map(|lead| lead.id),
            worker_name: lead.map(|lead| lead.name),
            previous_worker_id: old_lead.map(|lead| lead.worker_id),
            capacity: Capacity::LeadPractitioner,
            reason: Some(ChangeReason::Tsproc),
        };
        announcer
            .announce(tx, EventType::InvolvementChanged, Severity::Info, entity, Some(&stamp), changed, &named)
            .await?;
    }
    let mut stay: Vec<Uuid> = case.helping.iter().map(|open| open.unit_id).collect();
    stay.push(to.id);
    end_parts(tx, &announcer, case.core.id, &stamp, (&BESIDE_LEAD, &stay), ChangeReason::Tsproc, &audience).await?;
    let completed = Detail::Transfer {
        from_unit_id: from.id,
        from_unit_name: from.name,
        to_unit_id: to.id,
        to_unit_name: to.name,
        kind: transfer.kind.0,
        state: TransferState::Completed,
        effective_on: Some(today),
    };
    let entity = Entity { kind: TransferId::KIND, id: transfer.id, version: transfer.version + 1 };
    announcer
        .announce(tx, EventType::TransferCompleted, Severity::Action, entity, Some(&stamp), completed, &with_managers)
        .await?;
    Ok(Outcome {
        case_id: Some(case.core.id),
        allocation_id: Some(allocation_id),
        transfer_id: Some(transfer.id),
        ..Outcome::default()
    })
}

/// What is answered stays answered.
fn not_requested(transfer: &TransferCore) -> Error {
    Error::Refused(Refusal::IllegalTransition { from: transfer.state.0.code(), legal_next: Vec::new() })
}

async fn refuse(tx: &ViewerTx, input: RefuseTransfer, state: TransferState, reason: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let seen = transfers::get(tx, input.transfer_id).await?.ok_or(Error::NotFound)?;
    let case = cases::lock(tx, seen.case_id).await?;
    let transfer = transfers::get(tx, input.transfer_id).await?.ok_or(Error::NotFound)?;
    let from = units::get(tx, transfer.from_unit_id).await?.ok_or(Error::NotFound)?;
    let to = units::get(tx, transfer.to_unit_id).await?.ok_or(Error::NotFound)?;
    let standing = viewers::standing(tx).await?;
    let holding = Holding { receiving: Some((UnitId(to.id), AreaId(to.area_id))), ..case.holding.clone() };
    let action = if state == TransferState::Rejected { Action::RejectTransfer } else { Action::WithdrawTransfer };
    let role = policy::require(&standing, me, &holding, action)?;
    Error::expect_version(transfer.version, input.expected_version)?;
    if transfer.state.0 != TransferState::Requested {
        return Err(not_requested(&transfer));
    }
    let at = case.moment(tx.viewer().at).max(transfer.requested_at);
    let stamp = stamp(tx, &case.core).await?;
    let mut audience = units_of(&case);
    audience.extend([Audience::Unit(to.id), Audience::Area(to.area_id), Audience::Worker(transfer.requested_by)]);
    audience.extend(managers_of(&case));

    cases::authorise_and_touch(tx, &case, case.core.status.0).await?;
    // Last: with its answer the transfer opens the case to the receiving unit no longer.
    transfers::refuse(tx, transfer.id, state, me.0, at, reason).await?;
    let detail = Detail::Transfer {
        from_unit_id: from.id,
        from_unit_name: from.name,
        to_unit_id: to.id,
        to_unit_name: to.name,
        kind: transfer.kind.0,
        state,
        effective_on: None,
    };
    let entity = Entity { kind: TransferId::KIND, id: transfer.id, version: transfer.version + 1 };
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::TransferResponded, Severity::Action, entity, Some(&stamp), detail, &audience)
        .await?;
    Ok(Outcome { case_id: Some(case.core.id), transfer_id: Some(transfer.id), ..Outcome::default() })
}
