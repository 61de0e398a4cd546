-- Who must not be mailed.

-- Addresses that are not mailed, whatever the audience.
create table suppression (
    id uuid primary key,
    email text not null constraint suppression_once unique check (email = lower(email)),
    reason text not null check (reason in ('unsubscribed', 'bounced', 'complaint', 'manual')),
    -- When the link in a mail was last used, even if the address is suppressed for another reason. A newer consent
    -- removes a suppression that has no other reason.
    unsubscribed_at timestamptz,
    created_at timestamptz not null default now()
);

-- Readers who were erased: mail to them that is still on its way is refused.
create table erased_reader (
    id uuid primary key,
    created_at timestamptz not null default now()
);

-- Hashes of erased people's addresses, which are never mailed again. The key is in this table and not in a file,
-- because with a different key the mails would silently be sent again.
create table erased_address (
    hash bytea primary key,
    created_at timestamptz not null default now()
);

create table erased_address_key (
    singleton boolean primary key default true check (singleton),
    key bytea not null
);
insert into erased_address_key (key)
values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- Two rounds under the key, as in HMAC (RFC 2104).
create function address_hash(email text) returns bytea language sql stable
    return (select sha256(key || sha256(key || convert_to(lower(address_hash.email), 'UTF8'))) from erased_address_key);
