//! The demo authority.

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
