-- Who closes a case that is no longer needed says that the child can live at home safely without a social worker.
alter table cases
    add column safe_at_home text check (safe_at_home <> ''),
    add constraint stated_when_closed check (safe_at_home is null or closure_reason in ('RC3', 'RC4', 'RC7'));
