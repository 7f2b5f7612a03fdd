//! Integration tests: through HTTP and WebSocket, on a database of their own each. The name of a test is the rule.
//!
//! Run them with `script/test`, which starts the services that they need.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

mod access;
mod architecture;
mod assessments;
mod audit;
mod bad_input;
mod canary;
mod catalog;
mod clients;
mod closing;
mod documents;
mod ecosystem;
mod edges;
mod exact_fields;
mod families;
mod feeds;
mod front_door;
mod front_door_random;
mod front_door_sight;
mod hostile;
mod http;
mod identity;
mod introspection;
mod live;
mod migrations;
mod mutations;
mod mutations_support;
mod operations;
mod origins;
mod parenting_support;
mod pathways;
mod plan_kinds;
mod policy;
mod pool;
mod prober;
mod production;
mod reading;
mod reads;
mod resilience;
mod revocation;
mod rights;
mod roles;
mod safeguarding;
mod safeguarding_random;
mod schema;
mod search;
mod seed;
mod sse;
mod supply;
mod ten_requests;
mod walls;
