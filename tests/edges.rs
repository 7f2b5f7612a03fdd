//! Every way leads back: from any record to its neighbours, and from each of them to it.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::{Schema, schema::ExtendedType};
use serde_json::{Value, json};

use crate::support::{self, Server};

/// What belongs to its record and is no record of its own.
const VALUES: &[&str] = &["Address", "Event", "PageInfo", "PlanSectionText", "SeenBy"];

/// Ways that do not lead back by one field, each with the reason.
const ONE_WAY: &[(&str, &str)] = &[
    ("Case.conferences", "Conference.children holds the case of each child; a conference has no case of its own"),
    ("Case.nextConference", "the same"),
    ("Child.conferences", "the same: Conference.children holds the child"),
    ("Unit.cases", "Case.allocations says which units hold it, and how"),
    ("Child.relationships", "Relationship.person is the child's person, and Person.child leads to the child"),
    ("Child.familyMemberships", "the same: FamilyMember.person"),
    ("Person.families", "FamilyGroup.members holds each person with the days of the membership"),
    ("FamilyGroup.relationships", "a relationship is between two people; Person.families leads to the family"),
    (
        "FamilyGroup.chronology",
        "an entry is told of the records of several families and children: its child leads back",
    ),
    ("ChronologyEntry.case", "a case's entries stand in the chronology of its child"),
    ("ConferenceView.child", "what was said about a child is read with its conference, as minuted"),
    ("ConferenceSitting.openedBy", "who wrote something down: nobody asks a worker for all that they wrote down"),
    ("ConferenceStep.takenBy", "the same"),
    ("PlanShare.sharedBy", "the same"),
    ("PlanReview.chair", "the same"),
    ("PlanEscalation.raisedBy", "the same"),
    ("PlanEscalation.chosenBy", "the same"),
    ("ChangeEvidence.recordedBy", "the same"),
    ("AuditEntry.worker", "what somebody did is asked of auditEntries by worker"),
    ("Child.lookedAtBy", "an entry names uuids of records of any kind, seen or not: it leads to none"),
    ("AccessRestriction.owner", "who answers for a restriction reads theirs in accessRestrictions"),
    ("AccessRestriction.allowed", "the same: whoever is on a list reads it there"),
    ("AccessRestriction.createdBy", "who wrote something down"),
    ("AccessDenial.worker", "a worker is not told from whose records they are kept"),
    ("AccessDenial.createdBy", "who wrote something down"),
    ("BreakGlass.worker", "what was broken open is read with the child, and by those who were alerted"),
    ("BreakGlass.reviewedBy", "who wrote something down"),
    ("AgencyParticipant.addedBy", "who wrote something down: nobody asks a worker for all that they wrote down"),
    ("InformationChase.chasedBy", "the same"),
    ("StrategyDiscussion.recordedBy", "the same"),
    ("AgencyParticipant.child", "Child.cases leads to the case, and that to who takes part and what they were asked"),
    ("InformationRequest.child", "the same"),
    ("SupportRequest.child", "the same"),
    ("SupportRequest.involvement", "the request stands with the case and the worker, as the part does"),
    ("PlanView.recordedBy", "who wrote something down: nobody asks a worker for all that they wrote down"),
    ("AdoptionRecord.recordedBy", "the same"),
    ("InformationRequest.chases", "a chase is read with what was asked"),
    ("StrategyDiscussion.participants", "who took part is read with the discussion"),
    ("ConferenceChild.enquiry", "Section47Enquiry.conference leads to the conference, and that to its children"),
    ("Section47Enquiry.conference", "the same: Conference.children"),
    ("Case.contacts", "Contact.people holds the case that it went to for each child; a contact has none of its own"),
    ("Child.contacts", "the same: Contact.people holds the child"),
    ("Child.particularNeeds", "a need is of somebody whom a contact is about, and ContactPerson.child is the child"),
    ("ContactPerson.case", "Case.contacts leads to the contact, and that to its people"),
    ("ContactPerson.child", "the same: Child.contacts"),
    ("ContactPerson.needs", "ParticularNeed.contact leads to the contact, and that to its people"),
    ("ContactPerson.knownChildren", "who may be a child whom a contact is about is not told from the child"),
    ("KnownChild.holdingUnit", "the same"),
    ("KnownChild.lastUnit", "the same"),
    ("ParticularNeed.contact", "a contact's needs are those of its people"),
    ("Contact.takenBy", "who wrote something down: nobody asks a worker for all that they wrote down"),
    ("Contact.triagedBy", "the same"),
    ("Contact.decidedBy", "the same"),
    ("ParticularNeed.recordedBy", "the same"),
    ("Referral.decidedBy", "the same"),
    ("Referral.previousUnit", "who held a case before is told to who allocates it"),
    ("Referral.targetUnit", "a unit hears of what is offered to it by an event, and finds it in its queue of cases"),
    ("Referral.child", "Child.cases leads to the case, and that to its referral"),
    ("Consultation.worker", "whom somebody is to meet stands in their own feed"),
    ("Invitation.meeting", "whoever comes from outside reads which meeting theirs is to, and nothing else of it"),
    ("Conference.uninvitedParents", "who is missing from a conference has no part in it"),
];

