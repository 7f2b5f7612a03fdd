//! Who belongs to a unit: joining, covering, changing the role, leaving.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    allocations::active_unit,
    announce::{Announcer, Entity, stamp, units_of},
    enquiries::pass_lead,
    involvements::{INSIDE_A_UNIT, check_lead, default_lead},
};
use crate::{
    auth::{Viewer, policy, policy::Action, viewer::Holding},
    db::{
        ViewerTx, cases, enquiries, involvements,
        outbox::Audience,
        units::{self, MembershipRow, NewMembership, UnitRow},
        viewers, workers,
        workers::WorkerRow,
    },
    domain::{
        Code,
        codes::{Capacity, ChangeReason, EventType, Role, Severity},
        event::Detail,
        ids::{AreaId, InvolvementId, MembershipId, UnitId},
    },
    error::{Error, Refusal, Result},
};

/// Makes somebody a member of a unit.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct StartMembership {
    pub unit_id: Uuid,
    pub worker_id: Uuid,
    pub role: Role,
    /// How much of a full post, in hundredths: 1 to 100.
    pub share: i32,
    pub cover: bool,
    pub until: Option<DateTime<Utc>>,
}

/// Ends somebody's membership.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EndMembership {
    pub membership_id: Uuid,
    pub reason: ChangeReason,
    /// Who leads the cases from now on; the unit's consultant social worker when missing.
    pub leads_pass_to: Option<Uuid>,
    pub expected_version: i32,
}

/// Changes somebody's role in a unit.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ChangeMembershipRole {
    pub membership_id: Uuid,
    pub role: Role,
    pub cover: bool,
    /// Who leads the cases from now on, if the new role does not lead.
    pub leads_pass_to: Option<Uuid>,
    pub expected_version: i32,
}

impl Services {
    /// The worker belongs to the unit from now on, and receives what happens to its cases from now on.
    pub async fn start_membership(&self, viewer: Viewer, key: &str, input: StartMembership) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "startMembership", key, &input, move |tx| Box::pin(start(tx, wanted))).await
    }

    /// The worker belongs to the unit no longer. Their parts in its cases end with it; cases that they led pass to
    /// whom is named, or to the unit's consultant social worker.
    pub async fn end_membership(&self, viewer: Viewer, key: &str, input: EndMembership) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "endMembership", key, &input, move |tx| Box::pin(end(tx, wanted))).await
    }

    /// The worker has another role in the unit from now on: one membership ends and another begins at one instant.
    pub async fn change_membership_role(
        &self,
        viewer: Viewer,
        key: &str,
        input: ChangeMembershipRole,
    ) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "changeMembershipRole", key, &input, move |tx| Box::pin(change_role(tx, wanted))).await
    }
}

/// Asks policy about a unit, with no case concerned.
async fn require(tx: &ViewerTx, unit: &UnitRow, action: Action) -> Result<(Role, String)> {
    let me = tx.viewer().worker_id;
    let standing = viewers::standing(tx).await?;
    // Nobody holds anything here: a manager of the queue is none of the unit.
    let holding = Holding { receiving: Some((UnitId(unit.id), AreaId(unit.area_id))), ..Holding::default() };
    let role = policy::require(&standing, me, &holding, action)?;
    Ok((role, standing.name))
}

/// Nobody gives themselves what a role opens.
fn others(tx: &ViewerTx, worker_id: Uuid) -> Result<()> {
    if worker_id == tx.viewer().worker_id.0 {
        return Err(Error::guard(
            "OTHERS",
            "Somebody else decides on your own part in a unit: ask the head of service.",
        ));
    }
    Ok(())
}

/// A role of a unit, for which this worker is qualified.
fn check_role(role: Role, worker: &WorkerRow) -> Result<()> {
    if !role.of_a_unit() {
        return Err(Error::bad_input("role", "must be one of the five roles of a unit"));
    }
    if role.may_lead() && !worker.qualified {
        return Err(Error::guard(
            "QUALIFIED",
            "Consultant social workers and social workers are qualified social workers: choose another role.",
        ));
    }
    Ok(())
}

fn detail(unit: &UnitRow, worker: &WorkerRow, membership: &MembershipRow, previous_role: Option<Role>) -> Detail {
    Detail::Membership {
        unit_id: unit.id,
        unit_name: unit.name.clone(),
        worker_id: worker.id,
        worker_name: worker.name.clone(),
        role: membership.role.0,
        previous_role,
        cover: membership.cover,
        started_at: membership.started_at,
        ended_at: membership.ended_at,
    }
}

async fn tell(
    tx: &ViewerTx,
    announcer: &Announcer,
    unit: &UnitRow,
    worker: &WorkerRow,
    membership: &MembershipRow,
    previous_role: Option<Role>,
    named: Audience,
) -> Result<()> {
    let audience = [Audience::Unit(unit.id), named, Audience::Area(unit.area_id)];
    let entity = Entity { kind: MembershipId::KIND, id: membership.id, version: membership.version };
    let detail = detail(unit, worker, membership, previous_role);
    announcer.announce(tx, EventType::MembershipChanged, Severity::Info, entity, None, detail, &audience).await
}

