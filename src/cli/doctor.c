#include "cli/doctor.h"

#include "cli/doctor_database.h"
#include "cli/doctor_key.h"
#include "cli/doctor_network.h"
#include "cli/doctor_place.h"
#include "cli/doctor_settings.h"

#define STATUS_UNHEALTHY 1

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

static void examine(const Place *place, bool network, Checkup *checkup) {
    Examination examination = {.checkup = checkup, .place = place, .network = network};
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        checkup_subject(checkup, checks[i].subject);
        checks[i].examine(&examination);
    }
    db_close(examination.db);
}

static bool run(CommandCall *call, GError **error) {
    g_auto(Place) place = {0};
    if (!place_init(&place, call->arguments, error))
        return false;
    g_autoptr(Checkup) checkup = checkup_new();
    examine(&place, arguments_flag(call->arguments, "network"), checkup);
    g_autoptr(Json) json = checkup_json(checkup);
    output_json(call->output, json);
    checkup_print(checkup, call->output);
    if (checkup_count(checkup, CHECKUP_ERROR) > 0)
        call->status = STATUS_UNHEALTHY;
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
        "settings and as the same user.",
    .examples = "assay doctor\n"
                "assay doctor --network --json",
    .options = options,
    .run = run,
};
