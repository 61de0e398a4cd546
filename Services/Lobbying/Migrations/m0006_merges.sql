-- Merges of the directory's people that were followed here, until they are undone there.
create table merge (
    -- The directory's.
    id uuid primary key,
    survivor uuid not null,
    merged uuid not null,
    -- Invitations, and meetings at which somebody was, that were of the merged one.
    invitations uuid[] not null,
    meetings uuid[] not null,
    -- Invitations and attendances that the same person had twice, whole.
    invitations_aside jsonb not null default '[]',
    attendances_aside jsonb not null default '[]',
    followed_at timestamptz not null default now()
);
create index merge_by_survivor on merge (survivor);
create index merge_by_merged on merge (merged);
create index invitation_by_person on invitation (person);
create index attendance_by_person on attendance (person);