async fn start(tx: &ViewerTx, input: StartMembership) -> Result<Outcome> {
    let at = tx.viewer().at;
    let unit = active_unit(tx, input.unit_id).await?;
    let (role, name) = require(tx, &unit, Action::StartMembership).await?;
    let worker = workers::get(tx, input.worker_id).await?.ok_or(Error::NotFound)?;
    if !worker.active {
        return Err(Error::guard("WORKER_ACTIVE", "This worker does not work here any more: choose another."));
    }
    others(tx, worker.id)?;
    check_role(input.role, &worker)?;
    if !(1..=100).contains(&input.share) {
        return Err(Error::bad_input("share", "must lie between 1 and 100 hundredths of a full post"));
    }
    if input.until.is_some_and(|until| until <= at) {
        return Err(Error::bad_input("until", "must lie in the future"));
    }
    if input.cover && input.until.is_none() {
        return Err(Error::bad_input("until", "is needed for cover: somebody stands in for a time"));
    }
    units::queue_for(tx, unit.id).await?;
    tx.authorise(&[unit.id]).await?;
    let id = MembershipId::new().0;
    let new = NewMembership {
        id,
        unit_id: unit.id,
        worker_id: worker.id,
        role: input.role,
        started_at: at,
        ended_at: input.until,
        share: input.share,
        cover: input.cover,
    };
    units::join(tx, new).await?;
    let membership = units::membership(tx, id).await?.ok_or(Error::NotFound)?;
    let announcer = Announcer::new(&name, role, at);
    tell(tx, &announcer, &unit, &worker, &membership, None, Audience::Worker(worker.id)).await?;
    Ok(Outcome { unit_id: Some(unit.id), membership_id: Some(id), ..Outcome::default() })
}

/// A membership that runs, with its unit and worker, locked against other changes of the unit.
async fn running(
    tx: &ViewerTx,
    membership_id: Uuid,
    action: Action,
    expected_version: i32,
) -> Result<(MembershipRow, UnitRow, WorkerRow, Announcer)> {
    let at = tx.viewer().at;
    let seen = units::membership(tx, membership_id).await?.ok_or(Error::NotFound)?;
    let unit = units::get(tx, seen.unit_id).await?.ok_or(Error::NotFound)?;
    let (role, name) = require(tx, &unit, action).await?;
    units::queue_for(tx, unit.id).await?;
    let membership = units::membership(tx, membership_id).await?.ok_or(Error::NotFound)?;
    Error::expect_version(membership.version, expected_version)?;
    if membership.ended_at.is_some_and(|ended| ended <= at) {
        return Err(Error::Refused(Refusal::IllegalTransition { from: "ENDED", legal_next: Vec::new() }));
    }
    let worker = workers::get(tx, membership.worker_id).await?.ok_or(Error::NotFound)?;
    // Never before it began: two clocks may disagree.
    let at = at.max(membership.started_at + chrono::TimeDelta::microseconds(1));
    Ok((membership, unit, worker, Announcer::new(&name, role, at)))
}

async fn end(tx: &ViewerTx, input: EndMembership) -> Result<Outcome> {
    let (membership, unit, worker, announcer) =
        running(tx, input.membership_id, Action::EndMembership, input.expected_version).await?;
    let successor = successor(tx, &unit, &worker, input.leads_pass_to).await?;
    let leaving = Leaving { worker: &worker, unit: &unit, capacities: &INSIDE_A_UNIT, successor: successor.as_ref() };
    let mut subjects = hand_over(tx, &announcer, leaving, input.reason).await?;
    subjects.push(unit.id);
    tx.authorise(&subjects).await?;
    let version = units::leave(tx, &membership, announcer.at, input.reason.code()).await?;
    let ended = MembershipRow { ended_at: Some(announcer.at), version, ..membership };
    tell(tx, &announcer, &unit, &worker, &ended, None, Audience::Leaving(worker.id)).await?;
    Ok(Outcome { unit_id: Some(unit.id), membership_id: Some(ended.id), ..Outcome::default() })
}

