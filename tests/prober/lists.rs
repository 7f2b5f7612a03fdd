//! Lists, counts, pages, searches and feeds beside which something hidden comes, changes and goes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    asking::{Asking, all, without_cursors},
    records::{ATTACKERS, Attacker, DENIED, Own, Who},
    schema::{NOBODY, Walk},
};
use crate::support::{self, Socket};

/// How many pages of two nodes of every list are read.
const PAGES: usize = 4;

/// Every answer by who asked what.
pub type Answers = BTreeMap<(String, String), String>;

/// All that these viewers can ask without knowing what is hidden: the root's fields, their own records and those beside
/// what is hidden, whole and field by field, the pages of every list, and searches for these names. Without `apart`: all
/// but their fields one by one, which are in the whole without their arguments.
pub async fn everything(
    asking: &Asking<'_>,
    walk: &Walk,
    viewers: &[Attacker],
    names: &[String],
    apart: bool,
) -> Answers {
    let mut work = Vec::new();
    for viewer in viewers {
        let ids = |kind: &str, _: &str| {
            let own = viewer.own_of(kind).first().map_or_else(|| NOBODY.parse().unwrap(), |own| own.id);
            Some(json!(format!("{kind}:{own}")))
        };
        for document in walk.without_id(&ids) {
            work.push(ask(asking, viewer, vec![document.name], document.text, json!({}), false));
        }
        for name in names {
            let text = "query($search: String) { children(search: $search, first: 100) { totalCount
                nodes { id displayName personNo } pageInfo { hasNextPage endCursor } } }";
            let asked = vec![format!("search {name}")];
            work.push(ask(asking, viewer, asked, text.to_owned(), json!({ "search": name }), false));
        }
        for root in ["Query", "Viewer"] {
            for (name, text) in walk.pages(root) {
                work.push(ask(asking, viewer, vec![format!("{root}.{name}, by pages")], text, json!({}), true));
            }
        }
        for of in walk.node_types() {
            let (documents, pages) = (walk.about(&of), walk.pages(&of));
            for own in viewer.own_of(&of) {
                let id = json!({ "id": format!("{of}:{}", own.id) });
                for document in documents.iter().take(if apart { documents.len() } else { 1 }) {
                    let names = document.parts.iter().map(|part| format!("{part} of {}", own.id));
                    work.push(ask(asking, viewer, names.collect(), document.text.clone(), id.clone(), false));
                }
                for (name, text) in &pages {
                    let names = vec![format!("{of}.{name}, by pages of {}", own.id)];
                    work.push(ask(asking, viewer, names, text.clone(), id.clone(), true));
                }
            }
        }
    }
    let answers: Vec<_> = all(work).await.into_iter().flatten().collect();
    let count = answers.len();
    let answers: Answers = answers.into_iter().collect();
    assert_eq!(answers.len(), count, "two answers of one name");
    asking.probed(count);
    answers
}

/// One answer, or those of the first pages. Of several parts each by itself, with all that the answer has beside its data.
async fn ask(
    asking: &Asking<'_>,
    viewer: &Attacker,
    parts: Vec<String>,
    text: String,
    mut variables: Value,
    paged: bool,
) -> Vec<((String, String), String)> {
    let named = |name: String, said: String| ((viewer.name.to_owned(), name), said);
    let mut said = String::new();
    for _ in 0..if paged { PAGES } else { 1 } {
        let answer = asking.ask(&viewer.token, &text, variables.clone()).await;
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let whole = without_cursors(&answer.without(&[]));
        if parts.len() > 1 {
            // What belongs to no part stands by itself, or every part would seem to tell it.
            let around = whole.split('{').next().unwrap_or_default().to_owned() + &in_order(&body["errors"]);
            let errors = named(format!("errors beside {}", parts[0]), around);
            let part = |at: usize| without_cursors(&body["data"][format!("f{at}")].to_string());
            let parts = parts.into_iter().enumerate().map(|(at, name)| named(name, part(at)));
            return parts.chain([errors]).collect();
        }
        said.push_str(&whole);
        let Some(page) = page_info(&body["data"]).filter(|page| page["hasNextPage"] == true) else { break };
        variables["after"] = page["endCursor"].clone();
    }
    parts.into_iter().map(|name| named(name, said.clone())).collect()
}

/// Errors as they would be told in one order: that of fields that run beside one another is not fixed.
pub fn in_order(errors: &Value) -> String {
    let mut told: Vec<String> = errors.as_array().into_iter().flatten().map(Value::to_string).collect();
    assert!(told.len() < 10, "more errors than an answer tells: ask for less at once: {told:#?}");
    told.sort();
    told.join(" ")
}

/// Of the first list that stands in an answer.
fn page_info(value: &Value) -> Option<&Value> {
    let fields = value.as_object()?;
    fields.get("pageInfo").or_else(|| fields.values().find_map(page_info))
}

/// What answers differ in: who asked what, and from where on.
pub fn differences(before: &Answers, after: &Answers) -> Vec<String> {
    let mut found = Vec::new();
    for ((viewer, asked), told) in before {
        // Of whoever was asked again.
        let Some(now) = after.get(&(viewer.clone(), asked.clone())) else { continue };
        if told != now {
            let same = told.bytes().zip(now.bytes()).take_while(|(one, other)| one == other).count();
            let from = |text: &str| {
                String::from_utf8_lossy(&text.as_bytes()[same.saturating_sub(200)..text.len().min(same + 300)])
                    .into_owned()
            };
            found.push(format!("{asked} as {viewer}\n  before: {}\n  now:    {}", from(told), from(now)));
        }
    }
    found
}

