//! What stands in the arguments that are not ids. A new argument of a name or type that is not here fails the test.

/// Texts, by the argument's name.
pub const TEXTS: &[(&str, &str)] = &[
    ("absenceReason", "Words."),
    ("actions", "Words."),
    ("after", "not-a-cursor"),
    ("agencyName", "Probe School"),
    ("analysis", "Words."),
    ("askedFor", "Words."),
    ("outcome", "Words."),
    ("words", "Words."),
    ("cursor", "not-a-cursor"),
    ("decisions", "Goes on."),
    ("address", "12 Probe Street"),
    ("callerContact", "020 7946 0999"),
    ("callerName", "Probe Caller"),
    ("concern", "A child cries."),
    ("contact", "020 7946 0999"),
    ("decisionReason", "Words."),
    ("description", "Words."),
    ("explanation", "The child is at the door."),
    ("findings", "Words."),
    ("firstName", "Probe"),
    ("immediateAction", "Words."),
    ("informationShared", "Words."),
    ("lastName", "Prober"),
    ("name", "Probe"),
    ("notSeenReason", "Words."),
    ("organisation", "Probe School"),
    ("place", "Room 4"),
    ("policeReference", "1"),
    ("questions", "Words."),
    ("role", "Words."),
    ("handoverSummary", "Ready to move on."),
    ("idempotencyKey", "probe"),
    ("interimPlan", "Seen every day."),
    ("note", "Words."),
    ("overallAim", "Safe at home."),
    ("ownerAgency", "Probe School"),
    ("rationale", "Words."),
    ("reason", "Because."),
    ("referrerNotInformed", "UNSAFE"),
    ("safeAtHome", "Words."),
    ("search", "ma"),
    ("text", "Words."),
    ("whatNeedsToChange", "The nights."),
    ("wishesFeelings", "Words."),
];

/// Days and moments, by the argument's name; the others lie on the morning on which the tests play.
pub const TIMES: &[(&str, &str)] = &[
    ("dueAt", "2026-12-02T10:00:00Z"),
    ("nextReviewOn", "2026-12-02"),
    ("newChangeBy", "2026-12-02"),
    ("scheduledFor", "2026-12-02T10:00:00Z"),
];
pub const DAY: &str = "2026-11-18";
pub const MOMENT: &str = "2026-11-18T09:30:00Z";

/// Codes that go further than the first one of their set: (input, field, code).
pub const CODES: &[(&str, &str, &str)] = &[
    ("AddAgencyParticipantInput", "agency", "SCHOOL"),
    ("ChildDecisionInput", "decision", "NO_PLAN"),
    ("ChildDiscussedInput", "decision", "S47_JOINT"),
    ("DecideContactInput", "decision", "NO_FURTHER_ACTION"),
    ("DraftPlanInput", "kind", "CIN"),
    ("ExcludeFromConferenceInput", "capacity", "PARENT"),
    ("NewInvitationInput", "capacity", "PARENT"),
    ("RequestTransferInput", "kind", "WITHIN_SERVICE"),
    ("StrategyParticipantInput", "agency", "SOCIAL_CARE"),
];

/// Inputs that name one of several, and which is named when it is not an id.
pub const ONE_OF: &[(&str, &[&str], &str)] = &[
    ("NewInvitationInput", &["personId", "workerId", "agencyName"], "agencyName"),
    ("PlanActionInput", &["ownerWorkerId", "ownerPersonId", "ownerAgency"], "ownerAgency"),
    ("PlanRecipientInput", &["personId", "agencyName"], "agencyName"),
    ("RecordReferrerInformedInput", &["referrerInformedAt", "referrerNotInformed"], "referrerNotInformed"),
];

