-- Who has a word, sells a brand, serves a département or lies in a région, each in the order of the lists: a page of those who
-- answer to it costs what it shows, whether ten have it or a hundred thousand. Topics have no lists, as half of the experts may
-- be about one; départements have an index of their own.
create table directory.expert_posting (
    term text collate "C" not null,
    sort_key text collate "C" not null,
    expert uuid not null,
    primary key (term, sort_key, expert)
);
comment on table directory.expert_posting is
    'Derived from expert by its triggers alone; without a foreign key, as what they take away they find by the primary key.';
-- Whether a word is rare decides how a search is made.
alter table directory.expert_posting alter column term set statistics 500;

create function directory.expert_terms(search tsvector, brand_keys text[], departements text[], departement text)
    returns setof text language sql stable as $$
    select 'word:' || lexeme from unnest(tsvector_to_array(search)) as lexeme
    union select 'brand:' || brand from unnest(brand_keys) as brand
    union select 'serves:' || code from unnest(departements) as code
    union select 'region:' || place.region from directory.departement as place where place.code = departement
$$;

create function directory.post_added() returns trigger
    language plpgsql as $$
begin
    insert into directory.expert_posting (term, sort_key, expert)
    select term, sort_key, id from fresh
        cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as term;
    return null;
end $$;

create function directory.post_changed() returns trigger
    language plpgsql as $$
begin
    -- Most changes are none of a name, a place or a brand.
    if not exists (
        select id, sort_key, search, brand_keys, departements, departement from fresh
        except select id, sort_key, search, brand_keys, departements, departement from stale
    ) then return null; end if;
    delete from directory.expert_posting as posting using (
        select term, sort_key, id from stale
            cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as term
        except select term, sort_key, id from fresh
            cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as term
    ) as gone
    where posting.term = gone.term and posting.sort_key = gone.sort_key and posting.expert = gone.id;
    insert into directory.expert_posting (term, sort_key, expert)
    select term, sort_key, id from fresh
        cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as term
    except select term, sort_key, id from stale
        cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as term;
    return null;
end $$;

create function directory.post_deleted() returns trigger
    language plpgsql as $$
begin
    delete from directory.expert_posting as posting using stale
        cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as gone (term)
    where posting.term = gone.term and posting.sort_key = stale.sort_key and posting.expert = stale.id;
    return null;
end $$;

create function directory.post_truncated() returns trigger
    language plpgsql as $$
begin
    truncate directory.expert_posting;
    return null;
end $$;

create trigger expert_post_added after insert on directory.expert
    referencing new table as fresh for each statement execute function directory.post_added();
create trigger expert_post_changed after update on directory.expert
    referencing old table as stale new table as fresh for each statement execute function directory.post_changed();
create trigger expert_post_deleted after delete on directory.expert
    referencing old table as stale for each statement execute function directory.post_deleted();
create trigger expert_post_truncated after truncate on directory.expert
    for each statement execute function directory.post_truncated();

insert into directory.expert_posting (term, sort_key, expert)
select term, sort_key, id from directory.expert
    cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as term;
analyze directory.expert_posting;

-- The neighbourhood of a postal code, by name.
create index expert_neighbourhood_idx on directory.expert (left(postal_code, 3), sort_key, id);

-- What a list may be narrowed to without a look at the table: those who are fresh, and those who left or not.
drop index directory.expert_name_idx, directory.expert_sub_kind_idx, directory.expert_departement_idx,
    directory.expert_sub_kind_departement_idx, directory.expert_published_idx, directory.expert_left_idx;
create index expert_name_idx on directory.expert (sort_key, id) include (confirmed_at, left_on);
create index expert_sub_kind_idx on directory.expert (sub_kind, sort_key, id) include (confirmed_at, left_on);
create index expert_departement_idx on directory.expert (departement, sort_key, id) include (confirmed_at, left_on);
create index expert_sub_kind_departement_idx on directory.expert (sub_kind, departement, sort_key, id)
    include (confirmed_at, left_on);
create index expert_published_idx on directory.expert (sort_key, id) include (confirmed_at, left_on)
    where (consents @> '{"publicDirectory": {"agreed": true}}') is true and left_on is null;
create index expert_left_idx on directory.expert (sort_key, id) include (confirmed_at, left_on) where left_on is not null;
