-- An organization that was deleted keeps its row: the log of evidence and the audit log stay, and
-- refer to it. See organization_end.h.

alter table organization add column ended_at {{time}} not null default 0;
