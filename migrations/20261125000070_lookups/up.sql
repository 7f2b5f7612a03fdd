-- An exclusion constraint keeps periods from overlapping; it is no way to find rows. The planner takes its GiST index for
-- one anyway (`worker_id = ...` on an index that begins with the unit reads all of it), and who belongs to a unit is
-- asked at every request. As partial indexes, with a condition that always holds and that no query states, they do
-- their work for writers only.
do $$
declare
    one record;
    definition text;
begin
    for one in select conrelid::regclass as tables, conname, pg_get_constraintdef(oid) as definition
               from pg_constraint where contype = 'x' and connamespace = 'public'::regnamespace loop
        definition := case
            when one.definition ~ ' WHERE \(' then regexp_replace(one.definition, ' WHERE \((.*)\)$', ' WHERE (\1 and id is not null)')
            else one.definition || ' WHERE (id is not null)'
        end;
        execute format('alter table %s drop constraint %I', one.tables, one.conname);
        execute format('alter table %s add constraint %I %s', one.tables, one.conname, definition);
    end loop;
end $$;
-- The only one that was found by such an index alone.
create index on relationships (person_id);
