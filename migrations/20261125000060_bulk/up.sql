-- Statistics after a load: only a table's owner may renew them, and the planner must not guess from an empty table.
create function hearth.refresh_statistics() returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    name text;
begin
    for name in select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'public' and c.relkind = 'r' loop
        execute 'analyze ' || name;
    end loop;
end $$;
revoke execute on function hearth.refresh_statistics() from public;
grant execute on function hearth.refresh_statistics() to hearth_seed;
