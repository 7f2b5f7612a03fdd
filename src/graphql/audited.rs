//! What an operation showed, changed or was refused, for the audit.

use std::{collections::HashSet, sync::Arc};

use async_graphql::{Response, Value, Variables};
use uuid::Uuid;

use crate::{
    db::{
        Coded, Seen, Snapshot,
        access::{DenialRow, GlassRow, RestrictionRow},
        allocations::AllocationRow,
        assessments::AssessmentRow,
        audit::{EntryRow, NewEntry},
        cases::CaseRow,
        children::{AddressRow, PersonRow},
        chronology::EntryRow as ChronologyRow,
        conferences::{ConferenceChildRow, ConferenceRow, MoveRow},
        contacts::{ConsultationRow, ContactPersonRow, ContactRow, KnownChildRow},
        enquiries::{DiscussionRow, EnquiryRow, ParticipantRow},
        families::{FamilyGroupRow, FamilyMemberRow, RelationshipRow, SiblingRow},
        information::{AgencyParticipantRow, ChaseRow, RequestRow},
        invitations::{InvitationRow, MeetingRow},
        involvements::InvolvementRow,
        needs::NeedRow,
        plans::{ActionShown, GoalRow, PlanRow},
        progress::{AdoptionStepRow, EscalationRow, EvidenceRow, PlanViewRow, ReviewRow, ShareRow},
        reads::SeenRow,
        referrals::ReferralRow,
        sittings::{AttendanceRow, SittingRow, StepRow, ViewRow},
        support::SupportRow,
        transfers::TransferRow,
        units::{AreaRow, MembershipRow, UnitRow},
        workers::WorkerRow,
    },
    domain::{
        Code,
        codes::{AuditAction, FieldClass, NeedKind, Purpose, Role},
        ids::{AreaId, MembershipId, UnitId, WorkerId},
    },
    error::code,
    events::Event,
};

/// Records of one entry at most: what shows more has several.
const RECORDS: usize = 2_000;

/// Who asks, beside the viewer: what the audit tells of a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The request's id, as in the log and in the answer's header.
    pub request_id: Uuid,
    /// What for.
    pub purpose: Purpose,
}

/// A row that answers show, and what the audit is told of it. Every type of row says so, or it cannot be shown.
pub trait Audited {
    /// Notes whose record it is part of.
    fn note(&self, seen: &mut Seen);
}

/// Remembers that these rows are shown.
pub fn note<R: Audited>(snapshot: &Snapshot, rows: &[R]) {
    if !rows.is_empty() {
        snapshot.saw(|seen| rows.iter().for_each(|row| row.note(seen)));
    }
}

