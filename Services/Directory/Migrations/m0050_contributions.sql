-- What a whole year of the tier cost when a contribution was called for it, in cents. A complement is the difference to the highest fee
-- that stands for the year, not to what the tier before would cost by now: whoever changes down and up again is not called twice.
alter table directory.contribution add column fee integer constraint contribution_fee_check check (fee >= amount);

-- Of those that were called before: the amount, where the whole year was called; else what the membership's tier costs.
update directory.contribution set fee = case
    when complements is null and not exists (
        select from directory.membership as held
        join directory.membership as earlier
            on earlier.organization = held.organization and earlier.until_day = held.from_day - 1
        where held.id = contribution.membership and extract(year from held.from_day) = contribution.year)
        then amount
    else greatest(amount, (
        select tier.fee from directory.membership join directory.tier on tier.code = membership.tier
        where membership.id = contribution.membership))
    end;

-- A call that is cancelled is another document than the call, which somebody may have.
alter table directory.contribution_document
    drop constraint contribution_document_kind_check,
    add constraint contribution_document_kind_check check (kind in ('call', 'cancelledCall', 'receipt'));
