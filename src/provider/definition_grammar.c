#include "provider/definition_grammar.h"

#include "base/clock.h"
#include "base/outcome.h"

/* Read from below: the whole file is at the end, its parts above. */

#define OPTIONAL SCHEMA_OPTIONAL
#define REQUIRED SCHEMA_REQUIRED
#define UNSUPPORTED SCHEMA_UNSUPPORTED
#define END                                                                                        \
    { NULL, NULL, SCHEMA_OPTIONAL }

const char *const definition_scheme_words[] = {"bearer",
                                               "basic",
                                               "header",
                                               "query",
                                               "oauth2",
                                               "oauth1",
                                               "client_credentials",
                                               "github_app",
                                               "google_account",
                                               "aws_keys",
                                               "aws_role",
                                               NULL};
const char *const definition_unit_words[] = {"s",       "ms",        "epoch_s", "epoch_ms",
                                             "iso8601", "used/size", NULL};
const char *const definition_severity_words[] = {"low", "medium", "high", "critical", NULL};
const char *const definition_page_words[] = {"none", "link",   "token", "next_url",
                                             "page", "offset", NULL};
const char *const definition_input_words[] = {"text", "list", "bool", "int", NULL};
const char *const definition_format_words[] = {"none", "url", "host", "pem", "email", "uuid", NULL};
const char *const definition_scope_words[] = {"connection", "app",     "user",
                                              "region",     "service", NULL};
const char *const definition_protocol_words[] = {"none",      "query", "ec2", "rest_xml",
                                                 "rest_json", "json",  NULL};
const char *const definition_decode_words[] = {"json", "xml", "csv", NULL};
const char *const definition_then_words[] = {"default", "not_applicable", "could_not_read", NULL};

/* --- restrictions ----------------------------------------------------------------------------- */

static bool is_version(const YamlNode *node) {
    return node->plain && strcmp(node->text, "1") == 0;
}

static bool is_host(const YamlNode *node) {
    for (size_t i = 0; i < node->length; i++) {
        if (!g_ascii_isalnum(node->text[i]) && strchr(".-", node->text[i]) == NULL)
            return false;
    }
    return strchr(node->text, '.') != NULL;
}

/* 403, or 5xx. */
static bool is_status(const YamlNode *node) {
    const char *text = node->text;
    if (node->length != 3 || text[0] < '1' || text[0] > '5')
        return false;
    return (g_ascii_isdigit(text[1]) && g_ascii_isdigit(text[2])) || strcmp(text + 1, "xx") == 0;
}

static bool is_outcome(const YamlNode *node) {
    Outcome outcome;
    return outcome_from_name(node->text, &outcome);
}

/* 5000/1h */
static bool is_rate(const YamlNode *node) {
    const char *slash = strchr(node->text, '/');
    int64_t window;
    if (slash == NULL || slash == node->text || slash - node->text > 9)
        return false;
    for (const char *digit = node->text; digit < slash; digit++) {
        if (!g_ascii_isdigit(*digit))
            return false;
    }
    return node->text[0] != '0' && clock_parse_duration(slash + 1, &window) && window > 0;
}

/* all, '>80%', '>=95%' */
static bool is_require(const YamlNode *node) {
    const char *text = node->text;
    if (strcmp(text, "all") == 0)
        return true;
    if (text[0] != '>')
        return false;
    text += text[1] == '=' ? 2 : 1;
    char *end = NULL;
    double share = g_ascii_strtod(text, &end);
    return g_ascii_isdigit(text[0]) && strcmp(end, "%") == 0 && share <= 100.0;
}

static bool is_path(const YamlNode *node) {
    return node->text[0] == '/' && node->text[1] != '/';
}

/* iam.ListUsers */
static bool is_operation(const YamlNode *node) {
    const char *dot = strchr(node->text, '.');
    if (dot == NULL || dot == node->text || !g_ascii_isupper(dot[1]))
        return false;
    for (const char *letter = node->text; *letter != '\0'; letter++) {
        if (letter != dot && !g_ascii_isalnum(*letter) && *letter != '_')
            return false;
    }
    return true;
}

