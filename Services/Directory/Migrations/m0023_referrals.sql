-- Who was let go without an answer may be asked again for the same need.
alter table directory.referral_offer drop constraint referral_offer_once;
create unique index referral_offer_once on directory.referral_offer (referral, expert)
    where state not in ('withdrawn', 'expired');
create index referral_offer_referral_idx on directory.referral_offer (referral, id desc);

-- When whoever brought the need was asked what became of it: once, a month after the expert accepted.
alter table directory.referral_offer add column outcome_asked_at timestamptz;
create index referral_offer_outcome_idx on directory.referral_offer (answered_at)
    where state = 'accepted' and outcome_asked_at is null;

-- An expert who has left answers no more, and keeps nobody else from being asked.
update directory.referral_offer as offer set state = 'withdrawn', version = version + 1, updated_at = now()
where state = 'sent' and expert in (select id from directory.expert where left_on is not null);

-- A member is shown in the public directory unless it declines.
alter table directory.organization add column public_directory boolean not null default true;

-- What a list says twice it says once, whoever writes it: the first time counts.
create function directory.each_once(list text[]) returns text[]
    language sql immutable strict parallel safe
    return array(
        select value from unnest(list) with ordinality as each (value, place) group by value order by min(place));

create function directory.keep_each_once() returns trigger
    language plpgsql as $$
begin
    new.topics := directory.each_once(new.topics);
    if tg_table_name <> 'organization' then new.departements := directory.each_once(new.departements); end if;
    if tg_table_name = 'expert' then new.brands := directory.each_once(new.brands); end if;
    return new;
end $$;

create trigger organization_each_once before insert or update of topics on directory.organization
    for each row when (cardinality(new.topics) > 1) execute function directory.keep_each_once();
create trigger ambassador_each_once before insert or update of topics, departements on directory.ambassador
    for each row when (cardinality(new.topics) > 1 or cardinality(new.departements) > 1)
    execute function directory.keep_each_once();
create trigger expert_each_once before insert or update of topics, departements, brands on directory.expert
    for each row
    when (cardinality(new.topics) > 1 or cardinality(new.departements) > 1 or cardinality(new.brands) > 1)
    execute function directory.keep_each_once();

update directory.organization set topics = directory.each_once(topics), version = version + 1, updated_at = now()
where cardinality(topics) > 1 and topics <> directory.each_once(topics);
update directory.ambassador
set topics = directory.each_once(topics), departements = directory.each_once(departements), version = version + 1,
    updated_at = now()
where cardinality(topics) > 1 and topics <> directory.each_once(topics)
    or cardinality(departements) > 1 and departements <> directory.each_once(departements);
update directory.expert
set topics = directory.each_once(topics), departements = directory.each_once(departements),
    brands = directory.each_once(brands), version = version + 1, updated_at = now()
where cardinality(topics) > 1 and topics <> directory.each_once(topics)
    or cardinality(departements) > 1 and departements <> directory.each_once(departements)
    or cardinality(brands) > 1 and brands <> directory.each_once(brands);
