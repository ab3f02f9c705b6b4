-- Every entry was one page more to be written for this index. What people see is found by walking
-- the primary key as well: nearly all entries are for them.

drop index audit_for_people;
