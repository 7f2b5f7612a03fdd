//! The schema's object types, one file a noun.

macro_rules! record {
    ($(#[$doc:meta])* $name:ident($row:ty)) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(pub(in crate::graphql) $crate::graphql::batch::Item<$row>);

        impl From<$crate::graphql::batch::Item<$row>> for $name {
            fn from(item: $crate::graphql::batch::Item<$row>) -> Self {
                Self(item)
            }
        }
    };
}

pub mod access;
pub mod allocation;
pub mod assessment;
pub mod audit;
pub mod case;
pub mod child;
pub mod chronology;
pub mod conference;
pub mod contact;
pub mod enquiry;
pub mod event;
pub mod family;
pub mod information;
pub mod involvement;
pub mod node;
pub mod plan;
pub mod support;
pub mod transfer;
pub mod unit;
pub mod viewer;
pub mod worker;

pub use access::{AccessDenial, AccessRestriction, BreakGlass};
pub use allocation::Allocation;
pub use assessment::Assessment;
pub use audit::AuditEntry;
pub use case::Case;
pub use child::{Child, Person};
pub use conference::{Conference, Invitation};
pub use contact::{Consultation, Contact, ContactPerson, Referral};
pub use enquiry::{Section47Enquiry, StrategyDiscussion};
pub use family::FamilyGroup;
pub use information::{AgencyParticipant, InformationRequest};
pub use involvement::Involvement;
pub use node::Node;
pub use plan::{Action, Goal, Plan};
pub use support::SupportRequest;
pub use transfer::Transfer;
pub use unit::{Area, Unit};
pub use worker::Worker;
