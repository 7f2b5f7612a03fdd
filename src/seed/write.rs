//! Writes an authority's rows.
//!
//! Every table has row-level security, and COPY FROM is refused on such a table for a role that is bound by it. So
//! the seed role fills each table with a few statements that take whole columns as arrays; the bulk role copies.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Transaction};

use super::{bulk::copy::Copy, generate::Authority};

/// Where the rows go, and how.
pub(super) enum Way<'a> {
    /// By statements.
    Insert(&'a Transaction<'a>),
    /// By COPY, as the bulk role; with these numbers, because rows are copied on several connections at once.
    Copy(&'a Transaction<'a>, Numbers),
}

/// The first number of the persons, of the cases and of the contacts. Otherwise the database counts.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) person_no: i64,
    pub(super) case_no: i64,
    pub(super) contact_no: i64,
}

impl Numbers {
    /// The column of a table that has one, and its first number.
    fn of(self, table: &str) -> Option<(&'static str, i64)> {
        match table {
            "persons" => Some(("person_no", self.person_no)),
            "cases" => Some(("case_no", self.case_no)),
            "contacts" => Some(("contact_no", self.contact_no)),
            _ => None,
        }
    }
}

/// Rows of one statement.
const BATCH: usize = 5_000;

type Column<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// The statement that fills columns of a table from one array each, in the arrays' order: identity columns follow it.
/// A `text[]` column travels as a list with commas, because an array of arrays would be flattened.
fn statement(table: &str, columns: &[(&str, &str)]) -> String {
    let list = |each: &dyn Fn(usize, &str, &str) -> String| {
        let parts: Vec<String> = columns.iter().enumerate().map(|(n, (name, kind))| each(n + 1, name, kind)).collect();
        parts.join(", ")
    };
    format!(
        "insert into {table} ({}) select {} from unnest({}) with ordinality as given ({}, nth) order by nth",
        list(&|_, name, _| name.to_owned()),
        list(&|_, name, kind| match kind {
            "text[]" => format!("string_to_array({name}, ',')"),
            _ => name.to_owned(),
        }),
        list(&|n, _, kind| format!("${n}::{}[]", kind.trim_end_matches("[]"))),
        list(&|_, name, _| name.to_owned()),
    )
}

/// `load!(way, progress, "table", rows, |row| { "column": "type" = value, ... })`.
macro_rules! load {
    ($way:expr, $progress:expr, $table:literal, $rows:expr, |$row:ident| {
        $($column:literal: $kind:literal = $value:expr),+ $(,)?
    }) => {{
        match $way {
            Way::Insert(transaction) => {
                let sql = statement($table, &[$(($column, $kind)),+]);
                let prepared = transaction.prepare(&sql).await?;
                let mut done = 0;
                for batch in $rows.chunks(BATCH) {
                    let columns: Vec<Column<'_>> =
                        vec![$(Box::new(batch.iter().map(|$row| $value).collect::<Vec<_>>())),+];
                    transaction.execute_raw(&prepared, columns).await?;
                    done += batch.len();
                    $progress($table, done, $rows.len());
                }
            }
            Way::Copy(transaction, numbers) if !$rows.is_empty() => {
                let mut copy = Copy::into(transaction, $table, &[$($column),+], numbers.of($table)).await?;
                for $row in &$rows {
                    $(copy.field($kind, &$value);)+
                    copy.end_row().await?;
                }
                copy.finish().await?;
                $progress($table, $rows.len(), $rows.len());
            }
            Way::Copy(..) => {}
        }
    }};
}

