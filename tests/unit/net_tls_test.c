/* TLS against a real server (Python's, with a certificate made for the test): trust, and that the
 * pools of the two egress policies never share a connection. */
#include "net_support.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Serves HTTP/1.1 with keep-alive; every answer tells how many connections there were. */
static const char server_source[] =
    "import http.server, os, ssl, sys, threading\n"
    "class Handler(http.server.BaseHTTPRequestHandler):\n"
    "    protocol_version = 'HTTP/1.1'\n"
    "    count = 0\n"
    "    def setup(self):\n"
    "        Handler.count += 1\n"
    "        super().setup()\n"
    "    def do_GET(self):\n"
    "        body = str(Handler.count).encode()\n"
    "        self.send_response(200)\n"
    "        self.send_header('Content-Length', str(len(body)))\n"
    "        self.end_headers()\n"
    "        self.wfile.write(body)\n"
    "    def log_message(self, *arguments):\n"
    "        pass\n"
    "class Server(http.server.ThreadingHTTPServer):\n"
    "    daemon_threads = True\n"
    "    def handle_error(self, request, address):\n"
    "        pass\n"
    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
    "context.load_cert_chain(sys.argv[1])\n"
    "server = Server(('127.0.0.1', 0), Handler)\n"
    "server.socket = context.wrap_socket(server.socket, server_side=True,\n"
    "                                    do_handshake_on_connect=False)\n"
    "def end_with_the_test():\n"
    "    sys.stdin.read()\n"
    "    os._exit(0)\n"
    "threading.Thread(target=end_with_the_test, daemon=True).start()\n"
    "os.write(1, b'%d\\n' % server.server_address[1])\n"
    "server.serve_forever()\n";

static struct {
    char *folder;
    char *certificate; /* PEM: key and certificate of localhost, its own CA */
    char *url;
    GPid process;
    int input; /* the server ends when it is closed, also by a test that failed */
} tls;

static void make_certificate(void) {
    g_autofree char *config = g_build_filename(tls.folder, "openssl.cnf", NULL);
    g_assert_true(g_file_set_contents(config,
                                      "[req]\ndistinguished_name=n\nx509_extensions=x\nprompt=no\n"
                                      "[n]\nCN=localhost\n[x]\nsubjectAltName=DNS:localhost\n",
                                      -1, NULL));
    const char *argv[] = {"openssl",
                          "req",
                          "-x509",
                          "-newkey",
                          "ec",
                          "-pkeyopt",
                          "ec_paramgen_curve:prime256v1",
                          "-nodes",
                          "-days",
                          "2",
                          "-config",
                          config,
                          "-keyout",
                          tls.certificate,
                          "-out",
                          "/dev/stdout",
                          NULL};
    g_autofree char *out = NULL;
    g_autofree char *errors = NULL;
    g_autofree char *key = NULL;
    g_autoptr(GError) error = NULL;
    int status = -1;
    g_spawn_sync(NULL, (char **)(void *)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &errors,
                 &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    g_assert_true(g_file_get_contents(tls.certificate, &key, NULL, NULL));
    g_autofree char *both = g_strconcat(key, out, NULL);
    g_assert_true(g_file_set_contents(tls.certificate, both, -1, NULL));
}

static void start_server(void) {
    const char *argv[] = {"python3", "-c", server_source, tls.certificate, NULL};
    g_autoptr(GError) error = NULL;
    int output = -1;
    g_spawn_async_with_pipes(NULL, (char **)(void *)argv, NULL,
                             G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                             &tls.process, &tls.input, &output, NULL, &error);
    g_assert_no_error(error);
    char port[16] = {0};
    g_assert_cmpint(read(output, port, sizeof(port) - 1), >, 0);
    close(output);
    tls.url = g_strdup_printf("https://localhost:%u/", (unsigned)g_ascii_strtoull(port, NULL, 10));
}

static void stop_server(void) {
    close(tls.input);
    waitpid(tls.process, NULL, 0);
    g_spawn_close_pid(tls.process);
    g_autofree char *config = g_build_filename(tls.folder, "openssl.cnf", NULL);
    unlink(config);
    unlink(tls.certificate);
    rmdir(tls.folder);
    g_free(tls.folder);
    g_free(tls.certificate);
    g_free(tls.url);
}

static void ask(NetClient *client, bool allow_private, Got *got) {
    NetRequest *request = net_request_new("GET", tls.url);
    request->allow_private = allow_private;
    request->done = got_done;
    request->data = got;
    net_client_send(client, request);
    drain(client);
}

static NetClient *trusting_client(void) {
    NetClientConfig config = {.ca_bundle = tls.certificate, .wait_scale = 0.001, .seed = 1};
    return net_client_new(&config, NULL);
}

static void certificate_of_the_ca_bundle_is_trusted(void) {
    g_auto(Got) got = {0};
    g_autoptr(NetClient) client = trusting_client();
    ask(client, true, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpint(got.status, ==, 200);
}

static void unknown_certificate_is_a_configuration_error(void) {
    g_auto(Got) got = {0};
    g_autoptr(NetClient) client = test_client();
    ask(client, true, &got);
    g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_cmpint(got.code, ==, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(got.message, "ca_bundle"));
    g_assert_cmpuint(got.attempts, ==, 1);
    g_assert_cmpuint(got.sent, ==, 0);
}

/* The connection that was made with allow_private is idle, to the very same host, and would serve
 * at once if the pools were one. */
static void connection_of_one_egress_policy_never_serves_the_other(void) {
    g_auto(Got) first = {0};
    g_auto(Got) again = {0};
    g_auto(Got) guarded = {0};
    g_autoptr(NetClient) client = trusting_client();
    ask(client, true, &first);
    ask(client, true, &again);
    g_assert_cmpint(first.outcome, ==, OUTCOME_OK);
    g_assert_cmpstr(first.body, ==, again.body); /* kept alive: no further connection */
    ask(client, false, &guarded);
    g_assert_cmpint(guarded.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_nonnull(strstr(guarded.message, "allow_private"));
    g_assert_cmpuint(guarded.sent, ==, 0);
}

#define ADD(name) g_test_add_func("/net/tls/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    tls.folder = g_dir_make_tmp("assay-tls-XXXXXX", NULL);
    tls.certificate = g_build_filename(tls.folder, "peer.pem", NULL);
    make_certificate();
    start_server();
    ADD(certificate_of_the_ca_bundle_is_trusted);
    ADD(unknown_certificate_is_a_configuration_error);
    ADD(connection_of_one_egress_policy_never_serves_the_other);
    int status = g_test_run();
    stop_server();
    return status;
}
