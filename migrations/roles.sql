-- Run once by an administrator (`hearth migrate --create` does) on the cluster, before the first migration.
-- Every process logs in as the narrowest role that does its work; none of them owns a table.
do $$
declare
    name text;
begin
    foreach name in array array['hearth_owner', 'hearth_app', 'hearth_relay', 'hearth_bus', 'hearth_seed'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I login nosuperuser nocreatedb nocreaterole nobypassrls noreplication', name);
        end if;
    end loop;
    -- Owns the few SECURITY DEFINER functions. Under FORCE a table's owner is bound by the policies too,
    -- so such a function needs a role that is not; nobody can log in as it.
    if not exists (select from pg_roles where rolname = 'hearth_rights') then
        create role hearth_rights nologin nosuperuser nocreatedb nocreaterole bypassrls noreplication;
    end if;
    -- Only so that migrations can hand functions over to it.
    grant hearth_rights to hearth_owner;
    -- Development only: it loads the large seed with COPY, which is refused to a role that the policies bind. It may
    -- what the seed role may. Nothing in production needs it: `drop role hearth_bulk` there.
    if not exists (select from pg_roles where rolname = 'hearth_bulk') then
        create role hearth_bulk login nosuperuser nocreatedb nocreaterole bypassrls noreplication in role hearth_seed;
    end if;
end $$;
