#include "net/client.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/secmem.h"
#include "net/egress.h"
#include "net/retry.h"
#include "net/timer.h"
#include "net/transfer.h"
#include "net/url.h"

#include <pthread.h>
#include <string.h>

#define DEFAULT_HOST_CONNECTIONS 64

/* A wait for a budget that is longer than this parks the caller. */
#define LONGEST_WAIT_MS 30000

typedef struct Call Call;
typedef struct Line Line;

/* Where a call stands. */
typedef enum {
    CALL_READY,   /* starts, or ends with its error, in the next turn */
    CALL_IN_LINE, /* waits for a budget */
    CALL_RESTING, /* waits for its next attempt */
    CALL_RUNNING, /* has a transfer under way */
    CALL_ENDING   /* its callbacks run */
} CallState;

struct Call {
    NetClient *client;
    uint64_t ticket;
    NetRequest *request;
    CallState state;
    GList link;    /* of all calls */
    GList waiting; /* of the ready queue or a line */
    Line *line;
    Transfer *transfer;
    uint64_t timer;
    int64_t since_ms; /* begin of the present wait */
    int64_t until_ms; /* planned end of it */
    unsigned attempts;
    unsigned sent;
    int64_t waited_ms;
    int64_t retry_at_ms;
    bool once_more_used;
    Outcome outcome;
    GError *error;
};

/* The calls that wait for one budget, first come, first served. */
struct Line {
    NetClient *client;
    Budget *budget;
    GQueue calls;
    uint64_t timer;
    int64_t until_ms;
};

typedef struct {
    NetCall run;
    void *data;
} Posted;

struct NetClient {
    TransferEngine *engine;
    TimerHeap *timers;
    GQueue all;
    GQueue ready;
    GHashTable *lines; /* Budget -> Line, only lines with calls in them */
    unsigned active;
    uint64_t last_ticket;
    double wait_scale;
    int64_t skipped_ms; /* by scaled waits: how far our wall time runs ahead of the clock */
    uint64_t random;
    bool closing;
    pthread_mutex_t lock; /* over posted */
    GArray *posted;
    GArray *taken; /* posted work being run; kept for its storage */
};

static void pump(Line *line);
static void on_line_due(void *data);

/* --- time ------------------------------------------------------------------------------------ */

/* Wall time as waits see it. With scaled waits it jumps to the end of every wait that was cut
 * short, so that budgets and waits agree about how much time has passed. */
static int64_t wall_now(const NetClient *client) {
    return clock_now_ms() + client->skipped_ms;
}

int64_t net_client_now(const NetClient *client) {
    return wall_now(client);
}

static void skip_to(NetClient *client, int64_t until_ms) {
    if (client->wait_scale != 1.0) {
        client->skipped_ms = MAX(client->skipped_ms, until_ms - clock_now_ms());
    }
}

static uint64_t wait_until(NetClient *client, int64_t until_ms, TimerFn fire, void *data) {
    double wait = (double)MAX(until_ms - wall_now(client), 0) * client->wait_scale;
    return timer_heap_add(client->timers, clock_mono_ms() + (int64_t)(wait + 0.999), fire, data);
}

/* splitmix64. */
static uint64_t next_random(NetClient *client) {
    uint64_t mixed = client->random += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
}

/* --- the end of a call ----------------------------------------------------------------------- */

static void call_free(Call *call) {
    if (call->transfer) {
        transfer_close(call->transfer);
    }
    g_clear_error(&call->error);
    net_request_free(call->request);
    g_free(call);
}

static void call_end(Call *call) {
    NetClient *client = call->client;
    call->state = CALL_ENDING;
    g_queue_unlink(&client->all, &call->link);
    client->active--;
    g_autoptr(NetHeaders) none = call->transfer ? NULL : net_headers_new(0);
    NetResult result = {
        .outcome = call->outcome,
        .error = g_steal_pointer(&call->error),
        .request = call->request,
        .attempts = call->attempts,
        .sent = call->sent,
        .waited_ms = call->waited_ms,
        .retry_at_ms = call->retry_at_ms,
    };
    if (call->transfer) {
        result.response = *transfer_response(call->transfer);
        result.buffer = transfer_buffer(call->transfer);
    } else {
        result.response = (NetResponse){.headers = none, .body = ""};
    }
    if (call->request->done) {
        call->request->done(&result, call->request->data);
    }
    g_clear_error(&result.error);
    call_free(call);
}

