#include "connect/aws_role.h"

#include "base/clock.h"
#include "base/error.h"
#include "connect/aws_assume.h"
#include "connect/aws_metadata.h"
#include "connect/aws_pen.h"
#include "connect/aws_trust.h"
#include "connect/settings.h"
#include "provider/aws_endpoint.h"

#include <string.h>

#define RENEW_BEFORE_MS (5 * 60 * 1000)
#define FAILURE_KEPT_MS (30 * 1000) /* STS is not asked again before that */
#define ARN_MAX 2048
#define EXTERNAL_ID_MAX 1224
#define SESSION_NAME_MAX 64

typedef struct {
    NetClient *client;
    AuthorizerReady tell;
    void *data;
    char *endpoint;
    char *region;
    char *role_arn;
    char *external_id;
    char *session_name;
    bool allow_private;
    bool from_metadata; /* the base identity is asked for before each renewal */
    AwsPen *base;
    AwsPen *pen;

    unsigned generation; /* of the credentials in use; 0: none were made yet */
    int64_t expires_ms;  /* by the clock of the service */
    bool stale;          /* a service said that they have expired */
    GError *failure;     /* of the last renewal */
    int64_t quiet_until; /* monotonic: no renewal before that */
    AwsMetadataFlight *asking;
    AwsAssumeFlight *assuming;
    uint64_t telling; /* timer that tells of a failure; 0: none */
} Role;

static void role_free(void *state) {
    Role *role = state;
    aws_metadata_stop(role->asking);
    aws_assume_stop(role->assuming);
    if (role->telling)
        net_client_cancel_timer(role->client, role->telling);
    aws_pen_free(role->base);
    aws_pen_free(role->pen);
    g_clear_error(&role->failure);
    g_free(role->endpoint);
    g_free(role->region);
    g_free(role->role_arn);
    g_free(role->external_id);
    g_free(role->session_name);
    g_free(role);
}

/* --- the renewal ------------------------------------------------------------------------------ */

static bool is_usable(const Role *role) {
    return role->generation > 0 && !role->stale && aws_pen_now_ms(role->pen) < role->expires_ms;
}

/* Credentials that still hold outlive a renewal that failed. */
static void end_renewal(Role *role, const GError *failure) {
    g_clear_error(&role->failure);
    role->quiet_until = failure ? clock_mono_ms() + FAILURE_KEPT_MS : 0;
    if (failure)
        role->failure = g_error_copy(failure);
    role->tell(is_usable(role) ? NULL : role->failure, role->data);
}

static void on_assumed(const AwsIdentity *identity, const GError *failure, void *data) {
    Role *role = data;
    role->assuming = NULL;
    if (identity) {
        aws_pen_use(role->pen, identity);
        aws_pen_follow_clock(role->pen, role->base);
        role->expires_ms = identity->expires_ms;
        role->generation++;
        role->stale = false;
    }
    end_renewal(role, failure);
}

static void assume(Role *role) {
    AwsAssume what = {.endpoint = role->endpoint,
                      .region = role->region,
                      .role_arn = role->role_arn,
                      .external_id = role->external_id,
                      .session_name = role->session_name,
                      .allow_private = role->allow_private};
    aws_pen_follow_clock(role->base, role->pen);
    role->assuming = aws_assume_start(role->client, role->base, &what, on_assumed, role);
}

static void on_base(const AwsIdentity *identity, const GError *failure, void *data) {
    Role *role = data;
    role->asking = NULL;
    if (identity) {
        aws_pen_use(role->base, identity);
        assume(role);
        return;
    }
    g_autoptr(GError) why = g_error_new(
        ASSAY_ERROR, (int)error_code_of(failure),
        "there is no AWS identity to assume the role %s with: give the connection an access key, "
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is attached (%s)",
        role->role_arn, failure->message);
    end_renewal(role, why);
}

static void start_renewal(Role *role) {
    if (role->from_metadata)
        role->asking = aws_metadata_start(role->client, on_base, role);
    else
        assume(role);
}

static void tell_failure(void *data) {
    Role *role = data;
    role->telling = 0;
    role->tell(role->failure, role->data);
}

static bool ready(void *state) {
    Role *role = state;
    if (role->asking || role->assuming || role->telling)
        return false;
    bool usable = is_usable(role);
    bool fresh = usable && aws_pen_now_ms(role->pen) < role->expires_ms - RENEW_BEFORE_MS;
    bool quiet = role->failure && clock_mono_ms() < role->quiet_until;
    if (fresh || (usable && quiet))
        return true;
    if (quiet)
        role->telling = net_client_after(role->client, 0, tell_failure, role);
    else
        start_renewal(role);
    return false;
}

/* --- requests --------------------------------------------------------------------------------- */

static bool authorize(void *state, const AuthorizerAttempt *attempt, NetHeaders *extra,
                      AuthorizerStamp *stamp, GError **error) {
    Role *role = state;
    stamp->generation = role->generation;
    return aws_pen_sign(role->pen, attempt, extra, stamp, error);
}

static void observe(void *state, const NetResponse *response) {
    aws_pen_observe(((Role *)state)->pen, response);
}

