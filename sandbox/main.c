/* assay-sandbox: a stand-in for providers' APIs, on 127.0.0.1 only. See sandbox/README.md. */
#include "base/json.h"
#include "sandbox/aws_options.h"
#include "sandbox/catalog.h"
#include "sandbox/server.h"
#include "sandbox/service.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DEFAULT_TOKEN "ghp_sandboxsandboxsandboxsandboxsandbox"

typedef struct {
    int port;
    char *organization;
    int repos;
    int alerts;
    char **tokens;
    int limit;
    int window;
    int secondary;
    gint64 seed;
    char *provider;
    char *port_file;
    int log_requests;
    int count_requests;
    gboolean until_eof;
    AwsCommandLine aws;
} Options;

static const char description[] =
    "Examples:\n"
    "  assay-sandbox --port 0 --organization acme --repos 5000 --token demo-token --limit 0\n"
    "  assay-sandbox --token all-rights --token read-only:metadata,contents\n"
    "  assay-sandbox --provider aws --users 5000 --regions us-east-1,eu-west-1 \\\n"
    "      --access-key AKIASANDBOX000000001 --secret-key TEXT\n"
    "\n"
    "When it answers, it prints one line {\"port\": ..., \"url\": ...} on standard output. It ends "
    "on\n"
    "SIGTERM or SIGINT. Faults, counts and holding back: POST and GET under /_sandbox/, described\n"
    "in sandbox/README.md.\n";