/// Keeps every table as it is now, for [`as_before`].
pub async fn remember(client: &Client) {
    client
        .batch_execute(
            "create schema before;
             do $$ declare kept text; begin
                 for kept in select tablename from pg_tables where schemaname = 'public' loop
                     execute format('create table before.%I as table public.%I', kept, kept);
                 end loop;
             end $$",
        )
        .await
        .unwrap();
}

/// Deletes every row that was not there when the tables were remembered, past all history.
pub async fn forget(client: &Client) -> i64 {
    client
        .batch_execute(
            "set session_replication_role = replica;
             create temp table if not exists forgotten (rows bigint);
             truncate forgotten;
             do $$ declare kept text; gone bigint; begin
                 -- What the relay has counted stays counted, and the audit is history.
                 for kept in select tablename from pg_tables
                     where schemaname = 'public' and tablename <> 'relay_state' and tablename not like 'audit_%' loop
                     execute format('delete from public.%I now where not exists (
                                         select from before.%I kept where kept = now)', kept, kept);
                     get diagnostics gone = row_count;
                     insert into forgotten values (gone);
                     -- And nothing that was there is missing.
                     execute format('select count(*) from before.%I kept where not exists (
                                         select from public.%I now where now = kept)', kept, kept)
                         into gone;
                     if gone > 0 then raise exception '% rows of % were changed', gone, kept; end if;
                 end loop;
             end $$;
             set session_replication_role = origin",
        )
        .await
        .unwrap();
    client.query_one("select sum(rows)::bigint from forgotten", &[]).await.unwrap().get(0)
}

/// A child in sight, and who has to do with what is hidden beside it.
pub struct Beside {
    /// The child whom somebody sees.
    pub child: Uuid,
    /// Somebody who sees the child, and is named in records of the hidden one that open nothing.
    pub named: Uuid,
}

/// What a viewer is told by design of what is hidden.
pub struct ByDesign {
    viewer: &'static str,
    field: &'static str,
    /// Whether it names the child: a case never.
    pub names: bool,
    #[allow(dead_code, reason = "for whoever reads it here")]
    why: &'static str,
}

/// What is told of what is kept from the viewer.
pub const OF_KEPT: &[ByDesign] = &[ByDesign {
    viewer: "head of service",
    field: "Query.accessRestrictions",
    names: false,
    why: "who grants reads every running restriction, and not whom it is about",
}];

/// What is told of what the viewer has no part in.
pub const OF_HIDDEN: &[ByDesign] = &[ByDesign {
    viewer: "first response",
    field: "ContactPerson.knownChildren",
    names: true,
    why: "first response finds any child while it is undecided whom a contact is about, but for a restricted one",
}];

/// Which of these the viewer asked for.
pub fn by_design<'a>(of: &'a [ByDesign], viewer: &str, asked: &str) -> Option<&'a ByDesign> {
    of.iter().find(|told| {
        told.viewer == viewer
            && asked.strip_prefix(told.field).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',', '(']))
    })
}

/// Lists of what belongs to one record alone: who sees it sees all of them, and a child who is hidden has none there. The
/// queue is hidden from whom it is hidden as a whole, `nodes` is asked by id, events are read by who received them, alerts by who was
/// alerted, and who may be the child of a contact a function says to the front door: tests/front_door.rs.
pub const WHOLE: &[&str] = &[
    "AgencyParticipant.informationRequests",
    "Assessment.needs",
    "Case.agencyParticipants",
    "Case.allocations",
    "Case.assessments",
    "Case.conferenceParts",
    "Case.conferences",
    "Case.contacts",
    "Case.currentPlans",
    "Case.informationRequests",
    "Case.involvements",
    "Case.plans",
    "Case.section47Enquiries",
    "Case.strategyDiscussions",
    "Case.supportRequests",
    "Case.transfers",
    "Child.accessDenials",
    "Child.addresses",
    "Child.assessments",
    "Child.breakGlassUses",
    "Child.cases",
    "Child.chronology",
    "Child.conferenceParts",
    "Child.conferences",
    "Child.contacts",
    "Child.families",
    "Child.familyMemberships",
    "Child.particularNeeds",
    "Child.plans",
    "Child.section47Enquiries",
    "Child.strategyDiscussions",
    "Conference.moves",
    "Conference.steps",
    "Contact.consultations",
    "ContactPerson.knownChildren",
    "ContactPerson.needs",
    "Goal.actions",
    "Goal.evidence",
    "Goal.supportRequests",
    "Invitation.attendances",
    "InformationRequest.chases",
    "Person.accessDenials",
    "Person.addresses",
    "Plan.adoptionSteps",
    "Plan.conferenceParts",
    "Plan.escalations",
    "Plan.goals",
    "Plan.openActions",
    "Plan.reviews",
    "Plan.sections",
    "Query.nodes",
    "Query.unallocatedCases",
    "Section47Enquiry.informationRequests",
    "StrategyDiscussion.participants",
    "SupportRequest.goals",
    "Unit.events",
    "Viewer.breakGlassAlerts",
];

