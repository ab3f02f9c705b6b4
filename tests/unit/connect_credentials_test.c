/* Opened credentials: fields, sealing for one place, opening nowhere else. */
#include "unit/connect_support.h"
#include "unit/freed.h"

#include "base/error.h"

#include <string.h>

static const CredentialPlace home = {.organization_id = ORG_A,
                                     .integration_id = "integration",
                                     .credential_id = "credential",
                                     .version = 3,
                                     .expires_at = 1760000000000};

static DataKey *key_for(const char *organization) {
    g_autoptr(Secret) kek = NULL;
    must((kek = secret_random(DATA_KEY_SIZE, &error)) != NULL);
    g_autoptr(Keyring) keyring = NULL;
    must((keyring = keyring_from_secret(kek, &error)) != NULL);
    g_autofree char *wrapped = NULL;
    DataKey *key = NULL;
    must(keyring_make_data_key(keyring, organization, &wrapped, &key, &error));
    return key;
}

static char *seal(const Credentials *credentials, const DataKey *key,
                  const CredentialPlace *place) {
    char *fields = NULL;
    must(credentials_seal(credentials, key, place, &fields, &error));
    return fields;
}

static void fields_keep_the_order_of_insertion(void) {
    g_autoptr(Credentials) credentials = credentials_new();
    credentials_put(credentials, "z_last", secret_of("1"));
    credentials_put(credentials, "a_first", secret_of("2"));
    credentials_put(credentials, "middle", secret_of("3"));
    g_assert_cmpuint(credentials_count(credentials), ==, 3);
    g_assert_cmpstr(credentials_field(credentials, 0), ==, "z_last");
    g_assert_cmpstr(credentials_field(credentials, 1), ==, "a_first");
    g_assert_cmpstr(credentials_field(credentials, 2), ==, "middle");
    g_assert_cmpstr(secret_text(credentials_get(credentials, "middle")), ==, "3");
    g_assert_null(credentials_get(credentials, "absent"));
}

static void a_field_that_is_set_again_takes_the_new_secret(void) {
    g_autoptr(Credentials) credentials = credentials_of("token", "old");
    credentials_put(credentials, "token", secret_of("new"));
    g_assert_cmpuint(credentials_count(credentials), ==, 1);
    g_assert_cmpstr(secret_text(credentials_get(credentials, "token")), ==, "new");
}

static void sealed_fields_open_in_their_place(void) {
    g_autoptr(DataKey) key = key_for(ORG_A);
    g_autoptr(Credentials) credentials = credentials_of("access_token", PLANTED);
    credentials_put(credentials, "empty", secret_of(""));
    g_autofree char *fields = seal(credentials, key, &home);
    assert_lacks(fields, PLANTED);
    g_autoptr(Json) json = json_of(fields);
    assert_holds(json_member_string(json, "access_token", NULL), "v1.");
    g_autoptr(Credentials) opened = NULL;
    must(credentials_open(fields, key, &home, &opened, &error));
    g_assert_cmpuint(credentials_count(opened), ==, 2);
    g_assert_cmpstr(secret_text(credentials_get(opened, "access_token")), ==, PLANTED);
    g_assert_cmpuint(secret_size(credentials_get(opened, "empty")), ==, 0);
}

static void sealing_twice_gives_different_texts(void) {
    g_autoptr(DataKey) key = key_for(ORG_A);
    g_autoptr(Credentials) credentials = credentials_of("access_token", PLANTED);
    g_autofree char *first = seal(credentials, key, &home);
    g_autofree char *second = seal(credentials, key, &home);
    g_assert_cmpstr(first, !=, second);
}

static void fields_open_in_no_other_place(void) {
    g_autoptr(DataKey) key = key_for(ORG_A);
    g_autoptr(Credentials) credentials = credentials_of("access_token", PLANTED);
    g_autofree char *fields = seal(credentials, key, &home);
    CredentialPlace places[6];
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        places[i] = home;
    places[0].organization_id = ORG_B;
    places[1].integration_id = "another";
    places[2].credential_id = "another";
    places[3].version = 4;
    places[4].expires_at = home.expires_at + 1;
    places[5].expires_at = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        Credentials *opened = NULL;
        must_fail(ERROR_CRYPTO, "", credentials_open(fields, key, &places[i], &opened, &error));
        g_assert_null(opened);
    }
}

