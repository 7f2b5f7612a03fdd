//! What happened to the children of a family, from what is stored about them, newest first.
//!
//! ```sql
//! SELECT parent.at, page.* FROM unnest($1) WITH ORDINALITY AS parent (id, at) CROSS JOIN LATERAL (
//!     WITH kids AS (SELECT ... parent.id)
//!     SELECT * FROM (
//!         (SELECT ... FROM kids k JOIN cases x ON x.child_id = k.id WHERE ... ORDER BY ... LIMIT $4)
//!         UNION ALL
//!         (SELECT ... FROM kids k JOIN allocations x ...)
//!         UNION ALL ...
//!     ) AS entry ORDER BY ... LIMIT $4
//! ) AS page
//! ```
//! One statement for all parents; each branch stops at the page's size. Every row that a branch reads passes its
//! table's policy, so a chronology is as wide as its viewer's sight. A filter by kind is a parameter, not another text:
//! the statement is kept prepared, and the branches that are not asked for do not run.

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment},
    result::QueryResult,
    sql_types::{self, Array, BigInt, Nullable, Text, Timestamptz},
};
use uuid::Uuid;

use super::{Coded, Page, Placed, Snapshot, lateral};
use crate::{domain::codes::ChronologyKind, error::Result};

/// One entry of a chronology.
#[derive(Clone, Debug, Queryable)]
#[allow(missing_docs)]
pub struct EntryRow {
    pub at: DateTime<Utc>,
    pub kind: Coded<ChronologyKind>,
    /// The row that it comes from.
    pub id: Uuid,
    /// The child, or the family member.
    pub person_id: Uuid,
    pub child_id: Option<Uuid>,
    pub case_id: Option<Uuid>,
    /// What kind of record `node_id` is, by the name that its global id begins with.
    pub node_kind: String,
    pub node_id: Uuid,
    pub detail: Option<String>,
    pub decision: Option<String>,
    pub unit_id: Option<Uuid>,
    pub other_unit_id: Option<Uuid>,
}

/// An entry's place in its chronology.
pub type Place = (DateTime<Utc>, Uuid, ChronologyKind);

/// Whose chronology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All children who are or were in a family group, and who came and left.
    Families,
    /// One child.
    Children,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of these kinds.
    pub kinds: Option<Vec<ChronologyKind>>,
    /// Only about these children.
    pub children: Option<Vec<Uuid>>,
}

/// A page of the chronology of each of these families or children, newest first.
pub async fn page(
    snapshot: &Snapshot,
    of: Of,
    ids: &[Uuid],
    wanted: &Wanted,
    page: &Page<Place>,
) -> Result<Vec<Placed<EntryRow>>> {
    let after = page.after.map(|(at, id, kind)| (at, id, Coded(kind)));
    let entries = Entries { of, asked: Asked::new(wanted), limit: page.limit(), after };
    snapshot.load(lateral::for_each(ids, entries)).await
}

/// How many entries the chronology of each of these families or children has.
pub async fn count(snapshot: &Snapshot, of: Of, ids: &[Uuid], wanted: &Wanted) -> Result<Vec<Placed<i64>>> {
    snapshot.load(lateral::for_each(ids, Count { of, asked: Asked::new(wanted) })).await
}

/// Where entries come from. A day counts as its first moment in London.
struct Branch {
    kind: &'static str,
    /// When it happened. Null or in the future: not yet.
    moment: &'static str,
    from: &'static str,
    /// id, person_id, child_id, case_id, node_kind, node_id, detail, decision, unit_id, other_unit_id.
    columns: &'static str,
}

macro_rules! day {
    ($column:literal) => {
        concat!("(", $column, "::timestamp AT TIME ZONE 'Europe/London')")
    };
}

