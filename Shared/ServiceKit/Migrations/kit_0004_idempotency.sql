-- The answers to requests with an Idempotency-Key, kept for a day.
create table idempotency (
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

create index idempotency_created_at on idempotency (created_at);