/// What each type of row is about: (own id; subjects; records; the classes of fields that were read).
macro_rules! about {
    ($($row:ty: |$one:ident| $own:expr; $subjects:expr; $records:expr; $class:expr;)*) => {$(
        impl Audited for $row {
            fn note(&self, seen: &mut Seen) {
                let $one = self;
                seen.own.push($own);
                seen.subjects.extend($subjects);
                seen.records.extend($records);
                $class.into_iter().for_each(|class: FieldClass| seen.class(class));
            }
        }
    )*};
}
const NONE: Option<Uuid> = None;
/// Of what others told, and of what was written about it.
fn told_and_written(told: bool, written: bool) -> impl Iterator<Item = FieldClass> {
    let told = told.then_some(FieldClass::ThirdParty);
    told.into_iter().chain(written.then_some(FieldClass::Narrative))
}
about! {
    PersonRow: |one| one.core.id; [one.core.id]; NONE; one.nhs_no().is_ok().then_some(FieldClass::Clinical);
    CaseRow: |one| one.core.id; [one.core.child_id]; [one.core.id]; one.referral_summary().is_ok().then_some(FieldClass::Narrative);
    PlanRow: |one| one.core.id; [one.core.child_id]; [one.core.id]; (one.overall_aim().is_ok() || one.sections().is_ok()).then_some(FieldClass::Narrative);
    TransferRow: |one| one.core.id; [one.core.child_id]; [one.core.case_id]; one.handover_summary().is_ok().then_some(FieldClass::Narrative);
    AllocationRow: |one| one.core.id; [one.core.child_id]; [one.core.case_id]; one.summary().is_ok().then_some(FieldClass::Narrative);
    InvitationRow: |one| one.core.id; one.core.person_id.into_iter().chain([one.core.conference_id]); NONE; one.exclusion_reason().is_ok().then_some(FieldClass::ThirdParty);
    ConferenceRow: |one| one.id; [one.id]; NONE; None;
    ConferenceChildRow: |one| one.core.child_id; [one.core.child_id]; NONE; one.outline_plan().is_ok().then_some(FieldClass::Narrative);
    FamilyGroupRow: |one| one.id; [one.id]; NONE; None;
    FamilyMemberRow: |one| one.family_id; [one.person_id, one.family_id]; NONE; None;
    RelationshipRow: |one| one.person_id; [one.person_id, one.other_id]; NONE; None;
    SiblingRow: |one| one.child_id; [one.child_id]; NONE; None;
    InvolvementRow: |one| one.id; [one.child_id]; [one.case_id]; None;
    GoalRow: |one| one.id; [one.child_id]; [one.plan_id]; Some(FieldClass::Narrative);
    ActionShown: |one| one.id; [one.child_id]; [one.plan_id]; Some(FieldClass::Narrative);
    RestrictionRow: |one| one.id; [one.person_id]; NONE; None;
    DenialRow: |one| one.id; [one.person_id]; NONE; None;
    GlassRow: |one| one.id; [one.child_id]; NONE; Some(FieldClass::Narrative);
    ContactPersonRow: |one| one.core.id; one.core.child_id.into_iter().chain([one.core.contact_id]); NONE; one.address().is_ok().then_some(FieldClass::ConfidentialAddress);
    ConsultationRow: |one| one.id; [one.contact_id]; NONE; Some(FieldClass::Narrative);
    ReferralRow: |one| one.core.id; [one.core.child_id]; [one.core.case_id]; one.decision_reason().is_ok().then_some(FieldClass::Narrative);
    AssessmentRow: |one| one.core.id; [one.core.child_id]; [one.core.id, one.core.case_id]; one.analysis().is_ok().then_some(FieldClass::Narrative);
    EnquiryRow: |one| one.core.id; [one.core.child_id]; [one.core.id, one.core.case_id]; one.findings().is_ok().then_some(FieldClass::Narrative);
    DiscussionRow: |one| one.core.id; [one.core.child_id]; [one.core.id, one.core.case_id]; told_and_written(one.information_shared().is_ok(), one.decision_reason().is_ok());
    RequestRow: |one| one.core.id; [one.core.child_id]; [one.core.id, one.core.case_id]; told_and_written(one.response().is_ok(), one.questions().is_ok());
    SupportRow: |one| one.id; [one.child_id]; [one.id, one.case_id]; Some(FieldClass::Narrative);
    AgencyParticipantRow: |one| one.id; [one.child_id]; [one.case_id]; None;
    KnownChildRow: |one| one.child_id; [one.child_id]; NONE; None;
}

/// What stands in a record that was shown with it: only which class of fields it belongs to.
macro_rules! within {
    ($($row:ty: |$one:ident| $class:expr;)*) => {$(
        impl Audited for $row {
            fn note(&self, seen: &mut Seen) {
                let $one = self;
                $class.into_iter().for_each(|class: FieldClass| seen.class(class));
            }
        }
    )*};
}
within! {
    SittingRow: |one| one.interim_plan().is_ok().then_some(FieldClass::Narrative);
    ViewRow: |one| one.text().is_ok().then_some(FieldClass::Narrative);
    EvidenceRow: |one| one.text().is_ok().then_some(FieldClass::Narrative);
    AttendanceRow: |_one| None;
    StepRow: |one| one.reason.is_some().then_some(FieldClass::Narrative);
    MoveRow: |_one| Some(FieldClass::Narrative);
    ShareRow: |_one| None;
    ReviewRow: |_one| Some(FieldClass::Narrative);
    EscalationRow: |_one| Some(FieldClass::Narrative);
    PlanViewRow: |_one| Some(FieldClass::Narrative);
    AdoptionStepRow: |_one| None;
    ParticipantRow: |_one| None;
    ChaseRow: |one| one.note.is_some().then_some(FieldClass::ThirdParty);
}

/// The directory: nobody's record.
macro_rules! directory {
    ($($row:ty),*) => {$(
        impl Audited for $row {
            fn note(&self, seen: &mut Seen) {
                seen.own.push(self.id);
            }
        }
    )*};
}
directory!(UnitRow, WorkerRow, AreaRow, MembershipRow);

/// Counts, codes, and ids by which records are read that note themselves.
macro_rules! no_record {
    ($($row:ty),*) => {$(
        impl Audited for $row {
            fn note(&self, _: &mut Seen) {}
        }
    )*};
}
no_record!(i64, Option<i64>, Uuid, Coded<FieldClass>, Coded<Role>, SeenRow, MeetingRow);

impl Audited for ContactRow {
    fn note(&self, seen: &mut Seen) {
        seen.own.push(self.core.id);
        seen.subjects.push(self.core.id);
        let classes = [
            self.concern().is_ok().then_some(FieldClass::Narrative),
            self.caller_name().is_ok().then_some(FieldClass::ThirdParty),
        ];
        classes.into_iter().flatten().for_each(|class| seen.class(class));
    }
}

