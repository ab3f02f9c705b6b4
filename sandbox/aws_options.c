#include "sandbox/aws_options.h"

#include "base/clock.h"
#include "base/error.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define REGIONS_MAX 64

typedef struct {
    const char *name;
    const char *suffix;
    const char *global_region;
    const char *regions;
} Partition;

static const Partition partitions[] = {
    {"aws", "amazonaws.com", "us-east-1", "us-east-1,eu-west-1"},
    {"aws-us-gov", "amazonaws.com", "us-gov-west-1", "us-gov-west-1,us-gov-east-1"},
    {"aws-cn", "amazonaws.com.cn", "cn-northwest-1", "cn-northwest-1,cn-north-1"},
};

void aws_command_line_init(AwsCommandLine *line) {
    *line = (AwsCommandLine){.users = 100, .buckets = 40, .report_polls = 1};
}

void aws_command_line_clear(AwsCommandLine *line) {
    char *const texts[] = {line->regions,    line->account,     line->partition,
                           line->access_key, line->secret_key,  line->session_token,
                           line->role_arn,   line->external_id, line->today};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    g_strfreev(line->set);
}

GOptionGroup *aws_command_line_group(AwsCommandLine *line) {
    const GOptionEntry entries[] = {
        {"users", 0, 0, G_OPTION_ARG_INT, &line->users, "How many IAM users there are (100)", "N"},
        {"buckets", 0, 0, G_OPTION_ARG_INT, &line->buckets, "How many S3 buckets (40)", "N"},
        {"regions", 0, 0, G_OPTION_ARG_STRING, &line->regions,
         "Regions that are on (us-east-1,eu-west-1)", "NAME,..."},
        {"account", 0, 0, G_OPTION_ARG_STRING, &line->account, "Account id (123456789012)", "ID"},
        {"partition", 0, 0, G_OPTION_ARG_STRING, &line->partition,
         "aws, aws-us-gov or aws-cn (aws)", "NAME"},
        {"access-key", 0, 0, G_OPTION_ARG_STRING, &line->access_key,
         "The access key that is known (" AWS_ACCESS_KEY ")", "ID"},
        {"secret-key", 0, 0, G_OPTION_ARG_STRING, &line->secret_key,
         "Its secret (" AWS_SECRET_KEY ")", "TEXT"},
        {"session-token", 0, 0, G_OPTION_ARG_STRING, &line->session_token,
         "Its session token, when it must have one", "TEXT"},
        {"role-arn", 0, 0, G_OPTION_ARG_STRING, &line->role_arn, "The role that may be assumed",
         "ARN"},
        {"external-id", 0, 0, G_OPTION_ARG_STRING, &line->external_id,
         "The external id that it asks for", "TEXT"},
        {"session-seconds", 0, 0, G_OPTION_ARG_INT, &line->session_seconds,
         "How long its sessions live (0: as long as asked)", "N"},
        {"page-max", 0, 0, G_OPTION_ARG_INT, &line->page_max,
         "Rows of a page at most, whatever is asked (0: as AWS)", "N"},
        {"report-polls", 0, 0, G_OPTION_ARG_INT, &line->report_polls,
         "Calls until the credential report is complete (1)", "N"},
        {"keep-rates", 0, 0, G_OPTION_ARG_NONE, &line->keep_rates,
         "Enforce the documented calls a second", NULL},
        {"today", 0, 0, G_OPTION_ARG_STRING, &line->today,
         "The day that times in the data are counted from (today)", "YYYY-MM-DD"},
        {"clock-offset", 0, 0, G_OPTION_ARG_INT, &line->clock_offset,
         "Let the sandbox's clock be ahead (0)", "SECONDS"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &line->set,
         "A constant of the data, such as password_policy=strong", "NAME=VALUE"},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    GOptionGroup *group =
        g_option_group_new("aws", "For --provider aws:", "Show options of AWS", NULL, NULL);
    g_option_group_add_entries(group, entries);
    return group;
}

static const Partition *find_partition(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(partitions); i++) {
        if (strcmp(partitions[i].name, name) == 0) {
            return &partitions[i];
        }
    }
    return NULL;
}

static void fill_in(char **text, const char *fallback) {
    if (*text == NULL) {
        *text = g_strdup(fallback);
    }
}

static bool are_regions(const char *list) {
    g_auto(GStrv) names = g_strsplit(list, ",", REGIONS_MAX + 1);
    guint count = g_strv_length(names);
    for (guint i = 0; i < count; i++) {
        if (names[i][0] == '\0' ||
            names[i][strspn(names[i], G_CSET_a_2_z G_CSET_DIGITS "-")] != '\0' ||
            g_strv_contains((const char *const *)names + i + 1, names[i])) {
            return false;
        }
    }
    return count > 0 && count <= REGIONS_MAX;
}

