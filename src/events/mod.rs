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

pub use bus::Bus;

use std::sync::Arc;

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
    /// Who receives it: (unit, worker), sorted. Members at the event's time and at delivery.
    recipients: Vec<(Uuid, Uuid)>,
    /// The units whose streams carry it.
    units: Vec<Uuid>,
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
        let data = serde_json::from_value(delivery.event.data.clone()).map_err(Error::internal)?;
        let unknown = || Error::internal("a code that this program does not know");
        let kind = EventType::parse(&delivery.event.type_).ok_or_else(unknown)?;
        let actor_role = Role::parse(&delivery.event.actor_role).ok_or_else(unknown)?;
        let severity = Severity::parse(&delivery.event.severity).ok_or_else(unknown)?;
        Ok(Self {
            kind,
            actor_role,
            severity,
            row: delivery.event,
            data,
            seq,
            recipients: delivery.recipients,
            units: delivery.units,
        })
    }

    /// Whether this worker receives it in this unit's stream.
    pub fn is_for(&self, unit: Uuid, worker: Uuid) -> bool {
        self.recipients.binary_search(&(unit, worker)).is_ok()
    }
}
