-- Schedules, reviews of evidence, jobs that are called off while they run, one run at a time for
-- every integration, and turns of organizations by what they are running.

-- When somebody called the job off; its worker looks at it now and then.
alter table job add column cancel_at {{time}} not null default 0;

-- Results are kept for a while only, the job itself as long as its journal.
alter table job_result add column ended_at {{time}} not null default 0;
update job_result
set ended_at = coalesce(
    (select job.completed_at
     from job
     where job.organization_id = job_result.organization_id and job.id = job_result.job_id),
    0);
create index job_result_by_end on job_result (ended_at) where ended_at > 0;
create index job_by_end on job (completed_at) where status in ('completed', 'failed', 'cancelled');

-- The guarantee of one run at a time, whoever claims.
create unique index job_one_run on job (organization_id, integration_id) where status = 'running';
create index job_waiting on job (organization_id, integration_id, id)
    where status in ('pending', 'running', 'parked');

-- Jobs of the organization that are running: who has fewest is served next.
alter table job_queue add column running {{int}} not null default 0;
update job_queue
set running =
    (select count(*)
     from job
     where job.organization_id = job_queue.organization_id and job.status = 'running');
drop index job_queue_by_service;
create index job_queue_by_turn on job_queue (running, served_at, organization_id, due_at)
    where due_at < 9223372036854775807;

-- One row an integration, and two an organization: see store/schedule.h.
create table schedule (
    organization_id {{id}} not null,
    id {{id}} not null,
    integration_id {{id}},
    rule {{text}},
    time_zone {{text}},
    paused {{int}} not null check (paused in (0, 1)),
    due_at {{time}} not null,
    -- due_at, or the end of the hold of a scheduler that is at it.
    look_at {{time}} not null,
    last_at {{time}} not null,
    claim {{int}} not null,
    primary key (organization_id, id),
    foreign key (organization_id) references organization (organization_id),
    foreign key (organization_id, integration_id) references integration (organization_id, id)
) {{strict}};

create index schedule_by_look on schedule (look_at, organization_id, id)
    where look_at < 9223372036854775807;

insert into schedule (organization_id, id, integration_id, rule, time_zone, paused, due_at,
    look_at, last_at, claim)
select organization_id, id, id, scan_schedule, null, 0, next_check_at, next_check_at, 0, 0
from integration;

insert into schedule (organization_id, id, integration_id, rule, time_zone, paused, due_at,
    look_at, last_at, claim)
select organization_id, 'daily_sync', null, null, null, 0, 0, 0, 0, 0
from organization;

insert into schedule (organization_id, id, integration_id, rule, time_zone, paused, due_at,
    look_at, last_at, claim)
select organization_id, 'weekly_renewal', null, null, null, 0, 0, 0, 0, 0
from organization;

-- The review of an evidence item that holds.
create table evidence_review (
    organization_id {{id}} not null,
    evidence_id {{id}} not null,
    state {{id}} not null check (state in ('approved', 'rejected')),
    reviewer {{text}} not null,
    note {{text}},
    reviewed_at {{time}} not null,
    primary key (organization_id, evidence_id),
    foreign key (organization_id, evidence_id) references evidence (organization_id, id)
) {{strict}};

create index evidence_approved on evidence (organization_id, integration_id, evidence_type)
    where review_state = 'approved';
