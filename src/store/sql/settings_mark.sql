-- The settings that a service was last started with: see settings_mark.h.

-- name: settings_mark_find
-- The mark of a role.
-- installation
select role, salt, hashes
from settings_mark
where role = :role;

-- name: settings_mark_put
-- Stores a mark in place of an earlier one.
-- installation
insert into settings_mark (role, salt, hashes)
values (:role, :salt, :hashes)
on conflict (role) do update
set salt = excluded.salt, hashes = excluded.hashes;
