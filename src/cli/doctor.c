#include "cli/doctor.h"

#include "base/clock.h"
#include "cli/doctor_database.h"
#include "cli/doctor_key.h"
#include "cli/doctor_network.h"
#include "cli/doctor_place.h"
#include "cli/doctor_settings.h"

#define STATUS_UNHEALTHY 1
#define DRIFT_MS 2000

typedef struct {
    const char *subject;
    void (*examine)(Examination *examination);
} Check;

/* In this order: the settings are read before the key is taken out of the environment, and the
 * database is reached before anything is asked of it. */
static const Check checks[] = {
    {"settings", doctor_settings}, {"data directory", doctor_directory},
    {"file modes", doctor_files},  {"disk", doctor_disk},
    {"database", doctor_reach},    {"server", doctor_server},
    {"schema", doctor_schema},     {"integrity", doctor_whole},
    {"key", doctor_key},           {"clock", doctor_clock},
    {"leases", doctor_leases},     {"redis", doctor_redis},
    {"services", doctor_network},
};

static void examine(Examination *examination) {
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        checkup_subject(examination->checkup, checks[i].subject);
        checks[i].examine(examination);
    }
}

static void tell(CommandCall *call, const Checkup *checkup) {
    g_autoptr(Json) json = checkup_json(checkup);
    output_json(call->output, json);
    checkup_print(checkup, call->output);
    if (checkup_count(checkup, CHECKUP_ERROR) > 0)
        call->status = STATUS_UNHEALTHY;
}

static bool run(CommandCall *call, GError **error) {
    g_auto(Place) place = {0};
    if (!place_init(&place, call->arguments, error))
        return false;
    g_autoptr(Checkup) checkup = checkup_new();
    Examination examination = {
        .checkup = checkup, .place = &place, .network = arguments_flag(call->arguments, "network")};
    examine(&examination);
    db_close(examination.db);
    tell(call, checkup);
    return true;
}

/* --- of a server ------------------------------------------------------------------------------ */

Json *doctor_of_service(const Session *session, const Config *settings, const Keyring *keyring,
                        bool network) {
    g_autoptr(Checkup) checkup = checkup_new();
    Place place = *session_place(session);
    place.config = (Config *)(uintptr_t)settings;
    Examination examination = {.checkup = checkup,
                               .place = &place,
                               .db = session_db(session),
                               .keyring = keyring,
                               .network = network,
                               .serving = true};
    examine(&examination);
    Json *json = checkup_json(checkup);
    json_put_time(json, "at", clock_now_ms());
    return json;
}

/* The server's time was told between two looks at this clock. */
static void judge_clock(Checkup *checkup, int64_t theirs, int64_t before, int64_t after) {
    int64_t drift = theirs < before ? theirs - before : theirs > after ? theirs - after : 0;
    checkup_subject(checkup, "clock here");
    if (drift > DRIFT_MS || drift < -DRIFT_MS)
        checkup_warn(checkup, "Set the clocks of both machines by NTP.",
                     "the server's clock is %lld ms away from this one", (long long)drift);
    else
        checkup_ok(checkup, "as the server's");
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    const bool network = arguments_flag(call->arguments, "network");
    const RemoteField query[] = {{"network", network ? "true" : NULL}, {0}};
    int64_t theirs = 0;
    int64_t before = clock_now_ms();
    g_autoptr(Json) json = remote_get(remote, "/api/installation/doctor", query, error);
    int64_t after = clock_now_ms();
    if (!json)
        return false;
    g_autoptr(Checkup) checkup = checkup_new();
    checkup_subject(checkup, "reached");
    checkup_ok(checkup, "%s", remote_address(remote));
    if (clock_parse(json_member_string(json, "at", ""), &theirs))
        judge_clock(checkup, theirs, before, after);
    checkup_take(checkup, json);
    tell(call, checkup);
    return true;
}

static const Option options[] = {
    {"network", OPTION_FLAG, NULL, "also ask the hosts of the integrations' services"}, {0}};

const Command doctor_command = {
    .name = "doctor",
    .summary = "whether this installation is in order, and what to do if not",
    .usage = "[--network]",
    .about =
        "Looks at settings, data directory, file modes, disk, database, key, clock, leases and\n"
        "Redis, and changes nothing. The exit status is 1 when there is an error, 0 when\n"
        "there are warnings at most. It may be run beside `assay serve`, with the same\n"
        "settings and as the same user. With --server that service looks at itself, for the\n"
        "operator's token; it does not read every page of its database.",
    .examples = "assay doctor\n"
                "assay doctor --network --json",
    .options = options,
    .run = run,
    .remote = run_remote,
};
