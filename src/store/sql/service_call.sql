-- Requests that jobs have sent to services: see service_call.h.

-- name: service_call_add
-- Counts more of them.
-- installation
insert into service_call (provider, outcome, calls)
values (:provider, :outcome, :calls)
on conflict (provider, outcome) do update
set calls = service_call.calls + excluded.calls;

-- name: service_call_list
-- All sums.
-- installation
select provider, outcome, calls
from service_call
order by provider, outcome
limit cast(:limit as bigint);