/// The record that a field leads to: through lists, and through a connection to its nodes.
fn leads_to<'a>(schema: &'a Schema, field: &'a apollo_compiler::schema::FieldDefinition) -> Option<&'a str> {
    let name = field.ty.inner_named_type().as_str();
    let Some(ExtendedType::Object(object)) = schema.types.get(name) else { return None };
    match object.fields.get("nodes") {
        Some(nodes) if name.ends_with("Connection") => Some(nodes.ty.inner_named_type().as_str()),
        _ => Some(name),
    }
}

#[test]
fn every_edge_between_records_leads_back() {
    let sdl = hearth::graphql::sdl();
    let schema = Schema::parse_and_validate(sdl, "schema.graphql").unwrap().into_inner();
    // Records are what has a global id, and all that their fields lead to.
    let mut waiting: Vec<&str> = Vec::new();
    for (name, of) in &schema.types {
        if let ExtendedType::Object(object) = of
            && object.implements_interfaces.iter().any(|interface| interface.name == "Node")
        {
            waiting.push(name.as_str());
        }
    }
    assert!(waiting.len() >= 15, "{waiting:?}");
    let mut edges: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    while let Some(record) = waiting.pop() {
        if edges.contains_key(record) {
            continue;
        }
        let Some(ExtendedType::Object(object)) = schema.types.get(record) else { panic!("{record}") };
        let of = edges.entry(record).or_default();
        for field in object.fields.values() {
            if let Some(target) = leads_to(&schema, field).filter(|target| !VALUES.contains(target)) {
                of.insert((field.name.as_str(), target));
                waiting.push(target);
            }
        }
    }
    let mut one_way = Vec::new();
    for (record, fields) in &edges {
        for (field, target) in fields {
            if !edges[target].iter().any(|(_, back)| back == record) {
                one_way.push(format!("{record}.{field}"));
            }
        }
    }
    let mut excused: Vec<&str> = ONE_WAY.iter().map(|(edge, _)| *edge).collect();
    excused.sort_unstable();
    one_way.sort_unstable();
    assert_eq!(one_way, excused, "add the way back, or say why there is none; take out what leads back now");
    assert!(edges.len() >= 20, "{:?}", edges.keys());
}