const CASE: &str = "x.id, k.id, k.id, x.id, 'Case', x.id, NULL, NULL, NULL::uuid, NULL::uuid";
const ALLOCATION: &str = "x.id, k.id, k.id, x.case_id, 'Allocation', x.id, x.kind, NULL, x.unit_id, NULL::uuid";
const TRANSFER: &str = "x.id, k.id, k.id, x.case_id, 'Transfer', x.id, NULL, NULL, x.to_unit_id, x.from_unit_id";
const INVOLVEMENT: &str = "x.id, k.id, k.id, x.case_id, 'Involvement', x.id, NULL, NULL, NULL::uuid, NULL::uuid";
const CONFERENCE: &str = "x.id, k.id, k.id, x.case_id, 'Conference', c.id, c.type, x.decision, NULL::uuid, NULL::uuid";
const PLAN: &str = "x.id, k.id, k.id, x.case_id, 'Plan', x.id, x.kind, NULL, NULL::uuid, NULL::uuid";

const ASSESSMENT: &str = "x.id, k.id, k.id, x.case_id, 'Assessment', x.id, NULL, x.outcome, NULL::uuid, NULL::uuid";
const DISCUSSION: &str =
    "x.id, k.id, k.id, x.case_id, 'StrategyDiscussion', x.id, NULL, x.decision, NULL::uuid, NULL::uuid";
const ENQUIRY: &str =
    "x.id, k.id, k.id, x.case_id, 'Section47Enquiry', x.id, x.mode, x.outcome, NULL::uuid, NULL::uuid";

const ASSESSMENTS: &str = "kids k JOIN assessments x ON x.child_id = k.id";
const ENQUIRIES: &str = "kids k JOIN section47_enquiries x ON x.child_id = k.id";
const TRANSFERS: &str = "kids k JOIN case_transfers x ON x.child_id = k.id";
const CONFERENCES: &str =
    "kids k JOIN conference_children x ON x.child_id = k.id JOIN conferences c ON c.id = x.conference_id";
const REQUEST: &str = "x.id, k.id, k.id, x.case_id, 'SupportRequest', x.id, NULL, NULL, NULL::uuid, NULL::uuid";
const SUPPORT: &str = "kids k JOIN support_requests x ON x.child_id = k.id";
const PLANS: &str = "kids k JOIN plans x ON x.child_id = k.id AND x.status <> 'DRAFT'";

