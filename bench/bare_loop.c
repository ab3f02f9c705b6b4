/* bare_loop: fetches a list of URLs with nothing but a libcurl multi loop, to compare with.
 *
 * It does what any client must do (send the headers, keep connections, read each body into memory)
 * and nothing else: no parsing, no budget, no retry. The list is a text file with one URL, path or
 * "GET path" a line, or what a sandbox was asked for before (started with --log-requests).
 *
 *   bare_loop --url http://127.0.0.1:8080 --token T --list requests.txt --concurrency 16
 *   bare_loop --url http://127.0.0.1:8080 --token T --from-sandbox
 *   bare_loop --url http://127.0.0.1:8080 --aws --from-sandbox
 *
 * With --aws each request is signed, by the signer that Assay has, with the key in
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
 *
 * Prints {"calls", "failed", "bytes", "cpu_us_per_call", "user_us", "system_us", "wall_ms",
 * "max_rss_kib"}; the CPU time is that of this process while it fetches.
 */
#include "base/clock.h"
#include "base/json.h"
#include "signed_call.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define CONCURRENCY_MAX 1000
#define LIST_MAX (512 * 1024 * 1024)
#define POLL_MS 1000
#define LOG_PATH "/_sandbox/requests?order=log"

typedef struct {
    char *url;
    char *token;
    char *list;
    int concurrency;
    int cycles;
    gboolean from_sandbox;
    gboolean aws;
} Options;

typedef struct {
    CURL *easy;
    GString *body;
    struct curl_slist *signed_headers;
} Slot;

typedef struct {
    CURLM *multi;
    const char *base;
    GPtrArray *paths;   /* char * */
    GPtrArray *calls;   /* SignedCall: of paths, when they are signed */
    CallSigner *signer; /* NULL: bearer token */
    size_t next;
    size_t total;
    size_t running;
    size_t failed;
    size_t bytes;
} Loop;

static size_t keep_body(char *data, size_t size, size_t count, void *user) {
    g_string_append_len(user, data, (gssize)(size * count));
    return size * count;
}

static CURL *new_easy(GString *body, struct curl_slist *headers) {
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "assay-bench");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return easy;
}

static struct curl_slist *make_headers(const char *token) {
    g_autofree char *authorization = g_strconcat("Authorization: Bearer ", token, NULL);
    struct curl_slist *headers = curl_slist_append(NULL, authorization);
    headers = curl_slist_append(headers, "Accept: application/vnd.github+json");
    return curl_slist_append(headers, "X-GitHub-Api-Version: 2022-11-28");
}

/* Reads "GET /user", "/user" or a whole URL. */
static void add_line(GPtrArray *paths, const char *line) {
    if (g_str_has_prefix(line, "GET ")) {
        line += strlen("GET ");
    }
    if (line[0] != '\0') {
        g_ptr_array_add(paths, g_strdup(line));
    }
}

static bool read_file(const char *name, GPtrArray *paths) {
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(name, &text, NULL, &error)) {
        fprintf(stderr, "bare_loop: %s\n", error->message);
        return false;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        add_line(paths, g_strchomp(*line));
    }
    return true;
}

static bool read_log(const char *url, GPtrArray *paths) {
    g_autofree char *log_url = g_strconcat(url, LOG_PATH, NULL);
    g_autoptr(GString) body = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    CURL *easy = new_easy(body, NULL);
    curl_easy_setopt(easy, CURLOPT_URL, log_url);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    if (code != CURLE_OK) {
        fprintf(stderr, "bare_loop: %s\n", curl_easy_strerror(code));
        return false;
    }
    g_autoptr(Json) json = json_parse(body->str, body->len, LIST_MAX, &error);
    const Json *list = json_member(json, "requests");
    if (json == NULL || json_member_int(json, "dropped", 0) > 0) {
        fprintf(stderr, "bare_loop: the sandbox's log is unreadable or not whole\n");
        return false;
    }
    for (size_t i = 0; i < json_count(list); i++) {
        add_line(paths, json_text(json_item(list, i)));
    }
    return true;
}

