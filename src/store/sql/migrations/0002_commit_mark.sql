-- On a server: what each connection has committed last, so that a commit whose answer was lost can be
-- asked for (db/postgres_session.h).
-- dialect: sqlite
-- dialect: postgres
create table commit_mark (
    session {{id}} not null primary key,
    number {{int}} not null,
    -- 1: nothing is committed by this connection any more.
    fenced {{int}} not null,
    at {{time}} not null
) {{strict}};
-- dialect: end
