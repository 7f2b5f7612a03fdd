//! What an event carries: references and a few safe fields.
//!
//! A phone shows it on its lock screen, so: never free text, an address, a category of abuse, a name of a child.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Code,
    codes::{
        Agency, AllocationKind, AssessmentOutcome, AssessmentStatus, BreakGlassFinding, BreakGlassReason, Capacity,
        ChangeReason, ConferenceState, ConferenceType, ContactChannel, ContactDecision, ContactStatus, ContactUrgency,
        EnquiryMode, EnquiryOutcome, EnquiryStatus, EventType, Exclusion, InformationDuty, InformationStatus,
        InvitationCapacity, InvitationResponse, PlanChange, PlanKind, PlanStatus, Priority, ReferralDecision,
        ReferralSource, ReportStep, Role, StrategyDecision, SupportStatus, TransferKind, TransferState,
        UnallocatedReason,
    },
    ids::ConferenceId,
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
    /// The child, for the audit: of older events not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_id: Option<Uuid>,
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
    Conference(ConferenceDetail),
    Invitation(InvitationDetail),
    Membership {
        unit_id: Uuid,
        unit_name: String,
        worker_id: Uuid,
        worker_name: String,
        role: Role,
        previous_role: Option<Role>,
        cover: bool,
        started_at: DateTime<Utc>,
        ended_at: Option<DateTime<Utc>>,
    },
    Plan {
        kind: PlanKind,
        status: PlanStatus,
        start_on: Option<NaiveDate>,
        end_on: Option<NaiveDate>,
        review_due_on: Option<NaiveDate>,
        agreed_change_by: Option<NaiveDate>,
        #[serde(default)]
        revision: Option<i32>,
        #[serde(default)]
        change: Option<PlanChange>,
    },
    Contact(ContactDetail),
    Referral {
        contact_id: Uuid,
        decision: ReferralDecision,
        /// The unit that it is offered to.
        target_unit_id: Option<Uuid>,
        target_unit_name: Option<String>,
        re_referral: bool,
    },
    Unallocated {
        since: DateTime<Utc>,
        reason: UnallocatedReason,
    },
    Assessment(AssessmentDetail),
    Strategy {
        held_at: DateTime<Utc>,
        decision: StrategyDecision,
        joint_with_police: bool,
    },
    Enquiry(EnquiryDetail),
    Participant {
        agency: Agency,
        left_on: Option<NaiveDate>,
    },
    Information(InformationDetail),
    /// Never what was asked for.
    Support {
        worker_id: Uuid,
        status: SupportStatus,
    },
    /// A restriction, or a break-glass. Never whose record.
    Access {
        /// Whether the record is restricted from now on.
        restricted: Option<bool>,
        glass: Option<BreakGlassReason>,
        ends_at: Option<DateTime<Utc>>,
        finding: Option<BreakGlassFinding>,
        /// Whether a worker is kept from the record by name from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        denied: Option<bool>,
    },
}

/// The fields of an event about a contact. Never who called, or whom it is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ContactDetail {
    pub contact_id: Uuid,
    pub contact_no: i64,
    pub channel: ContactChannel,
    pub source: ReferralSource,
    pub urgency: Option<ContactUrgency>,
    pub status: ContactStatus,
    pub decision: Option<ContactDecision>,
}

/// The fields of an event about an assessment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct AssessmentDetail {
    pub status: AssessmentStatus,
    pub started_on: NaiveDate,
    pub review_on: Option<NaiveDate>,
    pub outcome: Option<AssessmentOutcome>,
    /// How many factors it names, once it is authorised.
    pub factors_count: Option<i32>,
}

/// The fields of an event about a section 47 enquiry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct EnquiryDetail {
    pub mode: EnquiryMode,
    pub status: EnquiryStatus,
    pub started_on: NaiveDate,
    pub lead_practitioner_id: Option<Uuid>,
    pub outcome: Option<EnquiryOutcome>,
}

/// The fields of an event about a request for information. Never what was asked or said.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct InformationDetail {
    pub agency: Agency,
    pub duty: InformationDuty,
    pub status: InformationStatus,
    pub due_at: DateTime<Utc>,
}

/// The fields of an event about a conference.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ConferenceDetail {
    pub kind: ConferenceType,
    pub state: ConferenceState,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub previously_scheduled_for: Option<DateTime<Utc>>,
    pub online: bool,
    pub chair_id: Option<Uuid>,
    #[serde(default)]
    pub quorate: Option<bool>,
}

/// The fields of an event about somebody's invitation to a conference. Never who it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct InvitationDetail {
    pub conference_id: Uuid,
    pub kind: ConferenceType,
    pub capacity: InvitationCapacity,
    pub response: Option<InvitationResponse>,
    pub report: Option<ReportStep>,
    pub exclusion: Option<Exclusion>,
}

