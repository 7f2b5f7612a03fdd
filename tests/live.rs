//! Every member sees it the moment it is committed, and nobody else.

use serde_json::{Value, json};

use crate::{
    mutations_support::{Siblings, accept, joint, request_transfer, siblings},
    support::{Server, Setup, Socket, key},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_member_of_the_unit_hears_of_an_allocation_and_nobody_else() {
    let server = Server::start().await;
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    let mut members = Vec::new();
    for person in
        ["CONSULTANT_SOCIAL_WORKER", "SOCIAL_WORKER", "CHILDRENS_PRACTITIONER", "CLINICIAN", "UNIT_COORDINATOR"]
    {
        let mut socket = server.socket(person).await;
        socket.feed(&three, None).await;
        members.push(socket);
    }
    let mut other = server.socket("OTHER_UNIT").await;
    other.feed(&seven, None).await;
    let (case, _) = server.allocated_to(3).await;
    for socket in &mut members {
        let event = socket.item().await;
        assert_eq!(event["type"], "ALLOCATION_STARTED");
        assert_eq!(event["caseRef"]["caseId"], json!(case));
        assert_eq!(event["unitId"], json!(three));
        assert_eq!(event["actor"]["role"], "FIRST_RESPONSE");
        assert_eq!(event["caseRef"]["childInitials"].as_str().unwrap().chars().count(), 2);
        socket.nothing_more().await;
    }
    other.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_reaches_both_units_in_order_and_then_only_the_new_one() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    let (mut leaving, mut taking) = (server.socket("CLINICIAN").await, server.socket("OTHER_UNIT_COORDINATOR").await);
    leaving.feed(&three, None).await;
    taking.feed(&seven, None).await;
    let transfer = request_transfer(&server, &case, 7, version).await;
    accept(&server, &transfer).await;
    let expected =
        ["TRANSFER_REQUESTED", "ALLOCATION_ENDED", "ALLOCATION_STARTED", "INVOLVEMENT_CHANGED", "TRANSFER_COMPLETED"];
    let mut correlations = Vec::new();
    for socket in [&mut leaving, &mut taking] {
        let mut types = Vec::new();
        for _ in 0..5 {
            let event = socket.item().await;
            types.push(event["type"].as_str().unwrap().to_owned());
            correlations.push(event["correlationId"].clone());
        }
        assert_eq!(types, expected);
    }
    assert!(correlations[1..5].windows(2).all(|pair| pair[0] == pair[1]), "one change, one correlation");
    assert_ne!(correlations[0], correlations[1]);
    // What happens from now on is the new unit's.
    server.conference_called_for(&[&case]).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    server.done("OTHER_UNIT", "requestConference", "", input).await;
    assert_eq!(taking.types(1).await, ["CONFERENCE_REQUESTED"]);
    leaving.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deeper_fields_of_an_event_are_read_as_of_now() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    let query = "subscription($unitId: ID!) { unitFeed(unitId: $unitId) { __typename
        ... on AllocationEvent { type case { id child { displayName } } allocation { id } unit { name } }
        ... on TransferEvent { type case { id } transfer { state handoverSummary } toUnit { name } } } }";
    let (mut leaving, mut taking) = (server.socket("CLINICIAN").await, server.socket("OTHER_UNIT").await);
    leaving.subscribe("feed", query, json!({ "unitId": three })).await;
    taking.subscribe("feed", query, json!({ "unitId": seven })).await;
    leaving.item().await;
    taking.item().await;
    let transfer = request_transfer(&server, &case, 7, version).await;
    assert_eq!(taking.item().await["transfer"]["state"], "REQUESTED");
    leaving.item().await;
    accept(&server, &transfer).await;
    for (socket, sees) in [(&mut leaving, false), (&mut taking, true)] {
        let mut last = Value::Null;
        while last["type"] != "TRANSFER_COMPLETED" {
            last = socket.item().await;
            if last["__typename"] == "AllocationEvent" && last["type"] == "ALLOCATION_STARTED" {
                assert_eq!(last["case"]["child"]["displayName"].is_string(), sees, "{last}");
                assert_eq!(last["allocation"]["id"].is_string(), sees);
                assert!(last["unit"]["name"].is_string());
            }
        }
        assert_eq!(last["case"]["id"].is_string(), sees, "the leaving unit reads nothing more of the case");
        assert_eq!(last["transfer"]["handoverSummary"].is_string(), sees);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn joint_and_cover_units_hear_while_they_help() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let mut helping = server.socket("OTHER_UNIT_SOCIAL_WORKER").await;
    helping.feed(&server.unit(7).await, None).await;
    let allocation = joint(&server, &case, 7, version).await;
    assert_eq!(helping.types(1).await, ["ALLOCATION_STARTED"]);
    let lead = json!({ "idempotencyKey": key(), "caseId": case, "reason": "ABSENC", "expectedVersion": version + 1,
                       "workerId": format!("Worker:{}", server.worker("SOCIAL_WORKER")) });
    server.done("CONSULTANT_SOCIAL_WORKER", "changeLeadPractitioner", "", lead).await;
    assert_eq!(helping.types(1).await, ["INVOLVEMENT_CHANGED"]);
    let end = json!({ "idempotencyKey": key(), "allocationId": allocation, "reason": "Done", "expectedVersion": version + 2 });
    server.done("CONSULTANT_SOCIAL_WORKER", "endAllocation", "", end).await;
    assert_eq!(helping.types(1).await, ["ALLOCATION_ENDED"]);
    let lead = json!({ "idempotencyKey": key(), "caseId": case, "reason": "OTHERS", "expectedVersion": version + 3,
                       "workerId": format!("Worker:{}", server.worker("CONSULTANT_SOCIAL_WORKER")) });
    server.done("CONSULTANT_SOCIAL_WORKER", "changeLeadPractitioner", "", lead).await;
    helping.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumes_with_exactly_what_it_missed() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let mut socket = server.socket("CLINICIAN").await;
    let opened = socket.feed(&three, None).await;
    let (mut cases, mut events) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        cases.push(server.allocated_to(3).await.0);
        events.push(socket.item().await);
    }
    drop(socket);
    for _ in 0..4 {
        cases.push(server.allocated_to(3).await.0);
    }
    let mut socket = server.socket("CLINICIAN").await;
    let cursor = events[2]["cursor"].as_str().unwrap();
    socket.feed(&three, Some(cursor)).await;
    for case in &cases[3..] {
        let event = socket.item().await;
        assert_eq!(event["caseRef"]["caseId"], json!(case));
        events.push(event);
    }
    socket.nothing_more().await;
    let mut ids: Vec<_> = events.iter().map(|event| event["eventId"].to_string()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 7);
    // From the very beginning everything comes again, in the same order.
    let mut again = server.socket("SOCIAL_WORKER").await;
    again.subscribe("feed", crate::support::socket::FEED, json!({ "unitId": three, "after": opened })).await;
    assert_eq!(again.hear().await["type"], "error", "a cursor is good for its viewer only");
    let mut again = server.socket("CLINICIAN").await;
    again.feed(&three, Some(&opened)).await;
    for event in &events {
        assert_eq!(again.item().await["eventId"], event["eventId"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn query_then_subscribe_misses_nothing() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let query = "query($id: ID!) { unit(id: $id) { feedCursor allocations(first: 100) { nodes { case { id } } } }
                 viewer { feedCursor } }";
    for _ in 0..5 {
        let before = server.data("CLINICIAN", query, json!({ "id": three })).await;
        let (case, _) = server.allocated_to(3).await;
        let known = before["unit"]["allocations"]["nodes"].to_string();
        assert!(!known.contains(&case));
        let mut socket = server.socket("CLINICIAN").await;
        socket.feed(&three, before["unit"]["feedCursor"].as_str()).await;
        assert_eq!(socket.item().await["caseRef"]["caseId"], json!(case));
        socket.nothing_more().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_types_that_are_asked_for_come() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let query = "subscription($unitId: ID!) { unitFeed(unitId: $unitId, types: [CONFERENCE_REQUESTED]) { cursor ... on Event { type } } }";
    let mut socket = server.socket("CLINICIAN").await;
    socket.subscribe("feed", query, json!({ "unitId": three })).await;
    socket.item().await;
    let (case, _) = server.allocated_to(3).await;
    server.conference_called_for(&[&case]).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    server.done("SOCIAL_WORKER", "requestConference", "", input).await;
    assert_eq!(socket.types(1).await, ["CONFERENCE_REQUESTED"]);
    socket.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_of_others_answers_like_one_that_does_not_exist() {
    let server = Server::start().await;
    let mut answers = Vec::new();
    for unit in [server.unit(7).await, format!("Unit:{}", uuid::Uuid::now_v7())] {
        let mut socket = server.socket("CLINICIAN").await;
        socket.subscribe("feed", crate::support::socket::FEED, json!({ "unitId": unit })).await;
        let mut answer = socket.hear().await;
        assert_eq!(answer["type"], "error");
        assert_eq!(answer["payload"][0]["extensions"]["code"], "NOT_FOUND");
        answers.push(answer.take());
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_foreign_and_future_cursors_get_typed_errors() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let sealer = hearth::auth::seal::Sealer::from_hex(crate::support::CURSOR_KEY).unwrap();
    let me = hearth::domain::ids::WorkerId(server.worker("CLINICIAN"));
    let now = crate::support::morning();
    let future = sealer.feed_cursor(me, 999_999, now).unwrap();
    let expired = sealer.feed_cursor(me, 0, now - chrono::Duration::days(31)).unwrap();
    let foreign = sealer.feed_cursor(hearth::domain::ids::WorkerId(server.worker("OTHER_UNIT")), 0, now).unwrap();
    let list = sealer.list_cursor("units/x", me, b"{}").unwrap();
    for (cursor, code) in [
        (future.as_str(), "BAD_USER_INPUT"),
        (expired.as_str(), "CURSOR_EXPIRED"),
        (foreign.as_str(), "BAD_USER_INPUT"),
        (list.as_str(), "BAD_USER_INPUT"),
        ("", "BAD_USER_INPUT"),
        ("nonsense", "BAD_USER_INPUT"),
    ] {
        let mut socket = server.socket("CLINICIAN").await;
        socket.subscribe("feed", crate::support::socket::FEED, json!({ "unitId": three, "after": cursor })).await;
        let answer = socket.hear().await;
        assert_eq!(answer["type"], "error", "{cursor}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{cursor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pruned_events_make_older_cursors_expire() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let mut socket = server.socket("CLINICIAN").await;
    let opened = socket.feed(&three, None).await;
    server.allocated_to(3).await;
    let event = socket.item().await;
    // The relay prunes when it begins to lead: another one does so 31 days later, by its clock.
    let mut session = loop {
        let mut session =
            hearth::db::outbox::RelaySession::connect(&crate::support::url("hearth_relay", &server.database))
                .await
                .unwrap();
        let now = crate::support::morning() + chrono::Duration::days(31);
        if session.prune(now - chrono::Days::new(30), now - chrono::Days::new(7)).await.unwrap() > 0 {
            break session;
        }
    };
    assert!(!session.waiting().await.unwrap());
    let client = crate::support::connect("postgres", &server.database).await;
    let left: i64 = client
        .query_one("select (select count(*) from outbox) + (select count(*) from outbox_audience) + (select count(*) from idempotency_keys)", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
    let mut late = server.socket("CLINICIAN").await;
    late.subscribe("feed", crate::support::socket::FEED, json!({ "unitId": three, "after": opened })).await;
    assert_eq!(late.hear().await["payload"][0]["extensions"]["code"], "CURSOR_EXPIRED");
    // The newest position is still good, and the order goes on after it.
    let mut newest = server.socket("CLINICIAN").await;
    newest.feed(&three, event["cursor"].as_str()).await;
    server.allocated_to(3).await;
    assert_eq!(newest.types(1).await, ["ALLOCATION_STARTED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_no_member_then_or_is_none_now_gets_nothing() {
    let server = Server::start().await;
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    let mut mine = server.socket("OTHER_UNIT_SOCIAL_WORKER").await;
    // A cursor from before.
    let before = mine.feed(&seven, None).await;
    let mut leaver = server.socket("CLINICIAN").await;
    leaver.feed(&three, None).await;
    server.allocated_to(3).await;
    leaver.item().await;
    // The social worker of unit 7 joins unit 3; its clinician leaves.
    let client = crate::support::connect("postgres", &server.database).await;
    server.later(chrono::Duration::minutes(2));
    client
        .batch_execute(
            "update unit_memberships set ended_at = '2026-11-18 10:01' from workers w, units u
             where w.id = worker_id and w.staff_no = 'U03-CL' and ended_at is null and u.id = unit_id and u.name like '%Unit 3';
             insert into unit_memberships (id, unit_id, worker_id, role, started_at)
             select gen_random_uuid(), u.id, w.id, 'SOCIAL_WORKER', '2026-11-18 10:01' from units u, workers w
             where u.name like '%Unit 3' and w.staff_no = 'U07-SW'",
        )
        .await
        .unwrap();
    let (case, _) = server.allocated_to(3).await;
    let mut joined = server.socket("OTHER_UNIT_SOCIAL_WORKER").await;
    joined.feed(&three, Some(&before)).await;
    assert_eq!(joined.item().await["caseRef"]["caseId"], json!(case), "not what happened before the membership");
    leaver.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_read_once_for_all_subscribers_of_a_process() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = server.socket("CLINICIAN").await;
        socket.feed(&three, None).await;
        sockets.push(socket);
    }
    server.statements();
    server.bus_statements();
    server.allocated_to(3).await;
    for socket in &mut sockets {
        socket.item().await;
    }
    // The audience is asked for whenever a look found events: once for this one, however many hear of it.
    let looks = server.bus_statements();
    let found = looks.iter().filter(|text| text.starts_with("SELECT \"outbox_audience\"")).count();
    assert_eq!(found, 1, "{looks:#?}");
    // And no statement of the application role was needed: the selection has envelope fields only.
    assert!(!server.statements().iter().any(|text| text.contains("FROM \"outbox\"")));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_redis_do_not_hear_each_others_channel() {
    let one = Server::start().await;
    let two = Server::with(Setup { channel: Some(one.channel.clone()), ..Setup::default() }).await;
    // The same channel, but another database: the bell rings, and there is nothing there.
    let mut socket = two.socket("CLINICIAN").await;
    socket.feed(&two.unit(3).await, None).await;
    one.allocated_to(3).await;
    socket.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_record_passes_through_redis() {
    let server = Server::start().await;
    let client = redis::Client::open(crate::support::redis_url()).unwrap();
    let mut listening = client.get_async_pubsub().await.unwrap();
    listening.subscribe(&server.channel).await.unwrap();
    let mut messages = listening.into_on_message();
    server.allocated_to(3).await;
    let heard = futures_util::StreamExt::next(&mut messages).await.unwrap();
    let payload: String = heard.get_payload().unwrap();
    assert!(payload.chars().all(|c| c.is_ascii_digit()), "{payload}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_protocols_faults_close_with_their_codes() {
    let server = Server::start().await;
    let url = format!("ws://{}/graphql", server.address);
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": "subscription { unitFeed(unitId: \"x\") { cursor } }" } });
    let init =
        |token: String| json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });

    let mut socket = Socket::connect(&url).await;
    socket.say(subscribe.clone()).await;
    assert_eq!(socket.closed().await, 4401);
    let mut socket = Socket::connect(&url).await;
    socket.say(init("forged".into())).await;
    assert_eq!(socket.closed().await, 4403);
    let mut socket = Socket::connect(&url).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed().await, 4403);
    let mut socket = server.socket("CLINICIAN").await;
    socket.say(init(server.token("CLINICIAN"))).await;
    assert_eq!(socket.closed().await, 4429);
    for nonsense in ["{", "[]", "{\"type\":\"start\"}", "{\"type\":\"subscribe\"}"] {
        let mut socket = server.socket("CLINICIAN").await;
        socket.say_raw(tokio_tungstenite::tungstenite::Message::Text(nonsense.into())).await;
        assert_eq!(socket.closed().await, 4400, "{nonsense}");
    }
    let mut socket = server.socket("CLINICIAN").await;
    socket.feed(&server.unit(3).await, None).await;
    socket.subscribe("feed", crate::support::socket::FEED, json!({ "unitId": server.unit(3).await })).await;
    assert_eq!(socket.closed().await, 4409);
    // Nobody shakes hands: 4408.
    let mut socket = Socket::connect(&url).await;
    assert_eq!(socket.closed().await, 4408);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_ends_its_socket() {
    let server = Server::start().await;
    let url = format!("ws://{}/graphql", server.address);
    let token = crate::support::token_for(server.worker("CLINICIAN"), chrono::Duration::hours(1));
    let mut socket = Socket::open(&url, &token).await;
    socket.feed(&server.unit(3).await, None).await;
    // The socket reckons anew with every message that it hears.
    server.later(chrono::Duration::days(3650));
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.closed().await, 4403);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_subscriptions_run_on_a_socket_and_faults_of_one_leave_the_others() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let mut socket = server.socket("CLINICIAN").await;
    socket.feed(&three, None).await;
    for (query, code) in [
        ("{ __typename }", "BAD_USER_INPUT"),
        ("mutation { __typename }", "BAD_USER_INPUT"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { unitFeed(unitId: \"Unit:x\") { cursor } }", "BAD_USER_INPUT"),
        (
            "subscription { a: unitFeed(unitId: \"x\") { cursor } b: unitFeed(unitId: \"x\") { cursor } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ] {
        socket.subscribe("other", query, json!({})).await;
        let answer = socket.hear().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("other")), "{query}: {answer}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{query}");
    }
    server.allocated_to(3).await;
    assert_eq!(socket.types(1).await, ["ALLOCATION_STARTED"]);
    // Completed by the client, an id is free again.
    socket.say(json!({ "id": "feed", "type": "complete" })).await;
    server.allocated_to(3).await;
    socket.nothing_more().await;
    socket.feed(&three, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn units_of_siblings_hear_of_their_conference_and_learn_nothing_of_the_other_child() {
    let server = Server::start().await;
    let Siblings { conference, .. } = siblings(&server).await;
    let (three, seven) = (server.unit(3).await, server.unit(7).await);
    let query = "subscription($unitId: ID!) { unitFeed(unitId: $unitId) { __typename
        ... on ConferenceEvent { type summary caseRef { childInitials } conference { children { child { firstName } } } } } }";
    let (mut first, mut second) = (server.socket("CLINICIAN").await, server.socket("OTHER_UNIT").await);
    for (socket, unit) in [(&mut first, &three), (&mut second, &seven)] {
        socket.subscribe("feed", query, json!({ "unitId": unit })).await;
        socket.item().await;
    }
    // Unit 3's coordinator sees one of the two children; both units must hear.
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "online": true,
        "scheduledFor": "2026-11-25T10:00:00Z", "chairId": format!("Worker:{}", server.worker("CP_CHAIR")), "expectedVersion": 1 });
    server.done("UNIT_COORDINATOR", "scheduleConference", "", input).await;
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "reason": "x",
        "scheduledFor": "2026-11-26T10:00:00Z", "expectedVersion": 2 });
    server.done("OTHER_UNIT_COORDINATOR", "moveConference", "", input).await;
    for kind in ["CONFERENCE_SCHEDULED", "CONFERENCE_CHANGED"] {
        for (socket, own) in [(&mut first, "Quentin"), (&mut second, "Yolanda")] {
            let event = socket.item().await;
            assert_eq!(event["type"], kind);
            assert_eq!(event["caseRef"], Value::Null, "{event}");
            assert_eq!(event["conference"]["children"], json!([{ "child": { "firstName": own } }]));
            for other in ["QX", "YZ"] {
                assert!(!event["summary"].as_str().unwrap().contains(other), "{event}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_used_again_at_once_is_a_new_operation() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let mut socket = server.socket("CLINICIAN").await;
    for _ in 0..30 {
        socket.feed(&three, None).await;
        socket.say(json!({ "id": "feed", "type": "complete" })).await;
    }
    socket.feed(&three, None).await;
    server.allocated_to(3).await;
    assert_eq!(socket.types(1).await, ["ALLOCATION_STARTED"]);
    socket.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_keeps_nothing_back() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let mut socket = server.socket("CLINICIAN").await;
    let opened = socket.feed(&three, None).await;
    let client = crate::support::connect("postgres", &server.database).await;
    client
        .batch_execute(
            "insert into outbox (event_id, type, occurred_at, recorded_at, actor_id, actor_role, correlation_id, entity_type, entity_id, entity_version, data)
             select gen_random_uuid(), 'ALLOCATION_STARTED', '2026-11-18 10:00', '2026-11-18 10:00', id, 'FIRST_RESPONSE', gen_random_uuid(), 'Allocation', gen_random_uuid(), 1, '{}'
             from workers where staff_no = 'FR-1';
             -- What a newer program writes while this one still runs.
             insert into outbox (event_id, type, occurred_at, recorded_at, actor_id, actor_role, correlation_id, entity_type, entity_id, entity_version, data)
             select gen_random_uuid(), 'VISIT_RECORDED', '2026-11-18 10:00', '2026-11-18 10:00', id, 'FIRST_RESPONSE', gen_random_uuid(), 'Visit', gen_random_uuid(), 1, '{}'
             from workers where staff_no = 'FR-1';
             insert into outbox_audience (event_id, holder_id, kind) select event_id, u.id, 'UNIT' from outbox, units u where u.name like '%Unit 3'",
        )
        .await
        .unwrap();
    let (case, _) = server.allocated_to(3).await;
    assert_eq!(socket.item().await["caseRef"]["caseId"], json!(case));
    let mut past = server.socket("CLINICIAN").await;
    past.feed(&three, Some(&opened)).await;
    assert_eq!(past.item().await["caseRef"]["caseId"], json!(case));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_works_here_no_longer_gets_nothing_on_an_open_socket() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let (mut gone, mut stays) = (server.socket("CLINICIAN").await, server.socket("UNIT_COORDINATOR").await);
    gone.feed(&three, None).await;
    stays.feed(&three, None).await;
    let client = crate::support::connect("postgres", &server.database).await;
    client.batch_execute("update workers set active = false where staff_no = 'U03-CL'").await.unwrap();
    server.allocated_to(3).await;
    assert_eq!(stays.types(1).await, ["ALLOCATION_STARTED"]);
    gone.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_keeps_no_connection_from_the_others() {
    let server = Server::with(Setup { connections: Some(2), ..Setup::default() }).await;
    let three = server.unit(3).await;
    let query = "subscription($unitId: ID!) { unitFeed(unitId: $unitId) { cursor ... on AllocationEvent { unit {
        allocations(first: 100) { nodes { id startedAt case { id caseNo status child { id displayName firstName lastName
        families { name } addresses { line postcode } } leadPractitioner { worker { name } } } } } } } } }";
    // Opened and never read again: what is said to it fills the buffers of both sides.
    let mut deaf = server.socket("CLINICIAN").await;
    for at in 0..30 {
        deaf.subscribe(&format!("feed{at}"), query, json!({ "unitId": three })).await;
    }
    let mut hears = server.socket("UNIT_COORDINATOR").await;
    hears.feed(&three, None).await;
    for _ in 0..4 {
        server.allocated_to(3).await;
        assert_eq!(hears.types(1).await, ["ALLOCATION_STARTED"]);
    }
    drop(deaf);
}
