//! Feeds of workers and children: who hears what, and that the past and live agree.

use serde_json::{Value, json};

use crate::{
    mutations_support::{
        Siblings, accept, change_lead, joint, request_conference, request_transfer, schedule, siblings,
    },
    support::{self, Server, Socket, key, socket::FEED},
};

const ITEM: &str =
    "{ __typename cursor ... on Event { eventId type caseRef { caseId } entity { entityId } correlationId
    ... on ConferenceEvent { conference { children { child { firstName } } } } } }";

fn mine() -> String {
    format!("subscription($after: String, $types: [EventType!]) {{ myFeed(after: $after, types: $types) {ITEM} }}")
}

fn childs() -> String {
    format!(
        "subscription($childId: ID!, $after: String, $types: [EventType!]) {{
            childFeed(childId: $childId, after: $after, types: $types) {ITEM} }}"
    )
}

/// From now on when there is no cursor: behind everything that has happened.
async fn my_feed(server: &Server, person: &str, after: Option<&str>) -> (Socket, String) {
    server.all_placed().await;
    let mut socket = server.socket(person).await;
    let opened = socket.open_feed(&mine(), json!({ "after": after })).await;
    (socket, opened)
}

async fn child_feed(server: &Server, person: &str, child: &str, after: Option<&str>) -> (Socket, String) {
    server.all_placed().await;
    let mut socket = server.socket(person).await;
    let opened = socket.open_feed(&childs(), json!({ "childId": child, "after": after })).await;
    (socket, opened)
}