static bool read_calls(Loop *loop) {
    for (guint i = 0; i < loop->paths->len; i++) {
        SignedCall *call = signed_call_new(g_ptr_array_index(loop->paths, i));
        if (call == NULL) {
            fprintf(stderr, "bare_loop: %s is no call that can be sent again\n",
                    (char *)g_ptr_array_index(loop->paths, i));
            return false;
        }
        g_ptr_array_add(loop->calls, call);
    }
    return true;
}

static void sign(Loop *loop, Slot *slot, const SignedCall *call, const char *url) {
    g_autoptr(GError) error = NULL;
    curl_slist_free_all(slot->signed_headers);
    slot->signed_headers = call_signer_headers(loop->signer, call, url, &error);
    if (slot->signed_headers == NULL) {
        g_error("bare_loop: %s", error->message);
    }
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, slot->signed_headers);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, call->body);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(call->body));
}

static void start_next(Loop *loop, Slot *slot) {
    size_t index = loop->next++ % loop->paths->len;
    const char *path = loop->signer == NULL ? g_ptr_array_index(loop->paths, index) : "/";
    g_autofree char *whole = path[0] == '/' ? g_strconcat(loop->base, path, NULL) : g_strdup(path);
    g_string_truncate(slot->body, 0);
    curl_easy_setopt(slot->easy, CURLOPT_URL, whole);
    if (loop->signer != NULL) {
        sign(loop, slot, g_ptr_array_index(loop->calls, index), whole);
    }
    curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
    curl_multi_add_handle(loop->multi, slot->easy);
    loop->running++;
}

static void finish_one(Loop *loop, const CURLMsg *message) {
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result;
    char *private = NULL;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(loop->multi, easy);
    Slot *slot = (Slot *)(void *)private;
    loop->bytes += slot->body->len;
    loop->failed += code != CURLE_OK || status >= (loop->signer == NULL ? 500 : 400) ? 1 : 0;
    loop->running--;
    if (loop->next < loop->total) {
        start_next(loop, slot);
    }
}

static void fetch_all(Loop *loop) {
    while (loop->running > 0) {
        int running;
        int queued;
        CURLMsg *message;
        curl_multi_perform(loop->multi, &running);
        size_t before = loop->running;
        size_t started = loop->next;
        while ((message = curl_multi_info_read(loop->multi, &queued)) != NULL) {
            if (message->msg == CURLMSG_DONE) {
                finish_one(loop, message);
            }
        }
        if (loop->running == before && loop->next == started) {
            curl_multi_poll(loop->multi, NULL, 0, POLL_MS, NULL);
        }
    }
}

