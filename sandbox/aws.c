#include "sandbox/aws.h"

#include "base/clock.h"
#include "sandbox/aws_catalog.h"
#include "sandbox/aws_error.h"
#include "sandbox/aws_gate.h"
#include "sandbox/limit.h"

#include <string.h>

#define REQUEST_ID_SIZE 40
#define RATE_WINDOW_MS 1000
#define LOOKUP_ITEMS 2
#define NAME_MIN 2
#define NAME_MAX_SIZE 64
#define SESSION_MIN 900
#define SESSION_MAX 43200
#define SESSION_DEFAULT 3600

typedef enum { REPORT_NONE, REPORT_IN_PROGRESS, REPORT_COMPLETE } ReportState;

struct Aws {
    AwsCatalog *catalog;
    AwsIdentities *identities;
    AwsGate gate;
    GHashTable *rates; /* Window by operation and region */
    uint64_t page_max;
    uint64_t polls;
    bool keep_rates;
    bool tell_date;
    ReportState report;
    uint64_t polls_left;
    uint64_t serial;
    Item *items; /* room for the root and what lookups find: one request at a time */
};

struct AwsCall {
    AwsRequest *request;
    const AwsService *service;
    const AwsOperation *operation;
    bool malformed;
    GString *label;
};

/* One call being answered. */
typedef struct {
    Aws *aws;
    const AwsCall *call;
    const ServiceRequest *incoming;
    const Fault *fault;
    Reply *reply;
    AwsIdentity *identity; /* NULL until it is known */
    Item *item;
    int64_t now_ms;
    Variables variables;
    GString *subject;
    char request_id[REQUEST_ID_SIZE];
    char now[AWS_TIME_SIZE];
    char home[64];
} Answer;

static void set(Answer *answer, Variable which, const char *text) {
    variables_set(&answer->variables, which, text);
}

/* The name that could not be found or is wrong, as the body has it. */
static void set_subject(Answer *answer, const char *text) {
    g_string_truncate(answer->subject, 0);
    aws_error_escape(answer->call->service, text, answer->subject);
    set(answer, VARIABLE_SUBJECT, answer->subject->str);
}

Aws *aws_new(const AwsOptions *options, GError **error) {
    AwsCatalog *catalog = aws_catalog_load(options->data, options->constants, options->seed, error);
    if (catalog == NULL) {
        return NULL;
    }
    Aws *aws = g_new0(Aws, 1);
    aws->catalog = catalog;
    aws->identities = aws_identities_new(&options->identity);
    aws->rates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    aws->gate = (AwsGate){.identities = aws->identities,
                          .regions = catalog->regions,
                          .global_region = g_hash_table_lookup(catalog->constants, "global_region"),
                          .scratch = g_string_sized_new(1024)};
    aws->page_max = options->page_max;
    aws->polls = options->polls;
    aws->keep_rates = options->keep_rates;
    aws->tell_date = options->tell_date;
    aws->items = g_new0(Item, 1 + OPERATION_LOOKUPS * LOOKUP_ITEMS);
    return aws;
}

void aws_free(Aws *aws) {
    if (aws != NULL) {
        g_string_free(aws->gate.scratch, TRUE);
        g_hash_table_unref(aws->rates);
        aws_identities_free(aws->identities);
        aws_catalog_free(aws->catalog);
        g_free(aws->items);
        g_free(aws);
    }
}

void aws_reset(Aws *aws) {
    aws_identities_reset(aws->identities);
    g_hash_table_remove_all(aws->rates);
    aws->report = REPORT_NONE;
}

uint64_t aws_calls(const Aws *aws, bool session) {
    return aws_identity_calls(aws->identities, session);
}

static void append_label_parameter(GString *label, const char *name, const char *value) {
    bool first = strchr(label->str, '?') == NULL;
    g_string_append_c(label, first ? '?' : '&');
    g_string_append(label, name);
    g_string_append_c(label, '=');
    g_string_append(label, value);
}

/* What is asked, without what is the same for all calls of the operation. */
static void make_label(AwsCall *call) {
    const AwsRequest *request = call->request;
    const char *action = aws_request_parameter(request, "Action");
    const char *name = call->operation != NULL ? call->operation->name : action;
    g_string_append(call->label, call->service->name);
    g_string_append_c(call->label, ':');
    g_string_append(call->label, name == NULL ? "unknown" : name);
    if (request->sound && call->service->global == NULL) {
        append_label_parameter(call->label, "region", request->scope.region);
    }
    for (size_t i = 0; i < request->count; i++) {
        const AwsParameter *parameter = &request->parameters[i];
        if (strcmp(parameter->name, "Action") != 0 && strcmp(parameter->name, "Version") != 0 &&
            !g_str_has_prefix(parameter->name, "filter:")) {
            append_label_parameter(call->label, parameter->name, parameter->value);
        }
    }
}

