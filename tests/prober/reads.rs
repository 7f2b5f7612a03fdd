//! Every field of every hidden record, every id's place in an argument, every subscription.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    asking::{Answer, Asking, Finding, all},
    records::{Attacker, Hidden, hidden_types},
    samples::OPEN,
    schema::{ANY, Document, Place, Walk},
};
use crate::support::Socket;

/// Asks for every field of what is hidden, by every way that takes an id.
pub async fn read(asking: &Asking<'_>, walk: &Walk, attackers: &[Attacker]) -> Vec<Finding> {
    let mut work = Vec::new();
    for of in walk.node_types().into_iter().filter(|of| !OPEN.contains(&of.as_str())) {
        for document in walk.about(&of).into_iter().map(Arc::new) {
            for attacker in attackers {
                work.push(probe(asking, attacker, Arc::clone(&document), attacker.hidden_of(&of)));
            }
        }
    }
    for (Place { kind, .. }, document) in walk.id_arguments() {
        let document = Arc::new(document);
        for attacker in attackers {
            let hidden: Vec<&Hidden> =
                if kind == ANY { attacker.hidden.iter().collect() } else { attacker.hidden_of(&kind) };
            work.push(probe(asking, attacker, Arc::clone(&document), hidden));
        }
    }
    let mut findings: Vec<Finding> = all(work).await.into_iter().flatten().collect();
    let every_way = attackers.iter().map(|attacker| under_other_names(asking, walk, attacker)).collect();
    findings.extend(all(every_way).await.into_iter().flatten());
    findings
}

/// One document about each of these records, and about one that does not exist.
async fn probe(
    asking: &Asking<'_>,
    attacker: &Attacker,
    document: Arc<Document>,
    hidden: Vec<&Hidden>,
) -> Vec<Finding> {
    let own = document.own.as_deref().map(|of| (of, attacker.own_of(of).first()));
    let own = match own {
        // Whoever has no record with such an argument cannot ask it.
        Some((_, None)) => return Vec::new(),
        Some((of, Some(own))) => json!(format!("{of}:{}", own.id)),
        None => Value::Null,
    };
    let ask = async |of: &str, id: Uuid| {
        let mut variables = json!({ "id": format!("{of}:{id}") });
        if !own.is_null() {
            variables["own"] = own.clone();
        }
        asking.ask(&attacker.token, &document.text, variables).await
    };
    let mut findings = Vec::new();
    let mut absent: Option<(&str, Uuid, Answer)> = None;
    for one in hidden {
        // The answer to an id that is nobody's is asked for once a type.
        if absent.as_ref().is_none_or(|(of, ..)| *of != one.type_name) {
            let nobody = Uuid::now_v7();
            let answer = ask(one.type_name, nobody).await;
            // Whoever has left is told so. Anybody else must have been understood, or nothing was probed.
            if document.own.is_none() && answer.codes().iter().any(|code| code != "UNAUTHENTICATED") {
                findings.push(finding(attacker, &document, (one.type_name, one.kind), "not asked", &answer.body));
            }
            absent = Some((one.type_name, nobody, answer));
        }
        let Some((_, nobody, nothing)) = &absent else { continue };
        let answer = ask(one.type_name, one.id).await;
        asking.probed_as(one.kind, document.parts.len());
        if answer.without(&[one.id]) != nothing.without(&[*nobody]) {
            findings.extend(differences(attacker, &document, one, &answer, nothing));
        }
    }
    findings
}

