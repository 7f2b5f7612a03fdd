//! Hearth: the live record behind a children's social work unit.
#![warn(missing_docs)]

pub mod auth;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod events;
pub mod graphql;
pub mod services;
