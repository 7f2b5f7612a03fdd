//! From the outbox to local streams.
//!
//! ```text
//! commit -> NOTIFY -> relay: seq, then PUBLISH -> bus: reads new events once, with their recipients -> local streams
//! ```
//! Redis is the bell, Postgres is the truth: a message says only that there is something new. What is lost, doubled
//! or out of order does no harm, and while Redis is away the bus looks by itself.

mod bus;
pub mod feed;
pub mod relay;

pub use bus::{AccessEnd, Bus};

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::{
    db::outbox::{Delivery, EventRow},
    domain::{
        Code,
        codes::{EventType, Role, Severity},
        event::EventData,
    },
    error::{Error, Result},
};

/// An event as streams share it: read and parsed once per process.
#[derive(Debug)]
pub struct Event {
    /// Its columns.
    pub row: EventRow,
    /// What happened.
    pub kind: EventType,
    /// The role in which its actor acted.
    pub actor_role: Role,
    /// How much attention it asks for.
    pub severity: Severity,
    /// Its safe fields.
    pub data: EventData,
    /// Its place in the one order.
    pub seq: i64,
    /// Who receives it: (topic, worker), sorted.
    recipients: Vec<(Uuid, Uuid)>,
    /// The units, workers and children whose streams carry it, sorted.
    topics: Vec<Uuid>,
    /// What those say about it who ask for the same.
    pub texts: Texts,
}

/// Most texts that are kept of one event.
const TEXTS: usize = 16;

/// Texts about an event by what was asked for: written once per process, not once for everyone who gets it. Each comes
/// in pieces, between which something goes that is the reader's own.
#[derive(Debug, Default)]
pub struct Texts(Mutex<Vec<(Arc<str>, Pieces)>>);

/// The pieces of a text.
pub type Pieces = Arc<[String]>;

impl Texts {
    /// The text for those who ask for this.
    pub fn get(&self, shape: &Arc<str>) -> Option<Pieces> {
        let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        texts.iter().find(|(one, _)| one == shape).map(|(_, pieces)| Arc::clone(pieces))
    }

    /// Keeps the text for those who ask for this; nothing when enough are kept.
    pub fn keep(&self, shape: &Arc<str>, pieces: &Pieces) {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() < TEXTS && texts.iter().all(|(one, _)| one != shape) {
            texts.push((Arc::clone(shape), Arc::clone(pieces)));
        }
    }
}

impl Event {
    /// Reads an event. One that cannot be read must not keep back those behind it: it is logged and left out.
    fn read(delivery: Delivery) -> Option<Arc<Self>> {
        let id = delivery.event.event_id;
        match Self::new(delivery) {
            Ok(event) => Some(Arc::new(event)),
            Err(error) => {
                tracing::error!(event_id = %id, error = ?error, "an event cannot be read and is not delivered");
                None
            }
        }
    }

    fn new(delivery: Delivery) -> Result<Self> {
        let seq = delivery.event.seq.ok_or_else(|| Error::internal("an event without a place was delivered"))?;
        // The error would quote what it could not read.
        let unreadable = |_| Error::internal("its fields are not those of its type");
        let data = serde_json::from_value(delivery.event.data.clone()).map_err(unreadable)?;
        let unknown = || Error::internal("a code that this program does not know");
        let kind = EventType::parse(&delivery.event.type_).ok_or_else(unknown)?;
        let actor_role = Role::parse(&delivery.event.actor_role).ok_or_else(unknown)?;
        let severity = Severity::parse(&delivery.event.severity).ok_or_else(unknown)?;
        let mut topics: Vec<Uuid> = delivery.recipients.iter().map(|(topic, _)| *topic).collect();
        topics.dedup();
        Ok(Self {
            kind,
            actor_role,
            severity,
            row: delivery.event,
            data,
            seq,
            recipients: delivery.recipients,
            topics,
            texts: Texts::default(),
        })
    }

    /// A stored event that a viewer read for themselves: it goes to no stream.
    pub fn stored(event: EventRow) -> Option<Arc<Self>> {
        Self::read(Delivery { event, recipients: Vec::new() })
    }

    /// Whose records it tells of, for the audit.
    pub fn subjects(&self) -> impl Iterator<Item = Uuid> {
        self.data.subjects((&self.row.entity_type, self.row.entity_id))
    }

    /// Whether this worker receives it in this topic's stream.
    pub fn is_for(&self, topic: Uuid, worker: Uuid) -> bool {
        self.recipients.binary_search(&(topic, worker)).is_ok()
    }
}
