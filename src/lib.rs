//! Hearth: the live record behind a children's social work unit.
//!
//! Layers outside, the domain's nouns as file names inside:
//!
//! ```text
//! main -> app -> http -> graphql -> services -> db -> domain
//!                          |           |        ^
//!                          |           +-> auth -> domain       (db takes auth::Viewer, a type)
//!                          +-> events::bus            relay -> db
//! error, config, telemetry, clock: leaves; production: what app asks of config
//! ```
//!
//! * [`domain`]: pure. Ids, code sets, state machines; time is passed in.
//! * [`auth`]: who somebody is, what they may do, sealed cursors.
//! * [`db`]: the only place that names diesel. One snapshot per operation, a guarded transaction per change.
//! * [`services`]: one use case, one function: policy, change, outbox, commit.
//! * [`events`]: relay (outbox to Redis) and bus (Redis to local streams).
//! * [`graphql`]: the only place that names async_graphql.
//! * [`http`]: the only place that names axum.
//! * [`seed`]: the demo authority, and a large one around it.
//!
//! `tests/architecture.rs` fails on a `use` that this picture does not allow.
#![warn(missing_docs)]

pub mod app;
pub mod audit;
pub mod auth;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod events;
pub mod graphql;
pub mod http;
pub mod production;
pub mod seed;
pub mod services;
pub mod telemetry;
