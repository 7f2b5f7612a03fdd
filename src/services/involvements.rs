//! Workers' named parts in a case.

use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, permitted, stamp, units_of},
};
use crate::{
    auth::{Viewer, policy, policy::Action},
    db::{
        ViewerTx, allocations, cases,
        cases::Locked,
        involvements::{self, InvolvementRow},
        outbox::Audience,
        support, units, viewers,
        workers::{self, WorkerRow},
    },
    domain::{
        codes::{Capacity, CaseStatus, ChangeReason, EventType, Role, Severity},
        event::Detail,
        ids::InvolvementId,
    },
    error::{Error, Refusal, Result},
};

/// Names another lead practitioner.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ChangeLead {
    pub case_id: Uuid,
    pub worker_id: Uuid,
    pub reason: ChangeReason,
    pub expected_version: i32,
}

/// Gives a worker a part in a case.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct StartInvolvement {
    pub case_id: Uuid,
    pub worker_id: Uuid,
    pub capacity: Capacity,
}

/// Ends a worker's part in a case.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EndInvolvement {
    pub involvement_id: Uuid,
    pub reason: ChangeReason,
    pub expected_version: i32,
}

/// The parts that a worker has as a member of a unit.
pub(super) const INSIDE_A_UNIT: [Capacity; 3] = [Capacity::LeadPractitioner, Capacity::CoWorker, Capacity::Clinical];

/// A worker who may lead: a qualified consultant social worker or social worker of this unit, which is locked.
pub(super) async fn check_lead(tx: &ViewerTx, unit_id: Uuid, worker_id: Uuid) -> Result<WorkerRow> {
    let (worker, role) = futures_util::join!(workers::get(tx, worker_id), units::role_in(tx, unit_id, worker_id));
    let (worker, role) = (worker?.ok_or(Error::NotFound)?, role?);
    if worker.active && worker.qualified && role.is_some_and(crate::domain::codes::Role::may_lead) {
        return Ok(worker);
    }
    Err(Error::guard(
        "LEAD_QUALIFIED",
        "The lead practitioner must be a qualified consultant social worker or social worker of the holding unit: \
         choose one of its members.",
    ))
}

/// The lead practitioner of a unit, which is locked, when nobody is named: its consultant social worker, if qualified and active.
pub(super) async fn default_lead(tx: &ViewerTx, unit_id: Uuid, but: Option<Uuid>) -> Result<Option<WorkerRow>> {
    Ok(units::consultant_of(tx, unit_id, but).await?.filter(|worker| worker.active && worker.qualified))
}

/// Who leads in a unit, which is locked: whom the client wants, if they may, or [`default_lead`].
pub(super) async fn lead_in(tx: &ViewerTx, unit_id: Uuid, wanted: Option<Uuid>) -> Result<Option<WorkerRow>> {
    match wanted {
        Some(worker) => check_lead(tx, unit_id, worker).await.map(Some),
        None => default_lead(tx, unit_id, None).await,
    }
}

/// Only a qualified social worker decides about a child in danger, about referrals, and what a strategy discussion comes to.
pub(super) async fn qualified(tx: &ViewerTx) -> Result<()> {
    if workers::get(tx, tx.viewer().worker_id.0).await?.is_some_and(|me| me.qualified) {
        Ok(())
    } else {
        Err(Error::guard("QUALIFIED", "This is decided by a qualified social worker: ask one, or your manager."))
    }
}

/// The parts that end with the unit that they are inside of.
pub(super) const BESIDE_LEAD: [Capacity; 2] = [Capacity::CoWorker, Capacity::Clinical];

/// The lead practitioner's part ends, and nobody leads from then on.
pub(super) async fn end_lead(
    tx: &ViewerTx,
    announcer: &Announcer,
    lead: &InvolvementRow,
    stamp: &Stamp,
    severity: Severity,
    audience: &[Audience],
) -> Result<()> {
    involvements::end(tx, lead.id, announcer.at.max(lead.started_at), ChangeReason::Others).await?;
    let detail = Detail::Involvement {
        worker_id: None,
        worker_name: None,
        previous_worker_id: Some(lead.worker_id),
        capacity: Capacity::LeadPractitioner,
        reason: Some(ChangeReason::Others),
    };
    let entity = Entity { kind: InvolvementId::KIND, id: lead.id, version: lead.version + 1 };
    announcer.announce(tx, EventType::InvolvementChanged, severity, entity, Some(stamp), detail, audience).await
}

