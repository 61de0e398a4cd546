-- The answers to requests with an Idempotency-Key, kept for a day.
create table idempotency (
    -- A keyed digest and not the actor's name: keys of callers without a token are told apart by address, which is not kept.
    subject text not null,
    operation text not null,
    key text not null,
    request_hash bytea not null,
    status integer not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null default now(),
    primary key (subject, operation, key)
);
comment on column idempotency.subject is
    'HMAC-SHA256, in hexadecimal digits, of what the key belongs to: actor, role, organization, service, address of strangers';

create index idempotency_created_at on idempotency (created_at);
