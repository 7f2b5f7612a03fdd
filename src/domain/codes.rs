//! The field's code sets. Where a statutory return has a code set, the stored code is that code.

/// A closed set of codes that is stored as text and shown as a GraphQL enum.
pub trait Code: Sized + Copy + Eq + Send + Sync + 'static {
    /// The set's name, which is also its name in the schema.
    const NAME: &'static str;
    /// What the set says.
    const DESCRIPTION: &'static str;
    /// Every member with its code and what it means.
    const ALL: &'static [(Self, &'static str, &'static str)];

    /// The stored code.
    fn code(self) -> &'static str {
        Self::ALL.iter().find(|(member, ..)| *member == self).map_or("", |(_, code, _)| code)
    }

    /// The member with this code.
    fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map(|(member, ..)| *member)
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $set:ident { $($(#[doc = $means:literal])+ $member:ident = $code:literal,)+ })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $set { $($(#[doc = $means])+ $member,)+ }

        impl Code for $set {
            const NAME: &'static str = stringify!($set);
            const DESCRIPTION: &'static str = concat!($($doc),+);
            const ALL: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$member, $code, concat!($($means),+)),)+];
        }

        impl serde::Serialize for $set {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $set {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let code = std::borrow::Cow::<'_, str>::deserialize(from)?;
                Self::parse(&code).ok_or_else(|| serde::de::Error::custom("unknown code"))
            }
        }
    )+};
}

