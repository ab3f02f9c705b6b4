-- Who has given a token its access, which lasts as long as he could give it: see api_token.h.

alter table api_token_access add column created_by {{id}};
update api_token_access
set created_by = (select created_by from api_token where api_token.id = api_token_access.token_id);

-- dialect: postgres
grant select on user_account to assay_scheduler;
-- dialect: end