static int64_t microseconds(const struct timeval *time) {
    return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

static void report(const Loop *loop, const struct rusage *before, int64_t wall_ms) {
    struct rusage after;
    getrusage(RUSAGE_SELF, &after);
    int64_t user = microseconds(&after.ru_utime) - microseconds(&before->ru_utime);
    int64_t system = microseconds(&after.ru_stime) - microseconds(&before->ru_stime);
    g_autoptr(Json) json = json_new_object();
    json_put_int(json, "calls", (int64_t)loop->total);
    json_put_int(json, "failed", (int64_t)loop->failed);
    json_put_int(json, "bytes", (int64_t)loop->bytes);
    json_put_real(json, "cpu_us_per_call", (double)(user + system) / (double)MAX(loop->total, 1));
    json_put_int(json, "user_us", user);
    json_put_int(json, "system_us", system);
    json_put_int(json, "wall_ms", wall_ms);
    json_put_int(json, "max_rss_kib", after.ru_maxrss);
    g_autofree char *text = json_print(json, JSON_COMPACT);
    puts(text);
}

static void run(Loop *loop, const Options *options) {
    struct curl_slist *headers = options->aws ? NULL : make_headers(options->token);
    g_autofree Slot *slots = g_new0(Slot, (gsize)options->concurrency);
    struct rusage before;
    loop->multi = curl_multi_init();
    getrusage(RUSAGE_SELF, &before);
    int64_t started = clock_mono_ms();
    for (int i = 0; i < options->concurrency; i++) {
        slots[i].body = g_string_sized_new(16384);
        slots[i].easy = new_easy(slots[i].body, headers);
        if (loop->next < loop->total) {
            start_next(loop, &slots[i]);
        }
    }
    fetch_all(loop);
    report(loop, &before, clock_mono_ms() - started);
    for (int i = 0; i < options->concurrency; i++) {
        curl_easy_cleanup(slots[i].easy);
        curl_slist_free_all(slots[i].signed_headers);
        g_string_free(slots[i].body, TRUE);
    }
    curl_multi_cleanup(loop->multi);
    curl_slist_free_all(headers);
}

static bool parse_options(Options *options, int *argc, char ***argv) {
    const GOptionEntry entries[] = {
        {"url", 0, 0, G_OPTION_ARG_STRING, &options->url, "Where paths are fetched from", "URL"},
        {"token", 0, 0, G_OPTION_ARG_STRING, &options->token, "Bearer token", "TEXT"},
        {"aws", 0, 0, G_OPTION_ARG_NONE, &options->aws, "Sign requests as AWS wants it", NULL},
        {"list", 0, 0, G_OPTION_ARG_FILENAME, &options->list, "What to fetch, a line each", "FILE"},
        {"from-sandbox", 0, 0, G_OPTION_ARG_NONE, &options->from_sandbox,
         "Fetch again what the sandbox has in its log", NULL},
        {"concurrency", 0, 0, G_OPTION_ARG_INT, &options->concurrency, "Requests at a time (16)",
         "N"},
        {"cycles", 0, 0, G_OPTION_ARG_INT, &options->cycles, "How often the list is fetched (1)",
         "N"},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        fprintf(stderr, "bare_loop: %s\n", error->message);
        return false;
    }
    if (options->url == NULL || (options->token == NULL) != options->aws || options->cycles < 1 ||
        (options->list == NULL) != options->from_sandbox || options->concurrency < 1 ||
        options->concurrency > CONCURRENCY_MAX) {
        fputs("bare_loop: give --url, --token or --aws, and either --list or --from-sandbox; see "
              "--help\n",
              stderr);
        return false;
    }
    return true;
}

static CallSigner *make_caller(void) {
    g_autoptr(GError) error = NULL;
    const char *key_id = g_getenv("AWS_ACCESS_KEY_ID");
    const char *secret = g_getenv("AWS_SECRET_ACCESS_KEY");
    if (key_id == NULL || secret == NULL) {
        fputs("bare_loop: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set\n", stderr);
        return NULL;
    }
    CallSigner *signer = call_signer_new(key_id, secret, &error);
    if (signer == NULL) {
        fprintf(stderr, "bare_loop: %s\n", error->message);
    }
    return signer;
}

int main(int argc, char **argv) {
    Options options = {.concurrency = 16, .cycles = 1};
    if (!parse_options(&options, &argc, &argv)) {
        return 2;
    }
    CallSigner *signer = options.aws ? make_caller() : NULL;
    if (options.aws && signer == NULL) {
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    bool read =
        options.from_sandbox ? read_log(options.url, paths) : read_file(options.list, paths);
    g_autoptr(GPtrArray) calls = g_ptr_array_new_with_free_func((GDestroyNotify)signed_call_free);
    Loop loop = {.base = options.url, .paths = paths, .calls = calls, .signer = signer};
    read = read && (signer == NULL || read_calls(&loop));
    loop.total = paths->len * (size_t)options.cycles;
    if (read) {
        run(&loop, &options);
    }
    curl_global_cleanup();
    call_signer_free(signer);
    g_free(options.url);
    g_free(options.token);
    g_free(options.list);
    return !read ? 1 : loop.failed > 0 ? 3 : 0;
}