static void make_ready(Call *call) {
    call->state = CALL_READY;
    g_queue_push_tail_link(&call->client->ready, &call->waiting);
}

/* Ends the call with an error of its own; takes the error. */
static void call_fail(Call *call, Outcome outcome, GError *error) {
    call->outcome = outcome;
    g_clear_error(&call->error);
    call->error = error;
    call_end(call);
}

static Outcome outcome_of_error(const GError *error) {
    static const Outcome outcomes[ERROR_CODES] = {
        [ERROR_AUTHENTICATION_FAILED] = OUTCOME_AUTH_EXPIRED,
        [ERROR_PERMISSION_DENIED] = OUTCOME_FORBIDDEN,
        [ERROR_RATE_LIMITED] = OUTCOME_RATE_LIMITED,
        [ERROR_SERVICE_UNAVAILABLE] = OUTCOME_UNAVAILABLE,
        [ERROR_TIMEOUT] = OUTCOME_TIMEOUT,
        [ERROR_DATABASE] = OUTCOME_UNAVAILABLE,
        [ERROR_CANCELLED] = OUTCOME_UNAVAILABLE,
        [ERROR_INTERNAL] = OUTCOME_UNAVAILABLE,
    };
    Outcome outcome = outcomes[error_code_of(error)];
    return outcome == OUTCOME_OK ? OUTCOME_BAD_REQUEST : outcome;
}

static void call_park(Call *call, int64_t wait_ms, const char *why) {
    call->retry_at_ms = clock_now_ms() + wait_ms;
    g_autofree char *when = clock_format(call->retry_at_ms);
    call_fail(call, OUTCOME_RATE_LIMITED,
              g_error_new(ASSAY_ERROR, ERROR_RATE_LIMITED, "%s: try again after %s", why, when));
}

/* --- budgets --------------------------------------------------------------------------------- */

static Line *line_of(NetClient *client, Budget *budget) {
    return g_hash_table_size(client->lines) ? g_hash_table_lookup(client->lines, budget) : NULL;
}

static void line_free(gpointer data) {
    Line *line = data;
    timer_heap_cancel(line->client->timers, line->timer);
    g_free(line);
}

static void join_line(Call *call, Budget *budget) {
    Line *line = line_of(call->client, budget);
    if (!line) {
        line = g_new0(Line, 1);
        line->client = call->client;
        line->budget = budget;
        g_hash_table_insert(call->client->lines, budget, line);
    }
    if (call->state != CALL_IN_LINE) {
        call->since_ms = wall_now(call->client);
    }
    call->state = CALL_IN_LINE;
    call->line = line;
    g_queue_push_tail_link(&line->calls, &call->waiting);
}

static void leave_line(Call *call) {
    Line *line = call->line;
    g_queue_unlink(&line->calls, &call->waiting);
    call->line = NULL;
    if (g_queue_is_empty(&line->calls)) {
        g_hash_table_remove(call->client->lines, line->budget);
    }
}

/* Takes all budgets of the call, or none; then the budget that refused is told. */
static BudgetAnswer take_all(Call *call, Budget **refused_out) {
    const NetRequest *request = call->request;
    int64_t now = wall_now(call->client);
    for (unsigned i = 0; i < request->charge_count; i++) {
        const NetCharge *charge = &request->charges[i];
        BudgetAnswer answer = budget_take(charge->budget, charge->cost, now);
        if (answer.grant == BUDGET_GRANTED) {
            continue;
        }
        while (i-- > 0) {
            budget_refund(request->charges[i].budget, request->charges[i].cost);
        }
        *refused_out = charge->budget;
        return answer;
    }
    return (BudgetAnswer){.grant = BUDGET_GRANTED};
}

static void give_back(Call *call) {
    for (unsigned i = 0; i < call->request->charge_count; i++) {
        budget_refund(call->request->charges[i].budget, call->request->charges[i].cost);
    }
}

