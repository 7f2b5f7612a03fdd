-- A function in SQL that cannot be inlined is planned anew by every statement that calls it: 0.3 ms for a count of a few
-- rows. plpgsql keeps the plan with the connection. What the functions say, who owns them and who may call them stays.
do $$
declare
    one record;
begin
    for one in select p.oid::regprocedure as signature, p.proname, p.prosrc, p.proretset,
                      pg_get_function_arguments(p.oid) as arguments, pg_get_function_result(p.oid) as result
               from pg_proc p
               where p.pronamespace = 'hearth'::regnamespace and p.prosecdef
                 and p.prolang = (select l.oid from pg_language l where l.lanname = 'sql') loop
        execute format(
            'create or replace function hearth.%I(%s) returns %s
                 language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as %L',
            one.proname, one.arguments, one.result,
            E'\n#variable_conflict use_column\nbegin\n    return '
                || case when one.proretset then 'query' || one.prosrc else '(' || one.prosrc || ')' end
                || E';\nend ');
    end loop;
end $$;
