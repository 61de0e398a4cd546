-- What an issue has published is not put under an embargo afterwards, and an issue goes out without what has come under one since.
create function check_resource_published() returns trigger language plpgsql as $$
begin
    if exists (
        select from issue_item join issue on issue.id = issue_item.issue
        where issue_item.resource = new.id and issue.state in ('sending', 'sent'))
    then
        raise check_violation using
            message = 'an issue has published it', constraint = 'resource_published', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger resource_published before update of embargo_until on resource
    for each row when (new.embargo_until > now() and new.embargo_until is distinct from old.embargo_until)
    execute function check_resource_published();

-- The resources are held, so that none comes under an embargo while the issue begins to go out.
create function check_issue_open() returns trigger language plpgsql as $$
begin
    perform id from resource
    where id in (select resource from issue_item where issue = new.id) order by id for share;
    if exists (
        select from issue_item join resource on resource.id = issue_item.resource
        where issue_item.issue = new.id and (resource.embargo_until > now() or resource.expires_at <= now()))
    then
        raise check_violation using
            message = 'a resource may not be published', constraint = 'issue_open', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger issue_open before update of state on issue
    for each row when (new.state = 'sending' and old.state = 'draft') execute function check_issue_open();
