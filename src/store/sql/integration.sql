-- Connections of an organization to providers; plaintext only.

-- name: integration_insert
-- Adds an integration unless its name is taken.
insert into integration (organization_id, id, provider, name, auth, status, status_reason, error_message, settings, account,
    allow_private, enabled_checks, evidence_types, scan_schedule, last_sync_at, last_checked_at,
    next_check_at, last_sync_result, rotation_due_at, owner_user_id, created_at, updated_at,
    health, connection)
values (:org, :id, :provider, :name, :auth, :status, :status_reason, :error_message, :settings,
    :account, :allow_private, :enabled_checks, :evidence_types, :scan_schedule, :last_sync_at,
    :last_checked_at, :next_check_at, :last_sync_result, :rotation_due_at, :owner_user_id,
    :created_at, :updated_at, :health, :connection)
on conflict (organization_id, name) do nothing;

-- name: integration_get
-- One integration.
select id, provider, name, auth, status, status_reason, error_message, settings, account,
    allow_private, enabled_checks, evidence_types, scan_schedule, last_sync_at, last_checked_at,
    next_check_at, last_sync_result, rotation_due_at, owner_user_id, created_at, updated_at,
    health, connection
from integration
where organization_id = :org and id = :id;

-- name: integration_exists
-- Whether the organization has this integration.
select count(*)
from integration
where organization_id = :org and id = :id;

-- name: integration_find
-- One integration by id or name; an id comes before a name that looks like it.
select id, provider, name, auth, status, status_reason, error_message, settings, account,
    allow_private, enabled_checks, evidence_types, scan_schedule, last_sync_at, last_checked_at,
    next_check_at, last_sync_result, rotation_due_at, owner_user_id, created_at, updated_at,
    health, connection
from integration
where organization_id = :org and (id = :wanted or name = :wanted)
order by case when id = :wanted then 0 else 1 end
limit 1;

-- name: integration_list
-- Integrations in the order of their making.
select id, provider, name, auth, status, status_reason, error_message, settings, account,
    allow_private, enabled_checks, evidence_types, scan_schedule, last_sync_at, last_checked_at,
    next_check_at, last_sync_result, rotation_due_at, owner_user_id, created_at, updated_at,
    health, connection
from integration
where organization_id = :org
    and id > :after
    and (cast(:provider as text) = '' or provider = :provider)
    and (cast(:status as text) = '' or status = :status)
    and (cast(:due_at as bigint) = 0 or not exists
        (select 1
         from scan
         where scan.organization_id = :org and scan.integration_id = integration.id
             and (scan.due_at > cast(:due_at as bigint)
                 or scan.leased_until > cast(:due_at as bigint))))
order by id
limit cast(:limit as bigint);

-- name: integration_move
-- Moves status and health from where they were read.
update integration
set status = :status, health = :health, status_reason = :status_reason,
    error_message = :error_message, updated_at = :now
where organization_id = :org and id = :id and status = :from_status and connection = :connection;

-- name: integration_reconnect
-- Puts a new connection in the place of the one before.
update integration
set auth = :auth, settings = :settings, account = :account, allow_private = :allow_private,
    rotation_due_at = :rotation_due_at, connection = connection + 1, updated_at = :now
where organization_id = :org and id = :id;

-- name: integration_record_sync
-- Stores what a finished run left behind.
update integration
set last_sync_result = :result, last_sync_at = :synced_at, last_checked_at = :synced_at,
    updated_at = :now
where organization_id = :org and id = :id;

-- name: integration_share_all
-- Makes what belongs to a user everybody's.
update integration
set owner_user_id = null, updated_at = :now
where organization_id = :org and owner_user_id = :user_id;

-- name: integration_named
-- Whether another integration has this name.
select count(*)
from integration
where organization_id = :org and name = :name and id <> :id;

-- name: integration_change
-- Replaces what somebody may choose.
update integration
set name = :name, settings = :settings, allow_private = :allow_private,
    evidence_types = :evidence_types, enabled_checks = :enabled_checks,
    owner_user_id = :owner_user_id, updated_at = :now
where organization_id = :org and id = :id;