/// (type, field, what leads back from it, a record that has most of them, how many it has)
const WAYS: &[(&str, &str, &str, &str, &str)] = &[
    ("Case", "plans(first: 100)", "case { id }", "case_id from plans", "plans where case_id = $1"),
    (
        "Case",
        "conferenceParts(first: 100)",
        "case { id }",
        "case_id from conference_children",
        "conference_children where case_id = $1",
    ),
    (
        "Child",
        "conferences(first: 100)",
        "children { child { id } }",
        "child_id from conference_children",
        "conference_children where child_id = $1",
    ),
    (
        "Child",
        "conferenceParts(first: 100)",
        "child { id }",
        "child_id from conference_children",
        "conference_children where child_id = $1",
    ),
    (
        "Child",
        "familyMemberships",
        "person { child { id } }",
        "m.person_id from family_members m join children c on c.id = m.person_id",
        "family_members where person_id = $1",
    ),
    ("Child", "person", "child { id }", "id from children", "children where id = $1"),
    (
        "Person",
        "invitations(first: 100)",
        "person { id }",
        "person_id from conference_invitations where person_id is not null",
        "conference_invitations where person_id = $1",
    ),
    (
        "Person",
        "ownedActions(first: 100)",
        "ownerPerson { id }",
        "owner_person_id from plan_actions where owner_person_id is not null",
        "plan_actions where owner_person_id = $1",
    ),
    (
        "Person",
        "ownedActions(first: 100, open: true)",
        "ownerPerson { id }",
        "owner_person_id from plan_actions where owner_person_id is not null and done_on is null",
        "plan_actions where owner_person_id = $1 and done_on is null",
    ),
    (
        "Person",
        "familyMemberships",
        "person { id }",
        "person_id from family_members",
        "family_members where person_id = $1",
    ),
    (
        "Plan",
        "conferenceParts(first: 100)",
        "plan { id }",
        "plan_id from conference_children where plan_id is not null",
        "conference_children where plan_id = $1",
    ),
    (
        "Conference",
        "plans",
        "conference { id }",
        "conference_id from plans where conference_id is not null",
        "plans where conference_id = $1",
    ),
    (
        "Conference",
        "invitations",
        "conference { id }",
        "conference_id from conference_invitations",
        "conference_invitations where conference_id = $1",
    ),
    (
        "Conference",
        "moves",
        "conference { id }",
        "conference_id from conference_moves",
        "conference_moves where conference_id = $1",
    ),
    (
        "Transfer",
        "allocation",
        "transfer { id }",
        "transfer_id from allocations where transfer_id is not null",
        "allocations where transfer_id = $1",
    ),
    (
        "Unit",
        "transfers(first: 100, direction: INCOMING)",
        "toUnit { id }",
        "to_unit_id from case_transfers",
        "case_transfers where to_unit_id = $1",
    ),
    (
        "Unit",
        "transfers(first: 100, direction: OUTGOING)",
        "fromUnit { id }",
        "from_unit_id from case_transfers",
        "case_transfers where from_unit_id = $1",
    ),
    (
        "Unit",
        "transfers(first: 100)",
        "fromUnit { id } toUnit { id }",
        "from_unit_id from case_transfers",
        "case_transfers where $1 in (from_unit_id, to_unit_id)",
    ),
    (
        "Worker",
        "chairedConferences(first: 100)",
        "chair { id }",
        "chair_id from conferences where chair_id is not null",
        "conferences where chair_id = $1",
    ),
    (
        "Worker",
        "requestedConferences(first: 100)",
        "requestedBy { id }",
        "requested_by from conferences",
        "conferences where requested_by = $1",
    ),
    (
        "Worker",
        "conferenceMoves(first: 100)",
        "movedBy { id }",
        "moved_by from conference_moves",
        "conference_moves where moved_by = $1",
    ),
    (
        "Worker",
        "invitations(first: 100)",
        "worker { id }",
        "worker_id from conference_invitations where worker_id is not null",
        "conference_invitations where worker_id = $1",
    ),
    (
        "Worker",
        "ownedActions(first: 100)",
        "ownerWorker { id }",
        "owner_worker_id from plan_actions where owner_worker_id is not null",
        "plan_actions where owner_worker_id = $1",
    ),
    (
        "Worker",
        "requestedTransfers(first: 100)",
        "requestedBy { id }",
        "requested_by from case_transfers",
        "case_transfers where requested_by = $1",
    ),
    (
        "Worker",
        "answeredTransfers(first: 100)",
        "respondedBy { id }",
        "responded_by from case_transfers where responded_by is not null",
        "case_transfers where responded_by = $1",
    ),
    (
        "FamilyGroup",
        "conferences(first: 100)",
        "family { id }",
        "family_id from conferences where family_id is not null",
        "conferences where family_id = $1",
    ),
];

