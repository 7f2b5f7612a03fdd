//! The relay: gives committed events their place in the one order, and rings.
//!
//! One of all processes leads, by a session advisory lock; the others stand by and try again. Identity columns become
//! visible out of order, so an event has no public place until the relay saw it committed.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Days, Utc};
use redis::AsyncCommands;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Bus;
use crate::{
    audit,
    auth::seal::FEED_DAYS,
    clock::Clock,
    db::{audit::Link, outbox::RelaySession},
    error::{Error, Result},
};

/// How often the leader looks without being woken.
const LOOK_ANYWAY: Duration = Duration::from_millis(200);
/// How often the others try to lead.
const STAND_BY: Duration = Duration::from_millis(300);
/// A step that takes longer has failed.
const STUCK_AFTER: Duration = Duration::from_secs(12);
/// How often the audit is sealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);
/// How often old events are pruned.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// How long what a retried mutation did is remembered, in days.
const KEY_DAYS: u64 = 7;

/// Deletes what is past its time, in small steps.
async fn prune(url: &str, now: DateTime<Utc>) -> Result<()> {
    let mut session = RelaySession::connect(url).await?;
    let (events, keys) = (now - Days::new(FEED_DAYS), now - Days::new(KEY_DAYS));
    while session.prune(events, keys).await? > 0 {}
    Ok(())
}

/// See the module.
pub struct Relay {
    url: String,
    clock: Clock,
    bus: Arc<Bus>,
    /// Where the audit's links are written down outside the database.
    anchor: Option<PathBuf>,
    /// The last place given: the publisher rings for it.
    given: watch::Sender<i64>,
    /// The last step of the session that succeeded.
    stepped: Mutex<Option<Instant>>,
}

impl Relay {
    /// A relay that logs in at `url` and rings this process's own bus directly. While it leads it seals the audit, and
    /// anchors every link in the file, if there is one.
    pub fn new(url: String, clock: Clock, bus: Arc<Bus>, anchor: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self { url, clock, bus, anchor, given: watch::Sender::new(0), stepped: Mutex::new(None) })
    }

    /// Whether the relay's session works, leading or standing by.
    pub fn is_alive(&self) -> bool {
        let stepped = *self.stepped.lock().unwrap_or_else(PoisonError::into_inner);
        stepped.is_some_and(|at| at.elapsed() < STUCK_AFTER)
    }

    /// One step of the session. A step that takes too long has failed: the connection may be half open, and while it
    /// is kept nobody else can lead.
    async fn step<T>(&self, step: impl Future<Output = Result<T>>) -> Result<T> {
        let done = tokio::time::timeout(STUCK_AFTER, step).await.unwrap_or(Err(Error::Timeout))?;
        *self.stepped.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(done)
    }

    /// Leads or stands by until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.session() => ended,
            };
            *self.stepped.lock().unwrap_or_else(PoisonError::into_inner) = None;
            if let Err(error) = ended {
                if !failing {
                    tracing::error!(error = ?error, "the relay lost its session");
                }
                failing = true;
            } else {
                failing = false;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(STAND_BY) => {}
            }
        }
    }

    async fn session(&self) -> Result<()> {
        let mut session = self.step(RelaySession::connect(&self.url)).await?;
        while !self.step(session.lead()).await? {
            tokio::time::sleep(STAND_BY).await;
        }
        tracing::info!("the relay leads");
        let mut pruned: Option<Instant> = None;
        let mut sealed = Instant::now();
        let mut sealing_fails = false;
        // Whoever led before may have sealed it and come no further.
        if let Some(link) = self.step(session.newest_link()).await? {
            self.write_anchor(&link).await;
        }
        loop {
            while self.step(session.waiting()).await? {
                let (last, given) = self.step(session.number()).await?;
                if given > 0 {
                    self.bus.ring();
                    self.given.send_replace(last);
                }
            }
            if pruned.is_none_or(|at| at.elapsed() > PRUNE_EVERY) {
                pruned = Some(Instant::now());
                // On a session of its own: events must not wait for it, and when it fails it comes again.
                let (url, now) = (self.url.clone(), (self.clock)());
                tokio::spawn(async move {
                    if let Err(error) = prune(&url, now).await {
                        tracing::error!(error = ?error, "old events could not be pruned; the next try is in an hour");
                    }
                });
            }
            if sealed.elapsed() >= SEAL_EVERY {
                sealed = Instant::now();
                // One link at a time: events do not wait for more than that, and not for whatever keeps it from being made.
                let at = (self.clock)();
                match self.step(async { Ok(session.seal(at).await) }).await? {
                    Ok(link) => {
                        sealing_fails = false;
                        if let Some(link) = link {
                            self.write_anchor(&link).await;
                        }
                    }
                    Err(error) => {
                        if !sealing_fails {
                            tracing::error!(error = ?error, "the audit could not be sealed; the next try is in a second");
                        }
                        sealing_fails = true;
                    }
                }
            }
            self.step(session.wait(LOOK_ANYWAY)).await?;
        }
    }

    async fn write_anchor(&self, link: &Link) {
        if let Some(path) = &self.anchor
            && let Err(error) = audit::anchor(path, link).await
        {
            tracing::error!(link = link.seq, error = ?error, "a link of the audit could not be anchored");
        }
    }

    /// Rings through Redis whenever places were given. Several that come while Redis is slow ring once: a message
    /// says only that there is something new.
    pub async fn publish(self: Arc<Self>, redis_url: String, channel: String, stop: CancellationToken) {
        let mut given = self.given.subscribe();
        let mut connection: Option<redis::aio::ConnectionManager> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = given.changed() => if changed.is_err() { return },
            }
            let last = *given.borrow_and_update();
            if connection.is_none() {
                connection = match redis::Client::open(redis_url.as_str()) {
                    Ok(client) => client.get_connection_manager().await.ok(),
                    Err(_) => None,
                };
            }
            if let Some(redis) = &mut connection {
                let published: redis::RedisResult<i64> = redis.publish(&channel, last).await;
                if published.is_err() {
                    // The other processes look by themselves meanwhile.
                    connection = None;
                }
            }
        }
    }
}
