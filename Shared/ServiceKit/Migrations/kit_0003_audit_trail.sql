-- The audit trail: who did what to which record, when. A row is written in the transaction that it reports; the sealer numbers
-- and chains it after the commit.
--
-- The trail is protected from the service itself: the running role can add entries, but neither change, delete nor seal one.
-- The triggers trust no session, not even the owner's: they check the step itself. An entry may be sealed as the next of the
-- chain, with its own hash; the head may move along the chain; entries may be deleted up to a mark that is in the chain.

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
    -- The seal: the place in the chain, the hash of the entry before it, and its own.
    seq bigint unique,
    previous bytea,
    hash bytea,
    check ((seq is null) = (hash is null) and (seq is null) = (previous is null)),
    -- The sealer could not hash an entry that is too long; it would hold back all later ones, and could not be deleted.
    constraint audit_length_check check (
        octet_length(actor) <= 1000 and octet_length(role) <= 100 and octet_length(action) <= 100
        and octet_length(entity) <= 100 and octet_length(subject) <= 1000 and octet_length(commitment) <= 64
        and isfinite(at))
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

-- The beginning of the chain, after the entries that retention deleted: one row.
create table audit_base (
    singleton boolean primary key default true check (singleton),
    seq bigint not null,
    hash bytea not null
);
insert into audit_base (seq, hash) values (0, sha256(''));

-- The keys of the commitments. Erasure deletes a subject's key: its commitments then reveal nothing, and the chain still holds.
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

-- The bytes that the hash of an entry covers: every column that carries meaning, as a JSON array of texts.
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

-- The `subject` of the entry by which retention marks the last entry that it deletes.
create function audit_mark(seq bigint, hash bytea) returns text
language sql immutable as $$
    select seq || ' ' || encode(hash, 'hex')
$$;

-- Chains what was committed, in the order of the feed; returns the number of entries. One session at a time: a second one skips
-- the locked head and returns 0. Only the owner can lock the head's row, so no other role can hold up the sealer.
create function audit_seal(at_most integer) returns integer
language plpgsql security definer as $$
declare
    head audit_head;
    entry audit;
    sealed integer := 0;
begin
    select * into head from audit_head for update skip locked;
    if not found then
        return 0;
    end if;
    for entry in
        select * from audit
        where seq is null and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by xid, id limit greatest(0, least(coalesce(at_most, 0), 10000))
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

-- The migrator grants it to the running role; no other role may seal.
revoke execute on function audit_seal(integer) from public;

-- Deletes what is older than this, a year at least, and leaves its mark in the trail; returns the number of entries. For the
-- owner: the running role may not delete.
create function audit_retire(older_than interval) returns bigint
language plpgsql as $$
declare
    final audit;
    gone bigint;
begin
    select * into final from audit
    where seq <= (select seq from audit_head) and seq < coalesce(
        (select min(seq) from audit where at > now() - greatest(older_than, interval '1 year')),
        (select seq + 1 from audit_head))
    order by seq desc limit 1;
    if not found then
        return 0;
    end if;
    insert into audit (actor, role, action, entity, subject)
    values ('retention', 'none', 'deleted', 'audit', audit_mark(final.seq, final.hash));
    update audit_base set seq = final.seq, hash = final.hash;
    delete from audit where seq <= final.seq;
    get diagnostics gone = row_count;
    return gone;
end $$;

-- The verification of the chain compares the bodies of the three guards with this file: their headers keep this form.
create function audit_guard() returns trigger
language plpgsql as $$
declare
    before_it bytea;
begin
    if tg_op = 'UPDATE' then
        if old.seq is null
            and (new.id, new.xid, new.at, new.actor, new.role, new.action, new.entity, new.subject)
                = (old.id, old.xid, old.at, old.actor, old.role, old.action, old.entity, old.subject)
            and new.version is not distinct from old.version and new.commitment is not distinct from old.commitment
            and new.hash = sha256(new.previous || audit_canonical(new))
        then
            select hash into before_it from audit where seq = new.seq - 1;
            if not found then
                select hash into before_it from audit_base where seq = new.seq - 1;
            end if;
            if before_it = new.previous then
                return new;
            end if;
        end if;
    elsif tg_op = 'DELETE' then
        if old.seq <= (select seq from audit_base) then
            return old;
        end if;
    end if;
    raise exception 'the audit trail is only added to' using errcode = 'insufficient_privilege';
end $$;

create function audit_head_guard() returns trigger
language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.seq > old.seq
        and exists (select from audit where seq = new.seq and hash = new.hash)
    then
        return new;
    end if;
    raise exception 'the head of the audit trail follows the trail' using errcode = 'insufficient_privilege';
end $$;

create function audit_base_guard() returns trigger
language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.seq > old.seq and new.seq <= (select seq from audit_head)
        and exists (select from audit where seq = new.seq and hash = new.hash)
        and not exists (select from audit where seq <= new.seq and at > now() - interval '1 year')
        and exists (
            select from audit
            where entity = 'audit' and subject = audit_mark(new.seq, new.hash) and action = 'deleted')
    then
        return new;
    end if;
    raise exception 'the audit trail begins where retention left its mark' using errcode = 'insufficient_privilege';
end $$;

-- The condition comes before the call, so that an ordinary entry costs no call of the function.
create trigger audit_insert before insert on audit for each row
    when (new.seq is not null or new.previous is not null or new.hash is not null or new.xid <> pg_current_xact_id())
    execute function audit_guard();
create trigger audit_guard before update or delete on audit for each row execute function audit_guard();
create trigger audit_whole before truncate on audit for each statement execute function audit_guard();
create trigger audit_head_guard before insert or update or delete on audit_head
    for each row execute function audit_head_guard();
create trigger audit_head_whole before truncate on audit_head for each statement execute function audit_head_guard();
create trigger audit_base_guard before insert or update or delete on audit_base
    for each row execute function audit_base_guard();
create trigger audit_base_whole before truncate on audit_base for each statement execute function audit_base_guard();

-- In every session, also in one that applies replicated changes (session_replication_role = replica).
alter table audit enable always trigger audit_insert;
alter table audit enable always trigger audit_guard;
alter table audit enable always trigger audit_whole;
alter table audit_head enable always trigger audit_head_guard;
alter table audit_head enable always trigger audit_head_whole;
alter table audit_base enable always trigger audit_base_guard;
alter table audit_base enable always trigger audit_base_whole;

-- Names in these functions mean the objects of this schema, whatever search_path the calling session has set. The functions that
-- they call for a value run under the same path.
do $$
declare
    routine regprocedure;
begin
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = current_schema()::regnamespace
            and proname in ('audit_guard', 'audit_head_guard', 'audit_base_guard', 'audit_seal', 'audit_retire')
    loop
        execute format('alter function %s set search_path = pg_catalog, %I, pg_temp', routine, current_schema());
    end loop;
end $$;