/// Who is told that their part ends. Beside the unit their sight may end with it.
fn ends_for(part: &InvolvementRow) -> Audience {
    if INSIDE_A_UNIT.contains(&part.capacity.0) {
        Audience::Worker(part.worker_id)
    } else {
        Audience::Leaving(part.worker_id)
    }
}

/// Parts with these capacities of whoever is in none of the units that stay end; who leads is the caller's to say.
pub(super) async fn end_parts(
    tx: &ViewerTx,
    announcer: &Announcer,
    case_id: Uuid,
    stamp: &Stamp,
    (capacities, units_that_stay): (&[Capacity], &[Uuid]),
    reason: ChangeReason,
    audience: &[Audience],
) -> Result<()> {
    for part in involvements::parts_without_unit(tx, case_id, capacities, None, units_that_stay).await? {
        involvements::end(tx, part.id, announcer.at.max(part.started_at), reason).await?;
        let mut audience = audience.to_vec();
        audience.push(ends_for(&part));
        let detail = Detail::Involvement {
            worker_id: None,
            worker_name: None,
            previous_worker_id: Some(part.worker_id),
            capacity: part.capacity.0,
            reason: Some(reason),
        };
        let entity = Entity { kind: InvolvementId::KIND, id: part.id, version: part.version + 1 };
        announcer
            .announce(tx, EventType::InvolvementChanged, Severity::Info, entity, Some(stamp), detail, &audience)
            .await?;
    }
    Ok(())
}

impl Services {
    /// The case's one named social worker is somebody else of the holding unit from now on.
    pub async fn change_lead_practitioner(&self, viewer: Viewer, key: &str, input: ChangeLead) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "changeLeadPractitioner", key, &input, move |tx| Box::pin(change_lead(tx, wanted))).await
    }

    /// A worker has a part in the case from now on, inside the unit that holds it or beside it.
    pub async fn start_involvement(&self, viewer: Viewer, key: &str, input: StartInvolvement) -> Result<Outcome> {
        let elsewhere = match input.capacity {
            Capacity::LeadPractitioner => Some("is named with changeLeadPractitioner"),
            Capacity::ParentingSupport => {
                Some("begins when a parenting support worker accepts what they were asked for")
            }
            Capacity::CpChair => Some("is a conference's: appoint its chair"),
            _ => None,
        };
        if let Some(why) = elsewhere {
            return Err(Error::bad_input("capacity", why));
        }
        let wanted = input.clone();
        self.change(viewer, "startInvolvement", key, &input, move |tx| Box::pin(start(tx, wanted))).await
    }

    /// A worker has a part in the case no longer.
    pub async fn end_involvement(&self, viewer: Viewer, key: &str, input: EndInvolvement) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "endInvolvement", key, &input, move |tx| Box::pin(end(tx, wanted))).await
    }
}

/// Nobody is given a part in what a restriction or a denial keeps from them. The child is authorised for writing.
pub(super) async fn not_kept_out(tx: &ViewerTx, child_id: Uuid, worker_id: Uuid) -> Result<()> {
    if involvements::keeps_out(tx, child_id, worker_id).await? {
        return Err(Error::guard(
            "MAY_SEE_CHILD",
            "A restriction or a denial keeps this child from that worker: choose somebody else, or have the list changed first.",
        ));
    }
    Ok(())
}

