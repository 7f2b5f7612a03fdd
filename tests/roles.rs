//! What each role reads: rows, classes of fields, and numbers.

use apollo_compiler::{Schema, schema::ExtendedType};
use hearth::{
    auth::policy::{class_of, reads},
    domain::{
        Code,
        codes::{FieldClass, Role},
    },
};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{self, Server, people};

#[tokio::test(flavor = "multi_thread")]
async fn the_database_reads_each_class_of_fields_by_the_roles_that_policy_names() {
    let client = support::connect("postgres", &support::empty_database().await).await;
    let mut asked = 0;
    for (role, role_code, _) in Role::ALL {
        for (class, class_code, _) in FieldClass::ALL {
            let said = client.query_one("select hearth.reads($1, $2)", &[role_code, class_code]).await.unwrap();
            assert_eq!(said.get::<_, bool>(0), reads(*role, *class), "{role_code} {class_code}");
            asked += 1;
        }
    }
    assert_eq!(asked, Role::ALL.len() * FieldClass::ALL.len());
}

/// Every field of the schema's records with the class that it is read by, so that a new one is reviewed as a diff.
#[test]
fn every_field_has_its_class_in_the_committed_table() {
    let schema = Schema::parse_and_validate(hearth::graphql::sdl(), "schema.graphql").unwrap().into_inner();
    let mut text = String::new();
    for (name, of) in &schema.types {
        let ExtendedType::Object(object) = of else { continue };
        let plumbing = ["Connection", "Edge", "Payload"].iter().any(|end| name.as_str().ends_with(end));
        if plumbing
            || name.starts_with("__")
            || ["Query", "Mutation", "Subscription", "PageInfo"].contains(&name.as_str())
        {
            continue;
        }
        text.push_str(&format!("{name}\n"));
        for (class, code, _) in FieldClass::ALL {
            let fields: Vec<&str> = object
                .fields
                .keys()
                .map(|field| field.as_str())
                .filter(|field| class_of(name.as_str(), field) == *class)
                .collect();
            if !fields.is_empty() {
                text.push_str(&format!("    {code:<21} {}\n", fields.join(" ")));
            }
        }
    }
    crate::schema::matches_file("tests/snapshots/fields.txt", &text);
}

/// Every table's policies for the roles that log in: a new table is not readable by anybody until it stands here.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_has_its_policies_in_the_committed_table() {
    let client = support::connect("postgres", &support::empty_database().await).await;
    let rows = client
        .query(
            "select c.relname::text, coalesce(string_agg(
                 format(E'    %s %s %s%s\\n', r.role, lower(p.cmd), p.policyname,
                        case when p.permissive = 'RESTRICTIVE' then ' (restrictive)' else '' end
                        || coalesce(E'\\n        reads ' || regexp_replace(p.qual, '\\s+', ' ', 'g'), '')
                        || coalesce(E'\\n        writes ' || regexp_replace(p.with_check, '\\s+', ' ', 'g'), '')),
                 '' order by r.role, p.cmd, p.policyname), E'    nobody\\n')
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             left join pg_policies p on p.tablename = c.relname and p.schemaname = 'public'
             left join lateral unnest(p.roles::text[]) as r (role) on r.role in ('hearth_app', 'hearth_bus', 'hearth_relay')
             where n.nspname = 'public' and c.relkind = 'r' and c.relname <> '__diesel_schema_migrations'
               and (p.policyname is null or r.role is not null)
             group by 1 order by 1",
            &[],
        )
        .await
        .unwrap();
    let text: String =
        rows.iter().map(|row| format!("{}\n{}", row.get::<_, String>(0), row.get::<_, String>(1))).collect();
    crate::schema::matches_file("tests/snapshots/rows.txt", &text);
}

/// A child of unit 3 with a plan, an address that must not be told, health and a family.
struct Scene {
    server: Server,
    client: Client,
    child: Uuid,
    case: Uuid,
}

