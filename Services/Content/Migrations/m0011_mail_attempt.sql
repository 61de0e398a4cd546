-- Each try to hand over a mail, but the one that was accepted: the mail's own row tells of that, so that most mails have
-- no row here.
create table mail_attempt (
    mail uuid not null references outgoing_mail on delete cascade,
    id bigint not null generated always as identity,
    -- Counted from 1. A try that did not count has the number of the next one.
    attempt integer not null,
    -- What the mail became.
    state text not null check (state in ('pending', 'failed', 'uncertain')),
    class text,
    reply text,
    at timestamptz not null default now(),
    primary key (mail, id)
);

create function record_attempt() returns trigger language plpgsql as $$
begin
    insert into mail_attempt (mail, attempt, state, class, reply)
    values (
        new.id, case when old.state = 'sending' then old.attempt else old.attempt + 1 end, new.state, new.class,
        new.reply);
    return null;
end $$;

-- The sender that held it lets go of it, with a state. What was only claimed is let go of without one.
create trigger outgoing_mail_tried after update of state on outgoing_mail
    for each row when (
        new.sender is null and old.sender is not null and new.state in ('pending', 'failed', 'uncertain'))
    execute function record_attempt();
