-- Findings: current state and transitions.

-- name: finding_refresh
-- Notes that an open finding was seen again.
update finding
set severity = :severity, title = :title, evidence_id = :evidence_id, last_seen_at = :at
where organization_id = :org and integration_id = :integration_id and check_id = :check_id
    and resource = :resource and state = 'open';

-- name: finding_reopen
-- Opens a resolved finding again.
update finding
set state = 'open', severity = :severity, title = :title, evidence_id = :evidence_id,
    opened_at = :at, last_seen_at = :at, resolved_at = 0
where organization_id = :org and integration_id = :integration_id and check_id = :check_id
    and resource = :resource and state = 'resolved';

-- name: finding_insert
-- Opens a finding that is not there yet, of an integration that is.
insert into finding (organization_id, integration_id, check_id, resource, state, severity, title, evidence_id, opened_at,
    last_seen_at, resolved_at)
select organization_id, id, :check_id, :resource, 'open', :severity, :title, :evidence_id,
    cast(:at as bigint), cast(:at as bigint), 0
from integration
where organization_id = :org and id = :integration_id
on conflict (organization_id, integration_id, check_id, resource) do nothing;

-- name: finding_resolve
-- Resolves an open finding.
update finding
set state = 'resolved', evidence_id = :evidence_id, resolved_at = :at
where organization_id = :org and integration_id = :integration_id and check_id = :check_id
    and resource = :resource and state = 'open';

-- name: finding_transition_insert
-- Notes a change of state.
insert into finding_transition (organization_id, id, integration_id, check_id, resource, kind,
    evidence_id, at)
values (:org, :id, :integration_id, :check_id, :resource, :kind, :evidence_id, :at);

-- name: finding_open_keys
-- Open resources of one check, behind a cursor.
select resource
from finding
where organization_id = :org and integration_id = :integration_id and check_id = :check_id
    and resource > :after and state = 'open'
order by resource
limit cast(:limit as bigint);

-- name: finding_list
-- Findings by integration, check and resource, behind a cursor.
select integration_id, check_id, resource, state, severity, title, evidence_id, opened_at,
    last_seen_at, resolved_at
from finding
where organization_id = :org
    and (integration_id, check_id, resource)
        > (:after_integration_id, :after_check_id, :after_resource)
    and (cast(:state as text) = '' or state = :state)
    and (cast(:severity as text) = '' or severity = :severity)
    and (cast(:check_id as text) = '' or check_id = :check_id)
    and (cast(:integration_id as text) = '' or integration_id = :integration_id)
order by integration_id, check_id, resource
limit cast(:limit as bigint);

-- name: finding_transitions
-- The history of one finding.
select id, integration_id, check_id, resource, kind, evidence_id, at
from finding_transition
where organization_id = :org and integration_id = :integration_id and check_id = :check_id
    and resource = :resource
order by id
limit cast(:limit as bigint);