AwsCall *aws_call_new(Aws *aws, const ServiceRequest *incoming) {
    AwsCall *call = g_new0(AwsCall, 1);
    call->request = aws_request_new(incoming);
    call->service = aws_catalog_service(aws->catalog, call->request, incoming);
    call->label = g_string_sized_new(128);
    if (call->service == NULL) {
        g_string_append(call->label, "unknown:unknown");
        return call;
    }
    call->malformed =
        !aws_catalog_operation(call->service, call->request, incoming, &call->operation);
    make_label(call);
    return call;
}

void aws_call_free(AwsCall *call) {
    if (call != NULL) {
        aws_request_free(call->request);
        g_string_free(call->label, TRUE);
        g_free(call);
    }
}

const char *aws_call_label(const AwsCall *call) {
    return call->label->str;
}

const char *aws_call_action(const AwsCall *call) {
    return call->operation == NULL ? NULL : call->operation->action;
}

const char *aws_call_operation(const AwsCall *call) {
    return call->operation == NULL ? "" : call->operation->id;
}

typedef struct {
    unsigned status;
    const char *code;
    const char *message; /* escaped */
} Refusal;

static void refuse(Answer *answer, const Refusal *refusal) {
    const AwsService *service = answer->call->service;
    const char *bucket = aws_request_parameter(answer->call->request, "Bucket");
    g_autoptr(GString) name = g_string_new(NULL);
    if (bucket != NULL) {
        aws_error_escape(service, bucket, name);
    }
    const AwsErrorReply error = {.service = service,
                                 .status = refusal->status,
                                 .code = refusal->code,
                                 .message = refusal->message,
                                 .request_id = answer->request_id,
                                 .bucket = bucket == NULL ? NULL : name->str,
                                 .region = answer->home[0] == '\0' ? NULL : answer->home,
                                 .bare = strcmp(answer->incoming->method, "HEAD") == 0};
    aws_error_render(&error, answer->reply);
}

static void refuse_with(Answer *answer, const AwsError *error) {
    g_autoptr(GString) message = g_string_new(NULL);
    template_render(error->message, NULL, &answer->variables, message);
    refuse(answer, &(Refusal){error->status, error->code, message->str});
}

static void refuse_kind(Answer *answer, AwsErrorKind kind) {
    if (kind == AWS_SKEWED_LATE || kind == AWS_SKEWED_EARLY) {
        aws_gate_time(answer->now_ms, answer->now);
        set(answer, VARIABLE_NOW, answer->now);
    }
    refuse_with(answer, answer->call->service->errors[kind]);
}

static void open_body(Answer *answer) {
    template_render(answer->call->operation->open, answer->item, &answer->variables,
                    answer->reply->body);
}

static void close_body(Answer *answer) {
    template_render(answer->call->operation->close, answer->item, &answer->variables,
                    answer->reply->body);
}

/* The root: the region that was asked, or the account. */
static bool find_root(Answer *answer) {
    const AwsOperation *operation = answer->call->operation;
    const AwsCatalog *catalog = answer->aws->catalog;
    uint64_t index = 0;
    if (operation->root == catalog->region) {
        const char *region = answer->call->request->scope.region;
        guint number = GPOINTER_TO_UINT(g_hash_table_lookup(catalog->regions, region));
        if (number == 0) {
            refuse_kind(answer, AWS_REGION_OFF);
            return false;
        }
        index = number - 1;
    }
    answer->item = &answer->aws->items[0];
    item_init(answer->item, operation->root, NULL, index);
    return true;
}

/* Where an item is that is not in the region that was asked. */
static void refuse_elsewhere(Answer *answer, const AwsLookup *lookup, Item *item) {
    FieldValue home = item_value(item, lookup->home.home);
    g_snprintf(answer->home, sizeof(answer->home), "%.*s", (int)home.length, home.text);
    set(answer, VARIABLE_HOME, answer->home);
    refuse_with(answer, lookup->elsewhere);
}