const BRANCHES: &[Branch] = &[
    Branch {
        kind: "CASE_OPENED",
        moment: day!("x.opened_on"),
        from: "kids k JOIN cases x ON x.child_id = k.id",
        columns: CASE,
    },
    Branch {
        kind: "CASE_CLOSED",
        moment: day!("x.closed_on"),
        from: "kids k JOIN cases x ON x.child_id = k.id",
        columns: CASE,
    },
    Branch {
        kind: "ALLOCATION_STARTED",
        moment: "x.started_at",
        from: "kids k JOIN allocations x ON x.child_id = k.id",
        columns: ALLOCATION,
    },
    Branch {
        kind: "ALLOCATION_ENDED",
        moment: "x.ended_at",
        from: "kids k JOIN allocations x ON x.child_id = k.id",
        columns: ALLOCATION,
    },
    Branch { kind: "TRANSFER_REQUESTED", moment: "x.requested_at", from: TRANSFERS, columns: TRANSFER },
    Branch {
        kind: "TRANSFER_COMPLETED",
        moment: "CASE x.state WHEN 'COMPLETED' THEN x.responded_at END",
        from: TRANSFERS,
        columns: TRANSFER,
    },
    Branch {
        kind: "TRANSFER_REJECTED",
        moment: "CASE x.state WHEN 'REJECTED' THEN x.responded_at END",
        from: TRANSFERS,
        columns: TRANSFER,
    },
    Branch {
        kind: "TRANSFER_WITHDRAWN",
        moment: "CASE x.state WHEN 'WITHDRAWN' THEN x.responded_at END",
        from: TRANSFERS,
        columns: TRANSFER,
    },
    Branch {
        kind: "LEAD_PRACTITIONER_CHANGED",
        moment: "x.started_at",
        from: "kids k JOIN worker_involvements x ON x.child_id = k.id AND x.capacity = 'LEAD_PRACTITIONER'",
        columns: INVOLVEMENT,
    },
    Branch { kind: "ASSESSMENT_STARTED", moment: day!("x.started_on"), from: ASSESSMENTS, columns: ASSESSMENT },
    Branch { kind: "ASSESSMENT_AUTHORISED", moment: "x.authorised_at", from: ASSESSMENTS, columns: ASSESSMENT },
    Branch {
        kind: "STRATEGY_HELD",
        moment: "x.held_at",
        from: "kids k JOIN strategy_discussions x ON x.child_id = k.id",
        columns: DISCUSSION,
    },
    Branch { kind: "ENQUIRY_STARTED", moment: day!("x.started_on"), from: ENQUIRIES, columns: ENQUIRY },
    Branch {
        kind: "ENQUIRY_CONCLUDED",
        moment: "CASE x.status WHEN 'CONCLUDED' THEN coalesce(x.countersigned_at, x.decided_at) END",
        from: ENQUIRIES,
        columns: ENQUIRY,
    },
    Branch { kind: "CONFERENCE_REQUESTED", moment: "c.requested_at", from: CONFERENCES, columns: CONFERENCE },
    Branch { kind: "CONFERENCE_HELD", moment: "c.held_at", from: CONFERENCES, columns: CONFERENCE },
    Branch { kind: "PLAN_STARTED", moment: day!("x.start_on"), from: PLANS, columns: PLAN },
    Branch { kind: "PLAN_ENDED", moment: day!("x.end_on"), from: PLANS, columns: PLAN },
    Branch {
        kind: "SUPPORT_STARTED",
        moment: "CASE WHEN x.involvement_id IS NOT NULL THEN x.answered_at END",
        from: SUPPORT,
        columns: REQUEST,
    },
    Branch { kind: "SUPPORT_ENDED", moment: "x.ended_at", from: SUPPORT, columns: REQUEST },
    Branch {
        kind: "ADOPTION_STEP",
        moment: day!("x.happened_on"),
        from: "kids k JOIN adoption_steps x ON x.child_id = k.id JOIN plans p ON p.id = x.plan_id AND NOT EXISTS (SELECT \
               FROM adoption_steps later JOIN plans l ON l.id = later.plan_id WHERE l.line_id = p.line_id \
               AND later.step = x.step AND later.id > x.id)",
        columns: "x.id, k.id, k.id, p.case_id, 'Plan', p.id, x.step, NULL, NULL::uuid, NULL::uuid",
    },
    Branch { kind: "FAMILY_MEMBER_JOINED", moment: day!("m.from_on"), from: MEMBERS, columns: MEMBER },
    Branch { kind: "FAMILY_MEMBER_LEFT", moment: day!("m.to_on"), from: MEMBERS, columns: MEMBER },
];

/// Made of `of` below: who came to a family is a person, where a child came to is a family.
const MEMBERS: &str = "members m";
const MEMBER: &str =
    "m.id, m.person_id, m.child_id, NULL::uuid, m.node_kind, m.node_id, NULL, NULL, NULL::uuid, NULL::uuid";

/// What the branches read: `kids` and `members`. $3 are the children that are asked for.
fn sources(of: Of) -> &'static str {
    match of {
        Of::Families => {
            "kids AS (SELECT DISTINCT m.person_id AS id FROM family_members m JOIN children c ON c.id = m.person_id \
             WHERE m.family_id = parent.id AND ($3 IS NULL OR m.person_id = ANY($3))), \
             members AS (SELECT m.id, m.person_id, c.id AS child_id, m.from_on, m.to_on, 'Person' AS node_kind, \
             m.person_id AS node_id FROM family_members m LEFT JOIN children c ON c.id = m.person_id \
             WHERE m.family_id = parent.id AND ($3 IS NULL OR m.person_id = ANY($3)))"
        }
        Of::Children => {
            "kids AS (SELECT parent.id WHERE $3 IS NULL OR parent.id = ANY($3)), \
             members AS (SELECT m.id, m.person_id, m.person_id AS child_id, m.from_on, m.to_on, \
             'FamilyGroup' AS node_kind, m.family_id AS node_id FROM family_members m JOIN kids k ON k.id = m.person_id)"
        }
    }
}

