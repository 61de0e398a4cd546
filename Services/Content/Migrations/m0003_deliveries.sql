-- One mail to one address for one issue, and the addresses that must not be mailed.
create table suppression (
    id uuid primary key,
    email text not null constraint suppression_once unique check (email = lower(email)),
    reason text not null check (reason in ('unsubscribed', 'bounced', 'complaint', 'manual')),
    created_at timestamptz not null default now()
);

create table delivery (
    id uuid primary key,
    issue uuid not null,
    audience text not null,
    email text not null,
    name text,
    state text not null default 'pending' check (
        state in ('pending', 'sending', 'sent', 'failed', 'uncertain', 'suppressed', 'cancelled')),
    attempts integer not null default 0,
    reply text,
    -- Who has it in hand, and until when; a sender that is late finds another token here and changes nothing.
    claim uuid,
    claimed_until timestamptz,
    next_try_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (issue, audience) references edition (issue, audience) on delete cascade,
    constraint delivery_sending_is_claimed check (state <> 'sending' or claim is not null)
);
-- Nobody gets an issue twice, however often the audience is asked for or whatever roles a person has.
create unique index delivery_once on delivery (issue, lower(email));
create index delivery_due on delivery (issue, audience, next_try_at, id) where state = 'pending';
create index delivery_in_hand on delivery (issue, audience, claimed_until) where state = 'sending';
create index delivery_by_address on delivery (issue, email);
create index delivery_by_state on delivery (issue, state, email);
