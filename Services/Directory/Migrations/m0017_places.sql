-- Where an address lies follows from its postal code, and the région from the département: told when asked, stored nowhere.

-- The département in which a postal code lies, as far as the code tells; Corsica by its third digit. Not every code lies in
-- one: those of the collectivities overseas and of the armed forces do not.
create function directory.departement_of(postal_code text) returns text
    language sql immutable strict parallel safe
    return (
        select code
        from (select case left(postal_code, 2)
                when '97' then left(postal_code, 3)
                when '20' then case when postal_code < '20200' collate "C" then '2A' else '2B' end
                else left(postal_code, 2) end) as told (code)
        where directory.are_departements(array[code]));