/// Of which type the records are that an id names, where the argument's name does not say it: (owner, argument, type).
/// The owner is an input, or a type and its field.
pub const KINDS: &[(&str, &str, &str)] = &[
    ("AcceptTransferInput", "leadPractitionerId", "Worker"),
    ("ChaseInformationInput", "requestId", "InformationRequest"),
    ("ChildDiscussedInput", "leadPractitionerId", "Worker"),
    ("ConcludeSection47Input", "enquiryId", "Section47Enquiry"),
    ("CountersignSection47Input", "enquiryId", "Section47Enquiry"),
    ("EndAgencyParticipantInput", "participantId", "AgencyParticipant"),
    ("RecordInformationAnswerInput", "requestId", "InformationRequest"),
    ("RecordInformationRefusalInput", "requestId", "InformationRequest"),
    ("RecordSection47ProgressInput", "enquiryId", "Section47Enquiry"),
    ("RecordSection47ProgressInput", "leadPractitionerId", "Worker"),
    ("RequestInformationInput", "participantId", "AgencyParticipant"),
    ("ReturnSection47Input", "enquiryId", "Section47Enquiry"),
    ("WithdrawInformationRequestInput", "requestId", "InformationRequest"),
    ("AcceptSupportInput", "supportId", "SupportRequest"),
    ("DeclineSupportInput", "supportId", "SupportRequest"),
    ("EndSupportInput", "supportId", "SupportRequest"),
    ("WithdrawSupportInput", "supportId", "SupportRequest"),
    ("RequestSupportInput", "goalIds", "Goal"),
    ("RecordPlanViewInput", "saidById", "Person"),
    ("AllocateCaseInput", "leadPractitionerId", "Worker"),
    ("AppointConferenceChairInput", "chairId", "Worker"),
    ("ChangeMembershipRoleInput", "leadsPassToId", "Worker"),
    ("ChangeRestrictionInput", "allowedIds", "Worker"),
    ("ChangeRestrictionInput", "ownerId", "Worker"),
    ("ChangeRestrictionInput", "restrictionId", "AccessRestriction"),
    ("ChildFilter", "leadPractitionerId", "Worker"),
    ("EndDenialInput", "denialId", "AccessDenial"),
    ("EndMembershipInput", "leadsPassToId", "Worker"),
    ("FamilyGroup.chronology", "children", "Child"),
    ("LiftRestrictionInput", "restrictionId", "AccessRestriction"),
    ("RegisterContactChildInput", "isNoneOf", "Child"),
    ("PlanActionInput", "id", "Action"),
    ("PlanGoalInput", "id", "Goal"),
    ("RestrictRecordInput", "allowedIds", "Worker"),
    ("RestrictRecordInput", "ownerId", "Worker"),
    ("ScheduleConferenceInput", "chairId", "Worker"),
];

/// Types whose records everybody may read: who works where.
pub const OPEN: &[&str] = &["Area", "Membership", "Unit", "Worker"];

/// Fields that may tell that something is hidden: how many records are restricted.
pub const TELLING: &[(&str, &str)] = &[("FamilyGroup", "restrictedCount"), ("Unit", "restrictedCount")];

/// Fields that every request changes, whoever asks for what: the audit. tests/audit.rs says who reads what of it.
pub const AUDITED: &[(&str, &str)] = &[("Child", "lookedAtBy"), ("Query", "auditEntries")];
/// The types that only these hold.
pub const AUDIT: &[&str] = &["AuditEntry", "AuditEntryConnection", "AuditEntryEdge"];

/// A change that by design answers otherwise for what is hidden: it opens the record of any child, tells who has to be told,
/// and is capped. What holds nevertheless: the record of a child from whom somebody is kept by name does not open, and
/// nobody else opens one; both answer as if there were no such child.
pub const OPENING: &str = "breakGlass";

/// The attackers who may open records so: qualified social workers of units, chairs, managers and the front door.
pub const MAY_OPEN: &[&str] = &[
    "chair of nothing",
    "chair of some conferences",
    "consultant social worker of unit 7",
    "first response",
    "head of service",
    "service manager of unit 7",
    "social worker of unit 7",
];

/// A field that counts everybody by design, restricted records too, and withholds small numbers.
pub const COUNTING: &str = "Query.openCaseCounts";

/// The attackers who may ask it. Everybody else is refused, whatever there is to count.
pub const MAY_COUNT: &[&str] = &["data analyst", "head of service", "service manager of unit 7"];

/// A change that by design answers otherwise for a child of another unit: first response says who a child is whom a contact is
/// about, and finds any for it but those who are restricted or from whom it is kept by name.
pub const FINDING: &str = "matchContactChild.childId";
/// Who may do so.
pub const FINDER: &str = "first response";
