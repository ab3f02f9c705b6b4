-- People. They belong to the installation.

-- name: user_insert
-- Adds a user unless the address is taken.
-- installation
insert into user_account (id, email, name, password_hash, password_changed_at, disabled_at,
    last_login_at, created_at, updated_at)
values (:id, :email, :name, :password_hash, :password_changed_at, :disabled_at, :last_login_at,
    :created_at, :updated_at)
on conflict do nothing;

-- name: user_get
-- One user.
-- installation
select id, email, name, password_hash, password_changed_at, disabled_at, last_login_at, created_at,
    updated_at
from user_account
where id = :id;

-- name: user_find
-- One user by id or e-mail address.
-- installation
select id, email, name, password_hash, password_changed_at, disabled_at, last_login_at, created_at,
    updated_at
from user_account
where id = :wanted or email = :wanted
order by id
limit 1;

-- name: user_count
-- How many users there are.
-- installation
select count(*)
from user_account;

-- name: user_list
-- Users in the order of their making.
-- installation
select id, email, name, password_hash, password_changed_at, disabled_at, last_login_at, created_at,
    updated_at
from user_account
where id > :after
order by id
limit cast(:limit as bigint);

-- name: user_set_password
-- Stores a new password's hash.
-- installation
update user_account
set password_hash = :hash, password_changed_at = :now, updated_at = :now
where id = :id;

-- name: user_change_password
-- Stores a new password's hash in place of the one that was shown to be known.
-- installation
update user_account
set password_hash = :hash, password_changed_at = :now, updated_at = :now
where id = :id and password_hash = :old_hash and disabled_at = 0;

-- name: user_rehash
-- Stores the same password hashed anew, if nobody has changed it.
-- installation
update user_account
set password_hash = :new_hash
where id = :id and password_hash = :old_hash;

-- name: user_set_disabled
-- Disables or enables a user.
-- installation
update user_account
set disabled_at = :disabled_at, updated_at = :now
where id = :id;

-- name: user_logged_in
-- Sets when the user was last logged in.
-- installation
update user_account
set last_login_at = :now
where id = :id;
