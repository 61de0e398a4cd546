-- Calls and receipts as files, kept as they were first given out; what a receipt says of its organization.

-- Receipts that were issued before have neither, and show none.
alter table directory.receipt
    add column street text,
    add column siren text;

create table directory.contribution_document (
    contribution uuid not null references directory.contribution,
    kind text not null check (kind in ('call', 'receipt')),
    pdf bytea not null,
    created_at timestamptz not null default now(),
    primary key (contribution, kind)
);

create function directory.refuse_document_change() returns trigger
    language plpgsql as $$
begin
    raise restrict_violation using
        message = 'documents are never changed', constraint = 'contribution_document_final', table = tg_table_name;
end $$;

create trigger contribution_document_final before update or delete on directory.contribution_document
    for each row execute function directory.refuse_document_change();
