//! The bus: hears the bell, reads what is new once, hands it to local streams.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Event;
use crate::{
    audit::Audit,
    db::{audit::NewEntry, outbox::EventLog},
    domain::{
        codes::{AccessEndReason, AuditAction, EventType, Purpose},
        event::Detail,
    },
    error::{Error, Result},
};

/// How often the bus looks by itself while the bell works: a lost message costs at most this.
const LOOK_ANYWAY: Duration = Duration::from_millis(900);
/// How often it looks while Redis is away.
const LOOK_WITHOUT_BELL: Duration = Duration::from_millis(100);
/// A look that takes longer has failed: a connection may be half open.
const STUCK_AFTER: Duration = Duration::from_secs(15);
/// How often open streams are asked whether they may still be: a right can end without an event, by the clock.
const CHECK_ANYWAY: Duration = Duration::from_millis(900);
/// While Postgres cannot be asked for this long, nothing is delivered: nobody knows who may still hear it.
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// Streams per question.
const CHECKED_AT_ONCE: usize = 2000;
/// Events that a stream may lag behind before it reads the past again from Postgres. Every topic has room for as many.
const BUFFERED: usize = 256;
/// Events per read.
const BATCH: i64 = 500;

/// See the module.
pub struct Bus {
    log: EventLog,
    audit: Audit,
    clock: crate::clock::Clock,
    /// Rings when there may be something new.
    bell: Notify,
    /// Whether the subscription to Redis stands.
    hears: AtomicBool,
    /// The last place that was handed to streams; -1 before the first look.
    seen: AtomicI64,
    /// The last look that succeeded.
    looked: watch::Sender<Option<Instant>>,
    /// One channel per topic (a unit, a worker, a child) that somebody here listens to.
    streams: Mutex<HashMap<Uuid, broadcast::Sender<Arc<Event>>>>,
    /// Whoever follows what here, by (worker, topic): told when they may not any more.
    followers: Mutex<HashMap<(Uuid, Uuid), End>>,
}

/// Tells a stream that its right has ended.
type End = watch::Sender<Option<AccessEnd>>;

/// The end of a stream's right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessEnd {
    /// Why.
    pub reason: AccessEndReason,
    /// When it was noticed.
    pub at: DateTime<Utc>,
}

/// Whose rights an event may have changed, beyond what the clock does.
enum Changed {
    /// This worker's.
    Worker(Uuid),
    /// Those of whoever follows a child.
    Children,
}

impl Changed {
    fn by(event: &Event) -> Option<Self> {
        match (&event.data.detail, event.kind) {
            (Detail::Membership { worker_id, .. }, _) => Some(Self::Worker(*worker_id)),
            (
                _,
                EventType::RestrictionChanged
                | EventType::DenialChanged
                | EventType::AllocationEnded
                | EventType::InvolvementChanged
                | EventType::TransferCompleted
                | EventType::ConferenceChanged
                | EventType::ConferenceCancelled,
            ) => Some(Self::Children),
            _ => None,
        }
    }

    fn concerns(&self, (worker, topic): (Uuid, Uuid)) -> bool {
        match self {
            Self::Worker(changed) => *changed == worker,
            // A unit's too: units and children are not told apart here.
            Self::Children => topic != worker,
        }
    }
}

/// How long to rest at most when streams were checked so long ago: a bell in between does not put off the next check.
fn until_check(rest: Duration, since_check: Duration) -> Duration {
    rest.min(CHECK_ANYWAY.saturating_sub(since_check))
}

impl Bus {
    /// A bus that reads from this log. Does nothing until it runs.
    pub fn new(log: EventLog, clock: crate::clock::Clock, audit: Audit) -> Arc<Self> {
        Arc::new(Self {
            log,
            audit,
            clock,
            bell: Notify::new(),
            hears: AtomicBool::new(false),
            seen: AtomicI64::new(-1),
            looked: watch::Sender::new(None),
            streams: Mutex::default(),
            followers: Mutex::default(),
        })
    }

    /// Tells when this worker may not follow this topic any more. Ask before the right is looked at: what ends it later is
    /// noticed.
    pub fn follower(&self, worker: Uuid, topic: Uuid) -> watch::Receiver<Option<AccessEnd>> {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = followers.entry((worker, topic)).or_insert_with(|| watch::Sender::new(None));
        if sender.borrow().is_some() {
            // Who was told that it ended and is let in again begins anew.
            *sender = watch::Sender::new(None);
        }
        sender.subscribe()
    }