/// Where the feeds stand for a person.
async fn cursor(server: &Server, person: &str) -> String {
    server.all_placed().await;
    let data = server.data(person, "{ viewer { feedCursor } }", json!({})).await;
    data["viewer"]["feedCursor"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_practitioner_hears_of_their_case_and_colleagues_do_not() {
    let server = Server::start().await;
    // Unit 3's consultant social worker leads what is allocated to it.
    let (mut lead, _) = my_feed(&server, "CONSULTANT_SOCIAL_WORKER", None).await;
    let (mut colleague, _) = my_feed(&server, "SOCIAL_WORKER", None).await;
    let (mut helper, _) = my_feed(&server, "OTHER_UNIT", None).await;
    let (case, version) = server.allocated_to(3).await;
    joint(&server, &case, 7, version).await;
    let event = lead.item().await;
    assert_eq!((&event["type"], &event["caseRef"]["caseId"]), (&json!("ALLOCATION_STARTED"), &json!(case)));
    assert_eq!(lead.types(1).await, ["ALLOCATION_STARTED"], "the joint one");
    colleague.nothing_more().await;
    // Both the old and the new one hear that it passes on, and then only the new one.
    change_lead(&server, &case, "SOCIAL_WORKER", version + 1).await;
    assert_eq!(lead.types(1).await, ["INVOLVEMENT_CHANGED"]);
    assert_eq!(colleague.types(1).await, ["INVOLVEMENT_CHANGED"]);
    request_conference(&server, &case).await;
    assert_eq!(colleague.types(1).await, ["CONFERENCE_REQUESTED"]);
    lead.nothing_more().await;
    // A helping unit's members hear in their unit's feed; none of them is named.
    helper.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_concerns_both_leads_and_then_only_the_new_one() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let (mut old, _) = my_feed(&server, "CONSULTANT_SOCIAL_WORKER", None).await;
    let (mut new, _) = my_feed(&server, "OTHER_UNIT", None).await;
    let (mut nobody, _) = my_feed(&server, "OTHER_UNIT_SOCIAL_WORKER", None).await;
    let transfer = request_transfer(&server, &case, 7, version).await;
    accept(&server, &transfer).await;
    let moved = ["ALLOCATION_ENDED", "ALLOCATION_STARTED", "INVOLVEMENT_CHANGED", "TRANSFER_COMPLETED"];
    assert_eq!(old.types(1).await, ["TRANSFER_REQUESTED"]);
    assert_eq!(old.types(4).await, moved);
    assert_eq!(new.types(4).await, moved, "who leads it from now on");
    server.conference_called_for(&[&case]).await;
    let input = json!({ "idempotencyKey": key(), "caseIds": [case], "type": "INITIAL" });
    server.done("OTHER_UNIT", "requestConference", "", input).await;
    assert_eq!(new.types(1).await, ["CONFERENCE_REQUESTED"]);
    old.nothing_more().await;
    nobody.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nothing_ties_to_an_event_any_more_gets_neither_the_past_nor_the_next() {
    let server = Server::start().await;
    let before = cursor(&server, "CONSULTANT_SOCIAL_WORKER").await;
    let (case, _) = server.allocated_to(3).await;
    let (mut live, _) = my_feed(&server, "CONSULTANT_SOCIAL_WORKER", Some(&before)).await;
    assert_eq!(live.types(1).await, ["ALLOCATION_STARTED"]);
    let (mut child_live, _) =
        child_feed(&server, "CONSULTANT_SOCIAL_WORKER", &server.child_of("CLINICIAN", &case).await, Some(&before))
            .await;
    assert_eq!(child_live.types(1).await, ["ALLOCATION_STARTED"]);
    // The lead leaves the unit and works on elsewhere. The case names them still.
    let client = support::connect("postgres", &server.database).await;
    server.later(chrono::Duration::minutes(2));
    client
        .batch_execute(
            "update unit_memberships set ended_at = '2026-11-18 10:01' from workers w
             where w.id = worker_id and w.staff_no = 'U03-CSW' and ended_at is null",
        )
        .await
        .unwrap();
    request_conference(&server, &case).await;
    // The member who stays proves that the event is out.
    let mut stays = server.socket("CLINICIAN").await;
    stays.feed(&server.unit(3).await, Some(&cursor_at_start(&server, "CLINICIAN"))).await;
    assert_eq!(stays.types(2).await, ["ALLOCATION_STARTED", "CONFERENCE_REQUESTED"]);
    live.nothing_more().await;
    child_live.nothing_more().await;
    let (mut past, _) = my_feed(&server, "CONSULTANT_SOCIAL_WORKER", Some(&before)).await;
    past.nothing_more().await;
}

/// A cursor at the beginning of the one order.
fn cursor_at_start(server: &Server, person: &str) -> String {
    let sealer = hearth::auth::seal::Sealer::from_hex(support::CURSOR_KEY).unwrap();
    sealer.feed_cursor(hearth::domain::ids::WorkerId(server.worker(person)), 0, support::morning()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chair_hears_by_name_of_their_conference_and_of_nothing_else_about_the_child() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let child = server.child_of("CLINICIAN", &case).await;
    let before = cursor(&server, "CP_CHAIR").await;
    let (mut chair, _) = my_feed(&server, "CP_CHAIR", None).await;
    let conference = request_conference(&server, &case).await;
    schedule(&server, &conference).await;
    assert_eq!(chair.types(1).await, ["CONFERENCE_SCHEDULED"]);
    change_lead(&server, &case, "SOCIAL_WORKER", version).await;
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "reason": "x",
                        "scheduledFor": "2026-11-26T10:00:00Z", "expectedVersion": 2 });
    server.done("UNIT_COORDINATOR", "moveConference", "", input).await;
    assert_eq!(chair.types(1).await, ["CONFERENCE_CHANGED"]);
    chair.nothing_more().await;
    // In the child's feed too: the chair sees the child, and receives what is addressed to them.
    let (mut about_child, _) = child_feed(&server, "CP_CHAIR", &child, Some(&before)).await;
    assert_eq!(about_child.types(2).await, ["CONFERENCE_SCHEDULED", "CONFERENCE_CHANGED"]);
    about_child.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_here_no_longer_hears_nothing_by_name() {
    let server = Server::start().await;
    let (case, _) = server.allocated_to(3).await;
    let child = server.child_of("CLINICIAN", &case).await;
    let (mut gone, _) = my_feed(&server, "CONSULTANT_SOCIAL_WORKER", None).await;
    let (mut gone_too, _) = child_feed(&server, "CONSULTANT_SOCIAL_WORKER", &child, None).await;
    let (mut stays, _) = child_feed(&server, "CLINICIAN", &child, None).await;
    let client = support::connect("postgres", &server.database).await;
    client.batch_execute("update workers set active = false where staff_no = 'U03-CSW'").await.unwrap();
    request_conference(&server, &case).await;
    assert_eq!(stays.types(1).await, ["CONFERENCE_REQUESTED"]);
    gone.nothing_more().await;
    gone_too.nothing_more().await;
    let mut again = server.socket("CONSULTANT_SOCIAL_WORKER").await;
    again.subscribe("feed", &mine(), json!({})).await;
    assert_eq!(again.hear().await["payload"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_sees_the_child_whole_hears_in_the_childs_feed_what_is_addressed_to_them() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let child = server.child_of("CLINICIAN", &case).await;
    let (mut member, _) = child_feed(&server, "CLINICIAN", &child, None).await;
    let (mut manager, _) = child_feed(&server, "SERVICE_MANAGER", &child, None).await;
    // Sees every child, and no event is addressed to them.
    let (mut head, _) = child_feed(&server, "HEAD_OF_SERVICE", &child, None).await;
    // Another case of the same unit: not this child's.
    server.allocated_to(3).await;
    joint(&server, &case, 7, version).await;
    change_lead(&server, &case, "SOCIAL_WORKER", version + 1).await;
    request_conference(&server, &case).await;
    let all = ["ALLOCATION_STARTED", "INVOLVEMENT_CHANGED", "CONFERENCE_REQUESTED"];
    for kind in all {
        let event = member.item().await;
        // A conference's event names no case: that it is about one alone would tell of others.
        let named = if kind == "CONFERENCE_REQUESTED" { Value::Null } else { json!(case) };
        assert_eq!((&event["type"], &event["caseRef"]["caseId"]), (&json!(kind), &named));
    }
    member.nothing_more().await;
    assert_eq!(manager.types(1).await, ["ALLOCATION_STARTED"], "what is addressed to the area's managers");
    manager.nothing_more().await;
    head.nothing_more().await;
    // The helping unit sees the child from now on, and hears what is addressed to it.
    let (mut helper, _) =
        child_feed(&server, "OTHER_UNIT", &child, Some(&cursor_at_start(&server, "OTHER_UNIT"))).await;
    assert_eq!(helper.types(3).await, all);
    helper.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_childs_feed_goes_over_to_the_receiving_unit_with_the_case() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let child = server.child_of("CLINICIAN", &case).await;
    let (mut leaving, _) = child_feed(&server, "CLINICIAN", &child, None).await;
    let before = cursor(&server, "OTHER_UNIT").await;
    let transfer = request_transfer(&server, &case, 7, version).await;
    assert_eq!(leaving.types(1).await, ["TRANSFER_REQUESTED"]);
    // Asked, a unit sees the case's core: it may listen, and hears nothing before it sees the child whole.
    let (mut asked, _) = child_feed(&server, "OTHER_UNIT", &child, Some(&before)).await;
    asked.nothing_more().await;
    accept(&server, &transfer).await;
    let moved = ["ALLOCATION_ENDED", "ALLOCATION_STARTED", "INVOLVEMENT_CHANGED", "TRANSFER_COMPLETED"];
    assert_eq!(asked.types(4).await, moved);
    // The leaving unit hears of the move in its own feed; of the child it sees nothing more.
    assert_eq!(leaving.item().await["__typename"], "AccessEnded");
    assert_eq!(leaving.hear().await["type"], "complete");
    let (mut past, _) = child_feed(&server, "OTHER_UNIT", &child, Some(&before)).await;
    assert_eq!(past.types(1).await, ["TRANSFER_REQUESTED"]);
    assert_eq!(past.types(4).await, moved);
    past.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_child_has_no_feed_exactly_like_a_missing_one() {
    let server = Server::start().await;
    let (case, _) = server.allocated_to(3).await;
    let child = server.child_of("CLINICIAN", &case).await;
    let mut answers = Vec::new();
    for id in [child, format!("Child:{}", uuid::Uuid::now_v7())] {
        let mut socket = server.socket("OTHER_UNIT").await;
        socket.subscribe("feed", &childs(), json!({ "childId": id })).await;
        let answer = socket.hear().await;
        assert_eq!(
            (&answer["type"], &answer["payload"][0]["extensions"]["code"]),
            (&json!("error"), &json!("NOT_FOUND"))
        );
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    let mut socket = server.socket("OTHER_UNIT").await;
    socket.subscribe("feed", &childs(), json!({ "childId": server.unit(7).await })).await;
    assert_eq!(socket.hear().await["payload"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conference_with_a_hidden_sibling_is_in_the_feeds_of_both_children_and_of_both_leads() {
    let server = Server::start().await;
    let Siblings { children, conference, .. } = siblings(&server).await;
    let (mut first, _) = child_feed(&server, "CLINICIAN", &children[0], None).await;
    let (mut second, _) = child_feed(&server, "OTHER_UNIT_SOCIAL_WORKER", &children[1], None).await;
    let (mut first_lead, _) = my_feed(&server, "CONSULTANT_SOCIAL_WORKER", None).await;
    let (mut second_lead, _) = my_feed(&server, "OTHER_UNIT", None).await;
    let (mut chair, _) = my_feed(&server, "CP_CHAIR", None).await;
    // Unit 3's coordinator sees one of the two.
    schedule(&server, &conference).await;
    for (socket, own) in
        [(&mut first, "Quentin"), (&mut second, "Yolanda"), (&mut first_lead, "Quentin"), (&mut second_lead, "Yolanda")]
    {
        let event = socket.item().await;
        assert_eq!((&event["type"], &event["caseRef"]), (&json!("CONFERENCE_SCHEDULED"), &Value::Null));
        assert_eq!(event["conference"]["children"], json!([{ "child": { "firstName": own } }]));
        socket.nothing_more().await;
    }
    assert_eq!(chair.item().await["conference"]["children"].as_array().unwrap().len(), 2);
    // The one unit's members have no feed of the other unit's child.
    let mut hidden = server.socket("CLINICIAN").await;
    hidden.subscribe("feed", &childs(), json!({ "childId": children[1] })).await;
    assert_eq!(hidden.hear().await["payload"][0]["extensions"]["code"], "NOT_FOUND");
    // Asked for as one, it concerns every lead too.
    let (mut lead, _) = my_feed(&server, "CONSULTANT_SOCIAL_WORKER", None).await;
    let (one, _) = server.allocated_to(3).await;
    assert_eq!(lead.types(1).await, ["ALLOCATION_STARTED"]);
    request_conference(&server, &one).await;
    assert_eq!(lead.types(1).await, ["CONFERENCE_REQUESTED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitations_events_are_in_the_feeds_of_all_children_of_its_conference() {
    let server = Server::start().await;
    let Siblings { children, conference, .. } = siblings(&server).await;
    schedule(&server, &conference).await;
    let client = support::connect("postgres", &server.database).await;
    let invitation = uuid::Uuid::now_v7();
    client
        .execute(
            "insert into conference_invitations (id, conference_id, agency_name, capacity, answer_asked_at)
             values ($1, $2, 'Sycamore School', 'SCHOOL', '2026-11-18 10:00')",
            &[&invitation, &conference.strip_prefix("Conference:").unwrap().parse::<uuid::Uuid>().unwrap()],
        )
        .await
        .unwrap();
    let event = uuid::Uuid::now_v7();
    client
        .execute(
            "insert into outbox (event_id, type, occurred_at, recorded_at, actor_id, actor_role, correlation_id, entity_type, entity_id, entity_version, data)
             select $1, 'CONFERENCE_INVITATION_RESPONDED', '2026-11-18 10:00', '2026-11-18 10:00', id, 'UNIT_COORDINATOR', gen_random_uuid(), 'Invitation', $2, 1, '{}'
             from workers where staff_no = 'U03-UC'",
            &[&event, &invitation],
        )
        .await
        .unwrap();
    let rows =
        client.query("select 'Child:' || child_id from outbox_subjects where event_id = $1", &[&event]).await.unwrap();
    let mut about: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut both = children;
    about.sort();
    both.sort();
    assert_eq!(about, both);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_what_live_was_in_all_three_streams_and_one_cursor_resumes_any() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let me = "CONSULTANT_SOCIAL_WORKER";
    let (case, version) = server.allocated_to(3).await;
    let child = server.child_of(me, &case).await;
    server.all_placed().await;
    let mut unit = server.socket(me).await;
    let opened = unit.feed(&three, None).await;
    let (mut own, _) = my_feed(&server, me, None).await;
    let (mut about_child, _) = child_feed(&server, me, &child, None).await;

    // Of this case, of another one, and of this case after I have passed it on.
    let conference = request_conference(&server, &case).await;
    server.allocated_to(3).await;
    joint(&server, &case, 7, version).await;
    change_lead(&server, &case, "SOCIAL_WORKER", version + 1).await;
    schedule(&server, &conference).await;
    let mut lives = Vec::new();
    for (socket, count) in [(&mut unit, 5), (&mut own, 4), (&mut about_child, 4)] {
        let mut live = Vec::new();
        for _ in 0..count {
            live.push(socket.item().await);
        }
        socket.nothing_more().await;
        lives.push(live);
    }
    let ids = |events: &[Value]| events.iter().map(|event| event["eventId"].to_string()).collect::<Vec<_>>();
    let everything = ids(&lives[0]);
    // A cursor of the unit's feed, of its beginning or of any of its events, resumes each of the three.
    let cursors: Vec<&str> =
        [opened.as_str()].into_iter().chain(lives[0].iter().map(|event| event["cursor"].as_str().unwrap())).collect();
    for (at, after) in cursors.iter().enumerate() {
        let later = &everything[at..];
        for (which, live) in lives.iter().enumerate() {
            let mut socket = match which {
                0 => {
                    let mut socket = server.socket(me).await;
                    socket.feed(&three, Some(after)).await;
                    socket
                }
                1 => my_feed(&server, me, Some(after)).await.0,
                _ => child_feed(&server, me, &child, Some(after)).await.0,
            };
            let expected: Vec<String> = ids(live).into_iter().filter(|id| later.contains(id)).collect();
            let mut past = Vec::new();
            for _ in &expected {
                past.push(socket.item().await);
            }
            assert_eq!(ids(&past), expected, "stream {which} after event {at}");
            socket.nothing_more().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_feed_can_be_narrowed_to_types_and_has_a_cursor_in_the_query_before_it() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let child = server.child_of("CONSULTANT_SOCIAL_WORKER", &case).await;
    server.all_placed().await;
    let query = "query($id: ID!) { child(id: $id) { feedCursor } viewer { feedCursor } }";
    let cursors = server.data("CONSULTANT_SOCIAL_WORKER", query, json!({ "id": child })).await;
    joint(&server, &case, 7, version).await;
    request_conference(&server, &case).await;
    let types = json!(["CONFERENCE_REQUESTED"]);
    for (query, variables) in [
        (mine(), json!({ "types": types, "after": cursors["viewer"]["feedCursor"] })),
        (childs(), json!({ "types": types, "after": cursors["child"]["feedCursor"], "childId": child })),
    ] {
        let mut socket = server.socket("CONSULTANT_SOCIAL_WORKER").await;
        socket.open_feed(&query, variables).await;
        assert_eq!(socket.types(1).await, ["CONFERENCE_REQUESTED"]);
        socket.nothing_more().await;
    }
    // Without the filter nothing lay before it.
    let (mut all, _) =
        child_feed(&server, "CONSULTANT_SOCIAL_WORKER", &child, cursors["child"]["feedCursor"].as_str()).await;
    assert_eq!(all.types(2).await, ["ALLOCATION_STARTED", "CONFERENCE_REQUESTED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_costs_the_bus_the_same_statements_however_many_events_it_finds() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let mut socket = server.socket("CLINICIAN").await;
    socket.feed(&three, None).await;
    // Every look asks for new events first; what it asks beyond that is for those that it found.
    let beyond = |statements: Vec<String>| {
        let looks = statements.iter().filter(|text| text.contains("FROM \"outbox_audience\"")).count();
        // Whether streams may still be is asked by the clock too.
        let asked = |text: &&String| !text.starts_with("SELECT \"outbox\".") && !text.contains("hearth.ended_access");
        let beyond = statements.iter().filter(asked).count();
        (looks, beyond)
    };
    server.bus_statements();
    let (case, version) = server.allocated_to(3).await;
    socket.item().await;
    let (looks, one) = beyond(server.bus_statements());
    assert_eq!((looks, one), (1, 7));
    // A change of four events, committed and numbered at once.
    let transfer = request_transfer(&server, &case, 7, version).await;
    socket.item().await;
    server.bus_statements();
    accept(&server, &transfer).await;
    socket.types(4).await;
    let (looks, many) = beyond(server.bus_statements());
    assert_eq!((looks, many), (1, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_feed_is_as_before_for_who_is_named_too() {
    let server = Server::start().await;
    // Named, and a member: once in each of the two streams.
    let mut unit = server.socket("CONSULTANT_SOCIAL_WORKER").await;
    unit.subscribe("unit", FEED, json!({ "unitId": server.unit(3).await })).await;
    unit.subscribe("mine", &mine(), json!({})).await;
    let mut heard = Vec::new();
    for _ in 0..2 {
        assert_eq!(unit.hear().await["payload"]["errors"], Value::Null);
    }
    server.allocated_to(3).await;
    for _ in 0..2 {
        heard.push(unit.hear().await["id"].as_str().unwrap().to_owned());
    }
    heard.sort();
    assert_eq!(heard, ["mine", "unit"]);
    unit.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_the_same_gets_the_same_envelope_and_a_cursor_of_their_own() {
    const ENVELOPE: &str = "subscription($unitId: ID!, $after: String, $short: Boolean!) {
        unitFeed(unitId: $unitId, after: $after) { __typename cursor place: cursor ...Envelope } }
        fragment Envelope on Event { eventId type recordedAt severity summary @skip(if: $short)
            caseRef { caseId caseNo } actor { displayName } entity { entityId } }";
    let server = Server::start().await;
    let unit = server.unit(3).await;
    server.all_placed().await;
    let mut sockets = Vec::new();
    for (person, short) in [("CONSULTANT_SOCIAL_WORKER", false), ("SOCIAL_WORKER", false), ("SOCIAL_WORKER", true)] {
        let mut socket = server.socket(person).await;
        socket.open_feed(ENVELOPE, json!({ "unitId": unit, "short": short })).await;
        sockets.push(socket);
    }
    // Whoever also asks who has seen it gets an answer of their own.
    let mut whole = server.socket("CONSULTANT_SOCIAL_WORKER").await;
    let more = ENVELOPE.replace("eventId type", "eventId type seenBy { seen }");
    whole.open_feed(&more, json!({ "unitId": unit, "short": false })).await;

    server.allocated_to(3).await;
    let mut items = Vec::new();
    for socket in &mut sockets {
        items.push(socket.item().await);
    }
    let whole = whole.item().await;
    for name in ["__typename", "eventId", "type", "recordedAt", "severity", "caseRef", "actor", "entity", "summary"] {
        assert!(!whole[name].is_null(), "{name}");
        assert_eq!(items[0][name], whole[name]);
        assert_eq!(items[1][name], whole[name]);
        assert_eq!(items[2].get(name), (name != "summary").then_some(&whole[name]));
    }
    assert_eq!(items[0]["cursor"], items[0]["place"]);
    assert_ne!(items[0]["cursor"], items[1]["cursor"]);
    // Each resumes with their own, and with no other.
    let resume = |cursor: &Value| json!({ "unitId": unit, "short": true, "after": cursor });
    let mut again = server.socket("SOCIAL_WORKER").await;
    again.open_feed(ENVELOPE, resume(&items[1]["place"])).await;
    again.nothing_more().await;
    let mut other = server.socket("SOCIAL_WORKER").await;
    other.subscribe("feed", ENVELOPE, resume(&items[0]["cursor"])).await;
    let refused = other.hear().await;
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("BAD_USER_INPUT"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_a_unit_is_told_that_they_left_and_nothing_more() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let worker = format!("Worker:{}", server.worker("SOCIAL_WORKER"));
    let (mut socket, opened) = my_feed(&server, "SOCIAL_WORKER", None).await;
    let query = "query($id: ID!) { unit(id: $id) { members { id version worker { id } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": three })).await;
    let members = data["unit"]["members"].as_array().unwrap();
    let member = members.iter().find(|one| one["worker"]["id"] == worker).unwrap();
    let input = json!({ "idempotencyKey": key(), "membershipId": member["id"], "reason": "LEFTRL",
                        "expectedVersion": member["version"] });
    server.done("SERVICE_MANAGER", "endMembership", "", input).await;
    // Their cases passed on in the same change; of those they hear nothing.
    let event = socket.item().await;
    assert_eq!((&event["type"], &event["caseRef"]), (&json!("MEMBERSHIP_CHANGED"), &Value::Null));
    assert_eq!(event["entity"]["entityId"], member["id"]);
    // Nor of what follows: the next thing is that they are back.
    server.allocated_to(3).await;
    let input = json!({ "idempotencyKey": key(), "unitId": three, "workerId": worker, "role": "SOCIAL_WORKER" });
    let back = server.done("SERVICE_MANAGER", "startMembership", "membership { id }", input).await;
    assert_eq!(socket.item().await["entity"]["entityId"], back["membership"]["id"]);
    // The past tells the same.
    let (mut again, _) = my_feed(&server, "SOCIAL_WORKER", Some(&opened)).await;
    assert_eq!(again.item().await["eventId"], event["eventId"]);
    assert_eq!(again.item().await["entity"]["entityId"], back["membership"]["id"]);
}

/// Somebody else who may chair a conference.
async fn other_chair(client: &tokio_postgres::Client, server: &Server) -> uuid::Uuid {
    let query = "select worker_id from worker_posts where post = 'CP_CHAIR' and worker_id <> $1 limit 1";
    client.query_one(query, &[&server.worker("CP_CHAIR")]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chair_is_told_that_the_conference_is_off_or_another_chairs_it_and_nothing_more() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let other = other_chair(&client, &server).await;
    let (mut socket, _) = my_feed(&server, "CP_CHAIR", None).await;
    let appoint = async |conference: &str, chair: uuid::Uuid, version: i64| {
        let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "chairId": format!("Worker:{chair}"),
                            "expectedVersion": version });
        server.done("UNIT_COORDINATOR", "appointConferenceChair", "", input).await;
    };
    let step = async |person: &str, mutation: &str, conference: &str, version: i64| {
        let input =
            json!({ "idempotencyKey": key(), "conferenceId": conference, "reason": "x", "expectedVersion": version });
        server.done(person, mutation, "", input).await;
    };
    let mut about = async |of: &str, conference: &str, seen: bool| {
        let event = socket.item().await;
        assert_eq!((&event["type"], &event["entity"]["entityId"]), (&json!(of), &json!(conference)));
        assert_eq!(!event["conference"].is_null(), seen, "{event}");
        event
    };
    // Withdrawn: the last that they hear of it.
    let (case, _) = server.allocated_to(3).await;
    let off = request_conference(&server, &case).await;
    appoint(&off, server.worker("CP_CHAIR"), 1).await;
    about("CONFERENCE_CHANGED", &off, true).await;
    step("CONSULTANT_SOCIAL_WORKER", "proposeConferenceWithdrawal", &off, 2).await;
    about("CONFERENCE_CHANGED", &off, true).await;
    step("SERVICE_MANAGER", "withdrawConference", &off, 3).await;
    about("CONFERENCE_CANCELLED", &off, false).await;
    // Another chairs it: that they do no longer, without the child; then nothing, though it goes on.
    let (case, _) = server.allocated_to(3).await;
    let passed_on = request_conference(&server, &case).await;
    appoint(&passed_on, server.worker("CP_CHAIR"), 1).await;
    about("CONFERENCE_CHANGED", &passed_on, true).await;
    appoint(&passed_on, other, 2).await;
    let event = about("CONFERENCE_CHANGED", &passed_on, false).await;
    assert_eq!(event["caseRef"], Value::Null);
    step("CONSULTANT_SOCIAL_WORKER", "proposeConferenceWithdrawal", &passed_on, 3).await;
    let (case, _) = server.allocated_to(3).await;
    let next = request_conference(&server, &case).await;
    appoint(&next, server.worker("CP_CHAIR"), 1).await;
    about("CONFERENCE_CHANGED", &next, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_chair_who_still_sees_the_child_is_told_once_in_each_feed() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (case, _) = server.allocated_to(3).await;
    let child = server.child_of("CLINICIAN", &case).await;
    // A part of their own, beside the conference.
    client
        .execute(
            "insert into worker_involvements (id, case_id, child_id, worker_id, capacity, started_at)
             select gen_random_uuid(), id, child_id, $1, 'IRO', '2026-11-01' from cases where 'Case:' || id = $2",
            &[&server.worker("CP_CHAIR"), &case],
        )
        .await
        .unwrap();
    let conference = request_conference(&server, &case).await;
    let (mut own, _) = my_feed(&server, "CP_CHAIR", None).await;
    let (mut childs, _) = child_feed(&server, "CP_CHAIR", &child, None).await;
    let other = other_chair(&client, &server).await;
    for (version, chair) in [(1, server.worker("CP_CHAIR")), (2, other), (3, server.worker("CP_CHAIR"))] {
        let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "chairId": format!("Worker:{chair}"),
                            "expectedVersion": version });
        server.done("UNIT_COORDINATOR", "appointConferenceChair", "", input).await;
    }
    // Appointed, passed on, appointed again.
    for feed in [&mut own, &mut childs] {
        for _ in 0..3 {
            let event = feed.item().await;
            assert_eq!((&event["entity"]["entityId"], &event["caseRef"]), (&json!(conference), &Value::Null));
        }
        feed.nothing_more().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_hears_of_the_conference_only_while_they_see_a_child() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let conference = request_conference(&server, &case).await;
    schedule(&server, &conference).await;
    let (mut invited, _) = my_feed(&server, "OTHER_UNIT_SOCIAL_WORKER", None).await;
    let worker = format!("Worker:{}", server.worker("OTHER_UNIT_SOCIAL_WORKER"));
    let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "expectedVersion": 2,
                        "invitations": [{ "workerId": worker, "capacity": "SOCIAL_CARE", "method": "EMAIL" }] });
    server.done("UNIT_COORDINATOR", "inviteToConference", "", input).await;
    let move_it = async |day: &str, version: i64| {
        let input = json!({ "idempotencyKey": key(), "conferenceId": conference, "reason": "x", "expectedVersion": version,
                            "scheduledFor": format!("{day}T10:00:00Z") });
        server.done("UNIT_COORDINATOR", "moveConference", "", input).await;
    };
    move_it("2026-11-26", 3).await;
    server.all_placed().await;
    invited.nothing_more().await;
    joint(&server, &case, 7, version).await;
    move_it("2026-11-27", 4).await;
    assert_eq!(invited.types(1).await, ["CONFERENCE_CHANGED"]);
    invited.nothing_more().await;
}
