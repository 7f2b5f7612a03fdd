//! What can be changed: success and refusal of every mutation.

mod allocations;
mod conferences;
mod idempotency;
mod involvements;
mod transfers;
