//! Numbers that name nobody.

use diesel::sql_types::{BigInt, Text};
use uuid::Uuid;

use super::{Snapshot, lateral};
use crate::{domain::codes::CountBy, error::Result};

/// How many open cases there are of each kind, none withheld yet. FORBIDDEN for whose post is not to count.
pub async fn open_cases(snapshot: &Snapshot, by: CountBy) -> Result<Vec<(String, i64)>> {
    let sql = match by {
        CountBy::CaseStatus => "SELECT key, cases FROM hearth.open_cases('CASE_STATUS')",
        CountBy::PrimaryNeed => "SELECT key, cases FROM hearth.open_cases('PRIMARY_NEED')",
        CountBy::Service => "SELECT key, cases FROM hearth.open_cases('SERVICE')",
        CountBy::AgeBand => "SELECT key, cases FROM hearth.open_cases('AGE_BAND')",
    };
    // For the one parent that there is: the viewer.
    let counted = lateral::for_each(&[Uuid::nil()], lateral::plain::<(Text, BigInt)>(sql));
    let rows: Vec<(i64, (String, i64))> = snapshot.load(counted).await?;
    Ok(rows.into_iter().map(|(_, counted)| counted).collect())
}