static bool is_code(const YamlNode *node) {
    for (size_t i = 0; i < node->length; i++) {
        if (!g_ascii_isalnum(node->text[i]) && strchr("._-", node->text[i]) == NULL)
            return false;
    }
    return node->length > 0;
}

static const SchemaType version = {SCHEMA_TEXT, .expected = "1, the version of the format",
                                   .accepts = is_version};
static const SchemaType host = {SCHEMA_TEXT, .expected = "a host name", .accepts = is_host};
static const SchemaType hosts = {SCHEMA_LIST, .expected = "a list of host names", .items = &host};
static const SchemaType status = {SCHEMA_TEXT, .expected = "a status such as 403 or 5xx",
                                  .accepts = is_status};
static const SchemaType status_list = {SCHEMA_LIST, .expected = "a list of statuses",
                                       .items = &status};
static const SchemaType statuses = {
    SCHEMA_EITHER, .expected = "a status such as 403 or 5xx, or a list of them",
    .either = (const SchemaType *const[]){&status, &status_list, NULL}};
static const SchemaType outcome = {
    SCHEMA_TEXT,
    .expected = "ok, absent, forbidden, unlicensed, auth_expired, rate_limited, "
                "unavailable, timeout, bad_request or invalid",
    .accepts = is_outcome};
static const SchemaType rate = {SCHEMA_TEXT, .expected = "calls per time, such as 5000/1h",
                                .accepts = is_rate};
static const SchemaType require = {
    SCHEMA_TEXT, .expected = "all, or a share such as '>80%' or '>=95%'", .accepts = is_require};
static const SchemaType path = {SCHEMA_TEXT, .expected = "a path that begins with one /",
                                .accepts = is_path};
static const SchemaType expression = {SCHEMA_TEXT, .expected = "a jq expression"};
static const SchemaType texts_by_name = {SCHEMA_MAP_OF, .expected = "a map of texts",
                                         .items = &schema_text_or_empty};
static const SchemaType lists_by_name = {SCHEMA_MAP_OF, .expected = "a map of lists",
                                         .items = &schema_texts};

/* --- settings and credentials ----------------------------------------------------------------- */

static const SchemaType discover = {SCHEMA_MAP, .expected = "a map with call and value",
                                    .keys = (const SchemaKey[]){{"call", &schema_name, REQUIRED},
                                                                {"value", &expression, REQUIRED},
                                                                {"label", &expression, OPTIONAL},
                                                                END}};
static const SchemaType input_type = {SCHEMA_TEXT, .expected = "a type",
                                      .words = definition_input_words};
static const SchemaType input_format = {SCHEMA_TEXT, .expected = "a format",
                                        .words = definition_format_words};
static const SchemaType setting = {
    SCHEMA_MAP, .expected = "a map that describes the setting",
    .keys = (const SchemaKey[]){{"label", &schema_text, REQUIRED},
                                {"help", &schema_text, OPTIONAL},
                                {"pattern", &schema_text, OPTIONAL},
                                {"type", &input_type, OPTIONAL},
                                {"format", &input_format, OPTIONAL},
                                {"optional", &schema_bool, OPTIONAL},
                                {"advanced", &schema_bool, OPTIONAL},
                                {"default", &schema_text_or_empty, OPTIONAL},
                                {"discover", &discover, OPTIONAL},
                                END}};
static const SchemaType settings = {SCHEMA_MAP_OF, .expected = "a map of settings",
                                    .accepts = schema_is_name, .items = &setting};
static const SchemaType credential_field = {
    SCHEMA_MAP, .expected = "a map that describes the field",
    .keys = (const SchemaKey[]){{"label", &schema_text, REQUIRED},
                                {"help", &schema_text, OPTIONAL},
                                {"pattern", &schema_text, OPTIONAL},
                                {"format", &input_format, OPTIONAL},
                                {"secret", &schema_bool, OPTIONAL},
                                {"optional", &schema_bool, OPTIONAL},
                                END}};
static const SchemaType credential_fields = {SCHEMA_MAP_OF, .expected = "a map of fields",
                                             .accepts = schema_is_name, .items = &credential_field};
