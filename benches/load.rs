//! Load on a running development server, bounded in count: how fast an event reaches a thousand sockets, and what a
//! board query costs.
//!
//! ```sh
//! script/server --release            # in one terminal
//! set -a; . .local/dev.env; set +a   # in another
//! cargo bench --bench load -- --sockets 1000 --events 50 --queries 2000
//! ```
//! Times are from `recordedAt`, which lies before the commit, so they contain the commit. CPU is read from /proc for
//! the processes named by `--server-pid` and `--postgres-pid` (the postmaster; its backends are added).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    #[arg(long, env = "HEARTH_URL")]
    url: String,
    #[arg(long, env = "HEARTH_WS_URL")]
    socket_url: String,
    #[arg(long, env = "HEARTH_TOKEN_CONSULTANT_SOCIAL_WORKER")]
    consultant: String,
    #[arg(long, env = "HEARTH_TOKEN_SOCIAL_WORKER")]
    social_worker: String,
    #[arg(long, env = "HEARTH_TOKEN_CLINICIAN")]
    clinician: String,
    #[arg(long, default_value_t = 1000)]
    sockets: usize,
    #[arg(long, default_value_t = 50)]
    events: usize,
    #[arg(long, default_value_t = 2000)]
    queries: usize,
    #[arg(long)]
    server_pid: Option<u32>,
    #[arg(long)]
    postgres_pid: Option<u32>,
    /// Given by cargo.
    #[arg(long)]
    bench: bool,
}

const BOARD: &str = "query($id: ID!) { unit(id: $id) { name allocations(first: 25) { nodes { kind startedAt
    case { id caseNo status version child { displayName dateOfBirth families { name } }
      leadPractitioner { worker { name } } nextConference { type scheduledFor }
      currentPlans { kind reviewDueOn openActions(first: 5) { text dueOn } } } } } } }";

const FEED: &str = "subscription($id: ID!) { unitFeed(unitId: $id) { cursor
    ... on Event { eventId type recordedAt summary severity caseRef { caseNo childInitials } } } }";

/// CPU seconds of a process and of its children, dead and alive.
fn cpu(pid: u32) -> f64 {
    let seconds = |pid: u32, dead: bool| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let last = if dead { 14 } else { 12 };
        // utime, stime and, for the dead, cutime, cstime: ticks of 1/100 s.
        fields
            .get(11..=last)
            .map_or(0.0, |ticks| ticks.iter().filter_map(|one| one.parse::<f64>().ok()).sum::<f64>() / 100.0)
    };
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    seconds(pid, true)
        + children.split_whitespace().filter_map(|one| one.parse().ok()).map(|one| seconds(one, false)).sum::<f64>()
}

