//! What the service is about, without I/O: ids, code sets, state machines, rules.
//!
//! Nothing in here reads a clock or a database; time is passed in.

pub mod calendar;
pub mod chronology;
pub mod closing;
pub mod codes;
pub mod conference;
pub mod contact;
pub mod event;
pub mod ids;
pub mod plan;
pub mod safeguarding;
pub mod statistics;
pub mod text;
pub mod transfer;

pub use codes::Code;
