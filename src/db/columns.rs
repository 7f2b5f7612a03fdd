//! Exact columns: wide and sensitive column groups are read only when they are selected.

use diesel::{
    AppearsOnTable, Expression, SelectableExpression,
    expression::{ValidGrouping, is_aggregate},
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
};

use crate::{
    domain::{Code, codes::FieldClass},
    error::Error,
};

/// The column groups that a selection needs beyond the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Columns(u8);

impl Columns {
    /// The core only.
    pub const CORE: Self = Self(0);
    /// What people wrote: summaries, aims, views.
    pub const NARRATIVE: Self = Self(1);
    /// Religion, ethnicity, language, school number.
    pub const SENSITIVE: Self = Self(2);
    /// Health: the class of that name.
    pub const CLINICAL: Self = Self(8);
    /// What is said about or by somebody else than the child: the class of that name.
    pub const THIRD_PARTY: Self = Self(16);
    /// Where somebody is said to live: the class of confidential addresses.
    pub const ADDRESS: Self = Self(32);
    /// The sections of a plan.
    pub const SECTIONS: Self = Self(64);
    /// The worker who does it, beside the action: no columns of its own, a lookup of theirs.
    pub const OWNER: Self = Self(4);

    /// Both.
    #[must_use]
    pub fn with(self, group: Self, selected: bool) -> Self {
        if selected { Self(self.0 | group.0) } else { self }
    }

    /// Whether the group is read.
    pub fn has(self, group: Self) -> bool {
        self.0 & group.0 == group.0
    }

    /// Fails when the group was not read: a field that forgot to ask for it must not answer null.
    pub fn check(self, group: Self) -> Result<(), Error> {
        if self.has(group) { Ok(()) } else { Err(Error::internal(NotRead)) }
    }
}

/// A column group was used that the selection did not ask for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a column was used that was not read")]
pub struct NotRead;

/// A column, or a typed NULL in its place. Diesel's boxed expressions would do, but are not `Send`.
#[derive(Clone, Copy, Debug)]
pub(in crate::db) struct Chosen<Column> {
    selected: bool,
    column: Column,
    null: &'static str,
    /// The subject that must be in whole sight; the case's core is not enough.
    whole: Option<&'static str>,
    /// The class of fields that it must be in sight with.
    class: Option<&'static str>,
    /// What is true of rows that are read whatever their class.
    open: Option<&'static str>,
}

/// The column when it is selected, `null` (typed where text would be wrong) when it is not.
pub(in crate::db) fn choose<Column>(selected: bool, column: Column, null: &'static str) -> Chosen<Column> {
    Chosen { selected, column, null, whole: None, class: None, open: None }
}

/// The same, for what is no part of a case's core: NULL too for whoever sees `subject` only in part.
pub(in crate::db) fn choose_whole<Column>(
    selected: bool,
    column: Column,
    null: &'static str,
    subject: &'static str,
) -> Chosen<Column> {
    Chosen { selected, column, null, whole: Some(subject), class: None, open: None }
}

/// The same, for a class of fields: NULL too for whoever's role in their unit, area or post does not read it.
pub(in crate::db) fn choose_class<Column>(
    selected: bool,
    column: Column,
    null: &'static str,
    subject: &'static str,
    class: FieldClass,
) -> Chosen<Column> {
    Chosen { selected, column, null, whole: Some(subject), class: Some(class.code()), open: None }
}

impl<Column> Chosen<Column> {
    /// Not of rows of which this is true: they are read by whoever sees them.
    pub(in crate::db) fn unless(self, open: &'static str) -> Self {
        Self { open: Some(open), ..self }
    }
}

impl<Column: Expression> Expression for Chosen<Column> {
    type SqlType = Column::SqlType;
}

impl<Column> QueryId for Chosen<Column> {
    type QueryId = ();
    // The choice is part of the statement's text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Column: QueryFragment<Pg>> QueryFragment<Pg> for Chosen<Column> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !self.selected {
            out.push_sql(self.null);
            return Ok(());
        }
        let Some(subject) = self.whole else { return self.column.walk_ast(out) };
        out.push_sql("CASE WHEN ");
        if let Some(open) = self.open {
            out.push_sql(open);
            out.push_sql(" OR ");
        }
        out.push_sql("EXISTS (SELECT FROM sight s WHERE s.subject_id = ");
        out.push_sql(subject);
        out.push_sql(" AND s.whole");
        if let Some(class) = self.class {
            // Codes hold no quote.
            out.push_sql(" AND s.holder_id = ANY ((SELECT hearth.opens('");
            out.push_sql(class);
            out.push_sql("'))::uuid[])");
        }
        out.push_sql(") THEN ");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" END");
        Ok(())
    }
}

impl<Column> ValidGrouping<()> for Chosen<Column> {
    type IsAggregate = is_aggregate::No;
}

impl<Column, Source> AppearsOnTable<Source> for Chosen<Column> where Column: AppearsOnTable<Source> {}
impl<Column, Source> SelectableExpression<Source> for Chosen<Column> where Column: SelectableExpression<Source> {}
