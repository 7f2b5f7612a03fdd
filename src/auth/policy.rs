//! Who may do what, as one pure function. What may be seen is Postgres's business.
//!
//! The table it makes is printed to `tests/snapshots/policy.txt`; review a change of it as a diff.

use super::viewer::{Holding, Relation, Standing};
use crate::{
    domain::{
        codes::{FieldClass, Role},
        ids::WorkerId,
    },
    error::{Error, Result},
};

/// What somebody wants to do to a case or its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Give a case from the queue to a unit.
    AllocateCase,
    /// Give a case to a unit that is at its capacity, from the queue or by accepting a transfer.
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
    /// Name who is to chair a conference.
    AppointConferenceChair,
    /// Send invitations to a conference.
    InviteToConference,
    /// Record somebody's answer to an invitation.
    AnswerInvitation,
    /// Record that a report was asked for, received or shared with the parents.
    RecordConferenceReport,
    /// Keep somebody from a conference.
    ExcludeFromConference,
    /// Record that nobody knows where somebody is who should be invited.
    NoteWhereaboutsUnknown,
    /// Put a conference off.
    PostponeConference,
    /// Begin a conference.
    OpenConference,
    /// Record who came to a conference.
    RecordAttendance,
    /// Minute what somebody said to a decision.
    RecordConferenceView,
    /// End a conference that has no quorum.
    AdjournConference,
    /// Send outline plans and minutes out.
    IssueConferenceRecord,
    /// Propose to withdraw the request for a conference.
    ProposeConferenceWithdrawal,
    /// Withdraw the request for a conference.
    WithdrawConference,
    /// Dispute that a conference is called for.
    DisputeConference,
    /// Settle a chair's dispute.
    SettleConferenceDispute,
    /// Begin a plan.
    DraftPlan,
    /// Change a draft of a plan.
    ChangePlanDraft,
    /// Begin the next version of a plan.
    RevisePlan,
    /// Bring a child in need plan into force.
    AgreePlan,
    /// Bring a version of a child protection plan into force.
    AgreeProtectionPlan,
    /// Share a plan with the family or agencies.
    SharePlan,
    /// Record that a plan's action was done.
    CompletePlanAction,
    /// Record evidence of change.
    RecordChangeEvidence,
    /// Settle where a plan's goal stands.
    SetGoalStatus,
    /// Record a review of a plan.
    RecordPlanReview,
    /// Record that a plan broke down.
    EscalatePlan,
    /// Choose what follows on an escalated plan.
    SettlePlanEscalation,
    /// Extend the agreed period for change a second time.
    ExtendPlanAgain,
    /// End a plan.
    EndPlan,
    /// Reject a transfer.
    RejectTransfer,
    /// Withdraw a transfer.
    WithdrawTransfer,
    /// Make somebody a member of a unit, or let them cover.
    StartMembership,
    /// End somebody's membership of a unit.
    EndMembership,
    /// Change somebody's role in a unit.
    ChangeMembershipRole,
    /// Restrict a person's record to those on a list.
    RestrictRecord,
    /// Change the list of a restriction or its owner, or lift it.
    ChangeRestriction,
    /// Keep a worker from a person's record by name, or let them to it again.
    DenyAccess,
    /// Say that one is oneself too close to a person to see their record.
    DeclareConflict,
    /// Open a record that is out of sight, for an hour.
    BreakGlass,
    /// Review a break-glass.
    ReviewBreakGlass,
    /// Take a contact down.
    RecordContact,
    /// Say how urgent a contact is.
    TriageContact,
    /// Say which known child a contact is about, or register one.
    IdentifyContactChild,
    /// Decide about a contact.
    DecideContact,
    /// Record that who made a contact was told what became of it.
    InformReferrer,
    /// Record what became of an invitation to meet.
    RecordConsultation,
    /// Accept a referral or close it.
    DecideReferral,
    /// Begin an assessment.
    StartAssessment,
    /// Write an assessment, and hand it in.
    ChangeAssessment,
    /// Authorise an assessment, or give it back.
    AuthoriseAssessment,
    /// Record a strategy discussion.
    HoldStrategyDiscussion,
    /// Record how far a section 47 enquiry has come.
    RecordEnquiryProgress,
    /// Give an enquiry its outcome.
    ConcludeEnquiry,
    /// Countersign that there is no conference after an enquiry, or give its outcome back.
    CountersignEnquiry,
    /// Say who of other agencies takes part.
    KeepAgencyParticipants,
    /// Ask another agency for information, or withdraw what was asked.
    AskForInformation,
    /// Ask for an answer again.
    ChaseInformation,
    /// Record an answer or a refusal.
    RecordInformation,
    /// Bring a care, permanence or adoption plan into force.
    AgreeCarePlan,
    /// End a care, permanence or adoption plan.
    EndCarePlan,
    /// Record a review of a care, permanence or adoption plan.
    ReviewCarePlan,
    /// Record what the family says of a plan.
    RecordPlanView,
    /// Record how far a plan for adoption has come.
    RecordAdoptionStep,
    /// Ask a parenting support worker.
    AskForSupport,
    /// Withdraw what a parenting support worker was asked for.
    WithdrawSupport,
    /// Take on what one is asked for as a parenting support worker, or say no.
    AnswerSupport,
    /// End the work of a parenting support worker.
    EndSupport,
    /// Give a worker a part in a case.
    StartInvolvement,
    /// End a worker's part in a case.
    EndInvolvement,
    /// Close a case.
    CloseCase,
    /// Close a case soon after a child protection plan.
    CloseAfterProtection,
}

