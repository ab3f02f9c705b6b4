#include "db/postgres_mark.h"
#include "base/clock.h"

#define KEPT_MS (INT64_C(24) * 60 * 60 * 1000)
#define NUMBER_SIZE 24
#define FENCE_ANSWER 3 /* behind those to begin, role and preparation */

/* A row that is fenced, or counted otherwise, is not touched; then the division fails. */
static const char mark_sql[] =
    "with marked as (insert into commit_mark (session, number, fenced, at)"
    " values ($1, $2, 0, $3) on conflict (session) do update"
    " set number = excluded.number, at = excluded.at"
    " where commit_mark.fenced = 0 and commit_mark.number = excluded.number - 1 returning 1)"
    " select 1 / count(*) from marked";
static const char fence_sql[] =
    "insert into commit_mark (session, number, fenced, at) values ($1, 0, 1, $2)"
    " on conflict (session) do update set fenced = 1 returning number::text";
static const char forget_sql[] = "delete from commit_mark where session = $1 or at < $2";

void postgres_mark_init(CommitMark *mark) {
    id_write(mark->session);
    mark->number = 0;
}

int postgres_mark_prepare(Wire *wire) {
    wire_prepare(wire, ".mark", mark_sql);
    return 1;
}

static void print(char text[NUMBER_SIZE], int64_t number) {
    g_snprintf(text, NUMBER_SIZE, "%" G_GINT64_FORMAT, number);
}

void postgres_mark_send(Wire *wire, const CommitMark *mark) {
    char number[NUMBER_SIZE], now[NUMBER_SIZE];
    print(number, mark->number);
    print(now, clock_now_ms());
    const char *const values[] = {mark->session, number, now};
    wire_run(wire, ".mark", &(WireValues){.count = 3, .values = values});
}

/* In a transaction of its own; the answer comes before the commit's. */
static void send_as_app(Wire *wire, const char *sql, const char *session, int64_t time) {
    char at[NUMBER_SIZE];
    print(at, time);
    const char *const values[] = {session, at};
    const char *const role[] = {"assay_app"};
    wire_run(wire, ".write", NULL);
    wire_run(wire, ".role", &(WireValues){.count = 1, .values = role});
    wire_prepare(wire, "", sql);
    wire_run(wire, "", &(WireValues){.count = 2, .values = values});
    wire_run(wire, ".commit", NULL);
}

bool postgres_mark_fence(Wire *wire, const CommitMark *mark, bool *committed_out) {
    send_as_app(wire, fence_sql, mark->session, clock_now_ms());
    g_auto(GStrv) answers = wire_ask_all(wire);
    if (!answers)
        return false;
    *committed_out = g_ascii_strtoll(answers[FENCE_ANSWER], NULL, 10) == mark->number;
    return true;
}

void postgres_mark_forget(Wire *wire, const CommitMark *mark) {
    send_as_app(wire, forget_sql, mark->session, clock_now_ms() - KEPT_MS);
    g_strfreev(wire_ask_all(wire));
}