static const SchemaType granted = {
    SCHEMA_MAP, .expected = "a map with header and separator",
    .keys = (const SchemaKey[]){
        {"header", &schema_text, REQUIRED}, {"separator", &schema_text_or_empty, OPTIONAL}, END}};
static const SchemaType scheme = {SCHEMA_TEXT, .expected = "a scheme",
                                  .words = definition_scheme_words};
static const SchemaType rotation = {
    SCHEMA_TEXT, .expected = "how refresh tokens rotate",
    .words = (const char *const[]){"none", "replace", "single_use", NULL}};
static const SchemaType lost_answer_map = {
    SCHEMA_MAP, .expected = "a map with retry_within",
    .keys = (const SchemaKey[]){{"retry_within", &schema_duration, REQUIRED}, END}};
static const SchemaType lost_answer_word = {SCHEMA_TEXT, .expected = "reconnect",
                                            .words = (const char *const[]){"reconnect", NULL}};
static const SchemaType lost_answer = {
    SCHEMA_EITHER, .expected = "reconnect, or a map with retry_within",
    .either = (const SchemaType *const[]){&lost_answer_word, &lost_answer_map, NULL}};
static const SchemaType method = {
    SCHEMA_MAP, .expected = "a map that describes the way to sign in",
    .keys = (const SchemaKey[]){{"label", &schema_text, REQUIRED},
                                {"scheme", &scheme, REQUIRED},
                                {"help", &schema_text, OPTIONAL},
                                {"fields", &credential_fields, OPTIONAL},
                                {"granted", &granted, OPTIONAL},
                                {"header", &schema_text, OPTIONAL},
                                {"prefix", &schema_text_or_empty, OPTIONAL},
                                {"parameter", &schema_text, OPTIONAL},
                                {"authorize_url", &schema_https, OPTIONAL},
                                {"token_url", &schema_https, OPTIONAL},
                                {"revoke_url", &schema_https, OPTIONAL},
                                {"scopes", &lists_by_name, OPTIONAL},
                                {"pkce", &schema_bool, OPTIONAL},
                                {"rotation", &rotation, OPTIONAL},
                                {"lifetime", &schema_duration, OPTIONAL},
                                {"idle_expiry", &schema_duration, OPTIONAL},
                                {"absolute_expiry", &schema_duration, OPTIONAL},
                                {"permanent_errors", &schema_texts, OPTIONAL},
                                {"lost_answer", &lost_answer, OPTIONAL},
                                END}};
static const SchemaType auth = {SCHEMA_MAP_OF, .expected = "a map of ways to sign in",
                                .accepts = schema_is_name, .items = &method};

/* --- HTTP ------------------------------------------------------------------------------------- */

static const SchemaType unit = {SCHEMA_TEXT, .expected = "a unit", .words = definition_unit_words};
static const SchemaType header_time = {
    SCHEMA_MAP, .expected = "a map with header and unit",
    .keys =
        (const SchemaKey[]){{"header", &schema_text, REQUIRED}, {"unit", &unit, REQUIRED}, END}};
static const SchemaType header_count = {
    SCHEMA_EITHER, .expected = "a header, or a map with header and unit",
    .either = (const SchemaType *const[]){&schema_text, &header_time, NULL}};
static const SchemaType send = {SCHEMA_MAP, .expected = "a map with query or body",
                                .keys = (const SchemaKey[]){{"query", &schema_text, OPTIONAL},
                                                            {"body", &schema_text, OPTIONAL},
                                                            {"size", &schema_text, OPTIONAL},
                                                            {"variable", NULL, UNSUPPORTED},
                                                            END}};
static const SchemaType page_style = {SCHEMA_TEXT, .expected = "a style of paging",
                                      .words = definition_page_words};
