//! The same changes of the same records in two databases, beside what is hidden and where nothing is.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    asking::{Asking, without_cursors},
    lists::in_order,
    records::Attacker,
    samples::OPEN,
    schema::{NOBODY, Walk},
};
use crate::support::{key, morning};

/// How many records of a type are changed as each viewer.
const RECORDS: usize = 10;

/// Every id that there is.
pub async fn ids(client: &Client) -> HashSet<Uuid> {
    let tables = client
        .query(
            "select table_name::text from information_schema.columns
             where table_schema = 'public' and column_name = 'id' and data_type = 'uuid'",
            &[],
        )
        .await
        .unwrap();
    let mut ids = HashSet::new();
    for table in tables {
        let query = format!("select id from {}", table.get::<_, String>(0));
        ids.extend(client.query(&query, &[]).await.unwrap().iter().map(|row| row.get::<_, Uuid>(0)));
    }
    ids
}

/// An answer without what is new in it: ids by the order in which they come, this morning's moments, cursors.
struct Plain<'a> {
    known: &'a HashSet<Uuid>,
    new: BTreeMap<Uuid, usize>,
}

impl Plain<'_> {
    fn of(known: &HashSet<Uuid>, body: &str) -> Value {
        let mut answer: Value = serde_json::from_str(&without_cursors(body)).unwrap_or_else(|_| json!(body));
        if let Value::Array(errors) = &answer["errors"] {
            answer["errors"] = json!(in_order(&json!(errors)));
        }
        let mut plain = Plain { known, new: BTreeMap::new() };
        plain.strip(&mut answer);
        answer
    }

    fn strip(&mut self, value: &mut Value) {
        match value {
            Value::Array(members) => members.iter_mut().for_each(|member| self.strip(member)),
            Value::Object(fields) => {
                // Counts what has its place already, and the relay takes its time.
                fields.remove("unreadCount");
                fields.values_mut().for_each(|field| self.strip(field));
            }
            Value::String(text) => {
                let (kind, id) = text.rsplit_once(':').unwrap_or(("", text));
                if let Ok(id) = id.parse::<Uuid>()
                    && !self.known.contains(&id)
                {
                    let next = self.new.len();
                    *text = format!("{kind}:<new {}>", self.new.entry(id).or_insert(next));
                } else if let Ok(at) = text.parse::<DateTime<Utc>>()
                    && at >= morning()
                    // A broken glass is open for an hour.
                    && at < morning() + Duration::hours(2)
                {
                    *text = "<now>".to_owned();
                } else if text.strip_prefix('<').is_some_and(|rest| rest.trim_end_matches('>').parse::<u32>().is_ok()) {
                    // The time in it is as long as its last digits need.
                    *text = "<cursor>".to_owned();
                }
            }
            _ => {}
        }
    }
}

/// Changes that are refused beside something hidden (`EVERY_CHILD`): what follows for each child is not done unseen, see
/// `docs/security.md`. What they would make of one of the two is not there in the other, so they are not asked for.
const NOT_UNSEEN: &[&str] = &["withdrawConference", "settleConferenceDispute"];

/// A change that is answered otherwise beside something hidden.
#[derive(Debug)]
pub struct Told {
    pub mutation: String,
    pub words: String,
}

/// Which changes are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All but the last ones.
    First,
    /// Those that name a worker, with this one.
    Naming(Uuid),
    /// Those after which the viewers see less.
    Last,
}

/// What takes records, or their viewers, away.
const LAST: &[&str] = &[
    "acceptTransfer",
    "changeMembershipRole",
    "changeRestriction",
    "closeCase",
    "decideContact",
    "decideReferral",
    "denyAccess",
    "declineSupport",
    "endAllocation",
    "endInvolvement",
    "endMembership",
    "endSupport",
    "restrictRecord",
];

/// Asks for changes of the viewers' own records in both, and says what was answered otherwise, and how many changes were
/// made.
pub async fn change(
    (alone, beside): (&Asking<'_>, &Asking<'_>),
    walk: &Walk,
    viewers: &[Attacker],
    known: &HashSet<Uuid>,
    which: Which,
) -> (Vec<Told>, usize) {
    let (mut found, mut made) = (Vec::new(), 0);
    // What was changed in one of them only is another record from then on.
    let mut apart: HashSet<Uuid> = HashSet::new();
    let mutations: Vec<_> = walk
        .mutations()
        .into_iter()
        .filter(|(mutation, _)| !NOT_UNSEEN.contains(&mutation.as_str()))
        .filter(|(mutation, _)| LAST.contains(&mutation.as_str()) == (which == Which::Last))
        .map(|(mutation, input)| {
            let payload = walk.payload(&mutation);
            let text = format!("mutation($input: {input}!) {{ {mutation}(input: $input) {{ {payload} }} }}");
            (mutation, input, text)
        })
        .collect();
    for viewer in viewers {
        for (mutation, input, text) in &mutations {
            for (main, mut wanted) in inputs(walk, viewer, input, which) {
                // Once more with the version that it has by now.
                for _ in 0..2 {
                    if apart.contains(&main) {
                        break;
                    }
                    wanted["idempotencyKey"] = json!(key());
                    let variables = json!({ "input": wanted });
                    let (one, other) = futures_util::join!(
                        alone.ask(&viewer.token, text, variables.clone()),
                        beside.ask(&viewer.token, text, variables)
                    );
                    beside.probed(1);
                    let (one, other) = (Plain::of(known, &one.body), Plain::of(known, &other.body));
                    let errors = &one["data"][mutation]["errors"];
                    made += usize::from(*errors == json!([]));
                    if one != other {
                        apart.insert(main);
                        found.push(Told {
                            mutation: mutation.clone(),
                            words: format!("as {} with {wanted}\n  alone:  {one}\n  beside: {other}", viewer.name),
                        });
                    }
                    let Some(version) = errors[0]["currentVersion"].as_i64() else { break };
                    wanted["expectedVersion"] = json!(version);
                }
            }
        }
    }
    (found, made)
}