impl Scene {
    async fn start() -> Self {
        let server = Server::start().await;
        let client = support::connect("postgres", &server.database).await;
        let child = people::held_child(&client, 3, "Zephyrine", "Quillfeather").await;
        let case = client.query_one("select id from cases where child_id = $1", &[&child]).await.unwrap().get(0);
        client
            .execute("update persons set nhs_no = '9434765919', communication_needs = 'Signs', religion = 'None' where id = $1", &[&child])
            .await
            .unwrap();
        client.execute("update children set disabilities = '{HEAR}' where id = $1", &[&child]).await.unwrap();
        for (line, confidential) in [("1 Open Street", false), ("2 Secret Street", true)] {
            client
                .execute(
                    "insert into addresses (id, person_id, kind, line, postcode, from_on, confidential)
                     values (gen_random_uuid(), $1, 'HOME', $2, 'AB1 2CD', '2026-01-01', $3)",
                    &[&child, &line, &confidential],
                )
                .await
                .unwrap();
        }
        client
            .execute(
                "with plan as (
                     insert into plans (id, case_id, child_id, kind, status, start_on, overall_aim)
                     values (gen_random_uuid(), $1, $2, 'CIN', 'ACTIVE', '2026-10-01', 'Safe at home') returning id
                 ), goal as (
                     insert into plan_goals (id, plan_id, child_id, position, what_needs_to_change)
                     select gen_random_uuid(), id, $2, 1, 'Sleep' from plan returning id, plan_id
                 )
                 insert into plan_actions (id, plan_id, goal_id, child_id, text, owner_agency)
                 select gen_random_uuid(), plan_id, id, $2, 'Visit', 'School' from goal",
                &[&case, &child],
            )
            .await
            .unwrap();
        Self { server, client, child, case }
    }
}

const CHILD: &str =
    "query($id: ID!) { child(id: $id) { firstName religion nhsNo communicationNeeds disabilities withheld
    addresses { line confidential withheld } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_class_of_fields_that_a_role_does_not_read_is_null_and_says_so() {
    let scene = Scene::start().await;
    let id = json!({ "id": format!("Child:{}", scene.child) });
    for (person, health, address) in [
        ("SOCIAL_WORKER", true, true),
        ("CHILDRENS_PRACTITIONER", true, true),
        ("CLINICIAN", true, false),
        ("UNIT_COORDINATOR", false, false),
        ("SERVICE_MANAGER", true, true),
        ("HEAD_OF_SERVICE", false, false),
    ] {
        let child = scene.server.data(person, CHILD, id.clone()).await["child"].take();
        assert_eq!((&child["firstName"], &child["religion"]), (&json!("Zephyrine"), &json!("None")), "{person}");
        let shown = [&child["nhsNo"], &child["communicationNeeds"], &child["disabilities"]];
        assert!(shown.iter().all(|field| field.is_null() != health), "{person}: {child}");
        let mut withheld = Vec::new();
        if !health {
            withheld.push("CLINICAL");
        }
        if !address {
            withheld.push("CONFIDENTIAL_ADDRESS");
        }
        assert_eq!(child["withheld"], json!(withheld), "{person}");
        for one in child["addresses"].as_array().unwrap() {
            let masked = one["confidential"] == true && !address;
            assert_eq!(one["line"].is_null(), masked, "{person}: {one}");
            assert_eq!(one["withheld"], if masked { json!("CONFIDENTIAL_ADDRESS") } else { Value::Null }, "{person}");
        }
        assert_eq!(child["addresses"].as_array().unwrap().len(), 2);
    }
}

const EVERYTHING: &str = "query($child: ID!, $case: ID!) {
    child(id: $child) { firstName religion addresses { line } families { id } openCase { id } conferences { totalCount }
        plans(first: 5) { nodes { kind overallAim goals { whatNeedsToChange actions { text } } reviews { __typename } } } }
    case(id: $case) { id } }";