static const SchemaType page_map = {SCHEMA_MAP, .expected = "a map with a style",
                                    .keys =
                                        (const SchemaKey[]){{"style", &page_style, REQUIRED},
                                                            {"send", &send, OPTIONAL},
                                                            {"from", &expression, OPTIONAL},
                                                            {"until", &expression, OPTIONAL},
                                                            {"size", &schema_count, OPTIONAL},
                                                            {"first", &schema_int, OPTIONAL},
                                                            {"max_pages", &schema_count, OPTIONAL},
                                                            {"max_rows", &schema_count, OPTIONAL},
                                                            {"max_bytes", &schema_count, OPTIONAL},
                                                            END}};
static const SchemaType page_word = {SCHEMA_TEXT, .expected = "none",
                                     .words = (const char *const[]){"none", "link", NULL}};
static const SchemaType page = {SCHEMA_EITHER, .expected = "none, or a map with a style",
                                .either = (const SchemaType *const[]){&page_word, &page_map, NULL}};
static const SchemaType then = {
    SCHEMA_TEXT, .expected = "what becomes of the rows",
    .words = (const char *const[]){"not_applicable", "could_not_read", NULL}};
static const SchemaType code = {SCHEMA_TEXT, .expected = "the name of an error",
                                .accepts = is_code};
static const SchemaType code_list = {SCHEMA_LIST, .expected = "a list of names of errors",
                                     .items = &code};
static const SchemaType codes = {SCHEMA_EITHER,
                                 .expected = "the name of an error, or a list of them",
                                 .either = (const SchemaType *const[]){&code, &code_list, NULL}};
static const SchemaType response = {SCHEMA_MAP, .expected = "a map with status and is",
                                    .keys =
                                        (const SchemaKey[]){{"status", &statuses, OPTIONAL},
                                                            {"code", &codes, OPTIONAL},
                                                            {"when", &expression, OPTIONAL},
                                                            {"is", &outcome, REQUIRED},
                                                            {"until", &header_time, OPTIONAL},
                                                            {"wait", &schema_duration, OPTIONAL},
                                                            {"then", &then, OPTIONAL},
                                                            END}};
static const SchemaType responses = {SCHEMA_LIST, .expected = "a list of rules",
                                     .items = &response};
static const SchemaType limit_scope_word = {SCHEMA_TEXT, .expected = "a scope",
                                            .words = definition_scope_words};
static const SchemaType limit_scope = {SCHEMA_LIST, .expected = "a list of scopes",
                                       .items = &limit_scope_word};
static const SchemaType limit_headers = {
    SCHEMA_MAP, .expected = "a map with limit, remaining and reset",
    .keys = (const SchemaKey[]){{"limit", &header_count, OPTIONAL},
                                {"remaining", &header_count, OPTIONAL},
                                {"reset", &header_time, OPTIONAL},
                                END}};
static const SchemaType limit = {SCHEMA_MAP, .expected = "a map with scope and rate or quota",
                                 .keys =
                                     (const SchemaKey[]){{"scope", &limit_scope, REQUIRED},
                                                         {"rate", &rate, OPTIONAL},
                                                         {"burst", &schema_count, OPTIONAL},
                                                         {"quota", &rate, OPTIONAL},
                                                         {"concurrency", &schema_count, OPTIONAL},
                                                         {"headers", &limit_headers, OPTIONAL},
                                                         END}};
static const SchemaType limits = {SCHEMA_LIST, .expected = "a list of limits", .items = &limit};
static const SchemaType http = {SCHEMA_MAP, .expected = "a map with base_url",
                                .keys = (const SchemaKey[]){{"base_url", &expression, OPTIONAL},
                                                            {"headers", &texts_by_name, OPTIONAL},
                                                            {"page", &page, OPTIONAL},
                                                            {"limits", &limits, OPTIONAL},
                                                            {"responses", &responses, OPTIONAL},
                                                            END}};

/* --- AWS services ----------------------------------------------------------------------------- */

static const SchemaType protocol = {SCHEMA_TEXT, .expected = "a protocol",
                                    .words = definition_protocol_words + 1};
static const SchemaType partition_hosts = {SCHEMA_MAP, .expected = "a map from partition to host",
                                           .keys =
                                               (const SchemaKey[]){{"aws", &host, OPTIONAL},
                                                                   {"aws-us-gov", &host, OPTIONAL},
                                                                   {"aws-cn", &host, OPTIONAL},
                                                                   END}};
