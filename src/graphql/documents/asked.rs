//! What a client asks for, the same for every transport.

use serde_json::{Map, Value};

/// Where the document of a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `query`: its text.
    Text(String),
    /// `documentId`: a trusted document.
    Id(String),
    /// `extensions.persistedQuery`, as Apollo's clients send it: a hash alone, or with the text to keep under it.
    Persisted {
        /// SHA-256 of the text in hexadecimal digits, or the id of a trusted document.
        hash: String,
        /// The text, after the hash alone was not known.
        text: Option<String>,
    },
}

/// A request of which nothing has been looked at yet.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The document.
    pub source: Source,
    /// Which operation of it.
    pub operation_name: Option<String>,
    /// Its variables.
    pub variables: Map<String, Value>,
}

impl Asked {
    /// From the parameters of a request, by GraphQL over HTTP and its appendix on persisted documents. The failure
    /// says which of them is wrong.
    pub fn from_parameters(mut parameters: Map<String, Value>) -> Result<Self, &'static str> {
        let mut text = |name: &str, fault: &'static str| match parameters.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(fault),
        };
        let query = text("query", "query must be a string.")?;
        let id = text("documentId", "documentId must be a string.")?;
        let operation_name = text("operationName", "operationName must be a string.")?;
        let variables = match parameters.remove("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables,
            Some(_) => return Err("variables must be an object."),
        };
        let hash = match parameters.remove("extensions") {
            None | Some(Value::Null) => None,
            Some(Value::Object(mut extensions)) => persisted(extensions.remove("persistedQuery"))?,
            Some(_) => return Err("extensions must be an object."),
        };
        let source = match (query, id, hash) {
            (text, None, Some(hash)) => Source::Persisted { hash, text },
            (Some(text), None, None) => Source::Text(text),
            (None, Some(id), None) => Source::Id(id),
            (None, None, None) => return Err("query must be a string, or send documentId."),
            (_, Some(_), _) => return Err("documentId comes alone: leave query and persistedQuery out."),
        };
        Ok(Self { source, operation_name: operation_name.filter(|name| !name.is_empty()), variables })
    }
}

fn persisted(value: Option<Value>) -> Result<Option<String>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(mut fields)) => match (fields.remove("version"), fields.remove("sha256Hash")) {
            (Some(Value::Number(version)), Some(Value::String(hash))) if version.as_u64() == Some(1) => Ok(Some(hash)),
            _ => Err("extensions.persistedQuery must have version 1 and sha256Hash."),
        },
        Some(_) => Err("extensions.persistedQuery must be an object."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn source(parameters: Value) -> Result<Source, &'static str> {
        let Value::Object(parameters) = parameters else { panic!("no object") };
        Asked::from_parameters(parameters).map(|asked| asked.source)
    }

    #[test]
    fn a_request_names_its_document_in_exactly_one_way() {
        let apq = json!({ "persistedQuery": { "version": 1, "sha256Hash": "h" } });
        assert_eq!(source(json!({ "query": "{ a }" })), Ok(Source::Text("{ a }".into())));
        assert_eq!(source(json!({ "query": null, "documentId": "x" })), Ok(Source::Id("x".into())));
        assert_eq!(
            source(json!({ "extensions": apq.clone() })),
            Ok(Source::Persisted { hash: "h".into(), text: None })
        );
        assert_eq!(
            source(json!({ "query": "{ a }", "extensions": apq.clone() })),
            Ok(Source::Persisted { hash: "h".into(), text: Some("{ a }".into()) })
        );
        assert_eq!(source(json!({ "query": "{ a }", "extensions": {} })), Ok(Source::Text("{ a }".into())));
        for wrong in [
            json!({}),
            json!({ "query": 1 }),
            json!({ "documentId": 1 }),
            json!({ "query": "{ a }", "documentId": "x" }),
            json!({ "documentId": "x", "extensions": apq }),
            json!({ "query": "{ a }", "variables": [] }),
            json!({ "query": "{ a }", "operationName": 1 }),
            json!({ "query": "{ a }", "extensions": [] }),
            json!({ "query": "{ a }", "extensions": { "persistedQuery": true } }),
            json!({ "query": "{ a }", "extensions": { "persistedQuery": {} } }),
            json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": "h" } } }),
            json!({ "extensions": { "persistedQuery": { "version": "1", "sha256Hash": "h" } } }),
            json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": 5 } } }),
        ] {
            assert!(source(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
