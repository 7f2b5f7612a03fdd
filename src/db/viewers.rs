//! What the viewer is at the moment of a change.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Snapshot, ViewerTx, failed,
    outbox::Post,
    schema::{areas, unit_memberships, units, worker_posts, workers},
};
use crate::{
    auth::viewer::{Standing, UnitRole},
    domain::{
        codes::Role,
        ids::{AreaId, UnitId},
    },
    error::Result,
};

diesel::define_sql_function! {
    /// Whose sight the viewer has.
    #[sql_name = "hearth.holders"]
    fn holders() -> diesel::sql_types::Array<diesel::sql_types::Uuid>;
}

/// The post whose stream the viewer follows: the front door's, or else the queue's, if they have one.
pub async fn post(snapshot: &Snapshot) -> Result<Option<Post>> {
    let held: Vec<Vec<Uuid>> = snapshot.load(diesel::select(holders())).await?;
    let has = |post: &Post| held.iter().flatten().any(|one| *one == post.topic());
    Ok([Post::FrontDoor, Post::Queue].into_iter().find(has))
}

/// The viewer's roles, posts and areas, from Postgres and never from a token.
pub async fn standing(tx: &ViewerTx) -> Result<Standing> {
    let (me, at) = (tx.viewer().worker_id.0, tx.viewer().at);
    let conn = tx.conn()?;
    let (mut one, mut two, mut three, mut four) = (conn, conn, conn, conn);
    let name = workers::table.find(me).select(workers::name).first::<String>(&mut one);
    let in_units = unit_memberships::table
        .inner_join(units::table.on(units::id.eq(unit_memberships::unit_id)))
        .filter(unit_memberships::worker_id.eq(me))
        .filter(unit_memberships::started_at.le(at))
        .filter(unit_memberships::ended_at.is_null().or(unit_memberships::ended_at.gt(at)))
        .select((units::id, units::area_id, unit_memberships::role))
        .load::<(Uuid, Uuid, Coded<Role>)>(&mut two);
    let posts = worker_posts::table
        .filter(worker_posts::worker_id.eq(me))
        .filter(worker_posts::started_at.le(at))
        .filter(worker_posts::ended_at.is_null().or(worker_posts::ended_at.gt(at)))
        .select(worker_posts::post)
        .load::<Coded<Role>>(&mut three);
    let manages = areas::table.filter(areas::service_manager_id.eq(me)).select(areas::id).load::<Uuid>(&mut four);
    let (name, in_units, posts, manages) = futures_util::join!(name, in_units, posts, manages);
    let (name, in_units) = (name.map_err(failed)?, in_units.map_err(failed)?);
    let (posts, manages) = (posts.map_err(failed)?, manages.map_err(failed)?);
    Ok(Standing {
        name,
        units: in_units
            .into_iter()
            .map(|(unit, area, role)| UnitRole { unit_id: UnitId(unit), area_id: AreaId(area), role: role.0 })
            .collect(),
        posts: posts.into_iter().map(|post| post.0).collect(),
        areas: manages.into_iter().map(AreaId).collect(),
    })
}
