-- What is published: the club's own texts, and material provided by the brands' agencies.
create table resource (
    id uuid primary key,
    kind text not null check (kind in ('pressRelease', 'whitePaper', 'article', 'productNews')),
    title text not null check (length(title) between 1 and 200),
    summary text,
    text text,
    link text,
    organization uuid,
    rights text,
    embargo_until timestamptz,
    expires_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint resource_embargo_before_expiry check (expires_at > embargo_until)
);
create index resource_newest on resource (id desc);
create index resource_by_kind on resource (kind, id desc);
create index resource_by_organization on resource (organization, id desc);
