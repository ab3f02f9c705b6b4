#include "cli/doctor_network.h"

#include "base/clock.h"
#include "net/client.h"
#include "net/retry.h"
#include "net/url.h"
#include "provider/registry.h"
#include "store/integration.h"
#include "store/organization.h"

#include <string.h>

#define TIMEOUT_MS 10000
#define DRIFT_MS 60000 /* signatures of AWS allow five minutes */
#define ADVICE                                                                                     \
    "Check name service, firewall and proxy of this machine, and the integration's settings."

/* --- which hosts ------------------------------------------------------------------------------ */

typedef struct {
    char *url;
    bool allow_private;
    Checkup *checkup;
    unsigned *open; /* questions that are not answered yet */
} Question;

typedef struct {
    Registry *registry;
    GHashTable *questions; /* URL -> Question * */
    GPtrArray *rows;
    const char *after;
} Gathering;

static void question_free(void *data) {
    Question *question = data;
    g_free(question->url);
    g_free(question);
}

static void ask_for(Gathering *gathering, const char *text, bool allow_private) {
    Url url;
    if (!url_parse(text, &url, NULL))
        return;
    g_autofree char *origin = url_origin(&url);
    Question *question = g_new0(Question, 1);
    question->url = g_strconcat(origin, "/", NULL);
    question->allow_private = allow_private;
    g_hash_table_replace(gathering->questions, question->url, question);
}

/* What the integration's own settings say comes before the definition's hosts. */
static void gather_one(Gathering *gathering, const Integration *row) {
    static const char *const names[] = {"api_url", "endpoint_url"};
    g_autoptr(Json) settings =
        json_parse(row->settings, strlen(row->settings), STORE_JSON_MAX, NULL);
    const char *own = NULL;
    for (size_t i = 0; settings && !own && i < G_N_ELEMENTS(names); i++)
        own = json_member_string(settings, names[i], NULL);
    if (own) {
        ask_for(gathering, own, row->allow_private);
        return;
    }
    const Definition *definition = registry_find(gathering->registry, row->provider, NULL);
    for (size_t i = 0; definition && i < definition->host_count; i++) {
        g_autofree char *url = g_strconcat("https://", definition->hosts[i], "/", NULL);
        if (!strchr(definition->hosts[i], '*'))
            ask_for(gathering, url, false);
    }
}

static bool organizations_work(DbUnit *unit, void *data, GError **error) {
    Gathering *gathering = data;
    g_clear_pointer(&gathering->rows, g_ptr_array_unref);
    return organization_list(unit, gathering->after, STORE_LIST_MAX, &gathering->rows, error);
}

static bool integrations_work(DbUnit *unit, void *data, GError **error) {
    Gathering *gathering = data;
    IntegrationFilter filter = {.after_id = gathering->after, .limit = STORE_LIST_MAX};
    g_clear_pointer(&gathering->rows, g_ptr_array_unref);
    return integration_list(unit, &filter, &gathering->rows, error);
}

static bool gather_organization(Db *db, Gathering *gathering, const char *id, GError **error) {
    DbScope scope = {.organization = id, .actor = "cli", .role = "owner"};
    Gathering page = {.registry = gathering->registry, .questions = gathering->questions};
    g_autofree char *after = NULL;
    guint count = STORE_LIST_MAX;
    bool ok = true;
    while (ok && count == STORE_LIST_MAX) {
        page.after = after;
        ok = db_run(db, &scope, DB_READ, integrations_work, &page, error);
        count = ok ? page.rows->len : 0;
        for (guint i = 0; i < count; i++)
            gather_one(&page, g_ptr_array_index(page.rows, i));
        g_free(after);
        after = count > 0 ? g_strdup(((Integration *)g_ptr_array_index(page.rows, count - 1))->id)
                          : NULL;
    }
    if (page.rows)
        g_ptr_array_unref(page.rows);
    return ok;
}

static bool gather(Db *db, Gathering *gathering, GError **error) {
    const DbScope scope = {.actor = "cli", .role = "operator", .system = true};
    g_autofree char *after = NULL;
    guint count = STORE_LIST_MAX;
    bool ok = true;
    while (ok && count == STORE_LIST_MAX) {
        gathering->after = after;
        ok = db_run(db, &scope, DB_READ, organizations_work, gathering, error);
        count = ok ? gathering->rows->len : 0;
        for (guint i = 0; ok && i < count; i++) {
            const Organization *row = g_ptr_array_index(gathering->rows, i);
            ok = gather_organization(db, gathering, row->id, error);
        }
        g_free(after);
        after = count > 0
                    ? g_strdup(((Organization *)g_ptr_array_index(gathering->rows, count - 1))->id)
                    : NULL;
    }
    if (gathering->rows)
        g_ptr_array_unref(gathering->rows);
    return ok;
}

/* --- asking ----------------------------------------------------------------------------------- */

static NetJudgement any_answer(const NetResponse *response, void *data) {
    (void)response;
    (void)data;
    return (NetJudgement){.outcome = OUTCOME_OK, .wait_ms = -1};
}

static void judge(NetResult *result, void *data) {
    Question *question = data;
    const char *date = net_headers_get(result->response.headers, "date");
    int64_t theirs = 0;
    (*question->open)--;
    if (result->error || result->response.status == 0) {
        checkup_warn(question->checkup, ADVICE, "%s: %s", question->url,
                     result->error ? result->error->message : "there was no answer");
        return;
    }
    bool told = date && retry_http_date(date, &theirs);
    int64_t drift = told ? theirs - clock_now_ms() : 0;
    if (drift > DRIFT_MS || drift < -DRIFT_MS)
        checkup_warn(question->checkup, "Set this machine's clock by NTP.",
                     "%s is reached, and its clock is %lld s away", question->url,
                     (long long)(drift / 1000));
    else
        checkup_ok(question->checkup, "%s is reached", question->url);
}

static bool is_over(void *data) {
    const unsigned *open = data;
    return *open == 0;
}

static bool ask_all(GHashTable *questions, Checkup *checkup, GError **error) {
    g_autoptr(NetClient) client = net_client_new(NULL, error);
    unsigned open = g_hash_table_size(questions);
    GHashTableIter iterator;
    void *value = NULL;
    if (!client)
        return false;
    g_hash_table_iter_init(&iterator, questions);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        Question *question = value;
        NetRequest *request = net_request_new("GET", question->url);
        question->checkup = checkup;
        question->open = &open;
        request->once = true;
        request->allow_private = question->allow_private;
        request->total_timeout_ms = TIMEOUT_MS;
        request->classify = any_answer;
        request->done = judge;
        request->data = question;
        net_client_send(client, request);
    }
    return net_client_run_until(client, is_over, &open, error);
}

static bool look(Examination *examination, GHashTable *questions, GError **error) {
    g_autoptr(Registry) registry = registry_new(examination->place->providers_dir, error);
    Gathering gathering = {.registry = registry, .questions = questions};
    return registry && gather(examination->db, &gathering, error) &&
           ask_all(questions, examination->checkup, error);
}

void doctor_network(Examination *examination) {
    g_autoptr(GError) error = NULL;
    if (!examination->network || !examination->db)
        return;
    GHashTable *questions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, question_free);
    if (!look(examination, questions, &error))
        checkup_fail(examination->checkup, "Look at what is said before.", "%s", error->message);
    else if (g_hash_table_size(questions) == 0)
        checkup_ok(examination->checkup, "no integration names a host");
    g_hash_table_unref(questions);
}
