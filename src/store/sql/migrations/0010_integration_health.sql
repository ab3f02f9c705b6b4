-- What an integration is when nobody holds it (paused, disconnected), and how often it was
-- connected: see integration.h.

alter table integration add column health {{id}} not null default 'connected';
alter table integration add column connection {{int}} not null default 1;
update integration
set health = status
where status in ('degraded', 'reconnect_needed');
