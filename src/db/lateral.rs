//! The first N rows for each of many parents, in one statement.
//!
//! ```sql
//! SELECT parent.at, page.* FROM unnest($1) WITH ORDINALITY AS parent (id, at)
//! CROSS JOIN LATERAL (SELECT ... WHERE x.parent_id = parent.id ORDER BY ... LIMIT $2) AS page
//! ```
//! A window function over all rows of all parents would not stop early; this does. Written here because diesel has
//! no LATERAL; unlike `sql_query` it stays typed and its statement is kept prepared.

use diesel::{
    expression::SqlLiteral,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
    sql_types,
};
use uuid::Uuid;

/// The parent's id inside the inner query.
pub(in crate::db) fn parent_id() -> SqlLiteral<sql_types::Uuid> {
    diesel::dsl::sql::<sql_types::Uuid>("parent.id")
}

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
