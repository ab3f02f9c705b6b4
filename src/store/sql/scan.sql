-- What is due for scanners: see scan.h.

-- name: scan_get
-- What is known of an integration.
select integration_id, due_at, scanner, leased_until, scanned_at
from scan
where organization_id = :org and integration_id = :integration_id;

-- name: scan_lease
-- Takes an integration that is due, unless somebody has it.
insert into scan (organization_id, integration_id, due_at, scanner, leased_until, scanned_at)
values (:org, :integration_id, :now, :scanner, :leased_until, 0)
on conflict (organization_id, integration_id) do update
set scanner = excluded.scanner, leased_until = excluded.leased_until
where scan.due_at <= cast(:now as bigint) and scan.leased_until <= cast(:now as bigint);

-- name: scan_call
-- Makes an integration due for any scanner.
insert into scan (organization_id, integration_id, due_at, scanner, leased_until, scanned_at)
values (:org, :integration_id, :now, '', 0, 0)
on conflict (organization_id, integration_id) do update
set due_at = excluded.due_at, scanner = '', leased_until = 0;

-- name: scan_note
-- A scanner was there.
insert into scan (organization_id, integration_id, due_at, scanner, leased_until, scanned_at)
values (:org, :integration_id, :next_at, '', 0, :now)
on conflict (organization_id, integration_id) do update
set due_at = excluded.due_at, scanned_at = excluded.scanned_at,
    scanner = case when cast(:done as bigint) = 1 then '' else scan.scanner end,
    leased_until = case when cast(:done as bigint) = 1 then 0 else scan.leased_until end;

-- name: scan_checked
-- Tells the integration; a time of its schedule that comes first stays the next.
update integration
set last_checked_at = :now,
    next_check_at = case when next_check_at > cast(:now as bigint)
        and next_check_at < cast(:next_at as bigint) then next_check_at
        else cast(:next_at as bigint) end,
    updated_at = :now
where organization_id = :org and id = :integration_id;
