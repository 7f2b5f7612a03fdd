//! What is asked: the requests of each shape, to the server as GraphQL and to the floor, about many records and as many
//! people, in one order for both.

use std::collections::HashMap;

use chrono::{Duration, Utc};
use hearth::{auth::token, config::Identity, domain::ids::WorkerId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::{Client, types::ToSql};
use uuid::Uuid;

use crate::{Failure, driver};

/// The shapes that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    Child,
    Board,
    List,
    Deep,
    Allocate,
    Sockets,
}

impl Shape {
    pub const ALL: [Self; 6] = [Self::Child, Self::Board, Self::List, Self::Deep, Self::Allocate, Self::Sockets];

    pub fn title(self) -> &'static str {
        match self {
            Self::Child => "a child by id, five fields",
            Self::Board => "unit board, 25 allocations",
            Self::List => "list page of 50 with total count",
            Self::Deep => "family, children, plans, actions, assignee",
            Self::Allocate => "allocate",
            Self::Sockets => "one event to all sockets of a unit",
        }
    }

    /// What the server may cost, in floors.
    pub fn target(self) -> f64 {
        match self {
            Self::Child => 1.8,
            Self::List => 1.4,
            Self::Deep => 2.4,
            Self::Board | Self::Allocate | Self::Sockets => 2.0,
        }
    }
}

const CHILD: &str = "query($id: ID!) { child(id: $id) { id displayName dateOfBirth sex version } }";

const BOARD: &str = "query($id: ID!) { unit(id: $id) { name allocations(first: 25) { nodes { kind startedAt
    case { id caseNo status version child { displayName dateOfBirth families { name } }
      nextConference { type scheduledFor }
      currentPlans { kind reviewDueOn openActions(first: 5) { text dueOn } } } } } } }";

const LIST: &str =
    "query($first: Int!) { children(first: $first) { totalCount nodes { id displayName dateOfBirth sex } } }";

const DEEP: &str = "query($id: ID!) { node(id: $id) { ... on FamilyGroup { name children { displayName
    plans(first: 5) { nodes { kind status openActions(first: 10) { text dueOn ownerWorker { name } } } } } } } }";

const ALLOCATE: &str = "mutation($input: AllocateCaseInput!) { allocateCase(input: $input) { errors { message }
    case { id version status } allocation { kind priority unit { name } } } }";

const FEED: &str = "subscription($id: ID!) { unitFeed(unitId: $id) { cursor
    ... on Event { eventId type recordedAt summary severity caseRef { caseNo childInitials } } } }";

/// Records of each shape that are asked about, at most.
const MANY: i64 = 2000;

/// The current members of a unit `u.unit_id`, as a lateral join.
const MEMBERS: &str = "cross join lateral (
    select m.worker_id from unit_memberships m join workers w on w.id = m.worker_id and w.active
    where m.unit_id = u.unit_id and m.started_at <= now() and (m.ended_at is null or m.ended_at > now())
    order by md5(m.id::text || u.subject::text)";

/// One request, as each side gets it.
pub struct Request {
    pub server: Vec<u8>,
    pub floor: Vec<u8>,
    /// To the floor under the policies, as the same viewer; a change has none.
    pub bound: Vec<u8>,
}

/// Tokens for whoever asks.
pub struct Mint {
    identity: Identity,
    tokens: HashMap<Uuid, String>,
}

impl Mint {
    pub fn new(identity: Identity) -> Self {
        Self { identity, tokens: HashMap::new() }
    }

    pub fn token(&mut self, worker: Uuid) -> Result<&str, Failure> {
        if !self.tokens.contains_key(&worker) {
            let minted = token::mint(&self.identity, WorkerId(worker), Utc::now() + Duration::hours(12))?;
            self.tokens.insert(worker, minted);
        }
        Ok(self.tokens.get(&worker).map_or("", String::as_str))
    }

    /// A GraphQL request of this worker's.
    pub fn graphql(&mut self, worker: Uuid, document: &str, variables: &Value) -> Result<Vec<u8>, Failure> {
        let head = format!("authorization: Bearer {}\r\n", self.token(worker)?);
        Ok(driver::post("/graphql", &head, &json!({ "query": one_line(document), "variables": variables }).to_string()))
    }
}

