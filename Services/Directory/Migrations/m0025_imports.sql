-- Ambassadors come as a table, too.

alter table directory.import
    drop constraint import_records_check,
    add constraint import_records_check check (records in ('experts', 'organizations', 'people', 'ambassadors'));

-- Imports of one kind of record, which may be few among many.
create index import_records_idx on directory.import (records, created_at desc, id desc);
