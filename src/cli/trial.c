#include "cli/trial.h"

#include "base/error.h"
#include "cli/progress.h"

static void show(Progress *progress, const Output *output, const char *service) {
    g_autoptr(Json) report = json_new_object();
    json_put_string(report, "message", "testing the connection");
    progress_init(progress, output, service);
    progress_show(report, progress);
}

bool trial_here(Session *session, const Output *output, const NewConnection *wish,
                Json **account_out, GError **error) {
    Crew *crew = session_crew(session, error);
    if (!crew)
        return false;
    CrewTest request = {.provider = wish->definition->id,
                        .auth = wish->auth->name,
                        .settings = wish->settings,
                        .credentials = wish->credentials};
    Progress progress;
    show(&progress, output, wish->definition->name);
    bool ok = crew_test(crew, &request, account_out, error);
    progress_clear(&progress);
    return ok;
}

static Json *send(Remote *remote, const TrialRequest *request, GError **error) {
    size_t count = credentials_count(request->credentials);
    g_autofree RemoteSecret *secrets = g_new0(RemoteSecret, count + 1);
    for (size_t i = 0; i < count; i++) {
        const char *field = credentials_field(request->credentials, i);
        secrets[i] = (RemoteSecret){field, credentials_get(request->credentials, field)};
    }
    return remote_send_secrets(remote, "POST", request->path, request->body, "credentials", secrets,
                               error);
}

/* A test that takes long goes on as a job, whose result is the answer. */
static Json *wait_for_test(Remote *remote, const Json *later, GError **error) {
    const char *id = json_member_string(later, "jobId", "");
    g_autoptr(Json) job = remote_wait(remote, id, NULL, NULL, error);
    Json *result = json_member(job, "result");
    const Json *why = json_member(job, "error");
    if (!job)
        return NULL;
    if (json_kind(result) == JSON_KIND_OBJECT)
        return json_ref(result);
    g_set_error(error, ASSAY_ERROR,
                (int)error_code_from_name(json_member_string(why, "code", "INTERNAL")), "%s",
                json_member_string(why, "message", "The test ended without a result."));
    return NULL;
}

Json *trial_there(Remote *remote, const Output *output, const TrialRequest *request,
                  GError **error) {
    Progress progress;
    show(&progress, output, request->service);
    g_autoptr(Json) answer = send(remote, request, error);
    Json *reply = !answer                          ? NULL
                  : json_member(answer, "success") ? json_ref(answer)
                                                   : wait_for_test(remote, answer, error);
    progress_clear(&progress);
    return reply;
}
