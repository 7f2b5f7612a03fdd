//! Relay connections.

use std::{borrow::Cow, fmt::Debug, sync::Arc};

use async_graphql::{Context, Object, OutputType, SimpleObject, TypeName};
use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    audited::Audited,
    batch::{Instant, Item},
    context::HearthContext,
    error::{Answer, Nullable, nullable},
};
use crate::{
    auth::{Viewer, seal::Sealer},
    db::{Columns, Page, Placed},
    error::{Error, Result},
};

/// A list that can be paged: its name and its parent are part of every cursor's seal.
#[derive(Clone, Debug)]
pub struct List {
    name: &'static str,
    parent: Uuid,
}

impl List {
    /// A list of one parent.
    pub fn of(name: &'static str, parent: Uuid) -> Self {
        Self { name, parent }
    }

    /// A list at the root.
    pub fn root(name: &'static str) -> Self {
        Self { name, parent: Uuid::nil() }
    }

    fn purpose(&self) -> String {
        format!("{}/{}", self.name, self.parent)
    }

    /// The page that the client asked for.
    pub fn page<K: DeserializeOwned>(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<K>> {
        let after = match after {
            None => None,
            Some(cursor) => {
                let (sealer, viewer) = (&ctx.shared()?.sealer, ctx.viewer()?);
                let key = sealer.open_list_cursor(&self.purpose(), viewer.worker_id, cursor)?;
                // The error would quote the key, and names are keys.
                Some(
                    serde_json::from_slice(&key)
                        .map_err(|_| Error::internal("a cursor holds the key of another list"))?,
                )
            }
        };
        Page::new(first, after)
    }
}

/// About a page of a list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether another page follows.
    has_next_page: bool,
    /// Whether the page was asked for by a cursor, so that there is something before it.
    has_previous_page: bool,
    /// Cursor of the page's first node.
    start_cursor: Option<String>,
    /// Cursor of the page's last node: ask for the next page with it as `after`.
    end_cursor: Option<String>,
}

/// A node with its cursor.
pub struct Edge<T> {
    node: T,
    cursor: Sealing,
}

#[derive(Clone)]
struct Sealing {
    list: List,
    key: Vec<u8>,
}

impl Sealing {
    fn seal(&self, sealer: &Sealer, viewer: Viewer) -> Result<String> {
        sealer.list_cursor(&self.list.purpose(), viewer.worker_id, &self.key)
    }
}

type Count = Box<dyn Fn() -> BoxFuture<'static, Result<i64>> + Send + Sync>;

/// A page of a list.
pub struct Connection<T> {
    edges: Vec<Edge<T>>,
    has_next: bool,
    has_previous: bool,
    count: Count,
}

impl<T> Connection<T> {
    /// From up to one row more than the page has. `key` is the sort key of a row, `count` counts the whole list when
    /// it is asked for.
    pub fn new<R, K, P>(
        list: &List,
        page: &Page<P>,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> K,
        count: impl Fn() -> BoxFuture<'static, Result<i64>> + Send + Sync + 'static,
    ) -> Result<Self>
    where
        K: Serialize,
        T: From<R>,
    {
        let first = usize::try_from(page.first).unwrap_or(0);
        let has_next = rows.len() > first;
        rows.truncate(first);
        let mut edges = Vec::with_capacity(rows.len());
        for row in rows {
            let key = serde_json::to_vec(&key(&row)).map_err(Error::internal)?;
            edges.push(Edge { node: row.into(), cursor: Sealing { list: list.clone(), key } });
        }
        Ok(Self { edges, has_next, has_previous: page.after.is_some(), count: Box::new(count) })
    }
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Edge", T::type_name()))
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Connection", T::type_name()))
    }
}

/// A node of a list with its place in it.
#[Object(name_type)]
impl<T: OutputType> Edge<T> {
    /// The node.
    async fn node(&self) -> &T {
        &self.node
    }

    /// The node's place in this list, for `after`. Good for this list and for you only.
    async fn cursor(&self, ctx: &Context<'_>) -> Answer<String> {
        Ok(self.cursor.seal(&ctx.shared()?.sealer, ctx.viewer()?)?)
    }
}

/// A page of a list.
#[Object(name_type)]
impl<T: OutputType> Connection<T> {
    /// The page's nodes with their cursors.
    async fn edges(&self) -> &Vec<Edge<T>> {
        &self.edges
    }

