//! Families: who is what to whom, what happened, who is a sibling.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    self, Server,
    people::{child, family, held_child, hold, person, related},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_familys_relationships_are_those_among_its_members_in_sight_the_past_included() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let one = held_child(&client, 3, "Ada", "Quibblewick").await;
    let hidden = held_child(&client, 7, "Ben", "Quibblewick").await;
    let (mother, stepfather, aunt) = (
        person(&client, "Cleo", "Quibblewick").await,
        person(&client, "Dan", "Snodgrass").await,
        person(&client, "Eve", "Quibblewick").await,
    );
    related(&client, (mother, "parent"), (one, "child"), None).await;
    related(&client, (mother, "parent"), (hidden, "child"), None).await;
    related(&client, (one, "sibling"), (hidden, "sibling"), None).await;
    related(&client, (stepfather, "stepParent"), (one, "stepChild"), Some("2024-01-01")).await;
    // No member of the family.
    related(&client, (aunt, "auntUncle"), (one, "nieceNephew"), None).await;
    let since = "2020-01-01";
    let members =
        [(one, since, None), (hidden, since, None), (mother, since, None), (stepfather, since, Some("2024-01-01"))];
    let family = family(&client, &members).await;
    let query = "query($id: ID!) { node(id: $id) { ... on FamilyGroup {
        relationships { type to person { id families { id } } other { id } } } } }";
    let edges = |data: &Value| -> BTreeSet<String> {
        data["node"]["relationships"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{} {} {}", one["person"]["id"], one["type"], one["other"]["id"]))
            .collect()
    };
    let id = json!({ "id": format!("FamilyGroup:{family}") });
    let all = server.data("HEAD_OF_SERVICE", query, id.clone()).await;
    assert_eq!(edges(&all).len(), 8, "{all}");
    let mine = server.data("CLINICIAN", query, id.clone()).await;
    let text = |one: Uuid, kind: &str, other: Uuid| format!("\"Person:{one}\" \"{kind}\" \"Person:{other}\"");
    let wanted = BTreeSet::from([
        text(mother, "parent", one),
        text(one, "child", mother),
        text(stepfather, "stepParent", one),
        text(one, "stepChild", stepfather),
    ]);
    assert_eq!(edges(&mine), wanted);
    assert!(!mine.to_string().contains(&hidden.to_string()));
    let over = mine["node"]["relationships"].as_array().unwrap().iter().filter(|one| one["to"] == "2024-01-01").count();
    assert_eq!(over, 2);
    for one in mine["node"]["relationships"].as_array().unwrap() {
        assert!(one["person"]["families"].as_array().unwrap().contains(&json!({ "id": id["id"] })), "{one}");
    }
    assert_eq!(server.data("OTHER_UNIT_SOCIAL_WORKER", query, id).await.to_string().matches("stepParent").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn siblings_share_a_family_now_or_are_recorded_and_say_how() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let mut made = Vec::new();
    for first in ["Ada", "Ben", "Cal", "Dot", "Eli", "Fay", "Gus"] {
        made.push(held_child(&client, 3, first, "Quibblewick").await);
    }
    let [ada, ben, cal, dot, eli, fay, gus] = made[..] else { panic!() };
    let hidden = held_child(&client, 7, "Hal", "Quibblewick").await;
    let unborn = child(&client, "Unborn", "Quibblewick").await;
    hold(&client, unborn, 3).await;
    client
        .execute(
            "update persons set date_of_birth = null, expected_date_of_birth = '2027-02-01' where id = $1",
            &[&unborn],
        )
        .await
        .unwrap();
    client.execute("update persons set date_of_birth = '2012-01-01' where id = $1", &[&cal]).await.unwrap();
    let mother = person(&client, "Mona", "Quibblewick").await;
    let since = "2020-01-01";
    family(
        &client,
        &[
            (ada, since, None),
            (ben, since, None),
            (mother, since, None),
            (hidden, since, None),
            // Left yesterday; comes tomorrow; today is the last day.
            (dot, since, Some("2026-11-17")),
            (eli, "2026-11-19", None),
            (fay, since, Some("2026-11-18")),
        ],
    )
    .await;
    related(&client, (ada, "halfSibling"), (ben, "halfSibling"), None).await;
    related(&client, (ada, "sibling"), (cal, "sibling"), None).await;
    related(&client, (ada, "siblingOfUnbornChild"), (unborn, "unbornSibling"), None).await;
    related(&client, (ada, "stepSibling"), (gus, "stepSibling"), Some("2025-01-01")).await;
    related(&client, (ada, "cousin"), (dot, "cousin"), None).await;
    related(&client, (ada, "sibling"), (hidden, "sibling"), None).await;
    let query = "query($id: ID!) { child(id: $id) { siblings { how child { id siblings { child { id } } } } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": format!("Child:{ada}") })).await;
    let siblings = data["child"]["siblings"].as_array().unwrap();
    let found: Vec<(String, Value)> =
        siblings.iter().map(|one| (one["child"]["id"].as_str().unwrap().to_owned(), one["how"].clone())).collect();
    let id = |child: Uuid| format!("Child:{child}");
    // Eldest first, an unborn one last.
    assert_eq!(found.first(), Some(&(id(cal), json!(["SIBLING"]))));
    assert_eq!(found.last(), Some(&(id(unborn), json!(["UNBORN_SIBLING"]))));
    let middle: BTreeSet<String> = found[1..3].iter().map(|(id, how)| format!("{id} {how}")).collect();
    let wanted = [
        format!("{} {}", id(ben), json!(["HALF_SIBLING", "SHARED_FAMILY"])),
        format!("{} {}", id(fay), json!(["SHARED_FAMILY"])),
    ];
    assert_eq!(middle, wanted.into());
    assert_eq!(found.len(), 4, "{found:?}");
    // Each leads back.
    for one in siblings {
        let back = one["child"]["siblings"].as_array().unwrap();
        assert!(back.iter().any(|other| other["child"]["id"] == json!(id(ada))), "{one}");
    }
    let all = server.data("HEAD_OF_SERVICE", query, json!({ "id": id(ada) })).await;
    assert!(all.to_string().contains(&hidden.to_string()));
    assert!(!data.to_string().contains(&hidden.to_string()));
}

