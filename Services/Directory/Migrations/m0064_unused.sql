-- What nothing calls, and an index that is there twice (as `expert_payer_key_idx`).
drop function directory.give_up_address();
drop function directory.redacted(text, text[]);
drop function directory.lines(text[]);
drop index directory.expert_payer_idx;
