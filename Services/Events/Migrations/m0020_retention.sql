-- Every night those are looked for who are still remembered of events that are long over: of each event, and not of all there ever
-- were.
create index registration_remembered on registration (event) where not forgotten;