/* Several requests may learn at once that their credentials have expired: one renewal is enough. */
static AuthorizerRemedy remedy(void *state, const AuthorizerAnswer *answer) {
    Role *role = state;
    if (!(answer->used & REMEDY_CLOCK) && aws_pen_clock_was_wrong(role->pen, answer))
        return REMEDY_CLOCK;
    if (answer->aws != AWS_ERROR_EXPIRED || (answer->used & REMEDY_RENEWAL))
        return REMEDY_NONE;
    if (answer->stamp.generation == role->generation)
        role->stale = true;
    return REMEDY_RENEWAL;
}

static const AuthorizerMethods methods = {.authorize = authorize,
                                          .ready = ready,
                                          .observe = observe,
                                          .remedy = remedy,
                                          .free = role_free};

/* --- making ----------------------------------------------------------------------------------- */

static bool fail(GError **error, const char *what) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "AWS: %s", what);
    return false;
}

/* A text of visible ASCII within the bounds; NULL otherwise. Caller frees. */
static char *field_text(const Credentials *credentials, const char *name, size_t max) {
    const Secret *field = credentials_get(credentials, name);
    if (!field || secret_size(field) < 2 || secret_size(field) > max)
        return NULL;
    const char *text = secret_text(field);
    for (size_t i = 0; i < secret_size(field); i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return NULL;
    return g_strdup(text);
}

/* arn:PARTITION:iam::ACCOUNT:role/NAME */
static bool arn_is_of(const char *arn, const char *partition) {
    g_autofree char *beginning = g_strdup_printf("arn:%s:iam::", partition);
    return g_str_has_prefix(arn, beginning) && strstr(arn, ":role/");
}

static bool read_fields(Role *role, const AuthorizerConfig *config, const char *partition,
                        GError **error) {
    role->role_arn = field_text(config->credentials, AWS_FIELD_ROLE_ARN, ARN_MAX);
    role->external_id = field_text(config->credentials, AWS_FIELD_EXTERNAL_ID, EXTERNAL_ID_MAX);
    if (!role->role_arn || !arn_is_of(role->role_arn, partition))
        return fail(error, "role_arn is no ARN of a role in this partition, such as "
                           "arn:aws:iam::123456789012:role/assay");
    if (!role->external_id)
        return fail(error, "external_id is missing; connect again, and Assay makes one");
    return true;
}

/* Where STS is asked: the first region of the settings that every account has, else the one that
 * the partition begins with. A region that must be enabled may be off for the base identity. */
static const char *choose_region(const Json *settings, int partition) {
    const Json *regions = json_member(settings, "regions");
    for (size_t i = 0; i < json_count(regions); i++) {
        const char *region = json_text(json_item(regions, i));
        if (region && strcmp(region, "all") != 0 && aws_region_is_name(region) &&
            !aws_region_is_opt_in(region))
            return region;
    }
    return aws_partition_region(partition);
}

static bool read_place(Role *role, const AuthorizerConfig *config, GError **error) {
    const char *name = json_member_string(config->settings, "partition", "");
    int partition = aws_partition(name);
    if (partition < 0)
        return fail(error, "the setting partition names no partition");
    const char *override = json_member_string(config->settings, "endpoint_url", "");
    role->allow_private = settings_allow_private(config->settings);
    role->region = g_strdup(choose_region(config->settings, partition));
    role->endpoint = *override != '\0' ? g_strdup(override)
                                       : g_strdup_printf("https://sts.%s.%s", role->region,
                                                         aws_partition_suffix(partition));
    for (size_t n = strlen(role->endpoint); n > 0 && role->endpoint[n - 1] == '/'; n--)
        role->endpoint[n - 1] = '\0';
    return read_fields(role, config, aws_partition_names[partition], error);
}

static bool read_base(Role *role, const AuthorizerConfig *config, GError **error) {
    const AwsAmbient *ambient = config->ambient;
    const Credentials *source = NULL;
    if (aws_identity_is_in(config->credentials))
        source = config->credentials;
    else if (ambient && ambient->environment)
        source = ambient->environment;
    role->from_metadata = !source && ambient && !ambient->no_metadata;
    if (role->from_metadata)
        return true;
    if (!source)
        return fail(error, "there is no identity to assume the role with: give the connection an "
                           "access key, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    g_auto(AwsIdentity) identity = {0};
    if (!aws_identity_read(source, &identity, error))
        return false;
    aws_pen_use(role->base, &identity);
    return true;
}

bool aws_role_new(const AuthorizerConfig *config, Authorizer **authorizer_out, GError **error) {
    Role *role = g_new0(Role, 1);
    role->client = config->client;
    role->tell = config->ready;
    role->data = config->data;
    role->base = aws_pen_new();
    role->pen = aws_pen_new();
    g_autofree char *name = g_strconcat("assay-", config->integration_id, NULL);
    role->session_name = g_strndup(name, SESSION_NAME_MAX);
    if (!read_place(role, config, error) || !read_base(role, config, error)) {
        role_free(role);
        return false;
    }
    *authorizer_out = authorizer_new(&methods, role);
    return true;
}
