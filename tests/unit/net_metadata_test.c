/* The one exemption of the egress guard: what reaches the instance metadata service, and that
 * nothing else does. */
#include "metadata_peer.h"
#include "net_support.h"

#include "base/error.h"

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"

typedef struct {
    Peer *peer;
    NetClient *client;
    char *proxy;
} Scene;

static const PeerStep good[] = {{.bytes = GOOD}};

static void scene_init(Scene *scene, bool with_proxy) {
    scene->peer = peer_new(good, 1);
    metadata_port = peer_port(scene->peer);
    atomic_store(&metadata_connections, 0);
    scene->proxy = with_proxy ? g_strdup("http://127.0.0.1:9") : NULL;
    NetClientConfig config = {.wait_scale = 0.001, .seed = 7, .egress_proxy = scene->proxy};
    g_autoptr(GError) error = NULL;
    scene->client = net_client_new(&config, &error);
    g_assert_no_error(error);
}

static void scene_clear(Scene *scene) {
    net_client_free(scene->client);
    peer_free(scene->peer);
    g_free(scene->proxy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

static NetRequest *request_to(const char *url, bool metadata, Got *got) {
    NetRequest *request = net_request_new("GET", url);
    request->instance_metadata = metadata;
    request->done = got_done;
    request->data = got;
    return request;
}

static void the_service_is_reached_without_allow_private(void) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, false);
    g_auto(Got) got = {0};
    net_client_send(scene.client, request_to(EGRESS_INSTANCE_METADATA "/latest", true, &got));
    drain(scene.client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpstr(got.body, ==, "good");
    g_autofree char *text = peer_request(scene.peer, 0);
    g_assert_nonnull(strstr(text, "\r\nHost: 169.254.169.254\r\n"));
}

static void the_proxy_is_not_asked_for_the_service(void) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, true);
    g_auto(Got) got = {0};
    g_auto(Got) other = {0};
    net_client_send(scene.client, request_to(EGRESS_INSTANCE_METADATA "/latest", true, &got));
    drain(scene.client);
    g_assert_cmpint(got.outcome, ==, OUTCOME_OK);
    g_assert_cmpuint(atomic_load(&metadata_connections), ==, 1);
    /* The same handle asks the proxy again for everything else. */
    NetRequest *next = request_to("http://127.0.0.1/", false, &other);
    next->allow_private = true;
    next->once = true;
    net_client_send(scene.client, next);
    drain(scene.client);
    g_assert_cmpint(other.outcome, ==, OUTCOME_UNAVAILABLE);
    g_assert_cmpuint(peer_requests(scene.peer), ==, 1);
}

static void the_request_goes_nowhere_else(void) {
    static const char *const urls[] = {
        "http://127.0.0.1/latest",           "https://169.254.169.254/latest",
        "http://169.254.169.254:8080/",      "http://169.254.169.254.example/",
        "http://169.254.169.253/",           "http://2852039166/",
        "http://[::ffff:169.254.169.254]/x", "http://169.254.169.254",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_auto(Scene) scene = {0};
        scene_init(&scene, false);
        g_auto(Got) got = {0};
        g_test_message("%s", urls[i]);
        NetRequest *request = request_to(urls[i], true, &got);
        request->allow_private = true;
        net_client_send(scene.client, request);
        drain(scene.client);
        g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
        g_assert_cmpuint(got.sent, ==, 0);
        g_assert_nonnull(strstr(got.message, "goes nowhere else"));
        g_assert_cmpuint(peer_connections(scene.peer), ==, 0);
    }
}

static void no_other_request_reaches_the_service(void) {
    for (int private = 0; private <= 1; private ++) {
        g_auto(Scene) scene = {0};
        scene_init(&scene, false);
        g_auto(Got) got = {0};
        NetRequest *request = request_to(EGRESS_INSTANCE_METADATA "/latest", false, &got);
        request->allow_private = private == 1;
        net_client_send(scene.client, request);
        drain(scene.client);
        g_assert_cmpint(got.outcome, ==, OUTCOME_BAD_REQUEST);
        g_assert_cmpuint(atomic_load(&metadata_connections), ==, 0);
    }
}

/* A connection that was let through must not serve a request that would have been refused. */
static void the_connection_to_the_service_is_not_kept(void) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, false);
    g_auto(Got) first = {0};
    g_auto(Got) second = {0};
    net_client_send(scene.client, request_to(EGRESS_INSTANCE_METADATA "/latest", true, &first));
    drain(scene.client);
    g_assert_cmpint(first.outcome, ==, OUTCOME_OK);
    NetRequest *request = request_to(EGRESS_INSTANCE_METADATA "/latest", false, &second);
    request->allow_private = true;
    net_client_send(scene.client, request);
    drain(scene.client);
    g_assert_cmpint(second.outcome, ==, OUTCOME_BAD_REQUEST);
    g_assert_nonnull(strstr(second.message, "cloud metadata"));
    g_assert_cmpuint(peer_requests(scene.peer), ==, 1);
    g_assert_cmpuint(atomic_load(&metadata_connections), ==, 1);
}

#define ADD(name) g_test_add_func("/net/metadata/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(the_service_is_reached_without_allow_private);
    ADD(the_proxy_is_not_asked_for_the_service);
    ADD(the_request_goes_nowhere_else);
    ADD(no_other_request_reaches_the_service);
    ADD(the_connection_to_the_service_is_not_kept);
    return g_test_run();
}