static bool look_up(Answer *answer, const AwsLookup *lookup, Item *room) {
    const AwsRequest *request = answer->call->request;
    const char *name = aws_request_parameter(request, lookup->parameter);
    set_subject(answer, name == NULL ? lookup->parameter : name);
    if (name == NULL) {
        refuse_kind(answer, AWS_MISSING_PARAMETER);
        return false;
    }
    Item *found = aws_lookup_find(lookup, name, answer->item, room);
    bool home = found != NULL && (!lookup->has_home || aws_home_holds(&lookup->home, found,
                                                                      request->scope.region, true));
    if (found != NULL && !home && lookup->elsewhere != NULL) {
        refuse_elsewhere(answer, lookup, found);
        return false;
    }
    if (!home) {
        refuse_with(answer, lookup->missing);
        return false;
    }
    answer->item = found;
    return true;
}

static bool look_up_all(Answer *answer) {
    const AwsOperation *operation = answer->call->operation;
    for (size_t i = 0; i < operation->lookup_count; i++) {
        Item *room = &answer->aws->items[1 + i * LOOKUP_ITEMS];
        if (!look_up(answer, &operation->lookups[i], room)) {
            return false;
        }
    }
    return true;
}

static void give_list(Answer *answer, const AwsList *list) {
    const AwsListCall call = {.request = answer->call->request,
                              .item = answer->item,
                              .region = answer->call->request->scope.region,
                              .variables = &answer->variables,
                              .page_max = answer->aws->page_max,
                              .endless =
                                  answer->fault != NULL && fault_is_endless_pages(answer->fault),
                              .loop = answer->fault != NULL && fault_is_loop(answer->fault)};
    open_body(answer);
    AwsErrorKind kind = aws_list_render(list, &call, answer->reply->body);
    if (kind != AWS_NO_ERROR) {
        refuse_kind(answer, kind);
        return;
    }
    close_body(answer);
}

static void give_case(Answer *answer) {
    const AwsCase *one =
        aws_operation_choose(answer->call->operation, answer->item, answer->call->request);
    if (one == NULL) {
        refuse_kind(answer, AWS_INTERNAL);
    } else if (one->error != NULL) {
        refuse_with(answer, one->error);
    } else if (one->list != NULL) {
        give_list(answer, one->list);
    } else if (one->text != NULL) {
        template_render(one->text, answer->item, &answer->variables, answer->reply->body);
        reply_set(answer->reply, "Content-Type", "application/json");
    } else {
        open_body(answer);
        template_render(one->body, answer->item, &answer->variables, answer->reply->body);
        close_body(answer);
    }
}

static void refuse_named(Answer *answer, const char *name) {
    refuse_with(answer, aws_catalog_error(answer->aws->catalog, name));
}

/* A report is asked for, and looked at again; each look brings it nearer. */
static void advance_report(Aws *aws) {
    if (aws->report == REPORT_IN_PROGRESS && aws->polls_left == 0) {
        aws->report = REPORT_COMPLETE;
    } else if (aws->report == REPORT_IN_PROGRESS) {
        aws->polls_left--;
    }
}

static void generate_report(Answer *answer) {
    Aws *aws = answer->aws;
    if (aws->report == REPORT_NONE) {
        aws->report = REPORT_IN_PROGRESS;
        aws->polls_left = aws->polls;
        set(answer, VARIABLE_STATE, "STARTED");
    } else {
        advance_report(aws);
        set(answer, VARIABLE_STATE, aws->report == REPORT_COMPLETE ? "COMPLETE" : "INPROGRESS");
    }
    give_case(answer);
}

static void get_report(Answer *answer) {
    Aws *aws = answer->aws;
    advance_report(aws);
    if (aws->report != REPORT_COMPLETE) {
        refuse_named(answer, aws->report == REPORT_NONE ? "ReportNotPresent" : "ReportInProgress");
        return;
    }
    const AwsCase *one =
        aws_operation_choose(answer->call->operation, answer->item, answer->call->request);
    g_autofree char *now = clock_format(answer->now_ms);
    set(answer, VARIABLE_NOW, now);
    open_body(answer);
    g_string_append(answer->reply->body, "<Content>");
    aws_report_render(answer->call->operation->report, answer->item, &answer->variables,
                      answer->reply->body);
    g_string_append(answer->reply->body, "</Content>");
    template_render(one->body, answer->item, &answer->variables, answer->reply->body);
    close_body(answer);
}