fn holds(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(members) => members.iter().any(|member| holds(member, id)),
        Value::Object(fields) => fields.values().any(|field| holds(field, id)),
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_there_and_back_ends_where_it_began_and_shows_no_more_than_sight() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let mut less = 0;
    for (of, field, back, most, all) in WAYS {
        let id = busiest(&client, of, most).await;
        let uuid: uuid::Uuid = id.split(':').next_back().unwrap().parse().unwrap();
        let all: i64 = client.query_one(&format!("select count(*) from {all}"), &[&uuid]).await.unwrap().get(0);
        let paged = field.contains("first");
        let selection = if paged { format!("totalCount nodes {{ {back} }}") } else { (*back).to_owned() };
        let query =
            format!("query($id: ID!) {{ node(id: $id) {{ ... on {of} {{ way: {field} {{ {selection} }} }} }} }}");
        let data = server.data("HEAD_OF_SERVICE", &query, json!({ "id": id })).await;
        let way = &data["node"]["way"];
        let list = match if paged { &way["nodes"] } else { way } {
            Value::Array(list) => list.clone(),
            single => vec![single.clone()],
        };
        assert_eq!(i64::try_from(list.len()).unwrap(), all.min(100), "{of}.{field}");
        assert!(!list.is_empty(), "{of}.{field}");
        if paged {
            assert_eq!(way["totalCount"], json!(all), "{of}.{field}");
        }
        for one in &list {
            assert!(holds(one, &id), "{of}.{field} does not lead back to {id}: {one}");
        }
        // A stranger's count and list agree, and are never longer.
        let other = server.data("OTHER_UNIT_COORDINATOR", &query, json!({ "id": id })).await;
        let way = &other["node"]["way"];
        if paged && !way.is_null() {
            let count = way["totalCount"].as_i64().unwrap();
            assert_eq!(i64::try_from(way["nodes"].as_array().unwrap().len()).unwrap(), count.min(100), "{of}.{field}");
            assert!(count <= all);
            less += usize::from(count < all);
        }
    }
    assert!(less >= 6, "{less}: nothing was hidden from a stranger");
}

/// The record of a way that has most of them.
async fn busiest(client: &tokio_postgres::Client, of: &str, most: &str) -> String {
    let column = most.split(' ').next().unwrap();
    let query = format!("select {most} group by {column} order by count(*) desc, {column} limit 1");
    format!("{of}:{}", client.query_one(&query, &[]).await.unwrap().get::<_, uuid::Uuid>(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_pages_through_everything_once_and_in_order() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let mut long = 0;
    for (of, field, _, most, _) in WAYS.iter().filter(|(_, field, ..)| field.contains("first: 100")) {
        let id = busiest(&client, of, most).await;
        let node = match field.split('(').next().unwrap() {
            "conferenceParts" => "child { id } conference { id }",
            "invitations" => "conference { id } capacity agencyName person { id } worker { id }",
            "conferenceMoves" => "movedAt conference { id }",
            _ => "id",
        };
        let field = field.replace("first: 100", "first: $first, after: $after");
        let query = format!(
            "query($id: ID!, $first: Int, $after: String) {{ node(id: $id) {{ ... on {of} {{ way: {field} {{
                nodes {{ {node} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"
        );
        let whole = server.data("HEAD_OF_SERVICE", &query, json!({ "id": id, "first": 100 })).await;
        let whole = whole["node"]["way"]["nodes"].as_array().unwrap().clone();
        let distinct: BTreeSet<String> = whole.iter().map(Value::to_string).collect();
        assert_eq!(distinct.len(), whole.len(), "{of}.{field}");
        let (mut after, mut seen) = (Value::Null, Vec::new());
        let page_size = i32::try_from(whole.len() / 4 + 1).unwrap();
        while seen.len() < whole.len() {
            let variables = json!({ "id": id, "first": page_size, "after": after });
            let data = server.data("HEAD_OF_SERVICE", &query, variables).await;
            let page = &data["node"]["way"];
            seen.extend(page["nodes"].as_array().unwrap().iter().cloned());
            after = page["pageInfo"]["endCursor"].clone();
            let more = page["pageInfo"]["hasNextPage"] == json!(true);
            assert!(more || seen.len() >= whole.len(), "{of}.{field} ends early");
        }
        assert_eq!(seen[..whole.len()], whole, "{of}.{field}");
        long += usize::from(whole.len() > 3);
    }
    assert!(long >= 10, "{long}: nothing to page through");
}