impl Action {
    /// Every action, for the printed table.
    pub const ALL: [Self; 84] = [
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
        Self::AppointConferenceChair,
        Self::InviteToConference,
        Self::AnswerInvitation,
        Self::RecordConferenceReport,
        Self::ExcludeFromConference,
        Self::NoteWhereaboutsUnknown,
        Self::PostponeConference,
        Self::OpenConference,
        Self::RecordAttendance,
        Self::RecordConferenceView,
        Self::AdjournConference,
        Self::IssueConferenceRecord,
        Self::ProposeConferenceWithdrawal,
        Self::WithdrawConference,
        Self::DisputeConference,
        Self::SettleConferenceDispute,
        Self::DraftPlan,
        Self::ChangePlanDraft,
        Self::RevisePlan,
        Self::AgreePlan,
        Self::AgreeProtectionPlan,
        Self::SharePlan,
        Self::CompletePlanAction,
        Self::RecordChangeEvidence,
        Self::SetGoalStatus,
        Self::RecordPlanReview,
        Self::EscalatePlan,
        Self::SettlePlanEscalation,
        Self::ExtendPlanAgain,
        Self::EndPlan,
        Self::RejectTransfer,
        Self::WithdrawTransfer,
        Self::StartMembership,
        Self::EndMembership,
        Self::ChangeMembershipRole,
        Self::RestrictRecord,
        Self::ChangeRestriction,
        Self::DenyAccess,
        Self::DeclareConflict,
        Self::BreakGlass,
        Self::ReviewBreakGlass,
        Self::RecordContact,
        Self::TriageContact,
        Self::IdentifyContactChild,
        Self::DecideContact,
        Self::InformReferrer,
        Self::RecordConsultation,
        Self::DecideReferral,
        Self::StartAssessment,
        Self::ChangeAssessment,
        Self::AuthoriseAssessment,
        Self::HoldStrategyDiscussion,
        Self::RecordEnquiryProgress,
        Self::ConcludeEnquiry,
        Self::CountersignEnquiry,
        Self::KeepAgencyParticipants,
        Self::AskForInformation,
        Self::ChaseInformation,
        Self::RecordInformation,
        Self::AgreeCarePlan,
        Self::EndCarePlan,
        Self::ReviewCarePlan,
        Self::RecordPlanView,
        Self::RecordAdoptionStep,
        Self::AskForSupport,
        Self::WithdrawSupport,
        Self::AnswerSupport,
        Self::EndSupport,
        Self::StartInvolvement,
        Self::EndInvolvement,
        Self::CloseCase,
        Self::CloseAfterProtection,
    ];

