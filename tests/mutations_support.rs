//! Changes that several tests need.

use serde_json::json;

use crate::support::{Server, key};

/// Asks for a transfer of unit 3's case; answers the transfer's id.
pub async fn request_transfer(server: &Server, case: &str, to: u32, version: i64) -> String {
    let input = json!({ "idempotencyKey": key(), "caseId": case, "toUnitId": server.unit(to).await, "kind": "TO_CIN",
                        "handoverSummary": "Ready to move on.", "expectedVersion": version });
    let payload = server.done("CONSULTANT_SOCIAL_WORKER", "requestTransfer", "transfer { id }", input).await;
    payload["transfer"]["id"].as_str().unwrap().to_owned()
}

/// Unit 7 accepts.
pub async fn accept(server: &Server, transfer: &str) {
    let input = json!({ "idempotencyKey": key(), "transferId": transfer, "expectedVersion": 1 });
    server.done("OTHER_UNIT", "acceptTransfer", "", input).await;
}

/// Brings a unit in jointly; answers the allocation's id.
pub async fn joint(server: &Server, case: &str, unit: u32, version: i64) -> String {
    let input = json!({ "idempotencyKey": key(), "caseId": case, "unitId": server.unit(unit).await, "reason": "x",
                        "expectedVersion": version });
    let payload = server.done("CONSULTANT_SOCIAL_WORKER", "startJointAllocation", "allocation { id }", input).await;
    payload["allocation"]["id"].as_str().unwrap().to_owned()
}
