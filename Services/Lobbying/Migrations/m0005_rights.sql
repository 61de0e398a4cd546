-- Where the person was invited and came, for the document of all that is known of it.
create index invitation_by_person on invitation (person) where person is not null;
create index attendance_by_person on attendance (person) where person is not null;
