//! What can be changed: success and refusal of every mutation.

mod allocations;
mod conference_states;
mod conferences;
mod idempotency;
mod involvements;
mod memberships;
mod plans;
mod races;
mod transfers;
