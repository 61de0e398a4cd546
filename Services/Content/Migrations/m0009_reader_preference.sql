-- What readers want, by the links in their mails.

-- What a reader wants of what they agreed to get. It holds for an address: a link shows that its user reads the mails to
-- one, and nothing else.
create table reader_preference (
    id uuid primary key,
    email text not null constraint reader_preference_once unique check (email = lower(email)),
    -- Null: all, and those to come.
    kinds text[] constraint reader_preference_kinds_check check (
        cardinality(kinds) > 0 and kinds <@ array['corporate', 'product', 'technical', 'marketing', 'commercial']),
    rhythm text not null check (rhythm in ('everyIssue', 'monthly')),
    -- The first day on which an issue is sent again.
    paused_until date,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index reader_preference_age on reader_preference (updated_at);

-- Readers who came back to what they had left, for the directory's ledger. The suppression is gone by then.
create table consent_return (
    id uuid primary key,
    email text not null check (email = lower(email)),
    purpose text not null check (purpose in ('flashInfo', 'eventInvitations')),
    left_at timestamptz not null,
    returned_at timestamptz not null default now(),
    constraint consent_return_after check (returned_at >= left_at)
);
create index consent_return_by_address on consent_return (email);
create index consent_return_age on consent_return (returned_at);

-- A preference is kept as long as a link of a mail is valid, and as long as there are mails to its address.
insert into retention_rule (code, months) values ('readerPreferences', 36), ('consentReturns', 36);

-- Issues that are not sent to a reader because they want it so, or only in part.
alter table delivery
    -- The kinds of items that it shows; null: all.
    add column kinds text[] constraint delivery_kinds_check check (cardinality(kinds) > 0);
alter table outgoing_mail drop constraint outgoing_mail_state_check;
alter table outgoing_mail
    add constraint outgoing_mail_state_check check (
        state in (
            'pending', 'sending', 'sent', 'failed', 'uncertain', 'suppressed', 'cancelled', 'expired', 'skipped')),
    add constraint outgoing_mail_skipped_check check (state <> 'skipped' or issue is not null);
