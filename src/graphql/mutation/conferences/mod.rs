//! Child protection conferences, one file a phase, as in the services.

mod decide;
mod diary;
mod invite;
mod request;
mod sitting;

pub use decide::DecideMutations;
pub use diary::DiaryMutations;
pub use invite::InviteMutations;
pub use request::RequestMutations;
pub use sitting::SittingMutations;