fn quantile(sorted: &[f64], of: f64) -> f64 {
    let at = ((sorted.len().saturating_sub(1)) as f64 * of).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

fn report(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    println!(
        "{what}: n {} p50 {:.1} ms p90 {:.1} ms p99 {:.1} ms max {:.1} ms",
        times.len(),
        quantile(&times, 0.5),
        quantile(&times, 0.9),
        quantile(&times, 0.99),
        quantile(&times, 1.0)
    );
}

async fn post(http: &reqwest::Client, url: &str, token: &str, query: &str, variables: Value) -> Result<Value, Failure> {
    let body = json!({ "query": query, "variables": variables });
    let answer: Value = http.post(url).bearer_auth(token).json(&body).send().await?.json().await?;
    if answer["errors"].is_null() { Ok(answer) } else { Err(answer.to_string().into()) }
}

/// One subscriber: sends the milliseconds from recordedAt to arrival of every event.
async fn listen(
    url: String,
    token: String,
    unit: String,
    ready: tokio::sync::mpsc::UnboundedSender<()>,
    times: tokio::sync::mpsc::UnboundedSender<f64>,
    events: usize,
) -> Result<(), Failure> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    socket.send(Message::Text(init.to_string().into())).await?;
    let subscribe =
        json!({ "id": "1", "type": "subscribe", "payload": { "query": FEED, "variables": { "id": unit } } });
    socket.send(Message::Text(subscribe.to_string().into())).await?;
    let mut seen = 0;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let arrived = Utc::now();
        let message: Value = serde_json::from_str(&text)?;
        let item = &message["payload"]["data"]["unitFeed"];
        if let Some(recorded) = item["recordedAt"].as_str() {
            let recorded: DateTime<Utc> = recorded.parse()?;
            times.send((arrived - recorded).num_microseconds().unwrap_or(0) as f64 / 1000.0)?;
            seen += 1;
            if seen == events {
                break;
            }
        } else if item["cursor"].is_string() {
            ready.send(())?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let _ = arguments.bench;
    let http = reqwest::Client::new();
    let url = &arguments.url;
    let me = "{ viewer { worker { id } memberships { unit { id allocations(kind: PRIMARY, first: 1) { nodes {
        case { id version leadPractitioner { worker { id } } } } } } } } }";
    let consultant = post(&http, url, &arguments.consultant, me, json!({})).await?;
    let other = post(&http, url, &arguments.social_worker, me, json!({})).await?;
    let unit = consultant["data"]["viewer"]["memberships"][0]["unit"].clone();
    let unit_id = unit["id"].as_str().unwrap_or_default().to_owned();

    println!("board query, {} times, 4 at once", arguments.queries);
    for _ in 0..100 {
        post(&http, url, &arguments.clinician, BOARD, json!({ "id": unit_id })).await?;
    }
    let pids: BTreeMap<&str, u32> = [("server", arguments.server_pid), ("postgres", arguments.postgres_pid)]
        .into_iter()
        .filter_map(|(name, pid)| pid.map(|pid| (name, pid)))
        .collect();
    let before: BTreeMap<&str, f64> = pids.iter().map(|(name, pid)| (*name, cpu(*pid))).collect();
    let began = Instant::now();
    let workers = (0..4).map(|_| async {
        let mut times = Vec::new();
        for _ in 0..arguments.queries / 4 {
            let asked = Instant::now();
            post(&http, url, &arguments.clinician, BOARD, json!({ "id": unit_id })).await?;
            times.push(asked.elapsed().as_secs_f64() * 1000.0);
        }
        Ok::<_, Failure>(times)
    });
    let times: Vec<f64> = futures_util::future::try_join_all(workers).await?.into_iter().flatten().collect();
    let (count, elapsed) = (times.len() as f64, began.elapsed().as_secs_f64());
    report("board query", times);
    println!("  {:.0} a second, client on the same cores", count / elapsed);
    for (name, pid) in &pids {
        println!("  {name}: {:.2} ms CPU a request", (cpu(*pid) - before[name]) * 1000.0 / count);
    }

    println!("{} sockets on one unit, {} events", arguments.sockets, arguments.events);
    let (ready, mut is_ready) = tokio::sync::mpsc::unbounded_channel();
    let (times, mut arrived) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..arguments.sockets {
        let (url, token, unit) = (arguments.socket_url.clone(), arguments.clinician.clone(), unit_id.clone());
        tokio::spawn(listen(url, token, unit, ready.clone(), times.clone(), arguments.events));
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    for _ in 0..arguments.sockets {
        tokio::time::timeout(Duration::from_secs(60), is_ready.recv()).await?;
    }
    let before: BTreeMap<&str, f64> = pids.iter().map(|(name, pid)| (*name, cpu(*pid))).collect();
    // The lead practitioner of one case changes back and forth.
    let mut case = unit["allocations"]["nodes"][0]["case"].clone();
    let people =
        [consultant["data"]["viewer"]["worker"]["id"].clone(), other["data"]["viewer"]["worker"]["id"].clone()];
    let change = "mutation($input: ChangeLeadPractitionerInput!) { changeLeadPractitioner(input: $input) {
        errors { message } case { id version leadPractitioner { worker { id } } } } }";
    let (mut all, mut asked) = (Vec::new(), Vec::new());
    for at in 0..arguments.events {
        let next =
            people.iter().find(|one| **one != case["leadPractitioner"]["worker"]["id"]).cloned().unwrap_or_default();
        let input = json!({ "idempotencyKey": format!("load-{}-{at}", Utc::now().timestamp_micros()), "caseId": case["id"],
                            "workerId": next, "reason": "OTHERS", "expectedVersion": case["version"] });
        let begun = Instant::now();
        let answer = post(&http, url, &arguments.consultant, change, json!({ "input": input })).await?;
        asked.push(begun.elapsed().as_secs_f64() * 1000.0);
        let payload = &answer["data"]["changeLeadPractitioner"];
        if payload["errors"].as_array().is_some_and(|errors| !errors.is_empty()) {
            return Err(answer.to_string().into());
        }
        case = payload["case"].clone();
        for _ in 0..arguments.sockets {
            let time = tokio::time::timeout(Duration::from_secs(30), arrived.recv()).await?;
            all.extend(time);
        }
    }
    report("mutation", asked);
    report("recordedAt to socket", all);
    for (name, pid) in &pids {
        let spent = cpu(*pid) - before[name];
        println!(
            "  {name}: {:.1} us CPU an event and socket",
            spent * 1e6 / (arguments.events * arguments.sockets) as f64
        );
    }
    Ok(())
}
