-- Browsers that are logged in.

-- name: user_session_insert
-- Begins a session.
-- installation
insert into user_session (id, user_id, token_hash, address, agent, created_at, last_seen_at,
    expires_at)
values (:id, :user_id, :token_hash, :address, :agent, :created_at, :last_seen_at, :expires_at);

-- name: user_session_find
-- The live session of a token, with its user.
-- installation
select user_session.id, user_session.user_id, user_account.email, user_account.name,
    user_session.last_seen_at, user_session.expires_at
from user_session
inner join user_account on user_account.id = user_session.user_id
where user_session.token_hash = :token_hash and user_account.disabled_at = 0
    and user_session.expires_at > cast(:now as bigint)
    and user_session.last_seen_at > cast(:idle_since as bigint);

-- name: user_session_seen
-- Writes when the session was last seen.
-- installation
update user_session
set last_seen_at = :now
where id = :id and last_seen_at < cast(:now as bigint);

-- name: user_session_list
-- Live sessions of a user.
-- installation
select id, user_id, token_hash, address, agent, created_at, last_seen_at, expires_at
from user_session
where user_id = :user_id and expires_at > cast(:now as bigint)
    and last_seen_at > cast(:idle_since as bigint)
order by id
limit cast(:limit as bigint);

-- name: user_session_end
-- Ends one session of a user.
-- installation
delete from user_session
where user_id = :user_id and id = :id;

-- name: user_session_end_others
-- Ends all sessions of a user but one.
-- installation
delete from user_session
where user_id = :user_id and id <> :keep;

-- name: user_session_prune
-- Deletes sessions that have ended.
-- installation
delete from user_session
where expires_at <= cast(:now as bigint) or last_seen_at <= cast(:idle_since as bigint);
