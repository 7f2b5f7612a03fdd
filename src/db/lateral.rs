//! The first N rows for each of many parents, in one statement.
//!
//! ```sql
//! SELECT parent.at, page.* FROM unnest($1) WITH ORDINALITY AS parent (id, at)
//! CROSS JOIN LATERAL (SELECT ... WHERE x.parent_id = parent.id ORDER BY ... LIMIT $2) AS page
//! ```
//! A window function over all rows of all parents would not stop early; this does. Written here because diesel has
//! no LATERAL; unlike `sql_query` it stays typed and its statement is kept prepared.

use std::marker::PhantomData;

use diesel::{
    AppearsOnTable, Expression, SelectableExpression,
    expression::{ValidGrouping, is_aggregate},
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
    sql_types,
};
use uuid::Uuid;

/// See [`parent_id`].
#[derive(Clone, Copy, Debug, QueryId)]
pub(in crate::db) struct ParentId;

/// The parent's id inside the inner query. Not diesel's `sql`: a statement with that in it is never kept prepared.
pub(in crate::db) fn parent_id() -> ParentId {
    ParentId
}

impl Expression for ParentId {
    type SqlType = sql_types::Uuid;
}

impl QueryFragment<Pg> for ParentId {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("parent.id");
        Ok(())
    }
}

impl ValidGrouping<()> for ParentId {
    type IsAggregate = is_aggregate::Never;
}

impl<Source> AppearsOnTable<Source> for ParentId {}
impl<Source> SelectableExpression<Source> for ParentId {}

/// See the module.
pub(in crate::db) struct ForEach<Q> {
    parents: Vec<Uuid>,
    inner: Q,
}

/// `inner` for each of `parents`, with the parent's place in front of every row.
pub(in crate::db) fn for_each<Q>(parents: &[Uuid], inner: Q) -> ForEach<Q> {
    ForEach { parents: parents.to_vec(), inner }
}

impl<Q> QueryId for ForEach<Q> {
    type QueryId = ();
    // Cached by its text: the inner query may be boxed.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for ForEach<Q> {
    type SqlType = (sql_types::BigInt, Q::SqlType);
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for ForEach<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT parent.at, page.* FROM unnest(");
        out.push_bind_param::<sql_types::Array<sql_types::Uuid>, _>(&self.parents)?;
        out.push_sql(") WITH ORDINALITY AS parent (id, at) CROSS JOIN LATERAL (");
        self.inner.walk_ast(out.reborrow())?;
        out.push_sql(") AS page");
        Ok(())
    }
}

/// An inner query in plain SQL, for what diesel cannot say.
pub(in crate::db) struct Plain<ST> {
    sql: &'static str,
    of: PhantomData<ST>,
}

/// See [`Plain`].
pub(in crate::db) fn plain<ST>(sql: &'static str) -> Plain<ST> {
    Plain { sql, of: PhantomData }
}

impl<ST> Query for Plain<ST> {
    type SqlType = ST;
}

impl<ST> QueryFragment<Pg> for Plain<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.sql);
        Ok(())
    }
}

/// A page of a boxed inner query: newest first by a moment, then by id.
macro_rules! newest_first {
    ($query:expr, $page:expr, $moment:expr, $id:expr) => {{
        let mut query = $query.order(($moment.desc(), $id.desc())).limit($page.limit()).into_boxed();
        if let Some((moment, id)) = $page.after {
            query = query.filter($moment.lt(moment).or($moment.eq(moment).and($id.lt(id))));
        }
        query
    }};
}

/// A page of a boxed inner query: latest id first, and ids are in the order of time.
macro_rules! latest_first {
    ($query:expr, $page:expr, $id:expr) => {{
        let mut query = $query.order($id.desc()).limit($page.limit()).into_boxed();
        if let Some(id) = $page.after {
            query = query.filter($id.lt(id));
        }
        query
    }};
}

pub(in crate::db) use {latest_first, newest_first};
