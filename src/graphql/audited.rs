//! What an operation showed, changed or was refused, for the audit.

use std::any::Any;

use async_graphql::{Response, Value, Variables};
use uuid::Uuid;

use crate::{
    db::{
        Seen, Snapshot,
        allocations::AllocationRow,
        audit::NewEntry,
        cases::CaseRow,
        children::{AddressRow, PersonRow},
        conferences::{ConferenceChildRow, ConferenceRow},
        families::{FamilyGroupRow, FamilyMemberRow, RelationshipRow, SiblingRow},
        invitations::InvitationRow,
        involvements::InvolvementRow,
        plans::{ActionShown, GoalRow, PlanRow},
        transfers::TransferRow,
    },
    domain::{
        Code,
        codes::{AuditAction, FieldClass, Purpose},
    },
    error::code,
};

/// Records of one entry at most: a page of pages shows no more.
const RECORDS: usize = 2_000;

/// Who asks, beside the viewer: what the audit tells of a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The request's id, as in the log and in the answer's header.
    pub request_id: Uuid,
    /// What for.
    pub purpose: Purpose,
}

/// Remembers that these rows are shown. Of rows that belong to a case or a plan the case or plan; counts and directories are
/// nobody's record.
// What is in a `Vec` is told by its type; a slice has none that can be asked.
#[allow(clippy::ptr_arg)]
pub fn note<R: 'static>(snapshot: &Snapshot, rows: &Vec<R>) {
    let rows: &dyn Any = rows;
    macro_rules! shown {
        ($($row:ty: |$one:ident| $ids:expr, $class:expr;)*) => {$(
            if let Some(rows) = rows.downcast_ref::<Vec<$row>>() {
                let class = rows.first().and_then(|$one: &$row| -> Option<FieldClass> {
                    let _ = $one;
                    $class
                });
                return snapshot.saw(rows.iter().flat_map(|$one| $ids), class);
            }
        )*};
    }
    shown! {
        PersonRow: |one| [one.core.id], one.nhs_no().is_ok().then_some(FieldClass::Clinical);
        CaseRow: |one| [one.core.id, one.core.child_id], one.referral_summary().is_ok().then_some(FieldClass::Narrative);
        PlanRow: |one| [one.core.id], one.overall_aim().is_ok().then_some(FieldClass::Narrative);
        TransferRow: |one| [one.core.case_id], one.handover_summary().is_ok().then_some(FieldClass::Narrative);
        AllocationRow: |one| [one.core.case_id], one.summary().is_ok().then_some(FieldClass::Narrative);
        InvitationRow: |one| [one.core.conference_id], one.exclusion_reason().is_ok().then_some(FieldClass::ThirdParty);
        ConferenceRow: |one| [one.id], None;
        ConferenceChildRow: |one| [one.core.child_id], None;
        FamilyGroupRow: |one| [one.id], None;
        FamilyMemberRow: |one| [one.person_id, one.family_id], None;
        RelationshipRow: |one| [one.person_id, one.other_id], None;
        SiblingRow: |one| [one.child_id], None;
        InvolvementRow: |one| [one.case_id], None;
        GoalRow: |one| [one.plan_id], None;
        ActionShown: |one| [one.plan_id], None;
    }
    // Whose address it is was shown with the person.
    if let Some(rows) = rows.downcast_ref::<Vec<AddressRow>>()
        && rows.iter().any(|one| one.confidential && one.line.is_some())
    {
        snapshot.saw([], Some(FieldClass::ConfidentialAddress));
    }
}

/// Ids of records in a client's text or values: whatever looks like a global id.
fn ids_in(text: &str, found: &mut Vec<Uuid>) {
    for (at, _) in text.match_indices(':') {
        if let Some(id) = text.get(at + 1..at + 37).and_then(|id| Uuid::try_parse(id).ok()) {
            found.push(id);
        }
    }
}