    /// The page's nodes.
    async fn nodes(&self) -> Vec<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// About the page.
    async fn page_info(&self, ctx: &Context<'_>) -> Answer<PageInfo> {
        let (sealer, viewer) = (&ctx.shared()?.sealer, ctx.viewer()?);
        let seal = |edge: Option<&Edge<T>>| edge.map(|edge| edge.cursor.seal(sealer, viewer)).transpose();
        Ok(PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: seal(self.edges.first())?,
            end_cursor: seal(self.edges.last())?,
        })
    }

    /// How many nodes the whole list has, as far as you may see. Counted only when selected.
    async fn total_count(&self) -> Answer<i64> {
        Ok((self.count)().await?)
    }
}

/// A count that is one of many parents' counts, loaded for all of them at once.
pub fn counted<R, F, Fut>(
    item: super::batch::Item<R>,
    relation: &'static str,
    arguments: String,
    own: fn(&R) -> Uuid,
    load: F,
) -> impl Fn() -> BoxFuture<'static, Result<i64>> + Send + Sync + 'static
where
    R: Send + Sync + 'static,
    F: Fn(Arc<crate::db::Snapshot>, Vec<Uuid>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<(i64, i64)>>> + Send + 'static,
{
    move || {
        let (item, load, arguments) = (item.clone(), load.clone(), arguments.clone());
        Box::pin(async move {
            let count = item.first(relation, arguments, own, load).await?;
            Ok(count.map_or(0, |count| *count))
        })
    }
}

/// A list field of a record, with what the client asked of it.
pub struct Listing<'a, P> {
    ctx: &'a Context<'a>,
    parent: &'a Item<P>,
    own: fn(&P) -> Uuid,
    name: &'static str,
    narrowed: String,
    read: Columns,
    first: Option<i32>,
    after: Option<String>,
}

impl<'a, P: Send + Sync + 'static> Listing<'a, P> {
    /// The list `name`, as type and field, of the parent whose id there is `own`.
    pub fn new(
        ctx: &'a Context<'a>,
        parent: &'a Item<P>,
        own: fn(&P) -> Uuid,
        name: &'static str,
        first: Option<i32>,
        after: Option<String>,
    ) -> Self {
        Self { ctx, parent, own, name, narrowed: String::new(), read: Columns::CORE, first, after }
    }

    /// By the field's other arguments: what differs in them is loaded and counted apart.
    pub fn narrowed(self, by: impl Debug) -> Self {
        Self { narrowed: format!("{by:?}"), ..self }
    }

    /// With these columns of the nodes: what differs in them is loaded apart, and counted once.
    pub fn reading(self, read: Columns) -> Self {
        Self { read, ..self }
    }

    /// The page: one statement for the whole generation of the record, and one more for their counts if they are
    /// asked for. `key` is a row's sort key.
    pub async fn page<R, T, K, L, Loading, C, Counting>(
        self,
        key: fn(&R) -> K,
        load: L,
        count: C,
    ) -> Nullable<Connection<T>>
    where
        R: Audited + Send + Sync + 'static,
        T: From<Item<R>>,
        K: Serialize + DeserializeOwned + Clone + Debug + Send + Sync,
        L: FnOnce(Instant, Vec<Uuid>, Page<K>) -> Loading + Send,
        Loading: Future<Output = Result<Vec<Placed<R>>>> + Send,
        C: Fn(Instant, Vec<Uuid>) -> Counting + Clone + Send + Sync + 'static,
        Counting: Future<Output = Result<Vec<Placed<i64>>>> + Send + 'static,
    {
        let Self { ctx, parent, own, name, narrowed, read, first, after } = self;
        let paging: BoxFuture<'_, Result<Option<Connection<T>>>> = Box::pin(async move {
            let list = List::of(name, own(parent));
            let page: Page<K> = list.page(ctx, first, after.as_deref())?;
            let wanted = page.clone();
            let load = |snapshot, ids| load(snapshot, ids, wanted);
            let rows = parent.many(name, format!("{narrowed} {read:?} {page:?}"), own, load).await?;
            let count = counted(parent.clone(), name, format!("count {narrowed}"), own, count);
            Connection::new(&list, &page, rows, |row: &Item<R>| key(row), count).map(Some)
        });
        nullable(paging.await)
    }
}
