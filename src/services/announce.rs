//! Appending events: the envelope is the same for all of a change's events.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    auth::{policy, policy::Action, viewer::Holding},
    db::{
        Coded, ViewerTx,
        cases::{CaseCore, Locked, Parts},
        children, conferences,
        contacts::KnownChildRow,
        involvements,
        outbox::{self, Audience, NewEvent, Post},
        viewers,
    },
    domain::{
        codes::{Capacity, CaseStatus, EventType, Role, Severity},
        event::{CaseStamp, Detail, EventData},
        text::initials,
    },
    error::{Error, Result},
};

/// What all events of one change share.
pub(super) struct Announcer {
    pub(super) actor_name: String,
    pub(super) actor_role: Role,
    /// The moment of the change.
    pub(super) at: DateTime<Utc>,
    correlation_id: Uuid,
}

/// The record that an event is about.
pub(super) struct Entity {
    pub(super) kind: &'static str,
    pub(super) id: Uuid,
    pub(super) version: i32,
}

/// A case as events name it, and whom they concern by name.
#[derive(Clone)]
pub(super) struct Stamp {
    case_id: Uuid,
    stamp: CaseStamp,
    /// Its lead practitioner: of all that happens.
    leads: Vec<Uuid>,
    /// Its reviewing officer, and the chairs of its protection plan in force: of who works the case ([`told_beside`]).
    reviewing: Vec<Uuid>,
    chairs: Vec<Uuid>,
}

/// Whether an event of this type, which says who works a case, is told to the child's reviewing officer, and to the chair of the
/// child protection plan in force.
fn told_beside(of: EventType) -> (bool, bool) {
    match of {
        EventType::AllocationEnded | EventType::InvolvementChanged => (true, true),
        EventType::TransferRequested | EventType::TransferResponded | EventType::TransferCompleted => (true, false),
        _ => (false, false),
    }
}

/// Reads what events may say of a case. Before anything moves it out of sight.
pub(super) async fn stamp(tx: &ViewerTx, case: &CaseCore) -> Result<Stamp> {
    let chairs = async {
        match case.status.0 {
            // Before that there is no such plan.
            CaseStatus::Referred | CaseStatus::Assessment => Ok(Vec::new()),
            _ => conferences::chairs_in_force(tx, case.id).await,
        }
    };
    let (names, parts, chairs) =
        futures_util::join!(children::names(tx, case.child_id), involvements::parts(tx, case.id), chairs);
    let ((first, last), parts) = (names?, Parts { workers: parts?, chairs: chairs? });
    Ok(Stamp {
        case_id: case.id,
        stamp: CaseStamp {
            case_no: case.case_no,
            child_initials: initials(&first, &last),
            child_id: Some(case.child_id),
        },
        leads: Vec::new(),
        reviewing: Vec::new(),
        chairs: Vec::new(),
    }
    .of_parts(&parts))
}

impl Stamp {
    /// With whom it concerns by their part in the case.
    pub(super) fn of_parts(self, parts: &Parts) -> Self {
        Self {
            leads: parts.of(&[Capacity::LeadPractitioner]).collect(),
            reviewing: parts.of(&[Capacity::Iro]).collect(),
            chairs: parts.chairs.clone(),
            ..self
        }
    }

    /// Of a case that the viewer does not see, from what first response may know of the child.
    pub(super) fn of_known(child: &KnownChildRow) -> Option<Self> {
        Some(Self {
            case_id: child.open_case_id?,
            stamp: CaseStamp {
                case_no: child.open_case_no?,
                child_initials: initials(child.first_name.read(), child.last_name.read()),
                child_id: Some(child.child_id),
            },
            leads: child.lead_id.into_iter().collect(),
            reviewing: Vec::new(),
            chairs: Vec::new(),
        })
    }

    /// Of a case that has just been opened.
    pub(super) fn of_new(case_id: Uuid, case_no: i64, child_id: Uuid, (first, last): &(String, String)) -> Self {
        let stamp = CaseStamp { case_no, child_initials: initials(first, last), child_id: Some(child_id) };
        Self { case_id, stamp, leads: Vec::new(), reviewing: Vec::new(), chairs: Vec::new() }
    }
}

impl Announcer {
    pub(super) fn new(actor_name: &str, actor_role: Role, at: DateTime<Utc>) -> Self {
        Self { actor_name: actor_name.to_owned(), actor_role, at, correlation_id: Uuid::now_v7() }
    }

    /// Of a change of this case: never before what it changes began.
    pub(super) fn with(mut self, case: &Locked) -> Self {
        self.at = case.moment(self.at);
        self
    }

    /// Appends one event for these units, workers and managers, and for the case's lead practitioner. An event about
    /// several cases has none: its audience must name their leads.
    // One argument for each part of the envelope that differs between a change's events.
    #[allow(clippy::too_many_arguments)]
    pub(super) async fn announce(
        &self,
        tx: &ViewerTx,
        of: EventType,
        severity: Severity,
        entity: Entity,
        case: Option<&Stamp>,
        detail: Detail,
        audience: &[Audience],
    ) -> Result<()> {
        let data = EventData { actor_name: self.actor_name.clone(), case: case.map(|case| case.stamp.clone()), detail };
        let event = NewEvent {
            event_id: Uuid::now_v7(),
            type_: Coded(of),
            occurred_at: self.at,
            recorded_at: self.at,
            actor_id: tx.viewer().worker_id.0,
            actor_role: Coded(self.actor_role),
            case_id: case.map(|case| case.case_id),
            correlation_id: self.correlation_id,
            causation_id: None,
            entity_type: entity.kind,
            entity_id: entity.id,
            entity_version: entity.version,
            severity: Coded(severity),
            data: serde_json::to_value(data).map_err(Error::internal)?,
        };
        let mut everybody = audience.to_vec();
        if let Some(case) = case {
            let (reviewing, chairs) = told_beside(of);
            let none: &[Uuid] = &[];
            let by_name = case.leads.iter();
            let by_name = by_name.chain(if reviewing { &case.reviewing[..] } else { none });
            everybody
                .extend(by_name.chain(if chairs { &case.chairs[..] } else { none }).copied().map(Audience::Worker));
        }
        outbox::append(tx, event, everybody.into_iter()).await
    }
}

/// Every unit that holds the case in any way.
pub(super) fn units_of(case: &Locked) -> Vec<Audience> {
    case.units().into_iter().map(|unit| Audience::Unit(unit.0)).collect()
}

/// The managers of the area of the unit that holds the case.
pub(super) fn managers_of(case: &Locked) -> Vec<Audience> {
    case.holding.primary.iter().map(|(_, area)| Audience::Area(area.0)).collect()
}

/// Whoever sees the queue, of a case that no unit holds.
pub(super) fn queue_of(case: &Locked) -> Vec<Audience> {
    match case.primary {
        None => vec![Audience::Post(Post::FrontDoor), Audience::Post(Post::Queue)],
        Some(_) => Vec::new(),
    }
}

/// Asks policy, and begins to tell of what was done.
pub(super) async fn permitted(tx: &ViewerTx, holding: &Holding, action: Action) -> Result<Announcer> {
    let standing = viewers::standing(tx).await?;
    let role = policy::require(&standing, tx.viewer().worker_id, holding, action)?;
    Ok(Announcer::new(&standing.name, role, tx.viewer().at))
}
