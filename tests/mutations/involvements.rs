use serde_json::json;

use crate::support::{Server, document, key};

#[tokio::test(flavor = "multi_thread")]
async fn the_consultant_social_worker_names_another_lead_of_the_unit() {
    let server = Server::start().await;
    let (case, version) = server.allocated_to(3).await;
    let worker = format!("Worker:{}", server.worker("SOCIAL_WORKER"));
    let input = json!({ "idempotencyKey": key(), "caseId": case, "workerId": worker, "reason": "ABSENC",
                        "expectedVersion": version });
    let refused =
        server.code("SOCIAL_WORKER", &document("changeLeadPractitioner", ""), json!({ "input": input })).await;
    assert_eq!(refused, "FORBIDDEN");
    let payload = server
        .done(
            "CONSULTANT_SOCIAL_WORKER",
            "changeLeadPractitioner",
            "case { version leadPractitioner { worker { id } } involvements { capacity } } involvement { capacity }",
            input,
        )
        .await;
    assert_eq!(payload["case"]["leadPractitioner"]["worker"]["id"], json!(worker));
    assert_eq!(payload["case"]["involvements"].as_array().unwrap().len(), 1);
    assert_eq!(payload["involvement"]["capacity"], "LEAD_PRACTITIONER");
    // The same again is a conflict; a clinician is refused by a guard.
    let version = payload["case"]["version"].clone();
    let again = json!({ "idempotencyKey": key(), "caseId": case, "workerId": worker, "reason": "ABSENC",
                        "expectedVersion": version });
    let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "changeLeadPractitioner", "", again).await;
    assert_eq!(refused["errors"][0]["__typename"], "Conflict");
    let clinician = json!({ "idempotencyKey": key(), "caseId": case, "reason": "OTHERS", "expectedVersion": version,
                            "workerId": format!("Worker:{}", server.worker("CLINICIAN")) });
    let refused = server.mutate("CONSULTANT_SOCIAL_WORKER", "changeLeadPractitioner", "", clinician).await;
    assert_eq!(refused["errors"][0]["guard"], "LEAD_QUALIFIED");
}
