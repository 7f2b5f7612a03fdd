use async_graphql::{Context, ID, InputObject, Object};

use super::Changed;
use crate::{
    domain::ids::UnitId,
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::local,
        types::Unit,
    },
    services::reads::MarkRead,
};

payload! {
    /// Answer to markRead.
    MarkReadPayload {
        /// The unit, with what you have not read yet in `unreadCount`.
        unit: Nullable<Unit>,
    }
}

/// Says how far you have read a unit's feed.
#[derive(InputObject)]
pub struct MarkReadInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of a unit that you belong to.
    unit_id: ID,
    /// Cursor of the newest item that you have seen, of any feed, or a `feedCursor`.
    cursor: String,
}

/// What members have read.
#[derive(Default)]
pub struct ReadMutations;

/// What members have read.
#[Object]
impl ReadMutations {
    /// Says how far you have read a unit's feed: everything up to the cursor. It counts for `seenBy` of its events and
    /// for your `unreadCount`, and only ever moves forward: an older cursor changes nothing.
    async fn mark_read(&self, ctx: &Context<'_>, input: MarkReadInput) -> Nullable<MarkReadPayload> {
        change!(ctx, input, mark_read, MarkReadPayload, {
            let (shared, viewer) = (ctx.shared()?, ctx.viewer()?);
            MarkRead {
                unit_id: local("unitId", UnitId::KIND, &input.unit_id)?,
                seq: shared.sealer.open_feed_cursor("cursor", viewer.worker_id, &input.cursor, viewer.at)?,
            }
        })
    }
}