impl Audited for NeedRow {
    // Whose need it is was shown with the person, or with the child.
    fn note(&self, seen: &mut Seen) {
        seen.subjects.push(self.subject_id);
        if self.kind.0 == NeedKind::Disability && self.description.is_some() {
            seen.class(FieldClass::Clinical);
        }
    }
}

impl Audited for AddressRow {
    // Whose address it is was shown with the person.
    fn note(&self, seen: &mut Seen) {
        if self.confidential && self.line.is_some() {
            seen.class(FieldClass::ConfidentialAddress);
        }
    }
}

impl Audited for Arc<Event> {
    fn note(&self, seen: &mut Seen) {
        seen.subjects.extend(self.subjects());
        seen.records.extend(self.row.case_id);
    }
}

impl Audited for ChronologyRow {
    fn note(&self, seen: &mut Seen) {
        seen.subjects.push(self.person_id);
        seen.records.extend(self.case_id);
    }
}

impl Audited for EntryRow {
    fn note(&self, seen: &mut Seen) {
        seen.audit = true;
    }
}

/// Kinds of what is nobody's record: the directory.
const DIRECTORY: [&str; 4] = [UnitId::KIND, WorkerId::KIND, AreaId::KIND, MembershipId::KIND];

/// Ids of records in a client's text or values: whatever looks like a global id of one.
fn ids_in(text: &str, found: &mut Vec<Uuid>) {
    for (at, _) in text.match_indices(':') {
        let kind = text.get(..at).unwrap_or_default();
        if DIRECTORY.iter().any(|open| kind.ends_with(open)) {
            continue;
        }
        if let Some(id) = text.get(at + 1..at + 37).and_then(|id| Uuid::try_parse(id).ok()) {
            found.push(id);
        }
    }
}

/// The records that a document names in its text, as it was parsed: no escape hides one.
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

/// What the changes of an operation came to.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Changes that were made.
    pub changes: usize,
    /// The ids of what they made or changed.
    pub ids: Vec<Uuid>,
    /// Whose records that is.
    pub subjects: Vec<Uuid>,
    /// Why others were not.
    pub refusals: Vec<&'static str>,
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
    /// Of a mutation, what it came to.
    pub made: Option<Made>,
    /// The records that it names.
    pub asked: Vec<Uuid>,
    /// What was shown.
    pub seen: Seen,
}

impl Told<'_> {
    /// The entries: one, and further ones where there are more records than one holds. None where nobody's record was asked
    /// for, shown or changed.
    pub fn entries(self, response: &Response) -> Vec<NewEntry> {
        let mut codes: Vec<&'static str> = response.errors.iter().filter_map(code_of).collect();
        let Seen { subjects, records, own, mut classes, audit } = self.seen;
        let (mut subjects, mut records) = (subjects, records);
        let changes = self.made.map(|made| {
            codes.extend(made.refusals);
            subjects.extend(made.subjects);
            records.extend(made.ids);
            made.changes
        });
        let mut asked = self.asked;
        for ids in [&mut subjects, &mut records, &mut asked] {
            ids.sort_unstable();
            ids.dedup();
        }
        let own: HashSet<Uuid> = own.into_iter().collect();
        asked.retain(|one| {
            !own.contains(one) && subjects.binary_search(one).is_err() && records.binary_search(one).is_err()
        });
        codes.sort_unstable();
        codes.dedup();
        classes.sort_unstable();
        let shown = !subjects.is_empty() || !records.is_empty() || audit;
        let action = match changes {
            None if !shown && asked.is_empty() => return Vec::new(),
            None if shown => AuditAction::Read,
            Some(1..) => AuditAction::Changed,
            _ => AuditAction::Refused,
        };
        let parts =
            [&subjects, &records, &asked].iter().map(|ids| ids.len().div_ceil(RECORDS)).max().unwrap_or(0).max(1);
        let part = |ids: &[Uuid], nth: usize| ids.chunks(RECORDS).nth(nth).unwrap_or_default().to_vec();
        (0..parts)
            .map(|nth| NewEntry {
                at: self.at,
                worker_id: Some(self.worker_id),
                action,
                purpose: self.caller.purpose,
                operation: self.fields.clone(),
                operation_hash: Some(self.hash.to_owned()),
                request_id: Some(self.caller.request_id),
                process: self.process,
                subjects: part(&subjects, nth),
                records: part(&records, nth),
                asked: part(&asked, nth),
                classes: classes.clone(),
                codes: codes.clone(),
                events: Vec::new(),
                recipients: Vec::new(),
            })
            .collect()
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
