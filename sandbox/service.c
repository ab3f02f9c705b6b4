#include "sandbox/service.h"

#include "base/clock.h"

#include <string.h>

#define NUMBER_SIZE 24

/* One request on its way through the checks. */
typedef struct {
    Service *service;
    const ServiceRequest *request;
    const Fault *fault;
    Reply *reply;
    Token *token; /* NULL until it is known */
    const Route *route;
    Target target;
    RouteMatch *match;
    Variables variables;
    GString *link;
    GString *cursor;
    int64_t now_ms;
    char numbers[5][NUMBER_SIZE];
    char serial[NUMBER_SIZE];
} Answer;

static void destroy_token(gpointer data) {
    token_free(data);
}

Service *service_new(const ServiceOptions *options) {
    Service *service = g_new0(Service, 1);
    service->url = g_strdup(options->url);
    service->catalog = options->catalog;
    service->aws = options->aws;
    service->tokens = options->tokens;
    g_ptr_array_set_free_func(service->tokens, destroy_token);
    service->faults = faults_new();
    service->stats = stats_new(&options->stats);
    service->match = g_new0(RouteMatch, 1);
    service->items = g_new0(Item, LISTING_ITEMS);
    return service;
}

void service_free(Service *service) {
    if (service != NULL) {
        g_free(service->url);
        g_ptr_array_unref(service->tokens);
        faults_free(service->faults);
        stats_free(service->stats);
        catalog_free(service->catalog);
        aws_free(service->aws);
        g_free(service->match);
        g_free(service->items);
        g_free(service);
    }
}

void service_reset(Service *service) {
    faults_clear(service->faults);
    stats_reset(service->stats);
    if (service->aws != NULL) {
        aws_reset(service->aws);
    }
    for (guint i = 0; i < service->tokens->len; i++) {
        Token *token = g_ptr_array_index(service->tokens, i);
        token->announced.reset_ms = token->announced.used = 0;
        token->secondary.reset_ms = token->secondary.used = 0;
        token->calls = 0;
    }
}

static void set_number(Answer *answer, Variable which, size_t slot, int64_t number) {
    g_snprintf(answer->numbers[slot], NUMBER_SIZE, "%" G_GINT64_FORMAT, number);
    variables_set(&answer->variables, which, answer->numbers[slot]);
}

static void set_limits(Answer *answer, const Window *announced, int64_t wait) {
    set_number(answer, VARIABLE_LIMIT, 0, announced->limit);
    set_number(answer, VARIABLE_REMAINING, 1, MAX(announced->limit - announced->used, 0));
    set_number(answer, VARIABLE_USED, 2, announced->used);
    set_number(answer, VARIABLE_RESET, 3, (announced->reset_ms + 999) / 1000);
    set_number(answer, VARIABLE_WAIT, 4, wait);
}

static void add_headers(Answer *answer, const Canned *canned) {
    g_autoptr(GString) value = g_string_sized_new(128);
    for (guint i = 0; i < canned->header_names->len; i++) {
        g_string_truncate(value, 0);
        template_render(g_ptr_array_index(canned->header_values, i), NULL, &answer->variables,
                        value);
        reply_add(answer->reply, g_ptr_array_index(canned->header_names, i), value->str);
    }
}

static void give(Answer *answer, const Canned *canned) {
    answer->reply->status = canned->status;
    if (canned->body != NULL) {
        template_render(canned->body, NULL, &answer->variables, answer->reply->body);
    }
    add_headers(answer, canned);
}

static Token *find_token(const Answer *answer, const char *value) {
    const CatalogAuth *auth = &answer->service->catalog->auth;
    const char *text = NULL;
    for (guint i = 0; i < auth->prefixes->len && text == NULL; i++) {
        const char *prefix = g_ptr_array_index(auth->prefixes, i);
        size_t length = strlen(prefix);
        text = g_ascii_strncasecmp(value, prefix, length) == 0 ? value + length : NULL;
    }
    for (guint i = 0; text != NULL && i < answer->service->tokens->len; i++) {
        Token *token = g_ptr_array_index(answer->service->tokens, i);
        if (strcmp(token->text, text) == 0) {
            return token;
        }
    }
    return NULL;
}

/* Each check gives NULL to go on, or what to answer instead. */
static const Canned *check_required(Answer *answer) {
    const GArray *required = answer->service->catalog->required;
    for (guint i = 0; i < required->len; i++) {
        const Required *one = &g_array_index(required, Required, i);
        const char *value = answer->request->header(answer->request->data, one->header);
        if (value == NULL || value[0] == '\0') {
            return one->error;
        }
    }
    return NULL;
}

static const Canned *check_token(Answer *answer) {
    const CatalogAuth *auth = &answer->service->catalog->auth;
    const char *value = answer->request->header(answer->request->data, auth->header);
    if (value == NULL) {
        return answer->route != NULL && answer->route->open ? NULL : auth->missing;
    }
    answer->token = find_token(answer, value);
    if (answer->token == NULL) {
        return auth->wrong;
    }
    answer->token->calls++;
    variables_set(&answer->variables, VARIABLE_SCOPES, answer->token->scopes);
    return NULL;
}

static const Canned *check_limit(Answer *answer) {
    Token *token = answer->token;
    if (token == NULL) {
        return NULL;
    }
    bool free_of_charge = answer->route != NULL && answer->route->free;
    int64_t now = answer->now_ms;
    window_refresh(&token->announced, now);
    if (!free_of_charge && !window_take(&token->secondary, now)) {
        set_limits(answer, &token->announced, window_wait(&token->secondary, now));
        return answer->service->catalog->secondary;
    }
    bool taken = free_of_charge || window_take(&token->announced, now);
    set_limits(answer, &token->announced, window_wait(&token->announced, now));
    return taken ? NULL : answer->service->catalog->spent;
}

