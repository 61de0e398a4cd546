-- When the link in a mail was last used, also by an address that is on the list for another reason. An answer on consent that
-- is newer takes an address off the list that is on it for no other reason.
alter table suppression add column unsubscribed_at timestamptz;
update suppression set unsubscribed_at = created_at where reason = 'unsubscribed';
