-- Ambassadors come as a table, too.

alter table directory.import
    drop constraint import_records_check,
    add constraint import_records_check check (records in ('experts', 'organizations', 'people', 'ambassadors'));