/// The inputs of one type about the viewer's own records, each with the record that it is about.
fn inputs(walk: &Walk, viewer: &Attacker, input: &str, which: Which) -> Vec<(Uuid, Value)> {
    let Some(main) = walk.main(input) else { return Vec::new() };
    let places = walk.places(input);
    let main = places.iter().find(|place| place.path == main).unwrap();
    let names_worker = places.iter().any(|place| place.kind == "Worker" && place.path != main.path);
    let workers: Vec<Option<Uuid>> = match which {
        Which::Naming(_) if !names_worker => Vec::new(),
        Which::Naming(worker) => vec![Some(worker)],
        _ if names_worker => viewer.own_of("Worker").iter().map(|own| Some(own.id)).collect(),
        _ => vec![None],
    };
    // Which of the viewer's records fit together nobody says: each beside each.
    let others = places.iter().filter(|place| place.path != main.path && !OPEN.contains(&place.kind.as_str()));
    let others = others.map(|place| viewer.own_of(&place.kind).len()).max().unwrap_or(1).max(1);
    let mut inputs: Vec<(Uuid, Value)> = Vec::new();
    for own in viewer.own_of(&main.kind).iter().take(RECORDS) {
        for (worker, nth) in workers.iter().flat_map(|worker| (0..others).map(move |nth| (worker, nth))) {
            // The worker is named also where nobody needs to be.
            let wanted = places.iter().find(|place| place.kind == "Worker").filter(|_| worker.is_some());
            let mut built = walk.build(input, wanted.map(|place| place.path.as_str()), &|kind, path| {
                let all = viewer.own_of(kind);
                let id = match worker {
                    _ if path == main.path => Some(own.id),
                    Some(worker) if kind == "Worker" => Some(*worker),
                    _ => all.get(nth % all.len().max(1)).map(|own| own.id),
                };
                Some(json!(format!("{kind}:{}", id.unwrap_or_else(|| NOBODY.parse().unwrap()))))
            });
            if walk.expects_version(input) {
                built["expectedVersion"] = json!(own.version);
            }
            if !inputs.iter().any(|(_, other)| *other == built) {
                inputs.push((own.id, built));
            }
        }
    }
    inputs
}

/// What the viewers read of their own records in both afterwards that differs, and which fields of events told something.
pub async fn read(
    (alone, beside): (&Asking<'_>, &Asking<'_>),
    walk: &Walk,
    viewers: &[Attacker],
    known: &HashSet<Uuid>,
) -> Vec<String> {
    let mut found = Vec::new();
    for viewer in viewers {
        for of in walk.node_types() {
            let long = walk.pages(&of).into_iter().filter(|(name, _)| name == "events");
            let long = long.map(|(name, text)| (name, text.replace("first: 2", "first: 100")));
            let about = walk.about(&of).into_iter().map(|document| (document.name, document.text));
            for (name, text) in about.chain(long) {
                for own in viewer.own_of(&of) {
                    let id = json!({ "id": format!("{of}:{}", own.id) });
                    let (one, other) = futures_util::join!(
                        alone.ask(&viewer.token, &text, id.clone()),
                        beside.ask(&viewer.token, &text, id)
                    );
                    beside.probed(1);
                    let (one, other) = (Plain::of(known, &one.body), Plain::of(known, &other.body));
                    if one != other {
                        let (one, other) = (one.to_string(), other.to_string());
                        let same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
                        let from = |text: &str| {
                            let bytes = &text.as_bytes()[same.saturating_sub(300)..text.len().min(same + 300)];
                            String::from_utf8_lossy(bytes).into_owned()
                        };
                        found.push(format!(
                            "{} of {} as {}\n  alone:  {}\n  beside: {}",
                            name,
                            own.id,
                            viewer.name,
                            from(&one),
                            from(&other)
                        ));
                    }
                }
            }
        }
    }
    found
}
