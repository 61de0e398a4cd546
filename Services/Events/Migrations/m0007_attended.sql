-- That somebody came, or did not, is not taken back; so an event of which it is written down keeps its times, as its sessions do,
-- and is not called off: that would take it back just as well.
create function is_attended(of_event uuid) returns boolean language sql stable
    return exists (select from registration where event = of_event and state in ('attended', 'noShow'));

create function refuse_attended() returns trigger language plpgsql as $$
begin
    if is_attended(case tg_table_name when 'event' then new.id else (to_jsonb(new) ->> 'event')::uuid end) then
        raise restrict_violation using
            message = 'who came is written down', constraint = 'event_attended', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger event_attended before update of starts_at, ends_at, state on event
    for each row when (
        new.starts_at <> old.starts_at or new.ends_at <> old.ends_at
            or (new.state = 'cancelled' and old.state <> 'cancelled'))
    execute function refuse_attended();
create trigger session_attended before update of starts_at, ends_at on session
    for each row when (new.starts_at <> old.starts_at or new.ends_at <> old.ends_at)
    execute function refuse_attended();
