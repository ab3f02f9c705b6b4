-- How far a running job is, as its worker has told with the last renewal of its lease: JSON.

alter table job add column progress {{text}};