    /// Whom to ask when it is not permitted.
    fn who_can(self) -> &'static str {
        match self {
            Self::AllocateCase => "first response or a service manager",
            Self::RecordContact | Self::TriageContact | Self::IdentifyContactChild | Self::DecideContact => {
                "first response"
            }
            Self::InformReferrer => "first response, or the unit that works with the child",
            Self::RecordConsultation => "who was to meet them, or first response",
            Self::DecideReferral => "first response or a service manager",
            Self::AllocateOverCapacity => "the service manager: the unit is at its capacity",
            Self::EndPrimaryAllocation
            | Self::StartHelpingAllocation
            | Self::EndHelpingAllocation
            | Self::ChangeLeadPractitioner
            | Self::RequestTransfer => "the holding unit's consultant social worker or the service manager",
            Self::StartMembership | Self::EndMembership | Self::ChangeMembershipRole => {
                "the service manager of the unit's area or the head of service"
            }
            Self::WithdrawTransfer => "the holding unit's consultant social worker or the service manager",
            Self::AcceptTransfer | Self::RejectTransfer => {
                "the receiving unit's consultant social worker or their service manager"
            }
            Self::RequestConference => "a social worker of the holding unit",
            Self::ScheduleConference
            | Self::MoveConference
            | Self::InviteToConference
            | Self::RecordAttendance
            | Self::RecordConferenceView => "the holding unit's coordinator or the conference's chair",
            Self::AnswerInvitation => "a member of a unit that works the case, or the conference's chair",
            Self::RecordConferenceReport | Self::NoteWhereaboutsUnknown => {
                "the holding unit's coordinator or a social worker of it, or the conference's chair"
            }
            Self::IssueConferenceRecord => "the holding unit's coordinator",
            Self::AppointConferenceChair => "the holding unit's coordinator or a social worker of it",
            Self::DecideConference
            | Self::ExcludeFromConference
            | Self::PostponeConference
            | Self::OpenConference
            | Self::AdjournConference
            | Self::DisputeConference => "the conference's chair",
            Self::ProposeConferenceWithdrawal => "the holding unit's consultant social worker",
            Self::WithdrawConference | Self::SettleConferenceDispute => "the service manager or the head of service",
            Self::DraftPlan
            | Self::ChangePlanDraft
            | Self::RevisePlan
            | Self::SetGoalStatus
            | Self::RecordPlanReview => "a social worker of the holding unit",
            Self::AgreePlan | Self::EndPlan => "the holding unit's consultant social worker",
            Self::AgreeProtectionPlan => "the chair of the conference that made the plan",
            Self::SharePlan => "the holding unit's coordinator or a social worker of it",
            Self::CompletePlanAction | Self::RecordChangeEvidence => {
                "a practitioner of a unit that works the case, or a parenting support worker who does it"
            }
            Self::EscalatePlan | Self::SettlePlanEscalation => {
                "the holding unit's consultant social worker or the service manager"
            }
            Self::ExtendPlanAgain => "the service manager",
            Self::StartAssessment
            | Self::ChangeAssessment
            | Self::RecordEnquiryProgress
            | Self::AskForInformation
            | Self::RecordInformation => "a social worker of the holding unit",
            Self::AuthoriseAssessment | Self::ConcludeEnquiry => {
                "the holding unit's consultant social worker or the service manager"
            }
            Self::HoldStrategyDiscussion => {
                "a social worker of the holding unit, or first response while no unit holds the case"
            }
            Self::CountersignEnquiry => "the service manager or the head of service",
            Self::KeepAgencyParticipants | Self::ChaseInformation => {
                "the holding unit's coordinator or a social worker of it"
            }
            Self::AgreeCarePlan | Self::EndCarePlan => {
                "the service manager of the area that holds the case, or the head of service"
            }
            Self::ReviewCarePlan => "the child's reviewing officer",
            Self::RecordPlanView => "a member of a unit that works the case",
            Self::RecordAdoptionStep | Self::AskForSupport => "a social worker of the holding unit",
            Self::AnswerSupport => "the parenting support worker who is asked",
            Self::WithdrawSupport => "a social worker of the holding unit, the service manager or the head of service",
            Self::EndSupport => {
                "the parenting support worker, a social worker of the holding unit, the service manager or the head of service"
            }
            Self::StartInvolvement | Self::EndInvolvement | Self::CloseCase => {
                "the holding unit's consultant social worker or the service manager"
            }
            Self::CloseAfterProtection => "the service manager or the head of service",
            Self::RestrictRecord | Self::DenyAccess => {
                "the service manager of the area that holds the case, or the head of service"
            }
            Self::ChangeRestriction => "the restriction's owner or the head of service",
            Self::DeclareConflict => "your service manager",
            Self::BreakGlass => "a qualified social worker of a unit, a chair, or a manager",
            Self::ReviewBreakGlass => "a service manager who was alerted, or the head of service",
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
        // Takes what was offered to the unit.
        (AllocateCase, ConsultantSocialWorker) => relation == Relation::Offered,

        // Whoever sees the contact: sight of it is the front door's until it is decided.
        (
            RecordContact | TriageContact | IdentifyContactChild | DecideContact | InformReferrer | RecordConsultation,
            FirstResponse,
        ) => relation == Relation::Authority,
        (InformReferrer, ConsultantSocialWorker | SocialWorker | UnitCoordinator) => relation == Relation::Practising,
        (RecordConsultation, ConsultantSocialWorker | SocialWorker) => relation == Relation::Named,
        (DecideReferral, FirstResponse | ServiceManager) => relation == Relation::Queue,

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

        (AcceptTransfer | RejectTransfer, ConsultantSocialWorker) => relation == Relation::Receiving,
        (AcceptTransfer | RejectTransfer, ServiceManager) => relation == Relation::ReceivingArea,
        (WithdrawTransfer, ConsultantSocialWorker) => relation == Relation::Holding,
        (WithdrawTransfer, ServiceManager) => relation == Relation::Area,

        // The unit is the one that the action brings in; no case is concerned.
        (StartMembership | EndMembership | ChangeMembershipRole, ServiceManager) => relation == Relation::ReceivingArea,
        (StartMembership | EndMembership | ChangeMembershipRole, HeadOfService) => relation == Relation::Authority,

        (RequestConference, ConsultantSocialWorker | SocialWorker) => relation == Relation::Holding,
        (RequestConference, ServiceManager) => relation == Relation::Area,
        (ScheduleConference | MoveConference, UnitCoordinator) => relation == Relation::Holding,
        (ScheduleConference | MoveConference | DecideConference, CpChair) => relation == Relation::Named,
        (AppointConferenceChair, UnitCoordinator | ConsultantSocialWorker | SocialWorker) => {
            relation == Relation::Holding
        }
        (AppointConferenceChair, ServiceManager) => relation == Relation::Area,
        (InviteToConference | RecordAttendance | RecordConferenceView, UnitCoordinator) => {
            relation == Relation::Holding
        }
        (
            AnswerInvitation,
            ConsultantSocialWorker | SocialWorker | ChildrensPractitioner | Clinician | UnitCoordinator,
        ) => matches!(relation, Relation::Holding | Relation::Helping),
        (RecordConferenceReport | NoteWhereaboutsUnknown, UnitCoordinator | ConsultantSocialWorker | SocialWorker) => {
            relation == Relation::Holding
        }
        (IssueConferenceRecord, UnitCoordinator) => relation == Relation::Holding,
        (
            InviteToConference
            | AnswerInvitation
            | RecordConferenceReport
            | NoteWhereaboutsUnknown
            | RecordAttendance
            | RecordConferenceView
            | ExcludeFromConference
            | PostponeConference
            | OpenConference
            | AdjournConference
            | DisputeConference,
            CpChair,
        ) => relation == Relation::Named,
        (ProposeConferenceWithdrawal, ConsultantSocialWorker) => relation == Relation::Holding,
        (WithdrawConference | SettleConferenceDispute, ServiceManager) => relation == Relation::Area,
        (WithdrawConference | SettleConferenceDispute, HeadOfService) => relation == Relation::Authority,

        (
            DraftPlan | ChangePlanDraft | RevisePlan | SetGoalStatus | RecordPlanReview | SharePlan,
            ConsultantSocialWorker | SocialWorker,
        ) => relation == Relation::Holding,
        (AgreePlan | EndPlan | EscalatePlan | SettlePlanEscalation, ConsultantSocialWorker) => {
            relation == Relation::Holding
        }
        (AgreeProtectionPlan, CpChair) => relation == Relation::Named,
        (SharePlan, UnitCoordinator) => relation == Relation::Holding,
        (
            CompletePlanAction | RecordChangeEvidence,
            ConsultantSocialWorker | SocialWorker | ChildrensPractitioner | Clinician,
        ) => matches!(relation, Relation::Holding | Relation::Helping),
        (EscalatePlan | SettlePlanEscalation | ExtendPlanAgain, ServiceManager) => relation == Relation::Area,

        // Work that they were asked for.
        (CompletePlanAction | RecordChangeEvidence, ParentingSupportWorker) => relation == Relation::Named,
        (AgreeCarePlan | EndCarePlan, ServiceManager) => relation == Relation::Area,
        (AgreeCarePlan | EndCarePlan, HeadOfService) => relation == Relation::Authority,
        (ReviewCarePlan, ReviewingOfficer) => relation == Relation::Named,
        (
            RecordPlanView,
            ConsultantSocialWorker | SocialWorker | ChildrensPractitioner | Clinician | UnitCoordinator,
        ) => matches!(relation, Relation::Holding | Relation::Helping),
        (RecordPlanView, ReviewingOfficer | CpChair) => relation == Relation::Named,
        (RecordAdoptionStep | AskForSupport | WithdrawSupport | EndSupport, ConsultantSocialWorker | SocialWorker) => {
            relation == Relation::Holding
        }
        (AnswerSupport | EndSupport, ParentingSupportWorker) => relation == Relation::Named,
        // Also when no unit holds the case any more.
        (WithdrawSupport | EndSupport, ServiceManager) => relation == Relation::Area,
        (WithdrawSupport | EndSupport, HeadOfService) => relation == Relation::Authority,
        (StartInvolvement | EndInvolvement | CloseCase, ConsultantSocialWorker) => relation == Relation::Holding,
        (StartInvolvement | EndInvolvement | CloseCase | CloseAfterProtection, ServiceManager) => {
            relation == Relation::Area
        }
        (StartInvolvement | EndInvolvement | CloseCase | CloseAfterProtection, HeadOfService) => {
            relation == Relation::Authority
        }

        (
            StartAssessment
            | ChangeAssessment
            | HoldStrategyDiscussion
            | RecordEnquiryProgress
            | KeepAgencyParticipants
            | AskForInformation
            | ChaseInformation
            | RecordInformation,
            ConsultantSocialWorker | SocialWorker,
        ) => relation == Relation::Holding,
        (KeepAgencyParticipants | ChaseInformation, UnitCoordinator) => relation == Relation::Holding,
        (AuthoriseAssessment | ConcludeEnquiry, ConsultantSocialWorker) => relation == Relation::Holding,
        // Also in place of a consultant who is not there, or may not see the child.
        (AuthoriseAssessment | ConcludeEnquiry | CountersignEnquiry, ServiceManager) => relation == Relation::Area,
        (CountersignEnquiry, HeadOfService) => relation == Relation::Authority,
        (HoldStrategyDiscussion, FirstResponse) => relation == Relation::Queue,

        (RestrictRecord | DenyAccess, ServiceManager) => relation == Relation::Area,
        (RestrictRecord | ChangeRestriction | DenyAccess, HeadOfService) => relation == Relation::Authority,
        (ChangeRestriction | ReviewBreakGlass, ServiceManager) => relation == Relation::Named,
        (ReviewBreakGlass, HeadOfService) => relation == Relation::Named,
        // Whoever sees the record, and nobody sees it without one of these.
        (
            DeclareConflict,
            ConsultantSocialWorker
            | SocialWorker
            | ChildrensPractitioner
            | Clinician
            | UnitCoordinator
            | ServiceManager,
        ) => relation == Relation::Practising,
        (DeclareConflict, CpChair | HeadOfService | ReviewingOfficer) => relation == Relation::Authority,
        (BreakGlass, ConsultantSocialWorker | SocialWorker | ServiceManager) => relation == Relation::Practising,
        (BreakGlass, CpChair | FirstResponse | HeadOfService) => relation == Relation::Authority,

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
            | HeadOfService
            | ReviewingOfficer
            | ParentingSupportWorker
            | FosteringSocialWorker
            | DataAnalyst
            | Auditor
            | ExternalParticipant,
        ) => false,
    }
}

