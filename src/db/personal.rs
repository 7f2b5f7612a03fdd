//! What a record says about people.

use std::{fmt, ops::Deref};

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    pg::{Pg, PgValue},
};

/// A name, an address, a number of a person, or what somebody wrote about people, as read from its column. It never shows
/// itself: whoever wants it says so. No `Display`, no `Serialize`, and a row that holds it can be printed.
#[derive(Clone, Default, FromSqlRow)]
pub struct Personal<T>(T);

impl<T: Deref> Personal<T> {
    /// The text, for an answer or a change and for nothing else.
    pub fn read(&self) -> &T::Target {
        &self.0
    }
}

impl<T: Copy> Personal<T> {
    /// The day, likewise.
    pub fn day(&self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(personal)")
    }
}

impl<T: FromSql<Sql, Pg>, Sql> FromSql<Sql, Pg> for Personal<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        T::from_sql(value).map(Self)
    }
}

#[cfg(test)]
impl<T> Personal<T> {
    /// One that no database said.
    pub fn of(value: T) -> Self {
        Self(value)
    }
}