codes! {
    /// The services that units belong to.
    Service {
        /// Takes contacts and decides where they go.
        FirstResponse = "FIRST_RESPONSE",
        /// Statutory assessments.
        AccessAssessment = "ACCESS_ASSESSMENT",
        /// Longer involvement: plans, child protection, proceedings.
        ChildrenInNeed = "CHILDREN_IN_NEED",
        /// Children with a permanent plan to remain in care.
        LookedAfter = "LOOKED_AFTER",
        /// Children with a plan for adoption.
        Adoption = "ADOPTION",
        /// Support to families below and beside statutory plans.
        FamilySupport = "FAMILY_SUPPORT",
        /// Disabled children and their families.
        DisabledChildren = "DISABLED_CHILDREN",
        /// Recruitment, approval and supervision of foster carers.
        Fostering = "FOSTERING",
        /// Finding and matching placements.
        PlacementManagement = "PLACEMENT_MANAGEMENT",
        /// Conference chairs and reviewing officers.
        SafeguardingReview = "SAFEGUARDING_REVIEW",
    }

    /// What somebody is to the service: the five roles of a unit, and the posts beside units.
    Role {
        /// Leads the unit and answers for its cases; qualified.
        ConsultantSocialWorker = "CONSULTANT_SOCIAL_WORKER",
        /// Qualified social worker of the unit.
        SocialWorker = "SOCIAL_WORKER",
        /// Works with the child; not social-work qualified.
        ChildrensPractitioner = "CHILDRENS_PRACTITIONER",
        /// Family or systemic therapist of the unit; often part-time over several units.
        Clinician = "CLINICIAN",
        /// Keeps the unit's diary, invitations and minutes.
        UnitCoordinator = "UNIT_COORDINATOR",
        /// The front door: takes contacts, allocates from the queue.
        FirstResponse = "FIRST_RESPONSE",
        /// Chairs child protection conferences, independent of the case's line management.
        CpChair = "CP_CHAIR",
        /// Answers for the units of an area.
        ServiceManager = "SERVICE_MANAGER",
        /// Answers for all units of the authority.
        HeadOfService = "HEAD_OF_SERVICE",
        /// Reviews looked-after children, independent of the case's line management.
        ReviewingOfficer = "REVIEWING_OFFICER",
        /// Works with parents of children of several units, towards the goals of their plans.
        ParentingSupportWorker = "PARENTING_SUPPORT_WORKER",
        /// Supervises foster carers.
        FosteringSocialWorker = "FOSTERING_SOCIAL_WORKER",
        /// Counts, and sees nobody: small numbers are withheld.
        DataAnalyst = "DATA_ANALYST",
        /// Reads who did what, and no record.
        Auditor = "AUDITOR",
        /// Somebody of another agency, with an invitation of their own.
        ExternalParticipant = "EXTERNAL_PARTICIPANT",
    }

    /// Which of a record's fields belong together for who may read them.
    FieldClass {
        /// Whatever is not in another class: read by whoever sees the record.
        Core = "CORE",
        /// What people wrote: read by whoever sees the record.
        Narrative = "NARRATIVE",
        /// Health: read by the unit's practitioners, chairs, reviewing officers and the service manager.
        Clinical = "CLINICAL",
        /// What is said about or by somebody else than the child: not for coordinators nor the head of service.
        ThirdParty = "THIRD_PARTY",
        /// Where somebody lives who must not be found: the unit's social workers and children's practitioners, reviewing
        /// officers and the service manager.
        ConfidentialAddress = "CONFIDENTIAL_ADDRESS",
    }

    /// How a unit holds a case.
    AllocationKind {
        /// The unit that holds the case: at most one at any instant.
        Primary = "PRIMARY",
        /// Works the case beside the primary unit.
        Joint = "JOINT",
        /// Stands in for the primary unit; reads and receives as a joint unit while it runs.
        Cover = "COVER",
    }

    /// How urgent a unit's holding of a case is.
    Priority {
        /// Not set.
        None = "NONE",
        /// Low.
        Low = "LOW",
        /// Medium.
        Medium = "MEDIUM",
        /// High.
        High = "HIGH",
        /// Urgent.
        Urgent = "URGENT",
    }

    /// A worker's named part in a case.
    Capacity {
        /// The one named social worker, as the statutory returns ask for it.
        LeadPractitioner = "LEAD_PRACTITIONER",
        /// Works the case beside the lead practitioner.
        CoWorker = "CO_WORKER",
        /// Clinical work with the family.
        Clinical = "CLINICAL",
        /// Parenting support from outside the unit.
        ParentingSupport = "PARENTING_SUPPORT",
        /// Adviser of a care leaver.
        PersonalAdviser = "PERSONAL_ADVISER",
        /// Independent reviewing officer.
        Iro = "IRO",
        /// Chair of the child's conferences.
        CpChair = "CP_CHAIR",
        /// Supervising social worker of a foster carer.
        SupervisingSw = "SUPERVISING_SW",
    }

    /// Why the named worker changed (the SSDA903 return's code set).
    ChangeReason {
        /// Change to or from agency, or other management reason.
        Manage = "MANAGE",
        /// Fixed-term contract ended.
        Fconta = "FCONTA",
        /// Left the role.
        Leftrl = "LEFTRL",
        /// Reorganisation.
        Orgrst = "ORGRST",
        /// Part of the transfer process.
        Tsproc = "TSPROC",
        /// Absence of the worker.
        Absenc = "ABSENC",
        /// The child asked for a change.
        Chchan = "CHCHAN",
        /// A parent or carer asked for a change.
        Pcchan = "PCCHAN",
        /// The worker died.
        Swdied = "SWDIED",
        /// Another reason.
        Others = "OTHERS",
    }

    /// Where a case stands.
    CaseStatus {
        /// Accepted as a referral, not yet with a unit.
        Referred = "REFERRED",
        /// In assessment.
        Assessment = "ASSESSMENT",
        /// An initial child protection conference is to be held.
        ConferencePending = "CONFERENCE_PENDING",
        /// Child in need.
        Cin = "CIN",
        /// On a child protection plan.
        Cp = "CP",
        /// The unit has decided that the child needs to come into care.
        CareDecision = "CARE_DECISION",
        /// Looked after, held by the unit that worked with the family.
        LookedAfter = "LOOKED_AFTER",
        /// Looked after, held by the looked-after children service.
        LookedAfterLac = "LOOKED_AFTER_LAC",
        /// A young person who has left care.
        CareLeaver = "CARE_LEAVER",
        /// Closed.
        Closed = "CLOSED",
    }

    /// The child's primary need (the children in need census code set).
    PrimaryNeed {
        /// Not stated.
        N0 = "N0",
        /// Abuse or neglect.
        N1 = "N1",
        /// The child's disability.
        N2 = "N2",
        /// A parent's illness or disability.
        N3 = "N3",
        /// Family in acute stress.
        N4 = "N4",
        /// Family dysfunction.
        N5 = "N5",
        /// Socially unacceptable behaviour.
        N6 = "N6",
        /// Low income.
        N7 = "N7",
        /// Absent parenting.
        N8 = "N8",
        /// Cases other than children in need.
        N9 = "N9",
    }

    /// Why a case was closed (the children in need census code set).
    ClosureReason {
        /// Adopted.
        Rc1 = "RC1",
        /// Died.
        Rc2 = "RC2",
        /// Child arrangements order.
        Rc3 = "RC3",
        /// Special guardianship order.
        Rc4 = "RC4",
        /// Transferred to another local authority.
        Rc5 = "RC5",
        /// Transferred to adult services.
        Rc6 = "RC6",
        /// Any other reason, including no longer in need.
        Rc7 = "RC7",
        /// Closed after assessment, no further action.
        Rc8 = "RC8",
        /// Closed after assessment, to early help.
        Rc9 = "RC9",
    }

    /// What kind of move a transfer asks for.
    TransferKind {
        /// To another unit of the same service.
        WithinService = "WITHIN_SERVICE",
        /// To the children in need service.
        ToCin = "TO_CIN",
        /// To the looked-after children service; needs an agreed permanence plan to remain in care.
        ToLac = "TO_LAC",
        /// To the adoption service; needs an agreed plan for adoption.
        ToAdoption = "TO_ADOPTION",
        /// To another local authority.
        OtherLa = "OTHER_LA",
    }

    /// Where a transfer stands.
    TransferState {
        /// Asked for; the receiving unit has not answered.
        Requested = "REQUESTED",
        /// Accepted.
        Accepted = "ACCEPTED",
        /// Rejected by the receiving unit.
        Rejected = "REJECTED",
        /// Withdrawn by the asking unit.
        Withdrawn = "WITHDRAWN",
        /// Accepted, and the case has moved.
        Completed = "COMPLETED",
    }

    /// The kind of a child protection conference.
    ConferenceType {
        /// Initial conference after a section 47 enquiry.
        Initial = "INITIAL",
        /// Review of a child protection plan.
        Review = "REVIEW",
        /// Before a birth.
        PreBirth = "PRE_BIRTH",
        /// For a child who moved in on another authority's plan.
        TransferIn = "TRANSFER_IN",
        /// Called again, for example after an inquorate meeting.
        Reconvened = "RECONVENED",
    }

    /// Where a conference stands.
    ConferenceState {
        /// Asked for.
        Requested = "REQUESTED",
        /// Has a date and a chair.
        Scheduled = "SCHEDULED",
        /// Invitations are out.
        Invited = "INVITED",
        /// Being held.
        InSession = "IN_SESSION",
        /// The chair has decided for every child.
        Decided = "DECIDED",
        /// Outline plan and minutes are out.
        Issued = "ISSUED",
        /// Postponed.
        Postponed = "POSTPONED",
        /// Held without a quorum.
        Inquorate = "INQUORATE",
        /// Withdrawn before it was scheduled.
        Withdrawn = "WITHDRAWN",
        /// The chair disputes that it is needed.
        Disputed = "DISPUTED",
    }

    /// What a conference decided for one child.
    ConferenceDecision {
        /// A child protection plan is made.
        Plan = "PLAN",
        /// No child protection plan.
        NoPlan = "NO_PLAN",
        /// The plan goes on.
        Continue = "CONTINUE",
        /// The plan ends.
        End = "END",
        /// The decision is put off to a reconvened conference.
        Defer = "DEFER",
    }

    /// Category of abuse of a child protection plan.
    AbuseCategory {
        /// Neglect.
        Neg = "NEG",
        /// Physical abuse.
        Phy = "PHY",
        /// Sexual abuse.
        Sab = "SAB",
        /// Emotional abuse.
        Emo = "EMO",
        /// Multiple.
        Mul = "MUL",
    }

    /// As what somebody is invited to a conference.
    InvitationCapacity {
        /// Parent.
        Parent = "PARENT",
        /// The child.
        Child = "CHILD",
        /// Other family.
        Family = "FAMILY",
        /// Advocate.
        Advocate = "ADVOCATE",
        /// Supporter of a parent.
        Supporter = "SUPPORTER",
        /// Children's social care.
        SocialCare = "SOCIAL_CARE",
        /// School.
        School = "SCHOOL",
        /// Health.
        Health = "HEALTH",
        /// Police.
        Police = "POLICE",
        /// Another agency.
        Other = "OTHER",
    }

    /// Answer to an invitation.
    InvitationResponse {
        /// Will come.
        Accepted = "ACCEPTED",
        /// Will not come.
        Declined = "DECLINED",
        /// No answer for the present date.
        None = "NONE",
    }

    /// The kind of a plan.
    PlanKind {
        /// Child in need plan.
        Cin = "CIN",
        /// Child protection plan. A conference makes it.
        ChildProtection = "CHILD_PROTECTION",
        /// Care plan, of a child who comes into care or is looked after.
        Care = "CARE",
        /// Placement plan: how the child is looked after where they live.
        Placement = "PLACEMENT",
        /// Health plan of a looked-after child.
        Health = "HEALTH",
        /// Personal education plan of a looked-after child.
        PersonalEducation = "PERSONAL_EDUCATION",
        /// Pathway plan of a young person on the way out of care.
        Pathway = "PATHWAY",
        /// Permanence plan: where a looked-after child is to grow up.
        Permanence = "PERMANENCE",
        /// Plan for adoption.
        Adoption = "ADOPTION",
        /// Support plan of a family.
        Support = "SUPPORT",
    }

    /// What a plan says beside its goals; which of them a kind asks for, `Plan.requiredSections` says.
    PlanSection {
        /// The plan for permanence.
        Permanence = "PERMANENCE",
        /// Health, and how its needs are met.
        Health = "HEALTH",
        /// Education and training.
        Education = "EDUCATION",
        /// Emotional and behavioural development.
        EmotionalBehavioural = "EMOTIONAL_BEHAVIOURAL",
        /// Identity: religious persuasion.
        ReligiousPersuasion = "RELIGIOUS_PERSUASION",
        /// Identity: racial origin.
        RacialOrigin = "RACIAL_ORIGIN",
        /// Identity: cultural and linguistic background.
        CulturalLinguistic = "CULTURAL_LINGUISTIC",
        /// Family and social relationships.
        FamilyRelationships = "FAMILY_RELATIONSHIPS",
        /// How the child appears to others.
        SocialPresentation = "SOCIAL_PRESENTATION",
        /// Looking after oneself.
        SelfCare = "SELF_CARE",
        /// Where the child is to live, and why there.
        Placement = "PLACEMENT",
        /// What the child wishes and feels, and what became of it in the plan.
        WishesFeelings = "WISHES_FEELINGS",
        /// How the child is looked after from day to day.
        DailyCare = "DAILY_CARE",
        /// Whom the child sees, and how that is arranged.
        Contact = "CONTACT",
        /// Who decides what from day to day.
        Decisions = "DECISIONS",
        /// What happens when the plan does not hold.
        Contingency = "CONTINGENCY",
        /// What personal support there is, and by whom.
        PersonalSupport = "PERSONAL_SUPPORT",
        /// Where the young person lives or is to live.
        Accommodation = "ACCOMMODATION",
        /// Work, or the way to it.
        Employment = "EMPLOYMENT",
        /// Practical skills for living independently.
        PracticalSkills = "PRACTICAL_SKILLS",
        /// Money.
        Money = "MONEY",
        /// Support for those who adopt and for the child.
        AdoptionSupport = "ADOPTION_SUPPORT",
        /// Whom the child needs, and how they are looked for.
        Matching = "MATCHING",
    }

    /// Where a looked-after child is to grow up.
    PermanenceRoute {
        /// Home to the family.
        ReturnHome = "RETURN_HOME",
        /// With foster carers for the long term.
        LongTermFostering = "LONG_TERM_FOSTERING",
        /// With relatives or friends under an order, a special guardianship order among them.
        KinshipSgo = "KINSHIP_SGO",
        /// Adoption.
        Adoption = "ADOPTION",
        /// In a home.
        Residential = "RESIDENTIAL",
        /// On the way to living independently.
        Independence = "INDEPENDENCE",
    }

    /// What somebody of the family says of a plan.
    PlanStance {
        /// Agrees.
        Agrees = "AGREES",
        /// Agrees with some of it.
        AgreesInPart = "AGREES_IN_PART",
        /// Does not agree.
        Disagrees = "DISAGREES",
        /// Was asked and did not answer.
        NoAnswer = "NO_ANSWER",
        /// Could not be asked.
        NotAsked = "NOT_ASKED",
    }

    /// How far a plan for adoption has come.
    AdoptionStep {
        /// It was decided that adoption is in the child's best interest.
        BestInterest = "BEST_INTEREST",
        /// The agency decided that the child should be placed for adoption.
        AgencyDecision = "AGENCY_DECISION",
        /// A placement order was made.
        PlacementOrder = "PLACEMENT_ORDER",
        /// The child was matched with adopters.
        Matched = "MATCHED",
        /// The child was placed with them.
        Placed = "PLACED",
        /// The decision to place the child for adoption was reversed.
        Reversed = "REVERSED",
    }

    /// Why the decision to place a child for adoption was reversed (the looked-after return's code set).
    ReversalReason {
        /// The child's needs changed.
        Rd1 = "RD1",
        /// The court did not make a placement order.
        Rd2 = "RD2",
        /// Adopters could not be found.
        Rd3 = "RD3",
        /// Any other reason.
        Rd4 = "RD4",
    }

    /// Where the work of a parenting support worker stands.
    SupportStatus {
        /// They were asked and have not answered.
        Requested = "REQUESTED",
        /// They work with the family.
        Accepted = "ACCEPTED",
        /// They said no.
        Declined = "DECLINED",
        /// It is not needed any more; they had not answered.
        Withdrawn = "WITHDRAWN",
        /// The work is over.
        Ended = "ENDED",
    }

    /// Where a plan stands.
    PlanStatus {
        /// Being written.
        Draft = "DRAFT",
        /// Agreed and running.
        Active = "ACTIVE",
        /// Replaced by a later version.
        Superseded = "SUPERSEDED",
        /// Ended.
        Ended = "ENDED",
        /// The agreed period for change passed without evidence of it.
        Escalated = "ESCALATED",
    }

    /// Where a goal stands.
    GoalStatus {
        /// Being worked on.
        Open = "OPEN",
        /// Met.
        Met = "MET",
        /// Not met.
        NotMet = "NOT_MET",
        /// No longer pursued.
        Dropped = "DROPPED",
    }

    /// A person's sex, as both statutory returns code it.
    Sex {
        /// Male.
        M = "M",
        /// Female.
        F = "F",
        /// Unknown, used for an unborn child.
        U = "U",
    }

    /// Whether somebody holds parental responsibility.
    ParentalResponsibility {
        /// Yes.
        Yes = "Y",
        /// No.
        No = "N",
        /// Not known.
        Unknown = "UNKNOWN",
    }

    /// How much attention an event asks for.
    Severity {
        /// For information.
        Info = "INFO",
        /// Somebody has something to do.
        Action = "ACTION",
        /// At once.
        Urgent = "URGENT",
    }

    /// What happened.
    EventType {
        /// A unit began to hold a case.
        AllocationStarted = "ALLOCATION_STARTED",
        /// A unit stopped holding a case.
        AllocationEnded = "ALLOCATION_ENDED",
        /// A worker's named part in a case began, ended or passed on.
        InvolvementChanged = "INVOLVEMENT_CHANGED",
        /// A unit was asked to take a case over.
        TransferRequested = "TRANSFER_REQUESTED",
        /// A case moved to another unit. The last event of that case for the unit that it left.
        TransferCompleted = "TRANSFER_COMPLETED",
        /// A child protection conference was asked for.
        ConferenceRequested = "CONFERENCE_REQUESTED",
        /// A conference got its date and chair.
        ConferenceScheduled = "CONFERENCE_SCHEDULED",
        /// A conference changed: another date or chair, invitations sent, put off, not quorate, disputed.
        ConferenceChanged = "CONFERENCE_CHANGED",
        /// The chair decided, for each child.
        ConferenceDecided = "CONFERENCE_DECIDED",
        /// A plan came into force.
        PlanAgreed = "PLAN_AGREED",
        /// A plan changed or ended.
        PlanChanged = "PLAN_CHANGED",
        /// The request for a conference was withdrawn.
        ConferenceCancelled = "CONFERENCE_CANCELLED",
        /// A conference began.
        ConferenceStarted = "CONFERENCE_STARTED",
        /// It was recorded who came to a conference.
        ConferenceAttendance = "CONFERENCE_ATTENDANCE",
        /// What somebody said to a conference's decision was minuted.
        ConferenceViewRecorded = "CONFERENCE_VIEW_RECORDED",
        /// A conference's outline plans or minutes went out.
        ConferenceIssued = "CONFERENCE_ISSUED",
        /// Somebody answered an invitation to a conference.
        ConferenceInvitationResponded = "CONFERENCE_INVITATION_RESPONDED",
        /// A report for a conference came.
        ConferenceReportReceived = "CONFERENCE_REPORT_RECEIVED",
        /// Something else about an invitation changed: a report asked for or shared, an exclusion.
        ConferenceInvitationChanged = "CONFERENCE_INVITATION_CHANGED",
        /// A transfer was rejected or withdrawn.
        TransferResponded = "TRANSFER_RESPONDED",
        /// Somebody's membership of a unit began, changed or ended.
        MembershipChanged = "MEMBERSHIP_CHANGED",
        /// A record was restricted, its list changed, or the restriction was lifted. For those on the list.
        RestrictionChanged = "RESTRICTION_CHANGED",
        /// A worker was kept from a record by name, or is let to it again. For who did it and who answers for the record, never
        /// for whom it names.
        DenialChanged = "DENIAL_CHANGED",
        /// Somebody broke the glass of a record. For its owner and the service managers, at the same moment.
        GlassBroken = "GLASS_BROKEN",
        /// A break-glass was reviewed. For who used it and for those who were alerted.
        GlassReviewed = "GLASS_REVIEWED",
        /// Somebody contacted the front door.
        ContactReceived = "CONTACT_RECEIVED",
        /// A contact changed before or after its decision: how urgent it is, who it is about, whom it was told.
        ContactChanged = "CONTACT_CHANGED",
        /// First response decided about a contact.
        ContactDecided = "CONTACT_DECIDED",
        /// A referral was accepted; it may have been offered to a unit.
        ReferralAccepted = "REFERRAL_ACCEPTED",
        /// A referral was not accepted, and its case closed.
        ReferralClosed = "REFERRAL_CLOSED",
        /// No unit holds a case: it waits in the queue.
        CaseUnallocated = "CASE_UNALLOCATED",
        /// A child and family assessment began.
        AssessmentStarted = "ASSESSMENT_STARTED",
        /// An assessment was handed in to be authorised, or given back.
        AssessmentChanged = "ASSESSMENT_CHANGED",
        /// An assessment was authorised.
        AssessmentAuthorised = "ASSESSMENT_AUTHORISED",
        /// A strategy discussion was held.
        StrategyHeld = "STRATEGY_HELD",
        /// A section 47 enquiry began.
        S47Opened = "S47_OPENED",
        /// Something about an enquiry changed: who leads it, the child was seen, its outcome was given back.
        S47Changed = "S47_CHANGED",
        /// An enquiry has its outcome: it waits to be countersigned, or it is over.
        S47Outcome = "S47_OUTCOME",
        /// Somebody of another agency takes part in a case, or does no longer.
        AgencyParticipantChanged = "AGENCY_PARTICIPANT_CHANGED",
        /// Somebody of another agency was asked for information.
        InfoRequestSent = "INFO_REQUEST_SENT",
        /// A request for information was chased or withdrawn.
        InfoRequestChanged = "INFO_REQUEST_CHANGED",
        /// A request for information was answered.
        InfoRequestAnswered = "INFO_REQUEST_ANSWERED",
        /// A request for information was refused. The managers hear of it.
        InfoRequestRefused = "INFO_REQUEST_REFUSED",
        /// A parenting support worker was asked, answered, or their work ended.
        SupportChanged = "SUPPORT_CHANGED",
    }

    /// Where an assessment stands.
    AssessmentStatus {
        /// Being written.
        InProgress = "IN_PROGRESS",
        /// Handed in: another person authorises it or gives it back.
        Submitted = "SUBMITTED",
        /// Authorised. It stays as it is.
        Authorised = "AUTHORISED",
    }

    /// What an assessment came to.
    AssessmentOutcome {
        /// No further action.
        Nfa = "NFA",
        /// Early help.
        EarlyHelp = "EARLY_HELP",
        /// The service stays involved for longer: a child in need plan.
        CinPlan = "CIN_PLAN",
        /// A strategy discussion: significant harm is suspected.
        StrategyS47 = "STRATEGY_S47",
        /// Something else.
        Other = "OTHER",
    }

    /// What an assessment found (the children in need census code set).
    AssessmentFactor {
        /// Alcohol misuse by the child.
        AlcoholChild = "1A",
        /// Alcohol misuse by a parent or carer.
        AlcoholParent = "1B",
        /// Alcohol misuse by somebody else in the household.
        AlcoholOther = "1C",
        /// Drug misuse by the child.
        DrugsChild = "2A",
        /// Drug misuse by a parent or carer.
        DrugsParent = "2B",
        /// Drug misuse by somebody else in the household.
        DrugsOther = "2C",
        /// Domestic abuse of the child.
        DomesticAbuseChild = "3A",
        /// Domestic abuse of a parent or carer.
        DomesticAbuseParent = "3B",
        /// Domestic abuse of somebody else in the household.
        DomesticAbuseOther = "3C",
        /// Mental health of the child.
        MentalHealthChild = "4A",
        /// Mental health of a parent or carer.
        MentalHealthParent = "4B",
        /// Mental health of somebody else in the household.
        MentalHealthOther = "4C",
        /// Learning disability of the child.
        LearningDisabilityChild = "5A",
        /// Learning disability of a parent or carer.
        LearningDisabilityParent = "5B",
        /// Learning disability of somebody else in the household.
        LearningDisabilityOther = "5C",
        /// Physical disability or illness of the child.
        PhysicalDisabilityChild = "6A",
        /// Physical disability or illness of a parent or carer.
        PhysicalDisabilityParent = "6B",
        /// Physical disability or illness of somebody else in the household.
        PhysicalDisabilityOther = "6C",
        /// Young carer.
        YoungCarer = "7A",
        /// Private fostering: children from overseas who study here.
        PrivateFosteringB = "8B",
        /// Private fostering: children from overseas with a family here.
        PrivateFosteringC = "8C",
        /// Private fostering: a teenager estranged from the family.
        PrivateFosteringD = "8D",
        /// Private fostering: parents who study or work.
        PrivateFosteringE = "8E",
        /// Private fostering: other.
        PrivateFosteringF = "8F",
        /// Unaccompanied asylum-seeking child.
        Unaccompanied = "9A",
        /// Going missing.
        Missing = "10A",
        /// Child sexual exploitation.
        SexualExploitation = "11A",
        /// Trafficking.
        Trafficking = "12A",
        /// Gangs.
        Gangs = "13A",
        /// Socially unacceptable behaviour.
        SociallyUnacceptableBehaviour = "14A",
        /// Self-harm.
        SelfHarm = "15A",
        /// Neglect.
        Neglect = "16A",
        /// Emotional abuse.
        EmotionalAbuse = "17A",
        /// Physical abuse by another child.
        PhysicalAbuseByChild = "18B",
        /// Physical abuse by an adult.
        PhysicalAbuseByAdult = "18C",
        /// Sexual abuse by another child.
        SexualAbuseByChild = "19B",
        /// Sexual abuse by an adult.
        SexualAbuseByAdult = "19C",
        /// Another factor.
        OtherFactor = "20",
        /// No factor: alone.
        NoFactor = "21",
        /// Female genital mutilation.
        Fgm = "22A",
        /// Abuse linked to faith or belief.
        FaithOrBelief = "23A",
        /// Child criminal exploitation.
        CriminalExploitation = "24A",
    }

    /// What a strategy discussion decided for a child.
    StrategyDecision {
        /// A section 47 enquiry by social care alone.
        S47Single = "S47_SINGLE",
        /// A section 47 enquiry jointly with the police's child abuse investigation team.
        S47Joint = "S47_JOINT",
        /// An investigation by the police alone.
        PoliceOnly = "POLICE_ONLY",
        /// A child and family assessment.
        AssessS17 = "ASSESS_S17",
        /// No further action.
        Nfa = "NFA",
    }

    /// An agency that works with children.
    Agency {
        /// Children's social care.
        SocialCare = "SOCIAL_CARE",
        /// The police, and their child abuse investigation team.
        PoliceCait = "POLICE_CAIT",
        /// Health.
        Health = "HEALTH",
        /// A school.
        School = "SCHOOL",
        /// A nursery or another early years setting.
        EarlyYears = "EARLY_YEARS",
        /// Probation.
        Probation = "PROBATION",
        /// Housing.
        Housing = "HOUSING",
        /// Another one.
        Other = "OTHER",
    }

    /// Who makes a section 47 enquiry.
    EnquiryMode {
        /// Social care alone.
        Single = "SINGLE",
        /// Jointly with the police.
        Joint = "JOINT",
    }

    /// Where a section 47 enquiry stands.
    EnquiryStatus {
        /// Being made.
        Open = "OPEN",
        /// Its outcome is no conference: a service manager countersigns that or gives it back.
        AwaitingCountersignature = "AWAITING_COUNTERSIGNATURE",
        /// Over. It stays as it is.
        Concluded = "CONCLUDED",
    }

    /// What a section 47 enquiry came to.
    EnquiryOutcome {
        /// An initial child protection conference: the child was harmed, or is likely to be.
        InitialConference = "INITIAL_CONFERENCE",
        /// Another agency keeps watch.
        OtherAgencyMonitors = "OTHER_AGENCY_MONITORS",
        /// The child and family assessment goes on.
        ContinueAssessment = "CONTINUE_ASSESSMENT",
        /// Legal action.
        LegalAction = "LEGAL_ACTION",
        /// Services for a child in need (section 17).
        ServicesS17 = "SERVICES_S17",
        /// A short break (section 17).
        ShortBreakS17 = "SHORT_BREAK_S17",
        /// No further action.
        Nfa = "NFA",
        /// Something else.
        Other = "OTHER",
    }

    /// Why another agency is asked for information.
    InformationDuty {
        /// An enquiry: they are required to answer (Children Act 1989 s47(9) to (11)).
        S47 = "S47",
        /// An assessment, with the family's consent.
        S17Consent = "S17_CONSENT",
        /// A court has ordered it.
        Court = "COURT",
    }

    /// Where a request for information stands.
    InformationStatus {
        /// Sent.
        Sent = "SENT",
        /// Sent, and asked for again.
        Chased = "CHASED",
        /// Answered.
        Responded = "RESPONDED",
        /// Refused; an answer may still come.
        Refused = "REFUSED",
        /// Withdrawn: it is not needed any more.
        Withdrawn = "WITHDRAWN",
    }

    /// How a contact came in.
    ContactChannel {
        /// By telephone.
        Phone = "PHONE",
        /// By a form on the web.
        Web = "WEB",
        /// By email.
        Email = "EMAIL",
        /// Somebody came.
        InPerson = "IN_PERSON",
        /// The police's notification.
        PoliceNotification = "POLICE_NOTIFICATION",
        /// Another way.
        Other = "OTHER",
    }

    /// Who a contact or referral came from (the children in need census code set).
    ReferralSource {
        /// Family member, relative or carer.
        FamilyMember = "1A",
        /// Acquaintance.
        Acquaintance = "1B",
        /// The child.
        SelfReferred = "1C",
        /// Another individual.
        OtherIndividual = "1D",
        /// Schools.
        School = "2A",
        /// Education services.
        EducationService = "2B",
        /// General practitioner.
        GeneralPractitioner = "3A",
        /// Health visitor.
        HealthVisitor = "3B",
        /// School nurse.
        SchoolNurse = "3C",
        /// Other primary health services.
        OtherPrimaryHealth = "3D",
        /// Accident and emergency.
        EmergencyDepartment = "3E",
        /// Other health services.
        OtherHealth = "3F",
        /// Housing.
        Housing = "4",
        /// Adult social care or another social care service of the authority.
        SocialCare = "5A",
        /// Another department of the authority.
        OtherInternal = "5B",
        /// Another local authority.
        ExternalAuthority = "5C",
        /// The authority's early help.
        EarlyHelp = "5D",
        /// Police.
        Police = "6",
        /// Another legal agency: courts, probation, immigration.
        OtherLegal = "7",
        /// Other.
        Other = "8",
        /// Anonymous.
        Anonymous = "9",
        /// Unknown.
        Unknown = "10",
    }

    /// Whether the family agreed that the contact is passed on.
    ConsentStatus {
        /// They agreed.
        Given = "GIVEN",
        /// They did not.
        Refused = "REFUSED",
        /// They were not asked, because that could put somebody in danger.
        NotAskedSafety = "NOT_ASKED_SAFETY",
        /// They were not asked for another reason.
        NotAskedOther = "NOT_ASKED_OTHER",
    }

    /// Where a contact stands.
    ContactStatus {
        /// Nothing is decided yet.
        Contact = "CONTACT",
        /// It ended at the front door: advice, signpost, a meeting, early help, nothing further.
        ContactClosed = "CONTACT_CLOSED",
        /// It went to the open case of the child.
        PassedToCase = "PASSED_TO_CASE",
        /// It became a referral.
        Referred = "REFERRED",
    }

    /// How urgent a contact is, by its first look (local practice).
    ContactUrgency {
        /// Straight to social care.
        Red = "RED",
        /// To be screened within a day.
        Amber = "AMBER",
        /// To be screened for early help.
        Green = "GREEN",
    }

    /// What first response decided about a contact.
    ContactDecision {
        /// Nothing further.
        NoFurtherAction = "NO_FURTHER_ACTION",
        /// Information and advice was given.
        InformationAdvice = "INFORMATION_ADVICE",
        /// Pointed to another service.
        Signpost = "SIGNPOST",
        /// Invited to meet with a social worker: no immediate response is required.
        ConsultationMeeting = "CONSULTATION_MEETING",
        /// To early help.
        EarlyHelp = "EARLY_HELP",
        /// To whoever holds the child's open case.
        PassToOpenCase = "PASS_TO_OPEN_CASE",
        /// A statutory assessment may be needed.
        ReferralStatutory = "REFERRAL_STATUTORY",
        /// A child is in danger now: a referral, accepted for a section 47 enquiry.
        ImmediateProtection = "IMMEDIATE_PROTECTION",
    }

    /// What somebody is in a contact.
    ContactPersonKind {
        /// A child whom it is about.
        Child = "CHILD",
        /// A parent or carer.
        ParentOrCarer = "PARENT_OR_CARER",
        /// Somebody else.
        Other = "OTHER",
    }

    /// In what a child whom a contact is about seems to be another than the known child that it is said to be.
    MatchDifference {
        /// No name that was told is one of the known child's.
        Name = "NAME",
        /// The day of birth is another.
        Birth = "BIRTH",
        /// The sex is another.
        Sex = "SEX",
    }

    /// What a particular need comes from.
    NeedKind {
        /// Religion or belief.
        Religion = "RELIGION",
        /// Culture.
        Culture = "CULTURE",
        /// Disability.
        Disability = "DISABILITY",
        /// Language.
        Language = "LANGUAGE",
        /// Something else.
        Other = "OTHER",
    }

    /// What was answered to the question about a need. Absence is said, never left out.
    NeedAnswer {
        /// There is a need.
        Need = "NEED",
        /// They were asked, and none is known.
        NoneKnown = "NONE_KNOWN",
        /// They were asked and would not say.
        AskedDeclined = "ASKED_DECLINED",
    }

    /// Why somebody who made a contact was not told what became of it.
    NotInformedReason {
        /// Nobody knows who they are.
        Anonymous = "ANONYMOUS",
        /// Telling them could put somebody in danger.
        Unsafe = "UNSAFE",
        /// They could not be reached.
        CannotBeReached = "CANNOT_BE_REACHED",
    }

    /// Where an invitation to meet with a social worker stands.
    ConsultationState {
        /// It has a date.
        Arranged = "ARRANGED",
        /// They met.
        Held = "HELD",
        /// Who was invited did not come.
        NotAttended = "NOT_ATTENDED",
        /// It was called off.
        Cancelled = "CANCELLED",
    }

    /// What a referral is about (local list).
    ReferralCategory {
        /// Neglect.
        Neglect = "NEGLECT",
        /// Physical abuse.
        PhysicalAbuse = "PHYSICAL_ABUSE",
        /// Emotional abuse.
        EmotionalAbuse = "EMOTIONAL_ABUSE",
        /// Sexual abuse.
        SexualAbuse = "SEXUAL_ABUSE",
        /// Domestic abuse.
        DomesticAbuse = "DOMESTIC_ABUSE",
        /// A parent's mental health.
        ParentalMentalHealth = "PARENTAL_MENTAL_HEALTH",
        /// A parent's misuse of alcohol or drugs.
        ParentalSubstanceMisuse = "PARENTAL_SUBSTANCE_MISUSE",
        /// A parent's disability or illness.
        ParentalDisabilityOrIllness = "PARENTAL_DISABILITY_OR_ILLNESS",
        /// The child's mental health.
        ChildMentalHealth = "CHILD_MENTAL_HEALTH",
        /// Self-harm.
        SelfHarm = "SELF_HARM",
        /// The child's misuse of alcohol or drugs.
        ChildSubstanceMisuse = "CHILD_SUBSTANCE_MISUSE",
        /// Child sexual exploitation.
        SexualExploitation = "SEXUAL_EXPLOITATION",
        /// Child criminal exploitation.
        CriminalExploitation = "CRIMINAL_EXPLOITATION",
        /// County lines.
        CountyLines = "COUNTY_LINES",
        /// Gangs.
        Gangs = "GANGS",
        /// Serious youth violence.
        SeriousYouthViolence = "SERIOUS_YOUTH_VIOLENCE",
        /// Harmful sexual behaviour of the child.
        HarmfulSexualBehaviour = "HARMFUL_SEXUAL_BEHAVIOUR",
        /// Harm online.
        OnlineHarm = "ONLINE_HARM",
        /// Trafficking or modern slavery.
        Trafficking = "TRAFFICKING",
        /// Female genital mutilation.
        Fgm = "FGM",
        /// Forced marriage or honour-based abuse.
        ForcedMarriage = "FORCED_MARRIAGE",
        /// Abuse linked to faith or belief.
        FaithOrBelief = "FAITH_OR_BELIEF",
        /// Radicalisation.
        Radicalisation = "RADICALISATION",
        /// Missing from home.
        Missing = "MISSING",
        /// Unaccompanied asylum-seeking child.
        Unaccompanied = "UNACCOMPANIED",
        /// Private fostering.
        PrivateFostering = "PRIVATE_FOSTERING",
        /// Young carer.
        YoungCarer = "YOUNG_CARER",
        /// The child's disability.
        Disability = "DISABILITY",
        /// Concern for an unborn child.
        Unborn = "UNBORN",
        /// A young person without a home.
        HomelessYoungPerson = "HOMELESS_YOUNG_PERSON",
        /// The family breaks down.
        FamilyBreakdown = "FAMILY_BREAKDOWN",
        /// Nobody looks after the child.
        Abandoned = "ABANDONED",
        /// A family without recourse to public funds.
        NoRecourse = "NO_RECOURSE",
        /// A court asks.
        CourtRequest = "COURT_REQUEST",
        /// Something else.
        Other = "OTHER",
    }

    /// What was decided about a referral.
    ReferralDecision {
        /// Accepted: a child and family assessment.
        AcceptAssess = "ACCEPT_ASSESS",
        /// Accepted: a section 47 enquiry is to be considered at once.
        AcceptS47 = "ACCEPT_S47",
        /// No further action.
        Nfa = "NFA",
        /// To early help.
        EarlyHelp = "EARLY_HELP",
        /// To another local authority.
        OtherLa = "OTHER_LA",
    }

    /// Why no unit holds a case.
    UnallocatedReason {
        /// It has just been referred.
        Referred = "REFERRED",
        /// The unit that held it does so no longer.
        AllocationEnded = "ALLOCATION_ENDED",
    }

    /// Why a feed ended.
    AccessEndReason {
        /// You are no member of the unit any more.
        NotAMember = "NOT_A_MEMBER",
        /// You do not see the child any more.
        OutOfSight = "OUT_OF_SIGHT",
        /// You do not work here any more.
        Inactive = "INACTIVE",
    }

    /// What an entry of the audit tells of.
    AuditAction {
        /// Records were shown.
        Read = "READ",
        /// A record was changed.
        Changed = "CHANGED",
        /// Records were asked for, or a change, and refused.
        Refused = "REFUSED",
        /// Events were sent.
        Sent = "SENT",
    }

    /// What somebody looks at records for.
    Purpose {
        /// Work with the child and the family.
        DirectWork = "DIRECT_WORK",
        /// On duty for others.
        Duty = "DUTY",
        /// Supervision of whoever works with the child.
        Supervision = "SUPERVISION",
        /// An audit.
        Audit = "AUDIT",
        /// Statistics.
        Statistics = "STATISTICS",
    }

    /// By what open cases are counted.
    CountBy {
        /// The case's status.
        CaseStatus = "CASE_STATUS",
        /// The case's primary need.
        PrimaryNeed = "PRIMARY_NEED",
        /// The service of the unit that holds it.
        Service = "SERVICE",
        /// The child's age in years at the moment: 0, 1 to 4, 5 to 9, 10 to 15, 16 and over, unborn.
        AgeBand = "AGE_BAND",
    }

    /// Why a record is restricted.
    RestrictionReason {
        /// The person works here, or is related to somebody who does.
        StaffOrRelative = "STAFF_OR_RELATIVE",
        /// A serious case review.
        SeriousCaseReview = "SERIOUS_CASE_REVIEW",
        /// The media take an interest.
        HighProfile = "HIGH_PROFILE",
        /// A record from before an adoption.
        PreAdoption = "PRE_ADOPTION",
        /// A protected witness.
        Witness = "WITNESS",
        /// Another reason.
        Other = "OTHER",
    }

    /// Why somebody may not see a record, whatever else they may.
    DenialReason {
        /// They are related to the person.
        Relative = "RELATIVE",
        /// Their interests conflict otherwise.
        ConflictOfInterest = "CONFLICT_OF_INTEREST",
        /// Another reason.
        Other = "OTHER",
    }

    /// Why the glass of a record is broken.
    BreakGlassReason {
        /// The child is in danger now.
        ImmediateSafety = "IMMEDIATE_SAFETY",
        /// On duty outside office hours, nobody of the unit can be reached.
        OutOfHoursDuty = "OUT_OF_HOURS_DUTY",
        /// The child or the family has come in person.
        ChildPresented = "CHILD_PRESENTED",
        /// The police or a court ask at once.
        PoliceOrCourt = "POLICE_OR_COURT",
        /// Another reason.
        Other = "OTHER",
    }

    /// What the review of a break-glass found.
    BreakGlassFinding {
        /// It was needed.
        Justified = "JUSTIFIED",
        /// It was not.
        NotJustified = "NOT_JUSTIFIED",
    }

    /// Whether somebody who was invited to a conference came.
    Attendance {
        /// Was there.
        Yes = "YES",
        /// Was not there.
        No = "NO",
        /// Was there for a part.
        Partial = "PARTIAL",
        /// Took part by phone or video.
        Remote = "REMOTE",
    }

    /// Why somebody is not to come to a conference.
    Exclusion {
        /// The chair excluded them.
        Excluded = "EXCLUDED",
        /// Nobody knows where they are.
        WhereaboutsUnknown = "WHEREABOUTS_UNKNOWN",
    }

    /// Why a chair went on without a quorum.
    QuorumException {
        /// Only two agencies work with the family.
        OnlyTwoAgencies = "ONLY_TWO_AGENCIES",
        /// Before the child's birth.
        PreBirth = "PRE_BIRTH",
        /// Waiting would harm the child.
        DelayDetrimental = "DELAY_DETRIMENTAL",
    }

    /// How an invitation was sent.
    InvitationMethod {
        /// By letter.
        Letter = "LETTER",
        /// By email.
        Email = "EMAIL",
        /// By phone.
        Phone = "PHONE",
        /// In person.
        InPerson = "IN_PERSON",
    }

    /// How far somebody's report to a conference has come.
    ReportStep {
        /// Asked for.
        Requested = "REQUESTED",
        /// Received.
        Received = "RECEIVED",
        /// Shared with the parents.
        SharedWithParents = "SHARED_WITH_PARENTS",
    }

    /// What goes out after a conference.
    ConferenceRecord {
        /// The outline plans.
        OutlinePlan = "OUTLINE_PLAN",
        /// The minutes.
        Minutes = "MINUTES",
    }

    /// How a sitting of a conference ended.
    SittingOutcome {
        /// The chair decided.
        Decided = "DECIDED",
        /// Without a quorum: it sits again.
        Inquorate = "INQUORATE",
    }

    /// How the managers settle a chair's dispute.
    DisputeOutcome {
        /// The conference goes ahead.
        GoAhead = "GO_AHEAD",
        /// The request is withdrawn.
        Withdraw = "WITHDRAW",
    }

    /// How a child took part in a meeting about them (the statutory returns' code set).
    Participation {
        /// Under four years old.
        Pn0 = "PN0",
        /// Attended and spoke.
        Pn1 = "PN1",
        /// Attended, an advocate spoke.
        Pn2 = "PN2",
        /// Attended and conveyed their views without words.
        Pn3 = "PN3",
        /// Attended and conveyed nothing.
        Pn4 = "PN4",
        /// Did not attend, an advocate was briefed.
        Pn5 = "PN5",
        /// Did not attend, sent their views.
        Pn6 = "PN6",
        /// Did not attend and conveyed nothing.
        Pn7 = "PN7",
    }

    /// Where evidence of change comes from.
    EvidenceSource {
        /// Seen on a visit.
        Visit = "VISIT",
        /// Heard at a conference or review.
        Conference = "CONFERENCE",
        /// Reported by an agency.
        Agency = "AGENCY",
        /// Told by the child.
        Child = "CHILD",
        /// Told by the family.
        Family = "FAMILY",
    }

    /// How strong evidence of change is.
    EvidenceStrength {
        /// A first sign.
        Weak = "WEAK",
        /// Seen more than once.
        Moderate = "MODERATE",
        /// Seen by several, or over time.
        Strong = "STRONG",
    }

    /// What a unit chooses when the agreed period for change is over without change.
    EscalationChoice {
        /// Another period, with a reason. A second one is the service manager's to give.
        Extend = "EXTEND",
        /// A strategy discussion.
        Strategy = "STRATEGY",
        /// A legal gateway meeting.
        LegalGateway = "LEGAL_GATEWAY",
        /// The decision whether the child needs to come into care.
        CareDecision = "CARE_DECISION",
        /// The plan ends.
        Close = "CLOSE",
    }

    /// What happened to a plan.
    PlanChange {
        /// A draft was begun.
        Drafted = "DRAFTED",
        /// A draft was changed.
        Edited = "EDITED",
        /// It came into force.
        Agreed = "AGREED",
        /// It was shared.
        Shared = "SHARED",
        /// A new version was begun.
        Revised = "REVISED",
        /// A later version took its place.
        Superseded = "SUPERSEDED",
        /// An action was done.
        ActionDone = "ACTION_DONE",
        /// It was settled where a goal stands.
        GoalSettled = "GOAL_SETTLED",
        /// Evidence of change was recorded.
        Evidence = "EVIDENCE",
        /// It was reviewed and goes on.
        Reviewed = "REVIEWED",
        /// The agreed period for change passed, or it broke down.
        Escalated = "ESCALATED",
        /// The unit chose what follows.
        Chosen = "CHOSEN",
        /// It was recorded what somebody of the family says of it.
        ViewRecorded = "VIEW_RECORDED",
        /// It was recorded how far a plan for adoption has come.
        AdoptionStep = "ADOPTION_STEP",
        /// It ended.
        Ended = "ENDED",
    }

    /// What an entry of a chronology is about.
    ChronologyKind {
        /// A case was opened.
        CaseOpened = "CASE_OPENED",
        /// A case was closed.
        CaseClosed = "CASE_CLOSED",
        /// A unit began to hold a case.
        AllocationStarted = "ALLOCATION_STARTED",
        /// A unit stopped holding a case.
        AllocationEnded = "ALLOCATION_ENDED",
        /// A unit was asked to take a case over.
        TransferRequested = "TRANSFER_REQUESTED",
        /// A case moved to another unit.
        TransferCompleted = "TRANSFER_COMPLETED",
        /// A unit that was asked did not take the case.
        TransferRejected = "TRANSFER_REJECTED",
        /// A request to take a case over was taken back.
        TransferWithdrawn = "TRANSFER_WITHDRAWN",
        /// A worker became lead practitioner.
        LeadPractitionerChanged = "LEAD_PRACTITIONER_CHANGED",
        /// An assessment began.
        AssessmentStarted = "ASSESSMENT_STARTED",
        /// An assessment was authorised.
        AssessmentAuthorised = "ASSESSMENT_AUTHORISED",
        /// A strategy discussion was held.
        StrategyHeld = "STRATEGY_HELD",
        /// A section 47 enquiry began.
        EnquiryStarted = "ENQUIRY_STARTED",
        /// A section 47 enquiry had its outcome.
        EnquiryConcluded = "ENQUIRY_CONCLUDED",
        /// A child protection conference was asked for.
        ConferenceRequested = "CONFERENCE_REQUESTED",
        /// A child protection conference was held.
        ConferenceHeld = "CONFERENCE_HELD",
        /// A plan came into force.
        PlanStarted = "PLAN_STARTED",
        /// A plan ended.
        PlanEnded = "PLAN_ENDED",
        /// A parenting support worker began to work with the family.
        SupportStarted = "SUPPORT_STARTED",
        /// Their work ended.
        SupportEnded = "SUPPORT_ENDED",
        /// A plan for adoption came a step further, as it was last recorded.
        AdoptionStep = "ADOPTION_STEP",
        /// Somebody became a member of the family.
        FamilyMemberJoined = "FAMILY_MEMBER_JOINED",
        /// Somebody's membership of the family ended.
        FamilyMemberLeft = "FAMILY_MEMBER_LEFT",
    }

    /// How two children are siblings.
    SiblingLink {
        /// Both are in one family group now.
        SharedFamily = "SHARED_FAMILY",
        /// Recorded as brother or sister.
        Sibling = "SIBLING",
        /// Recorded as half-brother or half-sister.
        HalfSibling = "HALF_SIBLING",
        /// Recorded as stepbrother or stepsister.
        StepSibling = "STEP_SIBLING",
        /// Recorded as siblings, one of them before birth.
        UnbornSibling = "UNBORN_SIBLING",
    }

    /// Which way a case goes, seen from a unit.
    TransferDirection {
        /// To the unit.
        Incoming = "INCOMING",
        /// From the unit.
        Outgoing = "OUTGOING",
    }
}

