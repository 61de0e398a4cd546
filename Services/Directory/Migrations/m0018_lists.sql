-- Lists by state, each in its order.
create index import_state_idx on directory.import (state, created_at desc, id desc);
create index mandate_kind_idx on directory.mandate (kind, from_day desc, id desc);

create index contribution_paid_idx on directory.contribution (year desc, id desc) where paid = amount;
create index contribution_unpaid_idx on directory.contribution (year desc, id desc) where paid = 0;
create index contribution_part_idx on directory.contribution (year desc, id desc) where paid > 0 and paid < amount;

create index referral_closed_idx on directory.referral (id desc) where closed_at is not null;
create index referral_placed_idx on directory.referral (id desc) where closed_at is null and taken = places;
create index referral_open_idx on directory.referral (id desc) where closed_at is null and taken < places;
create index referral_offer_state_idx on directory.referral_offer (state, id desc);

-- What is due to be forgotten.
create index erasure_age_idx on directory.erasure (updated_at) where state in ('done', 'refused');