    /// Ends the streams that have lost their right.
    async fn check(&self, changed: Option<&[Changed]>) -> Result<()> {
        let at = (self.clock)();
        // With whom to tell: whoever was let in again meanwhile has another.
        let (asked, told): (Vec<(Uuid, Uuid)>, Vec<End>) = {
            let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
            if changed.is_none() {
                followers.retain(|_, sender| sender.receiver_count() > 0);
            }
            followers
                .iter()
                .filter(|(_, sender)| sender.borrow().is_none())
                .filter(|(key, _)| changed.is_none_or(|changed| changed.iter().any(|one| one.concerns(**key))))
                .map(|(key, sender)| (*key, sender.clone()))
                .unzip()
        };
        for (asked, told) in asked.chunks(CHECKED_AT_ONCE).zip(told.chunks(CHECKED_AT_ONCE)) {
            for (place, reason) in self.log.ended_access(asked, at).await? {
                if let Some(sender) = told.get(place) {
                    sender.send_replace(Some(AccessEnd { reason, at }));
                }
            }
        }
        Ok(())
    }

    /// Waits until Postgres has been asked lately.
    pub async fn speaks(&self) {
        let mut looked = self.looked.subscribe();
        // Fails only when the bus is gone, with all that it could say.
        let _ = looked.wait_for(|at| at.is_some_and(|at| at.elapsed() <= SILENT_AFTER)).await;
    }

    /// Whether Postgres could not be asked for so long that nobody knows who may still hear what.
    pub fn is_silent(&self) -> bool {
        self.looked.borrow().is_none_or(|at| at.elapsed() > SILENT_AFTER)
    }