/// The records that a document names in its text.
pub fn named_in(text: &str) -> Vec<Uuid> {
    let mut found = Vec::new();
    ids_in(text, &mut found);
    found
}

fn ids_in_value(value: &Value, found: &mut Vec<Uuid>) {
    match value {
        Value::String(text) => ids_in(text, found),
        Value::List(values) => values.iter().for_each(|value| ids_in_value(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| ids_in_value(value, found)),
        _ => {}
    }
}

/// The records that an operation asks for by name: in its document's text, and in its variables.
pub fn asked_for(named: &[Uuid], variables: &Variables) -> Vec<Uuid> {
    let mut found = named.to_vec();
    variables.iter().for_each(|(_, value)| ids_in_value(value, &mut found));
    found
}

/// What the audit is told of an operation, in parts.
pub struct Told<'a> {
    /// Who asks.
    pub worker_id: Uuid,
    /// The moment of the operation.
    pub at: chrono::DateTime<chrono::Utc>,
    /// The request.
    pub caller: Caller,
    /// The process that answers.
    pub process: Uuid,
    /// The operation's first fields.
    pub fields: Vec<String>,
    /// SHA-256 of its text.
    pub hash: &'a str,
    /// Whether it is a mutation.
    pub changes: bool,
    /// The records that it names.
    pub asked: Vec<Uuid>,
    /// What was shown.
    pub seen: Seen,
}

impl Told<'_> {
    /// The entry; nothing where nobody's record was asked for, shown or changed.
    pub fn entry(self, response: &Response) -> Option<NewEntry> {
        let mut codes: Vec<&'static str> = response.errors.iter().filter_map(code_of).collect();
        codes.sort_unstable();
        codes.dedup();
        let Seen { mut records, mut classes } = self.seen;
        records.sort_unstable();
        records.dedup();
        records.truncate(RECORDS);
        classes.sort_unstable();
        let (mut shown, mut refused): (Vec<Uuid>, Vec<Uuid>) =
            self.asked.into_iter().partition(|one| records.binary_search(one).is_ok());
        shown.clear();
        refused.sort_unstable();
        refused.dedup();
        refused.truncate(RECORDS);
        let nothing = records.is_empty() && refused.is_empty();
        if nothing && !self.changes {
            return None;
        }
        let action = match (self.changes, codes.is_empty(), records.is_empty()) {
            (true, true, _) => AuditAction::Changed,
            (false, _, false) => AuditAction::Read,
            _ => AuditAction::Refused,
        };
        Some(NewEntry {
            at: self.at,
            worker_id: Some(self.worker_id),
            action,
            purpose: self.caller.purpose,
            operation: self.fields,
            operation_hash: Some(self.hash.to_owned()),
            request_id: Some(self.caller.request_id),
            process: self.process,
            records,
            asked: refused,
            classes,
            codes,
            events: Vec::new(),
            recipients: Vec::new(),
        })
    }
}

/// The code of an error, as one of ours.
fn code_of(error: &async_graphql::ServerError) -> Option<&'static str> {
    let found = error.extensions.as_ref()?.get("code")?;
    [code::FORBIDDEN, code::NOT_FOUND, code::BAD_USER_INPUT, code::UNAUTHENTICATED, code::TIMEOUT, code::INTERNAL]
        .into_iter()
        .find(|one| *found == Value::from(*one))
}

/// The purpose with this code; work with the child when none is said.
pub fn purpose(said: Option<&str>) -> Option<Purpose> {
    said.map_or(Some(Purpose::DirectWork), Purpose::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_wherever_a_client_may_write_them() {
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        let text = format!("{{ child(id: \"Child:{one}\") {{ id }} }}");
        let variables =
            Variables::from_json(serde_json::json!({ "input": { "ids": [format!("Case:{other}"), "a:b", "é:"] } }));
        assert_eq!(asked_for(&named_in(&text), &variables), [one, other]);
    }
}