static void set_line_timer(Line *line, int64_t until_ms) {
    timer_heap_cancel(line->client->timers, line->timer);
    line->until_ms = until_ms;
    line->timer = until_ms ? wait_until(line->client, until_ms, on_line_due, line) : 0;
}

/* A call that is over may let others go, in the next turn: callbacks never nest. */
static void rouse_lines(NetClient *client, const NetRequest *request) {
    for (unsigned i = 0; i < request->charge_count; i++) {
        Line *line = line_of(client, request->charges[i].budget);
        if (line) {
            set_line_timer(line, wall_now(client));
        }
    }
}

/* Tells all budgets that the attempt is over. */
static void settle_budgets(Call *call, const NetHeaders *headers) {
    int64_t now = wall_now(call->client);
    for (unsigned i = 0; i < call->request->charge_count; i++) {
        const NetCharge *charge = &call->request->charges[i];
        budget_answered(charge->budget, charge->cost, headers, now);
    }
    rouse_lines(call->client, call->request);
}

static void hold_narrowest(const Call *call, int64_t wait_ms) {
    unsigned count = call->request->charge_count;
    if (count) {
        budget_throttled(call->request->charges[count - 1].budget, MAX(wait_ms, 0),
                         wall_now(call->client));
    }
}

/* --- attempts -------------------------------------------------------------------------------- */

/* Budgets are taken; what goes wrong from here gives them back. */
static void launch(Call *call) {
    GError *error = NULL;
    NetRequest *request = call->request;
    call->attempts++;
    call->state = CALL_ENDING; /* prepare() may cancel nothing */
    call->transfer = transfer_open(call->client->engine, request, call);
    if (call->attempts > 1)
        transfer_connect_anew(call->transfer);
    bool prepared = !request->prepare || request->prepare(request, transfer_extra(call->transfer),
                                                          call->attempts, &error);
    if (prepared && transfer_start(call->transfer, &error)) {
        call->state = CALL_RUNNING;
        return;
    }
    give_back(call);
    rouse_lines(call->client, request);
    call_fail(call, outcome_of_error(error), error);
}

/* Starts, ends or keeps a call whose budget did not grant at once. False when the call must wait
 * for `refused`, and has joined no line yet. */
static bool start_or_end(Call *call, Budget **refused_out, int64_t *until_out) {
    BudgetAnswer answer = take_all(call, refused_out);
    int64_t wait = answer.at_ms - wall_now(call->client);
    bool waits = answer.grant == BUDGET_WAIT && wait <= LONGEST_WAIT_MS;
    if (waits || answer.grant == BUDGET_BUSY) {
        *until_out = waits ? answer.at_ms : 0;
        return false;
    }
    if (call->state == CALL_IN_LINE) {
        call->waited_ms += wall_now(call->client) - call->since_ms;
        leave_line(call);
    }
    if (answer.grant == BUDGET_GRANTED) {
        launch(call);
    } else if (answer.grant == BUDGET_WAIT) {
        call_park(call, wait, "the limit of calls is spent");
    } else {
        call_fail(call, OUTCOME_BAD_REQUEST,
                  g_error_new(ASSAY_ERROR, ERROR_CONFIGURATION,
                              "the call costs more than limit %s ever grants: raise its burst",
                              budget_key(*refused_out)));
    }
    return true;
}

static void on_line_due(void *data) {
    Line *line = data;
    line->timer = 0;
    skip_to(line->client, line->until_ms);
    pump(line);
}

/* Lets calls go as far as the budget grants. The line may be gone afterwards. */
static void pump(Line *line) {
    NetClient *client = line->client;
    Budget *budget = line->budget;
    for (line = line_of(client, budget); line; line = line_of(client, budget)) {
        Call *first = line->calls.head->data;
        Budget *refused = NULL;
        int64_t until = 0;
        if (start_or_end(first, &refused, &until)) {
            continue;
        }
        if (refused == budget) {
            set_line_timer(line, until);
            return;
        }
        leave_line(first);
        join_line(first, refused);
        Line *other = line_of(client, refused);
        if (other->calls.head->data == first) {
            set_line_timer(other, until);
        }
    }
}

