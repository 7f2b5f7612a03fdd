//! Ids: uuid v7, one type each, so that a case's id cannot stand where a child's belongs.

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl $name {
            /// What stands before the colon in the typed global id, and the GraphQL type's name.
            pub const KIND: &'static str = {
                let name = stringify!($name);
                // Every type here ends in "Id".
                let (kind, _) = name.split_at(name.len() - 2);
                kind
            };

            /// A new id, ordered by time.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// A worker of the authority.
    WorkerId;
    /// A social work unit.
    UnitId;
    /// A service manager's span of units.
    AreaId;
    /// A membership of a unit.
    MembershipId;
    /// A child; the same uuid as the child's person.
    ChildId;
    /// Any human known to the service.
    PersonId;
    /// A family group.
    FamilyGroupId;
    /// One period of involvement with one child.
    CaseId;
    /// A unit's holding of a case.
    AllocationId;
    /// A worker's named part in a case.
    InvolvementId;
    /// A request to move a case to another unit.
    TransferId;
    /// A child protection conference.
    ConferenceId;
    /// One child's part in a conference.
    ConferenceChildId;
    /// Somebody's invitation to a conference.
    InvitationId;
    /// A plan.
    PlanId;
    /// A goal of a plan.
    GoalId;
    /// An action of a plan.
    ActionId;
    /// A restriction of a person's record.
    AccessRestrictionId;
    /// A worker who may not see a person's record.
    AccessDenialId;
    /// A use of break-glass.
    BreakGlassId;
    /// Somebody's approach to the front door.
    ContactId;
    /// Somebody whom a contact is about, as told.
    ContactPersonId;
    /// An invitation to meet with a social worker.
    ConsultationId;
    /// What opened a case.
    ReferralId;
    /// A child and family assessment.
    AssessmentId;
    /// A strategy discussion about one child.
    StrategyDiscussionId;
    /// A section 47 enquiry.
    Section47EnquiryId;
    /// Somebody of another agency who takes part.
    AgencyParticipantId;
    /// A request for information to another agency.
    InformationRequestId;
    /// A request to a parenting support worker.
    SupportRequestId;
}