static void fields_do_not_open_with_another_key(void) {
    g_autoptr(DataKey) key = key_for(ORG_A);
    g_autoptr(DataKey) other = key_for(ORG_A);
    g_autoptr(Credentials) credentials = credentials_of("access_token", PLANTED);
    g_autofree char *fields = seal(credentials, key, &home);
    Credentials *opened = NULL;
    must_fail(ERROR_CRYPTO, "", credentials_open(fields, other, &home, &opened, &error));
    g_assert_null(opened);
}

/* Somebody with the database puts the value of one field into another, to have it shown or sent
 * where the other goes. */
static void fields_swapped_within_a_credential_do_not_open(void) {
    g_autoptr(DataKey) key = key_for(ORG_A);
    g_autoptr(Credentials) credentials = credentials_of("client_secret", PLANTED);
    credentials_put(credentials, "webhook_token", secret_of("other"));
    g_autofree char *fields = seal(credentials, key, &home);
    g_autoptr(Json) json = json_of(fields);
    g_autofree char *moved = g_strdup(json_member_string(json, "client_secret", NULL));
    json_put_string(json, "webhook_token", moved);
    g_autofree char *swapped = json_print(json, JSON_COMPACT);
    Credentials *opened = NULL;
    must_fail(ERROR_CRYPTO, "", credentials_open(swapped, key, &home, &opened, &error));
    g_assert_null(opened);
}

static void one_bad_field_opens_none(void) {
    g_autoptr(DataKey) key = key_for(ORG_A);
    g_autoptr(Credentials) credentials = credentials_of("first", PLANTED);
    g_autofree char *fields = seal(credentials, key, &home);
    static const char *const bad[] = {"\"v1.xx\"", "\"\"", "17", "null", "{}", "[\"v1\"]"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *start = g_strndup(fields, strlen(fields) - 1);
        g_autofree char *text = g_strdup_printf("%s,\"second\":%s}", start, bad[i]);
        Credentials *opened = NULL;
        must_fail(ERROR_CRYPTO, "", credentials_open(text, key, &home, &opened, &error));
        g_assert_null(opened);
    }
}

static void stored_text_that_is_no_object_is_damage(void) {
    g_autoptr(DataKey) key = key_for(ORG_A);
    static const char *const texts[] = {"", "{", "[]", "\"v1.a.b.c.d\"", "null", "{} {}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Credentials *opened = NULL;
        must_fail(ERROR_CRYPTO, "damaged", credentials_open(texts[i], key, &home, &opened, &error));
        g_assert_null(opened);
    }
}

static void credentials_leave_nothing_in_freed_memory(void) {
    g_autoptr(DataKey) key = key_for(ORG_A);
    g_autoptr(Secret) secret = secret_of(PLANTED);
    freed_watch(PLANTED);
    Credentials *credentials = credentials_new();
    credentials_put(credentials, "access_token", secret_ref(secret));
    credentials_put(credentials, "access_token", secret_ref(secret));
    char *fields = seal(credentials, key, &home);
    Credentials *opened = NULL;
    must(credentials_open(fields, key, &home, &opened, &error));
    credentials_free(opened);
    credentials_free(credentials);
    g_free(fields);
    size_t found = freed_count();
    freed_watch(NULL);
    g_assert_cmpuint(found, ==, 0);
}

/* The arena is small: what is not given back fills it. */
static void freed_credentials_give_their_secrets_back(void) {
    g_autofree char *large = g_strnfill(60000, 'x');
    for (int i = 0; i < 2000; i++) {
        g_autoptr(Credentials) credentials = credentials_of("a", large);
        credentials_put(credentials, "a", secret_of(large));
    }
    credentials_free(NULL);
}

#define ADD(name) g_test_add_func("/connect/credentials/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(fields_keep_the_order_of_insertion);
    ADD(a_field_that_is_set_again_takes_the_new_secret);
    ADD(sealed_fields_open_in_their_place);
    ADD(sealing_twice_gives_different_texts);
    ADD(fields_open_in_no_other_place);
    ADD(fields_do_not_open_with_another_key);
    ADD(fields_swapped_within_a_credential_do_not_open);
    ADD(one_bad_field_opens_none);
    ADD(stored_text_that_is_no_object_is_damage);
    ADD(credentials_leave_nothing_in_freed_memory);
    ADD(freed_credentials_give_their_secrets_back);
    return g_test_run();
}
