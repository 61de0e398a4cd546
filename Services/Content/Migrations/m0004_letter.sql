-- One mail to one address about the reader's own affairs, requested by another service or by staff.
create table letter (
    id uuid primary key,
    -- The requester's own key for the letter: requested twice, it is sent once.
    key text not null constraint letter_key_once unique check (length(key) between 1 and 200),
    purpose text not null check (purpose in ('confirmation', 'selfService', 'contribution', 'receipt', 'notice')),
    email text not null check (length(email) <= 254),
    name text check (length(name) between 1 and 200),
    -- Whose address it was when the letter was requested; as with deliveries.
    reader_entity text check (reader_entity in ('person', 'expert')),
    reader uuid,
    subject text not null check (length(subject) between 1 and 200),
    paragraphs text[] not null constraint letter_paragraphs_check check (cardinality(paragraphs) between 1 and 20),
    action_label text,
    action_url text,
    state text not null default 'pending' check (
        state in ('pending', 'sending', 'sent', 'failed', 'uncertain', 'suppressed')),
    attempt integer not null default 0,
    reply text,
    -- As with deliveries.
    due_at timestamptz not null default now(),
    lease_token uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint letter_reader_whole check ((reader_entity is null) = (reader is null)),
    constraint letter_action_check check (action_url is null or action_label is not null),
    constraint letter_sending_is_leased check (state <> 'sending' or lease_token is not null)
);
create index letter_due on letter (due_at, id) where state = 'pending';
create index letter_leased on letter (due_at) where state = 'sending';
create index letter_newest on letter (id desc);
create index letter_by_state on letter (state, id desc);
create index letter_by_purpose on letter (purpose, id desc);
create index letter_by_address on letter (lower(email), id desc);
create index letter_by_reader on letter (reader) where reader is not null;
create index letter_by_age on letter (updated_at);

insert into retention_rule (code, months) values ('letters', 24);

-- A link can grant as much as a password does: it is deleted once the letter has ended.
create function forget_link() returns trigger
    language plpgsql as $$
begin
    new.action_url = null;
    return new;
end $$;

create trigger letter_ended before update of state on letter
    for each row when (new.state not in ('pending', 'sending')) execute function forget_link();