fn finding(
    attacker: &Attacker,
    document: &Document,
    (of, kind): (&str, &'static str),
    hidden: &str,
    absent: &str,
) -> Finding {
    Finding {
        probe: document.name.clone(),
        of: of.to_owned(),
        kind,
        attacker: attacker.name,
        hidden: hidden.to_owned(),
        absent: absent.to_owned(),
    }
}

/// Which parts of a document are answered otherwise.
fn differences(
    attacker: &Attacker,
    document: &Document,
    hidden: &Hidden,
    answer: &Answer,
    nothing: &Answer,
) -> Vec<Finding> {
    let data = |answer: &Answer| serde_json::from_str::<Value>(&answer.body).unwrap_or_default()["data"].take();
    let (told, untold) = (data(answer), data(nothing));
    let mut findings = Vec::new();
    for (at, part) in document.parts.iter().enumerate().filter(|_| document.parts.len() > 1) {
        let key = format!("f{at}");
        if told[&key] != untold[&key] {
            let (told, untold) = (told[&key].to_string(), untold[&key].to_string());
            findings.push(Finding {
                probe: part.clone(),
                ..finding(attacker, document, (hidden.type_name, hidden.kind), &told, &untold)
            });
        }
    }
    if findings.is_empty() {
        findings.push(finding(attacker, document, (hidden.type_name, hidden.kind), &answer.body, &nothing.body));
    }
    findings
}

/// The uuid of a hidden record as the id of every other type: a child's is also a person's.
async fn under_other_names(asking: &Asking<'_>, walk: &Walk, attacker: &Attacker) -> Vec<Finding> {
    let types = walk.node_types();
    let (mut names, mut nodes) = (Vec::new(), Vec::new());
    for of in &types {
        names.push(format!("${of}: ID!"));
        nodes.push(format!("{of}: node(id: ${of}) {{ __typename id }}"));
    }
    let document = Document {
        name: "the same uuid as an id of every type".to_owned(),
        text: format!("query({}) {{ {} }}", names.join(", "), nodes.join(" ")),
        parts: types.clone(),
        own: None,
    };
    let ask = async |id: Uuid| {
        let variables: serde_json::Map<String, Value> =
            types.iter().map(|of| (of.clone(), json!(format!("{of}:{id}")))).collect();
        asking.ask(&attacker.token, &document.text, Value::Object(variables)).await
    };
    let nobody = Uuid::now_v7();
    let nothing = ask(nobody).await;
    let mut findings = Vec::new();
    for hidden in &attacker.hidden {
        let answer = ask(hidden.id).await;
        asking.probed_as(hidden.kind, types.len());
        if answer.without(&[hidden.id]) != nothing.without(&[nobody]) {
            findings.push(finding(attacker, &document, (hidden.type_name, hidden.kind), &answer.body, &nothing.body));
        }
    }
    findings
}

/// Subscribes to what is hidden, over the socket.
pub async fn listen(asking: &Asking<'_>, walk: &Walk, attackers: &[Attacker]) -> Vec<Finding> {
    let server = asking.server;
    let mut findings = Vec::new();
    for attacker in attackers {
        let mut socket = Socket::open(&format!("ws://{}/graphql", server.address), &attacker.token).await;
        for (Place { kind, .. }, document) in walk.subscriptions() {
            let nobody = Uuid::now_v7();
            let nothing = heard(&mut socket, &document, &kind, nobody).await;
            let hidden: Vec<(&'static str, Uuid)> = if OPEN.contains(&kind.as_str()) {
                // Whose feeds are not the attacker's: theirs stands first, if there is one.
                attacker.own_of(&kind).iter().skip(1).map(|own| ("of somebody else", own.id)).collect()
            } else {
                attacker.hidden_of(&kind).iter().map(|hidden| (hidden.kind, hidden.id)).collect()
            };
            assert!(!hidden.is_empty() || attacker.hidden.is_empty(), "{}: nothing to subscribe to", document.name);
            for (how, id) in hidden {
                let told = heard(&mut socket, &document, &kind, id).await;
                asking.probed_as(how, 1);
                if told != nothing {
                    findings.push(finding(attacker, &document, (&kind, how), &told, &nothing));
                }
            }
        }
    }
    findings
}

/// What a subscription says at first, to its end if it ends at once.
async fn heard(socket: &mut Socket, document: &Document, kind: &str, id: Uuid) -> String {
    socket.subscribe("probe", &document.text, json!({ "id": format!("{kind}:{id}") })).await;
    let mut said = Vec::new();
    loop {
        let message = socket.hear().await;
        let (last, opened) =
            (message["type"] != "next", message["type"] == "next" && message["payload"]["errors"].is_null());
        said.push(message.to_string().replace(&id.to_string(), "<id>"));
        if opened {
            socket.say(json!({ "id": "probe", "type": "complete" })).await;
            // Its id is free again when the server has read that.
            socket.nothing_more().await;
            said = vec!["opened".to_owned()];
        }
        if last || opened {
            return said.join("\n");
        }
    }
}

/// The types that are hidden and that the schema has, which must be the same.
pub fn hidden_and_known(walk: &Walk) -> (Vec<String>, Vec<String>) {
    let known = walk.node_types().into_iter().filter(|of| !OPEN.contains(&of.as_str())).collect();
    let mut hidden: Vec<String> = hidden_types().into_iter().map(str::to_owned).collect();
    hidden.sort();
    (hidden, known)
}