static bool is_session_name(const char *name) {
    size_t length = name == NULL ? 0 : strlen(name);
    return length >= NAME_MIN && length <= NAME_MAX_SIZE &&
           name[strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_+=,.@-")] == '\0';
}

static void give_session(Answer *answer, const AwsIdentity *session) {
    g_autofree char *expiration = clock_format(session->expires_ms);
    open_body(answer);
    g_string_append_printf(
        answer->reply->body,
        "<AssumedRoleUser><AssumedRoleId>%s</AssumedRoleId><Arn>%s</Arn></AssumedRoleUser>"
        "<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>"
        "<SessionToken>%s</SessionToken><Expiration>%.19sZ</Expiration></Credentials>"
        "<PackedPolicySize>6</PackedPolicySize>",
        session->id, session->arn, session->access_key, session->secret, session->token,
        expiration);
    close_body(answer);
}

static void assume_role(Answer *answer) {
    const AwsRequest *request = answer->call->request;
    const char *role = aws_request_parameter(request, "RoleArn");
    const char *name = aws_request_parameter(request, "RoleSessionName");
    const char *duration = aws_request_parameter(request, "DurationSeconds");
    guint64 seconds = SESSION_DEFAULT;
    bool chained = answer->identity->session;
    if (role == NULL || !is_session_name(name)) {
        set_subject(answer, role == NULL ? "roleArn" : "roleSessionName");
        refuse_kind(answer, AWS_MISSING_PARAMETER);
    } else if (duration != NULL && !g_ascii_string_to_unsigned(
                                       duration, 10, SESSION_MIN,
                                       chained ? SESSION_DEFAULT : SESSION_MAX, &seconds, NULL)) {
        set_subject(answer, "durationSeconds");
        refuse_kind(answer, AWS_INVALID_PARAMETER);
    } else if (!aws_role_trusts(answer->aws->identities, role,
                                aws_request_parameter(request, "ExternalId"))) {
        set_subject(answer, role);
        refuse_named(answer, "AssumeRoleDenied");
    } else {
        give_session(answer, aws_role_assume(answer->aws->identities, name, (int64_t)seconds,
                                             answer->now_ms));
    }
}

static bool within_rate(Answer *answer) {
    const AwsOperation *operation = answer->call->operation;
    if (!answer->aws->keep_rates || operation->rate == 0) {
        return true;
    }
    g_autofree char *key =
        g_strconcat(operation->id, "/", answer->call->request->scope.region, NULL);
    Window *window = g_hash_table_lookup(answer->aws->rates, key);
    if (window == NULL) {
        window = g_new0(Window, 1);
        window->limit = operation->rate;
        window->window_ms = RATE_WINDOW_MS;
        g_hash_table_insert(answer->aws->rates, g_steal_pointer(&key), window);
    }
    return window_take(window, clock_mono_ms());
}

static void refuse_code(Answer *answer) {
    const char *body = fault_body(answer->fault);
    const char *code = fault_code(answer->fault);
    unsigned status = fault_status(answer->fault);
    g_autoptr(GString) message = g_string_new(NULL);
    aws_error_escape(answer->call->service, body == NULL ? "Refused." : body, message);
    refuse(answer, &(Refusal){status == 0 ? 400 : status, code == NULL ? "InternalFailure" : code,
                              message->str});
}

static void refuse_throttled(Answer *answer) {
    int64_t after = fault_retry_after(answer->fault);
    refuse_kind(answer, AWS_THROTTLED);
    if (after >= 0) {
        g_autofree char *seconds = g_strdup_printf("%" G_GINT64_FORMAT, after);
        reply_set(answer->reply, "Retry-After", seconds);
    }
}

/* Faults that are said in the service's own form. */
static bool apply_own_fault(Answer *answer) {
    const Fault *fault = answer->fault;
    if (fault == NULL) {
        return false;
    }
    unsigned status = fault_status(fault);
    if (fault_is_kind(fault, "throttle")) {
        refuse_throttled(answer);
    } else if (fault_is_kind(fault, "denied")) {
        refuse_kind(answer, AWS_DENIED);
    } else if (fault_is_kind(fault, "expired")) {
        refuse_kind(answer, AWS_EXPIRED);
    } else if (fault_is_kind(fault, "code")) {
        refuse_code(answer);
    } else if (fault_is_kind(fault, "status") && fault_body(fault) == NULL) {
        refuse_kind(answer, AWS_INTERNAL);
        answer->reply->status = status == 0 ? answer->reply->status : status;
    } else {
        return false;
    }
    return true;
}

static void run_operation(Answer *answer) {
    static void (*const natives[AWS_NATIVES])(Answer *) = {
        [AWS_PLAIN] = give_case,
        [AWS_ASSUME_ROLE] = assume_role,
        [AWS_GENERATE_REPORT] = generate_report,
        [AWS_GET_REPORT] = get_report,
    };
    if (!within_rate(answer)) {
        refuse_kind(answer, AWS_THROTTLED);
    } else if (find_root(answer) && look_up_all(answer)) {
        natives[answer->call->operation->native](answer);
    }
}

static AwsErrorKind check(Answer *answer) {
    const AwsCall *call = answer->call;
    const AwsVisit visit = {.request = call->request,
                            .service = call->service,
                            .incoming = answer->incoming,
                            .now_ms = answer->now_ms};
    AwsErrorKind kind = aws_gate_check(&answer->aws->gate, &visit, &answer->identity);
    if (answer->identity != NULL) {
        set(answer, VARIABLE_CALLER, answer->identity->arn);
        set(answer, VARIABLE_CALLER_ID, answer->identity->id);
    }
    if (kind == AWS_NO_ERROR && call->malformed) {
        return AWS_MALFORMED;
    }
    return kind == AWS_NO_ERROR && call->operation == NULL ? AWS_UNKNOWN_OPERATION : kind;
}

static void add_headers(Answer *answer) {
    const AwsService *service = answer->call->service;
    Reply *reply = answer->reply;
    bool s3 = service->protocol == AWS_REST_XML;
    reply_add(reply, s3 ? "x-amz-request-id" : "x-amzn-RequestId", answer->request_id);
    if (s3) {
        reply_add(reply, "x-amz-id-2", "c2FuZGJveA==");
    }
    if (reply_find(reply, "Content-Type") == NULL) {
        reply_add(reply, "Content-Type", aws_protocol_media_type(service->protocol));
    }
}

static void add_own_headers(Answer *answer) {
    const AwsOperation *operation = answer->call->operation;
    g_autoptr(GString) value = g_string_new(NULL);
    for (guint i = 0; i < operation->header_names->len; i++) {
        g_string_truncate(value, 0);
        template_render(g_ptr_array_index(operation->header_values, i), answer->item,
                        &answer->variables, value);
        reply_set(answer->reply, g_ptr_array_index(operation->header_names, i), value->str);
    }
}

/* Date as in RFC 9110 section 5.6.7: the server's own would be the true one. */
static void add_date(Answer *answer) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(answer->now_ms / 1000);
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autofree char *text = g_strdup_printf(
        "%s, %02d %s %04d %02d:%02d:%02d GMT", days[g_date_time_get_day_of_week(time) - 1],
        g_date_time_get_day_of_month(time), months[g_date_time_get_month(time) - 1],
        g_date_time_get_year(time), g_date_time_get_hour(time), g_date_time_get_minute(time),
        g_date_time_get_second(time));
    reply_set(answer->reply, "Date", text);
}