/// Writes everything, in an order that satisfies the foreign keys and lets the triggers open sight.
pub(super) async fn write(
    way: Way<'_>,
    authority: &Authority,
    progress: &mut (dyn FnMut(&str, usize, usize) + Send),
) -> Result<(), Error> {
    load!(way, progress, "workers", authority.workers, |row| {
        "id": "uuid" = row.id,
        "staff_no": "text" = &row.staff_no,
        "name": "text" = &row.name,
        "email": "text" = &row.email,
        "sw_england_no": "text" = &row.sw_england_no,
        "qualified": "bool" = row.qualified,
        "active": "bool" = row.active,
        "fte": "float8" = row.fte,
        "agency_worker": "bool" = row.agency_worker,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "worker_posts", authority.posts, |row| {
        "id": "uuid" = row.id,
        "worker_id": "uuid" = row.worker,
        "post": "text" = row.post,
        "started_at": "timestamptz" = row.started_at,
    });
    load!(way, progress, "areas", authority.areas, |row| {
        "id": "uuid" = row.id,
        "name": "text" = &row.name,
        "service_manager_id": "uuid" = row.manager,
    });
    load!(way, progress, "units", authority.units, |row| {
        "id": "uuid" = row.id,
        "name": "text" = &row.name,
        "service": "text" = row.service,
        "area_id": "uuid" = row.area,
        "contact_point": "text" = &row.contact_point,
        "active_from": "date" = row.active_from,
    });
    load!(way, progress, "unit_memberships", authority.memberships, |row| {
        "id": "uuid" = row.id,
        "unit_id": "uuid" = row.unit,
        "worker_id": "uuid" = row.worker,
        "role": "text" = row.role,
        "started_at": "timestamptz" = row.started_at,
        "ended_at": "timestamptz" = row.ended_at,
        "fte": "float8" = row.fte,
    });
    load!(way, progress, "persons", authority.persons, |row| {
        "id": "uuid" = row.id,
        "first_name": "text" = &row.first_name,
        "last_name": "text" = &row.last_name,
        "preferred_name": "text" = &row.preferred_name,
        "date_of_birth": "date" = row.born,
        "expected_date_of_birth": "date" = row.expected,
        "sex": "text" = row.sex,
        "ethnicity": "text" = row.ethnicity,
        "religion": "text" = row.religion,
        "first_language": "text" = row.first_language,
        "interpreter_needed": "bool" = row.interpreter_needed,
        "communication_needs": "text" = row.communication_needs,
        "nhs_no": "text" = &row.nhs_no,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "children", authority.children, |row| {
        "id": "uuid" = row.id,
        "upn": "text" = &row.upn,
        "disabilities": "text[]" = row.disabilities.join(","),
    });
    load!(way, progress, "addresses", authority.addresses, |row| {
        "id": "uuid" = row.id,
        "person_id": "uuid" = row.person,
        "kind": "text" = row.kind,
        "line": "text" = &row.line,
        "postcode": "text" = &row.postcode,
        "from_on": "date" = row.from,
        "to_on": "date" = row.to,
        "confidential": "bool" = row.confidential,
    });
    load!(way, progress, "family_groups", authority.families, |row| {
        "id": "uuid" = row.id,
        "name": "text" = &row.name,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "family_members", authority.family_members, |row| {
        "id": "uuid" = row.id,
        "family_id": "uuid" = row.family,
        "person_id": "uuid" = row.person,
        "from_on": "date" = row.from,
    });
    load!(way, progress, "relationships", authority.relationships, |row| {
        "id": "uuid" = row.id,
        "person_id": "uuid" = row.person,
        "other_id": "uuid" = row.other,
        "type": "text" = row.kind,
        "parental_responsibility": "text" = row.parental_responsibility,
        "main_carer": "bool" = row.main_carer,
        "from_on": "date" = row.from,
    });
    load!(way, progress, "cases", authority.cases, |row| {
        "id": "uuid" = row.id,
        "child_id": "uuid" = row.child,
        "opened_on": "date" = row.opened_on,
        "status": "text" = row.status,
        "primary_need": "text" = row.primary_need,
        "referral_nfa": "bool" = row.referral_nfa,
        "referral_summary": "text" = &row.referral_summary,
        "closed_on": "date" = row.closed_on,
        "closure_reason": "text" = row.closure_reason,
        "closure_rationale": "text" = &row.closure_rationale,
        "safe_at_home": "text" = &row.safe_at_home,
        "version": "int4" = row.version,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "case_transfers", authority.transfers, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "from_unit_id": "uuid" = row.from_unit,
        "to_unit_id": "uuid" = row.to_unit,
        "kind": "text" = row.kind,
        "state": "text" = row.state,
        "requested_by": "uuid" = row.requested_by,
        "requested_at": "timestamptz" = row.requested_at,
        "responded_by": "uuid" = row.responded_by,
        "responded_at": "timestamptz" = row.responded_at,
        "effective_on": "date" = row.effective_on,
        "handover_summary": "text" = &row.handover_summary,
        "joint_meeting_on": "date" = row.joint_meeting_on,
        "version": "int4" = row.version,
    });
    load!(way, progress, "allocations", authority.allocations, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "unit_id": "uuid" = row.unit,
        "kind": "text" = row.kind,
        "started_at": "timestamptz" = row.started_at,
        "ended_at": "timestamptz" = row.ended_at,
        "reason_start": "text" = row.reason_start,
        "reason_end": "text" = row.reason_end,
        "transfer_id": "uuid" = row.transfer,
        "summary": "text" = row.summary,
        "priority": "text" = row.priority,
        "created_by": "uuid" = row.created_by,
        "version": "int4" = row.version,
    });
    load!(way, progress, "worker_involvements", authority.involvements, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "worker_id": "uuid" = row.worker,
        "capacity": "text" = row.capacity,
        "started_at": "timestamptz" = row.started_at,
        "ended_at": "timestamptz" = row.ended_at,
        "change_reason": "text" = row.change_reason,
        "version": "int4" = row.version,
    });
    load!(way, progress, "conferences", authority.conferences, |row| {
        "id": "uuid" = row.id,
        "family_id": "uuid" = row.family,
        "type": "text" = row.kind,
        "state": "text" = row.state,
        "requested_by": "uuid" = row.requested_by,
        "requested_at": "timestamptz" = row.requested_at,
        "scheduled_for": "timestamptz" = row.scheduled_for,
        "venue": "text" = row.venue,
        "online": "bool" = row.online,
        "chair_id": "uuid" = row.chair,
        "held_at": "timestamptz" = row.held_at,
        "quorate": "bool" = row.quorate,
        "minutes_sent_at": "timestamptz" = row.minutes_sent_at,
        "version": "int4" = row.version,
    });
    load!(way, progress, "plans", authority.plans, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "kind": "text" = row.kind,
        "status": "text" = row.status,
        "start_on": "date" = row.start_on,
        "end_on": "date" = row.end_on,
        "overall_aim": "text" = &row.overall_aim,
        "agreed_change_by": "date" = row.agreed_change_by,
        "review_due_on": "date" = row.review_due_on,
        "conference_id": "uuid" = row.conference,
        "initial_category": "text" = row.initial_category,
        "latest_category": "text" = row.latest_category,
        "number_of_previous_cpps": "int4" = row.previous_cpps,
        "parent_view": "text" = &row.parent_view,
        "child_view": "text" = &row.child_view,
        "section_codes": "text[]" = row.section_codes.join(","),
        "section_texts": "text[]" = row.section_texts.join(","),
        "route": "text" = row.route,
        "needs_assessed_on": "date" = row.needs_assessed_on,
        "version": "int4" = row.version,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "strategy_discussions", authority.strategy_discussions, |row| {
        "id": "uuid" = row.id,
        "meeting_id": "uuid" = row.meeting,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "held_at": "timestamptz" = row.held_at,
        "information_shared": "text" = row.information_shared,
        "decision": "text" = row.decision,
        "decision_reason": "text" = row.decision_reason,
        "immediate_action": "text" = row.immediate_action,
        "actions": "text[]" = row.actions.join(","),
        "recorded_by": "uuid" = row.recorded_by,
        "recorded_at": "timestamptz" = row.recorded_at,
    });
    load!(way, progress, "strategy_participants", authority.strategy_participants, |row| {
        "id": "uuid" = row.id,
        "discussion_id": "uuid" = row.discussion,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "position": "int4" = row.position,
        "agency": "text" = row.agency,
        "organisation": "text" = row.organisation,
        "name": "text" = row.name,
    });
    load!(way, progress, "section47_enquiries", authority.enquiries, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "discussion_id": "uuid" = row.discussion,
        "started_on": "date" = row.started_on,
        "mode": "text" = row.mode,
        "lead_id": "uuid" = row.lead,
        "police_reference": "text" = row.police_reference,
        "child_seen_on": "date" = row.child_seen_on,
        "child_seen_alone": "bool" = row.child_seen_alone,
        "interviewed": "bool" = row.interviewed,
        "medical": "bool" = row.medical,
        "status": "text" = row.status,
        "outcome": "text" = row.outcome,
        "findings": "text" = row.findings,
        "decided_by": "uuid" = row.decided_by,
        "decided_at": "timestamptz" = row.decided_at,
        "case_status_before": "text" = row.case_status_before,
        "version": "int4" = row.version,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "conference_children", authority.conference_children, |row| {
        "id": "uuid" = row.id,
        "conference_id": "uuid" = row.conference,
        "child_id": "uuid" = row.child,
        "case_id": "uuid" = row.case,
        "decision": "text" = row.decision,
        "category": "text" = row.category,
        "outline_plan": "text" = &row.outline_plan,
        "next_review_on": "date" = row.next_review_on,
        "plan_id": "uuid" = row.plan,
        "enquiry_id": "uuid" = row.enquiry,
    });
    load!(way, progress, "conference_invitations", authority.invitations, |row| {
        "id": "uuid" = row.id,
        "conference_id": "uuid" = row.conference,
        "person_id": "uuid" = row.person,
        "worker_id": "uuid" = row.worker,
        "agency_name": "text" = &row.agency,
        "capacity": "text" = row.capacity,
        "sent_at": "timestamptz" = row.sent_at,
        "method": "text" = row.method,
        "response": "text" = row.response,
        "responded_at": "timestamptz" = row.responded_at,
        "answer_asked_at": "timestamptz" = row.answer_asked_at,
        "version": "int4" = row.version,
    });
    load!(way, progress, "conference_moves", authority.moves, |row| {
        "id": "uuid" = row.id,
        "conference_id": "uuid" = row.conference,
        "moved_from": "timestamptz" = row.from,
        "moved_to": "timestamptz" = row.to,
        "reason": "text" = row.reason,
        "moved_by": "uuid" = row.by,
        "moved_at": "timestamptz" = row.at,
    });
    load!(way, progress, "plan_goals", authority.goals, |row| {
        "id": "uuid" = row.id,
        "plan_id": "uuid" = row.plan,
        "child_id": "uuid" = row.child,
        "position": "int4" = row.position,
        "what_needs_to_change": "text" = &row.change,
        "why": "text" = &row.why,
        "measure": "text" = row.measure,
        "baseline": "text" = row.baseline,
        "target": "text" = row.target,
        "status": "text" = row.status,
    });
    load!(way, progress, "plan_actions", authority.actions, |row| {
        "id": "uuid" = row.id,
        "goal_id": "uuid" = row.goal,
        "plan_id": "uuid" = row.plan,
        "child_id": "uuid" = row.child,
        "text": "text" = &row.text,
        "owner_worker_id": "uuid" = row.worker,
        "owner_person_id": "uuid" = row.person,
        "owner_agency": "text" = &row.agency,
        "due_on": "date" = row.due_on,
        "done_on": "date" = row.done_on,
        "outcome": "text" = row.outcome,
    });
    load!(way, progress, "contacts", authority.contacts, |row| {
        "id": "uuid" = row.id,
        "received_at": "timestamptz" = row.received_at,
        "channel": "text" = row.channel,
        "source": "text" = row.source,
        "caller_name": "text" = row.caller_name,
        "caller_contact": "text" = row.caller_contact,
        "concern": "text" = &row.concern,
        "consent": "text" = row.consent,
        "status": "text" = row.status,
        "urgency": "text" = row.urgency,
        "triaged_by": "uuid" = row.triaged_by,
        "triaged_at": "timestamptz" = row.triaged_at,
        "decision": "text" = row.decision,
        "decision_reason": "text" = row.decision_reason,
        "decided_by": "uuid" = row.decided_by,
        "decided_at": "timestamptz" = row.decided_at,
        "referrer_informed_at": "timestamptz" = row.referrer_informed_at,
        "referrer_not_informed": "text" = row.referrer_not_informed,
        "taken_by": "uuid" = row.taken_by,
        "version": "int4" = row.version,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "contact_people", authority.contact_people, |row| {
        "id": "uuid" = row.id,
        "contact_id": "uuid" = row.contact,
        "position": "int4" = row.position,
        "kind": "text" = row.kind,
        "first_name": "text" = &row.first_name,
        "last_name": "text" = &row.last_name,
        "date_of_birth": "date" = row.born,
        "expected_date_of_birth": "date" = row.expected,
        "sex": "text" = row.sex,
        "description": "text" = &row.description,
        "child_id": "uuid" = row.child,
        "matched_by": "uuid" = row.matched_by,
        "matched_at": "timestamptz" = row.matched_at,
        "case_id": "uuid" = row.case,
    });
    load!(way, progress, "consultations", authority.consultations, |row| {
        "id": "uuid" = row.id,
        "contact_id": "uuid" = row.contact,
        "worker_id": "uuid" = row.worker,
        "scheduled_for": "timestamptz" = row.scheduled_for,
        "place": "text" = row.place,
        "online": "bool" = row.online,
        "state": "text" = row.state,
        "note": "text" = row.note,
        "recorded_by": "uuid" = row.recorded_by,
        "recorded_at": "timestamptz" = row.recorded_at,
        "version": "int4" = row.version,
    });
    load!(way, progress, "referrals", authority.referrals, |row| {
        "id": "uuid" = row.id,
        "contact_id": "uuid" = row.contact,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "received_on": "date" = row.received_on,
        "source": "text" = row.source,
        "category": "text" = row.category,
        "decision": "text" = row.decision,
        "decision_reason": "text" = row.decision_reason,
        "decided_by": "uuid" = row.decided_by,
        "decided_at": "timestamptz" = row.decided_at,
        "re_referral": "bool" = row.re_referral,
        "created_by": "uuid" = row.created_by,
        "created_at": "timestamptz" = row.created_at,
        "version": "int4" = row.version,
    });
    load!(way, progress, "assessments", authority.assessments, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "status": "text" = row.status,
        "started_on": "date" = row.started_on,
        "review_on": "date" = row.review_on,
        "author_id": "uuid" = row.author,
        "written_by": "uuid" = row.written_by,
        "child_seen_on": "date" = row.child_seen_on,
        "child_seen_alone": "bool" = row.child_seen_alone,
        "not_seen_reason": "text" = row.not_seen_reason,
        "wishes_feelings": "text" = row.wishes_feelings,
        "analysis": "text" = row.analysis,
        "factors": "text[]" = row.factors.join(","),
        "outcome": "text" = row.outcome,
        "submitted_by": "uuid" = row.submitted_by,
        "submitted_at": "timestamptz" = row.submitted_at,
        "authorised_by": "uuid" = row.authorised_by,
        "authorised_at": "timestamptz" = row.authorised_at,
        "authorised_reason": "text" = row.authorised_reason,
        "version": "int4" = row.version,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "particular_needs", authority.needs, |row| {
        "id": "uuid" = row.id,
        "contact_id": "uuid" = row.contact,
        "contact_person_id": "uuid" = row.person,
        "assessment_id": "uuid" = row.assessment.map(|(id, _)| id),
        "child_id": "uuid" = row.assessment.map(|(_, child)| child),
        "kind": "text" = row.kind,
        "answer": "text" = row.answer,
        "description": "text" = row.description,
        "what_we_will_do": "text" = row.what_we_will_do,
        "recorded_by": "uuid" = row.recorded_by,
        "recorded_at": "timestamptz" = row.recorded_at,
    });
    load!(way, progress, "agency_participants", authority.agency_participants, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "agency": "text" = row.agency,
        "organisation": "text" = row.organisation,
        "name": "text" = row.name,
        "contact": "text" = row.contact,
        "joined_on": "date" = row.joined_on,
        "added_by": "uuid" = row.added_by,
        "created_at": "timestamptz" = row.created_at,
    });
    load!(way, progress, "information_requests", authority.information_requests, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "participant_id": "uuid" = row.participant,
        "enquiry_id": "uuid" = row.enquiry,
        "duty": "text" = row.duty,
        "questions": "text" = row.questions,
        "asked_by": "uuid" = row.asked_by,
        "asked_at": "timestamptz" = row.asked_at,
        "due_at": "timestamptz" = row.due_at,
        "status": "text" = row.status,
        "received_at": "timestamptz" = row.received_at,
        "response": "text" = row.response,
        "refused_at": "timestamptz" = row.refused_at,
        "refusal_reason": "text" = row.refusal_reason,
        "refused_by": "uuid" = row.refused_by,
        "escalated_to": "uuid" = row.escalated_to,
        "recorded_by": "uuid" = row.recorded_by,
        "version": "int4" = row.version,
    });
    load!(way, progress, "information_chases", authority.information_chases, |row| {
        "id": "uuid" = row.id,
        "request_id": "uuid" = row.request,
        "child_id": "uuid" = row.child,
        "method": "text" = row.method,
        "note": "text" = row.note,
        "chased_by": "uuid" = row.by,
        "chased_at": "timestamptz" = row.at,
    });
    load!(way, progress, "support_requests", authority.supports, |row| {
        "id": "uuid" = row.id,
        "case_id": "uuid" = row.case,
        "child_id": "uuid" = row.child,
        "worker_id": "uuid" = row.worker,
        "asked_for": "text" = row.asked_for,
        "status": "text" = row.status,
        "requested_by": "uuid" = row.requested_by,
        "requested_at": "timestamptz" = row.requested_at,
        "answered_at": "timestamptz" = row.answered_at,
        "involvement_id": "uuid" = row.involvement,
        "version": "int4" = row.version,
    });
    let for_goals: Vec<_> = authority.supports.iter().filter_map(|row| Some((row, row.goal?, 1_i32))).collect();
    load!(way, progress, "support_goals", for_goals, |row| {
        "request_id": "uuid" = row.0.id,
        "child_id": "uuid" = row.0.child,
        "goal_id": "uuid" = row.1,
        "position": "int4" = row.2,
    });
    Ok(())
}