/// Who may have this part in a case that is held by `unit`.
async fn check_part(
    tx: &ViewerTx,
    case: &Locked,
    unit: Option<Uuid>,
    worker: &WorkerRow,
    capacity: Capacity,
) -> Result<()> {
    use CaseStatus::{CareDecision, CareLeaver, LookedAfter, LookedAfterLac};
    if !worker.active {
        return Err(Error::guard("WORKER_ACTIVE", "This worker does not work here any more: choose another."));
    }
    let inside = match unit {
        Some(unit) => units::role_in(tx, unit, worker.id).await?,
        None => None,
    };
    let post = |post| workers::holds_post(tx, worker.id, post);
    let status = case.core.status.0;
    let fault = match capacity {
        Capacity::CoWorker if inside.is_none() => {
            Some(("IN_UNIT", "A co-worker is a member of the unit that holds the case: choose one of its members."))
        }
        Capacity::Clinical if inside != Some(Role::Clinician) => Some((
            "IN_UNIT",
            "The clinical part is a clinician's of the unit that holds the case: choose one of its members.",
        )),
        Capacity::Iro if !post(Role::ReviewingOfficer).await? || inside.is_some() => Some((
            "REVIEWING_OFFICER",
            "The reviewing officer holds that post and does not belong to the unit whose work they review: choose another.",
        )),
        Capacity::SupervisingSw if !post(Role::FosteringSocialWorker).await? => Some((
            "FOSTERING_SOCIAL_WORKER",
            "A supervising social worker is one of the fostering service: choose another.",
        )),
        Capacity::Iro | Capacity::SupervisingSw if !matches!(status, CareDecision | LookedAfter | LookedAfterLac) => {
            Some((
                "CHILD_IN_CARE",
                "This part is for a child who is looked after, or for whom it was decided that they come into care.",
            ))
        }
        Capacity::PersonalAdviser if !matches!(status, LookedAfter | LookedAfterLac | CareLeaver) => {
            Some(("CHILD_IN_CARE", "A personal adviser is for a young person who is looked after or has left care."))
        }
        _ => None,
    };
    fault.map_or(Ok(()), |(guard, why)| Err(Error::guard(guard, why)))
}

async fn start(tx: &ViewerTx, input: StartInvolvement) -> Result<Outcome> {
    let unit = allocations::holder_of(tx, input.case_id).await?;
    let case = match unit {
        Some(unit) => cases::lock_with_unit(tx, input.case_id, unit).await?,
        None => cases::lock(tx, input.case_id).await?,
    };
    let announcer = permitted(tx, &case.holding, Action::StartInvolvement).await?.with(&case);
    case.expect_open()?;
    if unit != case.primary.as_ref().map(|primary| primary.unit_id) {
        return Err(Error::conflict("The case went to another unit meanwhile: read it again."));
    }
    let worker = workers::get(tx, input.worker_id).await?.ok_or(Error::NotFound)?;
    check_part(tx, &case, unit, &worker, input.capacity).await?;
    if involvements::beside(tx, case.core.id, &[input.capacity]).await?.contains(&worker.id) {
        return Err(Error::conflict("This worker has this part already."));
    }
    let stamp = stamp(tx, &case.core).await?;
    tx.authorise(&[case.core.child_id]).await?;
    not_kept_out(tx, case.core.child_id, worker.id).await?;
    let id = InvolvementId::new().0;
    involvements::start(tx, id, (case.core.id, case.core.child_id), (worker.id, input.capacity), announcer.at).await?;
    let audience: Vec<_> = units_of(&case).into_iter().chain([Audience::Worker(worker.id)]).collect();
    let detail = Detail::Involvement {
        worker_id: Some(worker.id),
        worker_name: Some(worker.name),
        previous_worker_id: None,
        capacity: input.capacity,
        reason: None,
    };
    let entity = Entity { kind: InvolvementId::KIND, id, version: 1 };
    let (of, severity) = (EventType::InvolvementChanged, Severity::Action);
    announcer.announce(tx, of, severity, entity, Some(&stamp), detail, &audience).await?;
    Ok(Outcome { case_id: Some(case.core.id), involvement_id: Some(id), ..Outcome::default() })
}

