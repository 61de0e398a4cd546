-- A receipt attests that all was paid. Money that went back and was paid again gets a receipt of its own, which replaces the one of
-- before; and a file says what has become of the money since.

-- The order in which payments were booked: whoever books one holds the row of its contribution.
alter table directory.payment add column number bigint generated always as identity;

alter table directory.receipt
    drop constraint receipt_once,
    -- The last payment that it counts.
    add column last_payment bigint,
    add column replaces uuid constraint receipt_replaces_key unique,
    add constraint receipt_contribution_key unique (contribution, id),
    add constraint receipt_replaces_fkey foreign key (contribution, replaces) references directory.receipt (contribution, id);

alter table directory.receipt disable trigger receipt_final;
update directory.receipt set last_payment = (
    select coalesce(max(payment.number), 0) from directory.payment
    where payment.contribution = receipt.contribution and payment.created_at <= receipt.created_at);
alter table directory.receipt enable trigger receipt_final;
alter table directory.receipt alter column last_payment set not null;

create unique index receipt_once on directory.receipt (contribution) where replaces is null;

alter table directory.contribution_document
    drop constraint contribution_document_pkey,
    add column receipt uuid references directory.receipt,
    -- What is said under it of the time since.
    add column notice text;

alter table directory.contribution_document disable trigger contribution_document_final;
update directory.contribution_document set receipt = receipt.id
from directory.receipt where kind = 'receipt' and receipt.contribution = contribution_document.contribution;
alter table directory.contribution_document enable trigger contribution_document_final;

alter table directory.contribution_document
    add constraint contribution_document_receipt_check check ((kind = 'receipt') = (receipt is not null)),
    add constraint contribution_document_key unique nulls not distinct (contribution, kind, receipt, notice);