fn one_line(document: &str) -> String {
    document.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The requests of a shape that reads.
pub async fn reads(db: &Client, mint: &mut Mint, shape: Shape) -> Result<Vec<Request>, Failure> {
    let (sql, document, kind) = match shape {
        // Children whom a unit holds, each seen by one of its members.
        Shape::Child => (
            format!(
                "select u.subject, m.worker_id from (
                     select child_id as subject, unit_id from allocations where ended_at is null and kind = 'PRIMARY'
                     order by md5(id::text) limit $1) u {MEMBERS} limit 1) m"
            ),
            CHILD,
            "Child",
        ),
        // Units with a full board, each seen by every member.
        Shape::Board => (
            format!(
                "select u.subject, m.worker_id from (
                     select unit_id as subject, unit_id from allocations where ended_at is null
                     group by unit_id having count(*) >= 25) u {MEMBERS}) m
                 order by md5(u.subject::text || m.worker_id::text) limit $1"
            ),
            BOARD,
            "Unit",
        ),
        // Families all of whose children one unit holds, so that its members see them whole; with something to do.
        Shape::Deep => (
            format!(
                "select u.subject, m.worker_id from (
                     select f.family_id as subject, (array_agg(a.unit_id))[1] as unit_id
                     from family_members f join children c on c.id = f.person_id
                     left join allocations a on a.child_id = c.id and a.ended_at is null and a.kind = 'PRIMARY'
                     group by f.family_id
                     having count(*) = count(a.unit_id) and count(distinct a.unit_id) = 1
                        and bool_or(exists (select from plan_actions p where p.child_id = c.id and p.done_on is null))
                     order by md5(f.family_id::text) limit $1) u {MEMBERS} limit 1) m"
            ),
            DEEP,
            "FamilyGroup",
        ),
        Shape::List => return lists(db, mint).await,
        Shape::Allocate | Shape::Sockets => return Ok(Vec::new()),
    };
    let path = match shape {
        Shape::Child => "child",
        Shape::Board => "board",
        _ => "deep",
    };
    let mut requests = Vec::new();
    for row in db.query(&sql, &[&MANY]).await? {
        let (id, worker): (Uuid, Uuid) = (row.try_get(0)?, row.try_get(1)?);
        requests.push(Request {
            server: mint.graphql(worker, document, &json!({ "id": format!("{kind}:{id}") }))?,
            floor: driver::get(&format!("/{path}/{id}")),
            bound: driver::get(&format!("/bound/{worker}/{path}/{id}")),
        });
    }
    if requests.is_empty() {
        return Err(format!("the database holds nothing to ask for: {}", shape.title()).into());
    }
    Ok(requests)
}

/// Service managers, who see the children of their areas' units and of the queue. The floor is told whose sight that is.
async fn lists(db: &Client, mint: &mut Mint) -> Result<Vec<Request>, Failure> {
    let sql = "select w.id, h.holders from workers w
        cross join lateral (
            select w.id || array(select a.id from areas a where a.service_manager_id = w.id)
                || array(select m.unit_id from unit_memberships m where m.worker_id = w.id
                         and m.started_at <= now() and (m.ended_at is null or m.ended_at > now()))
                || hearth.queue() as holders) h
        where w.active and w.id in (select service_manager_id from areas)
          and (select count(distinct s.subject_id) from sight s join children c on c.id = s.subject_id
               where s.holder_id = any (h.holders)) > 50
        order by md5(w.id::text) limit $1";
    let mut requests = Vec::new();
    for row in db.query(sql, &[&MANY]).await? {
        let (worker, holders): (Uuid, Vec<Uuid>) = (row.try_get(0)?, row.try_get(1)?);
        let holders: Vec<String> = holders.iter().map(Uuid::to_string).collect();
        let holders = holders.join(",");
        requests.push(Request {
            server: mint.graphql(worker, LIST, &json!({ "first": 50 }))?,
            floor: driver::get(&format!("/list/{holders}")),
            bound: driver::get(&format!("/bound/{worker}/list/{holders}")),
        });
    }
    if requests.is_empty() { Err("no service manager sees more than 50 children".into()) } else { Ok(requests) }
}

