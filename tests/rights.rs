//! What opens records to a worker is written down when posts, memberships, areas or workers change, and says at every
//! moment what they say.

use tokio_postgres::Client;
use uuid::Uuid;

use crate::support;

/// How often the rights of some worker at some moment are not what the other tables say, and how often they were asked.
async fn wrong_and_asked(client: &Client) -> (i64, i64) {
    let row = client
        .query_one(
            "with moment as (
                 select at + around as at
                 from (select started_at as at from worker_posts union select ended_at from worker_posts
                       union select started_at from unit_memberships union select ended_at from unit_memberships
                       union select now()) edge
                 cross join (values (interval '-1 microsecond'), (interval '0'), (interval '1 microsecond')) v (around)
                 where at is not null
             ), said as (
                 select w.id as worker, moment.at,
                        (select array(select unnest(r.holders) order by 1) || array[]::uuid[] from rights r
                         where r.worker_id = w.id and r.started_at <= moment.at
                         order by r.started_at desc limit 1) as holders
                 from workers w cross join moment
             ), meant as (
                 select w.id as worker, moment.at,
                        case when w.active then array(
                            select w.id
                            union select m.unit_id from unit_memberships m
                            where m.worker_id = w.id and tstzrange(m.started_at, m.ended_at) @> moment.at
                            union select a.id from areas a where a.service_manager_id = w.id
                            union select hearth.queue()
                            where exists (select from areas a where a.service_manager_id = w.id)
                               or exists (select from worker_posts p
                                          where p.worker_id = w.id and p.post = 'FIRST_RESPONSE'
                                            and tstzrange(p.started_at, p.ended_at) @> moment.at)
                            union select hearth.front_door()
                            where exists (select from areas a join units u on u.area_id = a.id
                                          where a.service_manager_id = w.id and u.service in ('FIRST_RESPONSE', 'ACCESS_ASSESSMENT'))
                               or exists (select from worker_posts p
                                          where p.worker_id = w.id and p.post = 'FIRST_RESPONSE'
                                            and tstzrange(p.started_at, p.ended_at) @> moment.at)
                            union select hearth.whole_service()
                            where exists (select from worker_posts p
                                          where p.worker_id = w.id and p.post = 'HEAD_OF_SERVICE'
                                            and tstzrange(p.started_at, p.ended_at) @> moment.at)
                            union select hearth.auditing()
                            where exists (select from worker_posts p
                                          where p.worker_id = w.id and p.post in ('AUDITOR', 'HEAD_OF_SERVICE')
                                            and tstzrange(p.started_at, p.ended_at) @> moment.at)
                            order by 1) end as holders
                 from workers w cross join moment
             )
             select count(*) filter (where said.holders is distinct from meant.holders), count(*)
             from said join meant using (worker, at)",
            &[],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

async fn agree(client: &Client, after: &str) {
    let (wrong, asked) = wrong_and_asked(client).await;
    assert_eq!(wrong, 0, "of {asked}, after {after}");
    assert!(asked > 1000, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_say_at_every_moment_what_posts_memberships_and_areas_say() {
    let client = support::connect("postgres", &support::database().await).await;
    agree(&client, "the seed").await;
    let changes = [
        "insert into unit_memberships (id, unit_id, worker_id, role, started_at, ended_at, cover)
         select gen_random_uuid(), (select id from units where name = (select max(name) from units)), w.id, 'CLINICIAN',
                now() + interval '3 days', now() + interval '9 days', true
         from workers w where w.staff_no = 'CH-1'",
        "update unit_memberships set ended_at = now() + interval '5 days'
         where ended_at > now() + interval '8 days'",
        "update unit_memberships set ended_at = now()
         where id in (select id from unit_memberships where ended_at is null order by id limit 5)",
        "insert into worker_posts (id, worker_id, post, started_at)
         select gen_random_uuid(), id, 'FIRST_RESPONSE', now() - interval '1 day' from workers
         where id not in (select worker_id from worker_posts) order by id limit 3",
        "insert into worker_posts (id, worker_id, post, started_at, ended_at)
         select gen_random_uuid(), id, 'HEAD_OF_SERVICE', now(), now() + interval '1 year' from workers
         where id not in (select worker_id from worker_posts) order by id limit 1",
        "update worker_posts set ended_at = now() + interval '1 hour' where ended_at is null",
        "delete from worker_posts where post = 'HEAD_OF_SERVICE'",
        "insert into areas (id, name, service_manager_id)
         select gen_random_uuid(), 'Another', service_manager_id from areas limit 1",
        "update areas set service_manager_id = (select worker_id from unit_memberships order by id desc limit 1)",
        "update areas set service_manager_id = null where name = 'Another'",
        "update workers set active = false where id in (select worker_id from unit_memberships order by id limit 4)",
        "update workers set active = true",
    ];
    for change in changes {
        let changed = client.execute(change, &[]).await.unwrap();
        assert!(changed > 0, "{change}");
        agree(&client, change).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_units_that_take_a_worker_at_once_both_open_their_records() {
    let database = support::database().await;
    let (one, other) = (support::connect("postgres", &database).await, support::connect("postgres", &database).await);
    let worker: Uuid = one.query_one("select id from workers where staff_no = 'CH-1'", &[]).await.unwrap().get(0);
    let units: Vec<Uuid> = one
        .query("select id from units order by id limit 2", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let join = "insert into unit_memberships (id, unit_id, worker_id, role, started_at)
                values (gen_random_uuid(), $1, $2, 'CLINICIAN', now())";
    one.batch_execute("begin").await.unwrap();
    one.execute(join, &[&units[0], &worker]).await.unwrap();
    let both = async { other.execute(join, &[&units[1], &worker]).await.unwrap() };
    // The second waits for the first, which goes on when it is seen to wait.
    let commit = async {
        loop {
            let waiting: i64 = one
                .query_one(
                    "select count(*) from pg_locks l join pg_stat_activity d on d.pid = l.pid
                     where d.datname = current_database() and not l.granted",
                    &[],
                )
                .await
                .unwrap()
                .get(0);
            if waiting > 0 {
                break;
            }
        }
        one.batch_execute("commit").await.unwrap();
    };
    futures_util::join!(both, commit);
    let held: Vec<Uuid> = one
        .query_one("select holders from rights where worker_id = $1 order by started_at desc limit 1", &[&worker])
        .await
        .unwrap()
        .get(0);
    assert!(units.iter().all(|unit| held.contains(unit)), "{held:?}");
}
