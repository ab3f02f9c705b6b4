-- Failed logins per user and per address.

-- name: login_attempt_get
-- The count of a source, kept from other attempts until the unit ends.
-- installation
select failures, last_at, locked_until
from login_attempt
where source = :source
-- dialect: sqlite
-- dialect: postgres
for update
-- dialect: end
;

-- name: login_attempt_begin
-- Makes the row of a source, so that it can be kept from others.
-- installation
insert into login_attempt (source, failures, last_at, locked_until)
values (:source, 0, :now, 0)
on conflict (source) do nothing;

-- name: login_attempt_set
-- Stores the count of a source.
-- installation
update login_attempt
set failures = :failures, last_at = :now, locked_until = :locked_until
where source = :source;

-- name: login_attempt_forget
-- Forgets a source.
-- installation
delete from login_attempt
where source = :source;

-- name: login_attempt_prune
-- Deletes what is old.
-- installation
delete from login_attempt
where last_at < cast(:before as bigint);