static const SchemaType partition_regions = {
    SCHEMA_MAP, .expected = "a map from partition to region",
    .keys = (const SchemaKey[]){{"aws", &schema_text, OPTIONAL},
                                {"aws-us-gov", &schema_text, OPTIONAL},
                                {"aws-cn", &schema_text, OPTIONAL},
                                END}};
static const SchemaType service_host = {
    SCHEMA_EITHER, .expected = "a host with \\(.region) and \\(.suffix), or one by partition",
    .either = (const SchemaType *const[]){&schema_text, &partition_hosts, NULL}};
static const SchemaType service = {SCHEMA_MAP, .expected = "a map that describes the service",
                                   .keys =
                                       (const SchemaKey[]){{"protocol", &protocol, REQUIRED},
                                                           {"version", &schema_text, OPTIONAL},
                                                           {"target", &schema_text, OPTIONAL},
                                                           {"json", &schema_text, OPTIONAL},
                                                           {"host", &service_host, REQUIRED},
                                                           {"region", &partition_regions, OPTIONAL},
                                                           {"sign_as", &schema_text, OPTIONAL},
                                                           {"action", &schema_text, OPTIONAL},
                                                           {"s3", &schema_bool, OPTIONAL},
                                                           {"page", &page, OPTIONAL},
                                                           {"limits", &limits, OPTIONAL},
                                                           {"responses", &responses, OPTIONAL},
                                                           END}};
static const SchemaType services = {SCHEMA_MAP_OF, .expected = "a map of services",
                                    .accepts = schema_is_name, .items = &service};

/* --- calls ------------------------------------------------------------------------------------ */

static const SchemaType operation = {
    SCHEMA_TEXT, .expected = "a service and its operation, such as iam.ListUsers",
    .accepts = is_operation};
static const SchemaType decode = {SCHEMA_TEXT, .expected = "a form of answers",
                                  .words = definition_decode_words};
static const SchemaType expression_or_null = {SCHEMA_TEXT, .expected = "a jq expression, or null",
                                              .may_be_empty = true};
static const SchemaType poll = {SCHEMA_MAP, .expected = "a map with until, every and for",
                                .keys = (const SchemaKey[]){{"until", &expression, REQUIRED},
                                                            {"every", &schema_duration, REQUIRED},
                                                            {"for", &schema_duration, REQUIRED},
                                                            END}};
static const SchemaType call = {SCHEMA_MAP, .expected = "a map that describes the call",
                                .keys =
                                    (const SchemaKey[]){{"get", &path, OPTIONAL},
                                                        {"post", &path, OPTIONAL},
                                                        {"query", &texts_by_name, OPTIONAL},
                                                        {"headers", &texts_by_name, OPTIONAL},
                                                        {"json", &expression, OPTIONAL},
                                                        {"rows", &expression, OPTIONAL},
                                                        {"page", &page, OPTIONAL},
                                                        {"responses", &responses, OPTIONAL},
                                                        {"needs", &lists_by_name, OPTIONAL},
                                                        {"redact", &schema_texts, OPTIONAL},
                                                        {"keep", &schema_texts, OPTIONAL},
                                                        {"decode", &decode, OPTIONAL},
                                                        {"decode_from", &expression, OPTIONAL},
                                                        {"aws", &operation, OPTIONAL},
                                                        {"params", &texts_by_name, OPTIONAL},
                                                        {"region", &expression_or_null, OPTIONAL},
                                                        {"host_prefix", &schema_text, OPTIONAL},
                                                        {"lists", &schema_texts, OPTIONAL},
                                                        {"maps", &schema_texts, OPTIONAL},
                                                        {"poll", &poll, OPTIONAL},
                                                        {"put", NULL, UNSUPPORTED},
                                                        {"patch", NULL, UNSUPPORTED},
                                                        {"delete", NULL, UNSUPPORTED},
                                                        {"form", NULL, UNSUPPORTED},
                                                        {"graphql", NULL, UNSUPPORTED},
                                                        {"variables", NULL, UNSUPPORTED},
                                                        {"download", NULL, UNSUPPORTED},
                                                        END}};
