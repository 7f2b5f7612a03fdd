//! Use cases: one function each. Policy, change, outbox, commit; nothing of GraphQL, HTTP or Redis.
//!
//! Every one runs in a task of its own, so that a client that hangs up cannot stop it half-way, and takes an
//! idempotency key, so that a client that never heard the answer can ask again.
//!
//! Inputs hold what people wrote, and are not `Debug`: nothing can print them by mistake.

mod announce;

pub mod access;
pub mod allocations;
pub mod assessments;
pub mod close;
pub mod conferences;
pub mod contacts;
pub mod enquiries;
pub mod information;
pub mod involvements;
pub mod memberships;
pub mod needs;
pub mod plans;
pub mod reads;
pub mod support;
pub mod transfers;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::{
    auth::Viewer,
    db::{
        Db, ViewerTx,
        idempotency::{self, Claim},
    },
    domain::{
        Code,
        text::{TextFault, clean},
    },
    error::{Error, Refusal, Result},
};

/// The ids of what a mutation made or changed. Stored under the idempotency key; the records themselves are read
/// again as the viewer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub involvement_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conference_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restriction_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denial_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_person_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consultation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assessment_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enquiry_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discussion_ids: Vec<Uuid>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub referral_ids: Vec<Uuid>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plan_ids: Vec<Uuid>,
    /// Whose records were opened for writing, for the audit; of an outcome that was known already, nothing.
    #[serde(skip)]
    pub subjects: Vec<Uuid>,
}

impl Outcome {
    /// The ids of all that was made or changed.
    pub fn ids(&self) -> Vec<Uuid> {
        let each = [
            self.case_id,
            self.allocation_id,
            self.involvement_id,
            self.transfer_id,
            self.conference_id,
            self.invitation_id,
            self.unit_id,
            self.membership_id,
            self.plan_id,
            self.goal_id,
            self.action_id,
            self.restriction_id,
            self.denial_id,
            self.break_glass_id,
            self.contact_id,
            self.contact_person_id,
            self.consultation_id,
            self.referral_id,
            self.assessment_id,
            self.enquiry_id,
            self.participant_id,
            self.request_id,
            self.support_id,
        ];
        let several = self.plan_ids.iter().chain(&self.referral_ids).chain(&self.discussion_ids).copied();
        each.into_iter().flatten().chain(several).collect()
    }
}

/// The application role's database and the tasks that change it.
#[derive(Clone)]
pub struct Services {
    db: Db,
    running: TaskTracker,
}

impl Services {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db, running: TaskTracker::new() }
    }

    /// Does this whoever still waits for it: a client that hangs up stops nothing.
    pub fn see_through<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.running.spawn(work)
    }

    /// Waits until every change that was begun is over, and begins no further ones to wait for.
    pub async fn finish(&self) {
        self.running.close();
        self.running.wait().await;
    }

    /// Runs one change in a transaction and a task of its own, once per idempotency key.
    async fn change<I, F>(
        &self,
        viewer: Viewer,
        mutation: &'static str,
        key: &str,
        input: &I,
        change: F,
    ) -> Result<Outcome>
    where
        I: Serialize,
        F: for<'a> FnOnce(&'a ViewerTx) -> BoxFuture<'a, Result<Outcome>> + Send + 'static,
    {
        let key = text("idempotencyKey", key, 200)?;
        let hash = Sha256::digest(serde_json::to_vec(input).map_err(Error::internal)?).to_vec();
        let db = self.db.clone();
        let task = async move {
            let (tx, claim) = db.begin_once(viewer, mutation, &key, &hash).await?;
            match in_transaction(&tx, claim, mutation, &key, &hash, change).await {
                Ok(Step::Made(mut outcome)) => {
                    outcome.subjects = tx.written();
                    tx.commit().await.map(|()| outcome)
                }
                Ok(Step::Known(outcome)) => {
                    tx.rollback().await;
                    Ok(outcome)
                }
                Err(error) => {
                    tx.rollback().await;
                    Err(error)
                }
            }
        };
        // What a panic says may quote a record, and the error of its task repeats it.
        self.running.spawn(task).await.map_err(|_| Error::internal("a change panicked"))?
    }
}

enum Step {
    Made(Outcome),
    Known(Outcome),
}

async fn in_transaction<F>(
    tx: &ViewerTx,
    claim: Claim,
    mutation: &'static str,
    key: &str,
    hash: &[u8],
    change: F,
) -> Result<Step>
where
    F: for<'a> FnOnce(&'a ViewerTx) -> BoxFuture<'a, Result<Outcome>> + Send,
{
    match claim {
        Claim::Done(known, outcome) if known == hash => {
            // The error would quote what it could not read.
            serde_json::from_value(outcome).map(Step::Known).map_err(|_| Error::internal("a stored outcome is none"))
        }
        Claim::Done(..) => Err(Error::bad_input(
            "idempotencyKey",
            "was used with another input; use a new key for a new change, the same key only to ask again",
        )),
        Claim::New => {
            let outcome = change(tx).await?;
            let stored = serde_json::to_value(&outcome).map_err(Error::internal)?;
            idempotency::complete(tx, mutation, key, &stored).await?;
            Ok(Step::Made(outcome))
        }
    }
}

/// A step that is not legal while a record stands in `from`, with what can come next.
fn illegal<S: Code>(from: S, legal_next: Vec<S>) -> Error {
    Error::Refused(Refusal::IllegalTransition {
        from: from.code(),
        legal_next: legal_next.into_iter().map(Code::code).collect(),
    })
}

/// A text of the input, cleaned, or what is wrong with it.
fn text(field: &'static str, value: &str, max: usize) -> Result<String> {
    clean(value, max).map_err(|fault: TextFault| Error::bad_input(field, fault.to_string()))
}

/// The same for a text that may be missing.
fn optional_text(field: &'static str, value: Option<&str>, max: usize) -> Result<Option<String>> {
    value.map(|value| text(field, value, max)).transpose()
}
