-- Letters of the other services: invitations and tickets with files, reminders that have their time.
alter table letter drop constraint letter_purpose_check;
alter table letter
    add constraint letter_purpose_check check (
        purpose in (
            'confirmation', 'selfService', 'contribution', 'receipt', 'invitation', 'reminder', 'ticket', 'minutes',
            'approval', 'chaser', 'notice')),
    add column reply_to text check (length(reply_to) <= 254),
    -- What the reader agreed to get; a suppression for this purpose holds.
    add column consent text check (consent in ('eventInvitations')),
    add column not_before timestamptz,
    add column expires_at timestamptz,
    add constraint letter_expires_after check (expires_at > not_before);

alter table outgoing_mail drop constraint outgoing_mail_state_check;
alter table outgoing_mail
    add constraint outgoing_mail_state_check check (
        state in ('pending', 'sending', 'sent', 'failed', 'uncertain', 'suppressed', 'cancelled', 'expired')),
    -- Only letters expire: a delivery that was not accepted within its time has failed.
    add constraint outgoing_mail_expired_check check (state <> 'expired' or issue is null);

-- The files of a letter, until it has ended.
create table letter_attachment (
    letter uuid not null references letter on delete cascade,
    position smallint not null check (position between 1 and 3),
    type text not null check (type in ('text/calendar', 'application/pdf', 'image/png', 'image/jpeg')),
    file_name text not null check (length(file_name) between 1 and 200),
    -- What a calendar does with it.
    method text check (method in ('PUBLISH', 'REQUEST', 'CANCEL')),
    bytes bytea not null check (octet_length(bytes) between 1 and 524288),
    primary key (letter, position),
    constraint letter_attachment_calendar_has_method check ((method is null) = (type <> 'text/calendar'))
);
-- They are compressed already.
alter table letter_attachment alter column bytes set storage external;

-- What a letter had for its reader ends with it: a link can grant as much as a password does, and files are not kept.
-- Who asked for it learns of the end by the feed: the statements that end letters end many at once, of many askers, so
-- the change is recorded here, as Journal does. A cancellation has someone who asked for it, and is recorded there.
drop trigger letter_ended on outgoing_mail;
drop function forget_link;
create function end_letter() returns trigger language plpgsql as $$
begin
    update letter set action_url = null where id = new.id and action_url is not null;
    delete from letter_attachment where letter = new.id;
    if new.state <> 'cancelled' then
        insert into change (entity, subject, action) values ('letter', new.id::text, 'changed');
        insert into audit (actor, role, action, entity, subject)
        values ('content', 'service', 'changed', 'letter', new.id::text);
        perform pg_notify(current_schema() || '_change', '')
        where pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' change', 0));
    end if;
    return null;
end $$;
create trigger letter_ended after update of state on outgoing_mail
    for each row when (
        new.issue is null and old.state in ('pending', 'sending') and new.state not in ('pending', 'sending'))
    execute function end_letter();

-- An address may be suppressed for everything, and for each purpose that its reader left.
alter table suppression drop constraint suppression_once;
alter table suppression add column purpose text check (purpose in ('flashInfo', 'eventInvitations'));
insert into suppression (id, email, reason, purpose, unsubscribed_at, created_at)
select gen_random_uuid(), email, 'unsubscribed', 'flashInfo', unsubscribed_at, unsubscribed_at
from suppression where reason <> 'unsubscribed' and unsubscribed_at is not null;
update suppression set purpose = 'flashInfo', unsubscribed_at = coalesce(unsubscribed_at, created_at)
where reason = 'unsubscribed' and purpose is null;
update suppression set unsubscribed_at = null where purpose is null;
alter table suppression
    add constraint suppression_once unique nulls not distinct (email, purpose),
    add constraint suppression_purpose_is_left check (
        (purpose is not null) = (reason = 'unsubscribed') and (purpose is not null) = (unsubscribed_at is not null));