static void prepare(Answer *answer) {
    const AwsCall *call = answer->call;
    const char *sent = answer->incoming->header(answer->incoming->data, "x-amz-date");
    g_snprintf(answer->request_id, REQUEST_ID_SIZE,
               "5a4d0b0c-0000-4000-8000-%012" G_GINT64_MODIFIER "x", ++answer->aws->serial);
    set(answer, VARIABLE_REQUEST, answer->request_id);
    set(answer, VARIABLE_HERE, call->request->sound ? call->request->scope.region : "");
    set(answer, VARIABLE_NEEDED, call->operation == NULL ? "" : call->operation->action);
    set(answer, VARIABLE_OPERATION, call->operation == NULL ? "" : call->operation->name);
    set(answer, VARIABLE_SENT, sent != NULL && strlen(sent) < AWS_TIME_SIZE ? sent : "");
}

static void run(Answer *answer) {
    AwsErrorKind kind = check(answer);
    if (kind != AWS_NO_ERROR) {
        refuse_kind(answer, kind);
        add_headers(answer);
        return;
    }
    if (apply_own_fault(answer)) {
        add_headers(answer);
        fault_apply_headers(answer->fault, answer->reply);
        return;
    }
    run_operation(answer);
    if (answer->reply->status < 300) {
        add_own_headers(answer);
    }
    add_headers(answer);
    if (answer->fault != NULL) {
        fault_apply(answer->fault, "", answer->now_ms, answer->reply);
    }
}

void aws_call_answer(Aws *aws, AwsCall *call, const ServiceRequest *request, const Fault *fault,
                     Reply *reply) {
    g_autoptr(GString) subject = g_string_new(NULL);
    Answer answer = {.aws = aws,
                     .call = call,
                     .incoming = request,
                     .fault = fault,
                     .reply = reply,
                     .subject = subject,
                     .now_ms = clock_now_ms()};
    if (call->service == NULL) { /* its scope names no service: STS is the one that says so */
        call->service = g_hash_table_lookup(aws->catalog->services, "sts");
        call->request->sound = false;
    }
    prepare(&answer);
    run(&answer);
    if (aws->tell_date) {
        add_date(&answer);
    }
}