/// Gives the first child in sight a conference in each state in which something can be done about it, each of which has
/// sat with one who came; and lets a chair work in unit 11 too.
pub async fn sit(client: &Client, in_sight: &[Beside]) {
    client
        .batch_execute(&format!(
            "do $$
             declare
                 v uuid := '{}'; one_case uuid; family uuid; member uuid; chair uuid; meeting uuid; invited uuid; sitting uuid;
                 state text;
             begin
                 select id into one_case from cases where child_id = v and status <> 'CLOSED';
                 select family_id into family from family_members where person_id = v order by from_on limit 1;
                 select id into member from workers where staff_no = 'U07-CSW';
                 select id into chair from workers where staff_no = 'CH-1';
                 insert into strategy_discussions (id, meeting_id, case_id, child_id, held_at, information_shared, decision,
                         decision_reason, recorded_by, recorded_at)
                     values (gen_random_uuid(), gen_random_uuid(), one_case, v, '2026-11-09 09:00Z', 'x', 'NFA', 'x', member,
                             '2026-11-09 10:00Z');
                 foreach state in array array['REQUESTED', 'SCHEDULED', 'INVITED', 'POSTPONED', 'IN_SESSION', 'DECIDED'] loop
                     meeting := gen_random_uuid(); invited := gen_random_uuid(); sitting := gen_random_uuid();
                     insert into conferences (id, family_id, type, state, requested_by, requested_at, scheduled_for, chair_id, held_at)
                         values (meeting, family, 'INITIAL', state, member, '2026-11-09 09:00Z',
                                 case when state <> 'REQUESTED' then timestamptz '2026-12-01 10:00Z' end,
                                 case when state <> 'REQUESTED' then chair end,
                                 case when state = 'DECIDED' then timestamptz '2026-11-17 09:00Z' end);
                     insert into conference_children (id, conference_id, child_id, case_id)
                         values (gen_random_uuid(), meeting, v, one_case);
                     insert into conference_invitations (id, conference_id, agency_name, capacity, sent_at, method, answer_asked_at)
                         values (invited, meeting, 'School', 'SCHOOL', '2026-11-10 09:00Z', 'EMAIL', '2026-11-10 09:00Z');
                     insert into conference_sittings (id, conference_id, opened_at, opened_by, ended_at, outcome, quorate, interim_plan)
                         values (sitting, meeting, '2026-11-17 09:00Z', chair,
                                 case when state <> 'IN_SESSION' then timestamptz '2026-11-17 10:00Z' end,
                                 case when state <> 'IN_SESSION' then 'INQUORATE' end,
                                 case when state <> 'IN_SESSION' then false end,
                                 case when state <> 'IN_SESSION' then 'x' end);
                     insert into conference_attendances (id, sitting_id, conference_id, invitation_id, attended, recorded_by, recorded_at)
                         values (gen_random_uuid(), sitting, meeting, invited, 'YES', chair, '2026-11-17 09:05Z');
                 end loop;
                 insert into unit_memberships (id, unit_id, worker_id, role, started_at)
                     select gen_random_uuid(), u.id, w.id, 'SOCIAL_WORKER', '2026-01-05 09:00Z' from units u, workers w
                     where u.name like '%Unit 11' and w.staff_no = 'CH-3';
             end $$",
            in_sight[0].child
        ))
        .await
        .unwrap();
}

/// Children whom different sorts of viewers see.
pub async fn in_sight(client: &Client) -> Vec<Beside> {
    let found = client
        .query(
            "with held as (
                 select a.child_id, u.name from allocations a join units u on u.id = a.unit_id
                 where a.kind = 'PRIMARY' and a.ended_at is null
             ), chaired as (
                 select cc.child_id, w.staff_no from conference_children cc join conferences c on c.id = cc.conference_id
                 join workers w on w.id = c.chair_id where c.state in ('SCHEDULED', 'INVITED')
             )
             -- Of unit 7, with a conference that is not the second chair's, and a plan.
             (select h.child_id, (select id from workers where staff_no = 'U07-SW')
              from held h where h.name like '%Unit 7'
                and exists (select from conference_children c join conferences k on k.id = c.conference_id
                            join workers w on w.id = k.chair_id where c.child_id = h.child_id and w.staff_no <> 'CH-2')
                and exists (select from plans p where p.child_id = h.child_id)
              order by h.child_id limit 1)
             union all
             (select c.child_id, (select id from workers where staff_no = 'CH-2') from chaired c
              where c.staff_no = 'CH-2' order by c.child_id limit 1)
             union all
             (select c.child_id, (select id from workers where staff_no = 'FR-1') from cases c
              where c.status = 'REFERRED' and not exists (select from held h where h.child_id = c.child_id)
                and exists (select from family_members m where m.person_id = c.child_id)
              order by c.child_id limit 1)",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(found.len(), 3, "no child to hide another beside");
    found.iter().map(|row| Beside { child: row.get(0), named: row.get(1) }).collect()
}

/// Where a hidden child's case is.
#[derive(Clone, Copy)]
pub struct Held {
    /// The number of the unit that holds it, if one does.
    by: Option<u32>,
    /// The one that held it before.
    before: u32,
    /// The one that is asked to take it over.
    asked: u32,
    lead: &'static str,
    chair: &'static str,
    /// Whoever is out of sight acts in its events.
    actor: &'static str,
}

/// Nobody's of unit 7.
pub const FAR: Held = Held { by: Some(11), before: 7, asked: 12, lead: "U11-CSW", chair: "CH-1", actor: "U11-CSW" };
/// Unit 7's own, with its people.
const OURS: Held = Held { by: Some(7), before: 11, asked: 12, lead: "U07-CSW", chair: "CH-2", actor: "U07-IN" };
/// Which unit 7 is asked to take over.
const COMING: Held = Held { by: Some(11), before: 12, asked: 7, lead: "U11-CSW", chair: "CH-1", actor: "U11-CSW" };
/// The queue's.
const QUEUED: Held = Held { by: None, before: 11, asked: 12, lead: "U11-CSW", chair: "CH-1", actor: "" };

/// What keeps a child's record from those who would see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    Nothing,
    /// A restriction that lists nobody who probes.
    Restriction,
    /// Denials that name everybody who probes.
    Denials,
    /// The same beside a restriction that lists them.
    DenialsOfListed,
}

/// Every way to keep a record.
pub const KEPT: &[(Held, Lock)] = &[
    (OURS, Lock::Restriction),
    (OURS, Lock::Denials),
    (OURS, Lock::DenialsOfListed),
    (COMING, Lock::Restriction),
    (COMING, Lock::Denials),
    (QUEUED, Lock::Restriction),
    (QUEUED, Lock::Denials),
];