/// The kinds that are asked for are $2, the moment of the operation is the end.
fn wanted(branch: &Branch) -> String {
    let Branch { kind, moment, .. } = branch;
    format!("($2 IS NULL OR '{kind}' = ANY($2)) AND {moment} <= (SELECT hearth.at())")
}

type EntryType = (
    Timestamptz,
    Text,
    sql_types::Uuid,
    sql_types::Uuid,
    Nullable<sql_types::Uuid>,
    Nullable<sql_types::Uuid>,
    Text,
    sql_types::Uuid,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<sql_types::Uuid>,
    Nullable<sql_types::Uuid>,
);

struct Asked {
    kinds: Option<Vec<Coded<ChronologyKind>>>,
    children: Option<Vec<Uuid>>,
}

impl Asked {
    fn new(wanted: &Wanted) -> Self {
        let kinds = wanted.kinds.as_ref().map(|kinds| kinds.iter().copied().map(Coded).collect());
        Self { kinds, children: wanted.children.clone() }
    }

    /// Binds $2 and $3 (`lateral` bound the parents as $1) in a query that nothing reads: the branches name them.
    fn bind<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH asked AS (SELECT ");
        out.push_bind_param::<Nullable<Array<Text>>, _>(&self.kinds)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Array<sql_types::Uuid>>, _>(&self.children)
    }
}

struct Entries {
    of: Of,
    asked: Asked,
    limit: i64,
    after: Option<(DateTime<Utc>, Uuid, Coded<ChronologyKind>)>,
}

impl Query for Entries {
    type SqlType = EntryType;
}

impl QueryFragment<Pg> for Entries {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.asked.bind(&mut out)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        if let Some((at, id, kind)) = &self.after {
            out.push_sql(", ");
            out.push_bind_param::<Timestamptz, _>(at)?;
            out.push_sql(", ");
            out.push_bind_param::<sql_types::Uuid, _>(id)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(kind)?;
        }
        out.push_sql("), ");
        out.push_sql(sources(self.of));
        out.push_sql(" SELECT * FROM (");
        for (at, branch) in BRANCHES.iter().enumerate() {
            let Branch { kind, moment, from, columns } = branch;
            let union = if at == 0 { "" } else { " UNION ALL " };
            let wanted = wanted(branch);
            let after = match self.after {
                Some(_) => format!(" AND ({moment}, {}, '{kind}') < ($5, $6, $7)", first(columns)),
                None => String::new(),
            };
            out.push_sql(&format!(
                "{union}(SELECT {moment} AS at, '{kind}' AS kind, {columns} FROM {from} WHERE {wanted}{after} \
                 ORDER BY 1 DESC, 3 DESC, 2 DESC LIMIT $4)"
            ));
        }
        out.push_sql(") AS entry ORDER BY 1 DESC, 3 DESC, 2 DESC LIMIT $4");
        Ok(())
    }
}

/// The id among a branch's columns.
fn first(columns: &str) -> &str {
    columns.split(',').next().unwrap_or_default()
}

struct Count {
    of: Of,
    asked: Asked,
}

impl Query for Count {
    type SqlType = BigInt;
}

impl QueryFragment<Pg> for Count {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.asked.bind(&mut out)?;
        out.push_sql("), ");
        out.push_sql(sources(self.of));
        out.push_sql(" SELECT ");
        for (at, branch) in BRANCHES.iter().enumerate() {
            let plus = if at == 0 { "" } else { " + " };
            out.push_sql(&format!("{plus}(SELECT count(*) FROM {} WHERE {})", branch.from, wanted(branch)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    #[test]
    fn every_kind_of_entry_comes_from_one_branch() {
        let kinds: Vec<_> = BRANCHES.iter().map(|branch| ChronologyKind::parse(branch.kind)).collect();
        assert_eq!(kinds, ChronologyKind::ALL.iter().map(|(kind, ..)| Some(*kind)).collect::<Vec<_>>());
    }
}
