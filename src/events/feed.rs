//! One worker's stream of a topic's events (a unit's, their own, a child's): the past from Postgres, then live, with no gap and no double at the seam.
//!
//! 1. Subscribe to the bus before reading the past: from here on nothing can be missed.
//! 2. Read the past in pages until there is no more.
//! 3. Go live; skip what the past already brought.
//! 4. Fallen behind: read the past again from where the stream stands. A gap is never silent.
//! 5. The right has ended: say so, and end. Nothing that was read before is said after it.
//!
//! Past and live follow one rule, read with the event: see `db::recipients`. While Postgres cannot be asked nothing is said:
//! what was read is read again, when it can, by the rule as of then.

use std::sync::Arc;

use futures_util::stream::{self, Stream};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    watch,
};
use uuid::Uuid;

use super::{AccessEnd, Bus, Event};
use crate::{
    auth::Viewer,
    clock::Clock,
    db::outbox::EventLog,
    error::{Error, Result},
};

/// Events per page of the past.
const PAGE: i64 = 200;

/// What a stream yields.
#[derive(Clone, Debug)]
pub enum Item {
    /// The first item: where the stream begins.
    Opened(i64),
    /// An event.
    Event(Arc<Event>),
    /// The last item: the right to follow has ended. The stream's place, and why.
    Ended(i64, AccessEnd),
}

struct Feed {
    bus: Arc<Bus>,
    log: EventLog,
    clock: Clock,
    topic: Uuid,
    worker: Uuid,
    position: i64,
    live: broadcast::Receiver<Arc<Event>>,
    /// Whether the right has ended.
    end: watch::Receiver<Option<AccessEnd>>,
    /// Events of the past that are read and not yet yielded.
    past: std::vec::IntoIter<Arc<Event>>,
    /// Whether there may be more of the past.
    behind: bool,
}

/// A stream of this topic's events for this viewer, after the place `after`, or from now on.
pub async fn follow(
    bus: &Arc<Bus>,
    log: EventLog,
    clock: Clock,
    viewer: Viewer,
    topic: Uuid,
    after: Option<i64>,
    end: watch::Receiver<Option<AccessEnd>>,
) -> Result<impl Stream<Item = Result<Item>> + Send + use<>> {
    let live = bus.subscribe(topic);
    bus.found_its_place().await?;
    let extent = log.extent().await?;
    let position = match after {
        Some(place) if place > extent.last => {
            return Err(Error::bad_input("after", "lies in the future; leave it out, or use feedCursor"));
        }
        Some(place) if place < extent.pruned => return Err(Error::CursorExpired),
        Some(place) => place,
        None => extent.last,
    };
    let feed = Feed {
        bus: Arc::clone(bus),
        log,
        clock,
        topic,
        worker: viewer.worker_id.0,
        position,
        live,
        end,
        past: Vec::new().into_iter(),
        behind: true,
    };
    let opened = stream::once(async move { Ok(Item::Opened(position)) });
    let events = stream::unfold(Some(feed), |feed| async move {
        let mut feed = feed?;
        match feed.next().await {
            Ok(Next::Event(event)) => Some((Ok(Item::Event(event)), Some(feed))),
            Ok(Next::End(end)) => Some((Ok(Item::Ended(feed.position, end)), None)),
            Ok(Next::Nothing) => None,
            // A stream ends with its first failure: the client resumes with its cursor.
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(futures_util::StreamExt::chain(opened, events))
}

enum Next {
    Event(Arc<Event>),
    End(AccessEnd),
    Nothing,
}

impl Feed {
    async fn next(&mut self) -> Result<Next> {
        loop {
            if let Some(end) = *self.end.borrow() {
                return Ok(Next::End(end));
            }
            if self.bus.is_silent() {
                // What waits here was read while somebody may have lost their right since.
                self.past = Vec::new().into_iter();
                self.behind = true;
                self.bus.speaks().await;
                continue;
            }
            if let Some(event) = self.past.next() {
                if let Some(event) = self.take(event) {
                    return Ok(Next::Event(event));
                }
                continue;
            }
            if self.behind {
                // Boxed: a stream waits most of its life, and should not carry along what it needs to read.
                let page = Box::pin(self.log.after(self.position, Some(self.topic), PAGE, &self.clock)).await?;
                self.behind = i64::try_from(page.len()).is_ok_and(|count| count == PAGE);
                let last = page.last().and_then(|one| one.event.seq);
                let events: Vec<_> = page.into_iter().filter_map(Event::read).collect();
                if events.is_empty() {
                    // None of them could be read: the next page begins after them.
                    self.position = last.unwrap_or(self.position);
                }
                let mine: Vec<Arc<Event>> =
                    events.iter().filter(|event| event.is_for(self.topic, self.worker)).map(Arc::clone).collect();
                Box::pin(self.bus.audit_past(self.worker, &mine)).await?;
                self.past = events.into_iter();
                continue;
            }
            let event = tokio::select! {
                biased;
                // Fails only when the bus is gone; then the events' channel is closed too.
                changed = self.end.changed() => {
                    if changed.is_err() {
                        return Ok(Next::Nothing);
                    }
                    continue;
                }
                event = self.live.recv() => event,
            };
            match event {
                // Back to where the right, and whether anybody knows of it, is looked at first.
                Ok(event) if self.bus.is_silent() => drop(event),
                Ok(event) => {
                    if let Some(event) = self.take(event) {
                        return Ok(Next::Event(event));
                    }
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return Ok(Next::Nothing),
            }
        }
    }

    /// Steps to an event, and yields it if it is new to this stream and for this worker.
    fn take(&mut self, event: Arc<Event>) -> Option<Arc<Event>> {
        if event.seq <= self.position {
            return None;
        }
        self.position = event.seq;
        event.is_for(self.topic, self.worker).then_some(event)
    }
}
