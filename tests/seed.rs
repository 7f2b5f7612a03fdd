//! The demo authority, and a large one around it.

use std::collections::HashSet;

use hearth::seed::{SeedError, Sizes, Summary};
use tokio_postgres::Client;

use crate::support::{self, today, url};

async fn digest(database: &str) -> Vec<(String, String)> {
    let client = support::connect("postgres", database).await;
    let tables = client
        .query(
            "select relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'public' and relkind = 'r' and relname not like '\\_\\_%' order by 1",
            &[],
        )
        .await
        .unwrap();
    let mut digests = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        let query = format!("select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {table} t");
        digests.push((table, client.query_one(&query, &[]).await.unwrap().get(0)));
    }
    digests
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_day_makes_the_same_authority() {
    let (one, two) = (support::database().await, support::empty_database().await);
    hearth::seed::demo_authority(&url("hearth_seed", &two), today(), false, &mut |_, _, _| {}).await.unwrap();
    assert_eq!(digest(&one).await, digest(&two).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_empty_is_left_alone() {
    let database = support::database().await;
    let before = digest(&database).await;
    let again = hearth::seed::demo_authority(&url("hearth_seed", &database), today(), true, &mut |_, _, _| {}).await;
    assert!(again.unwrap().is_none());
    let again = hearth::seed::demo_authority(&url("hearth_seed", &database), today(), false, &mut |_, _, _| {}).await;
    assert!(again.is_err());
    assert_eq!(digest(&database).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_authority_is_believable() {
    let client = support::connect("postgres", &support::database().await).await;
    for (what, query) in [
        ("twelve units", "select count(*) = 12 from units"),
        ("three areas", "select count(*) = 3 from areas"),
        ("all five roles in each", "select bool_and(n = 5) from (select count(distinct role) n from unit_memberships
            where ended_at is null group by unit_id) s"),
        ("about 600 children", "select count(*) between 550 and 650 from children"),
        ("an open case has one holder or waits", "select count(*) > 5 from cases c where closed_on is null and not exists
            (select from allocations a where a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null)"),
        ("no plan in the queue", "select count(*) = 0 from plans p join cases c on c.id = p.case_id where c.status = 'REFERRED'"),
        ("every held case has a lead of its unit", "select count(*) = 0 from allocations a where kind = 'PRIMARY' and ended_at is null
            and not exists (select from worker_involvements w join unit_memberships m on m.worker_id = w.worker_id and m.unit_id = a.unit_id
                            where w.case_id = a.case_id and w.ended_at is null and w.capacity = 'LEAD_PRACTITIONER')"),
        ("coming conferences", "select count(*) >= 5 from conferences where scheduled_for > '2026-11-18 10:00' and state in ('SCHEDULED', 'INVITED')"),
        ("plans of looked-after children", "select count(*) filter (where not c.looked_after and p.kind = 'CARE') = 0
            and count(*) filter (where p.kind = 'CARE') > 50 and count(distinct p.kind) = 8
            from plans p join (select id, status like 'LOOKED_AFTER%' as looked_after from cases) c on c.id = p.case_id"),
        ("parenting support is asked for and given", "select count(distinct status) = 2 from support_requests"),
        ("a protection plan starts with its conference", "select count(*) = 0 from plans p join conferences c on c.id = p.conference_id
            where p.kind = 'CHILD_PROTECTION' and p.start_on <> (c.held_at at time zone 'Europe/London')::date"),
        ("nothing has happened yet that lies ahead", "select count(*) = 0 from allocations where started_at > '2026-11-18 09:00'"),
        ("sight is as the allocations say", "select count(*) = 0 from allocations a where ended_at is null and not exists
            (select from sight s where s.subject_id = a.child_id and s.holder_id = a.unit_id and s.whole)"),
        ("sight ends with its source", "select count(*) = 0 from sight s join allocations a on a.id = s.source_id where a.ended_at is not null"),
    ] {
        assert!(client.query_one(query, &[]).await.unwrap().get::<_, bool>(0), "{what}");
    }
}

const SIZES: Sizes = Sizes { units: 40, children: 2000 };

async fn bulk(role: &str, database: &str, if_empty: bool) -> Result<Option<Summary>, SeedError> {
    hearth::seed::bulk_authority(&url(role, database), today(), SIZES, if_empty, &mut |_, _, _| {}).await
}

/// A large authority, made once for the tests that only read it.
async fn large() -> &'static (String, Summary) {
    static LARGE: tokio::sync::OnceCell<(String, Summary)> = tokio::sync::OnceCell::const_new();
    let make = || async {
        let database = support::empty_database().await;
        let made = bulk("hearth_bulk", &database, false).await.unwrap().unwrap();
        (database, made)
    };
    LARGE.get_or_init(make).await
}

async fn number(client: &Client, query: &str) -> usize {
    client.query_one(query, &[]).await.unwrap().get::<_, i64>(0).try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_authority_has_the_size_asked_for() {
    let (database, made) = large().await;
    let client = support::connect("postgres", database).await;
    for (what, query, told) in [
        ("units", "select count(*) from units", made.units),
        ("children", "select count(*) from children", made.children),
        ("workers", "select count(*) from workers", made.workers),
        ("families", "select count(*) from family_groups", made.families),
        ("open cases", "select count(*) from cases where closed_on is null", made.open_cases),
        ("allocations", "select count(*) from allocations", made.allocations),
        ("open allocations", "select count(*) from allocations where ended_at is null", made.open_allocations),
        ("plans", "select count(*) from plans", made.plans),
        ("actions", "select count(*) from plan_actions", made.actions),
        ("conferences", "select count(*) from conferences", made.conferences),
        ("invitations", "select count(*) from conference_invitations", made.invitations),
    ] {
        assert_eq!(number(&client, query).await, told, "{what}");
    }
    assert_eq!((made.units, made.children), (SIZES.units, SIZES.children));
    // For a child: about half a family, one and a half allocations of which one is open, and so on.
    for (what, count, least, most) in [
        ("families", made.families, 900, 1_150),
        ("allocations", made.allocations, 2_800, 3_600),
        ("open allocations", made.open_allocations, 1_750, 2_100),
        ("plans", made.plans, 2_900, 3_600),
        ("actions", made.actions, 8_500, 11_500),
        ("conferences", made.conferences, 600, 850),
        ("invitations", made.invitations, 3_600, 4_600),
    ] {
        assert!((least..=most).contains(&count), "{count} {what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_authority_holds_the_demo_authority_as_it_is() {
    let demo = support::database().await;
    let database = &large().await.0;
    let (one, all) = (support::connect("postgres", &demo).await, support::connect("postgres", database).await);
    for (table, _) in digest(&demo).await {
        let query = format!("select t::text from {table} t");
        let rows = |rows: Vec<tokio_postgres::Row>| rows.iter().map(|row| row.get(0)).collect::<HashSet<String>>();
        let (of_demo, of_all) =
            (rows(one.query(&query, &[]).await.unwrap()), rows(all.query(&query, &[]).await.unwrap()));
        assert!(of_demo.is_subset(&of_all), "{table}: {:?}", of_demo.difference(&of_all).next());
    }
    let people = |database: &str| {
        let url = url("hearth_seed", database);
        async move { hearth::seed::demo_people(&url).await.unwrap() }
    };
    assert_eq!(people(&demo).await, people(database).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_authority_is_believable() {
    let client = support::connect("postgres", &large().await.0).await;
    for (what, query) in [
        ("all five roles in each unit", "select bool_and(n = 5) from (select count(distinct role) n from units u
            join unit_memberships m on m.unit_id = u.id and ended_at is null group by u.id) s"),
        ("no unit holds more than it can", "select max(n) between 40 and 60 from (select count(*) n from allocations
            where kind = 'PRIMARY' and ended_at is null group by unit_id) s"),
        ("no unit is idle", "select min(n) >= 25 from (select count(a.id) n from units u left join allocations a
            on a.unit_id = u.id and kind = 'PRIMARY' and ended_at is null group by u.id) s"),
        ("a queue", "select count(*) between 8 and 40 from cases where status = 'REFERRED'"),
        ("who is not in the queue is held", "select count(*) = 0 from cases c where closed_on is null and (status = 'REFERRED') =
            exists (select from allocations a where a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null)"),
        ("every held case has a lead of its unit", "select count(*) = 0 from allocations a where kind = 'PRIMARY' and ended_at is null
            and not exists (select from worker_involvements w join unit_memberships m on m.worker_id = w.worker_id and m.unit_id = a.unit_id
                            where w.case_id = a.case_id and w.ended_at is null and w.capacity = 'LEAD_PRACTITIONER')"),
        ("joint allocations", "select count(*) > 50 from allocations where kind = 'JOINT' and ended_at is null"),
        ("requested transfers", "select count(*) > 10 from case_transfers where state = 'REQUESTED'"),
        ("a plan of the kind that the status says", "select count(*) = 0 from cases c
            left join plans p on p.case_id = c.id and p.end_on is null and p.kind in ('CIN', 'CHILD_PROTECTION')
            where case c.status when 'CIN' then p.kind is distinct from 'CIN'
                                when 'CP' then p.kind is distinct from 'CHILD_PROTECTION'
                                when 'CONFERENCE_PENDING' then p.kind = 'CHILD_PROTECTION'
                                when 'CARE_DECISION' then p.kind is null
                                else p.kind is not null end"),
        ("a protection plan starts with its conference", "select count(*) = 0 from plans p join conferences c on c.id = p.conference_id
            where p.kind = 'CHILD_PROTECTION' and p.start_on <> (c.held_at at time zone 'Europe/London')::date"),
        ("conferences in every stage", "select count(distinct state) = 5 from conferences"),
        ("a chair has one conference at a time", "select count(*) = 0 from
            (select from conferences group by chair_id, scheduled_for having chair_id is not null and count(*) > 1) s"),
        ("relationships both ways", "select count(*) = 0 from relationships r where not exists
            (select from relationships o where (o.person_id, o.other_id) = (r.other_id, r.person_id))"),
        ("somebody is responsible for every born child", "select count(*) = 0 from children c join persons p on p.id = c.id
            where date_of_birth is not null and not exists
            (select from relationships r where r.other_id = c.id and r.parental_responsibility = 'Y')"),
        ("everybody lives somewhere", "select count(*) = 0 from persons p where date_of_birth is not null and not exists
            (select from addresses a where a.person_id = p.id and a.to_on is null)"),
        ("brothers and sisters", "select avg(n) between 1.6 and 2.2 from (select count(*) n from family_members m
            join children c on c.id = m.person_id group by m.family_id) s"),
        ("dates over years", "select count(distinct extract(year from opened_on)) >= 4 from cases"),
        ("nothing has happened yet that lies ahead", "select count(*) = 0 from allocations where started_at > '2026-11-18 09:00'"),
        ("the next numbers are free", "select nextval('persons_person_no_seq') > max(person_no) from persons"),
        ("and those of cases", "select nextval('cases_case_no_seq') > max(case_no) from cases"),
        ("fresh statistics", "select bool_and(reltuples = 2000) from pg_class where relname = 'children'"),
    ] {
        assert!(client.query_one(query, &[]).await.unwrap().get::<_, bool>(0), "{what}");
    }
}

/// Sight as docs/database.md tells it, from the records alone.
const SIGHT: &str = "
    with link as (
        select c.id as child, f.family_id as subject from children c join family_members f on f.person_id = c.id
        union
        select c.id, o.person_id from children c join family_members f on f.person_id = c.id
        join family_members o on o.family_id = f.family_id
            and daterange(o.from_on, o.to_on, '[]') && daterange(f.from_on, f.to_on, '[]')
        where not exists (select from children k where k.id = o.person_id)
        union
        select c.id, o.other from relationships r
        cross join lateral (values (r.person_id, r.other_id), (r.other_id, r.person_id)) as o (child, other)
        join children c on c.id = o.child where not exists (select from children k where k.id = o.other)
        union
        select child_id, conference_id from conference_children
        union
        select p.child_id, p.contact_id from contact_people p join contacts c on c.id = p.contact_id
        where p.child_id is not null and c.status <> 'CONTACT'
    ), waiting as (
        select c.id, c.child_id from cases c
        where c.status <> 'CLOSED' and not exists
            (select from allocations a where a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null)
    ), seen as (
        select a.child_id as child, h.holder, a.id as source, null::timestamptz as until, true as whole, false as plans
        from allocations a join units u on u.id = a.unit_id
        cross join lateral (values (u.id), (u.area_id)) as h (holder) where a.ended_at is null
        union
        select child_id, worker_id, id, case when capacity = 'IRO' then ended_at + interval '3 months' end,
            capacity not in ('PARENTING_SUPPORT', 'SUPERVISING_SW'), capacity = 'PARENTING_SUPPORT'
        from worker_involvements
        where (ended_at is null or capacity = 'IRO') and capacity not in ('LEAD_PRACTITIONER', 'CO_WORKER', 'CLINICAL')
        union
        select cc.child_id, c.chair_id, c.id,
            case when c.state in ('DECIDED', 'ISSUED') then c.held_at + interval '3 months' end, true, false
        from conferences c join conference_children cc on cc.conference_id = c.id
        where c.chair_id is not null and c.state <> 'WITHDRAWN'
        union
        select id, hearth.whole_service(), id, null, true, false from children
    ), expected as (
        select child as subject_id, holder as holder_id, source as source_id, whole, until, child as through_id, plans
        from seen
        union
        select l.subject, s.holder, s.source, true, s.until, s.child, false from seen s join link l on l.child = s.child
        where s.whole
        union
        select s.subject, h.holder, t.id, false, null, t.child_id, false from case_transfers t join units u on u.id = t.to_unit_id
        cross join lateral (values (u.id), (u.area_id)) as h (holder)
        cross join lateral (values (t.child_id), (t.case_id)) as s (subject) where t.state = 'REQUESTED'
        union
        select child_id, worker_id, id, false, null, child_id, false from support_requests where status = 'REQUESTED'
        union
        select s.subject, hearth.queue(), c.id, false, null, c.child_id, false from waiting c
        cross join lateral (values (c.child_id), (c.id)) as s (subject)
        union
        select c.id, h.holder, c.id, true, null, coalesce(p.child_id, c.id), false from contacts c
        left join contact_people p on p.contact_id = c.id and p.child_id is not null
        cross join lateral (values (hearth.front_door(), c.status in ('CONTACT', 'CONTACT_CLOSED')),
                                   (hearth.whole_service(), p.child_id is null or c.status = 'CONTACT')) as h (holder, sees)
        where h.sees
        union
        select p.child_id, hearth.front_door(), c.id, false, null, p.child_id, false
        from contacts c join contact_people p on p.contact_id = c.id where c.status = 'CONTACT' and p.child_id is not null
        union
        select p.contact_id, hearth.front_door(), p.case_id, true, null, p.child_id, false
        from contact_people p join waiting w on w.id = p.case_id
        union
        select s.subject, h.holder, r.id, false, null, r.child_id, false from referrals r join waiting w on w.id = r.case_id
        join units u on u.id = r.target_unit_id
        cross join lateral (values (u.id), (u.area_id)) as h (holder)
        cross join lateral (values (r.child_id), (r.case_id)) as s (subject)
        union
        select o.contact_id, o.worker_id, o.id, true, o.scheduled_for + interval '1 month', coalesce(p.child_id, o.contact_id), false
        from consultations o left join contact_people p on p.contact_id = o.contact_id and p.child_id is not null
        where o.state = 'ARRANGED'
        union
        select p.child_id, o.worker_id, o.id, false, o.scheduled_for + interval '1 month', p.child_id, false
        from consultations o join contact_people p on p.contact_id = o.contact_id and p.child_id is not null
        where o.state = 'ARRANGED'
    ), written as (
        select subject_id, holder_id, source_id, whole, until, through_id, plans from sight
    ), differing as (
        (select * from expected except select * from written) union all (select * from written except select * from expected)
    ), unlinked as (
        (select * from link except select child_id, subject_id from sight_links)
        union all (select child_id, subject_id from sight_links except select * from link)
    ) select (select count(*) from differing), (select count(*) from unlinked), (select count(*) from sight)";

#[tokio::test(flavor = "multi_thread")]
async fn sight_is_what_the_records_say_in_an_authority_of_any_size() {
    for database in [&support::database().await, &large().await.0] {
        let client = support::connect("postgres", database).await;
        let row = client.query_one(SIGHT, &[]).await.unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 0), "sight, links");
        assert!(row.get::<_, i64>(2) > 5_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_day_and_size_make_the_same_large_authority() {
    let again = support::empty_database().await;
    assert_eq!(bulk("hearth_bulk", &again, true).await.unwrap(), Some(large().await.1));
    assert_eq!(digest(&large().await.0).await, digest(&again).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_authority_is_written_into_an_empty_database_only() {
    let database = support::database().await;
    let before = digest(&database).await;
    assert!(matches!(bulk("hearth_bulk", &database, false).await, Err(SeedError::NotEmpty)));
    assert_eq!(bulk("hearth_bulk", &database, true).await.unwrap(), None);
    assert_eq!(digest(&database).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_the_policies_bind_is_told_which_one_to_take() {
    let database = support::empty_database().await;
    let refused = bulk("hearth_seed", &database, false).await.unwrap_err().to_string();
    assert!(refused.contains("hearth_bulk"), "{refused}");
    assert_eq!(number(&support::connect("postgres", &database).await, "select count(*) from workers").await, 0);
}

#[test]
fn the_sizes_follow_from_each_other_and_have_limits() {
    let sizes = |units, children| Sizes::of(units, children).map(|found| found.map(|of| (of.units, of.children)));
    assert!(matches!(sizes(None, None), Ok(None)));
    assert!(matches!(sizes(Some(400), None), Ok(Some((400, 20_000)))));
    assert!(matches!(sizes(None, Some(200_000)), Ok(Some((4_000, 200_000)))));
    assert!(matches!(sizes(Some(300), Some(20_000)), Ok(Some((300, 20_000)))));
    for (units, children) in [
        (None, Some(0)),
        (None, Some(999)),
        (None, Some(1_000_001)),
        (Some(1), None),
        (Some(usize::MAX), None),
        (Some(11), Some(1_000)),
        (Some(20), Some(20_000)),
        (Some(20_000), Some(20_000)),
    ] {
        let refused = sizes(units, children).unwrap_err().to_string();
        assert!(refused.contains("ask for"), "{refused}");
    }
}
