//! Every id's place in every mutation's input, with a hidden record's id and with one that is nobody's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    asking::{Asking, Finding, all},
    records::{Attacker, DENIED, ELSEWHERE, Hidden, OWN},
    samples::{FINDER, FINDING, MAY_OPEN, OPEN, OPENING},
    schema::{NOBODY, Place, Walk},
};
use crate::support::key;

/// How many changes one request asks for: of more errors than ten an answer tells ten.
const TOGETHER: usize = 10;
/// From how many characters on an answer's selection is long.
const LONG: usize = 4_000;
/// A version that no record has.
const WRONG_VERSION: i32 = 1_000_000;

/// Places in which an id is looked for among what the input's main record holds: what is hidden elsewhere is not even
/// looked at, so that no policy decides.
pub const AMONG_ITS_OWN: &[&str] = &[
    "decideContact.referral.contactPersonIds",
    "registerContactChild.isNoneOf",
    "changePlanDraft.content.goals.actions.id",
    "changePlanDraft.content.goals.id",
    "decideConference.decisions.childId",
    "draftPlan.content.goals.actions.id",
    "draftPlan.content.goals.id",
    "recordAttendance.attendances.invitationId",
    "recordAttendance.participations.childId",
    "recordConferenceView.childId",
];

/// Places in which a function looks for a record that no policy rules: [`open`] asks there.
pub const RULED_BY_FUNCTIONS: &[&str] = &["breakGlass.childId", "matchContactChild.childId"];

/// One change asked for twice.
struct Try {
    place: String,
    /// Whether it can only fail at its place: the main record is there.
    sharp: bool,
    of: String,
    kind: &'static str,
    hidden: Value,
    absent: Value,
    hidden_ids: Vec<Uuid>,
    absent_ids: Vec<Uuid>,
}

/// What came of it.
#[derive(Default)]
pub struct Changes {
    pub findings: Vec<Finding>,
    /// Every place in which an id can stand that may be hidden.
    pub places: BTreeSet<String>,
    /// The places of which somebody was told that there is no such record: what comes before it was passed.
    pub reached: BTreeSet<String>,
}

/// Asks for every change of what is hidden. `codes`: with every code that an input can need, too.
pub async fn change(asking: &Asking<'_>, walk: &Walk, attackers: &[Attacker], codes: bool) -> Changes {
    let mut changes = Changes::default();
    let mut work = Vec::new();
    for (mutation, input) in walk.mutations() {
        let payload = walk.payload(&mutation);
        let places: Vec<Place> =
            walk.places(&input).into_iter().filter(|place| !OPEN.contains(&place.kind.as_str())).collect();
        changes.places.extend(places.iter().map(|place| format!("{mutation}.{}", place.path)));
        for attacker in attackers {
            let mut tries = Vec::new();
            for place in &places {
                tries.extend(tries_at(walk, attacker, &mutation, &input, place, places.len(), codes));
            }
            // What answers with much is asked less of at once: an operation costs no more than its limit.
            let together = if payload.len() > LONG { TOGETHER / 3 } else { TOGETHER };
            while !tries.is_empty() {
                let some: Vec<Try> = tries.drain(..tries.len().min(together)).collect();
                work.push(ask(asking, attacker, mutation.clone(), input.clone(), payload.clone(), some));
            }
        }
    }
    for (findings, reached) in all(work).await {
        changes.findings.extend(findings);
        changes.reached.extend(reached);
    }
    changes
}

