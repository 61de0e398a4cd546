-- What changes while a mail is handed over, apart from what stays: deliveries and letters have many indexes, and a row
-- that is written three times should have few.
--
-- It is the root: deleting it deletes its delivery or letter.
create table outgoing_mail (
    -- Also of the delivery or the letter.
    id uuid primary key,
    -- Of a delivery; a letter has neither.
    issue uuid,
    audience text,
    -- The mailbox provider whose limits apply.
    lane text not null,
    -- Lower goes first: 0 what its reader waits for, 3 the Flash info.
    priority smallint not null check (priority between 0 and 3),
    state text not null check (
        state in ('pending', 'sending', 'sent', 'failed', 'uncertain', 'suppressed', 'cancelled')),
    -- How many times it has been handed over.
    attempt integer not null default 0,
    -- While it is pending: when it may be claimed; never while a sender holds it.
    due_at timestamptz not null default now(),
    -- It fails if it has not been accepted by then.
    deadline timestamptz not null,
    -- The process that holds it.
    sender uuid,
    -- The class of the last reply, and the reply.
    class text,
    reply text,
    updated_at timestamptz not null default now(),
    constraint outgoing_mail_audience_check check ((issue is null) = (audience is null)),
    constraint outgoing_mail_sending_is_held check (state <> 'sending' or sender is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

insert into outgoing_mail (
    id, issue, audience, lane, priority, state, attempt, due_at, deadline, class, reply, updated_at)
select id, issue, audience, 'other', 3, case when state = 'sending' then 'uncertain' else state end, attempt,
    least(due_at, now()), now() + interval '72 hours', null, reply, updated_at
from delivery;
insert into outgoing_mail (id, lane, priority, state, attempt, due_at, deadline, reply, updated_at)
select id, 'other', case when purpose in ('selfService', 'confirmation', 'receipt') then 0 else 1 end,
    case when state = 'sending' then 'uncertain' else state end, attempt, least(due_at, now()),
    now() + interval '72 hours', reply, updated_at
from letter;

-- What may be claimed.
create index outgoing_mail_due on outgoing_mail (issue, lane, due_at)
    where state = 'pending' and issue is not null;
create index outgoing_mail_letter_due on outgoing_mail (lane, priority, due_at)
    where state = 'pending' and issue is null;
-- What a sender holds, in case that it is lost.
create index outgoing_mail_held on outgoing_mail (sender) where sender is not null;
-- Who has not got an issue.
create index outgoing_mail_missed on outgoing_mail (issue, id) where issue is not null and state <> 'sent';
-- Why deliveries failed.
create index outgoing_mail_failed on outgoing_mail (issue, class) where issue is not null and state = 'failed';
-- Letters by state, and what has ended long ago.
create index outgoing_mail_letter_state on outgoing_mail (state, id desc) where issue is null;
create index outgoing_mail_letter_age on outgoing_mail (updated_at) where issue is null;
-- What has passed its deadline.
create index outgoing_mail_late on outgoing_mail (deadline) where state = 'pending';

-- How many deliveries of an issue are in each state, so that nobody has to count them. Deliveries that were deleted by
-- erasure and retention stay in the counts; one that had not ended counts as cancelled: it will not be sent.
--
-- In several parts, added up by the reader, so that senders do not wait for each other's commits.
create table delivery_count (
    issue uuid not null references issue on delete cascade,
    audience text not null,
    lane text not null,
    state text not null,
    part smallint not null,
    count bigint not null,
    primary key (issue, audience, lane, state, part)
) with (fillfactor = 50);

insert into delivery_count (issue, audience, lane, state, part, count)
select issue, audience, 'other', state, 0, sum(count) from (
    select issue, audience, state, count(*) from outgoing_mail where issue is not null group by issue, audience, state
    union all
    select issue, audience, state, count from delivery_past
) as counted group by issue, audience, state;

create function count_deliveries() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into delivery_count as kept (issue, audience, lane, state, part, count)
        select issue, audience, lane, state, pg_backend_pid() % 16, count(*) from added where issue is not null
        group by issue, audience, lane, state order by issue, audience, lane, state
        on conflict (issue, audience, lane, state, part) do update set count = kept.count + excluded.count;
    elsif tg_op = 'UPDATE' then
        insert into delivery_count as kept (issue, audience, lane, state, part, count)
        select issue, audience, lane, state, pg_backend_pid() % 16, sum(change) from (
            select issue, audience, lane, state, 1 as change from added where issue is not null
            union all
            select issue, audience, lane, state, -1 from removed where issue is not null) as moved
        group by issue, audience, lane, state having sum(change) <> 0 order by issue, audience, lane, state
        on conflict (issue, audience, lane, state, part) do update set count = kept.count + excluded.count;
    else
        insert into delivery_count as kept (issue, audience, lane, state, part, count)
        select issue, audience, lane, state, pg_backend_pid() % 16, sum(change) from (
            select issue, audience, lane, 'cancelled' as state, 1 as change from removed
            where state in ('pending', 'sending') and issue is not null
            union all
            select issue, audience, lane, state, -1 from removed
            where state in ('pending', 'sending') and issue is not null) as moved
        group by issue, audience, lane, state order by issue, audience, lane, state
        on conflict (issue, audience, lane, state, part) do update set count = kept.count + excluded.count;
    end if;
    return null;
end $$;

create trigger delivery_count_added after insert on outgoing_mail
    referencing new table as added for each statement execute function count_deliveries();
create trigger delivery_count_moved after update on outgoing_mail
    referencing old table as removed new table as added for each statement execute function count_deliveries();
create trigger delivery_count_removed after delete on outgoing_mail
    referencing old table as removed for each statement execute function count_deliveries();

drop trigger delivery_past on delivery;
drop function count_past_deliveries;
drop table delivery_past;

alter table delivery add column created_at timestamptz;
update delivery set created_at = updated_at;
alter table delivery drop constraint delivery_sending_is_leased;
alter table delivery
    alter column created_at set not null,
    alter column created_at set default now(),
    drop column state, drop column attempt, drop column reply, drop column due_at, drop column lease_token,
    drop column updated_at,
    add constraint delivery_mail foreign key (id) references outgoing_mail on delete cascade;

drop trigger letter_ended on letter;
drop function forget_link;
alter table letter drop constraint letter_sending_is_leased;
alter table letter
    drop column state, drop column attempt, drop column reply, drop column due_at, drop column lease_token,
    drop column updated_at,
    add constraint letter_mail foreign key (id) references outgoing_mail on delete cascade;

-- A link can grant as much as a password does: it is deleted once the letter has ended.
create function forget_link() returns trigger
    language plpgsql as $$
begin
    update letter set action_url = null where id = new.id and action_url is not null;
    return null;
end $$;
create trigger letter_ended after update of state on outgoing_mail
    for each row when (new.issue is null and new.state not in ('pending', 'sending')) execute function forget_link();

-- A process that sends mail, until it no longer says so.
create table mail_sender (
    id uuid primary key,
    started_at timestamptz not null default now(),
    expires_at timestamptz not null
) with (fillfactor = 50);

-- Its connections to mail servers, each for the mails of one lane.
create table mail_connection (
    id uuid primary key,
    sender uuid not null references mail_sender on delete cascade,
    lane text not null,
    opened_at timestamptz not null default now()
);
create index mail_connection_by_lane on mail_connection (lane);
create index mail_connection_by_sender on mail_connection (sender);

-- A mailbox provider's queue, or that of a domain that stalls or defers.
create table mail_lane (
    code text primary key check (length(code) between 1 and 300),
    state text not null default 'open' check (state in ('open', 'slowed', 'closed', 'paused')),
    -- The share of the provider's limits that is used: halved when it asks us to slow down.
    share real not null default 1 check (share > 0 and share <= 1),
    -- How long nothing is sent, and until when; doubled each time.
    wait_seconds integer not null default 0 check (wait_seconds between 0 and 3600),
    wait_until timestamptz,
    -- How often in a row it refused us as a sender.
    refusals integer not null default 0,
    reason text,
    -- What was claimed in this minute and on this day, for the provider's limits.
    minute timestamptz not null default '-infinity',
    minute_claimed integer not null default 0,
    day date not null default '-infinity',
    day_claimed integer not null default 0,
    version integer not null default 1,
    updated_at timestamptz not null default now()
);

-- Senders look for what is due in the order of an index. A planner that does not know how much was just written takes it
-- for little, and reads and sorts everything that waits for each of them.
create function content.renew_estimates() returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    analyze (skip_locked) content.outgoing_mail, content.delivery;
end $$;

-- Issues that are scheduled, or paused with a reason.
alter table issue drop constraint issue_state_check;
alter table issue
    add constraint issue_state_check check (
        state in ('draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled')),
    add column scheduled_for timestamptz,
    add column frozen_at timestamptz,
    add column hold_reason text check (length(hold_reason) <= 500),
    -- How many deliveries had ended when the share of addresses that do not exist was last looked at.
    add column checked_ended bigint not null default 0,
    add column checked_hard bigint not null default 0,
    add constraint issue_scheduled_has_time check (state <> 'scheduled' or scheduled_for is not null);
update issue set frozen_at = updated_at
where state = 'sent' or state = 'sending' and not exists (
    select from edition where edition.issue = issue.id and not resolved);
-- What was asking for readers goes on as a job of the new kind; what was sending is left to the senders.
delete from job where kind in ('edition.resolve', 'edition.send', 'letter.send');
insert into job (kind, payload, unique_key, maximum_attempts)
select 'issue.freeze', jsonb_build_object('issue', id), id::text, 600 from issue
where state = 'sending' and frozen_at is null;
create index issue_sending on issue (number) where state = 'sending' and frozen_at is not null;
create index issue_held on issue (id) where state in ('paused', 'draft') and hold_reason is not null;
create index issue_ended on issue (updated_at) where state in ('sent', 'cancelled');

-- Published means: on its way or sent.
create or replace function check_resource_published() returns trigger language plpgsql as $$
begin
    if exists (
        select from issue_item join issue on issue.id = issue_item.issue
        where issue_item.resource = new.id and issue.state in ('sending', 'paused', 'sent'))
    then
        raise check_violation using
            message = 'an issue has published it', constraint = 'resource_published', table = tg_table_name;
    end if;
    return new;
end $$;
drop trigger issue_open on issue;
create trigger issue_open before update of state on issue
    for each row when (new.state = 'sending' and old.state in ('draft', 'scheduled'))
    execute function check_issue_open();