/// Hides a child beside this one in every way of [`KEPT`].
pub async fn keep(client: &Client, beside: &Beside) -> Vec<Neighbour> {
    let mut hidden = Vec::new();
    for (held, lock) in KEPT {
        hidden.push(hide(client, beside, *held, *lock, false).await);
    }
    hidden
}

/// A hidden child and what is recorded of it.
pub struct Neighbour {
    pub child: Uuid,
    pub case: Uuid,
    /// Who acts in its events; nobody while no unit holds it.
    pub actor: &'static str,
    /// Records that can be seen beside it: type and id.
    pub beside: Vec<(String, Uuid)>,
}

/// Hides a child beside one in sight: of the same name and numbers, in the same family, a sibling, in the same
/// conferences, with conferences, plans and actions of the same people. `elsewhere`: an adult in sight also belongs to the
/// hidden child's other family. With a lock an adult of the family in sight is kept in the same way.
pub async fn hide(
    client: &Client,
    Beside { child, named }: &Beside,
    Held { by, before, asked, lead, chair, actor }: Held,
    lock: Lock,
    elsewhere: bool,
) -> Neighbour {
    let by = by.map_or_else(|| "none".to_owned(), |unit| unit.to_string());
    let denied = ATTACKERS.iter().filter_map(|(_, who, hidden_as)| match who {
        Who::Staff(number) if hidden_as.contains(&DENIED) => Some(format!("'{number}'")),
        _ => None,
    });
    let denied = denied.collect::<Vec<_>>().join(", ");
    let (restricts, denies) = (
        matches!(lock, Lock::Restriction | Lock::DenialsOfListed),
        matches!(lock, Lock::Denials | Lock::DenialsOfListed),
    );
    let listed = if lock == Lock::DenialsOfListed { &denied } else { "'U11-CSW'" };
    client
        .batch_execute(&format!(
            "create temp table if not exists placed (of text, id uuid);
             truncate placed;
             do $$
             declare
                 v uuid := '{child}'; w uuid := '{named}';
                 h uuid := gen_random_uuid(); b uuid := gen_random_uuid(); x uuid := gen_random_uuid(); family uuid; adult uuid;
                 other_family uuid := gen_random_uuid(); far uuid; beside uuid; near uuid; lead uuid; chair uuid; owner uuid;
                 officer uuid; stranger uuid;
                 old_case uuid := gen_random_uuid(); new_case uuid := gen_random_uuid();
                 meeting uuid := gen_random_uuid(); shared uuid; invited uuid := gen_random_uuid(); own uuid := gen_random_uuid();
                 sitting uuid := gen_random_uuid(); plan uuid := gen_random_uuid(); goal uuid := gen_random_uuid();
                 called uuid := gen_random_uuid(); told uuid := gen_random_uuid(); together uuid;
             begin
                 select id into far from units where name like '%Unit {by}';
                 select id into beside from units where name like '%Unit {asked}';
                 select id into near from units where name like '%Unit {before}';
                 select id into lead from workers where staff_no = '{lead}';
                 select id into chair from workers where staff_no = '{chair}';
                 select id into owner from workers where staff_no = 'SM-3';
                 select id into officer from workers where staff_no = 'IRO-1';
                 select id into stranger from workers where staff_no = 'U12-CSW';
                 select family_id into family from family_members where person_id = v order by from_on limit 1;
                 select m.person_id into adult from family_members m
                     where m.family_id = family and not exists (select from children c where c.id = m.person_id)
                     order by m.person_id limit 1;
                 insert into persons (id, first_name, last_name, preferred_name, date_of_birth, expected_date_of_birth, sex, nhs_no)
                     select h, first_name, last_name, preferred_name, date_of_birth, expected_date_of_birth, sex, nhs_no
                     from persons where id = v;
                 insert into children (id, upn, disabilities) select h, upn, disabilities from children where id = v;
                 insert into persons (id, first_name, last_name, date_of_birth, sex)
                     select b, 'Alex', last_name, '1985-05-05', 'F' from persons where id = v;
                 if {restricts} or {denies} then
                     insert into persons (id, first_name, last_name, date_of_birth, sex)
                         select x, 'Kit', last_name, '1986-05-05', 'M' from persons where id = v;
                     insert into family_members (id, family_id, person_id, from_on)
                         values (gen_random_uuid(), family, x, '2020-01-01');
                     insert into relationships (id, person_id, other_id, type, parental_responsibility, from_on)
                         select gen_random_uuid(), * from (values
                             (x, v, 'parent', 'Y', date '2020-01-01'), (v, x, 'child', 'N', '2020-01-01'),
                             (x, h, 'parent', 'Y', '2020-01-01'), (h, x, 'child', 'N', '2020-01-01')) r;
                     -- Nobody who probes is named.
                     insert into access_denials (id, person_id, worker_id, reason, started_at, created_by)
                         values (gen_random_uuid(), h, stranger, 'RELATIVE', '2026-11-02 09:00Z', owner);
                     insert into break_glass_uses (id, child_id, worker_id, reason, explanation, started_at, ends_at,
                             alerted, review_due_on)
                         values (gen_random_uuid(), h, stranger, 'OTHER', 'x', '2026-11-01 09:00Z', '2026-11-01 10:00Z',
                                 array[owner], '2026-11-02');
                 end if;
                 if {restricts} then
                     insert into access_restrictions (id, person_id, reason, owner_id, allowed, started_at, created_by)
                         select gen_random_uuid(), p.id, 'WITNESS', owner,
                                array(select k.id from workers k where k.staff_no in ('SM-3', 'U07-IN', {listed})),
                                '2026-11-02 09:00Z', owner
                         from unnest(array[h, x]) p (id);
                 end if;
                 if {denies} then
                     insert into access_denials (id, person_id, worker_id, reason, started_at, created_by)
                         select gen_random_uuid(), p.id, k.id, 'RELATIVE', '2026-11-02 09:00Z', owner
                         from unnest(array[h, x]) p (id), workers k where k.staff_no in ({denied});
                 end if;
                 insert into addresses (id, person_id, kind, line, postcode, from_on)
                     values (gen_random_uuid(), h, 'HOME', '1 Hidden Street', 'N1 1AA', '2020-01-01');
                 insert into family_groups (id, name) select other_family, name from family_groups where id = family;
                 insert into family_members (id, family_id, person_id, from_on)
                     values (gen_random_uuid(), family, h, '2020-01-01'), (gen_random_uuid(), other_family, h, '2020-01-01'),
                            (gen_random_uuid(), other_family, b, '2020-01-01');
                 insert into relationships (id, person_id, other_id, type, parental_responsibility, from_on)
                     select gen_random_uuid(), * from (values
                         (h, v, 'sibling', 'N', date '2020-01-01'), (v, h, 'sibling', 'N', '2020-01-01'),
                         (b, h, 'parent', 'Y', '2020-01-01'), (h, b, 'child', 'N', '2020-01-01')) r;
                 if adult is not null then
                     insert into relationships (id, person_id, other_id, type, parental_responsibility, from_on)
                         values (gen_random_uuid(), adult, h, 'parent', 'Y', '2020-01-01'),
                                (gen_random_uuid(), h, adult, 'child', 'N', '2020-01-01'),
                                (gen_random_uuid(), adult, b, 'partner', 'N', '2020-01-01'),
                                (gen_random_uuid(), b, adult, 'partner', 'N', '2020-01-01');
                     if {elsewhere} then
                         insert into family_members (id, family_id, person_id, from_on)
                             values (gen_random_uuid(), other_family, adult, '2020-01-01');
                     end if;
                 end if;

                 insert into cases (id, child_id, opened_on, status, primary_need, closed_on, closure_reason)
                     values (old_case, h, '2025-01-06', 'CLOSED', 'N1', '2025-06-02', 'RC1');
                 insert into cases (id, child_id, opened_on, status, primary_need)
                     values (new_case, h, '2026-07-01', 'CIN', 'N1');
                 insert into allocations (id, case_id, child_id, unit_id, kind, started_at, ended_at, reason_start, reason_end)
                     select gen_random_uuid(), new_case, h, unit, 'PRIMARY', started, ended, 'x', case when ended is not null then 'x' end
                     from (values (near, timestamptz '2026-07-02 09:00Z', timestamptz '2026-08-03 09:00Z'),
                                  (far, '2026-08-03 09:00Z', null)) a (unit, started, ended)
                     where unit is not null;
                 insert into worker_involvements (id, case_id, child_id, worker_id, capacity, started_at, ended_at)
                     select gen_random_uuid(), new_case, h, worker, capacity, started, ended
                     from (values (w, 'LEAD_PRACTITIONER', timestamptz '2026-07-02 09:00Z', timestamptz '2026-08-03 09:00Z'),
                                  (lead, 'LEAD_PRACTITIONER', '2026-08-03 09:00Z', null),
                                  (w, 'CO_WORKER', '2026-08-03 09:00Z', null),
                                  (officer, 'IRO', '2026-08-03 09:00Z', null)) i (worker, capacity, started, ended)
                     where (far is not null or ended is not null) and (capacity <> 'IRO' or {restricts} or {denies});
                 insert into case_transfers (id, case_id, child_id, from_unit_id, to_unit_id, kind, state, requested_by,
                         requested_at, responded_by, responded_at, effective_on, handover_summary)
                     values (gen_random_uuid(), new_case, h, near, coalesce(far, beside), 'WITHIN_SERVICE', 'COMPLETED', w,
                             '2026-08-01 09:00Z', w, '2026-08-03 09:00Z', '2026-08-03', 'x');
                 insert into case_transfers (id, case_id, child_id, from_unit_id, to_unit_id, kind, state, requested_by,
                         requested_at, handover_summary)
                     select gen_random_uuid(), new_case, h, far, beside, 'WITHIN_SERVICE', 'REQUESTED', w,
                            '2026-11-16 09:00Z', 'x' where far is not null;

                 -- Assessed, and enquired about, by the same worker; in a meeting that was about the one in sight too.
                 insert into assessments (id, case_id, child_id, started_on, author_id, written_by)
                     values (gen_random_uuid(), new_case, h, '2026-11-02', w, w);
                 insert into strategy_discussions (id, meeting_id, case_id, child_id, held_at, information_shared, decision,
                         decision_reason, recorded_by, recorded_at)
                     values (own, coalesce((select s.meeting_id from strategy_discussions s where s.child_id = v
                                            order by s.id limit 1), own),
                             new_case, h, '2026-11-09 09:00Z', 'x', 'S47_SINGLE', 'x', w, '2026-11-09 10:00Z');
                 insert into strategy_participants (id, discussion_id, case_id, child_id, position, agency, name)
                     values (gen_random_uuid(), own, new_case, h, 1, 'SOCIAL_CARE', 'x');
                 insert into section47_enquiries (id, case_id, child_id, discussion_id, started_on, mode, lead_id)
                     values (called, new_case, h, own, '2026-11-09', 'SINGLE', w);
                 insert into agency_participants (id, case_id, child_id, agency, organisation, joined_on, added_by)
                     values (told, new_case, h, 'SCHOOL', 'x', '2026-11-09', w);
                 insert into information_requests (id, case_id, child_id, participant_id, enquiry_id, duty, questions, asked_by,
                         asked_at, due_at)
                     values (own, new_case, h, told, called, 'S47', 'x', w, '2026-11-10 09:00Z', '2026-11-20 09:00Z');
                 insert into placed select 'StrategyDiscussion', s.id from strategy_discussions s where s.child_id = v;

                 -- Somebody called about the hidden child alone; somebody about both.
                 insert into contacts (id, received_at, channel, source, caller_name, concern, consent, status, decision,
                         decision_reason, decided_by, decided_at, taken_by)
                     values (called, '2026-11-05 09:00Z', 'PHONE', '2A', 'x', 'x', 'GIVEN', 'PASSED_TO_CASE', 'PASS_TO_OPEN_CASE',
                             'x', w, '2026-11-05 10:00Z', w);
                 insert into contact_people (id, contact_id, position, kind, first_name, child_id, matched_by, matched_at, case_id)
                     values (told, called, 1, 'CHILD', 'x', h, w, '2026-11-05 09:10Z', new_case);
                 insert into particular_needs (id, contact_id, contact_person_id, kind, answer, description, recorded_by, recorded_at)
                     values (gen_random_uuid(), called, told, 'RELIGION', 'NEED', 'x', w, '2026-11-05 09:00Z');
                 insert into consultations (id, contact_id, worker_id, scheduled_for, online, state, recorded_by, recorded_at)
                     values (gen_random_uuid(), called, w, '2026-11-06 09:00Z', true, 'HELD', w, '2026-11-06 10:00Z');
                 select c.id into together from contacts c join contact_people p on p.contact_id = c.id
                     where p.child_id = v and c.status <> 'CONTACT'
                     order by exists (select from consultations o where o.contact_id = c.id) desc, c.id limit 1;
                 if together is not null then
                     told := gen_random_uuid();
                     insert into contact_people (id, contact_id, position, kind, first_name, child_id, matched_by, matched_at)
                         select told, together, max(position) + 1, 'CHILD', 'x', h, w, '2026-11-02 09:10Z'
                         from contact_people where contact_id = together;
                     insert into particular_needs (id, contact_id, contact_person_id, kind, answer, description, recorded_by, recorded_at)
                         values (gen_random_uuid(), together, told, 'RELIGION', 'NEED', 'x', w, '2026-11-02 09:00Z');
                     insert into placed values ('Contact', together);
                     insert into placed select 'ContactPerson', p.id from contact_people p
                         where p.contact_id = together and p.child_id = v;
                 end if;
                 insert into referrals (id, contact_id, case_id, child_id, received_on, source, category, decision,
                         decision_reason, decided_by, decided_at, re_referral, created_by, created_at)
                     values (gen_random_uuid(), coalesce(together, called), new_case, h, '2026-07-01', '2A', 'NEGLECT',
                             'ACCEPT_ASSESS', 'x', w, '2026-07-01 10:00Z', false, w, '2026-07-01 10:00Z');

                 insert into conferences (id, family_id, type, state, requested_by, requested_at, scheduled_for, chair_id)
                     values (meeting, family, 'INITIAL', 'INVITED', w, '2026-11-09 09:00Z', '2026-12-01 10:00Z', chair);
                 insert into conference_children (id, conference_id, child_id, case_id)
                     values (gen_random_uuid(), meeting, h, new_case);
                 insert into conference_invitations (id, conference_id, person_id, worker_id, agency_name, capacity, sent_at,
                         method, answer_asked_at)
                     values (invited, meeting, adult, case when adult is null then lead end, null, 'PARENT',
                             '2026-11-10 09:00Z', 'EMAIL', '2026-11-10 09:00Z'),
                            (gen_random_uuid(), meeting, null, w, null, 'SOCIAL_CARE', '2026-11-10 09:00Z', 'EMAIL',
                             '2026-11-10 09:00Z'),
                            (own, meeting, h, null, null, 'CHILD', '2026-11-10 09:00Z', 'EMAIL', '2026-11-10 09:00Z');
                 insert into conference_moves (id, conference_id, moved_from, moved_to, reason, moved_by, moved_at)
                     values (gen_random_uuid(), meeting, '2026-11-30 10:00Z', '2026-12-01 10:00Z', 'x', w, '2026-11-11 09:00Z');
                 insert into conference_steps (id, conference_id, step, state_before, state_after, taken_by, taken_at, version)
                     values (gen_random_uuid(), meeting, 'INVITE', 'SCHEDULED', 'INVITED', w, '2026-11-10 09:00Z', 2);
                 insert into conference_sittings (id, conference_id, opened_at, opened_by, ended_at, outcome, quorate, interim_plan)
                     values (sitting, meeting, '2026-11-12 09:00Z', w, '2026-11-12 10:00Z', 'INQUORATE', false, 'x');
                 insert into conference_attendances (id, sitting_id, conference_id, invitation_id, person_id, attended,
                         recorded_by, recorded_at)
                     values (gen_random_uuid(), sitting, meeting, invited, adult, 'YES', w, '2026-11-12 09:05Z');
                 insert into conference_views (id, sitting_id, conference_id, invitation_id, person_id, child_id, agrees, text,
                         recorded_by, recorded_at)
                     values (gen_random_uuid(), sitting, meeting, invited, adult, h, true, 'x', w, '2026-11-12 09:30Z');
                 -- Not in a conference of the chair who probes: its chair sees every child of it, but for a lock.
                 for shared in
                     select c.id from conference_children cc join conferences c on c.id = cc.conference_id
                     left join workers k on k.id = c.chair_id
                     where cc.child_id = v and (k.staff_no is distinct from 'CH-2' or {restricts} or {denies})
                       and not exists (select from conference_children c where c.conference_id = cc.conference_id
                                       and c.child_id = h) order by c.id
                 loop
                     insert into conference_children (id, conference_id, child_id, case_id)
                         values (gen_random_uuid(), shared, h, new_case);
                     own := gen_random_uuid();
                     insert into conference_invitations (id, conference_id, person_id, capacity, sent_at, method, answer_asked_at)
                         values (own, shared, h, 'CHILD', '2026-11-10 09:00Z', 'EMAIL', '2026-11-10 09:00Z');
                     -- Came to it, and said something; somebody in sight said something about the hidden child.
                     insert into conference_attendances (id, sitting_id, conference_id, invitation_id, person_id, attended,
                             recorded_by, recorded_at)
                         select gen_random_uuid(), s.id, shared, own, h, 'YES', w, '2026-11-17 09:05Z'
                         from conference_sittings s where s.conference_id = shared;
                     insert into conference_views (id, sitting_id, conference_id, invitation_id, person_id, child_id, agrees,
                             text, recorded_by, recorded_at)
                         select gen_random_uuid(), s.id, shared, own, h, null::uuid, true, 'x', w, timestamptz '2026-11-17 09:30Z'
                         from conference_sittings s where s.conference_id = shared
                         union all
                         select gen_random_uuid(), a.sitting_id, shared, a.invitation_id, a.person_id, h, true, 'x', w,
                                '2026-11-17 09:30Z'
                         from conference_attendances a where a.conference_id = shared and a.invitation_id <> own;
                     insert into placed values ('Conference', shared);
                     insert into placed select 'Invitation', i.id from conference_invitations i
                         where i.conference_id = shared and i.person_id is distinct from h order by i.id limit 1;
                 end loop;
                 insert into plan_shares (id, plan_id, child_id, person_id, shared_on, method, shared_by)
                     select gen_random_uuid(), p.id, v, h, '2026-11-12', 'LETTER', w from plans p where p.child_id = v;
                 insert into plan_views (id, plan_id, child_id, person_id, stance, words, said_on, recorded_by, recorded_at)
                     select gen_random_uuid(), p.id, v, h, 'AGREES', 'x', '2026-11-12', w, '2026-11-12 09:00Z'
                     from plans p where p.child_id = v;

                 insert into plans (id, case_id, child_id, kind, status, start_on, overall_aim, agreed_change_by, review_due_on,
                         conference_id)
                     values (plan, new_case, h, 'CIN', 'ACTIVE', '2026-08-10', 'x', '2026-12-10', '2026-11-30', shared);
                 insert into plan_goals (id, plan_id, child_id, position, what_needs_to_change)
                     values (goal, plan, h, 1, 'x');
                 insert into plan_actions (id, goal_id, plan_id, child_id, text, owner_worker_id, due_on)
                     values (gen_random_uuid(), goal, plan, h, 'x', w, '2026-11-19');
                 insert into change_evidence (id, goal_id, lineage_id, plan_id, child_id, observed_on, source, strength, text,
                         recorded_by, recorded_at)
                     values (gen_random_uuid(), goal, goal, plan, h, '2026-11-02', 'VISIT', 'WEAK', 'x', w, '2026-11-02 09:00Z');
                 insert into plan_reviews (id, plan_id, child_id, held_on, chair_id, conference_id, change_of_plan,
                         next_review_on, recorded_by, recorded_at)
                     values (gen_random_uuid(), plan, h, '2026-10-05', w, shared, false, '2026-11-30', w, '2026-10-05 09:00Z');
                 insert into plan_escalations (id, plan_id, child_id, raised_at, raised_by, reason)
                     values (gen_random_uuid(), plan, h, '2026-11-02 09:00Z', w, 'x');
                 insert into support_requests (id, case_id, child_id, worker_id, asked_for, status, requested_by, requested_at,
                         answered_at, reason)
                     values (own, new_case, h, w, 'x', 'DECLINED', w, '2026-11-03 09:00Z', '2026-11-04 09:00Z', 'x');
                 insert into support_goals (request_id, child_id, goal_id, position) values (own, h, goal, 1);
                 if adult is not null then
                     insert into plan_actions (id, goal_id, plan_id, child_id, text, owner_person_id, due_on)
                         values (gen_random_uuid(), goal, plan, h, 'x', adult, '2026-11-19');
                     insert into plan_shares (id, plan_id, child_id, person_id, shared_on, method, shared_by)
                         values (gen_random_uuid(), plan, h, adult, '2026-08-11', 'LETTER', w);
                     insert into plan_views (id, plan_id, child_id, person_id, stance, words, said_on, recorded_by, recorded_at)
                         values (gen_random_uuid(), plan, h, adult, 'DISAGREES', 'x', '2026-08-10', w, '2026-08-10 09:00Z');
                 end if;

                 insert into placed values ('hidden child', h), ('hidden case', new_case), ('Child', v), ('Person', v),
                     ('Person', adult), ('FamilyGroup', family), ('Unit', near), ('Unit', far),
                     ('Unit', beside), ('Worker', w), ('Worker', lead), ('Worker', chair);
                 insert into placed select 'Case', id from cases where child_id = v;
                 insert into placed select 'Plan', id from plans where child_id = v;
             end $$"
        ))
        .await
        .unwrap();
    let placed = client.query("select of, id from placed where id is not null", &[]).await.unwrap();
    let placed: Vec<(String, Uuid)> = placed.iter().map(|row| (row.get(0), row.get(1))).collect();
    let of = |what: &str| placed.iter().find(|(of, _)| of == what).unwrap().1;
    let (child, case) = (of("hidden child"), of("hidden case"));
    Neighbour { child, case, actor, beside: placed.into_iter().filter(|(of, _)| !of.starts_with("hidden")).collect() }
}

