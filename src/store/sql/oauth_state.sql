-- States of authorization requests: see oauth_state.h.

-- name: oauth_state_insert
-- Keeps the hash of a state until it is taken.
insert into oauth_state (organization_id, state_hash, content, expires_at)
values (:org, :state_hash, :content, :expires_at);

-- name: oauth_state_take
-- Takes a state; whoever gets the row is the only one.
delete from oauth_state
where organization_id = :org and state_hash = :state_hash
returning content, expires_at;

-- name: oauth_state_sweep
-- Forgets states that nobody came back with.
delete from oauth_state
where organization_id = :org and expires_at <= cast(:now as bigint);
