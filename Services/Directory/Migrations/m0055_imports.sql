-- Whom the rows of one file are about, and who is not to be shown.

-- Whether an earlier row of an import was about a record.
create index import_row_record_idx on directory.import_row (record, import) where record is not null;

-- Few are: their names are looked for when a file brings new ones.
create index organization_hidden_idx on directory.organization (directory.name_key(name)) where not public_directory;
