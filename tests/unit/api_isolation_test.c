/* Every route, in every role, in one's own organization and in another, against the tables that
 * docs/roles.md writes down by hand. */
#include "api/routes.h"
#include "base/id.h"
#include "store/credential.h"
#include "store/evidence.h"
#include "store/role.h"
#include "unit/api_support.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOBODYS "01890000-0000-7000-8000-00000000ffff"

/* --- the document ----------------------------------------------------------------------------- */

typedef struct {
    GHashTable *needs; /* "GET `/api/jobs`" -> "`job.read`", "anybody" ... */
    GHashTable *cells; /* "`job.read`" -> cells of owner ... scanner, operator (GStrv) */
} Document;

static GStrv cells_of(const char *line) {
    g_auto(GStrv) parts = g_strsplit(line, "|", -1);
    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    for (char **part = parts + 1; part[0] && part[1]; part++)
        g_ptr_array_add(cells, g_strdup(g_strstrip(*part)));
    g_ptr_array_add(cells, NULL);
    return (GStrv)g_ptr_array_free(g_steal_pointer(&cells), FALSE);
}

static void read_line(Document *document, const char *line) {
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    g_auto(GStrv) cells = cells_of(line);
    guint count = g_strv_length(cells);
    bool route = false;
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        route |= g_str_has_prefix(cells[0], methods[i]) && strstr(cells[0], " `/");
    if (route) {
        g_assert_cmpuint(count, ==, 2);
        g_assert_true(g_hash_table_insert(document->needs, g_strdup(cells[0]), g_strdup(cells[1])));
    } else if (cells[0][0] == '`') {
        g_hash_table_insert(document->cells, g_strdup(cells[0]), g_strdupv(cells + 1));
    }
}

static void document_init(Document *document) {
    GError *error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *path = g_build_filename(g_getenv("ASSAY_SOURCE"), "docs", "roles.md", NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    g_assert_no_error(error);
    document->needs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    document->cells =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "| "))
            read_line(document, *line);
}

static void document_clear(Document *document) {
    g_hash_table_unref(document->needs);
    g_hash_table_unref(document->cells);
}

static char *name_of(const Route *route) {
    return g_strdup_printf("%s `%s`", route->method, route->path);
}

static const char *need_of(const Document *document, const Route *route) {
    g_autofree char *name = name_of(route);
    const char *need = g_hash_table_lookup(document->needs, name);
    if (!need)
        g_error("docs/roles.md does not say who may %s", name);
    return need;
}

/* What the document says of the route for a role; ROLE_NONE: for the operator. */
static const char *cell_of(const Document *document, const char *need, Role role) {
    char *const *cells = g_hash_table_lookup(document->cells, need);
    if (!cells)
        g_error("docs/roles.md has no row for %s", need);
    return cells[role];
}

/* An operator's route wants no role: nobody but the operator has a yes. */
static bool is_operators(const Document *document, const char *need) {
    for (Role role = ROLE_OWNER; role < ROLE_NONE; role++)
        if (strcmp(cell_of(document, need, role), "no") != 0)
            return false;
    return true;
}

typedef void (*EachRoute)(const Stage *stage, const Document *document, const Route *route);

static void for_each_route(EachRoute each) {
    g_auto(Stage) stage;
    Document document;
    stage_init(&stage, 0);
    document_init(&document);
    for (const Route *const *table = routes; *table; table++)
        for (const Route *route = *table; route->method; route++)
            each(&stage, &document, route);
    document_clear(&document);
}

/* --- asking ----------------------------------------------------------------------------------- */

typedef struct {
    const char *token; /* or NULL */
    const char *organization;
    const char *id;   /* for the path; NULL: of nothing */
    const char *body; /* NULL: {} where the route takes one */
} Try;

static char *path_of(const Route *route, const char *id) {
    g_auto(GStrv) names = route_parameter_names(route->path);
    char *path = g_strdup(route->path);
    for (char **name = names; *name; name++) {
        g_autofree char *pattern = g_strdup_printf("{%s}", *name);
        g_auto(GStrv) parts = g_strsplit(path, pattern, 2);
        g_free(path);
        path = g_strjoinv(id ? id : NOBODYS, parts);
    }
    return path;
}

