//! Dates, moments and typed global ids.

use async_graphql::{ID, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{Datelike, NaiveDate, SubsecRound, Timelike, Utc};
use uuid::Uuid;

use crate::error::{Error, Result};

/// A calendar day in London, as `2026-11-21`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A calendar day in London, as `2026-11-21`.
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            // Exactly this form: chrono alone would take others too.
            Value::String(text) if is_plain_date(text) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .map(Self)
                .map_err(|_| InputValueError::custom("is no date: write it as 2026-11-21")),
            _ => Err(InputValueError::custom("is no date: write it as 2026-11-21")),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A moment with its offset, as `2026-11-21T09:30:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// A moment with its offset, as `2026-11-21T09:30:00Z`; answers are in UTC.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let fault = "is no moment: write it as 2026-11-21T09:30:00Z";
        let Value::String(text) = &value else { return Err(InputValueError::custom(fault)) };
        let at = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| InputValueError::custom(fault))?;
        let at = at.with_timezone(&Utc).trunc_subsecs(6);
        if at.nanosecond() >= 1_000_000_000 {
            return Err(InputValueError::custom("is a leap second: write the next second"));
        }
        // Beyond, nobody knows London's clocks.
        if !(1900..2100).contains(&at.year()) {
            return Err(InputValueError::custom("lies outside the years 1900 to 2099"));
        }
        Ok(Self(at))
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

/// Ten characters, digits and hyphens only: chrono alone takes spaces and signs.
fn is_plain_date(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Why a text is no value of this scalar of ours; none for other scalars.
pub fn fault(scalar: &str, text: &str) -> Option<String> {
    let value = Value::String(text.to_owned());
    let message = match scalar {
        "Date" => Date::parse(value).err()?.into_server_error(Default::default()).message,
        "DateTime" => DateTime::parse(value).err()?.into_server_error(Default::default()).message,
        _ => return None,
    };
    // The framework names the type once more in front.
    Some(message.split_once("\": ").map_or(message.clone(), |(_, fault)| fault.to_owned()))
}

/// The typed global id of a record: `Case:0190...`.
pub fn global(kind: &str, id: Uuid) -> ID {
    ID(format!("{kind}:{id}"))
}

/// The kind and uuid of a typed global id.
pub fn split(id: &str) -> Option<(&str, Uuid)> {
    let (kind, uuid) = id.split_once(':')?;
    // Only the form that we make: one record has one id.
    let parsed = Uuid::try_parse(uuid).ok()?;
    (parsed.hyphenated().to_string() == uuid).then_some((kind, parsed))
}

/// The uuid of a global id of this kind.
pub fn local(field: &'static str, kind: &str, id: &ID) -> Result<Uuid> {
    match split(id) {
        Some((found, uuid)) if found == kind => Ok(uuid),
        _ => Err(Error::bad_input(field, format!("is no {kind} id: use the id field of a {kind}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling_and_one_kind() {
        let uuid = Uuid::now_v7();
        let id = global("Case", uuid);
        assert_eq!(local("id", "Case", &id).unwrap(), uuid);
        assert!(local("id", "Child", &id).is_err());
        for bad in ["", "Case", "Case:", "Case:x", &format!("Case:{}", uuid.simple()), &uuid.to_string().to_uppercase()]
        {
            assert!(local("id", "Case", &ID::from(bad)).is_err(), "{bad}");
        }
    }
}
