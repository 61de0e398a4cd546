-- Searching a million experts: by several conditions at once, by one of them in order, and by a misspelled word.

-- Postings ----------------------------------------------------------------------------------------

-- The experts who have a word, sell a brand, serve a département or are in a région, each list in the order of the list
-- by name: a page of them costs what it shows, whether ten match or a hundred thousand. Topics have no lists, as half
-- of the experts may be about one; départements have an index of their own.
create table directory.expert_posting (
    term text collate "C" not null,
    sort_key text collate "C" not null,
    expert uuid not null,
    primary key (term, sort_key, expert)
);
comment on table directory.expert_posting is
    'Derived from expert by its triggers alone; '
    'without a foreign key, as what they take away they find by the primary key.';
-- How a search is made depends on whether its words are rare.
alter table directory.expert_posting alter column term set statistics 500;

-- An expert in no région is in no list of one.
create function directory.expert_terms(search tsvector, brand_keys text[], departements text[], departement text)
    returns setof text language sql stable as $$
    select 'word:' || lexeme from unnest(tsvector_to_array(search)) as lexeme
    union select 'brand:' || brand from unnest(brand_keys) as brand
    union select 'serves:' || code from unnest(departements) as code
    union select 'region:' || place.region from directory.departement as place
        where place.code = departement and place.region is not null
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
    -- Most changes are not of a name, a place or a brand.
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

-- Words -------------------------------------------------------------------------------------------

-- Every word in the names and communes of experts, once. A typed word that no expert has is corrected from these, some
-- ten thousand, instead of a million experts. A job maintains them, so that no write of an expert waits for them.
create table directory.expert_word (
    word text collate "C" primary key,
    lexeme text not null,
    -- Whether an expert in the public directory has it: searches there have no use for the others.
    published boolean not null default false
);

create index expert_word_lexeme_idx on directory.expert_word (lexeme);
create index expert_word_trgm_idx on directory.expert_word using gin (word directory.gin_trgm_ops);

-- The time up to which the words of changed experts have been added.
create table directory.expert_word_progress (
    one boolean primary key default true check (one),
    through timestamptz not null
);
insert into directory.expert_word_progress (through) values ('-infinity');

-- Experts whose words have not been added yet. A transaction that writes experts inserts rows here and wakes the job;
-- rows have no key, so that it never waits for another.
create table directory.expert_word_due (expert uuid not null);

create function directory.wake_words() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into directory.expert_word_due (expert) select id from fresh;
    else
        insert into directory.expert_word_due (expert)
        select fresh.id from fresh join stale on stale.id = fresh.id
        where (fresh.search_text, fresh.consents, fresh.left_on, fresh.confirmed_at)
            is distinct from (stale.search_text, stale.consents, stale.left_on, stale.confirmed_at);
    end if;
    if found then
        insert into directory.job (kind, payload, maximum_attempts) values ('expert.words', '{}', 100);
        perform pg_notify('directory_job', 'expert.words');
    end if;
    return null;
end $$;

create trigger expert_words_added after insert on directory.expert
    referencing new table as fresh for each statement execute function directory.wake_words();
create trigger expert_words_changed after update on directory.expert
    referencing old table as stale new table as fresh for each statement execute function directory.wake_words();