/* The status alone: the rest of a stream never ends. */
static unsigned status_of(const Stage *stage, const char *request) {
    char head[64] = "";
    size_t size = 0;
    int connection = stage_connect(stage);
    stage_write(connection, request);
    while (size < 12) {
        ssize_t got = recv(connection, head + size, sizeof head - 1 - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    close(connection);
    return (unsigned)g_ascii_strtoull(head + strlen("HTTP/1.1 "), NULL, 10);
}

static unsigned try_route(const Stage *stage, const Route *route, const Try *attempt) {
    g_autofree char *path = path_of(route, attempt->id);
    const char *body = !route->body ? "" : attempt->body ? attempt->body : "{}";
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n",
                           route->method, path);
    if (attempt->token)
        g_string_append_printf(text, "Authorization: Bearer %s\r\n", attempt->token);
    if (attempt->organization)
        g_string_append_printf(text, "X-Assay-Organization: %s\r\n", attempt->organization);
    if (*body != '\0')
        g_string_append_printf(text, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                               strlen(body));
    g_string_append_printf(text, "\r\n%s", body);
    return status_of(stage, text->str);
}

static bool is_of_integration(const Route *route) {
    return g_str_has_prefix(route->path, "/api/integrations/{id}") ||
           g_str_has_prefix(route->path, "/api/schedules/{id}");
}

static void expect(const Route *route, const char *who, bool allowed, unsigned status) {
    bool answered = status != 401 && status != 403;
    if (answered != allowed || status == 0 || status >= 500)
        g_error("%s %s as %s: docs/roles.md says %s, the server %u", route->method, route->path,
                who, allowed ? "yes" : "no", status);
}

/* --- one's own organization ------------------------------------------------------------------- */

/* Nothing that can be done is done to what the roles behind it need. */
static void try_roles(const Stage *stage, const Document *document, const Route *route) {
    const char *need = need_of(document, route);
    bool open = need[0] != '`';
    for (Role role = ROLE_OWNER; role < ROLE_NONE; role++) {
        Try attempt = {.token = stage->tokens[role],
                       .organization = ORG_A,
                       .id = is_of_integration(route) ? INTEGRATION_A : NULL};
        bool allowed = open || strcmp(cell_of(document, need, role), "no") != 0;
        expect(route, role_name(role), allowed || !strcmp(cell_of(document, need, role), "granted"),
               try_route(stage, route, &attempt));
    }
}

static void every_role_may_what_the_document_says(void) {
    for_each_route(try_roles);
}

static void try_operator(const Stage *stage, const Document *document, const Route *route) {
    const char *need = need_of(document, route);
    bool open = need[0] != '`';
    Try attempt = {.token = stage->operator};
    unsigned status = try_route(stage, route, &attempt);
    if (open || is_operators(document, need)) {
        expect(route, "operator", strcmp(need, "any role") != 0, status);
        return;
    }
    /* A role is wanted, and he has none: in no organization, and so in this one. */
    attempt.organization = ORG_A;
    g_assert_cmpuint(status, >=, 400);
    g_assert_cmpuint(try_route(stage, route, &attempt), ==, 404);
}

static void the_operator_may_what_the_document_says(void) {
    for_each_route(try_operator);
}

static void try_nobody(const Stage *stage, const Document *document, const Route *route) {
    Try attempt = {.organization = ORG_A};
    bool public = strcmp(need_of(document, route), "anybody") == 0;
    unsigned status = try_route(stage, route, &attempt);
    if (public)
        g_assert_cmpuint(status, !=, 403);
    else
        g_assert_cmpuint(status, ==, 401);
}

static void nobody_may_what_the_document_says(void) {
    for_each_route(try_nobody);
}

static void count_route(const Stage *stage, const Document *document, const Route *route) {
    g_autofree char *name = name_of(route);
    (void)stage;
    if (!g_hash_table_remove(document->needs, name))
        g_error("docs/roles.md lacks %s, or it is there twice", name);
}

static void the_document_names_no_route_that_is_not_there(void) {
    g_auto(Stage) stage;
    Document document;
    stage_init(&stage, 0);
    document_init(&document);
    for (const Route *const *table = routes; *table; table++)
        for (const Route *route = *table; route->method; route++)
            count_route(&stage, &document, route);
    g_autofree void **left = g_hash_table_get_keys_as_array(document.needs, NULL);
    if (left[0])
        g_error("docs/roles.md names %s, which is no route", (const char *)left[0]);
    document_clear(&document);
}

/* --- another organization --------------------------------------------------------------------- */

static void try_elsewhere(const Stage *stage, const Document *document, const Route *route) {
    const char *need = need_of(document, route);
    if (need[0] != '`' || is_operators(document, need))
        return;
    for (Role role = ROLE_OWNER; role <= ROLE_NONE; role++) {
        bool stranger = role == ROLE_NONE;
        Try attempt = {.token = stranger ? stage->stranger : stage->tokens[role],
                       .organization = stranger ? ORG_A : ORG_B,
                       .id = stranger ? INTEGRATION_A : INTEGRATION_B};
        unsigned status = try_route(stage, route, &attempt);
        if (status != 404)
            g_error("%s %s in a foreign organization: %u", route->method, route->path, status);
    }
}

static void a_foreign_organization_is_not_found_on_any_route(void) {
    for_each_route(try_elsewhere);
}

/* --- foreign things in one's own organization ------------------------------------------------- */

static const DbScope of_b = {.organization = ORG_B, .actor = "test", .role = "owner"};

static bool add_evidence(DbUnit *unit, void *data, GError **error) {
    Evidence row = {.id = data,
                    .integration_id = INTEGRATION_B,
                    .evidence_type = "branch_protection",
                    .source = "github",
                    .record = "{\"version\":1}",
                    .completeness = 1,
                    .collected_at = 1760000000000,
                    .valid_from = 1760000000000,
                    .valid_until = 1760000001000};
    return evidence_insert(unit, &row, NULL, NULL, error);
}

/* Things of ORG_B, by what their routes begin with. */
typedef struct {
    const char *prefix;
    char *id;
    const char *body; /* one that its changing routes take */
} Foreign;

enum { CREDENTIAL, INTEGRATION, SCHEDULE, JOB, EVIDENCE, INVITATION, TOKEN, USER, AUDIT, FOREIGN };

static char *made(const Stage *stage, const char *path, const char *body, const char *id) {
    g_auto(Answer) answer = stage_ask(
        stage, &(Ask){.method = "POST", .path = path, .token = stage->stranger, .body = body});
    g_assert_cmpuint(answer.status / 100, ==, 2);
    g_assert_cmpstr(answer_text(&answer, id), !=, "");
    return g_strdup(answer_text(&answer, id));
}

static char *first_of(const Stage *stage, const char *path, const char *list) {
    g_auto(Answer) answer = stage_ask(stage, &(Ask){.path = path, .token = stage->stranger});
    const Json *item = json_item(json_member(answer.json, list), 0);
    g_assert_nonnull(item);
    return g_strdup(json_member_string(item, "id", ""));
}

static char *evidence_of_b(const Stage *stage) {
    char *id = id_new();
    must(db_run(stage->db, &of_b, DB_WRITE, add_evidence, id, &error));
    return id;
}

static char *member_of_b(const Stage *stage) {
    g_autofree char *link = made(stage, "/api/invitations",
                                 "{\"email\":\"eve@example.com\",\"role\":\"member\"}", "link");
    g_autofree char *body =
        g_strdup_printf("{\"token\":\"%s\",\"name\":\"Eve\",\"password\":\"a long enough secret\"}",
                        strchr(link, '#') + 1);
    g_auto(Answer) joined =
        stage_ask(stage, &(Ask){.method = "POST", .path = "/api/invitations/accept", .body = body});
    g_assert_cmpuint(joined.status, ==, 201);
    return g_strdup(answer_text(&joined, "id"));
}

static void make_foreign(const Stage *stage, Foreign foreign[FOREIGN]) {
    foreign[CREDENTIAL] = (Foreign){"/api/integrations/{id}/reconnect", g_strdup(INTEGRATION_B),
                                    "{\"credentials\":{}}"};
    foreign[INTEGRATION] =
        (Foreign){"/api/integrations/", g_strdup(INTEGRATION_B), "{\"name\":\"mine\"}"};
    foreign[SCHEDULE] = (Foreign){"/api/schedules/", g_strdup(INTEGRATION_B), "{\"paused\":true}"};
    foreign[JOB] = (Foreign){"/api/jobs/",
                             made(stage, "/api/integrations/" INTEGRATION_B "/sync",
                                  "{\"evidenceTypes\":[\"branch_protection\"]}", "jobId"),
                             "{}"};
    foreign[EVIDENCE] =
        (Foreign){"/api/evidence/", evidence_of_b(stage), "{\"state\":\"approved\"}"};
    foreign[USER] = (Foreign){"/api/users/", member_of_b(stage), "{\"role\":\"admin\"}"};
    foreign[INVITATION] =
        (Foreign){"/api/invitations/",
                  made(stage, "/api/invitations",
                       "{\"email\":\"ada@example.com\",\"role\":\"member\"}", "invitation.id"),
                  "{}"};
    foreign[TOKEN] = (Foreign){
        "/api/tokens/",
        made(stage, "/api/tokens", "{\"name\":\"b\",\"role\":\"member\"}", "tokenInfo.id"),
        "{\"role\":\"member\"}"};
    foreign[AUDIT] = (Foreign){"/api/audit/", first_of(stage, "/api/audit", "audit"), "{}"};
}

static const Foreign *foreign_of(const Foreign foreign[FOREIGN], const Route *route) {
    for (size_t i = 0; i < FOREIGN; i++)
        if (g_str_has_prefix(route->path, foreign[i].prefix))
            return &foreign[i];
    return NULL;
}

/* Paths whose parameter is no row of an organization; those of the operator, who sees them all. */
static bool names_no_row(const Route *route) {
    return g_str_has_prefix(route->path, "/api/controls/") ||
           g_str_has_prefix(route->path, "/api/providers/") ||
           g_str_has_prefix(route->path, "/api/limits/") ||
           g_str_has_prefix(route->path, "/api/sessions/") ||
           g_str_has_prefix(route->path, "/api/installation/") ||
           g_str_has_prefix(route->path, "/api/organizations/") ||
           g_str_has_prefix(route->path, "/api/integrations/oauth/");
}

static void try_foreign(const Stage *stage, const Foreign foreign[FOREIGN], const Route *route) {
    if (route_parameters(route->path) == 0 || names_no_row(route) ||
        route->access == ACCESS_OPERATOR)
        return;
    const Foreign *thing = foreign_of(foreign, route);
    if (!thing)
        g_error("this test has no foreign thing for %s", route->path);
    Try attempt = {.token = stage->tokens[ROLE_OWNER],
                   .organization = ORG_A,
                   .id = thing->id,
                   .body = route->body_optional ? "{}" : thing->body};
    unsigned status = try_route(stage, route, &attempt);
    if (status != 404)
        g_error("%s %s of a foreign thing: %u", route->method, route->path, status);
}

static void a_foreign_thing_is_not_found_on_any_route(void) {
    Foreign foreign[FOREIGN];
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    make_foreign(&stage, foreign);
    for (const Route *const *table = routes; *table; table++)
        for (const Route *route = *table; route->method; route++)
            try_foreign(&stage, foreign, route);
    for (size_t i = 0; i < FOREIGN; i++)
        g_free(foreign[i].id);
}

static const ApiTest tests[] = {
    {"the_document_names_no_route_that_is_not_there",
     the_document_names_no_route_that_is_not_there},
    {"every_role_may_what_the_document_says", every_role_may_what_the_document_says},
    {"the_operator_may_what_the_document_says", the_operator_may_what_the_document_says},
    {"nobody_may_what_the_document_says", nobody_may_what_the_document_says},
    {"a_foreign_organization_is_not_found_on_any_route",
     a_foreign_organization_is_not_found_on_any_route},
    {"a_foreign_thing_is_not_found_on_any_route", a_foreign_thing_is_not_found_on_any_route},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "isolation", tests, G_N_ELEMENTS(tests));
}
