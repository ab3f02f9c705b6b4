-- What scanners have found.

-- name: assessment_insert
-- Adds an assessment.
insert into assessment (organization_id, id, integration_id, check_name, resource, result, details,
    scanner, scanner_name, assessed_at)
values (:org, :id, :integration_id, :check_name, :resource, :result, :details, :scanner,
    :scanner_name, :assessed_at);

-- name: assessment_list
-- Assessments, the newest first.
select id, integration_id, check_name, resource, result, details, scanner, scanner_name,
    assessed_at
from assessment
where organization_id = :org
    and id < :before
    and (cast(:integration_id as text) = '' or integration_id = :integration_id)
    and (cast(:check_name as text) = '' or check_name = :check_name)
    and (cast(:result as text) = '' or result = :result)
order by id desc
limit cast(:limit as bigint);