async fn end(tx: &ViewerTx, input: EndInvolvement) -> Result<Outcome> {
    let found = involvements::get(tx, input.involvement_id).await?;
    let case = cases::lock(tx, found.case_id).await?;
    let part = involvements::get(tx, input.involvement_id).await?;
    let announcer = permitted(tx, &case.holding, Action::EndInvolvement).await?.with(&case);
    Error::expect_version(part.version, input.expected_version)?;
    if part.ended_at.is_some() {
        return Err(Error::Refused(Refusal::IllegalTransition { from: "ENDED", legal_next: Vec::new() }));
    }
    if part.capacity.0 == Capacity::LeadPractitioner {
        return Err(Error::guard(
            "LEAD_PASSES_ON",
            "Somebody leads while a unit holds the case: name another instead.",
        ));
    }
    if support::is_open(tx, case.core.id, Some(part.id)).await? {
        return Err(Error::guard("SUPPORT_OVER", "They were asked for this work: end it, with what came of it."));
    }
    let stamp = stamp(tx, &case.core).await?;
    tx.authorise(&[part.child_id]).await?;
    let audience: Vec<_> = units_of(&case).into_iter().chain([ends_for(&part)]).collect();
    let detail = Detail::Involvement {
        worker_id: None,
        worker_name: None,
        previous_worker_id: Some(part.worker_id),
        capacity: part.capacity.0,
        reason: Some(input.reason),
    };
    let entity = Entity { kind: InvolvementId::KIND, id: part.id, version: part.version + 1 };
    let (of, severity) = (EventType::InvolvementChanged, Severity::Action);
    announcer.announce(tx, of, severity, entity, Some(&stamp), detail, &audience).await?;
    involvements::end(tx, part.id, announcer.at.max(part.started_at), input.reason).await?;
    Ok(Outcome { case_id: Some(case.core.id), involvement_id: Some(part.id), ..Outcome::default() })
}

async fn change_lead(tx: &ViewerTx, input: ChangeLead) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let unit = allocations::holder_of(tx, input.case_id).await?;
    let case = match unit {
        Some(unit) => cases::lock_with_unit(tx, input.case_id, unit).await?,
        None => cases::lock(tx, input.case_id).await?,
    };
    let standing = viewers::standing(tx).await?;
    let role = policy::require(&standing, me, &case.holding, Action::ChangeLeadPractitioner)?;
    case.expect_version(input.expected_version)?;
    let Some(primary) = &case.primary else {
        return Err(Error::guard("CASE_HELD", "No unit holds this case: allocate it first."));
    };
    if unit != Some(primary.unit_id) {
        return Err(Error::conflict("The case went to another unit meanwhile: read it again."));
    }
    let worker = check_lead(tx, primary.unit_id, input.worker_id).await?;
    let before = involvements::lead(tx, case.core.id).await?;
    if before.as_ref().is_some_and(|lead| lead.worker_id == worker.id) {
        return Err(Error::conflict("This worker is the lead practitioner already."));
    }
    let at = before.as_ref().map_or(tx.viewer().at, |lead| tx.viewer().at.max(lead.started_at));
    let stamp = stamp(tx, &case.core).await?;

    cases::authorise_and_touch(tx, &case, case.core.status.0).await?;
    if let Some(lead) = &before {
        involvements::end(tx, lead.id, at, input.reason).await?;
    }
    let involvement_id = InvolvementId::new().0;
    involvements::start_lead(tx, involvement_id, case.core.id, case.core.child_id, worker.id, at).await?;

    let mut audience = units_of(&case);
    audience.push(Audience::Worker(worker.id));
    audience.extend(before.iter().map(|lead| Audience::Worker(lead.worker_id)));
    let detail = Detail::Involvement {
        worker_id: Some(worker.id),
        worker_name: Some(worker.name),
        previous_worker_id: before.map(|lead| lead.worker_id),
        capacity: Capacity::LeadPractitioner,
        reason: Some(input.reason),
    };
    let entity = Entity { kind: InvolvementId::KIND, id: involvement_id, version: 1 };
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::InvolvementChanged, Severity::Action, entity, Some(&stamp), detail, &audience)
        .await?;
    Ok(Outcome { case_id: Some(case.core.id), involvement_id: Some(involvement_id), ..Outcome::default() })
}