impl CaseStatus {
    /// Whether the case is over.
    pub fn is_closed(self) -> bool {
        self == Self::Closed
    }

    /// The statuses that can come next.
    pub fn legal_next(self) -> Vec<Self> {
        let mut next =
            vec![self.after_protection_plan(), self.after_protection_ends(), self.after_assessment_started()];
        next.extend(ReferralDecision::ALL.iter().map(|(decision, ..)| self.after_referral(*decision)));
        next.extend(Service::ALL.iter().map(|(service, ..)| self.after_allocation(*service)));
        next.extend(TransferKind::ALL.iter().map(|(kind, ..)| self.after_transfer(*kind)));
        for (outcome, ..) in AssessmentOutcome::ALL {
            next.extend(Service::ALL.iter().map(|(service, ..)| self.after_assessment(*outcome, *service)));
        }
        next.extend(EnquiryOutcome::ALL.iter().map(|(outcome, ..)| self.after_enquiry(*outcome)));
        // No plan: back to where the case stood when its enquiry called for a conference.
        let called = |before: &Self| {
            *before != Self::ConferencePending
                && before.after_enquiry(EnquiryOutcome::InitialConference) == Self::ConferencePending
        };
        let before = Self::ALL.iter().map(|(before, ..)| *before).filter(called);
        next.extend(before.map(|before| self.after_no_plan(Some(before))));
        next.extend(self.closes_by_unit().then_some(Self::Closed));
        next.retain(|status| *status != self);
        next.sort_unstable();
        next.dedup();
        next
    }

