//! The manifest of trusted documents.

use serde_json::{Map, Value};

/// The entries of a manifest: id and text. Two forms are read: one JSON object of id and text, as graphql-codegen and
/// relay-compiler write it, and Apollo's list of operations.
pub fn entries(manifest: &str) -> Result<Vec<(String, String)>, String> {
    let fault = || {
        "it is no manifest: write one JSON object of id and document, or Apollo's apollo-persisted-query-manifest of \
         version 1"
            .to_owned()
    };
    let Ok(Value::Object(fields)) = serde_json::from_str(manifest) else { return Err(fault()) };
    let entries = match fields.get("operations") {
        Some(Value::Array(operations)) if is_apollo(&fields) => operations
            .iter()
            .map(|operation| {
                Some((operation.get("id")?.as_str()?.to_owned(), operation.get("body")?.as_str()?.to_owned()))
            })
            .collect::<Option<Vec<_>>>(),
        _ => fields.into_iter().map(|(id, text)| Some((id, text.as_str()?.to_owned()))).collect(),
    };
    let entries = entries.ok_or_else(fault)?;
    if entries.is_empty() {
        return Err("it holds no document".to_owned());
    }
    Ok(entries)
}

fn is_apollo(fields: &Map<String, Value>) -> bool {
    let format = fields.get("format").and_then(Value::as_str);
    format == Some("apollo-persisted-query-manifest") && fields.get("version").and_then(Value::as_u64) == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_manifest_are_read() {
        let two = vec![("a".to_owned(), "{ x }".to_owned()), ("b".to_owned(), "{ y }".to_owned())];
        assert_eq!(entries(r#"{ "a": "{ x }", "b": "{ y }" }"#), Ok(two.clone()));
        let apollo = r#"{ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            { "id": "a", "name": "A", "type": "query", "body": "{ x }" },
            { "id": "b", "name": "B", "type": "query", "body": "{ y }" } ] }"#;
        assert_eq!(entries(apollo), Ok(two));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{ "a": 1 }"#,
            &apollo.replace("\"version\": 1", "\"version\": 2"),
            &apollo.replace("\"body\"", "\"text\""),
        ] {
            assert!(entries(wrong).is_err(), "{wrong}");
        }
    }
}
