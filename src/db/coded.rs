//! Codes as columns: text with a CHECK in the database, a Rust enum here.

use std::io::Write;

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Text,
};

use crate::domain::Code;

/// A code as read from its column. An unknown code is an error: the database was migrated past this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromSqlRow, AsExpression)]
#[diesel(sql_type = Text)]
pub struct Coded<T>(pub T);

impl<T: Code> FromSql<Text, Pg> for Coded<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let text = std::str::from_utf8(value.as_bytes())?;
        T::parse(text).map(Self).ok_or_else(|| format!("unknown {} code", T::NAME).into())
    }
}

impl<T: Code + std::fmt::Debug> ToSql<Text, Pg> for Coded<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.code().as_bytes())?;
        Ok(IsNull::No)
    }
}
