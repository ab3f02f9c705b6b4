#include "connect/aws_identity.h"

#include "base/error.h"

#include <string.h>

#define PART_MAX (16 * 1024) /* of one part: session tokens have no stated bound */

static const char *const fields[] = {AWS_FIELD_KEY_ID, AWS_FIELD_SECRET, AWS_FIELD_TOKEN};

void aws_identity_clear(AwsIdentity *identity) {
    secret_free(identity->key_id);
    secret_free(identity->secret);
    secret_free(identity->token);
    *identity = (AwsIdentity){0};
}

bool aws_identity_is_in(const Credentials *credentials) {
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (credentials_get(credentials, fields[i]))
            return true;
    return false;
}

/* A blank or line break would become part of a header or of the canonical request. */
static const char *problem_of(const Secret *part, bool required) {
    if (!part || secret_size(part) == 0)
        return required ? "is missing" : NULL;
    if (secret_size(part) > PART_MAX)
        return "is too long";
    const unsigned char *bytes = secret_bytes(part);
    for (size_t i = 0; i < secret_size(part); i++)
        if (bytes[i] <= ' ' || bytes[i] >= 0x7f)
            return "holds a blank, a line break or another character that no key has";
    return NULL;
}

static Secret *ref_of(const Secret *secret) {
    return secret && secret_size(secret) > 0 ? secret_ref((Secret *)(uintptr_t)secret) : NULL;
}

bool aws_identity_read(const Credentials *credentials, AwsIdentity *identity_out, GError **error) {
    const Secret *parts[G_N_ELEMENTS(fields)];
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        parts[i] = credentials_get(credentials, fields[i]);
        const char *problem = problem_of(parts[i], i < 2);
        if (problem) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "AWS: %s %s; give the access key "
                        "again",
                        fields[i], problem);
            return false;
        }
    }
    *identity_out = (AwsIdentity){
        .key_id = ref_of(parts[0]), .secret = ref_of(parts[1]), .token = ref_of(parts[2])};
    return true;
}

/* --- what the installation offers ------------------------------------------------------------- */

void aws_ambient_clear(AwsAmbient *ambient) {
    credentials_free(ambient->environment);
    *ambient = (AwsAmbient){0};
}

static bool take_variable(const char *name, const char *field, Credentials *into, GError **error) {
    GError *failure = NULL;
    Secret *secret = secret_from_environment(name, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        return false;
    }
    if (secret && secret_size(secret) > 0)
        credentials_put(into, field, secret);
    else
        secret_free(secret);
    return true;
}

static bool take_switch(const char *name, bool *on_out, GError **error) {
    GError *failure = NULL;
    g_autoptr(Secret) value = secret_from_environment(name, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        return false;
    }
    *on_out = value && g_ascii_strcasecmp(secret_text(value), "true") == 0;
    return true;
}

bool aws_ambient_take(AwsAmbient *ambient_out, GError **error) {
    static const struct {
        const char *variable;
        const char *field;
    } rows[] = {{"AWS_ACCESS_KEY_ID", AWS_FIELD_KEY_ID},
                {"AWS_SECRET_ACCESS_KEY", AWS_FIELD_SECRET},
                {"AWS_SESSION_TOKEN", AWS_FIELD_TOKEN}};
    g_autoptr(Credentials) environment = credentials_new();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!take_variable(rows[i].variable, rows[i].field, environment, error))
            return false;
    bool no_metadata = false;
    if (!take_switch("AWS_EC2_METADATA_DISABLED", &no_metadata, error))
        return false;
    *ambient_out = (AwsAmbient){.no_metadata = no_metadata};
    if (credentials_count(environment) > 0)
        ambient_out->environment = g_steal_pointer(&environment);
    return true;
}
