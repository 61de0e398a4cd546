-- People write "St-Étienne" and "Saint-Étienne", "Ste Foy" and "Sainte-Foy". Text as it is searched has both as one, on both sides
-- of a search: in what is looked through and in what is typed. Of a text that is folded already; planned into the statement that
-- calls it, so that it costs no call for each row.
create function directory.saints(folded text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(folded, '\mst(e?s?)\M', 'saint\1', 'g');

-- The one place that folds it.
create function directory.searched(value text) returns text
    language sql immutable strict parallel safe
    return directory.saints(directory.folded(value));

drop index directory.expert_filter_idx;
alter table directory.expert drop column search;
alter table directory.expert add column search tsvector not null generated always as (
    to_tsvector(
        'directory.expert_words'::regconfig,
        regexp_replace(directory.searched(name || ' ' || commune), '[^[:alnum:]]+', ' ', 'g'))) stored;
create index expert_filter_idx on directory.expert
    using gin (search, topics, brand_keys, departements, departement, (array[departement]));

delete from directory.expert_posting as posting using directory.expert
where expert.search_text ~ '\mste?s?\M' and posting.expert = expert.id and posting.sort_key = expert.sort_key
    and posting.term not in (
        select term from directory.expert_terms(
            expert.search, expert.brand_keys, expert.departements, expert.departement) as term);
insert into directory.expert_posting (term, sort_key, expert)
select term, sort_key, id from directory.expert
    cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as term
where search_text ~ '\mste?s?\M'
on conflict do nothing;

drop index directory.organization_search_idx, directory.organization_search_text_idx;
alter table directory.organization drop column search, drop column search_text;
alter table directory.organization
    add column search_text text not null
        generated always as (directory.searched(name || ' ' || coalesce(commune, ''))) stored,
    add column search tsvector not null generated always as (
        to_tsvector(
            'directory.french_folded'::regconfig, directory.searched(name || ' ' || coalesce(commune, '')))) stored;
create index organization_search_idx on directory.organization using gin (search);
create index organization_search_text_idx on directory.organization using gin (search_text directory.gin_trgm_ops);

-- Experts whose words have not been taken in. Whoever writes experts adds to it and wakes the job in the same transaction, and
-- waits for nobody: rows have no key.
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

delete from directory.expert_word where word in ('st', 'ste', 'sts', 'stes');
insert into directory.expert_word_due (expert) select id from directory.expert where search_text ~ '\mste?s?\M';
insert into directory.job (kind, payload, maximum_attempts) values ('expert.words', '{}', 100);