static const SchemaType calls = {SCHEMA_MAP_OF, .expected = "a map of calls",
                                 .accepts = schema_is_name, .items = &call};
static const SchemaType reply = {
    SCHEMA_MAP, .expected = "a map of user, accountId, arn, organizations",
    .keys = (const SchemaKey[]){{"user", &expression, OPTIONAL},
                                {"accountId", &expression, OPTIONAL},
                                {"arn", &expression, OPTIONAL},
                                {"organizations", &expression, OPTIONAL},
                                END}};
static const SchemaType organizations = {
    SCHEMA_MAP, .expected = "a map with call and value",
    .keys = (const SchemaKey[]){
        {"call", &schema_name, REQUIRED}, {"value", &expression, REQUIRED}, END}};
static const SchemaType identity = {
    SCHEMA_MAP, .expected = "a map with call and reply",
    .keys = (const SchemaKey[]){{"call", &schema_name, REQUIRED},
                                {"reply", &reply, REQUIRED},
                                {"organizations", &organizations, OPTIONAL},
                                END}};

/* --- evidence --------------------------------------------------------------------------------- */

static const SchemaType index_map = {SCHEMA_MAP, .expected = "a map with on and key",
                                     .keys =
                                         (const SchemaKey[]){{"on", &expression, REQUIRED},
                                                             {"key", &expression, REQUIRED},
                                                             {"once_per", &schema_name, OPTIONAL},
                                                             END}};
static const SchemaType node = {SCHEMA_MAP, .expected = "a map with call",
                                .keys = (const SchemaKey[]){{"call", &schema_name, OPTIONAL},
                                                            {"first", &schema_names, OPTIONAL},
                                                            {"each", &expression, OPTIONAL},
                                                            {"given", &expression, OPTIONAL},
                                                            {"for", &schema_name, OPTIONAL},
                                                            {"where", &expression, OPTIONAL},
                                                            {"index", &index_map, OPTIONAL},
                                                            {"collect", &schema_count, OPTIONAL},
                                                            {"fold", &texts_by_name, OPTIONAL},
                                                            END}};
static const SchemaType read_graph = {SCHEMA_MAP_OF, .expected = "a map of reads",
                                      .accepts = schema_is_name, .items = &node};
static const SchemaType row_map = {SCHEMA_MAP_OF, .expected = "a map of expressions",
                                   .accepts = schema_is_identifier, .items = &expression};
static const SchemaType row = {SCHEMA_EITHER,
                               .expected = "a map from field to expression, or one expression",
                               .either = (const SchemaType *const[]){&expression, &row_map, NULL}};
static const SchemaType fields = {SCHEMA_MAP_OF, .expected = "a map from field to type",
                                  .accepts = schema_is_identifier, .items = &schema_text};
static const SchemaType severity = {SCHEMA_TEXT, .expected = "a severity",
                                    .words = definition_severity_words};
static const SchemaType check = {SCHEMA_MAP, .expected = "a map that describes the check",
                                 .keys =
                                     (const SchemaKey[]){{"title", &schema_text, REQUIRED},
                                                         {"resource", &expression, REQUIRED},
                                                         {"applies", &expression, OPTIONAL},
                                                         {"pass", &expression, REQUIRED},
                                                         {"require", &require, OPTIONAL},
                                                         {"reads", &schema_names, OPTIONAL},
                                                         {"severity", &severity, REQUIRED},
                                                         {"remediation", &schema_text, REQUIRED},
                                                         {"controls", &lists_by_name, OPTIONAL},
                                                         END}};
static const SchemaType checks = {SCHEMA_MAP_OF, .expected = "a map of checks",
                                  .accepts = schema_is_name, .items = &check};
static const SchemaType type = {SCHEMA_TEXT, .expected = "a kind of evidence",
                                .words = (const char *const[]){"config", "report", "log", "policy",
                                                               "document", "screenshot", NULL}};
