//! What is read, by whom, and how lists page.

use serde_json::{Value, json};

use crate::support::{Server, key};

const BOARD: &str = "query($id: ID!) { unit(id: $id) { id name service contactPoint capacityCases feedCursor
    area { name serviceManager { name } units { name } }
    members { role worker { name memberships { unit { name } } } }
    allocations(first: 25) { totalCount pageInfo { hasNextPage endCursor } nodes { kind startedAt priority
        case { id caseNo status version
            child { displayName initials dateOfBirth families { name members { person { displayName } } } }
            leadPractitioner { worker { name } }
            nextConference { type scheduledFor chair { name } }
            currentPlans { kind reviewDueOn openActions(first: 5) { text dueOn ownerWorker { name } } } } } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_unit_board_is_one_request() {
    let server = Server::start().await;
    let unit = server.unit(3).await;
    for person in
        ["CONSULTANT_SOCIAL_WORKER", "SOCIAL_WORKER", "CHILDRENS_PRACTITIONER", "CLINICIAN", "UNIT_COORDINATOR"]
    {
        let data = server.data(person, BOARD, json!({ "id": unit })).await;
        let allocations = &data["unit"]["allocations"];
        assert!(allocations["totalCount"].as_i64().unwrap() >= 30, "{person}");
        assert_eq!(allocations["nodes"].as_array().unwrap().len(), 25, "{person}");
        assert!(
            allocations["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .all(|node| node["case"]["child"]["displayName"].is_string())
        );
        assert_eq!(
            data["unit"]["members"].as_array().unwrap().iter().filter(|one| one["role"] == "CLINICIAN").count(),
            1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mobile_workers_today_is_one_request() {
    let server = Server::start().await;
    let query = "{ viewer { worker { name }
        actions(dueBy: \"2026-12-31\", first: 10) { totalCount nodes { text dueOn plan { case { caseNo child { initials } } } } }
        involvements(first: 10) { totalCount nodes { capacity case { caseNo child { initials addresses { line } } } } }
        conferences(first: 5) { totalCount nodes { scheduledFor venue children { child { initials } } } } } }";
    let data = server.data("SOCIAL_WORKER", query, json!({})).await;
    assert!(data["viewer"]["involvements"]["totalCount"].as_i64().unwrap() > 0);
    let chair = server.data("CP_CHAIR", query, json!({})).await;
    let conferences = &chair["viewer"]["conferences"];
    assert!(conferences["totalCount"].as_i64().unwrap() >= 2);
    assert!(conferences["nodes"][0]["children"][0]["child"]["initials"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_record_reads_like_a_missing_one() {
    let server = Server::start().await;
    let (case, _) = server.held("CLINICIAN", 3).await[0].clone();
    let query = "query($id: ID!) { case(id: $id) { id child { id currentPlans: plans(first: 1) { nodes { id } }
        families { id } } conferences(first: 1) { nodes { id } } } node(id: $id) { __typename } }";
    let seen = server.data("CLINICIAN", query, json!({ "id": case })).await;
    assert!(seen["case"]["child"]["id"].is_string());
    let hidden = server.answer("OTHER_UNIT", query, json!({ "id": case })).await;
    let missing = server.answer("OTHER_UNIT", query, json!({ "id": format!("Case:{}", uuid::Uuid::now_v7()) })).await;
    assert_eq!(hidden, missing);
    assert_eq!(hidden, json!({ "data": { "case": null, "node": null } }));
    // Every record of the child, through every door.
    let child = seen["case"]["child"]["id"].as_str().unwrap();
    let family = seen["case"]["child"]["families"][0]["id"].as_str().unwrap();
    let ids = json!([case, child, child.replace("Child:", "Person:"), family]);
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_eq!(server.data("OTHER_UNIT", nodes, json!({ "ids": ids })).await["nodes"], json!([null, null, null, null]));
    let own = server.data("CLINICIAN", nodes, json!({ "ids": ids })).await;
    assert!(own["nodes"].as_array().unwrap().iter().all(|node| node["id"].is_string()), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_units_board_shows_the_unit_and_nothing_that_it_holds() {
    let server = Server::start().await;
    let unit = server.unit(3).await;
    let data = server.data("OTHER_UNIT_COORDINATOR", BOARD, json!({ "id": unit })).await;
    assert_eq!(data["unit"]["service"], "ACCESS_ASSESSMENT");
    let allocations = &data["unit"]["allocations"];
    // Unit 7 is asked to take some of unit 3's cases over: their core is all that it may see.
    let asked = server
        .data(
            "OTHER_UNIT",
            "query($id: ID!) { unit(id: $id) { requestedTransfers { totalCount nodes { case { id } } } } }",
            json!({ "id": server.unit(7).await }),
        )
        .await;
    let asked = &asked["unit"]["requestedTransfers"];
    // And what unit 7 holds in any way itself, it sees whole.
    let client = crate::support::connect("postgres", &server.database).await;
    let helped: Vec<String> = client
        .query(
            "select 'Case:' || a.case_id from allocations a join units u on u.id = a.unit_id
             where u.name like '%Unit 7' and a.ended_at is null",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(allocations["totalCount"].as_i64().unwrap() < 20);
    for node in allocations["nodes"].as_array().unwrap() {
        if helped.iter().any(|case| node["case"]["id"] == json!(case)) {
            continue;
        }
        let known = asked["nodes"].as_array().unwrap().iter().any(|one| one["case"]["id"] == node["case"]["id"]);
        assert!(known, "{node}");
        assert_eq!(node["case"]["currentPlans"], json!([]));
        assert_eq!(node["case"]["child"]["families"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unit_that_is_asked_reads_the_handover_and_the_core_only() {
    let server = Server::start().await;
    let query = "query($id: ID!) { unit(id: $id) { requestedTransfers(first: 5) { nodes { id state handoverSummary
        case { caseNo status child { displayName addresses { line } plans(first: 1) { totalCount } families { name } }
               currentPlans { id } conferences(first: 1) { totalCount } } fromUnit { name } } } } }";
    let data = server.data("OTHER_UNIT", query, json!({ "id": server.unit(7).await })).await;
    let transfer = &data["unit"]["requestedTransfers"]["nodes"][0];
    assert_eq!(transfer["state"], "REQUESTED");
    assert!(!transfer["handoverSummary"].as_str().unwrap().is_empty());
    assert!(transfer["case"]["child"]["displayName"].is_string());
    let child = &transfer["case"]["child"];
    assert_eq!(
        (&child["addresses"], &child["families"], &child["plans"]["totalCount"]),
        (&json!([]), &json!([]), &json!(0))
    );
    assert_eq!(transfer["case"]["conferences"]["totalCount"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_see_their_area_and_the_head_of_service_sees_all() {
    let server = Server::start().await;
    let count = "{ children { totalCount } }";
    let total = |data: Value| data["children"]["totalCount"].as_i64().unwrap();
    let unit = total(server.data("CLINICIAN", count, json!({})).await);
    let area = total(server.data("SERVICE_MANAGER", count, json!({})).await);
    let all = total(server.data("HEAD_OF_SERVICE", count, json!({})).await);
    assert!(unit < area && area < all, "{unit} {area} {all}");
    let client = crate::support::connect("postgres", &server.database).await;
    let rows: i64 = client.query_one("select count(*) from children", &[]).await.unwrap().get(0);
    assert_eq!(all, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_pages_through_everything_once_and_in_order() {
    let server = Server::start().await;
    let query = "query($first: Int, $after: String) { children(first: $first, after: $after) {
        totalCount nodes { id lastName } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } } }";
    let whole = server.data("CLINICIAN", query, json!({ "first": 100 })).await;
    let (mut after, mut found, mut pages) = (Value::Null, Vec::new(), 0);
    loop {
        let data = server.data("CLINICIAN", query, json!({ "first": 7, "after": after })).await;
        let page = &data["children"];
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(pages > 0));
        assert_eq!(page["edges"].as_array().unwrap().len(), page["nodes"].as_array().unwrap().len());
        found.extend(page["nodes"].as_array().unwrap().iter().cloned());
        pages += 1;
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(json!(found), whole["children"]["nodes"]);
    assert_eq!(json!(found.len()), whole["children"]["totalCount"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_lists_page_by_their_own_parents_cursor() {
    let server = Server::start().await;
    let query = "query($id: ID!, $after: String) { unit(id: $id) { allocations(first: 5, after: $after) {
        nodes { id } pageInfo { endCursor hasNextPage } } } }";
    let unit = server.unit(3).await;
    let (mut after, mut seen) = (Value::Null, std::collections::HashSet::new());
    loop {
        let data = server.data("CLINICIAN", query, json!({ "id": unit, "after": after })).await;
        let page = &data["unit"]["allocations"];
        for node in page["nodes"].as_array().unwrap() {
            assert!(seen.insert(node["id"].as_str().unwrap().to_owned()), "twice");
        }
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
    }
    assert!(seen.len() >= 30);
    let elsewhere = server.answer("CLINICIAN", query, json!({ "id": server.unit(4).await, "after": after })).await;
    assert_eq!(elsewhere["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_the_dashboard_leads_back() {
    let server = Server::start().await;
    let unit = server.unit(3).await;
    let both = "query($id: ID!) { unit(id: $id) { cases(first: 100) { totalCount nodes { id } }
        allocations(first: 100) { nodes { case { id } } } } }";
    let data = server.data("CLINICIAN", both, json!({ "id": unit })).await;
    let ids = |nodes: &Value| {
        let mut ids: Vec<String> = nodes.as_array().unwrap().iter().map(|node| node["id"].to_string()).collect();
        ids.sort();
        ids
    };
    let cases = ids(&data["unit"]["cases"]["nodes"]);
    let held: Vec<Value> =
        data["unit"]["allocations"]["nodes"].as_array().unwrap().iter().map(|node| node["case"].clone()).collect();
    assert_eq!(cases, ids(&json!(held)));
    assert_eq!(data["unit"]["cases"]["totalCount"], json!(cases.len()));
    let query = "query($id: ID!) { unit(id: $id) { allocations(first: 100) { nodes { id unit { id }
        case { id child { id openCase { id } cases(first: 5) { nodes { id } } plans(first: 5) { nodes { id case { id }
                child { id } goals { id plan { id } actions { id goal { id } plan { id } } } } } }
            primaryAllocation { unit { id } } allocations(current: true) { nodes { id case { id } } }
            involvements { id case { id } worker { id } } currentPlans { id case { id } }
            nextConference { id children { case { id } child { id } conference { id } } } } } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": unit })).await;
    let nodes = data["unit"]["allocations"]["nodes"].as_array().unwrap();
    for node in nodes {
        let case = &node["case"];
        assert_eq!(node["unit"]["id"], json!(unit));
        assert_eq!(case["child"]["openCase"]["id"], case["id"]);
        assert!(case["child"]["cases"]["nodes"].as_array().unwrap().iter().any(|one| one["id"] == case["id"]));
        assert!(case["involvements"].as_array().unwrap().iter().all(|one| one["case"]["id"] == case["id"]));
        assert!(case["currentPlans"].as_array().unwrap().iter().all(|one| one["case"]["id"] == case["id"]));
        for plan in case["child"]["plans"]["nodes"].as_array().unwrap() {
            assert_eq!(plan["child"]["id"], case["child"]["id"]);
            for goal in plan["goals"].as_array().unwrap() {
                assert_eq!(goal["plan"]["id"], plan["id"]);
                assert!(goal["actions"].as_array().unwrap().iter().all(|one| one["goal"]["id"] == goal["id"]));
            }
        }
        if let Some(parts) = case["nextConference"]["children"].as_array() {
            assert!(parts.iter().any(|one| one["case"]["id"] == case["id"]));
        }
    }
    assert!(nodes.iter().any(|node| !node["case"]["currentPlans"].as_array().unwrap().is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_shows_one_instant() {
    let server = Server::start().await;
    // The board is asked for over and over while a case is allocated: at no time is its list longer than its count.
    let unit = server.unit(3).await;
    let query = "query($id: ID!) { a: unit(id: $id) { allocations(first: 100) { totalCount nodes { id } } }
        b: unit(id: $id) { allocations(first: 100) { totalCount nodes { id } } } }";
    let allocating = async {
        for (case, version) in server.queue().await {
            server
                .done(
                    "FIRST_RESPONSE",
                    "allocateCase",
                    "",
                    json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "x", "expectedVersion": version }),
                )
                .await;
        }
    };
    let reading = async {
        for _ in 0..40 {
            let data = server.data("CLINICIAN", query, json!({ "id": unit })).await;
            let list = &data["a"]["allocations"];
            assert_eq!(list["totalCount"], json!(list["nodes"].as_array().unwrap().len()));
            assert_eq!(data["a"], data["b"]);
        }
    };
    futures_util::join!(allocating, reading);
}