/// Brings unit 12 in on a case, as the holding unit's consultant social worker, with all its events.
pub async fn bring_in(asking: &Asking<'_>, consultant: &str, case: Uuid) {
    // No unit of it can.
    if consultant.is_empty() {
        return;
    }
    let server = asking.server;
    let client = support::connect("postgres", &server.database).await;
    let find = "select w.id, c.version from workers w, cases c where w.staff_no = $1 and c.id = $2";
    let row = client.query_one(find, &[&consultant, &case]).await.unwrap();
    let token = support::token_for(row.get(0), chrono::Duration::hours(1));
    let input = json!({ "idempotencyKey": support::key(), "caseId": format!("Case:{case}"), "reason": "x",
                        "unitId": server.unit(12).await, "expectedVersion": row.get::<_, i32>(1) });
    let answer = asking.ask(&token, &support::document("startJointAllocation", ""), json!({ "input": input })).await;
    assert!(answer.body.contains("\"errors\":[]"), "{}", answer.body);
}

/// Changes what is hidden.
pub async fn change(client: &Client, Neighbour { child, .. }: &Neighbour) {
    client
        .batch_execute(&format!(
            "update persons set last_name = 'Aardvark', preferred_name = 'Zoe', version = version + 1 where id = '{child}';
             update cases set status = 'CONFERENCE_PENDING', version = version + 1
                 where child_id = '{child}' and status <> 'CLOSED';
             update allocations set ended_at = started_at + interval '1 second', reason_end = 'x'
                 where child_id = '{child}' and ended_at is null and kind <> 'PRIMARY';
             update worker_involvements set ended_at = '2026-11-18 09:00Z' where child_id = '{child}' and ended_at is null;
             update section47_enquiries set medical = true, version = version + 1
                 where child_id = '{child}' and status <> 'CONCLUDED';
             update information_requests set status = 'CHASED', version = version + 1 where child_id = '{child}' and status = 'SENT';
             update case_transfers set state = 'REJECTED', response_reason = 'x', responded_by = requested_by, responded_at = '2026-11-18 09:00Z'
                 where child_id = '{child}' and state = 'REQUESTED';
             update conferences set scheduled_for = '2026-12-02 10:00Z', state = 'SCHEDULED', version = version + 1
                 where id in (select c.conference_id from conference_children c group by 1
                              having bool_and(c.child_id = '{child}'));
             update conference_children set participation = 'PN1' where child_id = '{child}';
             update conference_invitations set response = 'ACCEPTED', responded_at = '2026-11-18 09:00Z'
                 where person_id = '{child}';
             update access_restrictions set reason = 'OTHER', version = version + 1 where person_id = '{child}';
             update access_denials set version = version + 1 where person_id = '{child}';
             update break_glass_uses set finding = 'JUSTIFIED', reviewed_by = alerted[1], reviewed_at = '2026-11-18 09:00Z',
                    version = version + 1 where child_id = '{child}';
             update plan_goals set status = 'MET' where child_id = '{child}';
             update plan_actions set done_on = '2026-11-18' where child_id = '{child}';
             update plans set review_due_on = '2026-11-20', status = 'ENDED', end_on = '2026-11-18' where child_id = '{child}';
             update relationships set to_on = '2026-11-17' where '{child}' in (person_id, other_id);
             update family_members set to_on = '2026-11-17' where person_id = '{child}';
             update addresses set to_on = '2026-11-17' where person_id = '{child}';"
        ))
        .await
        .unwrap();
}

