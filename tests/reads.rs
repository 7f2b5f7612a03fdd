//! What members have read: unread counts, who has seen an event, and moving only forward.

use serde_json::{Value, json};

use crate::support::{self, Server, document, key};

const BOARD: &str = "query($id: ID!, $after: String) { unit(id: $id) { unreadCount feedCursor
    members { unreadCount worker { id } }
    events(first: 10, after: $after) { totalCount pageInfo { hasNextPage endCursor }
        nodes { __typename eventId type cursor caseRef { caseId } seenBy { unitId seen of } } } } }";

async fn board(server: &Server, person: &str, unit: &str) -> Value {
    server.data(person, BOARD, json!({ "id": unit })).await["unit"].take()
}

/// The unread count of a member, as another member sees it.
fn unread_of(board: &Value, server: &Server, person: &str) -> Value {
    let id = format!("Worker:{}", server.worker(person));
    let members = board["members"].as_array().unwrap();
    members.iter().find(|member| member["worker"]["id"] == id).unwrap()["unreadCount"].clone()
}

/// How many have seen each event of the page, newest first: (seen, of) in the one unit.
fn seen(board: &Value) -> Vec<(i64, i64)> {
    let events = board["events"]["nodes"].as_array().unwrap().iter();
    let seen = events.map(|event| match event["seenBy"].as_array().unwrap().as_slice() {
        [one] => (one["seen"].as_i64().unwrap(), one["of"].as_i64().unwrap()),
        other => panic!("not one unit: {other:?}"),
    });
    seen.collect()
}

