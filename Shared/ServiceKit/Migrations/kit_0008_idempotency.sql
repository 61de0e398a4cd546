-- Whose key a row is: not the actor's alone any more, but a keyed digest of actor, role, organization and, of callers without a
-- token, address. It stands in the same column, so that the version that is running while this one starts goes on as before;
-- rows of either are not found by the other, and are gone a day later.
comment on column idempotency.subject is
    'HMAC-SHA256, in hexadecimal digits, of what the key belongs to: actor, role, organization, service, address of strangers';
