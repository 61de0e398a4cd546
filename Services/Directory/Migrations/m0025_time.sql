-- A name that says the format. Columns of a row, and `rfc3339` of the other services, have no trailing zeros in the
-- fraction of a second; these times always have six digits, and the answers on consent are stored with them.
alter function directory.rfc3339(timestamptz) rename to rfc3339_microseconds;

-- For the release before this one, whose statements call it; a later one drops it.
create function directory.rfc3339(at timestamptz) returns text
    language sql stable parallel safe
    return directory.rfc3339_microseconds(at);

-- Its text names the function; otherwise unchanged (m0009_expert.sql).
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
        || '","confirmedAt":"' || directory.rfc3339_microseconds(confirmed_at)
        || '","version":' || version
        || ',"createdAt":"' || directory.rfc3339_microseconds(created_at)
        || '","updatedAt":"' || directory.rfc3339_microseconds(updated_at) || '"}'
    )::json
$$;