static const Canned *check_route(Answer *answer) {
    const Canned *not_found = answer->service->catalog->not_found;
    if (answer->route == NULL) {
        return not_found;
    }
    variables_set(&answer->variables, VARIABLE_NEEDED, answer->route->permission);
    if (answer->match->mismatch == not_found) {
        return not_found;
    }
    if (answer->token != NULL && !token_may(answer->token, answer->route->permission)) {
        return answer->service->catalog->auth.denied;
    }
    return NULL;
}

static void find_route(Answer *answer) {
    const Catalog *catalog = answer->service->catalog;
    for (guint i = 0; i < catalog->routes->len; i++) {
        const Route *route = g_ptr_array_index(catalog->routes, i);
        if (route_match(route, answer->request->method, &answer->target, catalog->not_found,
                        answer->match)) {
            answer->route = route;
            return;
        }
    }
}

static void render_listing(Answer *answer, const Case *one) {
    const char *target = answer->request->target;
    g_autofree char *path = g_strndup(target, strcspn(target, "?"));
    const ListingRequest request = {.target = &answer->target,
                                    .url = answer->service->url,
                                    .path = path,
                                    .item = answer->match->item,
                                    .items = answer->service->items,
                                    .variables = &answer->variables,
                                    .endless = answer->fault != NULL &&
                                               fault_is_endless_pages(answer->fault),
                                    .loop = answer->fault != NULL && fault_is_loop(answer->fault)};
    listing_render(one->rows, &request, answer->reply->body, answer->link, answer->cursor);
    if (answer->link->len > 0) {
        variables_set(&answer->variables, VARIABLE_LINK, answer->link->str);
        add_headers(answer, answer->service->catalog->headers[HEADERS_PAGE]);
    }
}

static void give_case(Answer *answer) {
    const Case *one = route_choose(answer->route, answer->match->item);
    if (answer->match->mismatch != NULL) {
        give(answer, answer->match->mismatch);
    } else if (one == NULL) {
        give(answer, answer->service->catalog->not_found);
    } else if (one->error != NULL) {
        give(answer, one->error);
    } else if (one->rows != NULL) {
        render_listing(answer, one);
    } else {
        answer->reply->status = one->status;
        template_render(one->body, answer->match->item, &answer->variables, answer->reply->body);
    }
}

static void add_common_headers(Answer *answer) {
    Canned *const *groups = answer->service->catalog->headers;
    const Token *token = answer->token;
    add_headers(answer, groups[HEADERS_ALWAYS]);
    if (token != NULL && token->announced.limit > 0) {
        add_headers(answer, groups[HEADERS_LIMITED]);
    }
    if (token != NULL) {
        add_headers(answer, groups[token->permissions == NULL ? HEADERS_FULL : HEADERS_PARTIAL]);
    }
    if (answer->route != NULL && answer->route->permission[0] != '\0') {
        add_headers(answer, groups[HEADERS_NEEDED]);
    }
}

static void run(Answer *answer, bool sound) {
    if (sound) {
        find_route(answer);
    }
    static const Canned *(*const checks[])(Answer *) = {check_required, check_token, check_limit,
                                                        check_route};
    const Canned *refusal = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(checks) && refusal == NULL; i++) {
        refusal = checks[i](answer);
    }
    if (refusal != NULL) {
        give(answer, refusal);
    } else {
        give_case(answer);
    }
    add_common_headers(answer);
}

void service_call_init(ServiceCall *call, Service *service, const ServiceRequest *request) {
    call->aws = service->aws == NULL ? NULL : aws_call_new(service->aws, request);
    const char *target = call->aws == NULL ? request->target : aws_call_label(call->aws);
    const char *alias = call->aws == NULL ? NULL : aws_call_action(call->aws);
    stats_arrive(service->stats, request->method, target, clock_mono_ms());
    call->fault = faults_strike(service->faults, request->method, target, alias);
}

void service_call_clear(ServiceCall *call) {
    aws_call_free(call->aws);
    fault_unref(call->fault);
    call->aws = NULL;
    call->fault = NULL;
}

static void answer_plain(Service *service, const ServiceRequest *request, const Fault *fault,
                         Reply *reply) {
    RouteMatch *match = service->match;
    g_autoptr(GString) link = g_string_new(NULL);
    g_autoptr(GString) cursor = g_string_new(NULL);
    Answer answer = {.service = service,
                     .request = request,
                     .fault = fault,
                     .reply = reply,
                     .match = match,
                     .link = link,
                     .cursor = cursor,
                     .now_ms = clock_now_ms()};
    match->item = NULL;
    match->mismatch = NULL;
    g_snprintf(answer.serial, NUMBER_SIZE, "%08" G_GINT64_MODIFIER "X", ++service->serial);
    variables_set(&answer.variables, VARIABLE_REQUEST, answer.serial);
    run(&answer, target_init(&answer.target, request->target));
    if (fault != NULL) {
        fault_apply(fault, service->url, answer.now_ms, reply);
    }
    stats_answer(service->stats, answer.route == NULL ? "" : answer.route->pattern, reply->status);
    target_clear(&answer.target);
}

void service_answer(Service *service, const ServiceRequest *request, const ServiceCall *call,
                    Reply *reply) {
    if (call->aws == NULL) {
        answer_plain(service, request, call->fault, reply);
        return;
    }
    aws_call_answer(service->aws, call->aws, request, call->fault, reply);
    stats_answer(service->stats, aws_call_operation(call->aws), reply->status);
}
