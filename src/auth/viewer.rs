//! The person behind a request, and what they are to a record.

use chrono::{DateTime, SubsecRound, Utc};

use crate::domain::{
    codes::Role,
    ids::{AreaId, UnitId, WorkerId},
};

/// A worker's id and the moment of the request. What it opens is read in the operation's own snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    /// The worker.
    pub worker_id: WorkerId,
    /// When the request was made: memberships are judged at this moment.
    pub at: DateTime<Utc>,
}

impl Viewer {
    /// A viewer at a moment, which is cut to what the database stores.
    pub fn new(worker_id: WorkerId, at: DateTime<Utc>) -> Self {
        Self { worker_id, at: at.trunc_subsecs(6) }
    }
}

/// A role in a unit that runs at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitRole {
    /// The unit.
    pub unit_id: UnitId,
    /// Its area.
    pub area_id: AreaId,
    /// The role in it.
    pub role: Role,
}

/// Everything that a worker is at one moment, as read inside a transaction.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The worker's name, for the events that they cause.
    pub name: String,
    /// Roles in units.
    pub units: Vec<UnitRole>,
    /// Posts beside units.
    pub posts: Vec<Role>,
    /// Areas that the worker manages.
    pub areas: Vec<AreaId>,
}

/// How a viewer stands to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// Member of the unit that holds the case.
    Holding,
    /// Member of a unit that works it jointly or covers.
    Helping,
    /// Member of the unit that is asked to take it over.
    Receiving,
    /// Manages the area of the holding unit.
    Area,
    /// Manages the area of the unit that the action brings in.
    ReceivingArea,
    /// Member of the unit that the case was offered to, and that the action brings in.
    Offered,
    /// The case is in the unallocated queue.
    Queue,
    /// Named on the record: its conference's chair, its restriction's owner, alerted of its break-glass.
    Named,
    /// By post, whatever the case.
    Authority,
    /// Works in a unit or manages an area, whatever the case.
    Practising,
}

impl Relation {
    /// Every relation, for the printed table.
    pub const ALL: [Self; 10] = [
        Self::Holding,
        Self::Helping,
        Self::Receiving,
        Self::Area,
        Self::ReceivingArea,
        Self::Offered,
        Self::Queue,
        Self::Named,
        Self::Authority,
        Self::Practising,
    ];
}

/// What policy needs to know of a case: who holds it.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// The unit that holds the case and its area; none when it is in the queue.
    pub primary: Option<(UnitId, AreaId)>,
    /// Units with a joint or cover allocation.
    pub helping: Vec<UnitId>,
    /// The unit that is asked, or about to be brought in, and its area.
    pub receiving: Option<(UnitId, AreaId)>,
    /// The unit that the case was offered to; it is in the queue.
    pub offered: Option<UnitId>,
    /// Workers named on the record (a conference's chair, a restriction's owner, whom somebody is to meet).
    pub named: Vec<WorkerId>,
}

impl Standing {
    /// Every (role, relation) in which this worker stands to a case held like this.
    pub fn towards(&self, worker_id: WorkerId, holding: &Holding) -> Vec<(Role, Relation)> {
        let mut found = Vec::new();
        for unit in &self.units {
            found.push((unit.role, Relation::Practising));
            if holding.primary.is_some_and(|(held_by, _)| held_by == unit.unit_id) {
                found.push((unit.role, Relation::Holding));
            }
            if holding.helping.contains(&unit.unit_id) {
                found.push((unit.role, Relation::Helping));
            }
            if holding.receiving.is_some_and(|(asked, _)| asked == unit.unit_id) {
                found.push((unit.role, Relation::Receiving));
                if holding.offered == Some(unit.unit_id) && holding.primary.is_none() {
                    found.push((unit.role, Relation::Offered));
                }
            }
            if holding.named.contains(&worker_id) {
                found.push((unit.role, Relation::Named));
            }
        }
        for area in &self.areas {
            found.push((Role::ServiceManager, Relation::Practising));
            if holding.named.contains(&worker_id) {
                found.push((Role::ServiceManager, Relation::Named));
            }
            if holding.primary.is_some_and(|(_, of)| of == *area) {
                found.push((Role::ServiceManager, Relation::Area));
            }
            if holding.receiving.is_some_and(|(_, of)| of == *area) {
                found.push((Role::ServiceManager, Relation::ReceivingArea));
            }
            if holding.primary.is_none() {
                found.push((Role::ServiceManager, Relation::Queue));
            }
        }
        for post in &self.posts {
            found.push((*post, Relation::Authority));
            if holding.primary.is_none() {
                found.push((*post, Relation::Queue));
            }
            if holding.named.contains(&worker_id) {
                found.push((*post, Relation::Named));
            }
        }
        found
    }
}
