#include "connect/aws_trust.h"

#include "base/json.h"
#include "base/secmem.h"
#include "base/text.h"

#include <string.h>

#define EXTERNAL_ID_BYTES 16
#define EXTERNAL_ID_PREFIX "assay-"

char *aws_trust_make_external_id(void) {
    uint8_t bytes[EXTERNAL_ID_BYTES];
    secmem_random(bytes, sizeof bytes);
    g_autofree char *digits = text_hex(bytes, sizeof bytes);
    return g_strconcat(EXTERNAL_ID_PREFIX, digits, NULL);
}

char *aws_trust_find_external_id(const char *text) {
    const size_t prefix = strlen(EXTERNAL_ID_PREFIX);
    for (const char *at = strstr(text, EXTERNAL_ID_PREFIX); at;
         at = strstr(at + 1, EXTERNAL_ID_PREFIX)) {
        size_t digits = strspn(at + prefix, "0123456789abcdef");
        if (digits == 2 * (size_t)EXTERNAL_ID_BYTES)
            return g_strndup(at, prefix + digits);
    }
    return NULL;
}

static Json *object_of(const char *key, Json *value) {
    Json *object = json_new_object();
    json_put(object, key, value);
    return object;
}

char *aws_trust_policy(const char *principal, const char *external_id) {
    Json *statement = json_new_object();
    json_put_string(statement, "Effect", "Allow");
    json_put(statement, "Principal", object_of("AWS", json_new_string(principal)));
    json_put_string(statement, "Action", "sts:AssumeRole");
    Json *equals = object_of("sts:ExternalId", json_new_string(external_id));
    json_put(statement, "Condition", object_of("StringEquals", equals));
    Json *statements = json_new_array();
    json_add(statements, statement);
    g_autoptr(Json) policy = json_new_object();
    json_put_string(policy, "Version", "2012-10-17");
    json_put(policy, "Statement", statements);
    return json_print(policy, JSON_PRETTY);
}
