//! What an event carries: references and a few safe fields.
//!
//! A phone shows it on its lock screen, so: never free text, an address, a category of abuse, a name of a child.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Code,
    codes::{
        AllocationKind, Capacity, ChangeReason, ConferenceState, ConferenceType, EventType, PlanKind, PlanStatus,
        Priority, TransferKind, TransferState,
    },
};

/// The stored part of an event that is not a column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventData {
    /// Name of the worker who caused it.
    pub actor_name: String,
    /// The case, when the event is about one.
    pub case: Option<CaseStamp>,
    /// What belongs to this kind of event.
    pub detail: Detail,
}

/// What may be shown of a case in a push.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseStamp {
    /// The case's number.
    pub case_no: i64,
    /// The child's initials.
    pub child_initials: String,
}

/// The fields of each kind of event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "of")]
#[allow(missing_docs)]
pub enum Detail {
    Allocation {
        unit_id: Uuid,
        unit_name: String,
        kind: AllocationKind,
        priority: Priority,
        started_at: DateTime<Utc>,
        ended_at: Option<DateTime<Utc>>,
        lead_practitioner_id: Option<Uuid>,
        previous_unit_id: Option<Uuid>,
    },
    Involvement {
        worker_id: Option<Uuid>,
        worker_name: Option<String>,
        previous_worker_id: Option<Uuid>,
        capacity: Capacity,
        reason: Option<ChangeReason>,
    },
    Transfer {
        from_unit_id: Uuid,
        from_unit_name: String,
        to_unit_id: Uuid,
        to_unit_name: String,
        kind: TransferKind,
        state: TransferState,
        effective_on: Option<NaiveDate>,
    },
    Conference {
        kind: ConferenceType,
        state: ConferenceState,
        scheduled_for: Option<DateTime<Utc>>,
        previously_scheduled_for: Option<DateTime<Utc>>,
        online: bool,
        chair_id: Option<Uuid>,
    },
    Plan {
        kind: PlanKind,
        status: PlanStatus,
        start_on: Option<NaiveDate>,
        end_on: Option<NaiveDate>,
        review_due_on: Option<NaiveDate>,
        agreed_change_by: Option<NaiveDate>,
    },
}

impl EventData {
    /// One sentence for a list or a lock screen, from a template.
    pub fn summary(&self, of: EventType) -> String {
        let about = self
            .case
            .as_ref()
            .map_or(String::new(), |case| format!("{} (case {}): ", case.child_initials, case.case_no));
        let what = match (&self.detail, of) {
            (Detail::Allocation { unit_name, kind, .. }, EventType::AllocationEnded) => {
                format!("{} allocation to {unit_name} ended", lower(kind.code()))
            }
            (Detail::Allocation { unit_name, kind, .. }, _) => {
                format!("{} allocation to {unit_name} started", lower(kind.code()))
            }
            (Detail::Involvement { capacity, worker_name: Some(name), .. }, _) => {
                format!("{name} is now {}", lower(capacity.code()))
            }
            (Detail::Involvement { capacity, .. }, _) => format!("no {} any more", lower(capacity.code())),
            (Detail::Transfer { from_unit_name, to_unit_name, state, .. }, _) => {
                format!("transfer from {from_unit_name} to {to_unit_name} {}", lower(state.code()))
            }
            (Detail::Conference { kind, state, .. }, EventType::ConferenceChanged) => {
                format!("{} conference moved, still {}", lower(kind.code()), lower(state.code()))
            }
            (Detail::Conference { kind, state, .. }, _) => {
                format!("{} conference {}", lower(kind.code()), lower(state.code()))
            }
            (Detail::Plan { kind, status, .. }, _) => format!("{} plan {}", lower(kind.code()), lower(status.code())),
        };
        about + &what
    }
}

fn lower(code: &str) -> String {
    code.to_ascii_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_a_template_with_initials_only() {
        let data = EventData {
            actor_name: "Worker".into(),
            case: Some(CaseStamp { case_no: 12, child_initials: "AB".into() }),
            detail: Detail::Allocation {
                unit_id: Uuid::nil(),
                unit_name: "Unit 3".into(),
                kind: AllocationKind::Primary,
                priority: Priority::High,
                started_at: DateTime::UNIX_EPOCH,
                ended_at: None,
                lead_practitioner_id: None,
                previous_unit_id: None,
            },
        };
        assert_eq!(data.summary(EventType::AllocationStarted), "AB (case 12): primary allocation to Unit 3 started");
    }

    #[test]
    fn what_is_stored_reads_back() {
        let data = EventData {
            actor_name: "Worker".into(),
            case: None,
            detail: Detail::Conference {
                kind: ConferenceType::Initial,
                state: ConferenceState::Scheduled,
                scheduled_for: Some(DateTime::UNIX_EPOCH),
                previously_scheduled_for: None,
                online: true,
                chair_id: None,
            },
        };
        let text = serde_json::to_string(&data).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<EventData>(&text).unwrap()).unwrap(), text);
    }
}
