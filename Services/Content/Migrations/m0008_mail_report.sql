-- What comes back after a mail was handed over.

-- Messages to the return address of our mails, and what providers report by other means.
create table inbound_message (
    id uuid primary key,
    -- SHA-256 of its bytes: a message that comes again is the same one.
    digest bytea not null constraint inbound_message_once unique check (octet_length(digest) = 32),
    state text not null default 'new' check (state in ('new', 'read', 'unread')),
    source text not null check (source in ('maildir', 'post', 'provider')),
    -- What it was read as.
    kind text check (
        kind in ('bounce', 'delayed', 'delivered', 'complaint', 'departure', 'reply', 'automatic')),
    -- Why it could not be read.
    reason text check (length(reason) <= 500),
    subject text check (length(subject) <= 500),
    writer text check (length(writer) <= 254),
    -- The mail that it is about, and what it was found by.
    mail uuid references outgoing_mail on delete set null,
    found_by text check (found_by in ('returnToken', 'envelopeID', 'messageID', 'recipient')),
    -- Forgotten before the rest.
    bytes bytea,
    -- How often reading it has begun: one on which it fails is left to people.
    attempt smallint not null default 0,
    -- The version of the reader that could not read it: a later one tries again.
    reader_version smallint not null default 0,
    version integer not null default 1,
    received_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint inbound_message_kind_is_read check ((kind is not null) = (state = 'read')),
    constraint inbound_message_reason_is_unread check ((reason is not null) = (state = 'unread'))
);
create index inbound_message_by_state on inbound_message (state, id);
create index inbound_message_by_writer on inbound_message (lower(writer)) where writer is not null;
create index inbound_message_by_mail on inbound_message (mail) where mail is not null;
create index inbound_message_with_bytes on inbound_message (received_at) where bytes is not null;
create index inbound_message_age on inbound_message (received_at);

insert into retention_rule (code, months) values ('inboundMessages', 12);

-- What is known of a mail beside its state: a mail has one report of a kind, however often it comes.
create table mail_report (
    id uuid primary key default gen_random_uuid(),
    mail uuid not null references outgoing_mail on delete cascade,
    kind text not null check (kind in ('bounce', 'complaint', 'departure')),
    -- Of a bounce: whether the address is not written to again.
    is_hard boolean,
    class text,
    status text,
    diagnostic text check (length(diagnostic) <= 2000),
    -- Whether the mail had been accepted: then it is a figure of its own, otherwise the mail has failed.
    was_accepted boolean not null,
    inbound_message uuid references inbound_message on delete set null,
    reported_at timestamptz not null default now(),
    -- When what follows from it was done.
    applied_at timestamptz,
    constraint mail_report_once unique (mail, kind),
    constraint mail_report_hard_is_bounce check ((is_hard is not null) = (kind = 'bounce'))
);
create index mail_report_to_apply on mail_report (reported_at) where applied_at is null;
create index mail_report_by_message on mail_report (inbound_message) where inbound_message is not null;

-- What a server says of an address when it refuses a mail is a report too.
create function report_refusal() returns trigger language plpgsql as $$
begin
    insert into mail_report as kept (mail, kind, is_hard, class, diagnostic, was_accepted)
    values (new.id, 'bounce', new.class = 'addressGone', new.class, new.reply, false)
    on conflict on constraint mail_report_once do update
        set is_hard = excluded.is_hard, class = excluded.class, diagnostic = excluded.diagnostic, was_accepted = false,
            reported_at = now(), applied_at = null;
    return null;
end $$;
create trigger outgoing_mail_refused after update of state on outgoing_mail
    for each row when (new.state = 'failed' and old.state <> 'failed' and new.class in ('addressGone', 'mailboxFull'))
    execute function report_refusal();

-- How many accepted deliveries of an issue came back. Erasure and retention of the deliveries leave the counts.
create table delivery_report_count (
    issue uuid not null references issue on delete cascade,
    audience text not null,
    lane text not null,
    kind text not null check (kind in ('hardBounce', 'softBounce', 'complaint', 'departure')),
    count bigint not null,
    -- How many complaints there were when the issue was paused for them.
    paused_at bigint not null default 0,
    primary key (issue, audience, lane, kind)
);

create function count_report(report mail_report, change integer) returns void language sql
begin atomic
    insert into delivery_report_count as kept (issue, audience, lane, kind, count)
    select mail.issue, mail.audience, mail.lane,
        case
            when report.kind <> 'bounce' then report.kind
            when report.is_hard then 'hardBounce'
            else 'softBounce'
        end, change
    from outgoing_mail mail
    where mail.id = report.mail and mail.issue is not null and report.was_accepted
    on conflict (issue, audience, lane, kind) do update set count = kept.count + excluded.count;
end;

create function count_reports() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        perform count_report(old, -1);
    end if;
    perform count_report(new, 1);
    return null;
end $$;
create trigger mail_report_counted after insert on mail_report for each row execute function count_reports();
create trigger mail_report_counted_again after update of is_hard, was_accepted on mail_report
    for each row when (old.is_hard is distinct from new.is_hard or old.was_accepted <> new.was_accepted)
    execute function count_reports();
