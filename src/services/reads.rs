//! What members have read.

use serde::Serialize;
use uuid::Uuid;

use super::{Outcome, Services};
use crate::{
    auth::Viewer,
    db::{ViewerTx, reads, units},
    error::{Error, Result},
};

/// The viewer has read a unit's feed so far.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct MarkRead {
    pub unit_id: Uuid,
    /// A place in the one order: what the cursor held.
    pub seq: i64,
}

impl Services {
    /// Remembers how far the viewer has read. Going back changes nothing.
    pub async fn mark_read(&self, viewer: Viewer, key: &str, input: MarkRead) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "markRead", key, &input, move |tx| Box::pin(mark_read(tx, wanted))).await
    }
}

// Not a matter of role: every member reads, and only for themselves. So it is asked of the membership, not of policy.
async fn mark_read(tx: &ViewerTx, input: MarkRead) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    // A unit of others and a unit that does not exist answer alike.
    units::role_in(tx, input.unit_id, me.0).await?.ok_or(Error::NotFound)?;
    if input.seq > reads::last_place(tx).await? {
        return Err(Error::bad_input("cursor", "lies in the future: use an item's cursor, or feedCursor"));
    }
    reads::advance(tx, input.unit_id, input.seq).await?;
    Ok(Outcome { unit_id: Some(input.unit_id), ..Outcome::default() })
}