    /// Everything for this topic from now on. Subscribe before reading the past.
    pub fn subscribe(&self, topic: Uuid) -> broadcast::Receiver<Arc<Event>> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.retain(|_, sender| sender.receiver_count() > 0);
        streams.entry(topic).or_insert_with(|| broadcast::channel(BUFFERED).0).subscribe()
    }

    /// There may be something new.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Whether the bell is heard; while it is not, events still come, a little later.
    pub fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }

    /// Whether the bus has found its place in the log and still reads it.
    pub fn is_ready(&self) -> bool {
        self.looked.borrow().is_some_and(|at| at.elapsed() < STUCK_AFTER)
    }

    /// Waits until the bus has found its place: a stream that began earlier could miss what lies between its past
    /// and the bus's first look.
    pub async fn found_its_place(&self) -> Result<()> {
        let mut looked = self.looked.subscribe();
        let found = tokio::time::timeout(STUCK_AFTER, looked.wait_for(Option::is_some)).await;
        found.map_err(|_| Error::Timeout)?.map_err(Error::internal)?;
        Ok(())
    }

    /// Reads and hands over until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut failing = false;
        let mut checked = Instant::now();
        loop {
            let looking = async {
                let (changed, full) = self.look().await?;
                if checked.elapsed() >= CHECK_ANYWAY {
                    self.check(None).await?;
                    checked = Instant::now();
                } else if !changed.is_empty() {
                    self.check(Some(&changed)).await?;
                }
                Ok(full)
            };
            let looked = tokio::time::timeout(STUCK_AFTER, looking).await.unwrap_or(Err(Error::Timeout));
            let full = *looked.as_ref().unwrap_or(&false);
            let mut rest = if self.hears() { LOOK_ANYWAY } else { LOOK_WITHOUT_BELL };
            match looked {
                Ok(_) => {
                    failing = false;
                    self.looked.send_replace(Some(Instant::now()));
                    rest = until_check(rest, checked.elapsed());
                }
                Err(error) => {
                    // Once per outage: the next good look tells that it is over.
                    if !failing {
                        tracing::error!(error = ?error, "the bus cannot read events");
                    }
                    failing = true;
                }
            }
            if full {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Hands over what is new, up to one batch. Answers what it may have changed of streams' rights, and whether there may be
    /// more: rights are looked at between batches, however long it goes on.
    async fn look(&self) -> Result<(Vec<Changed>, bool)> {
        let mut changed = Vec::new();
        let mut seen = self.seen.load(Ordering::Relaxed);
        if seen < 0 {
            seen = self.log.extent().await?.last;
            self.seen.store(seen, Ordering::Relaxed);
        }
        let found = self.log.after(seen, None, BATCH, &self.clock).await?;
        let full = i64::try_from(found.len()).is_ok_and(|count| count == BATCH);
        let last = found.last().and_then(|delivery| delivery.event.seq);
        let events: Vec<Arc<Event>> = found.into_iter().filter_map(Event::read).collect();
        // Before any of them leaves. When it cannot be written the next look finds them again.
        self.audit.write(self.sent(&events)).await?;
        for event in events {
            seen = event.seq;
            changed.extend(Changed::by(&event));
            let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
            for topic in &event.topics {
                if let Some(stream) = streams.get(topic) {
                    // Fails only when the last listener has just left.
                    let _ = stream.send(Arc::clone(&event));
                }
            }
            drop(streams);
            self.seen.store(seen, Ordering::Relaxed);
        }
        self.seen.store(last.unwrap_or(seen), Ordering::Relaxed);
        Ok((changed, full))
    }

    /// An entry of the audit for each event that somebody here is about to get.
    fn sent(&self, events: &[Arc<Event>]) -> Vec<NewEntry> {
        let following: Vec<(Uuid, Uuid)> = {
            let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
            followers.iter().filter(|(_, end)| end.receiver_count() > 0).map(|(key, _)| *key).collect()
        };
        let entry = |event: &Arc<Event>| {
            let mut recipients: Vec<Uuid> = following
                .iter()
                .filter(|(worker, topic)| event.is_for(*topic, *worker))
                .map(|(worker, _)| *worker)
                .collect();
            recipients.sort_unstable();
            recipients.dedup();
            (!recipients.is_empty()).then(|| self.entry_of(None, std::slice::from_ref(event), recipients))
        };
        events.iter().filter_map(entry).collect()
    }

    /// The entry that says that events were sent: to several at once, or to one who resumed.
    pub fn entry_of(&self, worker_id: Option<Uuid>, events: &[Arc<Event>], recipients: Vec<Uuid>) -> NewEntry {
        let mut subjects: Vec<Uuid> = events.iter().flat_map(|event| event.subjects()).collect();
        let mut records: Vec<Uuid> = events.iter().filter_map(|event| event.row.case_id).collect();
        records.extend(events.iter().map(|event| event.row.entity_id));
        for ids in [&mut subjects, &mut records] {
            ids.sort_unstable();
            ids.dedup();
        }
        NewEntry {
            at: (self.clock)(),
            worker_id,
            action: AuditAction::Sent,
            purpose: Purpose::DirectWork,
            operation: Vec::new(),
            operation_hash: None,
            request_id: None,
            process: self.audit.process,
            subjects,
            records,
            asked: Vec::new(),
            classes: Vec::new(),
            codes: Vec::new(),
            events: events.iter().map(|event| event.row.event_id).collect(),
            recipients,
        }
    }

    /// Writes down what is about to be sent to one who resumes.
    pub async fn audit_past(&self, worker: Uuid, events: &[Arc<Event>]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.audit.write(vec![self.entry_of(Some(worker), events, vec![worker])]).await
    }

    /// Listens to Redis until `stop`, and comes back by itself. Every time that the subscription stands anew means "I
    /// may have missed everything", so it rings.
    pub async fn listen(self: Arc<Self>, redis_url: String, channel: String, stop: CancellationToken) {
        let mut pause = Duration::from_millis(100);
        loop {
            let listening = async {
                let client = redis::Client::open(redis_url.as_str())?;
                let mut messages = client.get_async_pubsub().await?;
                messages.subscribe(&channel).await?;
                self.hears.store(true, Ordering::Relaxed);
                tracing::info!("the bell is heard");
                self.ring();
                let mut messages = messages.into_on_message();
                while messages.next().await.is_some() {
                    self.ring();
                }
                Ok::<(), redis::RedisError>(())
            };
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = listening => ended,
            };
            if self.hears.swap(false, Ordering::Relaxed) {
                pause = Duration::from_millis(100);
                tracing::warn!("the bell is silent: Redis is away; looking for events every {LOOK_WITHOUT_BELL:?}");
                self.ring();
            }
            if let Err(error) = ended {
                tracing::debug!(kind = ?error.kind(), "no subscription to Redis");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_just_before_a_check_does_not_put_it_off() {
        assert_eq!(until_check(LOOK_ANYWAY, Duration::ZERO), CHECK_ANYWAY.min(LOOK_ANYWAY));
        assert_eq!(until_check(LOOK_ANYWAY, CHECK_ANYWAY - Duration::from_millis(50)), Duration::from_millis(50));
        assert_eq!(until_check(LOOK_ANYWAY, CHECK_ANYWAY), Duration::ZERO);
        assert_eq!(until_check(LOOK_WITHOUT_BELL, Duration::ZERO), LOOK_WITHOUT_BELL);
    }
}
