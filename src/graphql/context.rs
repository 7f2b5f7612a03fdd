//! What resolvers find in their context.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, ContextBase, Response};
use uuid::Uuid;

use super::{
    audited::{Caller, Made, Told},
    budget::Budget,
};
use crate::{
    audit::Audit,
    auth::{Viewer, seal::Sealer},
    clock::Clock,
    db::{Db, Seen, Snapshot, outbox::EventLog},
    domain::ids::WorkerId,
    error::{Error, Result},
    events::Bus,
    services::{Outcome, Services},
};

/// What all operations share.
pub struct Shared {
    /// The application role's database.
    pub db: Db,
    /// Use cases.
    pub services: Services,
    /// Seals cursors.
    pub sealer: Sealer,
    /// Local streams of events.
    pub bus: Arc<Bus>,
    /// Past events.
    pub log: EventLog,
    /// The time.
    pub clock: Clock,
    /// Takes what was shown before it leaves.
    pub audit: Audit,
    /// What each person may be shown.
    pub budget: Budget,
}

impl Shared {
    /// Writes down what an operation came to, and counts what it showed. Nothing of it may leave before.
    pub async fn write_down(&self, told: Told<'_>, response: &Response) -> Result<()> {
        let worker = WorkerId(told.worker_id);
        let entries = told.entries(response);
        self.budget.spend(worker, entries.iter().map(|entry| entry.subjects.len()).sum());
        self.audit.write(entries).await
    }
}

/// One operation: who asks, and the instants that it reads.
pub struct Operation {
    shared: Arc<Shared>,
    viewer: Viewer,
    current: Arc<Snapshot>,
    /// Snapshots that were opened on the way: after a mutation's commit, for a pushed item.
    further: Mutex<Vec<Arc<Snapshot>>>,
    /// What a pushed item says, when that is written already: see `envelope`.
    said: Mutex<Option<String>>,
    /// What snapshots showed that are given back already.
    shown: Mutex<Option<Seen>>,
    /// What the changes came to.
    made: Mutex<Made>,
}

impl Operation {
    /// An operation of this viewer. Opens nothing yet.
    pub fn new(shared: Arc<Shared>, viewer: Viewer) -> Arc<Self> {
        let current = shared.db.snapshot(viewer);
        Arc::new(Self {
            shared,
            viewer,
            current,
            further: Mutex::default(),
            said: Mutex::default(),
            shown: Mutex::default(),
            made: Mutex::default(),
        })
    }

    /// What all operations share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Who asks.
    pub fn viewer(&self) -> Viewer {
        self.viewer
    }

    /// A new instant of this operation's viewer, as of now.
    pub fn fresh(&self) -> Arc<Snapshot> {
        let viewer = Viewer::new(self.viewer.worker_id, (self.shared.clock)());
        let snapshot = self.shared.db.snapshot(viewer);
        self.further.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&snapshot));
        snapshot
    }

    /// The viewer's cursor for a place in the feeds.
    pub fn feed_cursor(&self, position: i64) -> Result<String> {
        self.shared.sealer.feed_cursor(self.viewer.worker_id, position, (self.shared.clock)())
    }

    /// Says this in place of the response that is being executed.
    pub fn say(&self, response: String) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
    }

    /// What is to be said in place of the response that was executed.
    pub fn said(&self) -> Option<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The first failure of any of the operation's snapshots.
    pub fn failure(&self) -> Option<Error> {
        let further = self.further.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(&self.current).chain(further.iter()).find_map(|one| one.failure().cloned())
    }

    /// What was shown since the last call.
    pub fn take_seen(&self) -> Seen {
        let mut seen = self.current.take_seen();
        for one in self.further.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            seen.also(one.take_seen());
        }
        if let Some(earlier) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).take() {
            seen.also(earlier);
        }
        seen
    }

    /// Remembers a change that was made.
    pub fn made(&self, outcome: &Outcome) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.changes += 1;
        made.ids.extend(outcome.ids());
        made.subjects.extend_from_slice(&outcome.subjects);
    }

    /// Remembers why one was not.
    pub fn refused(&self, why: &'static str) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).refusals.push(why);
    }

    /// What the changes came to since the last call.
    pub fn take_made(&self) -> Made {
        std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down what a stream showed beside its events, and what was asked for with it.
    pub async fn audit(
        &self,
        seen: Seen,
        asked: Vec<Uuid>,
        about: &(Vec<String>, String),
        caller: Caller,
        response: &Response,
    ) -> Result<()> {
        let told = Told {
            worker_id: self.viewer.worker_id.0,
            at: (self.shared.clock)(),
            caller,
            process: self.shared.audit.process,
            fields: about.0.clone(),
            hash: &about.1,
            made: None,
            asked,
            seen,
        };
        self.shared.write_down(told, response).await
    }

    /// Gives the connections of pushed items back.
    pub async fn finish_further(&self) {
        let further = std::mem::take(&mut *self.further.lock().unwrap_or_else(PoisonError::into_inner));
        for snapshot in further {
            let seen = snapshot.take_seen();
            self.shown.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().also(seen);
            // Boxed: every open stream would carry it along.
            Box::pin(snapshot.finish()).await;
        }
    }

    /// Gives all connections back. Called when the response is complete.
    pub async fn finish(self: Arc<Self>) {
        self.finish_further().await;
        if let Some(this) = Arc::into_inner(self) {
            this.current.finish().await;
        }
    }
}

/// What resolvers ask their context for.
pub trait HearthContext {
    /// What all operations share.
    fn shared(&self) -> Result<&Shared>;
    /// Who asks.
    fn viewer(&self) -> Result<Viewer>;
    /// The operation's instant.
    fn snapshot(&self) -> Result<Arc<Snapshot>>;
    /// A new instant, for what was changed or pushed meanwhile.
    fn fresh(&self) -> Result<Arc<Snapshot>>;
    /// Use cases. Gives back what earlier mutations of the same request read their payloads in, which are complete
    /// by now: one request never needs a second connection.
    fn services(&self) -> impl Future<Output = Result<&Services>> + Send;
}

/// The operation that a resolver works for.
pub fn operation<'a, T>(ctx: &ContextBase<'a, T>) -> Result<&'a Arc<Operation>> {
    ctx.data::<Arc<Operation>>().map_err(|_| Error::internal("no operation in the context"))
}

impl HearthContext for Context<'_> {
    fn shared(&self) -> Result<&Shared> {
        Ok(&operation(self)?.shared)
    }
    fn viewer(&self) -> Result<Viewer> {
        Ok(operation(self)?.viewer)
    }
    fn snapshot(&self) -> Result<Arc<Snapshot>> {
        Ok(Arc::clone(&operation(self)?.current))
    }
    fn fresh(&self) -> Result<Arc<Snapshot>> {
        Ok(operation(self)?.fresh())
    }
    async fn services(&self) -> Result<&Services> {
        let operation = operation(self)?;
        operation.finish_further().await;
        Ok(&operation.shared.services)
    }
}
