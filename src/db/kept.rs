//! Statements that are worth keeping prepared, and that diesel would not.

use diesel::{
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
};

/// A change of which there are few forms: not rows of a client's number with columns that may be left out, of which every
/// mixture would be a statement of its own. Diesel prepares updates, and inserts that leave a column out, anew at every
/// execution, and statements in SQL (`sql_query`) too; Postgres then plans them anew, which costs more than carrying them
/// out.
pub(in crate::db) struct Kept<Q>(pub(in crate::db) Q);

impl<Q> QueryId for Kept<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Kept<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Kept<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}
