//! Keyset pages.

use crate::error::{Error, Result};

/// The most rows that one page may have.
pub const MAX_FIRST: i64 = 100;

/// The first `first` rows after the key `after`.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<K> {
    /// How many rows, at most [`MAX_FIRST`].
    pub first: i64,
    /// The sort key of the row before the page.
    pub after: Option<K>,
}

impl<K> Page<K> {
    /// A page from a client's arguments; `first` defaults to 25.
    pub fn new(first: Option<i32>, after: Option<K>) -> Result<Self> {
        let first = i64::from(first.unwrap_or(25));
        if !(0..=MAX_FIRST).contains(&first) {
            return Err(Error::bad_input("first", format!("must lie between 0 and {MAX_FIRST}; page on with after")));
        }
        Ok(Self { first, after })
    }

    /// One row more than the page, to know whether another page follows.
    pub(in crate::db) fn limit(&self) -> i64 {
        self.first + 1
    }
}

/// A row in the list of one of many parents.
pub type Placed<R> = (i64, R);

/// Makes each row of what was read for it; its place stays.
pub(in crate::db) fn placed<A, B>(rows: Vec<Placed<A>>, make: impl Fn(A) -> B) -> Vec<Placed<B>> {
    rows.into_iter().map(|(at, row)| (at, make(row))).collect()
}