/// Puts what stands beside the hidden records among what the viewers ask about.
pub fn look_beside(viewers: &mut [Attacker], types: &[&'static str], beside: &[(String, Uuid)]) {
    for viewer in viewers {
        for of in types {
            let mut records: Vec<Own> = viewer.own_of(of).iter().take(1).copied().collect();
            for (_, id) in beside.iter().filter(|(kind, _)| kind == of) {
                if !records.iter().any(|own| own.id == *id) {
                    records.push(Own { id: *id, version: 1 });
                }
            }
            viewer.own.insert(of, records);
        }
    }
}

/// The feeds that a viewer has open, on one socket.
pub struct Feeds {
    socket: Socket,
    /// Those that every event about the child in sight comes to.
    waiting: Vec<&'static str>,
}

impl Feeds {
    /// Opens the viewer's own feed, and those of this unit and child for whom sees them.
    pub async fn open(asking: &Asking<'_>, viewer: &Attacker, unit: Option<&str>, child: Option<Uuid>) -> Self {
        let server = asking.server;
        server.all_placed().await;
        let mut socket = Socket::open(&format!("ws://{}/graphql", server.address), &viewer.token).await;
        let item = "__typename ... on Event { type caseRef { caseId } }";
        let mut feeds = vec![("myFeed", String::new())];
        feeds.extend(unit.map(|unit| ("unitFeed", format!("(unitId: \"{unit}\")"))));
        feeds.extend(child.map(|child| ("childFeed", format!("(childId: \"Child:{child}\")"))));
        for (name, arguments) in &feeds {
            let text = format!("subscription {{ {name}{arguments} {{ {item} }} }}");
            socket.subscribe(name, &text, json!({})).await;
            let opened = socket.item().await;
            assert_eq!(opened["__typename"], "FeedOpened", "{name} as {}", viewer.name);
        }
        Self { socket, waiting: feeds.iter().skip(1).map(|(name, _)| *name).collect() }
    }

    /// All that is said until each waiting feed has said something and nothing more is to be said: of each item the
    /// case that it is about.
    pub async fn heard(&mut self) -> Vec<Value> {
        let (mut heard, mut asked) = (Vec::new(), false);
        loop {
            if self.waiting.is_empty() && !asked {
                self.socket.say(json!({ "type": "ping" })).await;
                asked = true;
            }
            let mut message = self.socket.hear().await;
            if message["type"] == "pong" {
                return heard;
            }
            let name = message["id"].as_str().unwrap_or_default().to_owned();
            self.waiting.retain(|waiting| *waiting != name);
            heard.push(message["payload"]["data"][&name]["caseRef"]["caseId"].take());
        }
    }
}
