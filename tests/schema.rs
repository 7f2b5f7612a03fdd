//! The committed schema files are what the program and the migrations make.

use apollo_compiler::schema::ExtendedType;

use crate::support;

const BLESS: &str = "HEARTH_TEST_BLESS";

/// Compares with a committed file, or renews it when HEARTH_BLESS is set.
pub fn matches_file(path: &str, made: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let first = committed.lines().zip(made.lines()).position(|(one, other)| one != other);
    assert!(
        committed == made,
        "{} is out of date (first difference in line {}): {BLESS}=1 script/test renews it; review the difference",
        path.display(),
        first.map_or_else(|| committed.lines().count().min(made.lines().count()) + 1, |line| line + 1)
    );
}

#[test]
fn schema_graphql_is_what_the_program_prints() {
    matches_file("schema.graphql", &hearth::graphql::sdl());
}

#[test]
fn every_type_and_field_of_the_schema_is_described() {
    let sdl = hearth::graphql::sdl();
    let schema = apollo_compiler::Schema::parse_and_validate(sdl, "schema.graphql").unwrap();
    let mut bare = Vec::new();
    for (name, of) in schema.types.iter().filter(|(_, of)| !of.is_built_in()) {
        if of.description().is_none() {
            bare.push(name.to_string());
        }
        let fields: Vec<_> = match of {
            ExtendedType::Object(object) => object.fields.values().collect(),
            ExtendedType::Interface(interface) => interface.fields.values().collect(),
            _ => Vec::new(),
        };
        for field in fields {
            if field.description.is_none() {
                bare.push(format!("{name}.{}", field.name));
            }
        }
        if let ExtendedType::InputObject(input) = of {
            bare.extend(
                input
                    .fields
                    .values()
                    .filter(|field| field.description.is_none())
                    .map(|field| format!("{name}.{}", field.name)),
            );
        }
    }
    assert!(schema.types.len() > 50);
    assert!(bare.is_empty(), "without a description:\n{}", bare.join("\n"));
}

#[test]
fn only_a_node_has_an_id() {
    // Relay keeps whatever has an `id` under it alone: two types that share one would overwrite each other.
    let sdl = hearth::graphql::sdl();
    let schema = apollo_compiler::Schema::parse_and_validate(sdl, "schema.graphql").unwrap();
    let with_id = |of: &ExtendedType| {
        let ExtendedType::Object(object) = of else { return None };
        object
            .fields
            .contains_key("id")
            .then(|| (object.name.to_string(), object.implements_interfaces.contains("Node")))
    };
    let (nodes, others): (Vec<_>, Vec<_>) = schema.types.values().filter_map(with_id).partition(|(_, node)| *node);
    assert!(nodes.len() >= 15, "{nodes:?}");
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn db_schema_rs_is_what_the_migrations_make() {
    let database = support::empty_database().await;
    let client = support::connect("postgres", &database).await;
    let made: String = client.query_one(include_str!("support/schema.sql"), &[]).await.unwrap().get(0);
    matches_file("src/db/schema.rs", &made);
}