async fn change_role(tx: &ViewerTx, input: ChangeMembershipRole) -> Result<Outcome> {
    let (membership, unit, worker, announcer) =
        running(tx, input.membership_id, Action::ChangeMembershipRole, input.expected_version).await?;
    others(tx, worker.id)?;
    check_role(input.role, &worker)?;
    if (membership.role.0, membership.cover) == (input.role, input.cover) {
        return Err(Error::conflict("The worker has this role already."));
    }
    if input.cover && membership.ended_at.is_none() {
        return Err(Error::bad_input(
            "cover",
            "is for a membership with an end: end this one, and start one with until",
        ));
    }
    if !input.role.may_lead() {
        let successor = successor(tx, &unit, &worker, input.leads_pass_to).await?;
        let capacities = &[Capacity::LeadPractitioner];
        let leaving = Leaving { worker: &worker, unit: &unit, capacities, successor: successor.as_ref() };
        hand_over(tx, &announcer, leaving, ChangeReason::Manage).await?;
    }
    tx.authorise(&[unit.id]).await?;
    let share = units::share_of_post(tx, membership.id).await?;
    units::leave(tx, &membership, announcer.at, "ROLE_CHANGED").await?;
    let id = MembershipId::new().0;
    let new = NewMembership {
        id,
        unit_id: unit.id,
        worker_id: worker.id,
        role: input.role,
        started_at: announcer.at,
        ended_at: membership.ended_at,
        share,
        cover: input.cover,
    };
    units::join(tx, new).await?;
    let changed = units::membership(tx, id).await?.ok_or(Error::NotFound)?;
    let named = Audience::Worker(worker.id);
    tell(tx, &announcer, &unit, &worker, &changed, Some(membership.role.0), named).await?;
    Ok(Outcome { unit_id: Some(unit.id), membership_id: Some(id), ..Outcome::default() })
}

/// Who leads the cases after somebody: whom is named, or the unit's consultant social worker; never the same again.
async fn successor(
    tx: &ViewerTx,
    unit: &UnitRow,
    leaving: &WorkerRow,
    named: Option<Uuid>,
) -> Result<Option<WorkerRow>> {
    match named {
        Some(id) if id == leaving.id => Err(Error::bad_input("leadsPassToId", "must be somebody else")),
        Some(id) => check_lead(tx, unit.id, id).await.map(Some),
        None => default_lead(tx, unit.id, Some(leaving.id)).await,
    }
}

/// Whose parts in a unit's cases end, and who leads those cases from now on.
struct Leaving<'a> {
    worker: &'a WorkerRow,
    unit: &'a UnitRow,
    capacities: &'a [Capacity],
    successor: Option<&'a WorkerRow>,
}

/// Ends the parts that a worker has because of a unit, which is locked, case by case; leads pass on. Returns the
/// children concerned.
async fn hand_over(tx: &ViewerTx, announcer: &Announcer, of: Leaving<'_>, reason: ChangeReason) -> Result<Vec<Uuid>> {
    let mut children = Vec::new();
    let as_lead = of.capacities.contains(&Capacity::LeadPractitioner);
    let mut cases = involvements::cases_with_parts(tx, of.worker.id, of.unit.id, of.capacities).await?;
    if as_lead {
        cases.extend(enquiries::cases_led(tx, of.worker.id, of.unit.id).await?);
    }
    // Always in the same order, so that two who leave do not wait for each other.
    cases.sort_unstable();
    cases.dedup();
    for case_id in cases {
        let case = match cases::lock(tx, case_id).await {
            // It went out of sight while it was waited for.
            Err(Error::NotFound) => continue,
            case => case?,
        };
        // Read under the lock: meanwhile somebody else may lead, or another unit hold the case.
        let (here, others): (Vec<_>, Vec<_>) = case.units().into_iter().partition(|unit| unit.0 == of.unit.id);
        let others: Vec<Uuid> = others.into_iter().map(|unit| unit.0).collect();
        let parts = involvements::parts_without_unit(tx, case_id, of.capacities, Some(of.worker.id), &others).await?;
        let enquiry = enquiries::open_of_case(tx, case_id).await?.filter(|open| open.lead_id == Some(of.worker.id));
        let leads =
            as_lead && enquiry.is_some() && case.primary.as_ref().is_some_and(|held| held.unit_id == of.unit.id);
        if here.is_empty() || (parts.is_empty() && !leads) {
            continue;
        }
        let stamp = stamp(tx, &case.core).await?;
        children.push(case.core.child_id);
        cases::authorise_and_touch(tx, &case, case.core.status.0).await?;
        if leads {
            let to = of.successor.map(|next| next.id);
            pass_lead(tx, announcer, (&case, &stamp), to, &units_of(&case)).await?;
        }
        for part in parts {
            let at = announcer.at.max(part.started_at);
            involvements::end(tx, part.id, at, reason).await?;
            let next = of.successor.filter(|_| part.capacity.0 == Capacity::LeadPractitioner);
            let entity = match next {
                Some(next) => {
                    let id = InvolvementId::new().0;
                    involvements::start_lead(tx, id, case.core.id, case.core.child_id, next.id, at).await?;
                    Entity { kind: InvolvementId::KIND, id, version: 1 }
                }
                None => Entity { kind: InvolvementId::KIND, id: part.id, version: part.version + 1 },
            };
            let mut audience = units_of(&case);
            audience.push(Audience::Worker(part.worker_id));
            audience.extend(next.map(|next| Audience::Worker(next.id)));
            let detail = Detail::Involvement {
                worker_id: next.map(|next| next.id),
                worker_name: next.map(|next| next.name.clone()),
                previous_worker_id: Some(part.worker_id),
                capacity: part.capacity.0,
                reason: Some(reason),
            };
            announcer
                .announce(tx, EventType::InvolvementChanged, Severity::Action, entity, Some(&stamp), detail, &audience)
                .await?;
        }
    }
    Ok(children)
}