/// Who of the attackers opens a hidden record that is not kept from them by name: of each kind one, with what is answered.
pub async fn open(asking: &Asking<'_>, walk: &Walk, attackers: &[Attacker]) -> BTreeSet<&'static str> {
    let mut opened = BTreeSet::new();
    let (_, input) = walk.mutations().into_iter().find(|(mutation, _)| mutation == OPENING).unwrap();
    let text = format!(
        "mutation($input: {input}!) {{ {OPENING}(input: $input) {{ errors {{ __typename }} breakGlass {{ child {{ id }} }} }} }}"
    );
    for attacker in attackers {
        let mut kinds = BTreeSet::new();
        for hidden in attacker.hidden_of("Child").into_iter().filter(|hidden| hidden.kind != DENIED) {
            if kinds.insert(hidden.kind) {
                let id = format!("Child:{}", hidden.id);
                let mut built = walk.build(&input, None, &|_, _| Some(json!(id)));
                built["idempotencyKey"] = json!(key());
                let answer = asking.ask(&attacker.token, &text, json!({ "input": built })).await;
                asking.probed_as(hidden.kind, 1);
                if answer.body.contains(&format!("\"errors\":[],\"breakGlass\":{{\"child\":{{\"id\":\"{id}\"}}}}")) {
                    opened.insert(attacker.name);
                } else {
                    assert!(!answer.body.contains(&id), "{}: {}", attacker.name, answer.body);
                }
            }
        }
    }
    opened
}

/// The inputs that try one place.
fn tries_at(
    walk: &Walk,
    attacker: &Attacker,
    mutation: &str,
    input: &str,
    place: &Place,
    places: usize,
    codes: bool,
) -> Vec<Try> {
    let (main, expects) = (walk.main(input), walk.expects_version(input));
    let main = main.and_then(|main| walk.places(input).into_iter().find(|other| other.path == main)).unwrap();
    let at_main = main.path == place.path;
    let mut tries = Vec::new();
    let name = format!("{mutation}.{}", place.path);
    let may_open = mutation == OPENING && MAY_OPEN.contains(&attacker.name);
    // A child is a person, and may be named as either.
    let also = if place.kind == "Person" { attacker.hidden_of("Child") } else { Vec::new() };
    let hidden = attacker.hidden_of(&place.kind).into_iter().chain(also);
    let hidden = hidden.filter(|hidden| !may_open || hidden.kind == DENIED);
    // First response finds any child but those who are kept from it.
    let finds = name == FINDING && attacker.name == FINDER;
    let hidden = hidden.filter(|hidden| !finds || hidden.kind != ELSEWHERE);
    let mut kinds = BTreeSet::new();
    for (nth, hidden) in hidden.enumerate() {
        // Beside records that the attacker sees: where the place is not the main one, one of each kind beside several.
        let first = kinds.insert(hidden.kind);
        for around in 0..if at_main || !first { 1 } else { OWN } {
            let nobody = Uuid::now_v7();
            let own = |kind: &str| {
                let all = attacker.own_of(kind);
                all.get(around).or_else(|| all.first().filter(|_| OPEN.contains(&kind))).copied()
            };
            let beside = own(&main.kind);
            if around > 0 && beside.is_none() {
                break;
            }
            let build = |target: Uuid| {
                walk.build(input, Some(&place.path), &|kind, path| {
                    let id = if path == place.path {
                        target
                    } else {
                        own(kind).map_or_else(|| NOBODY.parse().unwrap(), |own| own.id)
                    };
                    let kind = if path == place.path { hidden.type_name } else { kind };
                    Some(json!(format!("{kind}:{id}")))
                })
            };
            let version = if at_main { hidden.version } else { beside.map_or(1, |own| own.version) };
            let (told, untold) = (build(hidden.id), build(nobody));
            let mut add = |change: &dyn Fn(&mut Value)| {
                let (mut told, mut untold) = (told.clone(), untold.clone());
                change(&mut told);
                change(&mut untold);
                tries.push(Try {
                    place: name.clone(),
                    sharp: at_main || beside.is_some(),
                    of: hidden.type_name.to_owned(),
                    kind: hidden.kind,
                    hidden: told,
                    absent: untold,
                    hidden_ids: vec![hidden.id],
                    absent_ids: vec![nobody],
                });
            };
            let expect = |version: i32| {
                move |input: &mut Value| {
                    if expects {
                        input["expectedVersion"] = json!(version);
                    }
                }
            };
            add(&expect(version));
            if nth == 0 && around == 0 && expects {
                add(&expect(WRONG_VERSION));
            }
            if codes && nth == 0 && at_main {
                for (field, code) in walk.other_codes(input) {
                    add(&|input| {
                        expect(version)(input);
                        input[&field] = json!(code);
                    });
                }
            }
        }
    }
    // Beside what is hidden too, as a whole.
    if places > 1 && at_main {
        tries.extend(beside_hidden(walk, attacker, input, place, format!("{name}, beside what is hidden")));
    }
    tries
}

fn beside_hidden(walk: &Walk, attacker: &Attacker, input: &str, place: &Place, name: String) -> Option<Try> {
    let hidden: BTreeMap<&str, &Hidden> =
        attacker.hidden.iter().rev().map(|hidden| (hidden.type_name, hidden)).collect();
    let nobody: BTreeMap<&str, Uuid> = hidden.keys().map(|kind| (*kind, Uuid::now_v7())).collect();
    let target = hidden.get(place.kind.as_str())?;
    let build = |id_of: &dyn Fn(&str) -> Uuid| {
        let mut input = walk.build(input, Some(&place.path), &|kind, _| {
            let open = || attacker.own_of(kind).first().map_or_else(|| NOBODY.parse().unwrap(), |own| own.id);
            let id = if OPEN.contains(&kind) { open() } else { id_of(kind) };
            Some(json!(format!("{kind}:{id}")))
        });
        if input.get("expectedVersion").is_some() {
            input["expectedVersion"] = json!(target.version);
        }
        input
    };
    let (told, untold) = (build(&|kind| hidden[kind].id), build(&|kind| nobody[kind]));
    Some(Try {
        place: name,
        sharp: false,
        of: place.kind.clone(),
        kind: target.kind,
        hidden: told,
        absent: untold,
        hidden_ids: hidden.values().map(|hidden| hidden.id).collect(),
        absent_ids: nobody.values().copied().collect(),
    })
}

/// Some changes in one request, which run one after another, with what is hidden and with what does not exist.
async fn ask(
    asking: &Asking<'_>,
    attacker: &Attacker,
    mutation: String,
    input: String,
    payload: String,
    tries: Vec<Try>,
) -> (Vec<Finding>, BTreeSet<String>) {
    let (mut names, mut fields) = (Vec::new(), Vec::new());
    for at in 0..tries.len() {
        names.push(format!("$i{at}: {input}!"));
        fields.push(format!("m{at}: {mutation}(input: $i{at}) {{ {payload} }}"));
    }
    let text = format!("mutation({}) {{ {} }}", names.join(", "), fields.join(" "));
    let ask = async |input: &dyn Fn(&Try) -> &Value| {
        let mut variables = Map::new();
        for (at, one) in tries.iter().enumerate() {
            let mut input = input(one).clone();
            input["idempotencyKey"] = json!(key());
            variables.insert(format!("i{at}"), input);
        }
        asking.ask(&attacker.token, &text, Value::Object(variables)).await
    };
    let hidden = ask(&|one| &one.hidden).await;
    let absent = ask(&|one| &one.absent).await;
    // Or nothing was probed.
    assert!(!absent.body.contains("QUERY_TOO_COMPLEX"), "{mutation}: {} characters", payload.len());
    for one in &tries {
        asking.probed_as(one.kind, 1);
    }
    let (mut findings, mut reached) = (Vec::new(), BTreeSet::new());
    for (at, one) in tries.iter().enumerate() {
        if one.sharp && said_at(&absent.body, at).contains("NOT_FOUND") {
            reached.insert(one.place.clone());
        }
    }
    let ids = |ids: &dyn Fn(&Try) -> &Vec<Uuid>| -> Vec<Uuid> { tries.iter().flat_map(ids).copied().collect() };
    if hidden.without(&ids(&|one| &one.hidden_ids)) != absent.without(&ids(&|one| &one.absent_ids)) {
        for (at, one) in tries.iter().enumerate() {
            let (told, untold) = (said_at(&hidden.body, at), said_at(&absent.body, at));
            if told != untold {
                findings.push(Finding {
                    probe: one.place.clone(),
                    of: one.of.clone(),
                    kind: one.kind,
                    attacker: attacker.name,
                    hidden: format!("{told} for {}", one.hidden),
                    absent: untold,
                });
            }
        }
        if findings.is_empty() {
            findings.push(Finding {
                probe: mutation,
                of: tries[0].of.clone(),
                kind: tries[0].kind,
                attacker: attacker.name,
                hidden: hidden.body,
                absent: absent.body,
            });
        }
    }
    (findings, reached)
}

/// What an answer says of one of its changes.
fn said_at(body: &str, at: usize) -> String {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let key = format!("m{at}");
    let errors: Vec<&Value> =
        answer["errors"].as_array().into_iter().flatten().filter(|error| error["path"][0] == key.as_str()).collect();
    json!({ "data": answer["data"][&key], "errors": errors }).to_string()
}

/// A digest of every table but the audit, which every request is written down in.
pub async fn digest(client: &Client) -> BTreeMap<String, String> {
    let tables = client
        .query(
            "select tablename::text from pg_tables
             where schemaname = 'public' and tablename not like 'audit_%' order by 1",
            &[],
        )
        .await
        .unwrap();
    let mut digests = BTreeMap::new();
    for table in tables {
        let name: String = table.get(0);
        let query = format!("select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {name} t");
        digests.insert(name, client.query_one(&query, &[]).await.unwrap().get(0));
    }
    digests
}
