//! The subscription root.

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription};
use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    context::{HearthContext, operation},
    envelope::{Envelope, Sent},
    error::Fault,
    scalars::local,
    types::event::{AccessEnded, FeedItem, FeedOpened},
};
use crate::{
    db::{Columns, children, outbox::Post, units, viewers, workers},
    domain::{
        codes::EventType,
        ids::{ChildId, UnitId},
    },
    error::Error,
    events::{
        AccessEnd,
        feed::{self, Item},
    },
};

/// What is pushed to you.
pub struct SubscriptionRoot;

// What opens a stream is boxed: the stream carries its opening along as long as it lives.
/// What is pushed to you.
#[Subscription(name = "Subscription")]
impl SubscriptionRoot {
    /// Everything that happens to the cases of a unit of yours: allocations, transfers, lead practitioners,
    /// conferences, plans. The first item is FeedOpened. Each event comes once and in order; after a break resume
    /// with the newest cursor as `after`, and you get exactly what you missed. CURSOR_EXPIRED means: query the unit
    /// again, and subscribe with its `feedCursor`. When you are no member any more the last item is AccessEnded.
    async fn unit_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a unit that you belong to.")] unit_id: ID,
        #[graphql(desc = "Cursor to resume after; from now on when left out.")] after: Option<String>,
        #[graphql(desc = "Only these types of events.")] types: Option<Vec<EventType>>,
    ) -> Result<impl Stream<Item = Result<Sent, Fault>>, Fault> {
        let (me, unit) = (ctx.viewer()?.worker_id.0, local("unitId", UnitId::KIND, &unit_id)?);
        let end = ctx.shared()?.bus.follower(me, unit);
        // A unit of others and a unit that does not exist answer alike.
        let memberships = Box::pin(units::memberships_of_workers(&*ctx.fresh()?, &[me])).await?;
        if !memberships.iter().any(|(_, membership)| membership.unit_id == unit) {
            return Err(Error::NotFound.into());
        }
        Box::pin(follow(ctx, unit, after, types, end)).await
    }

    /// What concerns you by name, or as lead practitioner of the case: for a mobile worker, whatever your units. An
    /// event comes while you still have to do with it: as a member of a unit that it was for, as manager of an area
    /// that it was for, or by your own part in the case or conference. That you left a unit, or chair a conference no
    /// longer, comes too, and nothing after it. Otherwise as `unitFeed`; its cursors and those
    /// of the other feeds are good for one another.
    async fn my_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Cursor to resume after; from now on when left out.")] after: Option<String>,
        #[graphql(desc = "Only these types of events.")] types: Option<Vec<EventType>>,
    ) -> Result<impl Stream<Item = Result<Sent, Fault>>, Fault> {
        let me = ctx.viewer()?.worker_id.0;
        let end = ctx.shared()?.bus.follower(me, me);
        // Whoever works here no longer is told so.
        Box::pin(workers::by_ids(&*ctx.fresh()?, &[me])).await?;
        Box::pin(follow(ctx, me, after, types, end)).await
    }

    /// What happens to one child: the case, its conferences and plans. You get what you would get through a unit, an
    /// area that you manage, or by name, and only while you see the child whole. Otherwise as `unitFeed`.
    async fn child_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a child whom you may see.")] child_id: ID,
        #[graphql(desc = "Cursor to resume after; from now on when left out.")] after: Option<String>,
        #[graphql(desc = "Only these types of events.")] types: Option<Vec<EventType>>,
    ) -> Result<impl Stream<Item = Result<Sent, Fault>>, Fault> {
        let child = local("childId", ChildId::KIND, &child_id)?;
        let end = ctx.shared()?.bus.follower(ctx.viewer()?.worker_id.0, child);
        // A hidden child and a child that does not exist answer alike.
        if Box::pin(children::by_ids(&*ctx.fresh()?, &[child], Columns::CORE)).await?.is_empty() {
            return Err(Error::NotFound.into());
        }
        Box::pin(follow(ctx, child, after, types, end)).await
    }

    /// What comes to the front door: contacts and what becomes of them, referrals, and cases that no unit holds. For first
    /// response, and the service managers of areas whose units take in what comes; other service managers get the cases that
    /// no unit holds. Otherwise as `unitFeed`.
    async fn front_door_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Cursor to resume after; from now on when left out.")] after: Option<String>,
        #[graphql(desc = "Only these types of events.")] types: Option<Vec<EventType>>,
    ) -> Result<impl Stream<Item = Result<Sent, Fault>>, Fault> {
        let me = ctx.viewer()?.worker_id.0;
        let bus = &ctx.shared()?.bus;
        let (front_door, queue) = (bus.follower(me, Post::FrontDoor.topic()), bus.follower(me, Post::Queue.topic()));
        let post = Box::pin(viewers::post(&*ctx.fresh()?)).await?.ok_or(Error::NotFound)?;
        let end = if post == Post::FrontDoor { front_door } else { queue };
        Box::pin(follow(ctx, post.topic(), after, types, end)).await
    }
}

/// The stream of a topic that the viewer may follow.
async fn follow(
    ctx: &Context<'_>,
    topic: Uuid,
    after: Option<String>,
    types: Option<Vec<EventType>>,
    end: watch::Receiver<Option<AccessEnd>>,
) -> Result<impl Stream<Item = Result<Sent, Fault>> + use<>, Fault> {
    let (shared, viewer) = (ctx.shared()?, ctx.viewer()?);
    let now = (shared.clock)();
    let after =
        after.map(|cursor| shared.sealer.open_feed_cursor("after", viewer.worker_id, &cursor, now)).transpose()?;
    let items =
        feed::follow(&shared.bus, shared.log.clone(), Arc::clone(&shared.clock), viewer, topic, after, end).await?;
    let operation = Arc::clone(operation(ctx)?);
    let envelope = Envelope::of(ctx);
    Ok(items.filter_map(move |item| {
        let wanted = match item {
            Err(error) => Some(Err(error.into())),
            Ok(Item::Opened(position)) => Some(Ok(Sent::Item(FeedItem::FeedOpened(FeedOpened { position })))),
            Ok(Item::Ended(position, end)) => {
                Some(Ok(Sent::Item(FeedItem::AccessEnded(AccessEnded { position, end }))))
            }
            Ok(Item::Event(event)) if types.as_ref().is_none_or(|types| types.contains(&event.kind)) => match &envelope
            {
                Some(envelope) => Some(Ok(Sent::Envelope(event, Arc::clone(envelope)))),
                None => FeedItem::event(event, operation.fresh()).map(|item| Ok(Sent::Item(item))),
            },
            Ok(Item::Event(_)) => None,
        };
        std::future::ready(wanted)
    }))
}
