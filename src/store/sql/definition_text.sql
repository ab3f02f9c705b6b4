-- Provider definitions by the hash of their text.

-- name: definition_text_put
-- Stores a definition unless it is there.
-- installation
insert into definition_text (sha256, provider, body, created_at)
values (:sha256, :provider, :body, :created_at)
on conflict (sha256) do nothing;

-- name: definition_text_get
-- One definition.
-- installation
select sha256, provider, body, created_at
from definition_text
where sha256 = :sha256;
