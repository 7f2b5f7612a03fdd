//! Who asks, and what is hidden from them: told by the allocations, transfers, involvements and conferences, and not by
//! `sight` or any policy, which are what is probed.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    lists::{in_sight, keep},
    samples::OPEN,
};
use crate::support::{self, morning};

/// Who an attacker is.
pub enum Who {
    /// The worker of the demo authority with this staff number.
    Staff(&'static str),
    /// Somebody new who has this post and nothing else.
    New(Option<&'static str>),
}

/// Of units that the attacker has nothing to do with.
pub const ELSEWHERE: &str = "of another unit";
/// Theirs, but for a restriction on whose list they are not.
pub const RESTRICTED: &str = "restricted";
/// Theirs, but for a denial that names them.
pub const DENIED: &str = "denied by name";

/// Who probes: a name, who they are, and in which ways something of every type is hidden from them.
pub const ATTACKERS: &[(&str, Who, &[&str])] = &[
    ("consultant social worker of unit 7", Who::Staff("U07-CSW"), &[ELSEWHERE, RESTRICTED, DENIED]),
    ("social worker of unit 7", Who::Staff("U07-SW"), &[ELSEWHERE, RESTRICTED, DENIED]),
    ("children's practitioner of unit 7", Who::Staff("U07-CP"), &[ELSEWHERE, RESTRICTED, DENIED]),
    ("clinician of unit 7", Who::Staff("U07-CL"), &[ELSEWHERE, RESTRICTED, DENIED]),
    ("coordinator of unit 7", Who::Staff("U07-UC"), &[ELSEWHERE, RESTRICTED, DENIED]),
    ("service manager of unit 7", Who::Staff("SM-2"), &[ELSEWHERE, RESTRICTED, DENIED]),
    ("first response", Who::Staff("FR-1"), &[ELSEWHERE, RESTRICTED, DENIED]),
    ("chair of some conferences", Who::Staff("CH-2"), &[ELSEWHERE, RESTRICTED, DENIED]),
    ("reviewing officer of some children", Who::Staff("IRO-1"), &[ELSEWHERE, RESTRICTED, DENIED]),
    // Sees all that is not kept from them.
    ("head of service", Who::Staff("HS-1"), &[RESTRICTED, DENIED]),
    ("chair of nothing", Who::New(Some("CP_CHAIR")), &[ELSEWHERE]),
    ("reviewing officer of nobody", Who::New(Some("REVIEWING_OFFICER")), &[ELSEWHERE]),
    ("parenting support worker", Who::New(Some("PARENTING_SUPPORT_WORKER")), &[ELSEWHERE]),
    ("fostering social worker", Who::New(Some("FOSTERING_SOCIAL_WORKER")), &[ELSEWHERE]),
    ("data analyst", Who::New(Some("DATA_ANALYST")), &[ELSEWHERE]),
    ("auditor", Who::New(Some("AUDITOR")), &[ELSEWHERE]),
    ("external participant", Who::New(Some("EXTERNAL_PARTICIPANT")), &[ELSEWHERE]),
    ("worker without anything", Who::New(None), &[ELSEWHERE]),
    ("worker who has left", Who::Staff("U02-SW0"), &[ELSEWHERE]),
];

/// What is not hidden from somebody from whom everything else of its kind is: (attacker, type, kind, why).
const READ_ALL_THE_SAME: &[(&str, &str, &str, &str)] = &[
    ("head of service", "AccessRestriction", RESTRICTED, GRANTS),
    ("head of service", "AccessRestriction", DENIED, GRANTS),
    ("head of service", "AccessDenial", RESTRICTED, GRANTS),
];
const GRANTS: &str = "who grants reads every restriction and all denials of others, and not whom they are about";

/// How records are hidden: a name, and the persons who are so from the worker $1 at the moment $2.
pub const KINDS_OF_HIDDEN: &[(&str, &str)] = &[
    (ELSEWHERE, "select id from children except select id from reach"),
    (RESTRICTED, "select id from reach intersect select id from restricted except select id from denied"),
    (DENIED, "select id from reach intersect select id from denied"),
];

/// How many records of each type that an attacker sees stand beside what is hidden.
pub const OWN: usize = 8;

/// What a worker sees, and is kept from, by the rules of docs/database.md.
const SEEN: &str = "
    mine(id) as (
        select m.unit_id from unit_memberships m
        where m.worker_id = $1 and m.started_at <= $2 and (m.ended_at is null or m.ended_at > $2)
        union select u.id from units u join areas a on a.id = u.area_id where a.service_manager_id = $1
    ),
    post(name) as (
        select p.post from worker_posts p
        where p.worker_id = $1 and p.started_at <= $2 and (p.ended_at is null or p.ended_at > $2)
    ),
    held(id) as (
        select c.id from children c where exists (select from post where name = 'HEAD_OF_SERVICE')
        union select a.child_id from allocations a where a.ended_at is null and a.unit_id in (select id from mine)
        union select i.child_id from worker_involvements i
        where i.worker_id = $1 and i.capacity not in ('LEAD_PRACTITIONER', 'CO_WORKER', 'CLINICAL')
          and (i.ended_at is null or (i.capacity = 'IRO' and i.ended_at + interval '3 months' > $2))
        union select t.child_id from case_transfers t where t.state = 'REQUESTED' and t.to_unit_id in (select id from mine)
        union select cc.child_id from conference_children cc join conferences c on c.id = cc.conference_id
        where c.chair_id = $1 and c.state <> 'WITHDRAWN'
          and (c.state not in ('DECIDED', 'ISSUED') or c.held_at + interval '3 months' > $2)
        union select c.child_id from cases c
        where c.status <> 'CLOSED'
          and not exists (select from allocations a where a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null)
          and (exists (select from post where name = 'FIRST_RESPONSE')
               or exists (select from areas a where a.service_manager_id = $1))
    ),
    -- Who belongs to which child.
    of(id, child_id) as (
        select a.person_id, c.person_id from family_members a join family_members c using (family_id)
        join children k on k.id = c.person_id
        union select r.person_id, r.other_id from relationships r join children k on k.id = r.other_id
        union select r.other_id, r.person_id from relationships r join children k on k.id = r.person_id
    ),
    -- Without restrictions and denials.
    reach(id) as (
        select id from held
        union select of.id from of where of.child_id in (select id from held)
          and not exists (select from children c where c.id = of.id)
    ),
    restricted(id) as (
        select r.person_id from access_restrictions r
        where r.ended_at is null and $1 <> all (r.allowed)
          and not exists (select from break_glass_uses b
                          where b.child_id = r.person_id and b.worker_id = $1 and b.ends_at > $2)
    ),
    denied(id) as (select d.person_id from access_denials d where d.ended_at is null and d.worker_id = $1),
    kept(id) as (select id from restricted union select id from denied),
    seen(id) as (select id from reach except select id from kept)";

/// The records of each type that are of the children in `chosen` and of none who is not in `allowed`: id, the version
/// that an input expects, what tells records apart that are worth probing each.
const RECORDS: &[(&str, &str)] = &[
    ("Child", "select c.id, p.version, '' from children c join persons p using (id) where c.id in (select id from chosen)"),
    (
        "Person",
        "select p.id, p.version, case when k.id is not null then 'child' else 'adult' || (p.id in (select id from kept)) end
         from asked, persons p left join children k using (id)
         where p.id in (select id from chosen)
            or (k.id is null and exists (select from of where of.id = p.id and of.child_id in (select id from chosen))
                and not exists (select from of where of.id = p.id and of.child_id not in (select id from allowed))
                and (hiding or p.id not in (select id from kept)))",
    ),
    (
        "FamilyGroup",
        "select f.id, f.version, '' from family_groups f
         where exists (select from family_members m where m.family_id = f.id and m.person_id in (select id from chosen))
           and not exists (select from family_members m join children c on c.id = m.person_id
                           where m.family_id = f.id and c.id not in (select id from allowed))",
    ),
    ("Case", "select id, version, status from cases where child_id in (select id from chosen)"),
    (
        "Allocation",
        "select a.id, c.version, a.kind || (a.ended_at is null)::text from allocations a join cases c on c.id = a.case_id
         where a.child_id in (select id from chosen)",
    ),
    ("Involvement", "select id, version, capacity from worker_involvements where child_id in (select id from chosen)"),
    ("Transfer", "select id, version, state from case_transfers where child_id in (select id from chosen)"),
    ("Conference", "select c.id, c.version, c.state from conferences c where c.id in (select id from about)"),
    (
        "Invitation",
        "select i.id, i.version, c.state
         from asked, conference_invitations i join conferences c on c.id = i.conference_id
         where (i.conference_id in (select id from about) or i.person_id in (select id from chosen))
           and (hiding or i.person_id is null or i.person_id not in (select id from kept))",
    ),
    ("Plan", "select id, version, status || kind from plans, asked
         where child_id in (select id from chosen) and (hiding or kind in ('CIN', 'CHILD_PROTECTION'))"),
    ("Goal", "select id, version, status from plan_goals where child_id in (select id from chosen)"),
    (
        "Action",
        "select id, version, (done_on is null)::text || (owner_person_id is null) from plan_actions
         where child_id in (select id from chosen)",
    ),
    // Its owner reads a restriction, the head of service all of them.
    (
        "AccessRestriction",
        "select id, version, (ended_at is null)::text || (person_id in (select id from children)) from asked, access_restrictions
         where person_id in (select id from chosen)
           and not (hiding and (owner_id = $1 or exists (select from post where name = 'HEAD_OF_SERVICE')))",
    ),
    // A denial is read by who sees the record and by the head of service, and never by whom it names.
    (
        "AccessDenial",
        "select id, version, (ended_at is null)::text || (worker_id = $1) from asked, access_denials
         where person_id in (select id from chosen)
           and (worker_id = $1 or not (hiding and exists (select from post where name = 'HEAD_OF_SERVICE')))
           and (hiding or worker_id <> $1)",
    ),
    // A use of break-glass by who used it, and who was told of it.
    (
        "BreakGlass",
        "select id, version, (reviewed_at is null)::text from asked, break_glass_uses
         where child_id in (select id from chosen) and not (hiding and (worker_id = $1 or $1 = any (alerted)))",
    ),
    (
        "Contact",
        "select k.id, k.version, k.status from told join contacts k using (id), asked
         where hiding or k.status <> 'CONTACT' or exists (select from front)",
    ),
    (
        "ContactPerson",
        "select p.id, k.version, k.status from told join contacts k using (id) join contact_people p on p.contact_id = k.id, asked
         where p.child_id in (select id from chosen) and (hiding or k.status <> 'CONTACT' or exists (select from front))",
    ),
    (
        "Consultation",
        "select c.id, c.version, c.state from told join contacts k using (id) join consultations c on c.contact_id = k.id",
    ),
    (
        "Referral",
        "select r.id, c.version, coalesce(r.decision, '') from referrals r join cases c on c.id = r.case_id
         where r.child_id in (select id from chosen)",
    ),
    ("Assessment", "select id, version, status from assessments where child_id in (select id from chosen)"),
    ("StrategyDiscussion", "select id, 1, decision from strategy_discussions where child_id in (select id from chosen)"),
    ("Section47Enquiry", "select id, version, status from section47_enquiries where child_id in (select id from chosen)"),
    (
        "AgencyParticipant",
        "select id, version, (left_on is null)::text from agency_participants where child_id in (select id from chosen)",
    ),
    ("InformationRequest", "select id, version, status from information_requests where child_id in (select id from chosen)"),
    ("SupportRequest", "select id, version, status from support_requests where child_id in (select id from chosen)"),
];

/// `hiding`: whether what is chosen is hidden.
fn statement(chosen: &str, allowed: &str, hiding: bool, records: &str) -> String {
    format!(
        "with {SEEN}, asked(hiding) as (values ({hiding})), chosen(id) as ({chosen}), allowed(id) as ({allowed}),
         about(id) as (
             select c.conference_id from conference_children c group by 1
             having bool_or(c.child_id in (select id from chosen)) and bool_and(c.child_id in (select id from allowed))
         ),
         -- Who takes contacts in.
         front as (
             select from post where name = 'FIRST_RESPONSE'
             union all select from areas a join units u on u.area_id = a.id
             where a.service_manager_id = $1 and u.service in ('FIRST_RESPONSE', 'ACCESS_ASSESSMENT')
         ),
         -- Contacts about them: what ended at the front door is seen there, unless the child is kept from who looks.
         told(id) as (
             select k.id from asked, contacts k join contact_people p on p.contact_id = k.id and p.child_id is not null
             group by k.id, k.status, hiding
             having bool_or(p.child_id in (select id from chosen)) and bool_and(p.child_id in (select id from allowed))
                and not (hiding and bool_or(p.child_id not in (select id from kept))
                         and (k.status in ('CONTACT', 'CONTACT_CLOSED') and exists (select from front)
                              or k.status = 'CONTACT' and exists (select from post where name = 'HEAD_OF_SERVICE')))
         ),
         found(id, version, sort) as ({records})
         select id, version from (
             select *, row_number() over (partition by sort order by md5(id::text)) as nth from found) f
         order by nth, md5(id::text) limit $3"
    )
}

/// A record that an attacker must not see.
#[derive(Clone, Debug)]
pub struct Hidden {
    pub kind: &'static str,
    pub type_name: &'static str,
    pub id: Uuid,
    /// What an input about it expects.
    pub version: i32,
}

/// A record that an attacker sees.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    pub id: Uuid,
    pub version: i32,
}

pub struct Attacker {
    pub name: &'static str,
    pub token: String,
    pub hidden: Vec<Hidden>,
    /// By type.
    pub own: BTreeMap<&'static str, Vec<Own>>,
}

impl Attacker {
    pub fn hidden_of(&self, of: &str) -> Vec<&Hidden> {
        self.hidden.iter().filter(|hidden| hidden.type_name == of).collect()
    }

    pub fn own_of(&self, of: &str) -> &[Own] {
        self.own.get(of).map_or(&[], Vec::as_slice)
    }
}

fn now() -> DateTime<Utc> {
    morning()
}

/// Makes what the demo authority has none of, with unit 7 and the second chair: a draft of a plan, and a conference that
/// sits, so that whoever changes them gets as far as to what they name; who is on the restrictions' lists; a reviewing
/// officer; restrictions, denials and uses of break-glass. With `kept`, also records of unit 7 that are kept from all
/// attackers.
pub async fn prepare(client: &Client, kept: bool) {
    client
        .batch_execute(
            "do $$
             declare
                 drafted record; sits record; member uuid; chair uuid;
                 plan uuid := gen_random_uuid(); goal uuid := gen_random_uuid();
                 meeting uuid := gen_random_uuid(); invited uuid := gen_random_uuid(); sitting uuid := gen_random_uuid();
             begin
                 select id into member from workers where staff_no = 'U07-CSW';
                 select id into chair from workers where staff_no = 'CH-2';
                 select a.case_id, a.child_id into drafted from allocations a join units u on u.id = a.unit_id
                     where u.name like '%Unit 7' and a.kind = 'PRIMARY' and a.ended_at is null order by a.id limit 1;
                 select a.case_id, a.child_id into sits from allocations a join units u on u.id = a.unit_id
                     where u.name like '%Unit 7' and a.kind = 'PRIMARY' and a.ended_at is null
                       and not exists (select from conference_children c where c.child_id = a.child_id)
                     order by a.id offset 1 limit 1;
                 insert into plans (id, case_id, child_id, kind, status, overall_aim)
                     values (plan, drafted.case_id, drafted.child_id, 'CIN', 'DRAFT', 'Safe at home.');
                 insert into plan_goals (id, plan_id, child_id, position, what_needs_to_change)
                     values (goal, plan, drafted.child_id, 1, 'The nights.');
                 insert into plan_actions (id, goal_id, plan_id, child_id, text, owner_worker_id)
                     values (gen_random_uuid(), goal, plan, drafted.child_id, 'Visit.', member);
                 insert into conferences (id, type, state, requested_by, requested_at, scheduled_for, chair_id)
                     values (meeting, 'INITIAL', 'IN_SESSION', member, '2026-11-09 09:00Z', '2026-11-18 09:00Z', chair);
                 insert into conference_children (id, conference_id, child_id, case_id)
                     values (gen_random_uuid(), meeting, sits.child_id, sits.case_id);
                 insert into conference_invitations (id, conference_id, agency_name, capacity, sent_at, method, answer_asked_at)
                     values (invited, meeting, 'School', 'SCHOOL', '2026-11-10 09:00Z', 'EMAIL', '2026-11-10 09:00Z');
                 insert into conference_sittings (id, conference_id, opened_at, opened_by)
                     values (sitting, meeting, '2026-11-18 09:00Z', chair);
                 insert into conference_attendances (id, sitting_id, conference_id, invitation_id, attended, recorded_by, recorded_at)
                     values (gen_random_uuid(), sitting, meeting, invited, 'YES', chair, '2026-11-18 09:05Z');
             end $$",
        )
        .await
        .unwrap();
    contacts(client).await;
    guard(client).await;
    if kept {
        let in_sight = in_sight(client).await;
        keep(client, &in_sight[0]).await;
    }
    safeguarding(client).await;
}

/// Of every child of units 7 and 11 and of the queue a contact that ended with a meeting, of every open case there a referral;
/// and one of the queue in a contact that nobody has decided, beside somebody whom nobody knows.
async fn contacts(client: &Client) {
    client
        .batch_execute(
            "do $$
             declare
                 one record; contact uuid; told uuid; desk uuid; number integer := 0;
             begin
                 select id into desk from workers where staff_no = 'FR-2';
                 for one in
                     select c.id as case_id, c.child_id, c.opened_on, u.name,
                            exists (select from referrals r where r.case_id = c.id) as referred
                     from cases c left join allocations a on a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null
                     left join units u on u.id = a.unit_id
                     where c.closed_on is null and (u.id is null or u.name ~ ' Unit (7|11)$') order by c.id
                 loop
                     contact := gen_random_uuid(); told := gen_random_uuid(); number := number + 1;
                     insert into contacts (id, received_at, channel, source, caller_name, caller_contact, concern, consent, status,
                             decision, decision_reason, decided_by, decided_at, referrer_informed_at, taken_by)
                         values (contact, '2026-11-02 09:00Z', 'PHONE', '2A', 'Caller', 'At school', 'Words.', 'GIVEN',
                                 'CONTACT_CLOSED', 'CONSULTATION_MEETING', 'Words.', desk, '2026-11-02 10:00Z', '2026-11-02 10:00Z', desk);
                     insert into contact_people (id, contact_id, position, kind, first_name, last_name, address, description, child_id,
                             matched_by, matched_at)
                         values (told, contact, 1, 'CHILD', 'Told', 'Name', 'Told address', 'Told', one.child_id, desk, '2026-11-02 09:10Z');
                     insert into particular_needs (id, contact_id, contact_person_id, kind, answer, description, what_we_will_do,
                             recorded_by, recorded_at)
                         values (gen_random_uuid(), contact, told, 'DISABILITY', 'NEED', 'Need', 'Done', desk, '2026-11-02 09:00Z');
                     insert into consultations (id, contact_id, worker_id, scheduled_for, place, online, state, note, recorded_by, recorded_at)
                         values (gen_random_uuid(), contact, desk, '2026-11-03 09:00Z', 'Room', false, 'HELD', 'Words.', desk, '2026-11-03 10:00Z');
                     if not one.referred then
                         insert into referrals (id, contact_id, case_id, child_id, received_on, source, category, decision,
                                 decision_reason, decided_by, decided_at, re_referral, created_by, created_at)
                             values (gen_random_uuid(), contact, one.case_id, one.child_id, one.opened_on, '2A', 'NEGLECT',
                                     'ACCEPT_ASSESS', 'Words.', desk, '2026-11-02 10:00Z', false, desk, '2026-11-02 10:00Z');
                     end if;
                     if one.name is null and number % 3 = 0 then
                         contact := gen_random_uuid();
                         insert into contacts (id, received_at, channel, source, caller_name, concern, consent, taken_by)
                             values (contact, '2026-11-17 09:00Z', 'PHONE', '2A', 'Caller', 'Words.', 'GIVEN', desk);
                         insert into contact_people (id, contact_id, position, kind, first_name, child_id, matched_by, matched_at)
                             values (gen_random_uuid(), contact, 1, 'CHILD', 'Told', one.child_id, desk, '2026-11-17 09:10Z');
                     end if;
                 end loop;
             end $$",
        )
        .await
        .unwrap();
}

/// Of every child of units 7 and 11 and of the queue an assessment, an enquiry that runs with the discussion before it, and somebody of another
/// agency who was asked.
async fn safeguarding(client: &Client) {
    client
        .batch_execute(
            "do $$
             declare
                 one record; member uuid; discussion uuid; enquiry uuid; participant uuid; request uuid;
             begin
                 select id into member from workers where staff_no = 'U07-CSW';
                 for one in
                     select c.id as case_id, c.child_id, c.opened_on
                     from cases c left join allocations a on a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null
                     left join units u on u.id = a.unit_id
                     where c.closed_on is null and (u.id is null or u.name ~ ' Unit (7|11)$') order by c.id
                 loop
                     discussion := gen_random_uuid(); enquiry := gen_random_uuid(); participant := gen_random_uuid();
                     request := gen_random_uuid();
                     insert into assessments (id, case_id, child_id, started_on, author_id, written_by, not_seen_reason, wishes_feelings,
                             analysis, factors, returned_reason)
                         values (gen_random_uuid(), one.case_id, one.child_id, one.opened_on, member, member, 'Words.', 'Words.', 'Words.',
                                 '{16A}', 'Words.')
                         on conflict do nothing;
                     insert into strategy_discussions (id, meeting_id, case_id, child_id, held_at, information_shared, decision,
                             decision_reason, immediate_action, actions, absence_reason, recorded_by, recorded_at)
                         values (discussion, discussion, one.case_id, one.child_id, '2026-11-16 09:00Z', 'Words.', 'S47_JOINT',
                                 'Words.', 'Words.', '{Words.}', 'Words.', member, '2026-11-16 10:00Z');
                     insert into strategy_participants (id, discussion_id, case_id, child_id, position, agency, organisation, name, role)
                         values (gen_random_uuid(), discussion, one.case_id, one.child_id, 1, 'HEALTH', 'Surgery', 'Dr Told', 'GP');
                     if not exists (select from section47_enquiries e where e.case_id = one.case_id and e.status <> 'CONCLUDED') then
                         insert into section47_enquiries (id, case_id, child_id, discussion_id, started_on, mode, lead_id, police_reference)
                             values (enquiry, one.case_id, one.child_id, discussion, '2026-11-16', 'JOINT', member, 'Reference');
                     else
                         select e.id into enquiry from section47_enquiries e where e.case_id = one.case_id and e.status <> 'CONCLUDED';
                     end if;
                     insert into agency_participants (id, case_id, child_id, agency, organisation, name, contact, joined_on, added_by)
                         values (participant, one.case_id, one.child_id, 'HEALTH', 'Surgery', 'Dr Told', '1234', '2026-11-16', member);
                     insert into information_requests (id, case_id, child_id, participant_id, enquiry_id, duty, questions, asked_by,
                             asked_at, due_at, status)
                         values (request, one.case_id, one.child_id, participant, enquiry, 'S47', 'Words.', member,
                                 '2026-11-16 11:00Z', '2026-11-20 11:00Z', 'CHASED');
                     insert into information_requests (id, case_id, child_id, participant_id, enquiry_id, duty, questions, asked_by,
                             asked_at, due_at, status, refused_at, refusal_reason, refused_by)
                         values (gen_random_uuid(), one.case_id, one.child_id, participant, enquiry, 'S47', 'Words.', member,
                                 '2026-11-16 11:00Z', '2026-11-20 11:00Z', 'REFUSED', '2026-11-17 11:00Z', 'Words.', member);
                     insert into information_chases (id, request_id, child_id, method, note, chased_by, chased_at)
                         values (gen_random_uuid(), request, one.child_id, 'PHONE', 'Words.', member, '2026-11-17 11:00Z');
                     insert into support_requests (id, case_id, child_id, worker_id, asked_for, status, requested_by, requested_at,
                             answered_at, reason)
                         values (request, one.case_id, one.child_id, member, 'Words.', 'DECLINED', member, '2026-11-16 11:00Z',
                                 '2026-11-16 12:00Z', 'Words.');
                 end loop;
             end $$",
        )
        .await
        .unwrap();
}

/// Who is on the restrictions' lists (a consultant social worker who covers unit 7), a reviewing officer of children of
/// unit 7, and what is recorded of who may see children of unit 7 and of unit 11.
async fn guard(client: &Client) {
    client
        .batch_execute(
            "do $$
             declare
                 insider uuid := gen_random_uuid(); officer uuid := gen_random_uuid(); owner uuid; manager uuid; far uuid;
                 everybody uuid[]; one record; number integer := 0;
             begin
                 insert into workers (id, staff_no, name, email, qualified)
                     values (insider, 'U07-IN', 'Iris Listed', 'in@hearth.example', true),
                            (officer, 'IRO-1', 'Otto Reviewing', 'iro@hearth.example', true);
                 insert into unit_memberships (id, unit_id, worker_id, role, started_at, cover)
                     select gen_random_uuid(), id, insider, 'CONSULTANT_SOCIAL_WORKER', '2026-01-05 09:00Z', true
                     from units where name like '%Unit 7';
                 insert into worker_posts (id, worker_id, post, started_at)
                     values (gen_random_uuid(), officer, 'REVIEWING_OFFICER', '2026-01-05 09:00Z');
                 select id into owner from workers where staff_no = 'SM-3';
                 select id into manager from workers where staff_no = 'SM-2';
                 select id into far from workers where staff_no = 'U12-CSW';
                 everybody := array(select id from workers where staff_no like 'U07-%' or staff_no in ('SM-2', 'IRO-1'));
                 for one in
                     select * from (
                         select a.case_id, a.child_id, u.name, row_number() over (partition by u.id order by a.child_id) as nth
                         from allocations a join units u on u.id = a.unit_id
                         where u.name ~ ' Unit (7|11)$' and a.kind = 'PRIMARY' and a.ended_at is null) a
                     where nth <= 6
                 loop
                     if one.name like '%Unit 7' then
                         insert into worker_involvements (id, case_id, child_id, worker_id, capacity, started_at)
                             values (gen_random_uuid(), one.case_id, one.child_id, officer, 'IRO', '2026-02-02 09:00Z');
                     end if;
                     insert into access_denials (id, person_id, worker_id, reason, started_at, ended_at, created_by)
                         values (gen_random_uuid(), one.child_id, far, 'RELATIVE', '2026-11-02 09:00Z',
                                 case when one.nth = 2 then timestamptz '2026-11-09 09:00Z' end, owner);
                     insert into break_glass_uses (id, child_id, worker_id, reason, explanation, started_at, ends_at,
                             alerted, review_due_on)
                         values (gen_random_uuid(), one.child_id, far, 'OTHER', 'x', '2026-11-10 09:00Z',
                                 '2026-11-10 10:00Z',
                                 array[case when one.name like '%Unit 7' then manager else owner end], '2026-11-11');
                     -- One that was lifted, and one that runs: with everybody of unit 7 on its list, or nobody.
                     if one.nth in (3, 4) then
                         insert into access_restrictions (id, person_id, reason, owner_id, allowed, started_at, ended_at, created_by)
                             select gen_random_uuid(), one.child_id, 'OTHER', o.id,
                                    case when o.id = manager then everybody else array[o.id] end, '2026-11-02 09:00Z',
                                    case when one.nth = 3 then timestamptz '2026-11-09 09:00Z' end, owner
                             from (select case when one.name like '%Unit 7' then manager else owner end) o (id);
                     end if;
                 end loop;
             end $$",
        )
        .await
        .unwrap();
}

/// Fewer of whom nothing but their post tells apart, and of records of which there are not so many sorts.
fn sample(who: &Who, kind: &str, most: i64) -> i64 {
    match who {
        Who::New(_) => (most / 4).max(1),
        Who::Staff(_) if kind == ELSEWHERE => most,
        Who::Staff(_) => (most / 2).max(2),
    }
}

/// The attackers with these names, each with up to so many hidden records of every type and kind.
pub async fn attackers(client: &Client, wanted: &[&str], most: i64) -> Vec<Attacker> {
    let kept: bool = client
        .query_one("select exists (select from access_denials d join workers w on w.id = d.worker_id where w.staff_no = 'HS-1')", &[])
        .await
        .unwrap()
        .get(0);
    let mut attackers = Vec::new();
    for (name, who, hidden_as) in ATTACKERS.iter().filter(|(name, ..)| wanted.contains(name)) {
        let worker = match who {
            Who::Staff(number) => {
                client.query_one("select id from workers where staff_no = $1", &[number]).await.unwrap().get(0)
            }
            Who::New(post) => newcomer(client, *post).await,
        };
        let token = support::token_for(worker, Duration::hours(1));
        let mut attacker = Attacker { name, token, hidden: Vec::new(), own: BTreeMap::new() };
        let every: Vec<&str> = KINDS_OF_HIDDEN.iter().map(|(_, children)| *children).collect();
        for (type_name, records) in RECORDS {
            for (kind, children) in KINDS_OF_HIDDEN {
                let allowed = every.iter().map(|children| format!("({children})")).collect::<Vec<_>>().join(" union ");
                let found = client
                    .query(&statement(children, &allowed, true, records), &[&worker, &now(), &sample(who, kind, most)])
                    .await
                    .unwrap_or_else(|error| panic!("{type_name}: {error:?}"));
                let read = READ_ALL_THE_SAME.iter().any(|(who, of, how, _)| (who, of, how) == (name, type_name, kind));
                // Restrictions and denials of records of unit 7 are there only where a test makes them.
                let wanted = hidden_as.contains(kind) && (kept || *kind == ELSEWHERE);
                assert!(!read || found.is_empty(), "{type_name} {kind} of the {name} is read by them");
                assert!(read || !wanted || !found.is_empty(), "no {type_name} {kind} is hidden from the {name}");
                let found = found.iter().map(|row| Hidden { kind, type_name, id: row.get(0), version: row.get(1) });
                attacker.hidden.extend(found);
            }
            let statement = statement("select id from seen", "select id from children", false, records);
            let found = client.query(&statement, &[&worker, &now(), &i64::try_from(OWN).unwrap()]).await.unwrap();
            let found = found.iter().map(|row| Own { id: row.get(0), version: row.get(1) });
            attacker.own.insert(type_name, found.collect());
        }
        for type_name in OPEN {
            attacker.own.insert(type_name, open(client, type_name, worker).await);
        }
        attackers.push(attacker);
    }
    attackers
}

/// Every attacker.
pub fn everybody() -> Vec<&'static str> {
    ATTACKERS.iter().map(|(name, ..)| *name).collect()
}

/// Every type of records.
pub fn known_types() -> impl Iterator<Item = &'static str> {
    hidden_types().into_iter().chain(OPEN.iter().copied())
}