/* A call goes behind those that wait for one of its budgets. */
static Line *line_before(const Call *call) {
    for (unsigned i = 0; i < call->request->charge_count; i++) {
        Line *line = line_of(call->client, call->request->charges[i].budget);
        if (line) {
            return line;
        }
    }
    return NULL;
}

static void call_start(Call *call) {
    Line *line = line_before(call);
    if (line) {
        join_line(call, line->budget);
        return;
    }
    Budget *refused = NULL;
    int64_t until = 0;
    if (!start_or_end(call, &refused, &until)) {
        join_line(call, refused);
        set_line_timer(call->line, until);
    }
}

void net_client_rouse(NetClient *client, const Budget *budget) {
    Line *line = g_hash_table_lookup(client->lines, budget);
    if (line) {
        set_line_timer(line, wall_now(client));
    }
}

/* --- answers --------------------------------------------------------------------------------- */

static void on_rested(void *data) {
    Call *call = data;
    call->timer = 0;
    skip_to(call->client, call->until_ms);
    call->waited_ms += MAX(call->until_ms - call->since_ms, 0);
    make_ready(call);
}

static void rest(Call *call, int64_t wait_ms) {
    transfer_close(g_steal_pointer(&call->transfer));
    g_clear_error(&call->error);
    call->state = CALL_RESTING;
    call->since_ms = wall_now(call->client);
    call->until_ms = call->since_ms + wait_ms;
    call->timer = wait_until(call->client, call->until_ms, on_rested, call);
}

/* What the answer asks for: Retry-After first, then what the definition reads. */
static int64_t asked_wait(const NetResponse *response, int64_t judged_ms) {
    const char *text = net_headers_get(response->headers, "retry-after");
    int64_t wait;
    if (text && retry_after_parse(text, clock_now_ms(), &wait)) {
        return wait;
    }
    return judged_ms;
}

static RetryCase judge(Call *call) {
    const NetRequest *request = call->request;
    const NetResponse *response = transfer_response(call->transfer);
    TransferFailure failure;
    RetryCase what = {.attempts = call->attempts,
                      .asked_ms = -1,
                      .single = request->once,
                      .once_more_used = call->once_more_used};
    if (transfer_failed(call->transfer, &failure, &call->error)) {
        what.outcome = failure.outcome;
        what.once_more = failure.once_more;
        return what;
    }
    if (request->observe) {
        request->observe(response, request->data);
    }
    NetClassify classify = request->classify ? request->classify : net_classify_status;
    NetJudgement judgement = classify(response, request->data);
    what.outcome = judgement.outcome;
    what.asked_ms = asked_wait(response, judgement.wait_ms);
    return what;
}

static void follow(Call *call, const RetryCase *what, const RetryDecision *decision) {
    call->outcome = what->outcome;
    if (decision->choice == RETRY_AGAIN) {
        call->once_more_used |= what->once_more || what->outcome == OUTCOME_BROKEN;
        rest(call, decision->wait_ms);
        return;
    }
    if (decision->choice == RETRY_PARK) {
        call_park(call, decision->wait_ms, "the provider asks to wait");
        return;
    }
    if (decision->wait_ms > 0) {
        call->retry_at_ms = clock_now_ms() + decision->wait_ms;
    }
    call_end(call);
}

static void on_finished(void *owner) {
    Call *call = owner;
    NetClient *client = call->client;
    call->state = CALL_ENDING;
    call->sent += transfer_was_sent(call->transfer) ? 1 : 0;
    const NetResponse *response = transfer_response(call->transfer);
    settle_budgets(call, response->status ? response->headers : NULL);
    RetryCase what = judge(call);
    RetryDecision decision = retry_decide(&retry_default, &what, next_random(client));
    if (what.outcome == OUTCOME_RATE_LIMITED) {
        hold_narrowest(call, MIN(what.asked_ms, RETRY_ASKED_MAX_MS));
    }
    follow(call, &what, &decision);
}

/* --- requests -------------------------------------------------------------------------------- */

