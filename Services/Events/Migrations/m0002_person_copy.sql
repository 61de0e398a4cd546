-- What this service keeps about the directory's people besides their names.
alter table person_copy
    add column email text,
    add column organization uuid,
    add constraint person_copy_details_gone check (not gone or num_nonnulls(email, organization) = 0);
