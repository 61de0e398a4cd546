-- An entry that is too long to be hashed would stand before all later ones for ever: nobody may take it away.
alter table audit add constraint audit_length_check check (
    octet_length(actor) <= 1000 and octet_length(role) <= 100 and octet_length(action) <= 100
    and octet_length(entity) <= 100 and octet_length(subject) <= 1000 and octet_length(commitment) <= 64
    and isfinite(at));
