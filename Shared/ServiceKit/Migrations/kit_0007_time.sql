-- A time as the protocol writes it: RFC 3339 in UTC, with a fraction where there is one.
create function rfc3339(at timestamptz) returns text language sql stable
    return rtrim(rtrim(to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z';
