-- Days that cannot be. The floor is that of `DayMeaning` in the protocol; what may lie ahead moves with the day, and is looked at
-- where it comes in.

-- Nobody enrolled before there was a club to enrol in: such a day is a typing error, and the record's own is the best that is known.
update directory.ambassador
set enrolled_on = (created_at at time zone 'Europe/Paris')::date,
    left_on = greatest(left_on, (created_at at time zone 'Europe/Paris')::date), version = version + 1, updated_at = now()
where enrolled_on < '1990-01-01';
update directory.expert
set enrolled_on = (created_at at time zone 'Europe/Paris')::date,
    left_on = greatest(left_on, (created_at at time zone 'Europe/Paris')::date), version = version + 1, updated_at = now()
where enrolled_on < '1990-01-01';

alter table directory.ambassador add constraint ambassador_enrolled_check check (enrolled_on >= '1990-01-01');
alter table directory.expert add constraint expert_enrolled_check check (enrolled_on >= '1990-01-01');
-- What was booked stays as it was booked.
alter table directory.payment add constraint payment_paid_on_check check (paid_on >= '1990-01-01') not valid;
