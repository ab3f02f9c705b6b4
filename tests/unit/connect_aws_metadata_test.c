/* The machine's own role as the identity that assumes roles. */
#include "unit/aws_stage.h"
#include "unit/freed.h"
#include "unit/metadata_peer.h"

#include "connect/aws_metadata.h"

#define TEXT(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define NOT_FOUND "HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define CREDENTIALS                                                                                \
    TEXT("{\"Code\": \"Success\", \"Type\": \"AWS-HMAC\", \"AccessKeyId\": \"ASIAMACHINE\", "      \
         "\"SecretAccessKey\": \"" PLANTED "\", \"Token\": \"Machine-Token\", "                    \
         "\"Expiration\": \"2026-11-20T14:00:00Z\"}")

typedef struct {
    unsigned times_done;
    AwsIdentity identity;
    char *message;
    ErrorCode code;
} Given;

static void given_clear(Given *given) {
    aws_identity_clear(&given->identity);
    g_free(given->message);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Given, given_clear)

static void take_identity(const AwsIdentity *identity, const GError *failure, void *data) {
    Given *given = data;
    given->times_done++;
    if (identity)
        given->identity = (AwsIdentity){.key_id = secret_ref(identity->key_id),
                                        .secret = secret_ref(identity->secret),
                                        .token = secret_ref(identity->token),
                                        .expires_ms = identity->expires_ms};
    if (failure) {
        given->message = g_strdup(failure->message);
        given->code = error_code_of(failure);
        assert_lacks(given->message, PLANTED);
    }
}

typedef struct {
    NetClient *client;
    Peer *peer;
} Machine;

static void machine_init(Machine *machine, const PeerStep *steps, size_t count) {
    machine->client = test_client();
    machine->peer = peer_new(steps, count);
    metadata_port = peer_port(machine->peer);
    atomic_store(&metadata_connections, 0);
}

