-- By what a payment came or went; null where nobody said so: of the payments before this, and of callers that do not know of it.
alter table directory.payment
    add column means text check (means in ('transfer', 'cheque', 'card', 'directDebit', 'cash', 'other'));

-- The journal of payments, latest first.
create index payment_paid_idx on directory.payment (paid_on desc, id desc);

-- What stands on a receipt never changes: by what had been paid when it was issued.
alter table directory.receipt
    add column means text[] not null default '{}'
        check (means <@ array['transfer', 'cheque', 'card', 'directDebit', 'cash', 'other']);
