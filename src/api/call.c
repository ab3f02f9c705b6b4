#include "api/call.h"

#include "api/etag.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/secmem.h"

#include <stdarg.h>
#include <string.h>

#define LIMIT_USUAL 100
#define LIMIT_MOST 1000

/* --- what was asked --------------------------------------------------------------------------- */

const char *call_parameter(const Call *call, const char *name) {
    int index = route_parameter(call->route->path, name);
    g_assert(index >= 0);
    return call->values[index];
}

const char *call_query(const Call *call, const char *name) {
    const char *value = target_query(&call->target, name);
    return value && *value != '\0' ? value : NULL;
}

const char *call_header(const Call *call, const char *name) {
    return exchange_header(call->exchange, name);
}

bool call_limit(Call *call, int64_t *limit_out, GError **error) {
    const char *text = call_query(call, "limit");
    guint64 limit = LIMIT_USUAL;
    if (text && !g_ascii_string_to_unsigned(text, 10, 1, LIMIT_MOST, &limit, NULL)) {
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "limit is a number from 1 to %d.", LIMIT_MOST);
        return false;
    }
    *limit_out = (int64_t)limit;
    return true;
}

bool call_cursor(Call *call, const char **cursor_out, GError **error) {
    *cursor_out = call_query(call, "cursor");
    if (!*cursor_out || id_is_valid(*cursor_out))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "The cursor is not a nextCursor of this list.");
    return false;
}

bool call_time(Call *call, const char *name, int64_t *time_out, GError **error) {
    const char *text = call_query(call, name);
    *time_out = 0;
    if (!text || clock_parse(text, time_out))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s is a time such as 2026-01-31T09:00:00Z.",
                name);
    return false;
}

/* --- who asks --------------------------------------------------------------------------------- */

bool call_may(const Call *call, const RoleResource *resource) {
    return call->caller && role_allows(&call->caller->subject, call->route->action, resource);
}

bool call_require(Call *call, const RoleResource *resource, GError **error) {
    return call_may(call, resource) ||
           call_refuse(call, PROBLEM_FORBIDDEN, error, "%s", "Your role does not allow this here.");
}

bool call_is_operator(const Call *call) {
    return call->caller && call->caller->operator;
}

AuditActor call_actor(const Call *call) {
    return (AuditActor){.kind = call->caller ? call->caller->kind : AUDIT_SYSTEM,
                        .id = call->caller ? call->caller->id : NULL,
                        .name = call->caller ? call->caller->name : NULL,
                        .address = call->client_text,
                        .request_id = call->request_id};
}

/* --- work ------------------------------------------------------------------------------------- */

bool call_run(Call *call, DbMode mode, DbWork work, void *data, GError **error) {
    return db_run(call->desk->config.db, &call->scope, mode, work, data, error);
}

Db *call_db(const Call *call) {
    return call->desk->config.db;
}

Registry *call_registry(Call *call, GError **error) {
    g_assert(call->seat);
    if (!call->seat->registry)
        call->seat->registry = registry_new(call->desk->config.providers_dir, error);
    return call->seat->registry;
}

/* --- answers ---------------------------------------------------------------------------------- */

bool call_answer(Call *call, unsigned status, Json *take) {
    reply_set_json(&call->reply, status, take);
    json_free(take);
    return true;
}

bool call_answer_success(Call *call) {
    Json *json = json_new_object();
    json_put_bool(json, "success", true);
    return call_answer(call, 200, json);
}

bool call_answer_roll(Call *call, const Roll *roll, GError **error) {
    RollWork work = {.roll = roll};
    if (call_limit(call, &work.limit, error) && call_cursor(call, &work.after, error) &&
        call_run(call, DB_READ, roll_work, &work, error))
        return call_answer(call, 200, work.page);
    json_free(work.page);
    return false;
}

bool call_answer_list(Call *call, const char *name, Json *take, const char *next_cursor) {
    Json *json = json_new_object();
    json_put(json, name, take);
    json_put_string(json, "nextCursor", next_cursor);
    return call_answer(call, 200, json);
}

bool call_refuse(Call *call, ProblemKind kind, GError **error, const char *format, ...) {
    va_list values;
    va_start(values, format);
    g_propagate_error(error, g_error_new_valist(ASSAY_ERROR, ERROR_USAGE, format, values));
    va_end(values);
    call->refused = true;
    call->refusal = (Problem){.kind = kind};
    return false;
}

static void free_wrong(void *wrong) {
    shape_wrong_free(wrong);
}

bool call_wrong(Call *call, GError **error, const char *pointer, const char *format, ...) {
    va_list values;
    va_start(values, format);
    g_autofree char *detail = g_strdup_vprintf(format, values);
    va_end(values);
    if (!call->wrongs)
        call->wrongs = g_ptr_array_new_with_free_func(free_wrong);
    g_ptr_array_add(call->wrongs, shape_wrong_new(pointer, "%s", detail));
    if (error && !*error)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "The body is not as it should be; errors says what is wrong.");
    return false;
}

void call_forget_refusal(Call *call) {
    call->refused = false;
    if (call->wrongs)
        g_ptr_array_set_size(call->wrongs, 0);
}

bool call_unchanged(Call *call, const Json *now, GError **error) {
    const char *wanted = call_header(call, "If-Match");
    if (!wanted)
        return true;
    g_autofree char *tag = etag_of_json(now);
    return etag_listed(wanted, tag, false) ||
           call_refuse(call, PROBLEM_PRECONDITION, error, "%s",
                       "The object is no longer the one that If-Match names; read it again.");
}

bool call_wait(Call *call, Errand *errand) {
    call->errand = errand;
    return true;
}

bool call_wait_jobs(Call *call, const CallJobs *wish) {
    g_assert(!call->jobs.ids);
    call->jobs = *wish;
    return true;
}

bool call_ask_password(Call *call, const CallPassword *wish) {
    g_assert(!call->asked.password);
    call->asked = *wish;
    call->asked.password = secret_ref(wish->password);
    call->asked_hash = g_strdup(wish->hash);
    return true;
}

void call_forget_password(Call *call) {
    secret_free(call->asked.password);
    if (call->asked.free_held && call->asked.held)
        call->asked.free_held(call->asked.held);
    call->asked = (CallPassword){0};
    g_clear_pointer(&call->asked_hash, secmem_free_text);
    g_clear_pointer(&call->password_hash, secmem_free_text);
    g_clear_error(&call->password_error);
}

bool call_sleep(Call *call, const CallSleep *wish) {
    g_assert(!call->sleep.begin);
    call->sleep = *wish;
    return true;
}
