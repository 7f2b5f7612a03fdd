//! The rows that are made, a struct a table.

use chrono::NaiveDate;
use uuid::Uuid;

use super::calendar::Moment;

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub(in crate::seed) struct $name { $(pub(in crate::seed) $field: $kind),+ }
    )+};
}

rows! {
    Worker {
        id: Uuid, staff_no: String, name: String, email: String, sw_england_no: Option<String>, qualified: bool,
        active: bool, fte: f64, agency_worker: bool, created_at: Moment,
    }
    Post { id: Uuid, worker: Uuid, post: &'static str, started_at: Moment }
    Area { id: Uuid, name: String, manager: Uuid }
    Unit { id: Uuid, name: String, service: &'static str, area: Uuid, contact_point: String, active_from: NaiveDate }
    Membership {
        id: Uuid, unit: Uuid, worker: Uuid, role: &'static str, started_at: Moment, ended_at: Option<Moment>, fte: f64,
    }
    /// A child or an adult; exactly one of the two dates of birth is given.
    Person {
        id: Uuid, first_name: String, last_name: String, preferred_name: Option<String>, born: Option<NaiveDate>,
        expected: Option<NaiveDate>, sex: &'static str, ethnicity: &'static str, religion: &'static str,
        first_language: &'static str, interpreter_needed: Option<bool>, communication_needs: Option<&'static str>,
        nhs_no: Option<String>, created_at: Moment,
    }
    Child { id: Uuid, upn: Option<String>, disabilities: Vec<&'static str> }
    Address {
        id: Uuid, person: Uuid, kind: &'static str, line: String, postcode: String, from: NaiveDate,
        to: Option<NaiveDate>, confidential: bool,
    }
    Family { id: Uuid, name: String, created_at: Moment }
    FamilyMember { id: Uuid, family: Uuid, person: Uuid, from: NaiveDate }
    /// `person` is the `kind` of `other`.
    Relationship {
        id: Uuid, person: Uuid, other: Uuid, kind: &'static str, parental_responsibility: &'static str,
        main_carer: bool, from: NaiveDate,
    }
    Case {
        id: Uuid, child: Uuid, opened_on: NaiveDate, status: &'static str, primary_need: Option<&'static str>,
        referral_nfa: bool, referral_summary: String, closed_on: Option<NaiveDate>,
        closure_reason: Option<&'static str>, closure_rationale: Option<String>, safe_at_home: Option<String>, version: i32, created_at: Moment,
    }
    Transfer {
        id: Uuid, case: Uuid, child: Uuid, from_unit: Uuid, to_unit: Uuid, kind: &'static str, state: &'static str,
        requested_by: Uuid, requested_at: Moment, responded_by: Option<Uuid>, responded_at: Option<Moment>,
        effective_on: Option<NaiveDate>, handover_summary: String, joint_meeting_on: Option<NaiveDate>, version: i32,
    }
    Allocation {
        id: Uuid, case: Uuid, child: Uuid, unit: Uuid, kind: &'static str, started_at: Moment,
        ended_at: Option<Moment>, reason_start: &'static str, reason_end: Option<&'static str>,
        transfer: Option<Uuid>, summary: Option<&'static str>, priority: &'static str, created_by: Uuid, version: i32,
    }
    Involvement {
        id: Uuid, case: Uuid, child: Uuid, worker: Uuid, capacity: &'static str, started_at: Moment,
        ended_at: Option<Moment>, change_reason: Option<&'static str>, version: i32,
    }
    Conference {
        id: Uuid, family: Uuid, kind: &'static str, state: &'static str, requested_by: Uuid, requested_at: Moment,
        scheduled_for: Option<Moment>, venue: Option<&'static str>, online: bool, chair: Option<Uuid>,
        held_at: Option<Moment>, quorate: Option<bool>, minutes_sent_at: Option<Moment>, version: i32,
    }
    Plan {
        id: Uuid, case: Uuid, child: Uuid, kind: &'static str, status: &'static str, start_on: NaiveDate,
        end_on: Option<NaiveDate>, overall_aim: String, agreed_change_by: Option<NaiveDate>, review_due_on: NaiveDate,
        conference: Option<Uuid>, initial_category: Option<&'static str>, latest_category: Option<&'static str>,
        previous_cpps: Option<i32>, parent_view: Option<String>, child_view: Option<String>, version: i32,
        created_at: Moment, section_codes: &'static [&'static str], section_texts: Vec<&'static str>,
        route: Option<&'static str>, needs_assessed_on: Option<NaiveDate>,
    }
    /// What a parenting support worker is asked for; at most one goal.
    Support {
        id: Uuid, case: Uuid, child: Uuid, worker: Uuid, asked_for: &'static str, status: &'static str,
        requested_by: Uuid, requested_at: Moment, answered_at: Option<Moment>, involvement: Option<Uuid>, version: i32,
        goal: Option<Uuid>,
    }
    ConferenceChild {
        id: Uuid, conference: Uuid, child: Uuid, case: Uuid, decision: Option<&'static str>,
        category: Option<&'static str>, outline_plan: Option<String>, next_review_on: Option<NaiveDate>,
        plan: Option<Uuid>, enquiry: Option<Uuid>,
    }
    Invitation {
        id: Uuid, conference: Uuid, person: Option<Uuid>, worker: Option<Uuid>, agency: Option<String>,
        capacity: &'static str, sent_at: Moment, method: &'static str, response: &'static str,
        responded_at: Option<Moment>, answer_asked_at: Moment, version: i32,
    }
    Move { id: Uuid, conference: Uuid, from: Moment, to: Moment, reason: &'static str, by: Uuid, at: Moment }
    Goal {
        id: Uuid, plan: Uuid, child: Uuid, position: i32, change: String, why: String, measure: &'static str,
        baseline: &'static str, target: &'static str, status: &'static str,
    }
    Action {
        id: Uuid, goal: Uuid, plan: Uuid, child: Uuid, text: String, worker: Option<Uuid>, person: Option<Uuid>,
        agency: Option<String>, due_on: NaiveDate, done_on: Option<NaiveDate>, outcome: Option<&'static str>,
    }
    Contact {
        id: Uuid, received_at: Moment, channel: &'static str, source: &'static str, caller_name: Option<&'static str>,
        caller_contact: Option<&'static str>, concern: String, consent: &'static str, status: &'static str,
        urgency: Option<&'static str>, triaged_by: Option<Uuid>, triaged_at: Option<Moment>,
        decision: Option<&'static str>, decision_reason: Option<&'static str>, decided_by: Option<Uuid>,
        decided_at: Option<Moment>, referrer_informed_at: Option<Moment>, referrer_not_informed: Option<&'static str>,
        taken_by: Uuid, version: i32, created_at: Moment,
    }
    /// A child as told.
    ContactPerson {
        id: Uuid, contact: Uuid, position: i32, kind: &'static str, first_name: Option<String>,
        last_name: Option<String>, born: Option<NaiveDate>, expected: Option<NaiveDate>, sex: Option<&'static str>,
        description: Option<String>, child: Option<Uuid>, matched_by: Option<Uuid>, matched_at: Option<Moment>,
        case: Option<Uuid>,
    }
    Need {
        id: Uuid, contact: Option<Uuid>, person: Option<Uuid>, assessment: Option<(Uuid, Uuid)>, kind: &'static str,
        answer: &'static str,
        description: Option<&'static str>, what_we_will_do: Option<&'static str>, recorded_by: Uuid,
        recorded_at: Moment,
    }
    Consultation {
        id: Uuid, contact: Uuid, worker: Uuid, scheduled_for: Moment, place: Option<&'static str>, online: bool,
        state: &'static str, note: Option<&'static str>, recorded_by: Option<Uuid>, recorded_at: Option<Moment>,
        version: i32,
    }
    Assessment {
        id: Uuid, case: Uuid, child: Uuid, status: &'static str, started_on: NaiveDate, review_on: Option<NaiveDate>,
        author: Uuid, written_by: Uuid, child_seen_on: Option<NaiveDate>, child_seen_alone: Option<bool>,
        not_seen_reason: Option<&'static str>, wishes_feelings: Option<&'static str>, analysis: Option<&'static str>,
        factors: Vec<&'static str>, outcome: Option<&'static str>, submitted_by: Option<Uuid>,
        submitted_at: Option<Moment>, authorised_by: Option<Uuid>, authorised_at: Option<Moment>,
        authorised_reason: Option<&'static str>, version: i32, created_at: Moment,
    }
    StrategyDiscussion {
        id: Uuid, meeting: Uuid, case: Uuid, child: Uuid, held_at: Moment, information_shared: &'static str,
        decision: &'static str, decision_reason: &'static str, immediate_action: &'static str,
        actions: Vec<&'static str>, recorded_by: Uuid, recorded_at: Moment,
    }
    StrategyParticipant {
        id: Uuid, discussion: Uuid, case: Uuid, child: Uuid, position: i32, agency: &'static str,
        organisation: Option<&'static str>, name: &'static str,
    }
    Enquiry {
        id: Uuid, case: Uuid, child: Uuid, discussion: Uuid, started_on: NaiveDate, mode: &'static str, lead: Uuid,
        police_reference: Option<&'static str>, child_seen_on: Option<NaiveDate>, child_seen_alone: Option<bool>,
        interviewed: bool, medical: bool, status: &'static str, outcome: Option<&'static str>,
        findings: Option<&'static str>, decided_by: Option<Uuid>, decided_at: Option<Moment>,
        case_status_before: Option<&'static str>, version: i32, created_at: Moment,
    }
    AgencyParticipant {
        id: Uuid, case: Uuid, child: Uuid, agency: &'static str, organisation: &'static str,
        name: Option<&'static str>, contact: Option<&'static str>, joined_on: NaiveDate, added_by: Uuid,
        created_at: Moment,
    }
    InformationRequest {
        id: Uuid, case: Uuid, child: Uuid, participant: Uuid, enquiry: Uuid, duty: &'static str, questions: &'static str, asked_by: Uuid,
        asked_at: Moment, due_at: Moment, status: &'static str, received_at: Option<Moment>,
        response: Option<&'static str>, refused_at: Option<Moment>, refusal_reason: Option<&'static str>,
        refused_by: Option<Uuid>,
        escalated_to: Option<Uuid>, recorded_by: Option<Uuid>, version: i32,
    }
    Chase {
        id: Uuid, request: Uuid, child: Uuid, method: &'static str, note: Option<&'static str>, by: Uuid, at: Moment,
    }
    Referral {
        id: Uuid, contact: Uuid, case: Uuid, child: Uuid, received_on: NaiveDate, source: &'static str,
        category: &'static str, decision: &'static str, decision_reason: &'static str, decided_by: Uuid,
        decided_at: Moment, re_referral: bool, created_by: Uuid, created_at: Moment, version: i32,
    }
}
