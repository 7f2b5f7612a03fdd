//! The subscription root.

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription};
use futures_util::{Stream, StreamExt};

use super::{
    context::{HearthContext, Operation},
    error::Fault,
    scalars::local,
    types::event::{FeedItem, FeedOpened},
};
use crate::{
    db::units,
    domain::{codes::EventType, ids::UnitId},
    error::Error,
    events::feed::{self, Item},
};

/// What is pushed to you.
pub struct SubscriptionRoot;

/// What is pushed to you.
#[Subscription(name = "Subscription")]
impl SubscriptionRoot {
    /// Everything that happens to the cases of a unit of yours: allocations, transfers, lead practitioners,
    /// conferences, plans. The first item is FeedOpened. Each event comes once and in order; after a break resume
    /// with the newest cursor as `after`, and you get exactly what you missed. CURSOR_EXPIRED means: query the unit
    /// again, and subscribe with its `feedCursor`.
    async fn unit_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a unit that you belong to.")] unit_id: ID,
        #[graphql(desc = "Cursor to resume after; from now on when left out.")] after: Option<String>,
        #[graphql(desc = "Only these types of events.")] types: Option<Vec<EventType>>,
    ) -> Result<impl Stream<Item = Result<FeedItem, Fault>>, Fault> {
        let shared = ctx.shared()?;
        let viewer = ctx.viewer()?;
        let unit = local("unitId", UnitId::KIND, &unit_id)?;
        // A unit of others and a unit that does not exist answer alike.
        let memberships = units::memberships_of_workers(&*ctx.fresh()?, &[viewer.worker_id.0]).await?;
        if !memberships.iter().any(|(_, membership)| membership.unit_id == unit) {
            return Err(Error::NotFound.into());
        }
        let now = (shared.clock)();
        let after = after.map(|cursor| shared.sealer.open_feed_cursor(viewer.worker_id, &cursor, now)).transpose()?;
        let items =
            feed::follow(&shared.bus, shared.log.clone(), Arc::clone(&shared.clock), viewer, unit, after).await?;
        let operation = Arc::clone(ctx.data::<Arc<Operation>>().map_err(|_| Error::internal("no operation"))?);
        Ok(items.filter_map(move |item| {
            let wanted = match item {
                Err(error) => Some(Err(error.into())),
                Ok(Item::Opened(position)) => Some(Ok(FeedItem::FeedOpened(FeedOpened { position }))),
                Ok(Item::Event(event)) if types.as_ref().is_none_or(|types| types.contains(&event.kind)) => {
                    Some(Ok(FeedItem::event(event, operation.fresh())))
                }
                Ok(Item::Event(_)) => None,
            };
            std::future::ready(wanted)
        }))
    }
}