async fn mark(server: &Server, person: &str, unit: &str, cursor: &Value) -> Value {
    let input = json!({ "idempotencyKey": key(), "unitId": unit, "cursor": cursor });
    server.done(person, "markRead", "unit { id unreadCount }", input).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_shows_who_has_read_how_far() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let members = board(&server, "CLINICIAN", &three).await["members"].as_array().unwrap().len() as i64;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.insert(0, server.allocated_to(3).await.0);
    }
    server.all_placed().await;
    let before = board(&server, "CLINICIAN", &three).await;
    assert_eq!((&before["unreadCount"], &before["events"]["totalCount"]), (&json!(3), &json!(3)));
    let listed: Vec<_> =
        before["events"]["nodes"].as_array().unwrap().iter().map(|one| one["caseRef"]["caseId"].clone()).collect();
    assert_eq!(listed, cases.iter().map(|case| json!(case)).collect::<Vec<_>>(), "newest first");
    assert_eq!(seen(&before), [(0, members); 3]);
    // The clinician has read two of three, the coordinator all.
    let payload = mark(&server, "CLINICIAN", &three, &before["events"]["nodes"][1]["cursor"]).await;
    assert_eq!(payload["unit"], json!({ "id": three, "unreadCount": 1 }));
    let theirs = board(&server, "UNIT_COORDINATOR", &three).await;
    mark(&server, "UNIT_COORDINATOR", &three, &theirs["feedCursor"]).await;
    let after = board(&server, "SOCIAL_WORKER", &three).await;
    assert_eq!(seen(&after), [(1, members), (2, members), (2, members)]);
    assert_eq!(after["unreadCount"], 3);
    for (person, unread) in [("CLINICIAN", 1), ("UNIT_COORDINATOR", 0), ("CONSULTANT_SOCIAL_WORKER", 3)] {
        assert_eq!(unread_of(&after, &server, person), json!(unread), "{person}");
    }
    // A push tells it as of when it comes.
    let mut socket = server.socket("SOCIAL_WORKER").await;
    let query = "subscription($unitId: ID!, $after: String) { unitFeed(unitId: $unitId, after: $after) {
        __typename cursor ... on Event { seenBy { unitId seen of } } } }";
    let beginning = hearth::auth::seal::Sealer::from_hex(support::CURSOR_KEY)
        .unwrap()
        .feed_cursor(hearth::domain::ids::WorkerId(server.worker("SOCIAL_WORKER")), 0, support::morning())
        .unwrap();
    socket.open_feed(query, json!({ "unitId": three, "after": beginning })).await;
    assert_eq!(socket.item().await["seenBy"], json!([{ "unitId": three, "seen": 2, "of": members }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_for_members_only() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    server.allocated_to(3).await;
    server.all_placed().await;
    for person in ["OTHER_UNIT", "SERVICE_MANAGER", "HEAD_OF_SERVICE", "FIRST_RESPONSE"] {
        let board = board(&server, person, &three).await;
        assert_eq!(board["unreadCount"], Value::Null, "{person}");
        assert!(
            board["members"].as_array().unwrap().iter().all(|member| member["unreadCount"] == Value::Null),
            "{person}"
        );
        assert_eq!((&board["events"]["nodes"], &board["events"]["totalCount"]), (&json!([]), &json!(0)), "{person}");
    }
    // A manager who receives an event in the child's feed belongs to none of its units.
    let (case, version) = server.allocated_to(3).await;
    let child = server.child_of("SERVICE_MANAGER", &case).await;
    server.all_placed().await;
    let mut socket = server.socket("SERVICE_MANAGER").await;
    let query =
        "subscription($id: ID!) { childFeed(childId: $id) { __typename cursor ... on Event { seenBy { seen } } } }";
    socket.open_feed(query, json!({ "id": child })).await;
    crate::mutations_support::joint(&server, &case, 7, version).await;
    assert_eq!(socket.item().await["seenBy"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_and_leaves_change_what_counts() {
    let server = Server::start().await;
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    server.allocated_to(3).await;
    server.allocated_to(7).await;
    server.all_placed().await;
    let first = board(&server, "CLINICIAN", &three).await;
    let members = seen(&first)[0].1;
    mark(&server, "CLINICIAN", &three, &first["feedCursor"]).await;
    let other = board(&server, "OTHER_UNIT_SOCIAL_WORKER", &seven).await;
    assert_eq!(other["unreadCount"], 1);

    // The clinician, who has read everything, leaves; unit 7's social worker joins too.
    let client = support::connect("postgres", &server.database).await;
    server.later(chrono::Duration::minutes(2));
    client
        .batch_execute(
            "update unit_memberships set ended_at = '2026-11-18 10:01' from workers w
             where w.id = worker_id and w.staff_no = 'U03-CL' and ended_at is null;
             insert into unit_memberships (id, unit_id, worker_id, role, started_at)
             select gen_random_uuid(), u.id, w.id, 'SOCIAL_WORKER', '2026-11-18 10:01' from units u, workers w
             where u.name like '%Unit 3' and w.staff_no = 'U07-SW'",
        )
        .await
        .unwrap();
    server.allocated_to(3).await;
    server.all_placed().await;
    let now = board(&server, "SOCIAL_WORKER", &three).await;
    assert_eq!(seen(&now), [(0, members), (0, members - 1)], "the newer one for who joined, the older one without");
    assert_eq!(now["unreadCount"], 2);
    assert_eq!(unread_of(&now, &server, "OTHER_UNIT_SOCIAL_WORKER"), json!(1), "since they joined");
    assert!(now["members"].as_array().unwrap().len() as i64 == members);
    // In each unit their own.
    let joined = board(&server, "OTHER_UNIT_SOCIAL_WORKER", &three).await;
    assert_eq!((&joined["unreadCount"], &joined["events"]["totalCount"]), (&json!(1), &json!(1)));
    assert_eq!(board(&server, "OTHER_UNIT_SOCIAL_WORKER", &seven).await["unreadCount"], 1);
    mark(&server, "OTHER_UNIT_SOCIAL_WORKER", &three, &joined["feedCursor"]).await;
    assert_eq!(board(&server, "OTHER_UNIT_SOCIAL_WORKER", &three).await["unreadCount"], 0);
    assert_eq!(board(&server, "OTHER_UNIT_SOCIAL_WORKER", &seven).await["unreadCount"], 1);
    assert_eq!(seen(&board(&server, "SOCIAL_WORKER", &three).await), [(1, members), (0, members - 1)]);
    // Who left reads nothing more of it.
    let left = board(&server, "CLINICIAN", &three).await;
    assert_eq!((&left["unreadCount"], &left["events"]["nodes"]), (&Value::Null, &json!([])));
    let input = json!({ "idempotencyKey": key(), "unitId": three, "cursor": first["feedCursor"] });
    let query = document("markRead", "unit { id }");
    assert_eq!(server.code("CLINICIAN", &query, json!({ "input": input })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_two_units_is_seen_in_each() {
    let server = Server::start().await;
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    let client = support::connect("postgres", &server.database).await;
    client
        .batch_execute(
            "insert into unit_memberships (id, unit_id, worker_id, role, started_at)
             select gen_random_uuid(), u.id, w.id, 'SOCIAL_WORKER', '2026-11-18 09:00' from units u, workers w
             where u.name like '%Unit 3' and w.staff_no = 'U07-SW'",
        )
        .await
        .unwrap();
    let (case, version) = server.allocated_to(3).await;
    crate::mutations_support::joint(&server, &case, 7, version).await;
    server.all_placed().await;
    let both = board(&server, "OTHER_UNIT_SOCIAL_WORKER", &three).await;
    let event = &both["events"]["nodes"][0];
    let units: Vec<_> = event["seenBy"].as_array().unwrap().iter().map(|seen| seen["unitId"].clone()).collect();
    assert!(units.len() == 2 && units.contains(&json!(three)) && units.contains(&json!(seven)), "{event}");
    mark(&server, "OTHER_UNIT_SOCIAL_WORKER", &seven, &event["cursor"]).await;
    let both = board(&server, "OTHER_UNIT_SOCIAL_WORKER", &three).await;
    for seen in both["events"]["nodes"][0]["seenBy"].as_array().unwrap() {
        assert_eq!(seen["seen"], json!(i64::from(seen["unitId"] == json!(seven))), "read there, not here");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_stays_read() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    for _ in 0..3 {
        server.allocated_to(3).await;
    }
    server.all_placed().await;
    let page = board(&server, "CLINICIAN", &three).await;
    let cursor = |at: usize| page["events"]["nodes"][at]["cursor"].clone();
    for (at, unread) in [(1, 1), (2, 1), (0, 0), (1, 0)] {
        let payload = mark(&server, "CLINICIAN", &three, &cursor(at)).await;
        assert_eq!(payload["unit"]["unreadCount"], json!(unread), "after event {at}");
    }
    // Many at once, in any order, end at the newest.
    let theirs = board(&server, "SOCIAL_WORKER", &three).await;
    let marks = (0..12).map(|at| {
        let cursor = theirs["events"]["nodes"][at % 3]["cursor"].clone();
        let (server, three) = (&server, &three);
        async move { mark(server, "SOCIAL_WORKER", three, &cursor).await }
    });
    futures_util::future::join_all(marks).await;
    assert_eq!(board(&server, "SOCIAL_WORKER", &three).await["unreadCount"], 0);
    let client = support::connect("postgres", &server.database).await;
    let refused = client.batch_execute("update feed_reads set seq = seq - 1").await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("stays read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_cursor_of_ones_own_that_is_good_marks_a_unit_of_ones_own() {
    let server = Server::start().await;
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    let sealer = hearth::auth::seal::Sealer::from_hex(support::CURSOR_KEY).unwrap();
    let worker = |person: &str| hearth::domain::ids::WorkerId(server.worker(person));
    let (me, now) = (worker("CLINICIAN"), support::morning());
    let good = sealer.feed_cursor(me, 0, now).unwrap();
    let query = document("markRead", "unit { id }");
    for (unit, cursor, code, field) in [
        (three.clone(), sealer.feed_cursor(me, 999_999, now).unwrap(), "BAD_USER_INPUT", json!("cursor")),
        (
            three.clone(),
            sealer.feed_cursor(worker("SOCIAL_WORKER"), 0, now).unwrap(),
            "BAD_USER_INPUT",
            json!("cursor"),
        ),
        (three.clone(), sealer.list_cursor("units", me, b"{}").unwrap(), "BAD_USER_INPUT", json!("cursor")),
        (three.clone(), "nonsense".to_owned(), "BAD_USER_INPUT", json!("cursor")),
        (
            three.clone(),
            sealer.feed_cursor(me, 0, now - chrono::Duration::days(31)).unwrap(),
            "CURSOR_EXPIRED",
            Value::Null,
        ),
        (seven, good.clone(), "NOT_FOUND", Value::Null),
        (format!("Unit:{}", uuid::Uuid::now_v7()), good.clone(), "NOT_FOUND", Value::Null),
        (format!("Worker:{}", me.0), good.clone(), "BAD_USER_INPUT", json!("unitId")),
    ] {
        let input = json!({ "idempotencyKey": key(), "unitId": unit, "cursor": cursor });
        let answer = server.answer("CLINICIAN", &query, json!({ "input": input })).await;
        assert_eq!(answer["data"]["markRead"], Value::Null);
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["field"], field, "{answer}");
    }
    let client = support::connect("postgres", &server.database).await;
    let left: i64 = client.query_one("select count(*) from feed_reads", &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
    mark(&server, "CLINICIAN", &three, &json!(good)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_again_with_its_key_it_is_marked_once() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    for _ in 0..2 {
        server.allocated_to(3).await;
    }
    server.all_placed().await;
    let page = board(&server, "CLINICIAN", &three).await;
    let input = |key: &str, at: usize| json!({ "idempotencyKey": key, "unitId": three, "cursor": page["events"]["nodes"][at]["cursor"] });
    let key = key();
    let selection = "unit { unreadCount }";
    let first = server.done("CLINICIAN", "markRead", selection, input(&key, 1)).await;
    assert_eq!(first["unit"]["unreadCount"], 1);
    // The same place under another seal is the same input.
    let again = board(&server, "CLINICIAN", &three).await;
    assert_ne!(again["events"]["nodes"][1]["cursor"], page["events"]["nodes"][1]["cursor"]);
    let same = json!({ "idempotencyKey": key, "unitId": three, "cursor": again["events"]["nodes"][1]["cursor"] });
    assert_eq!(server.done("CLINICIAN", "markRead", selection, same).await, first);
    let answer = server.answer("CLINICIAN", &document("markRead", ""), json!({ "input": input(&key, 0) })).await;
    assert_eq!(answer["errors"][0]["extensions"]["field"], "idempotencyKey");
    assert_eq!(board(&server, "CLINICIAN", &three).await["unreadCount"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_page_from_the_newest_back_and_counting_stops_at_a_thousand() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let (case, _) = server.allocated_to(3).await;
    let client = support::connect("postgres", &server.database).await;
    let copy = "insert into outbox (event_id, type, occurred_at, recorded_at, actor_id, actor_role, case_id, correlation_id, entity_type, entity_id, entity_version, severity, data)
        select gen_random_uuid(), {type}, occurred_at, recorded_at, actor_id, actor_role, case_id, correlation_id, entity_type, entity_id, entity_version, severity, data
        from outbox, generate_series(1, {count}) where 'Case:' || case_id = '{case}';
        insert into outbox_audience (event_id, holder_id, kind)
        select o.event_id, u.id, 'UNIT' from outbox o, units u where 'Unit:' || u.id = '{unit}'
          and not exists (select from outbox_audience a where a.event_id = o.event_id)";
    let copy = |of: &str, count: i32| {
        copy.replace("{type}", of)
            .replace("{count}", &count.to_string())
            .replace("{case}", &case)
            .replace("{unit}", &three)
    };
    client.batch_execute(&copy("type", 24)).await.unwrap();
    // What only a newer program knows is not shown, and hides nothing behind it.
    client.batch_execute(&copy("'VISIT_RECORDED'", 1)).await.unwrap();
    server.all_placed().await;
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = server.data("CLINICIAN", BOARD, json!({ "id": three, "after": after })).await;
        let events = &page["unit"]["events"];
        assert_eq!(events["totalCount"], 25);
        seen.extend(events["nodes"].as_array().unwrap().iter().map(|event| event["eventId"].to_string()));
        after = events["pageInfo"]["endCursor"].clone();
        if events["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen.len(), 25);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    client.batch_execute(&copy("type", 50)).await.unwrap();
    server.all_placed().await;
    let board = board(&server, "CLINICIAN", &three).await;
    assert_eq!(board["unreadCount"], 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_its_owners_to_write_and_to_read() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let (me, colleague) = (server.worker("CLINICIAN"), server.worker("SOCIAL_WORKER"));
    for person in ["CLINICIAN", "SOCIAL_WORKER"] {
        let cursor = board(&server, person, &three).await["feedCursor"].clone();
        mark(&server, person, &three, &cursor).await;
    }
    let client = support::connect("hearth_app", &server.database).await;
    let unit = three.strip_prefix("Unit:").unwrap();
    let entered = |statement: &str| format!("begin; select hearth.enter('{me}', '2026-11-18 10:05'); {statement}");
    client.batch_execute(&entered("")).await.unwrap();
    let rows = client.query("select worker_id from feed_reads", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<uuid::Uuid>>(), [me]);
    let changed = client.execute("update feed_reads set seq = 5 where worker_id = $1", &[&colleague]).await.unwrap();
    assert_eq!(changed, 0);
    client.batch_execute("rollback").await.unwrap();
    let other_unit = server.unit(7).await;
    for (worker, unit) in [(colleague, unit), (me, other_unit.strip_prefix("Unit:").unwrap())] {
        let insert = format!("insert into feed_reads values ('{worker}', '{unit}', 1, now())");
        let refused = client.batch_execute(&entered(&insert)).await.unwrap_err();
        assert!(refused.as_db_error().unwrap().message().contains("row-level security"), "{refused:?}");
        client.batch_execute("rollback").await.unwrap();
    }
}