/// Whether `role` reads fields of `class` of a record that is in their sight. The database's `hearth.reads` says the same.
pub fn reads(role: Role, class: FieldClass) -> bool {
    use FieldClass::*;
    use Role::*;
    match class {
        Core | Narrative => true,
        // First response sees contacts whole, and nothing else.
        Clinical | ThirdParty => match role {
            ConsultantSocialWorker
            | SocialWorker
            | ChildrensPractitioner
            | Clinician
            | ServiceManager
            | CpChair
            | ReviewingOfficer
            | FirstResponse => true,
            UnitCoordinator
            | HeadOfService
            | ParentingSupportWorker
            | FosteringSocialWorker
            | DataAnalyst
            | Auditor
            | ExternalParticipant => false,
        },
        ConfidentialAddress => match role {
            ConsultantSocialWorker
            | SocialWorker
            | ChildrensPractitioner
            | ServiceManager
            | ReviewingOfficer
            | FirstResponse => true,
            Clinician
            | UnitCoordinator
            | CpChair
            | HeadOfService
            | ParentingSupportWorker
            | FosteringSocialWorker
            | DataAnalyst
            | Auditor
            | ExternalParticipant => false,
        },
    }
}

/// The class of a field of the schema. Whatever is not named here is core.
pub fn class_of(of: &str, field: &str) -> FieldClass {
    match (of, field) {
        ("Child", "nhsNo" | "disabilities" | "communicationNeeds") => FieldClass::Clinical,
        ("Invitation", "exclusionReason")
        | ("Contact", "callerName" | "callerContact")
        | ("StrategyDiscussion", "informationShared")
        | ("InformationRequest", "response" | "refusalReason")
        | ("InformationChase", "note") => FieldClass::ThirdParty,
        ("Address", "line" | "postcode") | ("ContactPerson", "address") => FieldClass::ConfidentialAddress,
        (
            "Case" | "Allocation" | "Transfer" | "ConferenceChild" | "ConferenceSitting" | "ConferenceView"
            | "ChangeEvidence" | "Plan" | "BreakGlass" | "Contact" | "Referral" | "Consultation" | "Assessment"
            | "StrategyDiscussion" | "Section47Enquiry" | "InformationRequest",
            "analysis" | "wishesFeelings" | "notSeenReason" | "returnedReason" | "authorisedReason" | "factors"
            | "immediateAction" | "absenceReason" | "actions" | "policeReference" | "findings" | "questions"
            | "withdrawnReason" | "concern" | "decisionReason" | "note" | "referralSummary" | "closureRationale"
            | "safeAtHome" | "summary" | "handoverSummary" | "responseReason" | "outlinePlan" | "interimPlan" | "text"
            | "overallAim" | "parentView" | "childView" | "explanation" | "reviewNote",
        )
        | ("Plan", "sections")
        | ("PlanView", "words")
        | ("SupportRequest", "askedFor" | "reason" | "outcome") => FieldClass::Narrative,
        _ => FieldClass::Core,
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
    lines.push_str("\nFields that are read of a record in sight\n");
    for (class, name, _) in FieldClass::ALL {
        let readers = Role::ALL.iter().filter(|(role, ..)| reads(*role, *class)).map(|(_, code, _)| *code);
        lines.push_str(&format!("    {name:<26} {}\n", readers.collect::<Vec<_>>().join(", ")));
    }
    lines
}
