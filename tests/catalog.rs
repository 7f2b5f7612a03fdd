//! Our conventions, asked of the database's catalog, so that a new table cannot forget them.

use crate::support;

async fn rows(query: &str) -> Vec<String> {
    let client = support::connect("postgres", &support::empty_database().await).await;
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_has_row_level_security_enabled_and_forced() {
    let bare = rows(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname <> '__diesel_schema_migrations'
           and not (c.relrowsecurity and c.relforcerowsecurity)",
    )
    .await;
    assert!(bare.is_empty(), "without forced row-level security: {bare:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_that_the_application_may_read_has_a_policy_for_reading() {
    let bare = rows(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind = 'r' and c.relname <> '__diesel_schema_migrations'
           and has_table_privilege('hearth_app', c.oid, 'select')
           and not exists (select from pg_policy p where p.polrelid = c.oid and p.polcmd in ('r', '*')
                           and p.polroles @> array[(select oid from pg_roles where rolname = 'hearth_app')])",
    )
    .await;
    assert!(bare.is_empty(), "readable without a policy: {bare:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_belongs_to_a_child_is_read_by_sight() {
    let other = rows(
        "select distinct t.table_name::text from information_schema.columns t
         where t.table_schema = 'public' and t.column_name in ('child_id', 'person_id', 'conference_id')
           and has_table_privilege('hearth_app', to_regclass(format('public.%I', t.table_name)), 'select')
           and not exists (select from pg_policies p where p.tablename = t.table_name and p.cmd = 'SELECT'
                           and p.qual like '%sight%')",
    )
    .await;
    assert!(other.is_empty(), "belongs to a child but is not read by sight: {other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_foreign_key_is_indexed() {
    let bare = rows(
        "select (k.conrelid::regclass || ' ' || k.conname)::text from pg_constraint k
         join pg_namespace n on n.oid = k.connamespace
         where k.contype = 'f' and n.nspname = 'public' and not exists (
             select from pg_index i where i.indrelid = k.conrelid and i.indpred is null
               and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)",
    )
    .await;
    assert!(bare.is_empty(), "without an index: {bare:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_login_role_owns_anything_or_goes_past_the_policies() {
    let wrong = rows(
        // hearth_bulk goes past the policies, because COPY FROM is refused otherwise; it is for development only.
        "select rolname::text from pg_roles where rolname like 'hearth%' and rolcanlogin
           and (rolsuper or (rolbypassrls and rolname <> 'hearth_bulk') or rolcreaterole or rolcreatedb)
         union all
         select r.rolname::text from pg_class c join pg_roles r on r.oid = c.relowner
         join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and r.rolname in ('hearth_app', 'hearth_relay', 'hearth_bus', 'hearth_seed', 'hearth_bulk')",
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bulk_role_may_what_the_seed_role_may_and_changes_nothing() {
    let wrong = rows(
        "select 'belongs to ' || g.rolname from pg_auth_members m join pg_roles r on r.oid = m.member
         join pg_roles g on g.oid = m.roleid where r.rolname = 'hearth_bulk' and g.rolname <> 'hearth_seed'
         union all
         select c.relname || ' ' || k from pg_class c join pg_namespace n on n.oid = c.relnamespace
         cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) k
         where n.nspname = 'public' and c.relkind = 'r'
           and (has_table_privilege('hearth_bulk', c.oid, k) <> has_table_privilege('hearth_seed', c.oid, k)
                or (k not in ('select', 'insert') and has_table_privilege('hearth_bulk', c.oid, k)))",
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_deletes_nothing() {
    let wrong = rows(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind = 'r'
           and (has_table_privilege('hearth_app', c.oid, 'delete') or has_table_privilege('hearth_app', c.oid, 'truncate'))",
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bus_reads_what_delivery_needs_and_writes_nothing() {
    let may = rows(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind = 'r' and has_any_column_privilege('hearth_bus', c.oid, 'select')
         order by 1",
    )
    .await;
    let needs = [
        "areas",
        "outbox",
        "outbox_audience",
        "outbox_subjects",
        "person_locks",
        "relay_state",
        "sight",
        "unit_memberships",
        "units",
        "worker_posts",
        "workers",
    ];
    assert_eq!(may, needs);
    let wrong = rows(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind = 'r'
           and (has_any_column_privilege('hearth_bus', c.oid, 'insert') or has_any_column_privilege('hearth_bus', c.oid, 'update')
                or has_table_privilege('hearth_bus', c.oid, 'delete'))
         union all
         -- Of people only who works here and who is first response, of areas only who manages them, of units only whose
         -- they are.
         select c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
         where c.relname in ('workers', 'areas', 'units', 'worker_posts')
           and a.attname not in ('id', 'active', 'service_manager_id', 'area_id', 'service', 'worker_id', 'post', 'started_at', 'ended_at')
           and has_column_privilege('hearth_bus', c.oid, a.attnum, 'select')",
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_appends_events_and_neither_places_them_nor_says_whom_they_are_about() {
    let may = rows(
        "select (t.name || ' ' || p.privilege)::text
         from (values ('outbox'), ('outbox_audience'), ('outbox_subjects')) as t (name),
              (values ('insert'), ('update'), ('select')) as p (privilege)
         where has_any_column_privilege('hearth_app', t.name, p.privilege) order by 1",
    )
    .await;
    assert_eq!(
        may,
        [
            "outbox insert",
            "outbox select",
            "outbox_audience insert",
            "outbox_audience select",
            "outbox_subjects select"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_go_past_the_policies_fix_their_search_path() {
    let wrong = rows(
        "select p.proname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname in ('public', 'hearth') and p.prosecdef
           and not coalesce(p.proconfig::text like '%search_path%', false)",
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

async fn refused(statement: &str) -> String {
    let database = support::database().await;
    // As the seed role, which may write anything: the rule must hold for everybody.
    let client = support::connect("postgres", &database).await;
    client.batch_execute(statement).await.expect_err(statement).as_db_error().unwrap().message().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_units_never_hold_a_case_as_primary_at_one_instant() {
    let message = refused(
        "insert into allocations (id, case_id, child_id, unit_id, kind, started_at, reason_start)
         select gen_random_uuid(), a.case_id, a.child_id, u.id, 'PRIMARY', a.started_at, 'x'
         from allocations a, units u where a.kind = 'PRIMARY' and a.ended_at is null and u.id <> a.unit_id limit 1",
    )
    .await;
    assert!(message.contains("one_primary_allocation"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_never_has_two_active_consultant_social_workers() {
    let message = refused(
        "insert into unit_memberships (id, unit_id, worker_id, role, started_at)
         select gen_random_uuid(), m.unit_id, w.id, 'CONSULTANT_SOCIAL_WORKER', m.started_at
         from unit_memberships m, workers w
         where m.role = 'CONSULTANT_SOCIAL_WORKER' and not m.cover and m.ended_at is null and w.staff_no = 'CH-1' limit 1",
    )
    .await;
    assert!(message.contains("one_consultant_social_worker"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_never_rewritten() {
    for statement in [
        "update allocations set unit_id = (select id from units order by id desc limit 1) where ended_at is null",
        "update allocations set reason_end = 'x' where ended_at is not null",
        "delete from allocations",
        "update unit_memberships set role = 'CLINICIAN' where role = 'UNIT_COORDINATOR'",
        "delete from unit_memberships where ended_at is not null",
        "update case_transfers set handover_summary = 'x'",
    ] {
        let message = refused(statement).await;
        let history = ["is history", "never deleted", "only be answered"].iter().any(|part| message.contains(part));
        assert!(history, "{statement}: {message}");
    }
}