    /// Whether the unit that holds a case may close it, when change lasts. Another ends otherwise: by its referral's decision, by its
    /// assessment, after its conference.
    pub fn closes_by_unit(self) -> bool {
        self == Self::Cin
    }

    /// The status after a conference made a child protection plan. A looked-after child with such a plan stays
    /// looked after, so only the early statuses move.
    pub fn after_protection_plan(self) -> Self {
        match self {
            Self::Referred | Self::Assessment | Self::Cin | Self::ConferencePending => Self::Cp,
            other => other,
        }
    }

    /// The status after a conference ended the child's protection plan: the child steps down to a child in need plan.
    pub fn after_protection_ends(self) -> Self {
        match self {
            Self::Cp => Self::Cin,
            other => other,
        }
    }

    /// The status after a decision about the referral: one that is accepted waits for a unit.
    pub fn after_referral(self, decision: ReferralDecision) -> Self {
        match self {
            Self::Referred if !decision.accepts() => Self::Closed,
            other => other,
        }
    }

    /// The status after a unit of this service was given the case from the queue.
    pub fn after_allocation(self, service: Service) -> Self {
        match (self, service) {
            (Self::Referred, Service::AccessAssessment) => Self::Assessment,
            (Self::LookedAfter, Service::LookedAfter) => Self::LookedAfterLac,
            (same, _) => same,
        }
    }