static bool parse_options(Options *options, int *argc, char ***argv) {
    const GOptionEntry entries[] = {
        {"port", 0, 0, G_OPTION_ARG_INT, &options->port, "Port on 127.0.0.1; 0 takes a free one",
         "N"},
        {"organization", 0, 0, G_OPTION_ARG_STRING, &options->organization,
         "Name of the made-up organization (acme)", "NAME"},
        {"repos", 0, 0, G_OPTION_ARG_INT, &options->repos, "How many repositories it has (100)",
         "N"},
        {"alerts", 0, 0, G_OPTION_ARG_INT, &options->alerts,
         "Repositories with alerts have 1 to N of each kind (5)", "N"},
        {"token", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->tokens,
         "A token that is accepted, with permissions or for everything; may be repeated",
         "TEXT[:PERMISSION,...]"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &options->limit,
         "Calls a token may make in a window (5000); 0: no limit, none announced", "N"},
        {"window", 0, 0, G_OPTION_ARG_INT, &options->window, "Length of that window (3600)",
         "SECONDS"},
        {"secondary", 0, 0, G_OPTION_ARG_INT, &options->secondary,
         "Calls a minute before the secondary limit strikes (0: none)", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options->seed, "Another seed, other content (1)", "N"},
        {"provider", 0, 0, G_OPTION_ARG_STRING, &options->provider,
         "Built-in provider, or a .json file (github)", "NAME"},
        {"port-file", 0, 0, G_OPTION_ARG_FILENAME, &options->port_file,
         "Also write the ready line to this file", "FILE"},
        {"log-requests", 0, 0, G_OPTION_ARG_INT, &options->log_requests,
         "Keep so many requests in order, for /_sandbox/requests?order=log (0)", "N"},
        {"count-requests", 0, 0, G_OPTION_ARG_INT, &options->count_requests,
         "Count so many different request lines (1000000)", "N"},
        {"until-eof", 0, 0, G_OPTION_ARG_NONE, &options->until_eof,
         "End when standard input is closed", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_option_context_set_summary(context, "A stand-in for providers' APIs, for demo, tests and "
                                          "benchmarks. Serves 127.0.0.1 only.");
    g_option_context_set_description(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_group(context, aws_command_line_group(&options->aws));
    if (!g_option_context_parse(context, argc, argv, &error)) {
        fprintf(stderr, "assay-sandbox: %s\n", error->message);
        return false;
    }
    if (*argc > 1) {
        fprintf(stderr, "assay-sandbox: unknown argument %s; try --help\n", (*argv)[1]);
        return false;
    }
    return true;
}

static bool is_name(const char *text) {
    return text[0] != '\0' &&
           text[strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._")] == '\0';
}

static bool check_options(Options *options) {
    const char *wrong = aws_command_line_check(&options->aws);
    if (wrong != NULL) {
        fprintf(stderr, "assay-sandbox: %s\n", wrong);
        return false;
    }
    if (options->port < 0 || options->port > 65535) {
        wrong = "--port must be 0 to 65535";
    } else if (!is_name(options->organization)) {
        wrong = "--organization may have letters, digits, dot, dash and underscore";
    } else if (options->repos < 0 || options->repos > COLLECTION_ITEMS_MAX) {
        wrong = "--repos must be 0 to 10000000";
    } else if (options->alerts < 1 || options->alerts > COLLECTION_ITEMS_MAX) {
        wrong = "--alerts must be 1 to 10000000";
    } else if (options->limit < 0 || options->window < 1 || options->secondary < 0 ||
               options->log_requests < 0 || options->count_requests < 0) {
        wrong = "limits and counts may not be negative";
    }
    if (wrong != NULL) {
        fprintf(stderr, "assay-sandbox: %s\n", wrong);
    }
    return wrong == NULL;
}

static Constants *make_constants(const Options *options, const char *url) {
    Constants *constants = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(constants, g_strdup("url"), g_strdup(url));
    g_hash_table_insert(constants, g_strdup("organization"), g_strdup(options->organization));
    g_hash_table_insert(constants, g_strdup("repos"), g_strdup_printf("%d", options->repos));
    g_hash_table_insert(constants, g_strdup("alerts"), g_strdup_printf("%d", options->alerts));
    g_hash_table_insert(constants, g_strdup("seed"),
                        g_strdup_printf("%" G_GINT64_FORMAT, options->seed));
    return constants;
}

static GPtrArray *make_tokens(const Options *options) {
    char fallback[] = DEFAULT_TOKEN;
    char *const defaults[] = {fallback, NULL};
    char *const *texts = options->tokens == NULL ? defaults : options->tokens;
    const Window announced = {.limit = options->limit,
                              .window_ms = options->window * INT64_C(1000)};
    const Window secondary = {.limit = options->secondary, .window_ms = 60000};
    GPtrArray *tokens = g_ptr_array_new();
    for (; *texts != NULL; texts++) {
        g_ptr_array_add(tokens, token_new(*texts, &announced, &secondary));
    }
    return tokens;
}

/* AWS is told by its data. */
static bool open_provider(const Options *options, const char *url, ServiceOptions *service,
                          GError **error) {
    uint64_t seed = (uint64_t)options->seed;
    g_autoptr(Json) data = catalog_read(options->provider, error);
    if (data == NULL) {
        return false;
    }
    if (json_member(data, "services") != NULL) {
        service->aws = aws_command_line_open(&options->aws, g_steal_pointer(&data), seed, error);
        return service->aws != NULL;
    }
    service->catalog = catalog_load(options->provider, make_constants(options, url), seed, error);
    return service->catalog != NULL;
}

static Service *make_service(const Options *options, const char *url, GError **error) {
    ServiceOptions service = {.url = url,
                              .stats = {.lines_max = (size_t)options->count_requests,
                                        .log_max = (size_t)options->log_requests,
                                        .window_ms = options->window * INT64_C(1000)}};
    if (!open_provider(options, url, &service, error)) {
        return NULL;
    }
    service.tokens = service.aws == NULL ? make_tokens(options) : g_ptr_array_new();
    return service_new(&service);
}

/* The file comes first: who reads the line may look for it. */
static bool tell_ready(const Options *options, uint16_t port, const char *url, GError **error) {
    g_autoptr(Json) json = json_new_object();
    json_put_int(json, "port", port);
    json_put_string(json, "url", url);
    g_autofree char *text = json_print(json, JSON_COMPACT);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    if (options->port_file != NULL && !g_file_set_contents(options->port_file, line, -1, error)) {
        return false;
    }
    fputs(line, stdout);
    fflush(stdout);
    return true;
}

static int block_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Standard input counts as closed only when reading it says so. */
static void run(Server *server, int signals, bool until_eof) {
    const int descriptors[] = {signals, until_eof ? STDIN_FILENO : -1};
    bool ended = false;
    while (!ended) {
        server_run(server, descriptors, G_N_ELEMENTS(descriptors));
        char rest[256];
        struct pollfd input = {.fd = descriptors[1], .events = POLLIN};
        bool readable = until_eof && poll(&input, 1, 0) > 0;
        ended = !readable || read(STDIN_FILENO, rest, sizeof(rest)) <= 0;
    }
}

static bool serve(const Options *options, GError **error) {
    int signals = block_signals();
    Server *server = server_new((uint16_t)options->port, error);
    if (server == NULL) {
        return false;
    }
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u", server_port(server));
    Service *service = make_service(options, url, error);
    bool served = service != NULL && server_attach(server, service, error) &&
                  tell_ready(options, server_port(server), url, error);
    if (served) {
        run(server, signals, options->until_eof);
    }
    server_free(server);
    service_free(service);
    close(signals);
    return served;
}

static void clear_options(Options *options) {
    g_free(options->organization);
    g_free(options->provider);
    g_free(options->port_file);
    g_strfreev(options->tokens);
    aws_command_line_clear(&options->aws);
}

static void fill_in(char **text, const char *fallback) {
    if (*text == NULL) {
        *text = g_strdup(fallback);
    }
}

int main(int argc, char **argv) {
    Options options = {.repos = 100,
                       .alerts = 5,
                       .limit = 5000,
                       .window = 3600,
                       .seed = 1,
                       .count_requests = 1000000};
    g_autoptr(GError) error = NULL;
    aws_command_line_init(&options.aws);
    bool parsed = parse_options(&options, &argc, &argv);
    fill_in(&options.organization, "acme");
    fill_in(&options.provider, CATALOG_DEFAULT);
    int status = 2;
    if (parsed && check_options(&options)) {
        status = serve(&options, &error) ? 0 : 1;
    }
    if (error != NULL) {
        fprintf(stderr, "assay-sandbox: %s\n", error->message);
    }
    clear_options(&options);
    return status;
}