/// The types of whose records some are hidden.
pub fn hidden_types() -> Vec<&'static str> {
    RECORDS.iter().map(|(type_name, _)| *type_name).collect()
}

/// Records of a type that everybody reads: the worker's first, then others'.
async fn open(client: &Client, type_name: &str, worker: Uuid) -> Vec<Own> {
    let statement = match type_name {
        "Area" => "select id, 1, service_manager_id = $1 from areas",
        "Membership" => "select id, version, worker_id = $1 from unit_memberships where ended_at is null",
        "Unit" => {
            "select u.id, u.version, exists (select from unit_memberships m
                                             where m.unit_id = u.id and m.worker_id = $1 and m.ended_at is null)
             from units u"
        }
        "Worker" => "select id, 1, id = $1 from workers where active",
        _ => panic!("{type_name}: how are its records found?"),
    };
    let statement = format!(
        "select * from ({statement}) f(id, version, mine) order by mine desc nulls last, md5(id::text) limit 3"
    );
    let found = client.query(&statement, &[&worker]).await.unwrap();
    found.iter().map(|row| Own { id: row.get(0), version: row.get(1) }).collect()
}

async fn newcomer(client: &Client, post: Option<&str>) -> Uuid {
    let worker = Uuid::now_v7();
    client
        .execute(
            "insert into workers (id, staff_no, name, email, qualified)
             values ($1, $2, 'Alex Newcomer', 'new@hearth.example', true)",
            &[&worker, &support::key()],
        )
        .await
        .unwrap();
    if let Some(post) = post {
        client
            .execute(
                "insert into worker_posts (id, worker_id, post, started_at)
                 values (gen_random_uuid(), $1, $2, '2026-01-05 09:00Z')",
                &[&worker, &post],
            )
            .await
            .unwrap();
    }
    worker
}