    /// The status after an assessment began: a case that a unit of another service took from the queue is in assessment too.
    pub fn after_assessment_started(self) -> Self {
        match self {
            Self::Referred => Self::Assessment,
            other => other,
        }
    }

    /// The status after an assessment with this outcome was authorised, of a case that a unit of this service holds. One that
    /// goes on waits in access and assessment for the unit that takes it.
    pub fn after_assessment(self, outcome: AssessmentOutcome, service: Service) -> Self {
        match (self, outcome) {
            (Self::Assessment, AssessmentOutcome::Nfa | AssessmentOutcome::EarlyHelp) => Self::Closed,
            (Self::Assessment, AssessmentOutcome::CinPlan) if service != Service::AccessAssessment => Self::Cin,
            (same, _) => same,
        }
    }

    /// The status after an enquiry had this outcome. Who is on a protection plan or looked after stays that.
    pub fn after_enquiry(self, outcome: EnquiryOutcome) -> Self {
        match (self, outcome) {
            (Self::Referred | Self::Assessment | Self::Cin, EnquiryOutcome::InitialConference) => {
                Self::ConferencePending
            }
            (same, _) => same,
        }
    }

    /// The status when no conference is to come any more and none made a plan: where the case stood before it was called for.
    pub fn after_no_plan(self, before: Option<Self>) -> Self {
        match self {
            Self::ConferencePending => before.unwrap_or(Self::Assessment),
            other => other,
        }
    }

