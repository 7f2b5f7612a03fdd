//! Who may do what, as one pure function. What may be seen is Postgres's business.
//!
//! The table it makes is printed to `tests/snapshots/policy.txt`; review a change of it as a diff.

use super::viewer::{Holding, Relation, Standing};
use crate::{
    domain::{codes::Role, ids::WorkerId},
    error::{Error, Result},
};

/// What somebody wants to do to a case or its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Give a case from the queue to a unit.
    AllocateCase,
    /// The same, to a unit that is at its capacity.
    AllocateOverCapacity,
    /// End the primary allocation: the case goes to the queue.
    EndPrimaryAllocation,
    /// Bring in a unit jointly or as cover.
    StartHelpingAllocation,
    /// End a joint or cover allocation.
    EndHelpingAllocation,
    /// Name another lead practitioner.
    ChangeLeadPractitioner,
    /// Ask another unit to take the case over.
    RequestTransfer,
    /// Take a case over.
    AcceptTransfer,
    /// Ask for a child protection conference.
    RequestConference,
    /// Give a conference its date and chair.
    ScheduleConference,
    /// Give a conference another date.
    MoveConference,
    /// Record what a conference decided.
    DecideConference,
}

impl Action {
    /// Every action, for the printed table.
    pub const ALL: [Self; 12] = [
        Self::AllocateCase,
        Self::AllocateOverCapacity,
        Self::EndPrimaryAllocation,
        Self::StartHelpingAllocation,
        Self::EndHelpingAllocation,
        Self::ChangeLeadPractitioner,
        Self::RequestTransfer,
        Self::AcceptTransfer,
        Self::RequestConference,
        Self::ScheduleConference,
        Self::MoveConference,
        Self::DecideConference,
    ];

    /// Whom to ask when it is not permitted.
    fn who_can(self) -> &'static str {
        match self {
            Self::AllocateCase => "first response or a service manager",
            Self::AllocateOverCapacity => "the service manager: the unit is at its capacity",
            Self::EndPrimaryAllocation
            | Self::StartHelpingAllocation
            | Self::EndHelpingAllocation
            | Self::ChangeLeadPractitioner
            | Self::RequestTransfer => "the holding unit's consultant social worker or the service manager",
            Self::AcceptTransfer => "the receiving unit's consultant social worker or their service manager",
            Self::RequestConference => "a social worker of the holding unit",
            Self::ScheduleConference | Self::MoveConference => {
                "the holding unit's coordinator or the conference's chair"
            }
            Self::DecideConference => "the conference's chair",
        }
    }
}

/// Whether `role`, standing in `relation` to the case, may do `action`.
pub fn permits(role: Role, relation: Relation, action: Action) -> bool {
    use Action::*;
    use Role::*;
    match (action, role) {
        (AllocateCase, FirstResponse | ServiceManager) => relation == Relation::Queue,
        (AllocateCase | AllocateOverCapacity, HeadOfService) => relation == Relation::Authority,
        (AllocateOverCapacity, ServiceManager) => relation == Relation::ReceivingArea,

        (
            EndPrimaryAllocation | StartHelpingAllocation | ChangeLeadPractitioner | RequestTransfer,
            ConsultantSocialWorker,
        ) => relation == Relation::Holding,
        (EndHelpingAllocation, ConsultantSocialWorker) => matches!(relation, Relation::Holding | Relation::Helping),
        (EndPrimaryAllocation | StartHelpingAllocation | ChangeLeadPractitioner | RequestTransfer, ServiceManager) => {
            relation == Relation::Area
        }
        // Help may outlast the holding unit.
        (EndHelpingAllocation, ServiceManager) => matches!(relation, Relation::Area | Relation::Queue),
        (
            EndPrimaryAllocation
            | StartHelpingAllocation
            | EndHelpingAllocation
            | ChangeLeadPractitioner
            | RequestTransfer,
            HeadOfService,
        ) => relation == Relation::Authority,

        (AcceptTransfer, ConsultantSocialWorker) => relation == Relation::Receiving,
        (AcceptTransfer, ServiceManager) => relation == Relation::ReceivingArea,

        (RequestConference, ConsultantSocialWorker | SocialWorker) => relation == Relation::Holding,
        (RequestConference, ServiceManager) => relation == Relation::Area,
        (ScheduleConference | MoveConference, UnitCoordinator) => relation == Relation::Holding,
        (ScheduleConference | MoveConference | DecideConference, CpChair) => relation == Relation::Named,

        (
            _,
            ConsultantSocialWorker
            | SocialWorker
            | ChildrensPractitioner
            | Clinician
            | UnitCoordinator
            | FirstResponse
            | CpChair
            | ServiceManager
            | HeadOfService,
        ) => false,
    }
}

/// The role in which this worker may do the action, or FORBIDDEN with whom to ask.
pub fn require(standing: &Standing, worker_id: WorkerId, holding: &Holding, action: Action) -> Result<Role> {
    standing
        .towards(worker_id, holding)
        .into_iter()
        .find(|(role, relation)| permits(*role, *relation, action))
        .map(|(role, _)| role)
        .ok_or(Error::Forbidden(action.who_can()))
}

/// Who may do what, as text: one line for every action and role that has a way.
pub fn table() -> String {
    use crate::domain::Code;
    let mut lines = String::new();
    for action in Action::ALL {
        lines.push_str(&format!("{action:?}\n"));
        for (role, code, _) in Role::ALL {
            let ways: Vec<String> = Relation::ALL
                .into_iter()
                .filter(|relation| permits(*role, *relation, action))
                .map(|relation| format!("{relation:?}"))
                .collect();
            if !ways.is_empty() {
                lines.push_str(&format!("    {code:<26} {}\n", ways.join(", ")));
            }
        }
    }
    lines
}