/// Cases in the queue that are given to units, and put back between slices.
pub struct Pool {
    cases: Vec<Uuid>,
    /// Unit, and the manager of its area.
    units: Vec<(Uuid, Uuid)>,
    run: i64,
}

impl Pool {
    /// Makes children of the bench's own whose cases wait in the queue, and units that have room for them.
    pub async fn make(db: &Client, count: usize) -> Result<Self, Failure> {
        db.batch_execute(
            "create schema if not exists bench;
             create table if not exists bench.pool (case_id uuid primary key, child_id uuid not null);",
        )
        .await?;
        let ids: Vec<(Uuid, Uuid)> = (0..count).map(|_| (Uuid::now_v7(), Uuid::now_v7())).collect();
        let cases: Vec<Uuid> = ids.iter().map(|(case, _)| *case).collect();
        let children: Vec<Uuid> = ids.iter().map(|(_, child)| *child).collect();
        let both: [&(dyn ToSql + Sync); 2] = [&cases, &children];
        db.execute("insert into bench.pool select * from unnest($1::uuid[], $2::uuid[])", &both).await?;
        db.batch_execute(
            "insert into persons (id, first_name, last_name, date_of_birth, sex)
                 select p.child_id, 'Bench', 'Waiting', current_date - 3000, 'F' from bench.pool p;
             insert into children (id) select child_id from bench.pool;
             insert into cases (id, child_id, opened_on, status, primary_need)
                 select p.case_id, p.child_id, current_date, 'REFERRED', 'N1' from bench.pool p;
             update units set capacity_cases = 1000000;",
        )
        .await?;
        db.batch_execute("vacuum analyze persons, children, cases, sight").await?;
        let units = db
            .query(
                "select u.id, a.service_manager_id from units u join areas a on a.id = u.area_id
                 join workers w on w.id = a.service_manager_id and w.active
                 where u.service not in ('LOOKED_AFTER', 'ADOPTION') and u.active_from <= current_date
                   and (u.active_to is null or u.active_to >= current_date)
                   and exists (select from unit_memberships m join workers w on w.id = m.worker_id
                               where m.unit_id = u.id and m.role = 'CONSULTANT_SOCIAL_WORKER' and w.active
                                 and w.qualified and m.started_at <= now() and m.ended_at is null and not m.cover)
                 order by md5(u.id::text)",
                &[],
            )
            .await?
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        if units.is_empty() {
            return Err("no unit that a case could be given to".into());
        }
        Ok(Self { cases, units, run: Utc::now().timestamp_micros() })
    }

    /// Puts every case back and forgets what the floor announced. As an administrator and without triggers, because
    /// the application never deletes.
    pub async fn put_back(&self, db: &Client) -> Result<(), Failure> {
        db.batch_execute(
            "begin;
             set local session_replication_role = replica;
             delete from worker_involvements i using bench.pool p where i.case_id = p.case_id;
             delete from allocations a using bench.pool p where a.case_id = p.case_id;
             delete from sight s using bench.pool p
             where s.subject_id in (p.case_id, p.child_id) and s.holder_id <> hearth.whole_service();
             insert into sight (subject_id, holder_id, source_id, whole, through_id)
                 select s.id, hearth.queue(), p.case_id, false, p.child_id
                 from bench.pool p cross join lateral (values (p.case_id), (p.child_id)) s (id);
             update cases k set version = 1, status = 'REFERRED'
                 from bench.pool p where k.id = p.case_id and k.version > 1;
             delete from outbox_audience where seq < 0;
             delete from outbox_subjects where seq < 0;
             delete from outbox where seq < 0;
             commit;",
        )
        .await?;
        // Autovacuum is off, so that it does not run in one side's slice.
        db.batch_execute(
            "vacuum worker_involvements, allocations, sight, cases, outbox, outbox_audience, outbox_subjects,
                    idempotency_keys",
        )
        .await?;
        Ok(())
    }

    /// How many cases a unit holds.
    pub async fn given(&self, db: &Client) -> Result<usize, Failure> {
        let sql =
            "select count(*) from allocations a join bench.pool p on p.case_id = a.case_id where a.ended_at is null";
        Ok(usize::try_from(db.query_one(sql, &[]).await?.try_get::<_, i64>(0)?)?)
    }