    /// The status after a transfer of this kind.
    pub fn after_transfer(self, kind: TransferKind) -> Self {
        match (self, kind) {
            (Self::Referred | Self::Assessment, TransferKind::ToCin) => Self::Cin,
            (Self::LookedAfter, TransferKind::ToLac) => Self::LookedAfterLac,
            (Self::LookedAfterLac, TransferKind::ToCin) => Self::LookedAfter,
            (same, _) => same,
        }
    }
}

impl EventType {
    /// Whether it concerns somebody who sees a child in part, in person, and is named: what they are asked for and the part that
    /// they have, and of the plans if they see those. Nothing else, whatever names them.
    pub fn concerns_part(self, plans: bool) -> bool {
        match self {
            Self::SupportChanged | Self::InvolvementChanged => true,
            Self::PlanAgreed | Self::PlanChanged => plans,
            _ => false,
        }
    }
}

impl Role {
    /// Whether it is one of the five roles of a unit.
    pub fn of_a_unit(self) -> bool {
        matches!(
            self,
            Self::ConsultantSocialWorker
                | Self::SocialWorker
                | Self::ChildrensPractitioner
                | Self::Clinician
                | Self::UnitCoordinator
        )
    }

    /// Whether the role may be named lead practitioner (with a qualified worker in it).
    pub fn may_lead(self) -> bool {
        matches!(self, Self::ConsultantSocialWorker | Self::SocialWorker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_looked_after_child_stays_looked_after_when_a_protection_plan_is_made() {
        for (status, ..) in CaseStatus::ALL {
            let moved = status.after_protection_plan() != *status;
            let early = matches!(
                status,
                CaseStatus::Referred | CaseStatus::Assessment | CaseStatus::Cin | CaseStatus::ConferencePending
            );
            assert_eq!(moved, early, "{status:?}");
        }
    }

    #[test]
    fn whoever_sees_a_child_in_part_hears_of_support_and_of_plans_that_they_see_and_of_nothing_else() {
        let of = |plans| -> Vec<&str> {
            EventType::ALL.iter().filter(|(of, ..)| of.concerns_part(plans)).map(|(_, code, _)| *code).collect()
        };
        assert_eq!(of(false), ["INVOLVEMENT_CHANGED", "SUPPORT_CHANGED"]);
        assert_eq!(of(true), ["INVOLVEMENT_CHANGED", "PLAN_AGREED", "PLAN_CHANGED", "SUPPORT_CHANGED"]);
    }

    #[test]
    fn every_code_reads_back_as_itself() {
        fn check<C: Code + std::fmt::Debug>() {
            for (member, code, means) in C::ALL {
                assert_eq!(C::parse(code), Some(*member));
                assert!(!means.trim().is_empty());
            }
            assert_eq!(C::parse("nonsense"), None);
        }
        check::<Role>();
        check::<CaseStatus>();
        check::<EventType>();
        check::<FieldClass>();
        check::<AuditAction>();
        check::<Purpose>();
        check::<AccessEndReason>();
        check::<CountBy>();
        check::<RestrictionReason>();
        check::<DenialReason>();
        check::<BreakGlassReason>();
        check::<BreakGlassFinding>();
        check::<ConferenceState>();
        check::<AssessmentFactor>();
        check::<EnquiryOutcome>();
        check::<InformationStatus>();
    }
}
