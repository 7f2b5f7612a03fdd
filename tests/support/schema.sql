-- Prints src/db/schema.rs from a migrated database, so that the committed file can be compared with it.
with wanted as (
    select c.oid, c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' and c.relname <> '__diesel_schema_migrations'
), columns as (
    select w.relname, a.attnum, a.attname, a.attnotnull,
        case t.typname
            when 'uuid' then 'Uuid' when 'text' then 'Text' when 'int4' then 'Integer' when 'int8' then 'BigInt'
            when 'bool' then 'Bool' when 'date' then 'Date' when 'timestamptz' then 'Timestamptz'
            when 'jsonb' then 'Jsonb' when 'bytea' then 'Bytea' when 'numeric' then 'Numeric'
            when '_text' then 'Array<Text>' when '_uuid' then 'Array<Uuid>' else 'UNKNOWN_' || t.typname end as type
    from wanted w join pg_attribute a on a.attrelid = w.oid join pg_type t on t.oid = a.atttypid
    where a.attnum > 0 and not a.attisdropped
), keys as (
    select w.relname, string_agg(a.attname, ', ' order by k.place) as columns
    from wanted w join pg_constraint p on p.conrelid = w.oid and p.contype = 'p'
    cross join unnest(p.conkey) with ordinality as k (attnum, place)
    join pg_attribute a on a.attrelid = w.oid and a.attnum = k.attnum
    group by w.relname
), tables as (
    select c.relname, format(E'diesel::table! {\n    %s (%s) {\n%s\n    }\n}\n', c.relname, k.columns,
        string_agg(
            case when c.attname in ('type', 'where') then format(E'        #[sql_name = "%s"]\n', c.attname) else '' end
            || format('        %s -> %s,', case when c.attname in ('type', 'where') then c.attname || '_' else c.attname end,
                case when c.attnotnull then c.type else 'Nullable<' || c.type || '>' end),
            E'\n' order by c.attnum)) as text
    from columns c join keys k on k.relname = c.relname group by c.relname, k.columns
)
-- Only where two tables have exactly one foreign key of one column between them is a join unambiguous.
, joins as (
    select string_agg(line, E'\n' order by line) as text from (
        select format('diesel::joinable!(%s -> %s (%s));', f.relname, t.relname, min(a.attname)) as line
        from pg_constraint k
        join wanted f on f.oid = k.conrelid join wanted t on t.oid = k.confrelid
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
        join pg_constraint p on p.conrelid = t.oid and p.contype = 'p' and p.conkey = k.confkey
        where k.contype = 'f' and cardinality(k.conkey) = 1 and f.oid <> t.oid
        group by f.relname, t.relname having count(*) = 1
    ) as lines
)
select E'// Generated from a migrated database; a test compares it. To renew: HEARTH_TEST_BLESS=1 script/test schema\n\n'
    || string_agg(text, E'\n' order by relname)
    || E'\n' || (select text from joins)
    || E'\n\ndiesel::allow_tables_to_appear_in_same_query!(\n' || string_agg('    ' || relname || ',', E'\n' order by relname) || E'\n);\n'
from tables
