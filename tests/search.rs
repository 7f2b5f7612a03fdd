//! Children by name and by what applies to them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    self, Server,
    people::{child, held_child, hold},
};

const SEARCH: &str = "query($search: String, $filter: ChildFilter, $first: Int, $after: String) {
    children(search: $search, filter: $filter, first: $first, after: $after) {
        totalCount nodes { id } pageInfo { hasNextPage endCursor } } }";

fn global(child: Uuid) -> String {
    format!("Child:{child}")
}

/// The ids that a search finds. The count must say the same.
async fn found(server: &Server, person: &str, search: &str) -> BTreeSet<String> {
    asked(server, person, json!({ "search": search, "first": 100 })).await
}

async fn asked(server: &Server, person: &str, variables: Value) -> BTreeSet<String> {
    let data = server.data(person, SEARCH, variables.clone()).await;
    let nodes = data["children"]["nodes"].as_array().unwrap();
    let ids: BTreeSet<String> = nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), nodes.len(), "twice");
    if nodes.len() < 100 {
        assert_eq!(data["children"]["totalCount"], json!(nodes.len()), "{variables}");
    }
    ids
}

/// Every search of the second list finds every child of the first, and no child of the third.
async fn finds(server: &Server, wanted: &[Uuid], searches: &[&str], others: &[Uuid]) {
    for search in searches {
        let found = found(server, "CLINICIAN", search).await;
        for child in wanted {
            assert!(found.contains(&global(*child)), "{search:?} does not find {child}");
        }
        for child in others {
            assert!(!found.contains(&global(*child)), "{search:?} finds {child}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_a_name_finds_it_and_accents_do_not_matter_either_way() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let accented = held_child(&client, 3, "José", "Quíbblewick").await;
    let plain = held_child(&client, 3, "Jose", "Quibblewick").await;
    let (zoe, zoé) = (held_child(&client, 3, "Zoë", "Øverby").await, held_child(&client, 3, "Zoe", "Overby").await);
    let both = [accented, plain];
    finds(&server, &both, &["José", "jose", "JOSÉ", "jos", "Jose\u{301}", "quib", "QUÍBBLEWICK"], &[zoe, zoé]).await;
    finds(&server, &[zoe, zoé], &["zoë", "Zoe", "ZOE", "Zo", "øver", "over"], &both).await;
    // The middle of a name is no beginning.
    finds(&server, &[], &["ibble", "verby"], &[accented, plain, zoe, zoé]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hyphens_apostrophes_and_spaces_do_not_matter() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let neill = held_child(&client, 3, "Fintan", "O'Neill").await;
    let curly = held_child(&client, 3, "Fintan", "O’Neill").await;
    let together = held_child(&client, 3, "Fintan", "Oneill").await;
    finds(
        &server,
        &[neill, curly],
        &["O'Neill", "o’neill", "oneill", "ONEI", "neill", "O Neill", "fintan o'neill"],
        &[],
    )
    .await;
    finds(&server, &[together], &["O'Neill", "o`neill"], &[]).await;
    let hyphen = held_child(&client, 3, "Anne-Marie", "Quibblewick").await;
    let space = held_child(&client, 3, "Anne Marie", "Quibblewick").await;
    let one = held_child(&client, 3, "Annemarie", "Quibblewick").await;
    finds(&server, &[hyphen, space, one], &["Anne-Marie", "annemarie", "Anne‐Marie quib", "annem"], &[]).await;
    finds(&server, &[hyphen, space], &["Anne Marie", "marie anne", "marie"], &[]).await;
    let berg = held_child(&client, 3, "Lotte", "van der Berg").await;
    finds(&server, &[berg], &["van der berg", "Vanderberg", "berg lotte", "der"], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_name_is_found_in_its_other_spellings() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let mut made = Vec::new();
    for name in
        ["Catherine", "Katherine", "Kathryn", "Stephen", "Steven", "Mohammed", "Muhammad", "Christopher", "Reid"]
    {
        made.push(held_child(&client, 3, name, "Quibblewick").await);
    }
    let (others, cath, ste, mo) = (&made[7..], &made[..3], &made[3..5], &made[5..7]);
    finds(&server, cath, &["Catherine", "katherine", "Kathryn", "catharine quibblewick"], ste).await;
    finds(&server, ste, &["Stephen", "Steven", "stephan"], others).await;
    finds(&server, mo, &["Mohammed", "Muhammad", "Mohamed"], others).await;
    finds(&server, &[made[7]], &["Kristofer", "chris"], cath).await;
    // Alike in the beginning only.
    finds(&server, &[], &["Christine", "Kristina"], &[made[7]]).await;
    finds(&server, &[made[8]], &["Reed", "Read"], &made[..8]).await;
    // Two letters are a beginning, not a sound.
    finds(&server, &[], &["Rd"], &[made[8]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_found_by_its_short_forms_and_they_by_it() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let mut made = Vec::new();
    for name in ["William", "Bill", "Paul", "Elizabeth", "Beth", "Mohammed", "Shaun", "Alexander", "Alexandra", "Alex"]
    {
        made.push(held_child(&client, 3, name, "Quibblewick").await);
    }
    finds(&server, &made[..2], &["Bill", "William", "Will", "billy"], &made[2..]).await;
    finds(&server, &made[3..5], &["Liz", "Elizabeth", "Beth"], &made[..3]).await;
    finds(&server, &[made[5]], &["Mo", "Mo Quibblewick"], &made[..5]).await;
    finds(&server, &[made[6]], &["Sean", "Shawn"], &made[..6]).await;
    finds(&server, &made[7..], &["Alex"], &made[..7]).await;
    // They share a short form, and are not each other.
    finds(&server, &[made[7], made[9]], &["Alec"], &[made[8]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_word_must_match_in_any_order_and_in_any_name_of_the_child() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let one = held_child(&client, 3, "Catherine", "Quibblewick").await;
    let other = held_child(&client, 3, "Catherine", "Snodgrass").await;
    finds(&server, &[one], &["Quibblewick Catherine", "cath quib", "Quibblewick, Kathryn", "quib kate quib"], &[other])
        .await;
    client
        .execute(
            "update persons set preferred_name = 'Pixie', other_names = '{Thistlethwaite,Ms Bramble-Hythe}' where id = $1",
            &[&one],
        )
        .await
        .unwrap();
    finds(&server, &[one], &["pixie", "thistle", "bramble hythe", "Pixie Thistlethwaite Quibblewick"], &[other]).await;
    // A name that is no longer a name does not find.
    client
        .execute("update persons set last_name = 'Marchbanks', other_names = '{}' where id = $1", &[&one])
        .await
        .unwrap();
    finds(&server, &[one], &["Marchbanks", "catherine marchb"], &[other]).await;
    finds(&server, &[], &["thistle", "quibblewick"], &[one]).await;
    let query = "query($id: ID!) { child(id: $id) { otherNames person { otherNames preferredName } } }";
    let data = server.data("CLINICIAN", query, json!({ "id": global(one) })).await;
    assert_eq!(data["child"], json!({ "otherNames": [], "person": { "otherNames": [], "preferredName": "Pixie" } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unborn_child_is_found_by_name_and_has_no_age() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let unborn = child(&client, "Unborn", "Quibblewick").await;
    client
        .execute(
            "update persons set date_of_birth = null, expected_date_of_birth = '2027-02-01' where id = $1",
            &[&unborn],
        )
        .await
        .unwrap();
    hold(&client, unborn, 3).await;
    finds(&server, &[unborn], &["unborn quibblewick", "quibble"], &[]).await;
    for filter in [json!({ "bornFrom": "1900-01-01" }), json!({ "bornTo": "2099-01-01" })] {
        let variables = json!({ "search": "quibblewick", "filter": filter });
        assert!(asked(&server, "CLINICIAN", variables).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_child_is_found_by_its_own_name() {
    let server = Server::start().await;
    let query = "{ children(first: 100) { nodes { id firstName lastName preferredName } } }";
    let data = server.data("SOCIAL_WORKER", query, json!({})).await;
    let nodes = data["children"]["nodes"].as_array().unwrap();
    assert!(nodes.len() > 30);
    for node in nodes {
        let text = |field: &str| node[field].as_str().unwrap_or_default().to_owned();
        for search in [
            format!("{} {}", text("firstName"), text("lastName")),
            format!("{}, {}", text("lastName").to_uppercase(), text("firstName")),
            format!("{} {}", text("preferredName"), text("lastName")),
        ] {
            assert!(found(&server, "SOCIAL_WORKER", &search).await.contains(node["id"].as_str().unwrap()), "{search}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_child_is_never_found_and_no_count_tells() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let hidden = held_child(&client, 7, "Catherine", "Quibblewick").await;
    let unit = server.unit(7).await;
    let selection = "query($search: String!, $filter: ChildFilter) { children(search: $search, filter: $filter) {
        totalCount edges { cursor node { id } } nodes { id } pageInfo { hasNextPage startCursor endCursor } } }";
    for (search, nobody) in [("Quibblewick", "Snodgrass"), ("kate quib", "kate snod"), ("Quibbelwic", "Snodgras")] {
        for filter in [json!({}), json!({ "unitId": unit }), json!({ "caseStatus": ["CIN"], "bornFrom": "2018-05-05" })]
        {
            let ask = |search| json!({ "search": search, "filter": filter });
            let seen = server.answer("CLINICIAN", selection, ask(search)).await;
            assert_eq!(seen, server.answer("CLINICIAN", selection, ask(nobody)).await, "{search}");
            assert_eq!(seen["data"]["children"]["totalCount"], 0, "{search}: {seen}");
        }
    }
    assert_eq!(found(&server, "OTHER_UNIT", "kate quib").await, BTreeSet::from([global(hidden)]));
    assert_eq!(found(&server, "HEAD_OF_SERVICE", "kate quib").await, BTreeSet::from([global(hidden)]));
    // Nor by a name of a child whom one sees that only a hidden one has.
    held_child(&client, 3, "Catherine", "Snodgrass").await;
    assert!(found(&server, "CLINICIAN", "catherine quibblewick").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_keeps_those_to_whom_it_applies_and_all_apply_together() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let lead = server.worker("SOCIAL_WORKER");
    let unit: Uuid = server.unit(3).await.trim_start_matches("Unit:").parse().unwrap();
    let held = "exists (select from allocations a join units u on u.id = a.unit_id
        where a.child_id = p.id and a.ended_at is null";
    // (filter, what it says in SQL)
    let filters = [
        (json!({ "unitId": format!("Unit:{unit}") }), format!("{held} and u.id = '{unit}')")),
        (
            json!({ "caseStatus": ["CP", "LOOKED_AFTER"] }),
            "exists (select from cases c where c.child_id = p.id and c.status in ('CP', 'LOOKED_AFTER'))".to_owned(),
        ),
        (
            json!({ "planKind": "CHILD_PROTECTION" }),
            "exists (select from plans l where l.child_id = p.id and l.kind = 'CHILD_PROTECTION'
                and l.status in ('ACTIVE', 'ESCALATED'))"
                .to_owned(),
        ),
        (
            json!({ "leadPractitionerId": format!("Worker:{lead}") }),
            format!(
                "exists (select from worker_involvements w where w.child_id = p.id and w.worker_id = '{lead}'
                    and w.capacity = 'LEAD_PRACTITIONER' and w.ended_at is null)"
            ),
        ),
        (json!({ "bornFrom": "2015-01-01" }), "p.date_of_birth >= '2015-01-01'".to_owned()),
        (json!({ "bornTo": "2020-12-31" }), "p.date_of_birth <= '2020-12-31'".to_owned()),
        (json!({ "service": "CHILDREN_IN_NEED" }), format!("{held} and u.service = 'CHILDREN_IN_NEED')")),
    ];
    let mut both = (json!({}), vec!["true".to_owned()]);
    let mut cases = Vec::new();
    for (filter, sql) in &filters {
        cases.push((filter.clone(), vec![sql.clone()]));
        for (name, value) in filter.as_object().unwrap() {
            both.0[name] = value.clone();
        }
        both.1.push(sql.clone());
        // All so far together: with the first one alone it finds some, with all of them the fewest.
        cases.push(both.clone());
    }
    cases.push((json!({ "caseStatus": [] }), vec!["true".to_owned()]));
    let mut some = 0;
    for (filter, sql) in cases {
        let query = format!(
            "select array(select 'Child:' || p.id from persons p join children k on k.id = p.id where {} order by 1)",
            sql.join(" and ")
        );
        let wanted: Vec<String> = client.query_one(&query, &[]).await.unwrap().get(0);
        let (mut after, mut ids) = (Value::Null, BTreeSet::new());
        loop {
            let variables = json!({ "filter": filter, "first": 100, "after": after });
            let data = server.data("HEAD_OF_SERVICE", SEARCH, variables).await;
            let page = &data["children"];
            assert_eq!(page["totalCount"], json!(wanted.len()), "{filter}");
            ids.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()));
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(ids, wanted.into_iter().collect(), "{filter}");
        some += usize::from(!ids.is_empty());
        // Whoever sees less finds the same, as far as they see.
        let mine = asked(&server, "CLINICIAN", json!({ "filter": filter, "first": 100 })).await;
        assert!(mine.is_subset(&ids), "{filter}");
    }
    assert!(some > 9, "{some}: nothing to find");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_with_a_filter_pages_by_last_name_through_everything_once() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    for at in 0..11 {
        held_child(&client, 3, ["Kate", "Katherine", "Cathy"][at % 3], &format!("Quibble{at:02}")).await;
    }
    let ask = |first: i32, after: &Value| json!({ "search": "catherine quib", "filter": { "caseStatus": ["CIN"] }, "first": first, "after": after });
    let whole = server.data("CLINICIAN", SEARCH, ask(100, &Value::Null)).await;
    assert_eq!(whole["children"]["totalCount"], 11);
    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        let data = server.data("CLINICIAN", SEARCH, ask(4, &after)).await;
        let page = &data["children"];
        assert_eq!(page["totalCount"], 11);
        seen.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(json!(seen), whole["children"]["nodes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_cannot_be_one_is_refused_by_name_and_not_repeated() {
    let server = Server::start().await;
    for search in [
        "",
        "   ",
        "-",
        " ' - ’ ",
        "%",
        "_",
        "\\",
        "a\u{0}b",
        "a\u{7}b",
        "a\nb",
        "a\tb",
        "a\u{202E}b",
        &"x".repeat(101),
        "a b c d e f g h i j k",
    ] {
        let answer = server.answer("CLINICIAN", SEARCH, json!({ "search": search })).await;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{search:?}: {answer}");
        assert_eq!(error["extensions"]["field"], "search", "{search:?}: {answer}");
        assert_eq!(answer["data"], json!({ "children": null }), "{search:?}");
        assert!(search.trim().len() < 3 || !answer.to_string().contains(search), "{answer}");
    }
    for good in ["x".repeat(100), "é".repeat(100), "a b c d e f g h i j".to_owned(), " a\n".to_owned()] {
        server.data("CLINICIAN", SEARCH, json!({ "search": good })).await;
    }
    for (field, filter) in [
        ("unitId", json!({ "unitId": "Unit:x" })),
        ("unitId", json!({ "unitId": format!("Worker:{}", Uuid::now_v7()) })),
        ("leadPractitionerId", json!({ "leadPractitionerId": "" })),
        ("bornFrom", json!({ "bornFrom": "2020-01-02", "bornTo": "2020-01-01" })),
    ] {
        let answer = server.answer("CLINICIAN", SEARCH, json!({ "filter": filter })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["field"], field, "{answer}");
    }
    assert_eq!(
        server.code("CLINICIAN", SEARCH, json!({ "filter": { "bornTo": "2020-13-01" } })).await,
        "BAD_USER_INPUT"
    );
    assert_eq!(server.code("CLINICIAN", SEARCH, json!({ "filter": { "caseStatus": ["X"] } })).await, "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_like_a_pattern_or_a_statement_is_words() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let made = held_child(&client, 3, "Robert", "Quibblewick").await;
    for search in
        ["Quib%wick", "Quibble_ick", "Q%", "q.*k", "quib\\%", "'; drop table persons; --", "' or '1'='1", "$1"]
    {
        let found = found(&server, "CLINICIAN", search).await;
        // What is no letter parts words: the beginning of one is still a beginning.
        assert_eq!(found.contains(&global(made)), ["Q%", "quib\\%"].contains(&search), "{search}");
    }
    let count: i64 = client.query_one("select count(*) from persons", &[]).await.unwrap().get(0);
    assert!(count > 1000);
    // Nothing of a search is part of a statement's text.
    server.statements();
    finds(&server, &[made], &["Quibblewick"], &[]).await;
    assert!(server.statements().iter().all(|text| !text.to_lowercase().contains("quibble")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_serves_the_words_before_the_policies_are_asked() {
    let server = Server::start().await;
    found(&server, "CLINICIAN", "catherine").await;
    let page = |text: &String| text.contains("person_names") && !text.contains("COUNT(");
    let statement = server.statements().into_iter().find(page).unwrap();
    let client = support::connect("hearth_app", &server.database).await;
    let explain = format!(
        "begin; select hearth.enter('{}', '2026-11-18 10:00Z'); set local enable_seqscan = off;
         prepare search as {statement};
         explain (costs off) execute search(
             'WORD', 'catherine', 'catherinf', 'SOUND', '{{K0RN,KTRN}}', 'NICKNAME', '{{catherine}}', 26)",
        server.worker("CLINICIAN")
    );
    let messages = client.simple_query(&explain).await.unwrap();
    let plan: Vec<String> = messages
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .collect();
    let plan = plan.join("\n");
    let index = "Bitmap Index Scan on person_names_kind_key_person_id_idx";
    assert_eq!(plan.matches(index).count(), 3, "{plan}");
    assert!(plan.contains("Index Cond: ((kind = 'WORD'::text) AND (key >= 'catherine'::text)"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_name_finds_itself_and_a_folded_name_is_folded() {
    use proptest::{
        strategy::{Strategy, ValueTree},
        test_runner::TestRunner,
    };
    let client = support::connect("postgres", &support::empty_database().await).await;
    let mut runner = TestRunner::deterministic();
    // Anything that prints, and names as they are written in many languages.
    let anything = "\\PC{1,40}";
    let written = "[A-Za-zÀ-ɏḀ-ỿΑ-ωА-яא-ת'’`´‐– .,-]{1,40}";
    let mut names: Vec<String> = Vec::new();
    for of in [anything, written] {
        names.extend((0..1000).map(|_| of.new_tree(&mut runner).unwrap().current()));
    }
    let lost = "select array(select name from unnest($1::text[]) as name where exists (
        select from hearth.search_words(name) s where not exists (
            select from hearth.name_words(name) n (word)
            where n.word collate \"C\" >= s.word and n.word collate \"C\" < s.beyond)))";
    let lost: Vec<String> = client.query_one(lost, &[&names]).await.unwrap().get(0);
    assert!(lost.is_empty(), "{lost:?}");
    let unfolded = "select array(select name from unnest($1::text[]) as name
        where hearth.fold_name(hearth.fold_name(name)) <> hearth.fold_name(name)
           or hearth.fold_name(upper(hearth.fold_name(name))) ~ '[A-ZÀ-ÖØ-Þ\\u0300-\\u036f]')";
    let unfolded: Vec<String> = client.query_one(unfolded, &[&names]).await.unwrap().get(0);
    assert!(unfolded.is_empty(), "{unfolded:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_known_before_there_was_a_search_is_found_too() {
    let mut migrating = support::Migrating::start().await;
    migrating.until("20261125000030_names_and_families").await;
    let seed = support::connect("hearth_seed", &migrating.database).await;
    let made = Uuid::now_v7();
    seed.execute(
        "insert into persons (id, first_name, last_name, date_of_birth, sex)
         values ($1, 'Renée', 'O''Shea', '2018-05-05', 'F')",
        &[&made],
    )
    .await
    .unwrap();
    migrating.finish().await;
    let client = support::connect("postgres", &migrating.database).await;
    let words = "select array(select key from person_names where person_id = $1 and kind = 'WORD' order by 1)";
    let words: Vec<String> = client.query_one(words, &[&made]).await.unwrap().get(0);
    assert_eq!(words, ["o", "oshea", "renee", "shea"]);
    // Whoever comes later is indexed by the trigger, with the same keys.
    let keys = "select string_agg(kind || ' ' || key, ',' order by kind, key) from person_names";
    let filled: String = client.query_one(keys, &[]).await.unwrap().get(0);
    client.batch_execute("update persons set first_name = first_name").await.unwrap();
    let kept: String = client.query_one(keys, &[]).await.unwrap().get(0);
    assert_eq!(filled, kept);
    assert!(filled.contains("SOUND "), "{filled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_the_same_from_whichever_end_it_is_read() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let people = ["HEAD_OF_SERVICE", "SERVICE_MANAGER", "FIRST_RESPONSE", "SOCIAL_WORKER", "UNIT_COORDINATOR"];
    let mut lists: Vec<Vec<Value>> = Vec::new();
    // As if there were many people of whom everybody sees few, and as if everybody saw most of them.
    for (people_there, by_sight) in [(1e9, true), (1.0, false)] {
        client
            .execute("update pg_class set reltuples = $1::float8 where oid = 'persons'::regclass", &[&people_there])
            .await
            .unwrap();
        let before = server.statements().len();
        let mut answers = Vec::new();
        for person in people {
            let mut after = Value::Null;
            loop {
                let data = server.data(person, SEARCH, json!({ "first": 3, "after": after })).await;
                let list = &data["children"];
                answers.push(json!([person, list["totalCount"], list["nodes"], list["pageInfo"]["hasNextPage"]]));
                after = list["pageInfo"]["endCursor"].clone();
                if list["pageInfo"]["hasNextPage"] == json!(false) {
                    break;
                }
            }
        }
        let said = server.statements()[before..]
            .iter()
            .filter(|statement| statement.contains("ARRAY(SELECT subject_id"))
            .count();
        assert_eq!(said > 0, by_sight);
        lists.push(answers);
    }
    assert!(lists[0].len() > people.len(), "somebody has more than one page");
    assert_eq!(lists[0], lists[1]);
}
