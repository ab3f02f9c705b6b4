#include "present/job_object.h"

#include "base/error.h"

#include <string.h>

/* --- results ---------------------------------------------------------------------------------- */

static Json *error_entry(const Json *entry) {
    const char *code = json_member_string(entry, "code", "INTERNAL");
    bool retryable = error_code_retryable(error_code_from_name(code));
    Json *details = json_member(entry, "details");
    Json *out = json_new_object();
    json_put_string(out, "evidenceType", json_member_string(entry, "evidenceType", NULL));
    json_put_string(out, "code", code);
    json_put_string(out, "message", json_member_string(entry, "message", ""));
    json_put_bool(out, "retryable", json_member_bool(entry, "retryable", retryable));
    json_put(out, "details", details ? json_ref(details) : json_new_object());
    return out;
}

Json *job_result_object(const Json *stored) {
    static const char *const counts[] = {"evidenceCollected", "evidenceFailed", "controlsUpdated"};
    Json *out = json_new_object();
    Json *errors = json_new_array();
    const Json *given = json_member(stored, "errors");
    const char *parked = json_member_string(stored, "parkedUntil", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        json_put_int(out, counts[i], json_member_int(stored, counts[i], 0));
    for (size_t i = 0; i < json_count(given); i++)
        json_add(errors, error_entry(json_item(given, i)));
    json_put(out, "errors", errors);
    if (parked)
        json_put_string(out, "parkedUntil", parked);
    return out;
}

/* --- jobs ------------------------------------------------------------------------------------- */

static Json *parsed(const char *text) {
    return text ? json_parse(text, strlen(text), STORE_JSON_MAX, NULL) : NULL;
}

static Json *types_json(const Job *job) {
    g_autoptr(Json) request = parsed(job->request);
    Json *types = json_member(request, "evidenceTypes");
    return types ? json_ref(types) : json_new_array();
}

static void put_end(Json *json, const JobResult *result) {
    g_autoptr(Json) stored = parsed(result ? result->result : NULL);
    json_put(json, "result", stored ? job_result_object(stored) : NULL);
    json_put(json, "error", parsed(result ? result->error : NULL));
}

Json *job_object(const Job *job, const JobResult *result, const Json *progress) {
    Json *json = json_new_object();
    json_put_string(json, "id", job->id);
    json_put_string(json, "integrationId", job->integration_id);
    json_put_string(json, "organizationId", job->organization_id);
    json_put_string(json, "status", job->status);
    json_put(json, "evidenceTypes", types_json(job));
    json_put_int(json, "attempt", job->attempt);
    json_put_int(json, "priority", job->priority);
    json_put_time(json, "createdAt", job->created_at);
    json_put_time(json, "startedAt", job->started_at);
    json_put_time(json, "completedAt", job->completed_at);
    json_put_time(json, "dueAt", job->completed_at > 0 ? 0 : job->due_at);
    json_put_time(json, "calledOffAt", job->cancel_at);
    json_put(json, "progress", progress ? json_copy_deep(progress) : NULL);
    put_end(json, result);
    return json;
}
