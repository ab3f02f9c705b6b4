#include "connect/credentials.h"

#include "base/error.h"
#include "vault/seal.h"

#include <string.h>

#define FIELDS_MAX (1024 * 1024) /* bytes of the stored JSON text */

typedef struct {
    char *name;
    Secret *secret;
} Field;

struct Credentials {
    GArray *fields; /* Field, in the order of insertion */
};

static void clear_field(void *data) {
    Field *field = data;
    g_free(field->name);
    secret_free(field->secret);
}

Credentials *credentials_new(void) {
    Credentials *credentials = g_new0(Credentials, 1);
    credentials->fields = g_array_new(FALSE, FALSE, sizeof(Field));
    g_array_set_clear_func(credentials->fields, clear_field);
    return credentials;
}

void credentials_free(Credentials *credentials) {
    if (!credentials)
        return;
    g_array_unref(credentials->fields);
    g_free(credentials);
}

static Field *find_field(const Credentials *credentials, const char *name) {
    for (guint i = 0; i < credentials->fields->len; i++) {
        Field *field = &g_array_index(credentials->fields, Field, i);
        if (strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

void credentials_put(Credentials *credentials, const char *field, Secret *secret) {
    Field *found = find_field(credentials, field);
    if (found) {
        secret_free(found->secret);
        found->secret = secret;
        return;
    }
    Field added = {g_strdup(field), secret};
    g_array_append_val(credentials->fields, added);
}

const Secret *credentials_get(const Credentials *credentials, const char *field) {
    const Field *found = find_field(credentials, field);
    return found ? found->secret : NULL;
}

size_t credentials_count(const Credentials *credentials) {
    return credentials->fields->len;
}

const char *credentials_field(const Credentials *credentials, size_t index) {
    return g_array_index(credentials->fields, Field, index).name;
}

static SealContext context_of(const CredentialPlace *place, const char *field) {
    return (SealContext){.organization_id = place->organization_id,
                         .integration_id = place->integration_id,
                         .credential_id = place->credential_id,
                         .field = field,
                         .version = place->version,
                         .expires_at = place->expires_at};
}

bool credentials_seal(const Credentials *credentials, const DataKey *key,
                      const CredentialPlace *place, char **fields_out, GError **error) {
    g_autoptr(Json) json = json_new_object();
    for (guint i = 0; i < credentials->fields->len; i++) {
        const Field *field = &g_array_index(credentials->fields, Field, i);
        SealContext context = context_of(place, field->name);
        g_autofree char *sealed = NULL;
        if (!seal_secret(key, &context, field->secret, &sealed, error))
            return false;
        json_put_string(json, field->name, sealed);
    }
    *fields_out = json_print(json, JSON_COMPACT);
    return true;
}

bool credentials_open(const char *fields, const DataKey *key, const CredentialPlace *place,
                      Credentials **credentials_out, GError **error) {
    g_autoptr(Json) json = json_parse(fields, strlen(fields), FIELDS_MAX, NULL);
    if (!json || json_kind(json) != JSON_KIND_OBJECT) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CRYPTO,
                            "a stored credential is damaged; connect the integration again");
        return false;
    }
    g_autoptr(Credentials) credentials = credentials_new();
    void *iterator = NULL;
    const char *name;
    Json *sealed;
    while (json_next(json, &iterator, &name, &sealed)) {
        SealContext context = context_of(place, name);
        const char *text = json_text(sealed);
        Secret *secret = NULL;
        if (!seal_open(key, &context, text ? text : "", &secret, error))
            return false;
        credentials_put(credentials, name, secret);
    }
    *credentials_out = g_steal_pointer(&credentials);
    return true;
}
