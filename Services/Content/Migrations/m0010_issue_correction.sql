-- Issues as editors need them: tests before they are sent, corrections while they are, and errata afterwards.

-- A letter that shows an issue as it was when the test was asked for.
create table issue_test (
    letter uuid primary key references letter on delete cascade,
    issue uuid not null references issue on delete cascade,
    audience text not null check (audience in ('ambassadors', 'experts')),
    -- Both parts of the message, until the letter has ended.
    text text,
    html text,
    created_at timestamptz not null default now(),
    constraint issue_test_parts_check check ((text is null) = (html is null))
);
-- How many were asked for lately.
create index issue_test_age on issue_test (created_at);
create index issue_test_by_issue on issue_test (issue);

create function forget_issue_test() returns trigger language plpgsql as $$
begin
    update issue_test set text = null, html = null where letter = new.id;
    return null;
end $$;
create trigger issue_test_ended after update of state on outgoing_mail
    for each row when (
        new.issue is null and old.state in ('pending', 'sending') and new.state not in ('pending', 'sending'))
    execute function forget_issue_test();

-- The content of an issue has a version, one more with each correction; 1 is what was frozen.
alter table issue
    add column content_version integer not null default 1 check (content_version > 0),
    -- Of an erratum: the issue that it is about, and the version that its readers should have got.
    add column erratum_of uuid references issue,
    add column erratum_version integer,
    add constraint issue_erratum_has_version check ((erratum_of is null) = (erratum_version is null));

create table issue_correction (
    issue uuid not null references issue on delete cascade,
    -- The version that it made.
    content_version integer not null check (content_version > 1),
    item uuid not null,
    -- What the item said before.
    title text not null,
    text text not null,
    link text,
    reason text not null check (length(reason) between 1 and 200),
    created_at timestamptz not null default now(),
    primary key (issue, content_version)
);

-- Which version a mail carried: written when its text begins, with the state; null for the first, so that rows are as
-- short as they were.
alter table outgoing_mail add column content_version integer check (content_version > 1);

-- Accepted mails that came back for good.
create index mail_report_returned on mail_report (mail) where kind = 'bounce' and is_hard and was_accepted;