impl EventData {
    /// Whose records it tells of: the child, the conference, the contact.
    pub fn subjects(&self, entity: (&str, Uuid)) -> impl Iterator<Item = Uuid> {
        let other = match &self.detail {
            Detail::Invitation(invitation) => Some(invitation.conference_id),
            Detail::Conference(_) => (entity.0 == ConferenceId::KIND).then_some(entity.1),
            Detail::Contact(contact) => Some(contact.contact_id),
            Detail::Referral { contact_id, .. } => Some(*contact_id),
            _ => None,
        };
        self.case.as_ref().and_then(|case| case.child_id).into_iter().chain(other)
    }

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
            (Detail::Membership { unit_name, worker_name, previous_role: Some(_), role, .. }, _) => {
                format!("{worker_name} is now {} of {unit_name}", lower(role.code()))
            }
            (Detail::Membership { unit_name, worker_name, ended_at: Some(_), cover: false, .. }, _) => {
                format!("{worker_name} left {unit_name}")
            }
            (Detail::Membership { unit_name, worker_name, role, cover, .. }, _) => {
                let how = if *cover { "covers as" } else { "joined as" };
                format!("{worker_name} {how} {} of {unit_name}", lower(role.code()))
            }
            (Detail::Conference(conference), of) => conference.summary(of),
            (Detail::Invitation(invitation), _) => invitation.summary(),
            (Detail::Plan { kind, change: Some(change), .. }, EventType::PlanChanged) => {
                format!("{} plan: {}", lower(kind.code()), lower(change.code()))
            }
            (Detail::Plan { kind, status, .. }, _) => format!("{} plan {}", lower(kind.code()), lower(status.code())),
            (Detail::Contact(contact), of) => contact.summary(of),
            (Detail::Referral { decision, target_unit_name, .. }, _) => {
                let offered = target_unit_name.as_ref().map_or(String::new(), |unit| format!(", offered to {unit}"));
                format!("referral: {}{offered}", lower(decision.code()))
            }
            (Detail::Unallocated { reason, .. }, _) => format!("held by no unit: {}", lower(reason.code())),
            (Detail::Assessment(assessment), _) => {
                let outcome =
                    assessment.outcome.map_or_else(String::new, |outcome| format!(", {}", lower(outcome.code())));
                format!("assessment {}{outcome}", lower(assessment.status.code()))
            }
            (Detail::Strategy { decision, .. }, _) => format!("strategy discussion: {}", lower(decision.code())),
            (Detail::Enquiry(enquiry), EventType::S47Opened) => {
                format!("section 47 enquiry opened, {}", lower(enquiry.mode.code()))
            }
            (Detail::Enquiry(enquiry), _) => {
                let outcome =
                    enquiry.outcome.map_or_else(String::new, |outcome| format!(", {}", lower(outcome.code())));
                format!("section 47 enquiry {}{outcome}", lower(enquiry.status.code()))
            }
            (Detail::Participant { agency, left_on: None }, _) => format!("{} takes part", lower(agency.code())),
            (Detail::Participant { agency, .. }, _) => format!("{} takes part no longer", lower(agency.code())),
            (Detail::Information(asked), _) => {
                format!("information from {}: {}", lower(asked.agency.code()), lower(asked.status.code()))
            }
            (Detail::Support { status, .. }, _) => format!("parenting support {}", lower(status.code())),
            (Detail::Access { denied: Some(true), .. }, _) => "a worker was kept from a record by name".to_owned(),
            (Detail::Access { denied: Some(false), .. }, _) => "a worker is let to a record again".to_owned(),
            (Detail::Access { restricted: Some(false), .. }, _) => "a restriction was lifted".to_owned(),
            (Detail::Access { restricted: Some(true), .. }, _) => "a restriction was made or changed".to_owned(),
            (Detail::Access { finding: Some(finding), .. }, _) => {
                format!("a break-glass was reviewed: {}", lower(finding.code()))
            }
            (Detail::Access { glass, .. }, _) => {
                format!("glass broken: {}", glass.map_or_else(String::new, |reason| lower(reason.code())))
            }
        };
        about + &what
    }
}

impl ContactDetail {
    fn summary(&self, of: EventType) -> String {
        let number = self.contact_no;
        match (of, self.decision, self.urgency) {
            (EventType::ContactReceived, ..) => format!("contact {number} by {}", lower(self.channel.code())),
            (EventType::ContactDecided, Some(decision), _) => format!("contact {number}: {}", lower(decision.code())),
            (_, _, Some(urgency)) => format!("contact {number} changed, {}", lower(urgency.code())),
            _ => format!("contact {number} changed"),
        }
    }
}

impl ConferenceDetail {
    fn summary(&self, of: EventType) -> String {
        let (kind, state) = (lower(self.kind.code()), lower(self.state.code()));
        match of {
            EventType::ConferenceChanged if self.previously_scheduled_for.is_some() => {
                format!("{kind} conference moved, still {state}")
            }
            EventType::ConferenceChanged if self.state == ConferenceState::Requested => {
                format!("request for a {kind} conference changed")
            }
            EventType::ConferenceAttendance => {
                let quorate = if self.quorate == Some(true) { "quorate" } else { "not quorate" };
                format!("{kind} conference: attendance recorded, {quorate}")
            }
            EventType::ConferenceViewRecorded => format!("{kind} conference: a view was minuted"),
            EventType::ConferenceIssued if self.state == ConferenceState::Decided => {
                format!("{kind} conference: outline plans sent")
            }
            EventType::ConferenceIssued => format!("{kind} conference: minutes sent"),
            _ => format!("{kind} conference {state}"),
        }
    }
}

impl InvitationDetail {
    fn summary(&self) -> String {
        let (kind, capacity) = (lower(self.kind.code()), lower(self.capacity.code()));
        let what = match (self.response, self.report, self.exclusion) {
            (Some(response), ..) => format!("invitation {}", lower(response.code())),
            (_, Some(report), _) => format!("report {}", lower(report.code())),
            (.., Some(_)) => "not to come".to_owned(),
            _ => "invitation changed".to_owned(),
        };
        format!("{kind} conference: {capacity} {what}")
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
            case: Some(CaseStamp { case_no: 12, child_initials: "AB".into(), child_id: None }),
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
            detail: Detail::Conference(ConferenceDetail {
                kind: ConferenceType::Initial,
                state: ConferenceState::Scheduled,
                scheduled_for: Some(DateTime::UNIX_EPOCH),
                previously_scheduled_for: None,
                online: true,
                chair_id: None,
                quorate: None,
            }),
        };
        let text = serde_json::to_string(&data).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<EventData>(&text).unwrap()).unwrap(), text);
    }
}
