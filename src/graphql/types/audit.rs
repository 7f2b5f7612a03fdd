use async_graphql::{ID, Object};

use super::{Worker, worker};
use crate::{
    db::audit::EntryRow,
    domain::codes::{AuditAction, Purpose},
    graphql::{
        error::{Nullable, nullable},
        scalars::DateTime,
    },
};

record! {
    /// An entry of the audit.
    AuditEntry(EntryRow)
}

/// An entry of the audit: who saw, changed, was sent or was refused which records, written down before the answer left.
#[Object]
impl AuditEntry {
    /// Its number, as text. Numbers grow; a missing one is no missing entry.
    async fn entry_no(&self) -> String {
        self.0.id.to_string()
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// What it tells of.
    async fn action(&self) -> AuditAction {
        self.0.action.0
    }

    /// What the records were looked at for, as the client said.
    async fn purpose(&self) -> Purpose {
        self.0.purpose.0
    }

    /// Who; null where events were sent to several.
    async fn worker(&self) -> Nullable<Worker> {
        nullable(worker::one(&self.0, "worker", |row| row.worker_id).await)
    }

    /// The operation's first fields, as the schema names them.
    async fn operation(&self) -> &[String] {
        &self.0.operation
    }

    /// SHA-256 of the operation's text, in hexadecimal digits.
    async fn operation_hash(&self) -> Option<&str> {
        self.0.operation_hash.as_deref()
    }

    /// Id of the request, as in its answer's header `x-request-id`.
    async fn request_id(&self) -> Option<ID> {
        self.0.request_id.map(|id| ID(id.to_string()))
    }

    /// Uuids of the persons, cases, families, conferences and plans that were shown, changed or told of.
    async fn records(&self) -> Vec<ID> {
        self.0.subjects.iter().chain(&self.0.records).map(|id| ID(id.to_string())).collect()
    }

    /// Uuids that were asked for and not shown as records: hidden, missing, or no record of a person.
    async fn asked(&self) -> Vec<ID> {
        self.0.asked.iter().map(|id| ID(id.to_string())).collect()
    }

    /// Classes of fields beyond the core that were read.
    async fn classes(&self) -> &[String] {
        &self.0.classes
    }

    /// Codes of what was refused.
    async fn codes(&self) -> &[String] {
        &self.0.codes
    }

    /// Ids of the events that were sent.
    async fn events(&self) -> Vec<ID> {
        self.0.events.iter().map(|id| ID(id.to_string())).collect()
    }

    /// Uuids of the workers to whom events were sent.
    async fn recipients(&self) -> Vec<ID> {
        self.0.recipients.iter().map(|id| ID(id.to_string())).collect()
    }
}
