//! What a retried mutation already did.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{ViewerTx, failed, schema::idempotency_keys as keys};
use crate::error::Result;

/// What is known of a key.
pub enum Claim {
    /// First seen: go on, and call [`complete`].
    New,
    /// Done before: the hash of its input, and the ids it made.
    Done(Vec<u8>, serde_json::Value),
}

/// Claims a key for the viewer and this mutation. A concurrent double waits here until the first is over.
pub async fn claim(tx: &ViewerTx, mutation: &str, key: &str, input_hash: &[u8]) -> Result<Claim> {
    let viewer = tx.viewer();
    let inserted = tx
        .run(
            diesel::insert_into(keys::table)
                .values((
                    keys::worker_id.eq(viewer.worker_id.0),
                    keys::mutation.eq(mutation),
                    keys::key.eq(key),
                    keys::input_hash.eq(input_hash),
                    keys::created_at.eq(viewer.at),
                ))
                .on_conflict_do_nothing(),
        )
        .await?;
    if inserted == 1 {
        return Ok(Claim::New);
    }
    let (hash, outcome) = keys::table
        .find((viewer.worker_id.0, mutation, key))
        .select((keys::input_hash, keys::outcome))
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(Claim::Done(hash, outcome))
}

/// Stores the ids that the mutation made, in its own transaction.
pub async fn complete(tx: &ViewerTx, mutation: &str, key: &str, outcome: &serde_json::Value) -> Result<()> {
    let worker = tx.viewer().worker_id.0;
    tx.run(diesel::update(keys::table.find((worker, mutation, key))).set(keys::outcome.eq(outcome))).await?;
    Ok(())
}
