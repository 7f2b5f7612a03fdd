//! What a client does not select costs nothing: the statements of a set of operations, recorded.

use serde_json::json;

use crate::support::Server;

/// (name, query)
const OPERATIONS: &[(&str, &str)] = &[
    (
        "a child by id, five fields",
        "query($child: ID!) { child(id: $child) { id firstName lastName dateOfBirth sex } }",
    ),
    ("a child by id with a sensitive field", "query($child: ID!) { child(id: $child) { id religion } }"),
    (
        "the same child twice, with other columns each time",
        "query($child: ID!) { a: child(id: $child) { id } b: child(id: $child) { id nhsNo } }",
    ),
    (
        "a unit board",
        "query($unit: ID!) { unit(id: $unit) { name allocations(first: 25) { nodes { kind case { caseNo
            child { displayName families { name } } leadPractitioner { worker { name } }
            currentPlans { kind openActions(first: 5) { text ownerWorker { name } } }
            nextConference { scheduledFor chair { name } } } } } feedCursor } }",
    ),
    ("only a unit's name", "query($unit: ID!) { unit(id: $unit) { name } }"),
    ("a page with its count", "{ children(first: 5) { totalCount nodes { lastName } } }"),
    ("a page without its count", "{ children(first: 5) { nodes { lastName } } }"),
    (
        "narrative by a fragment and an alias",
        "query($unit: ID!) { unit(id: $unit) { allocations(first: 3) { edges { node { case { ...narrative } } } } } }
         fragment narrative on Case { why: referralSummary }",
    ),
    (
        "nodes of three kinds",
        "query($unit: ID!, $child: ID!, $case: ID!) { nodes(ids: [$unit, $child, $case, $case]) { id } }",
    ),
    ("nothing of the database", "{ __typename }"),
    (
        "a search with a filter and its count",
        "query($unit: ID!) { children(search: \"Kate O'Neill\", filter: { unitId: $unit, planKind: CIN }, first: 5) {
            totalCount nodes { displayName } } }",
    ),
    (
        "a child's siblings and families with relationships and chronology",
        "query($child: ID!) { child(id: $child) { siblings { how child { initials } } families {
            relationships { type person { firstName } } chronology(first: 3) { nodes { title node { id } } } } } }",
    ),
    (
        "a chronology's kinds only",
        "query($child: ID!) { child(id: $child) { chronology(kinds: [CASE_OPENED], first: 3) { nodes { kind } } } }",
    ),
    (
        "a case's plans with what is to be done, and who does it",
        "query($planned: ID!) { case(id: $planned) { plans(first: 5) { nodes { kind openActions { text } goals { why
            actions { text ownerWorker { name memberships { unit { name } } } } } } } } }",
    ),
    (
        "a case's plans with the conferences that decided about them",
        "query($case: ID!) { case(id: $case) { plans(first: 5) { nodes { kind conferenceParts(first: 3) {
            nodes { decision conference { type plans { id } } } } } } } }",
    ),
    (
        "a unit's recent events, with what they are about and who saw them",
        "query($unit: ID!) { unit(id: $unit) { unreadCount members { unreadCount } events(first: 25) { nodes {
            summary seenBy { seen of } ... on AllocationEvent { case { caseNo } unit { name } allocation { kind } }
            ... on TransferEvent { case { caseNo } transfer { state } } ... on ConferenceEvent { conference { state } } } } } }",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn at_most_one_statement_for_each_relation_and_level_and_no_column_that_is_not_selected() {
    let server = Server::start().await;
    let (case, _) = server.held("CLINICIAN", 3).await[0].clone();
    let data =
        server.data("CLINICIAN", "query($id: ID!) { case(id: $id) { child { id } } }", json!({ "id": case })).await;
    // Events to list, about two cases each.
    for _ in 0..2 {
        let (case, version) = server.allocated_to(3).await;
        crate::mutations_support::request_transfer(&server, &case, 7, version).await;
    }
    server.all_placed().await;
    let unit = server.unit(3).await;
    let client = crate::support::connect("postgres", &server.database).await;
    let planned: uuid::Uuid = client
        .query_one(
            "select p.case_id from plans p join plan_actions a on a.plan_id = p.id
             join allocations h on h.case_id = p.case_id and h.ended_at is null
             where p.status = 'ACTIVE' and a.owner_worker_id is not null and 'Unit:' || h.unit_id = $1
             order by p.id limit 1",
            &[&unit],
        )
        .await
        .unwrap()
        .get(0);
    let planned = format!("Case:{planned}");
    let variables = json!({ "child": data["case"]["child"]["id"], "unit": unit, "case": case, "planned": planned });
    let mut recorded = String::new();
    for (name, query) in OPERATIONS {
        let used: serde_json::Map<_, _> = variables
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| query.contains(&format!("${name}:")))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        // Once for the statements that a new connection prepares, then recorded.
        server.data("CLINICIAN", query, json!(used)).await;
        server.statements();
        server.data("CLINICIAN", query, json!(used)).await;
        recorded.push_str(&format!("== {name}\n"));
        let mut statements: Vec<String> = server.statements().iter().map(|text| short(text)).collect();
        // Statements of one level leave in the order in which their fields are reached.
        statements.sort();
        for statement in statements {
            recorded.push_str(&format!("{statement}\n"));
        }
        recorded.push('\n');
    }
    crate::schema::matches_file("tests/snapshots/statements.txt", &recorded);
}

/// The worker's id and the moment are the only things that change.
fn short(statement: &str) -> String {
    let mut text = statement.replace('"', "");
    if let Some(at) = text.find("hearth.enter(") {
        text.truncate(at);
        text.push_str("hearth.enter(..)");
    }
    text
}