    /// What was announced last of the first case, without what differs from one change to the next.
    pub async fn announced(&self, db: &Client) -> Result<Value, Failure> {
        let row = db
            .query_one(
                "select jsonb_build_object(
                     'type', o.type, 'actor', o.actor_id, 'role', o.actor_role, 'case', o.case_id,
                     'entity', o.entity_type, 'version', o.entity_version, 'severity', o.severity,
                     'data', o.data #- '{detail,started_at}',
                     'audience', (select jsonb_agg(a.holder_id || a.kind order by a.holder_id) from outbox_audience a
                                  where a.event_id = o.event_id),
                     'involved', (select jsonb_agg(i.worker_id || i.capacity order by i.worker_id)
                                  from worker_involvements i where i.case_id = o.case_id),
                     'sight', (select jsonb_agg(s.holder_id order by s.holder_id) from sight s
                               join cases k on k.id = o.case_id and s.subject_id = k.child_id))
                 from outbox o where o.case_id = $1 order by o.id desc limit 1",
                &[&self.cases.first()],
            )
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Each case to a unit, by the manager of its area. `series` tells these keys from those of other slices.
    pub fn requests(&self, mint: &mut Mint, series: &str) -> Result<Vec<Request>, Failure> {
        let mut requests = Vec::with_capacity(self.cases.len());
        for (at, case) in self.cases.iter().enumerate() {
            let Some((unit, manager)) = self.units.get(at % self.units.len()) else { continue };
            requests.push(self.request(mint, series, at, *case, *unit, *manager)?);
        }
        Ok(requests)
    }

    fn request(
        &self,
        mint: &mut Mint,
        series: &str,
        at: usize,
        case: Uuid,
        unit: Uuid,
        manager: Uuid,
    ) -> Result<Request, Failure> {
        let (key, reason) = (format!("bench-{}-{series}-{at}", self.run), "Assessed by first response");
        let input = json!({ "idempotencyKey": key, "caseId": format!("Case:{case}"), "unitId": format!("Unit:{unit}"),
                            "reason": reason, "expectedVersion": 1 });
        let plain = json!({ "worker": manager, "idempotencyKey": key, "caseId": case, "unitId": unit,
                            "reason": reason, "expectedVersion": 1 });
        Ok(Request {
            server: mint.graphql(manager, ALLOCATE, &json!({ "input": input }))?,
            floor: driver::post("/allocate", "", &plain.to_string()),
            bound: Vec::new(),
        })
    }
}

/// A unit whose members listen, and the changes that they hear of.
pub struct Stage {
    /// What a socket says first, one list for each member.
    pub hello: Vec<Vec<String>>,
    /// Allocations to the unit.
    pub changes: Vec<Vec<u8>>,
}

impl Stage {
    pub async fn set(db: &Client, mint: &mut Mint, pool: &Pool) -> Result<Self, Failure> {
        let (unit, manager) = *pool.units.first().ok_or("no unit")?;
        let members = db
            .query(
                "select m.worker_id from unit_memberships m join workers w on w.id = m.worker_id and w.active
                 where m.unit_id = $1 and m.started_at <= now() and (m.ended_at is null or m.ended_at > now())",
                &[&unit],
            )
            .await?;
        let mut hello = Vec::new();
        for row in members {
            let authorization = format!("Bearer {}", mint.token(row.try_get(0)?)?);
            let init = json!({ "type": "connection_init", "payload": { "authorization": authorization } });
            let payload = json!({ "query": one_line(FEED), "variables": { "id": format!("Unit:{unit}") } });
            let subscribe = json!({ "id": "1", "type": "subscribe", "payload": payload });
            hello.push(vec![init.to_string(), subscribe.to_string()]);
        }
        let mut changes = Vec::with_capacity(pool.cases.len());
        for (at, case) in pool.cases.iter().enumerate() {
            changes.push(pool.request(mint, "sockets", at, *case, unit, manager)?.server);
        }
        Ok(Self { hello, changes })
    }
}

/// Whether two answers say the same: keys in any order, moments in any spelling.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|found| same(value, found)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::String(one), Value::String(other)) if one != other => {
            let moment = |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok();
            moment(one).is_some() && moment(one) == moment(other)
        }
        (one, other) => one == other,
    }
}
