-- Some countries have no postal codes (Hong Kong, the United Arab Emirates): no expert and no firm is refused for where it is. In
-- France every place has one.

alter table directory.expert
    alter column postal_code drop not null,
    add constraint expert_place_check check (postal_code is not null or departement = '990');
alter table directory.referral
    alter column postal_code drop not null,
    add constraint referral_place_check check (postal_code is not null or departement = '990');

-- As before; the postal code may be absent.
create or replace function directory.expert_document(
    id uuid, sub_kind text, name text, siret text, contact_name text, email text, telephone text, postal_code text,
    commune text, departement text, departements text[], topics text[], brands text[], website text, consents jsonb,
    enrolled_on date, left_on date, confirmed_at timestamptz, version integer, created_at timestamptz,
    updated_at timestamptz
) returns json language sql immutable as $$
    select (
        '{"id":"' || id || '","subKind":"' || sub_kind || '","name":' || to_json(name)
        || coalesce(',"siret":"' || siret || '"', '')
        || coalesce(',"contactName":' || to_json(contact_name), '')
        || coalesce(',"email":' || to_json(email), '')
        || coalesce(',"telephone":"' || telephone || '"', '')
        || coalesce(',"postalCode":"' || postal_code || '"', '') || ',"commune":' || to_json(commune)
        || ',"departement":"' || departement || '","departements":' || to_json(departements)
        || ',"topics":' || to_json(topics) || ',"brands":' || to_json(brands)
        || coalesce(',"website":' || to_json(website), '')
        || ',"consents":' || consents
        || ',"enrolledOn":"' || to_char(enrolled_on, 'YYYY-MM-DD')
        || coalesce('","leftOn":"' || to_char(left_on, 'YYYY-MM-DD'), '')
        || '","confirmedAt":"' || to_char(confirmed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","version":' || version
        || ',"createdAt":"' || to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","updatedAt":"' || to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"}'
    )::json
$$;