static bool are_settings(char *const *texts) {
    for (; texts != NULL && *texts != NULL; texts++) {
        const char *equal = strchr(*texts, '=');
        if (equal == NULL || equal == *texts || strpbrk(equal, "\"\\<>&") != NULL) {
            return false;
        }
    }
    return true;
}

const char *aws_command_line_check(AwsCommandLine *line) {
    fill_in(&line->partition, partitions[0].name);
    const Partition *partition = find_partition(line->partition);
    if (partition == NULL) {
        return "--partition must be aws, aws-us-gov or aws-cn";
    }
    fill_in(&line->regions, partition->regions);
    fill_in(&line->account, "123456789012");
    fill_in(&line->access_key, AWS_ACCESS_KEY);
    fill_in(&line->secret_key, AWS_SECRET_KEY);
    if (line->today == NULL) {
        line->today = clock_format(clock_now_ms() / DAY_MS * DAY_MS);
        line->hour = clock_now_ms() / HOUR_MS * HOUR_MS;
    }
    int64_t today;
    if (line->users < 0 || line->users > COLLECTION_ITEMS_MAX || line->buckets < 0 ||
        line->buckets > COLLECTION_ITEMS_MAX) {
        return "--users and --buckets must be 0 to 10000000";
    }
    if (!are_regions(line->regions)) {
        return "--regions must be 1 to 64 different names with commas between";
    }
    if (strlen(line->account) != 12 ||
        line->account[strspn(line->account, G_CSET_DIGITS)] != '\0') {
        return "--account must have 12 digits";
    }
    if (line->page_max < 0 || line->report_polls < 0 || line->session_seconds < 0) {
        return "counts and seconds may not be negative";
    }
    if (!clock_parse(line->today, &today)) {
        return "--today must be a date such as 2026-11-20";
    }
    return are_settings(line->set) ? NULL : "--set must be NAME=VALUE";
}

static void put(Constants *constants, const char *name, const char *text) {
    g_hash_table_insert(constants, g_strdup(name), g_strdup(text));
}

static void put_number(Constants *constants, const char *name, int64_t number) {
    g_hash_table_insert(constants, g_strdup(name), g_strdup_printf("%" G_GINT64_FORMAT, number));
}

static Constants *make_constants(const AwsCommandLine *line) {
    Constants *constants = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const Partition *partition = find_partition(line->partition);
    g_auto(GStrv) regions = g_strsplit(line->regions, ",", -1);
    int64_t today = 0;
    (void)clock_parse(line->today, &today); /* it was checked */
    g_autofree char *iso = clock_format(today);
    put(constants, "account", line->account);
    put(constants, "partition", line->partition);
    put(constants, "suffix", partition->suffix);
    put(constants, "global_region", partition->global_region);
    put(constants, "regions", line->regions);
    put(constants, "today", iso);
    put_number(constants, "region_count", g_strv_length(regions));
    put_number(constants, "users", line->users);
    put_number(constants, "buckets", line->buckets);
    put_number(constants, "today_epoch", today / 1000);
    put_number(constants, "hour_epoch", (line->hour != 0 ? line->hour : today) / 1000);
    for (char *const *text = line->set; text != NULL && *text != NULL; text++) {
        const char *equal = strchr(*text, '=');
        g_autofree char *name = g_strndup(*text, (size_t)(equal - *text));
        put(constants, name, equal + 1);
    }
    return constants;
}

Aws *aws_command_line_open(const AwsCommandLine *line, Json *data, uint64_t seed, GError **error) {
    if (line->clock_offset != 0) {
        clock_set_offset(line->clock_offset * INT64_C(1000));
    }
    const AwsOptions options = {.data = data,
                                .constants = make_constants(line),
                                .seed = seed,
                                .page_max = (uint64_t)line->page_max,
                                .polls = (uint64_t)line->report_polls,
                                .keep_rates = line->keep_rates,
                                .tell_date = line->clock_offset != 0,
                                .identity = {.access_key = line->access_key,
                                             .secret = line->secret_key,
                                             .token = line->session_token,
                                             .role_arn = line->role_arn,
                                             .external_id = line->external_id,
                                             .account = line->account,
                                             .partition = line->partition,
                                             .session_seconds = line->session_seconds}};
    return aws_new(&options, error);
}