static const SchemaType evidence_type = {
    SCHEMA_MAP, .expected = "a map that describes the evidence",
    .keys = (const SchemaKey[]){{"title", &schema_text, REQUIRED},
                                {"description", &schema_text, REQUIRED},
                                {"type", &type, REQUIRED},
                                {"valid_for", &schema_duration, OPTIONAL},
                                {"range", &schema_duration, OPTIONAL},
                                {"metadata", &expression, OPTIONAL},
                                {"read", &read_graph, REQUIRED},
                                {"row_of", &schema_name, OPTIONAL},
                                {"row", &row, REQUIRED},
                                {"fields", &fields, REQUIRED},
                                {"summary", &texts_by_name, OPTIONAL},
                                {"checks", &checks, OPTIONAL},
                                END}};
static const SchemaType evidence = {SCHEMA_MAP_OF, .expected = "a map of evidence types",
                                    .accepts = schema_is_name, .items = &evidence_type};

/* --- the rest, and the whole ------------------------------------------------------------------ */

static const SchemaType verify_scheme = {SCHEMA_TEXT, .expected = "hmac_sha256",
                                         .words = (const char *const[]){"hmac_sha256", NULL}};
static const SchemaType verify = {SCHEMA_MAP, .expected = "a map with scheme and header",
                                  .keys = (const SchemaKey[]){{"scheme", &verify_scheme, REQUIRED},
                                                              {"header", &schema_text, REQUIRED},
                                                              {"prefix", &schema_text, OPTIONAL},
                                                              END}};
static const SchemaType event = {SCHEMA_MAP, .expected = "a map with header",
                                 .keys =
                                     (const SchemaKey[]){{"header", &schema_text, REQUIRED}, END}};
static const SchemaType webhooks = {SCHEMA_MAP, .expected = "a map with verify, event and refresh",
                                    .keys =
                                        (const SchemaKey[]){{"verify", &verify, REQUIRED},
                                                            {"event", &event, REQUIRED},
                                                            {"refresh", &lists_by_name, REQUIRED},
                                                            END}};
static const SchemaType actions = {
    SCHEMA_MAP, .expected = "an empty map, as actions are not supported in this version",
    .keys = (const SchemaKey[]){END}};
static const SchemaType schedule = {SCHEMA_MAP, .expected = "a map with default, min and max",
                                    .keys =
                                        (const SchemaKey[]){{"default", &schema_duration, REQUIRED},
                                                            {"min", &schema_duration, OPTIONAL},
                                                            {"max", &schema_duration, OPTIONAL},
                                                            END}};
static const SchemaType category = {
    SCHEMA_TEXT, .expected = "a category",
    .words = (const char *const[]){"identity", "cloud", "devops", "endpoint", "security",
                                   "collaboration", "data", "commerce", "backup", NULL}};
const SchemaType definition_grammar = {SCHEMA_MAP, .expected = "a provider definition",
                                       .keys =
                                           (const SchemaKey[]){{"assay", &version, REQUIRED},
                                                               {"id", &schema_name, REQUIRED},
                                                               {"aliases", &schema_names, OPTIONAL},
                                                               {"name", &schema_text, REQUIRED},
                                                               {"icon", &schema_text, OPTIONAL},
                                                               {"category", &category, REQUIRED},
                                                               {"summary", &schema_text, REQUIRED},
                                                               {"docs", &schema_https, OPTIONAL},
                                                               {"checked", &schema_date, REQUIRED},
                                                               {"hosts", &hosts, OPTIONAL},
                                                               {"settings", &settings, OPTIONAL},
                                                               {"auth", &auth, REQUIRED},
                                                               {"http", &http, OPTIONAL},
                                                               {"identity", &identity, OPTIONAL},
                                                               {"services", &services, OPTIONAL},
                                                               {"calls", &calls, REQUIRED},
                                                               {"evidence", &evidence, REQUIRED},
                                                               {"webhooks", &webhooks, OPTIONAL},
                                                               {"actions", &actions, OPTIONAL},
                                                               {"schedule", &schedule, OPTIONAL},
                                                               {"setup", &schema_text, OPTIONAL},
                                                               END}};
