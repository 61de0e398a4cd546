-- Who did what to which thing, when. A row comes with the transaction it tells of; the sealer numbers and chains it after.
create table audit (
    id bigint generated always as identity primary key,
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default now(),
    actor text not null,
    role text not null,
    action text not null,
    entity text not null,
    subject text not null,
    version integer,
    -- HMAC-SHA256 of the values under the key of the subject.
    commitment bytea,
    seq bigint unique,
    previous bytea,
    hash bytea,
    check ((seq is null) = (hash is null) and (seq is null) = (previous is null))
);

create index audit_unsealed on audit (xid, id) where seq is null;
create index audit_subject on audit (entity, subject, id);

-- The end of the chain: one row.
create table audit_head (
    singleton boolean primary key default true check (singleton),
    seq bigint not null,
    hash bytea not null,
    sealed_at timestamptz not null default now()
);
insert into audit_head (seq, hash) values (0, sha256(''));

-- The keys of the commitments. Without its key a commitment says nothing any more, and the chain still holds.
create table audit_key (
    entity text not null,
    subject text not null,
    -- The inner and the outer pad of HMAC (RFC 2104), 64 bytes each: the key, ready for sha256().
    pads bytea not null check (length(pads) = 128),
    primary key (entity, subject)
);

-- HMAC-SHA256 of a message under the subject's key; `fresh` becomes the key of a subject that has none.
create function audit_commitment(of_entity text, of_subject text, fresh bytea, message bytea) returns bytea
language plpgsql as $$
declare
    found_pads bytea;
begin
    select pads into found_pads from audit_key where entity = of_entity and subject = of_subject;
    if found_pads is null then
        insert into audit_key (entity, subject, pads) values (of_entity, of_subject, fresh)
        on conflict do nothing;
        -- Another transaction may have been first: a new statement sees its key.
        select pads into strict found_pads from audit_key where entity = of_entity and subject = of_subject;
    end if;
    return sha256(substr(found_pads, 65) || sha256(substr(found_pads, 1, 64) || message));
end $$;

-- The bytes of a row that its hash is of: every column that means something, as a JSON array of texts.
create function audit_canonical(entry audit) returns bytea
language sql stable as $$
    select convert_to(
        jsonb_build_array(
            entry.seq::text, entry.id::text, entry.xid::text,
            (extract(epoch from entry.at) * 1000000)::bigint::text,
            entry.actor, entry.role, entry.action, entry.entity, entry.subject, entry.version::text,
            encode(entry.commitment, 'hex'))::text,
        'UTF8')
$$;

-- Chains what was committed, in the order of the feed; gives the number of rows. One at a time: whoever comes second gives 0.
create function audit_seal(at_most integer) returns integer
language plpgsql as $$
declare
    head audit_head;
    entry audit;
    sealed integer := 0;
begin
    if not pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' audit_seal', 0)) then
        return 0;
    end if;
    select * into strict head from audit_head for update;
    for entry in
        select * from audit
        where seq is null and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by xid, id limit at_most
    loop
        entry.seq := head.seq + 1;
        entry.previous := head.hash;
        entry.hash := sha256(entry.previous || audit_canonical(entry));
        update audit set seq = entry.seq, previous = entry.previous, hash = entry.hash where id = entry.id;
        head.seq := entry.seq;
        head.hash := entry.hash;
        sealed := sealed + 1;
    end loop;
    if sealed > 0 then
        update audit_head set seq = head.seq, hash = head.hash, sealed_at = clock_timestamp();
    end if;
    return sealed;
end $$;
