-- Whoever enters a firm that is there already is told by its name without its legal form, and by any of its mailboxes.
create index organization_payer_key_idx on directory.organization (directory.payer_key(name));
create index expert_payer_key_idx on directory.expert (directory.payer_key(name));
create index address_held_organization_mailbox_idx on directory.address_held (directory.mailbox_key(email))
    where kind = 'organization';
