//! Canaries in every column that can hold what people wrote.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use super::scan::{NHS_NO, UPN, word};

/// Texts that are no records of people, and what is looked up by a test. Everything else is planted, so that a new column
/// is too.
const OPEN: &[&str] = &[
    "areas.name",
    "assessments.factors",
    "conference_steps.state_after",
    "conference_steps.state_before",
    "conference_steps.step",
    "idempotency_keys.key",
    "idempotency_keys.mutation",
    "outbox.actor_role",
    "outbox.entity_type",
    "outbox.type",
    "unit_memberships.reason_end",
    "units.name",
    "workers.staff_no",
    "workers.sw_england_no",
];

/// Tables that follow from others, or are no part of the record.
const DERIVED: &[&str] = &["__diesel_schema_migrations", "name_groups", "person_names", "worker_logins"];

/// Overwrites every text that there is with the canary of its column, and answers the canaries that are there now.
pub async fn plant(client: &Client) -> BTreeSet<String> {
    let columns = client
        .query(
            "select c.table_name::text, c.column_name::text, c.data_type = 'ARRAY'
             from information_schema.columns c
             where c.table_schema = 'public' and (c.data_type = 'text' or c.udt_name = '_text')
               and c.is_generated = 'NEVER' and c.table_name <> all ($1)
               -- What has a list of its values is a code.
               and not exists (
                   select from pg_constraint k
                   join pg_attribute a on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
                   where k.contype = 'c' and k.conrelid = format('public.%I', c.table_name)::regclass
                     and a.attname = c.column_name
                     and pg_get_constraintdef(k.oid) ~* '(array\\[|= '')')
             order by 1, 2",
            &[&DERIVED],
        )
        .await
        .unwrap();
    // Every plan has a section.
    client
        .batch_execute(
            "set session_replication_role = replica;
             update plans set section_codes = '{HEALTH}', section_texts = '{x}' where section_codes = '{}'",
        )
        .await
        .unwrap();
    let mut planted = BTreeSet::new();
    for column in columns {
        let (table, name, list): (String, String, bool) = (column.get(0), column.get(1), column.get(2));
        let field = format!("{table}.{name}");
        if OPEN.contains(&field.as_str()) {
            continue;
        }
        let canary = match field.as_str() {
            "persons.nhs_no" => NHS_NO.to_owned(),
            "children.upn" => UPN.to_owned(),
            _ => word(&field),
        };
        // What may be there only once has its row's id beside it.
        let mut value = match field.as_str() {
            "workers.email" => format!("'{canary}' || id"),
            _ if name.ends_with("agency_name") => format!("'{canary}' || ' ' || id"),
            _ => format!("'{canary}'"),
        };
        let mut canaries = vec![canary.clone()];
        // A child and an adult have their own.
        if table == "persons" && canary != NHS_NO {
            let adult = word(&format!("adult {name}"));
            value = format!(
                "case when exists (select from children c where c.id = persons.id) then {value} else '{adult}' end"
            );
            canaries.push(adult);
        }
        // A section has one text.
        if field == "plans.section_texts" {
            value = format!("array_fill({value}::text, array[cardinality(section_codes)])");
        } else if list {
            value = format!("array[{value}]");
        }
        // Everybody has all names and numbers; of the rest, who has one keeps one. History changes here only.
        let (rows, triggers) = match table.as_str() {
            "persons" | "children" => (String::new(), "origin"),
            _ => (format!("where {name} is not null"), "replica"),
        };
        client.batch_execute(&format!("set session_replication_role = {triggers}")).await.unwrap();
        let update = format!("update {table} set {name} = {value} {rows}");
        let changed = client.execute(&update, &[]).await;
        if changed.unwrap_or_else(|error| panic!("{field}: is it a text that people write? {error:?}")) > 0 {
            planted.extend(canaries.iter().map(|canary| canary.to_lowercase()));
        }
    }
    client.batch_execute("set session_replication_role = origin").await.unwrap();
    planted
}