/* What can be said without asking; NULL when nothing is wrong. */
static GError *check_request(const NetRequest *request) {
    GError *error = NULL;
    Url url;
    if (!url_parse(request->url, &url, &error)) {
        return error;
    }
    size_t method = strspn(request->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (method == 0 || request->method[method]) {
        return g_error_new(ASSAY_ERROR, ERROR_CONFIGURATION,
                           "a request method is written in capital letters, such as GET");
    }
    bool metadata = g_str_has_prefix(request->url, EGRESS_INSTANCE_METADATA "/");
    if (request->instance_metadata && !metadata) {
        return g_error_new_literal(ASSAY_ERROR, ERROR_CONFIGURATION,
                                   "a request to the instance metadata service goes nowhere else");
    }
    if (!url.tls && !request->allow_private && !request->instance_metadata) {
        g_autofree char *host = url_dup_host(&url);
        return g_error_new(ASSAY_ERROR, ERROR_CONFIGURATION,
                           "%s may be called over https only: check the setting, or let the "
                           "installation's operator set allow_private for this integration",
                           host);
    }
    return NULL;
}

uint64_t net_client_send(NetClient *client, NetRequest *request) {
    Call *call = g_new0(Call, 1);
    call->client = client;
    call->ticket = ++client->last_ticket;
    call->request = request;
    call->link.data = call;
    call->waiting.data = call;
    call->error = check_request(request);
    call->outcome = OUTCOME_BAD_REQUEST;
    g_queue_push_tail_link(&client->all, &call->link);
    client->active++;
    make_ready(call);
    return call->ticket;
}

/* Takes the call out of whatever it waits for and makes it end in the next turn. */
static void call_cancel(Call *call) {
    NetClient *client = call->client;
    switch (call->state) {
    case CALL_READY:
        g_queue_unlink(&client->ready, &call->waiting);
        break;
    case CALL_IN_LINE:
        leave_line(call);
        break;
    case CALL_RESTING:
        timer_heap_cancel(client->timers, call->timer);
        break;
    case CALL_RUNNING:
        transfer_close(g_steal_pointer(&call->transfer));
        call->sent++; /* it may have been: nobody knows any more */
        settle_budgets(call, NULL);
        break;
    case CALL_ENDING:
        return;
    }
    g_clear_error(&call->error);
    call->outcome = OUTCOME_UNAVAILABLE;
    call->error = g_error_new_literal(ASSAY_ERROR, ERROR_CANCELLED, "the request was called off");
    make_ready(call);
}

bool net_client_cancel(NetClient *client, uint64_t ticket) {
    for (GList *link = client->all.head; link; link = link->next) {
        Call *call = link->data;
        if (call->ticket == ticket) {
            bool possible = call->state != CALL_ENDING;
            call_cancel(call);
            return possible;
        }
    }
    return false;
}

void net_client_cancel_all(NetClient *client) {
    for (GList *link = client->all.head; link; link = link->next)
        call_cancel(link->data);
}

unsigned net_client_active(const NetClient *client) {
    return client->active;
}

/* --- the loop -------------------------------------------------------------------------------- */

uint64_t net_client_after(NetClient *client, int64_t delay_ms, NetCall fn, void *data) {
    return timer_heap_add(client->timers, clock_mono_ms() + MAX(delay_ms, 0), fn, data);
}

bool net_client_cancel_timer(NetClient *client, uint64_t id) {
    return timer_heap_cancel(client->timers, id);
}

void net_client_post(NetClient *client, NetCall fn, void *data) {
    Posted posted = {fn, data};
    pthread_mutex_lock(&client->lock);
    g_array_append_val(client->posted, posted);
    bool first = client->posted->len == 1;
    pthread_mutex_unlock(&client->lock);
    if (first) {
        transfer_engine_wake(client->engine);
    }
}

static unsigned run_posted(NetClient *client) {
    pthread_mutex_lock(&client->lock);
    GArray *work = client->posted;
    if (work->len) {
        client->posted = client->taken;
        client->taken = work;
    }
    pthread_mutex_unlock(&client->lock);
    unsigned count = work == client->taken ? work->len : 0;
    for (unsigned i = 0; i < count; i++) {
        const Posted *posted = &g_array_index(work, Posted, i);
        posted->run(posted->data);
    }
    g_array_set_size(client->taken, 0);
    return count;
}

/* Calls that become ready meanwhile wait for the next turn. */
static unsigned run_ready(NetClient *client) {
    unsigned count = client->ready.length;
    for (unsigned i = 0; i < count && client->ready.head; i++) {
        GList *link = g_queue_pop_head_link(&client->ready);
        Call *call = link->data;
        if (call->error) {
            call_end(call);
        } else {
            call_start(call);
        }
    }
    return count;
}

static int bounded_wait(const NetClient *client, int max_wait_ms) {
    int64_t due;
    if (client->ready.head) {
        return 0;
    }
    if (!timer_heap_next(client->timers, &due)) {
        return max_wait_ms;
    }
    int64_t wait = CLAMP(due - clock_mono_ms(), 0, G_MAXINT);
    return max_wait_ms < 0 ? (int)wait : (int)MIN(wait, max_wait_ms);
}

bool net_client_step(NetClient *client, int max_wait_ms, GError **error) {
    unsigned work = run_posted(client);
    if (timer_heap_count(client->timers)) {
        work += timer_heap_fire(client->timers, clock_mono_ms());
    }
    unsigned active = client->active;
    (void)run_ready(client);
    bool ended = client->active < active;
    int wait = work || ended ? 0 : bounded_wait(client, max_wait_ms);
    return transfer_engine_step(client->engine, wait, error);
}

bool net_client_run_until(NetClient *client, bool (*done)(void *data), void *data, GError **error) {
    while (!done(data)) {
        if (!net_client_step(client, -1, error)) {
            return false;
        }
    }
    return true;
}

static bool check_config(const NetClientConfig *config, GError **error) {
    Url url;
    if (config->egress_proxy && !url_parse(config->egress_proxy, &url, error)) {
        g_prefix_error(error, "egress_proxy: ");
        return false;
    }
    if (config->ca_bundle && !g_file_test(config->ca_bundle, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "ca_bundle: there is no file %s: name a PEM file of CA certificates",
                    config->ca_bundle);
        return false;
    }
    return true;
}

NetClient *net_client_new(const NetClientConfig *config, GError **error) {
    static const NetClientConfig defaults = {0};
    config = config ? config : &defaults;
    if (!check_config(config, error)) {
        return NULL;
    }
    TransferConfig transfers = {
        .user_agent = config->user_agent ? config->user_agent : "assay/" ASSAY_VERSION,
        .ca_bundle = config->ca_bundle,
        .proxy = config->egress_proxy,
        .max_host_connections =
            config->max_host_connections ? config->max_host_connections : DEFAULT_HOST_CONNECTIONS,
        .finished = on_finished,
    };
    TransferEngine *engine = transfer_engine_new(&transfers, error);
    if (!engine) {
        return NULL;
    }
    NetClient *client = g_new0(NetClient, 1);
    client->engine = engine;
    client->timers = timer_heap_new();
    client->lines = g_hash_table_new_full(NULL, NULL, NULL, line_free);
    client->wait_scale = config->wait_scale > 0 ? config->wait_scale : 1.0;
    client->random = config->seed;
    if (!client->random) {
        secmem_random(&client->random, sizeof(client->random));
    }
    pthread_mutex_init(&client->lock, NULL);
    client->posted = g_array_new(FALSE, FALSE, sizeof(Posted));
    client->taken = g_array_new(FALSE, FALSE, sizeof(Posted));
    return client;
}

static void end_all(NetClient *client) {
    while (client->all.head) {
        Call *call = client->all.head->data;
        call_cancel(call);
        g_queue_unlink(&client->ready, &call->waiting);
        call_end(call);
    }
}

void net_client_free(NetClient *client) {
    if (!client) {
        return;
    }
    end_all(client);
    g_hash_table_destroy(client->lines);
    timer_heap_free(client->timers);
    transfer_engine_free(client->engine);
    pthread_mutex_destroy(&client->lock);
    g_array_free(client->posted, TRUE);
    g_array_free(client->taken, TRUE);
    g_free(client);
}
