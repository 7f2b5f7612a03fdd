//! Statements that are not worth keeping.

use diesel::{
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
};

/// A statement that a client can ask for in thousands of forms (the words of a search, the members of a filter). Each
/// form that a connection kept prepared would cost memory on both ends for as long as the connection lives.
pub(in crate::db) struct Unkept<Q>(pub(in crate::db) Q);

impl<Q> QueryId for Unkept<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Unkept<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Unkept<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        self.0.walk_ast(out.reborrow())
    }
}
