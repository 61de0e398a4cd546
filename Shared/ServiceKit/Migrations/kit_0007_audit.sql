-- The audit trail against the service itself: whoever writes rows can neither change one, nor take one away, nor seal it.
--
-- The triggers trust nobody, the owner's sessions included: they check the step itself. A row may be sealed as the next of the
-- chain, with the hash that it has; the head may move along the chain; rows may go up to a mark that stands in the chain.

-- Where the chain begins: after what retention took away. One row.
create table audit_base (
    singleton boolean primary key default true check (singleton),
    seq bigint not null,
    hash bytea not null
);
insert into audit_base (seq, hash) values (0, sha256(''));

-- What the trail says of rows that go: `subject` of the entry by which retention leaves its mark.
create function audit_mark(seq bigint, hash bytea) returns text
language sql immutable as $$
    select seq || ' ' || encode(hash, 'hex')
$$;

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

-- What is wrong is asked before the function is called: a row as the journal writes it costs nothing.
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

-- In every session, also in those that replay somebody else's changes.
alter table audit enable always trigger audit_insert;
alter table audit enable always trigger audit_guard;
alter table audit enable always trigger audit_whole;
alter table audit_head enable always trigger audit_head_guard;
alter table audit_head enable always trigger audit_head_whole;
alter table audit_base enable always trigger audit_base_guard;
alter table audit_base enable always trigger audit_base_whole;

-- Chains what was committed, in the order of the feed; gives the number of rows. One at a time: whoever comes second gives 0.
-- The lock is that of the head's row, which nobody but the owner can take.
create or replace function audit_seal(at_most integer) returns integer
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

-- Takes away what is older than this, a year at least, and leaves its mark in the trail; gives the number of rows. For the
-- owner: the role of the running service may not delete.
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

-- The running role is granted it by the migrations; nobody else is.
revoke execute on function audit_seal(integer) from public;

-- What these functions mean by a name is what stands here, whatever the session that calls them looks through first. Those
-- that they call for a value are called under the same path, and are written into them.
do $$
declare
    routine regprocedure;
begin
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = current_schema()::regnamespace and proname in ('audit_guard', 'audit_head_guard', 'audit_base_guard', 'audit_seal', 'audit_retire')
    loop
        execute format('alter function %s set search_path = pg_catalog, %I, pg_temp', routine, current_schema());
    end loop;
end $$;