static void machine_clear(Machine *machine) {
    net_client_free(machine->client);
    peer_free(machine->peer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Machine, machine_clear)

static void ask(Machine *machine, Given *given) {
    g_assert_nonnull(aws_metadata_start(machine->client, take_identity, given));
    g_assert_cmpuint(given->times_done, ==, 0);
    drain(machine->client);
    g_assert_cmpuint(given->times_done, ==, 1);
}

/* --- the three requests ----------------------------------------------------------------------- */

static void token_role_and_credentials_are_asked_for_in_turn(void) {
    PeerStep steps[] = {{.bytes = TEXT("Service-Token=="), .then = PEER_CLOSE},
                        {.bytes = TEXT("assay-role"), .then = PEER_CLOSE},
                        {.bytes = CREDENTIALS, .then = PEER_CLOSE}};
    g_auto(Machine) machine = {0};
    machine_init(&machine, steps, G_N_ELEMENTS(steps));
    g_auto(Given) given = {0};
    ask(&machine, &given);
    g_assert_cmpstr(given.message, ==, NULL);
    g_assert_cmpstr(secret_text(given.identity.key_id), ==, "ASIAMACHINE");
    g_assert_cmpstr(secret_text(given.identity.secret), ==, PLANTED);
    g_assert_cmpstr(secret_text(given.identity.token), ==, "Machine-Token");
    g_assert_cmpint(given.identity.expires_ms, ==, STAGE_NOW + 6 * 3600 * 1000);
    static const char *const says[][2] = {
        {"PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\n",
         "\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"},
        {"GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n",
         "\r\nX-aws-ec2-metadata-token: Service-Token==\r\n"},
        {"GET /latest/meta-data/iam/security-credentials/assay-role HTTP/1.1\r\n",
         "\r\nX-aws-ec2-metadata-token: Service-Token==\r\n"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(says); i++) {
        g_autofree char *text = peer_request(machine.peer, i);
        assert_holds(text, says[i][0]);
        assert_holds(text, says[i][1]);
    }
    g_assert_cmpuint(atomic_load(&metadata_connections), ==, 3);
}

static void what_cannot_be_used_is_told_and_not_asked_on(void) {
    static const struct {
        const char *answers[3];
        unsigned requests;
        const char *says;
    } rows[] = {
        {{NOT_FOUND}, 1, "gives no token"},
        {{TEXT("")}, 2, "knows no role"},
        {{TEXT("t"), NOT_FOUND}, 2, "knows no role"},
        {{TEXT("t"), TEXT("")}, 2, "knows no role"},
        {{TEXT("t"), TEXT("../../api")}, 2, "knows no role"},
        {{TEXT("t"), TEXT("a?b")}, 2, "knows no role"},
        {{TEXT("t"), TEXT("<html>" PLANTED)}, 2, "knows no role"},
        {{TEXT("t"), TEXT("role"), NOT_FOUND}, 3, "gives no credentials"},
        {{TEXT("t"), TEXT("role"), TEXT("{\"Code\": \"Failed\"}")}, 3, "cannot be read"},
        {{TEXT("t"), TEXT("role"), TEXT("{\"Code\": \"Success\"}")}, 3, "cannot be read"},
        {{TEXT("t"), TEXT("role"), TEXT(PLANTED)}, 3, "cannot be read"},
        {{TEXT("t"), TEXT("role"),
          TEXT("{\"Code\": \"Success\", \"AccessKeyId\": \"A B\", \"SecretAccessKey\": \"" PLANTED
               "\", \"Token\": \"t\"}")},
         3,
         "cannot be read"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        PeerStep steps[3] = {0};
        for (size_t n = 0; n < 3; n++)
            steps[n] = (PeerStep){.bytes = rows[i].answers[n] ? rows[i].answers[n] : NOT_FOUND,
                                  .then = PEER_CLOSE};
        g_auto(Machine) machine = {0};
        machine_init(&machine, steps, 3);
        g_auto(Given) given = {0};
        ask(&machine, &given);
        g_assert_null(given.identity.key_id);
        g_assert_cmpint(given.code, ==, ERROR_CONFIGURATION);
        assert_holds(given.message, rows[i].says);
        g_assert_cmpuint(peer_requests(machine.peer), ==, rows[i].requests);
    }
}

static void a_service_that_does_not_answer_is_asked_once(void) {
    PeerStep steps[] = {{.then = PEER_CLOSE}};
    g_auto(Machine) machine = {0};
    machine_init(&machine, steps, 1);
    g_auto(Given) given = {0};
    ask(&machine, &given);
    assert_holds(given.message, "the instance metadata service does not answer");
    g_assert_cmpuint(peer_requests(machine.peer), ==, 1);
}

static void a_flight_that_is_called_off_tells_nobody(void) {
    PeerStep steps[] = {{.then = PEER_HOLD}};
    g_auto(Machine) machine = {0};
    machine_init(&machine, steps, 1);
    g_auto(Given) given = {0};
    AwsMetadataFlight *flight = aws_metadata_start(machine.client, take_identity, &given);
    while (peer_requests(machine.peer) == 0)
        must(net_client_step(machine.client, 10, &error));
    aws_metadata_stop(flight);
    drain(machine.client);
    g_assert_cmpuint(given.times_done, ==, 0);
}

static void credentials_and_token_are_never_in_freed_memory(void) {
    static const char *const parts[] = {"Service-Token", PLANTED};
    PeerStep steps[] = {{.bytes = TEXT("Service-Token=="), .then = PEER_CLOSE},
                        {.bytes = TEXT("assay-role"), .then = PEER_CLOSE},
                        {.bytes = CREDENTIALS, .then = PEER_CLOSE}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_auto(Machine) machine = {0};
        machine_init(&machine, steps, G_N_ELEMENTS(steps));
        freed_watch(parts[i]);
        {
            g_auto(Given) given = {0};
            ask(&machine, &given);
            g_assert_nonnull(given.identity.key_id);
        }
        g_clear_pointer(&machine.client, net_client_free);
        g_assert_cmpuint(freed_count(), ==, 0);
        freed_watch(NULL);
    }
}

/* --- under a role ----------------------------------------------------------------------------- */

static const StageField role[] = {{"role_arn", STAGE_ROLE}, {"external_id", STAGE_EXTERNAL}, {0}};

/* The peer plays the service, STS and IAM, in the order in which they are asked. */
static void machine_assumes_roles_and_is_asked_again_for_each_renewal(void) {
    PeerStep steps[] = {
        {.bytes = TEXT("Service-Token=="), .then = PEER_CLOSE},
        {.bytes = TEXT("assay-role"), .then = PEER_CLOSE},
        {.bytes = CREDENTIALS, .then = PEER_CLOSE},
        {.bytes = STAGE_ASSUMED("ASIAFIRST", "First", "2026-11-20T09:00:00Z"), .then = PEER_CLOSE},
        {.bytes = STAGE_GOOD, .then = PEER_CLOSE},
        {.bytes = TEXT("Service-Token=="), .then = PEER_CLOSE},
        {.bytes = TEXT("assay-role"), .then = PEER_CLOSE},
        {.bytes = CREDENTIALS, .then = PEER_CLOSE},
        {.bytes = STAGE_ASSUMED("ASIASECOND", "Second", "2026-11-20T10:00:00Z"),
         .then = PEER_CLOSE},
        {.bytes = STAGE_GOOD}};
    g_auto(Stage) stage = {0};
    AwsAmbient ambient = {0};
    stage_init(&stage, steps, G_N_ELEMENTS(steps));
    metadata_port = peer_port(stage.peer);
    must(stage_connect(&stage, SCHEME_AWS_ROLE, role, &ambient, &error));
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
    clock_advance(56 * 60 * 1000);
    stage_ask(&stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_OK);
    stage_assert_signed(&stage, 3, "ASIAMACHINE", "sts");
    stage_assert_signed(&stage, 4, "ASIAFIRST", "iam");
    stage_assert_signed(&stage, 8, "ASIAMACHINE", "sts");
    stage_assert_signed(&stage, 9, "ASIASECOND", "iam");
}

static void a_machine_without_a_role_is_told_what_else_there_is(void) {
    PeerStep steps[] = {{.bytes = NOT_FOUND, .then = PEER_CLOSE}};
    g_auto(Stage) stage = {0};
    AwsAmbient ambient = {0};
    stage_init(&stage, steps, 1);
    metadata_port = peer_port(stage.peer);
    must(stage_connect(&stage, SCHEME_AWS_ROLE, role, &ambient, &error));
    g_auto(Told) told = {0};
    stage_ask(&stage, &told);
    g_assert_cmpint(told.outcome, ==, OUTCOME_BAD_REQUEST);
    assert_holds(told.message, "there is no AWS identity to assume the role " STAGE_ROLE);
    assert_holds(told.message, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    g_assert_cmpuint(peer_requests(stage.peer), ==, 1);
}

static void a_sender_that_goes_while_the_service_is_asked_leaves_nothing(void) {
    PeerStep steps[] = {{.then = PEER_HOLD}};
    g_auto(Stage) stage = {0};
    AwsAmbient ambient = {0};
    stage_init(&stage, steps, 1);
    metadata_port = peer_port(stage.peer);
    must(stage_connect(&stage, SCHEME_AWS_ROLE, role, &ambient, &error));
    Told told = {0};
    stage_send(&stage, &told);
    while (peer_requests(stage.peer) == 0)
        must(net_client_step(stage.client, 10, &error));
    g_clear_pointer(&stage.sender, sender_free);
    drain(stage.client);
    g_assert_cmpuint(told.times_done, ==, 0);
}

#define ADD(name) g_test_add_func("/connect/aws_metadata/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(token_role_and_credentials_are_asked_for_in_turn);
    ADD(what_cannot_be_used_is_told_and_not_asked_on);
    ADD(a_service_that_does_not_answer_is_asked_once);
    ADD(a_flight_that_is_called_off_tells_nobody);
    ADD(credentials_and_token_are_never_in_freed_memory);
    ADD(machine_assumes_roles_and_is_asked_again_for_each_renewal);
    ADD(a_machine_without_a_role_is_told_what_else_there_is);
    ADD(a_sender_that_goes_while_the_service_is_asked_leaves_nothing);
    return g_test_run();
}