#[tokio::test(flavor = "multi_thread")]
async fn who_supports_parents_sees_who_the_child_is_and_the_plans_and_nothing_else() {
    let scene = Scene::start().await;
    let variables = json!({ "child": format!("Child:{}", scene.child), "case": format!("Case:{}", scene.case) });
    let worker = people::with_post(&scene.client, "PARENTING_SUPPORT_WORKER").await;
    let before = scene.server.answer_to(worker, EVERYTHING, variables.clone()).await;
    assert_eq!(before["data"], json!({ "child": null, "case": null }));
    let part = people::involve(&scene.client, scene.case, worker, "PARENTING_SUPPORT").await;
    let seen = scene.server.answer_to(worker, EVERYTHING, variables.clone()).await;
    assert_eq!(seen["errors"], Value::Null, "{seen}");
    let child = &seen["data"]["child"];
    assert_eq!(child["firstName"], "Zephyrine");
    assert_eq!(child["plans"]["nodes"][0]["goals"][0]["actions"][0]["text"], "Visit");
    assert_eq!(
        (&child["religion"], &child["openCase"], &seen["data"]["case"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!((&child["addresses"], &child["families"]), (&json!([]), &json!([])));
    scene.client.execute("update worker_involvements set ended_at = now() where id = $1", &[&part]).await.unwrap();
    assert_eq!(scene.server.answer_to(worker, EVERYTHING, variables).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewing_officer_sees_the_child_until_three_months_after_the_part_ended() {
    let scene = Scene::start().await;
    let variables = json!({ "child": format!("Child:{}", scene.child), "case": format!("Case:{}", scene.case) });
    let officer = people::with_post(&scene.client, "REVIEWING_OFFICER").await;
    let part = people::involve(&scene.client, scene.case, officer, "IRO").await;
    let sees = || async {
        let seen = scene.server.answer_to(officer, EVERYTHING, variables.clone()).await;
        assert_eq!(seen["errors"], Value::Null, "{seen}");
        !seen["data"]["case"].is_null()
    };
    assert!(sees().await);
    let clinical = scene.server.answer_to(officer, CHILD, json!({ "id": variables["child"] })).await;
    assert_eq!(clinical["data"]["child"]["withheld"], json!([]));
    scene
        .client
        .execute("update worker_involvements set ended_at = '2026-11-18 09:00Z' where id = $1", &[&part])
        .await
        .unwrap();
    assert!(sees().await);
    scene.server.later(chrono::Duration::days(91));
    assert!(sees().await);
    scene.server.later(chrono::Duration::days(3));
    assert!(!sees().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_supervises_carers_sees_who_the_child_is_and_nothing_else() {
    let scene = Scene::start().await;
    let variables = json!({ "child": format!("Child:{}", scene.child), "case": format!("Case:{}", scene.case) });
    let worker = people::with_post(&scene.client, "FOSTERING_SOCIAL_WORKER").await;
    people::involve(&scene.client, scene.case, worker, "SUPERVISING_SW").await;
    let seen = scene.server.answer_to(worker, EVERYTHING, variables).await;
    let child = &seen["data"]["child"];
    assert_eq!((&child["firstName"], &child["plans"]["nodes"]), (&json!("Zephyrine"), &json!([])), "{seen}");
    assert_eq!(
        (&child["religion"], &child["openCase"], &seen["data"]["case"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_alone_shows_no_record() {
    let scene = Scene::start().await;
    let variables = json!({ "child": format!("Child:{}", scene.child), "case": format!("Case:{}", scene.case) });
    for post in [
        "PARENTING_SUPPORT_WORKER",
        "REVIEWING_OFFICER",
        "FOSTERING_SOCIAL_WORKER",
        "DATA_ANALYST",
        "AUDITOR",
        "EXTERNAL_PARTICIPANT",
        "CP_CHAIR",
    ] {
        let worker = people::with_post(&scene.client, post).await;
        let seen = scene.server.answer_to(worker, EVERYTHING, variables.clone()).await;
        assert_eq!(seen["data"], json!({ "child": null, "case": null }), "{post}");
        let all = scene
            .server
            .answer_to(worker, "{ children { totalCount } unallocatedCases { totalCount } }", json!({}))
            .await;
        assert_eq!(
            all["data"],
            json!({ "children": { "totalCount": 0 }, "unallocatedCases": { "totalCount": 0 } }),
            "{post}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_counts_everybody_and_no_number_tells_who() {
    let scene = Scene::start().await;
    let analyst = people::with_post(&scene.client, "DATA_ANALYST").await;
    for name in ["One", "Two"] {
        people::held_child(&scene.client, 3, name, "Rare").await;
    }
    scene
        .client
        .batch_execute(
            "update cases set primary_need = 'N1' where primary_need = 'N9'; \
        update cases set primary_need = 'N9' where child_id in (select id from persons where last_name = 'Rare')",
        )
        .await
        .unwrap();
    let query = "query($by: CountBy!) { openCaseCounts(by: $by) { key count } }";
    let mut withheld = 0;
    for by in ["CASE_STATUS", "PRIMARY_NEED", "SERVICE", "AGE_BAND"] {
        let answer = scene.server.answer_to(analyst, query, json!({ "by": by })).await;
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        let counted = answer["data"]["openCaseCounts"].as_array().unwrap().clone();
        assert!(counted.len() > 1, "{by}");
        withheld += counted.iter().filter(|one| one["count"].is_null()).count();
        assert!(
            counted.iter().all(|one| one["count"].as_i64().is_none_or(|count| count % 5 == 0)),
            "{by}: {counted:?}"
        );
    }
    assert!(withheld > 0, "the two of the rare need");
    for person in ["CLINICIAN", "FIRST_RESPONSE"] {
        assert_eq!(scene.server.code(person, query, json!({ "by": "SERVICE" })).await, "FORBIDDEN");
    }
    // Restricted records are counted like others.
    let before = scene.server.answer("SERVICE_MANAGER", query, json!({ "by": "SERVICE" })).await;
    let input = json!({ "idempotencyKey": support::key(), "personId": format!("Child:{}", scene.child), "reason": "OTHER",
                        "allowedIds": [] });
    scene.server.done("SERVICE_MANAGER", "restrictRecord", "", input).await;
    assert_eq!(scene.server.answer("SERVICE_MANAGER", query, json!({ "by": "SERVICE" })).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_another_agency_sees_their_own_invitation_and_when_it_is_and_nothing_else() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let teacher = people::with_post(&client, "EXTERNAL_PARTICIPANT").await;
    let inside = server.worker("CLINICIAN");
    let child = people::held_child(&client, 7, "Zephyrine", "Quillfeather").await;
    let (meeting, far) = (Uuid::now_v7(), Uuid::now_v7());
    client
        .execute(
            "insert into conferences (id, type, state, requested_by, requested_at, scheduled_for, venue, online, chair_id)
             select $1, 'INITIAL', 'INVITED', $2, '2026-11-09 09:00Z', '2026-11-25 10:00Z', 'Room 4', false, id
             from workers where staff_no = 'CH-2'",
            &[&meeting, &inside],
        )
        .await
        .unwrap();
    client
        .execute(
            "insert into conference_children (id, conference_id, child_id, case_id)
             select gen_random_uuid(), $1, child_id, id from cases where child_id = $2",
            &[&meeting, &child],
        )
        .await
        .unwrap();
    for (id, worker) in [(far, teacher), (Uuid::now_v7(), inside)] {
        client
            .execute(
                "insert into conference_invitations (id, conference_id, worker_id, capacity, sent_at, method, answer_asked_at)
                 values ($1, $2, $3, 'SCHOOL', '2026-11-10 09:00Z', 'EMAIL', '2026-11-10 09:00Z')",
                &[&id, &meeting, &worker],
            )
            .await
            .unwrap();
    }
    let query = "{ viewer { worker { invitations { totalCount nodes { id capacity response conference { id } worker { id } person { id }
                   meeting { conferenceType conferenceState scheduledFor online venue } } } } } children { totalCount } }";
    let seen = server.answer_to(teacher, query, json!({})).await;
    assert_eq!(
        seen["data"],
        json!({ "viewer": { "worker": { "invitations": { "totalCount": 1, "nodes": [{
                    "id": format!("Invitation:{far}"), "capacity": "SCHOOL", "response": "NONE", "conference": null,
                    "worker": { "id": format!("Worker:{teacher}") }, "person": null,
                    "meeting": { "conferenceType": "INITIAL", "conferenceState": "INVITED",
                                 "scheduledFor": "2026-11-25T10:00:00Z", "online": false, "venue": "Room 4" } }] } } },
                "children": { "totalCount": 0 } })
    );
    // A member of another unit is invited, and an invitation opens nothing to them.
    let none = server.data("CLINICIAN", query, json!({})).await;
    assert_eq!(none["viewer"]["worker"]["invitations"]["totalCount"], 0);
    // Whoever sees the conference reads the same of the invitation.
    let node = "query($id: ID!) { node(id: $id) { ... on Invitation { meeting { venue } conference { id } } } }";
    let whole = server.data("OTHER_UNIT", node, json!({ "id": format!("Invitation:{far}") })).await;
    assert_eq!((&whole["node"]["meeting"]["venue"], whole["node"]["conference"].is_object()), (&json!("Room 4"), true));
    // Neither while a child of it is kept from them, nor when the post has ended.
    client
        .execute(
            "insert into access_denials (id, person_id, worker_id, reason, started_at, created_by)
             values (gen_random_uuid(), $1, $2, 'RELATIVE', '2026-11-01Z', $3)",
            &[&child, &teacher, &inside],
        )
        .await
        .unwrap();
    let kept = server.answer_to(teacher, query, json!({})).await;
    assert_eq!(kept["data"]["viewer"]["worker"]["invitations"]["totalCount"], 0);
    client.execute("update access_denials set ended_at = now() where worker_id = $1", &[&teacher]).await.unwrap();
    client.execute("update worker_posts set ended_at = '2026-11-17Z' where worker_id = $1", &[&teacher]).await.unwrap();
    let gone = server.answer_to(teacher, node, json!({ "id": format!("Invitation:{far}") })).await;
    assert_eq!(gone["data"]["node"], Value::Null);
}
