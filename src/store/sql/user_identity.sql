-- Who users are at an identity provider.

-- name: user_identity_insert
-- Binds a user to a subject unless either is bound.
-- installation
insert into user_identity (issuer, subject, user_id, created_at)
values (:issuer, :subject, :user_id, :created_at)
on conflict do nothing;

-- name: user_identity_find
-- Whose subject this is.
-- installation
select user_id
from user_identity
where issuer = :issuer and subject = :subject;
