//! How many sockets and streams each person has open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::domain::ids::WorkerId;

/// See the module.
#[derive(Clone)]
pub struct Seats {
    most: usize,
    taken: Arc<Mutex<HashMap<WorkerId, usize>>>,
}

/// One of a person's seats, free again when this is dropped.
pub(super) struct Seat {
    seats: Seats,
    worker: WorkerId,
}

impl Seats {
    /// At most `most` for each person.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A seat, unless this person has all of theirs.
    pub(super) fn take(&self, worker: WorkerId) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(worker).or_default();
        (*count < self.most).then(|| {
            *count += 1;
            Seat { seats: self.clone(), worker }
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.worker) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.worker);
            }
        }
    }
}
