//! Batching by generation.
//!
//! The rows of one list share a [`Generation`]. The first of them that is asked for a relation loads it for all of
//! them in one statement, with that field's own selection; the others wait for it. What was loaded is a generation
//! again, so there is at most one statement for every relation and level, however many parents. The snapshot travels
//! along, so pushed items bring their own.

use std::{
    any::Any,
    future::Future,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::audited::{self, Audited};
use crate::{
    db::{Placed, Snapshot},
    error::{Error, Result},
};

/// A snapshot, shared by what was read in it.
pub type Instant = Arc<Snapshot>;

type Cell<T> = OnceCell<Result<Arc<T>>>;

/// Which relation, with which arguments and columns: two fields that differ in either load on their own.
#[derive(PartialEq, Eq)]
struct Key {
    relation: &'static str,
    arguments: String,
}

/// Rows that were loaded together.
pub struct Generation<R> {
    rows: Vec<R>,
    snapshot: Arc<Snapshot>,
    relations: Mutex<Vec<(Key, Arc<dyn Any + Send + Sync>)>>,
}

/// One row of a generation.
pub struct Item<R> {
    generation: Arc<Generation<R>>,
    at: usize,
}

impl<R> Clone for Item<R> {
    fn clone(&self) -> Self {
        Self { generation: Arc::clone(&self.generation), at: self.at }
    }
}

impl<R> Deref for Item<R> {
    type Target = R;
    // An item is only ever made with a place that its generation has.
    #[allow(clippy::indexing_slicing)]
    fn deref(&self) -> &R {
        &self.generation.rows[self.at]
    }
}

/// A to-many relation: the children of all parents, and which belong to whom.
struct Related<C> {
    children: Arc<Generation<C>>,
    /// For each parent the places of its children.
    of: Vec<Vec<usize>>,
}

/// Makes a generation.
pub fn generation<R: Audited>(snapshot: Arc<Snapshot>, rows: Vec<R>) -> Vec<Item<R>> {
    audited::note(&snapshot, &rows);
    written_down(snapshot, rows)
}

/// The same of rows that the audit knows of already: events that were written down when they were sent.
pub fn written_down<R>(snapshot: Arc<Snapshot>, rows: Vec<R>) -> Vec<Item<R>> {
    let generation = Arc::new(Generation { rows, snapshot, relations: Mutex::default() });
    (0..generation.rows.len()).map(|at| Item { generation: Arc::clone(&generation), at }).collect()
}

// The futures of relations are boxed: those of a type's fields are the arms of one future, which is as large as the
// largest of them, and every plain field would carry it along.
impl<R: Send + Sync + 'static> Item<R> {
    /// The snapshot that the row was read in.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.generation.snapshot
    }

    async fn relation<T, F>(&self, relation: &'static str, arguments: String, load: F) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let cell = {
            let mut relations = self.generation.relations.lock().unwrap_or_else(PoisonError::into_inner);
            let key = Key { relation, arguments };
            let known = relations.iter().find(|(known, _)| *known == key).map(|(_, cell)| Arc::clone(cell));
            let cell: Arc<dyn Any + Send + Sync> = known.unwrap_or_else(|| {
                let cell: Arc<Cell<T>> = Arc::default();
                relations.push((key, Arc::clone(&cell) as _));
                cell
            });
            cell.downcast::<Cell<T>>().map_err(|_| Error::internal("one relation has two types"))?
        };
        cell.get_or_init(|| async { load.await.map(Arc::new) }).await.clone()
    }

    /// [`Item::one`] where the rows may have been read together with the records that they point to: `beside` has them
    /// then, and nothing is loaded.
    pub fn one_beside<'a, C, F, Fut>(
        &'a self,
        relation: &'static str,
        foreign: fn(&R) -> Option<Uuid>,
        beside: fn(&R) -> Option<Option<&C>>,
        id: fn(&C) -> Uuid,
        load: F,
    ) -> BoxFuture<'a, Result<Option<Item<C>>>>
    where
        C: Audited + Clone + Send + Sync + 'static,
        F: FnOnce(Arc<Snapshot>, Vec<Uuid>) -> Fut + Send + 'a,
        Fut: Future<Output = Result<Vec<C>>> + Send + 'a,
    {
        let generation = Arc::clone(&self.generation);
        let load = move |snapshot, ids| async move {
            let known: Option<Vec<Option<&C>>> = generation.rows.iter().map(beside).collect();
            let Some(known) = known else { return load(snapshot, ids).await };
            let mut rows: Vec<C> = known.into_iter().flatten().cloned().collect();
            rows.sort_unstable_by_key(id);
            rows.dedup_by_key(|row| id(row));
            Ok(rows)
        };
        self.one(relation, String::new(), foreign, id, load)
    }

    /// The one record that `foreign` points to. Missing or hidden: none.
    pub fn one<'a, C, F, Fut>(
        &'a self,
        relation: &'static str,
        arguments: String,
        foreign: fn(&R) -> Option<Uuid>,
        id: fn(&C) -> Uuid,
        load: F,
    ) -> BoxFuture<'a, Result<Option<Item<C>>>>
    where
        C: Audited + Send + Sync + 'static,
        F: FnOnce(Arc<Snapshot>, Vec<Uuid>) -> Fut + Send + 'a,
        Fut: Future<Output = Result<Vec<C>>> + Send + 'a,
    {
        Box::pin(async move {
            let Some(wanted) = foreign(self) else { return Ok(None) };
            let generation = &self.generation;
            let loading = async {
                let mut ids: Vec<Uuid> = generation.rows.iter().filter_map(foreign).collect();
                ids.sort_unstable();
                ids.dedup();
                let mut rows = load(Arc::clone(&generation.snapshot), ids).await?;
                rows.sort_unstable_by_key(id);
                Ok(generation_of(&generation.snapshot, rows))
            };
            let children: Arc<Arc<Generation<C>>> = self.relation(relation, arguments, loading).await?;
            let found = children.rows.binary_search_by_key(&wanted, id).ok();
            Ok(found.map(|at| Item { generation: Arc::clone(&children), at }))
        })
    }

    /// The records that belong to this one, as the loader placed them: `load` gets the parents' ids and places each
    /// row by its parent's number, counted from 1.
    pub fn many<'a, C, F, Fut>(
        &'a self,
        relation: &'static str,
        arguments: String,
        own: fn(&R) -> Uuid,
        load: F,
    ) -> BoxFuture<'a, Result<Vec<Item<C>>>>
    where
        C: Audited + Send + Sync + 'static,
        F: FnOnce(Arc<Snapshot>, Vec<Uuid>) -> Fut + Send + 'a,
        Fut: Future<Output = Result<Vec<Placed<C>>>> + Send + 'a,
    {
        Box::pin(async move {
            let generation = &self.generation;
            let loading = async {
                let parents: Vec<Uuid> = generation.rows.iter().map(own).collect();
                let mut of = vec![Vec::new(); parents.len()];
                let placed = load(Arc::clone(&generation.snapshot), parents).await?;
                let mut rows = Vec::with_capacity(placed.len());
                for (place, row) in placed {
                    let parent = usize::try_from(place - 1).ok().and_then(|at| of.get_mut(at));
                    parent.ok_or_else(|| Error::internal("a row without a parent"))?.push(rows.len());
                    rows.push(row);
                }
                Ok(Related { children: generation_of(&generation.snapshot, rows), of })
            };
            let related: Arc<Related<C>> = self.relation(relation, arguments, loading).await?;
            let mine = related.of.get(self.at).map(Vec::as_slice).unwrap_or_default();
            Ok(mine.iter().map(|at| Item { generation: Arc::clone(&related.children), at: *at }).collect())
        })
    }

    /// The first of [`Item::many`].
    pub fn first<'a, C, F, Fut>(
        &'a self,
        relation: &'static str,
        arguments: String,
        own: fn(&R) -> Uuid,
        load: F,
    ) -> BoxFuture<'a, Result<Option<Item<C>>>>
    where
        C: Audited + Send + Sync + 'static,
        F: FnOnce(Arc<Snapshot>, Vec<Uuid>) -> Fut + Send + 'a,
        Fut: Future<Output = Result<Vec<Placed<C>>>> + Send + 'a,
    {
        Box::pin(async move { Ok(self.many(relation, arguments, own, load).await?.into_iter().next()) })
    }
}

fn generation_of<R: Audited>(snapshot: &Arc<Snapshot>, rows: Vec<R>) -> Arc<Generation<R>> {
    audited::note(snapshot, &rows);
    Arc::new(Generation { rows, snapshot: Arc::clone(snapshot), relations: Mutex::default() })
}