const ENTRIES: &str = "totalCount pageInfo { hasNextPage endCursor }
    nodes { at on kind title child { id } case { id } node { id __typename } }";

/// (kind, moment, global id of the record) of everything in a chronology, page by page.
async fn chronology(server: &Server, who: &str, id: &str, on: &str, arguments: &str, first: usize) -> Vec<Value> {
    let query = format!(
        "query($id: ID!, $after: String) {{ node(id: $id) {{ ... on {on} {{
            chronology(first: {first}, after: $after {arguments}) {{ {ENTRIES} }} }} }} }}"
    );
    let (mut after, mut entries) = (Value::Null, Vec::new());
    loop {
        let data = server.data(who, &query, json!({ "id": id, "after": after })).await;
        let page = &data["node"]["chronology"];
        entries.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            assert_eq!(page["totalCount"], json!(entries.len()));
            return entries;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// What the tables say happened, told another way than the service tells it.
const HAPPENED: &str = "
    with kids as (select m.person_id as id from family_members m join children c on c.id = m.person_id where m.family_id = $1
                  union select c.id from children c where c.id = $1),
    entry as (
        select 'CASE_OPENED' as kind, opened_on::text as at, 'Case:' || id as node from cases where child_id in (select id from kids)
        union all select 'CASE_CLOSED', closed_on::text, 'Case:' || id from cases where child_id in (select id from kids)
        union all select 'ALLOCATION_STARTED', started_at::text, 'Allocation:' || id from allocations where child_id in (select id from kids)
        union all select 'ALLOCATION_ENDED', ended_at::text, 'Allocation:' || id from allocations where child_id in (select id from kids)
        union all select 'TRANSFER_REQUESTED', requested_at::text, 'Transfer:' || id from case_transfers where child_id in (select id from kids)
        union all select 'TRANSFER_' || state, responded_at::text, 'Transfer:' || id from case_transfers where child_id in (select id from kids)
        union all select 'LEAD_PRACTITIONER_CHANGED', started_at::text, 'Involvement:' || id from worker_involvements
            where child_id in (select id from kids) and capacity = 'LEAD_PRACTITIONER'
        union all select 'CONFERENCE_REQUESTED', c.requested_at::text, 'Conference:' || c.id from conferences c
            join conference_children k on k.conference_id = c.id where k.child_id in (select id from kids)
        union all select 'CONFERENCE_HELD', c.held_at::text, 'Conference:' || c.id from conferences c
            join conference_children k on k.conference_id = c.id where k.child_id in (select id from kids)
        union all select 'ASSESSMENT_STARTED', started_on::text, 'Assessment:' || id from assessments
            where child_id in (select id from kids)
        union all select 'ASSESSMENT_AUTHORISED', authorised_at::text, 'Assessment:' || id from assessments
            where child_id in (select id from kids)
        union all select 'STRATEGY_HELD', held_at::text, 'StrategyDiscussion:' || id from strategy_discussions
            where child_id in (select id from kids)
        union all select 'ENQUIRY_STARTED', started_on::text, 'Section47Enquiry:' || id from section47_enquiries
            where child_id in (select id from kids)
        union all select 'ENQUIRY_CONCLUDED', coalesce(countersigned_at, decided_at)::text, 'Section47Enquiry:' || id from section47_enquiries
            where child_id in (select id from kids) and status = 'CONCLUDED'
        union all select 'PLAN_STARTED', start_on::text, 'Plan:' || id from plans where child_id in (select id from kids) and status <> 'DRAFT'
        union all select 'PLAN_ENDED', end_on::text, 'Plan:' || id from plans where child_id in (select id from kids)
        union all select 'SUPPORT_STARTED', answered_at::text, 'SupportRequest:' || id from support_requests
            where child_id in (select id from kids) and involvement_id is not null
        union all select 'SUPPORT_ENDED', ended_at::text, 'SupportRequest:' || id from support_requests
            where child_id in (select id from kids)
        union all select 'ADOPTION_STEP', happened_on::text, 'Plan:' || plan_id from adoption_steps
            where child_id in (select id from kids)
        union all select 'FAMILY_MEMBER_JOINED', from_on::text,
            case when family_id = $1 then 'Person:' || person_id else 'FamilyGroup:' || family_id end
            from family_members where $1 in (family_id, person_id)
        union all select 'FAMILY_MEMBER_LEFT', to_on::text,
            case when family_id = $1 then 'Person:' || person_id else 'FamilyGroup:' || family_id end
            from family_members where $1 in (family_id, person_id))
    select array(select kind || ' ' || node from entry where at is not null order by 1)";

#[tokio::test(flavor = "multi_thread")]
async fn a_chronology_tells_everything_that_is_stored_newest_first_page_by_page() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    // A family with siblings, conferences, transfers and a closed case among them; and one child.
    let family: Uuid = client
        .query_one(
            "select m.family_id from family_members m join conference_children k on k.child_id = m.person_id
             join plans p on p.child_id = m.person_id join case_transfers t on t.child_id = m.person_id
             where exists (select from family_members o join cases c on c.child_id = o.person_id
                           where o.family_id = m.family_id and c.closed_on is not null)
             group by m.family_id order by count(*) desc, 1 limit 1",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    let child: Uuid = client
        .query_one(
            "select c.id from children c join family_members m on m.person_id = c.id
             where m.family_id = $1 order by (select count(*) from allocations a where a.child_id = c.id) desc limit 1",
            &[&family],
        )
        .await
        .unwrap()
        .get(0);
    for (on, id) in [("FamilyGroup", family), ("Child", child)] {
        let happened: Vec<String> = client.query_one(HAPPENED, &[&id]).await.unwrap().get(0);
        let id = format!("{on}:{id}");
        let entries = chronology(&server, "HEAD_OF_SERVICE", &id, on, "", 7).await;
        let mut told: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} {}", entry["kind"].as_str().unwrap(), entry["node"]["id"].as_str().unwrap()))
            .collect();
        told.sort();
        assert_eq!(told, happened, "{on}");
        assert!(told.len() > 10, "{on}: {}", told.len());
        let moment = |entry: &Value| -> DateTime<Utc> { entry["at"].as_str().unwrap().parse().unwrap() };
        assert!(entries.windows(2).all(|pair| moment(&pair[0]) >= moment(&pair[1])), "{on}");
        for entry in &entries {
            let day = hearth::domain::calendar::london_day(moment(entry));
            assert_eq!(entry["on"], json!(day.to_string()));
            let kind = entry["node"]["id"].as_str().unwrap().split(':').next().unwrap();
            assert_eq!(entry["node"]["__typename"], kind);
        }
        assert_eq!(entries, chronology(&server, "HEAD_OF_SERVICE", &id, on, "", 100).await);
        // Filtered.
        let kinds = ["CASE_OPENED", "CONFERENCE_HELD"];
        let some = chronology(&server, "HEAD_OF_SERVICE", &id, on, ", kinds: [CASE_OPENED, CONFERENCE_HELD]", 2).await;
        let kept = |entry: &&Value| kinds.contains(&entry["kind"].as_str().unwrap());
        assert_eq!(some, entries.iter().filter(kept).cloned().collect::<Vec<_>>());
        assert_eq!(entries, chronology(&server, "HEAD_OF_SERVICE", &id, on, ", kinds: []", 100).await);
    }
    let narrowed = format!(", children: [\"Child:{child}\"]");
    let about =
        chronology(&server, "HEAD_OF_SERVICE", &format!("FamilyGroup:{family}"), "FamilyGroup", &narrowed, 5).await;
    assert!(about.len() > 3);
    assert!(about.iter().all(|entry| entry["child"]["id"] == json!(format!("Child:{child}"))));
    let query = "query($id: ID!, $children: [ID!]) { node(id: $id) { ... on FamilyGroup {
        chronology(children: $children) { totalCount } } } }";
    for children in [json!(["x"]), json!([format!("Case:{child}")]), json!(vec![format!("Child:{child}"); 101])] {
        let variables = json!({ "id": format!("FamilyGroup:{family}"), "children": children });
        let answer = server.answer("HEAD_OF_SERVICE", query, variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["field"], "children", "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chronology_names_nobody_and_is_as_wide_as_its_viewers_sight() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let seen = held_child(&client, 3, "Ada", "Quibblewick").await;
    let hidden = held_child(&client, 7, "Ben", "Quibblewick").await;
    let mother = person(&client, "Cleo", "Quibblewick").await;
    let since = "2020-01-01";
    let family =
        family(&client, &[(seen, since, None), (hidden, since, None), (mother, since, Some("2025-03-01"))]).await;
    let id = format!("FamilyGroup:{family}");
    let titles = |entries: &[Value]| -> Vec<String> {
        entries.iter().map(|entry| entry["title"].as_str().unwrap().to_owned()).collect()
    };
    let mine = chronology(&server, "CLINICIAN", &id, "FamilyGroup", "", 2).await;
    let unit = server
        .data("CLINICIAN", "query($id: ID!) { unit(id: $id) { name } }", json!({ "id": server.unit(3).await }))
        .await;
    let allocated = format!("AQ: primary allocation to {} started", unit["unit"]["name"].as_str().unwrap());
    let mut told = titles(&mine);
    // The two came on one day, in the order of their rows.
    told[3..].sort();
    assert_eq!(
        told,
        [&allocated, "AQ: case opened", "CQ: left the family", "AQ: joined the family", "CQ: joined the family"]
    );
    assert!(!format!("{mine:?}").contains(&hidden.to_string()));
    assert_eq!(mine[1]["at"], "2026-08-31T23:00:00Z", "the first moment of the day in London");
    assert_eq!(mine[1]["on"], "2026-09-01");
    assert_eq!(mine[2]["child"], Value::Null);
    let all = chronology(&server, "HEAD_OF_SERVICE", &id, "FamilyGroup", "", 100).await;
    assert_eq!(all.len(), mine.len() + 3);
    assert!(titles(&all).iter().all(|title| !title.contains("Quibblewick")));
    // Who sees no child of the family sees no family.
    let nothing = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(
        server.data("OTHER_UNIT_SOCIAL_WORKER", nothing, json!({ "id": format!("Child:{seen}") })).await["node"],
        Value::Null
    );
    assert_eq!(
        server.answer("FIRST_RESPONSE", nothing, json!({ "id": id })).await,
        json!({ "data": { "node": null } })
    );
    // What lies ahead has not happened.
    client.execute("update family_members set to_on = '2027-01-01' where person_id = $1", &[&mother]).await.unwrap();
    assert_eq!(chronology(&server, "CLINICIAN", &id, "FamilyGroup", "", 100).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unit_that_is_asked_reads_the_chronology_of_the_cases_core_only() {
    let server = Server::start().await;
    let query = "query($id: ID!) { unit(id: $id) { requestedTransfers(first: 5) { nodes { case { id child { id
        siblings { how } conferences(first: 1) { totalCount } conferenceParts(first: 1) { totalCount } familyMemberships { from }
        chronology(first: 100) { totalCount nodes { kind title case { id } } } } } } } } }";
    let data = server.data("OTHER_UNIT", query, json!({ "id": server.unit(7).await })).await;
    let nodes = data["unit"]["requestedTransfers"]["nodes"].as_array().unwrap();
    assert!(!nodes.is_empty());
    let core = [
        "CASE_OPENED",
        "ALLOCATION_STARTED",
        "ALLOCATION_ENDED",
        "TRANSFER_REQUESTED",
        "TRANSFER_COMPLETED",
        "TRANSFER_REJECTED",
        "TRANSFER_WITHDRAWN",
        "LEAD_PRACTITIONER_CHANGED",
        "ASSESSMENT_STARTED",
        "ASSESSMENT_AUTHORISED",
        "STRATEGY_HELD",
        "ENQUIRY_STARTED",
        "ENQUIRY_CONCLUDED",
    ];
    for node in nodes {
        let child = &node["case"]["child"];
        let entries = child["chronology"]["nodes"].as_array().unwrap();
        assert!(entries.iter().any(|entry| entry["kind"] == "TRANSFER_REQUESTED"), "{child}");
        for entry in entries {
            assert!(core.contains(&entry["kind"].as_str().unwrap()), "{entry}");
            assert_eq!(entry["case"]["id"], node["case"]["id"]);
        }
        assert_eq!(child["conferences"]["totalCount"], 0);
        assert_eq!(child["conferenceParts"]["totalCount"], 0);
        assert_eq!((&child["siblings"], &child["familyMemberships"]), (&json!([]), &json!([])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chronologies_of_many_families_are_one_statement() {
    let server = Server::start().await;
    let query = "query($id: ID!) { unit(id: $id) { cases(first: 20) { nodes { child { families {
        chronology(first: 5) { nodes { kind at } } } siblings { how } } } } } }";
    let variables = json!({ "id": server.unit(3).await });
    server.data("CLINICIAN", query, variables.clone()).await;
    server.statements();
    let data = server.data("CLINICIAN", query, variables).await;
    let statements = server.statements();
    assert_eq!(statements.iter().filter(|text| text.contains("CASE_OPENED")).count(), 1, "{statements:#?}");
    assert_eq!(statements.iter().filter(|text| text.contains("SHARED_FAMILY")).count(), 1);
    // Begin, commit, unit, cases, children, families, chronologies, siblings.
    assert_eq!(statements.len(), 8, "{statements:#?}");
    let cases = data["unit"]["cases"]["nodes"].as_array().unwrap();
    let whole = |case: &&Value| {
        let entries = case["child"]["families"][0]["chronology"]["nodes"].as_array();
        entries.is_some_and(|entries| entries.len() == 5)
    };
    assert!(cases.iter().filter(whole).count() > 10);
}
