#include "vault/seal.h"

#include "base/error.h"
#include "base/text.h"

#include "unit/freed.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARKER "planted-51f0e2a9"

/* What OpenSSL is asked for the tag with: the n-th call fails when fail_control is n. */
static int fail_control;
int EVP_CIPHER_CTX_ctrl(void *context, int type, int argument, void *pointer);

int EVP_CIPHER_CTX_ctrl(void *context, int type, int argument, void *pointer) {
    if (fail_control > 0 && --fail_control == 0)
        return 0;
    int (*real)(void *, int, int, void *);
    *(void **)&real = dlsym(RTLD_NEXT, "EVP_CIPHER_CTX_ctrl");
    return real(context, type, argument, pointer);
}

static const SealContext place = {.organization_id = "org-1",
                                  .integration_id = "int-1",
                                  .credential_id = "cred-1",
                                  .field = "access_token",
                                  .version = 7,
                                  .expires_at = INT64_C(1795159888123)};

/* The key 00 01 02 ... 1f, and what it sealed for that place, made by another implementation
 * (Node.js crypto) from the description of the form. */
static const char golden[] = "v1.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ";

static Secret *make_secret(const void *bytes, size_t size) {
    g_autoptr(GError) error = NULL;
    Secret *secret = secret_new(bytes, size, &error);
    g_assert_no_error(error);
    return secret;
}

static DataKey *make_key(uint8_t first) {
    uint8_t bytes[DATA_KEY_SIZE];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(first + i);
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) secret = make_secret(bytes, sizeof bytes);
    DataKey *key = data_key_new(secret, "data-key", &error);
    g_assert_no_error(error);
    return key;
}

static char *seal(const DataKey *key, const SealContext *context, const char *text) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) secret = make_secret(text, strlen(text));
    char *sealed = NULL;
    g_assert_true(seal_secret(key, context, secret, &sealed, &error));
    g_assert_no_error(error);
    return sealed;
}

static void assert_opens(const DataKey *key, const SealContext *context, const char *sealed,
                         const char *expected) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) secret = NULL;
    g_assert_true(seal_open(key, context, sealed, &secret, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(secret_text(secret), ==, expected);
    g_assert_cmpuint(secret_size(secret), ==, strlen(expected));
}

/* One clear error, nothing opened, nothing of key or secret said. */
static void assert_refused(const DataKey *key, const SealContext *context, const char *sealed) {
    g_autoptr(GError) error = NULL;
    Secret *secret = NULL;
    g_assert_false(seal_open(key, context, sealed, &secret, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CRYPTO);
    g_assert_null(secret);
    g_assert_null(strstr(error->message, "ghp_"));
    g_assert_cmpint(error->message[strlen(error->message) - 1], ==, '.');
}

static void a_sealed_secret_opens_in_its_place(void) {
    g_autoptr(DataKey) key = make_key(0);
    g_autofree char *sealed = seal(key, &place, "ghp_token");
    assert_opens(key, &place, sealed, "ghp_token");
}

static void what_another_implementation_sealed_opens(void) {
    g_autoptr(DataKey) key = make_key(0);
    assert_opens(key, &place, golden, "ghp_golden");
}

static void secrets_of_every_size_come_back(void) {
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 3071, SECRET_MAX};
    g_autoptr(DataKey) key = make_key(0);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *sealed = NULL;
        g_autoptr(Secret) opened = NULL;
        g_autoptr(Secret) secret = secret_random(sizes[i], &error);
        g_assert_no_error(error);
        g_assert_true(seal_secret(key, &place, secret, &sealed, &error));
        g_assert_true(seal_open(key, &place, sealed, &opened, &error));
        g_assert_true(secmem_equal(secret_bytes(opened), secret_size(opened), secret_bytes(secret),
                                   secret_size(secret)));
    }
}

static void the_form_is_five_parts_with_version_and_key_id(void) {
    g_autoptr(DataKey) key = make_key(0);
    g_autofree char *sealed = seal(key, &place, "ghp_token");
    g_auto(GStrv) parts = g_strsplit(sealed, ".", -1);
    g_assert_cmpuint(g_strv_length(parts), ==, 5);
    g_assert_cmpstr(parts[0], ==, "v1");
    g_assert_cmpstr(parts[1], ==, data_key_id(key));
    g_assert_cmpuint(strlen(parts[2]), ==, 16); /* 96 bits */
    g_assert_cmpuint(strlen(parts[3]), ==, 22); /* 128 bits */
    g_assert_cmpuint(strlen(parts[4]), ==, 12);
    g_assert_null(strpbrk(sealed, "+/= \n"));
}

static void no_nonce_is_used_twice(void) {
    g_autoptr(DataKey) key = make_key(0);
    g_autoptr(GHashTable) nonces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < 1000; i++) {
        g_autofree char *sealed = seal(key, &place, "ghp_token");
        g_auto(GStrv) parts = g_strsplit(sealed, ".", -1);
        g_assert_true(g_hash_table_add(nonces, g_strdup(parts[2])));
    }
}

static void absent_text_of_a_place_is_empty_text(void) {
    const SealContext absent = {.organization_id = "org-1", .field = "client_secret"};
    const SealContext empty = {"org-1", "", "", "client_secret", 0, 0};
    g_autoptr(DataKey) key = make_key(0);
    g_autofree char *sealed = seal(key, &absent, "ghp_token");
    assert_opens(key, &empty, sealed, "ghp_token");
}

static void a_secret_moved_to_another_place_stays_closed(void) {
    SealContext moved[] = {place, place, place, place, place, place, place, place, place, place};
    moved[0].organization_id = "org-2";
    moved[1].integration_id = "int-2";
    moved[2].credential_id = "cred-2";
    moved[3].field = "refresh_token";
    moved[4].version = 8;
    moved[5].expires_at++;
    moved[6].expires_at = 0;
    moved[7].integration_id = NULL;
    /* The same letters, shared out otherwise. */
    moved[8].organization_id = "org-1i";
    moved[8].integration_id = "nt-1";
    moved[9].organization_id = "int-1";
    moved[9].integration_id = "org-1";
    g_autoptr(DataKey) key = make_key(0);
    for (unsigned i = 0; i < G_N_ELEMENTS(moved); i++) {
        g_test_message("move %u", i);
        assert_refused(key, &moved[i], golden);
    }
    assert_opens(key, &place, golden, "ghp_golden");
}

static void another_key_does_not_open(void) {
    g_autoptr(DataKey) other = make_key(1);
    g_autoptr(GError) error = NULL;
    Secret *secret = NULL;
    assert_refused(other, &place, golden);
    g_assert_false(seal_open(other, &place, golden, &secret, &error));
    g_assert_nonnull(strstr(error->message, "5c94fb88"));
    g_assert_nonnull(strstr(error->message, data_key_id(other)));
}

static void another_key_that_claims_the_same_id_does_not_open(void) {
    g_autoptr(DataKey) other = make_key(1);
    g_auto(GStrv) parts = g_strsplit(golden, ".", -1);
    g_autofree char *claimed =
        g_strjoin(".", parts[0], data_key_id(other), parts[2], parts[3], parts[4], NULL);
    assert_refused(other, &place, claimed);
}

static void a_change_of_any_byte_is_found(void) {
    static const char changes[] = "AaZz09-_+/=. \n\xff";
    g_autoptr(DataKey) key = make_key(0);
    for (size_t i = 0; i < strlen(golden); i++) {
        for (const char *change = changes; *change != '\0'; change++) {
            g_autofree char *altered = g_strdup(golden);
            if (altered[i] == *change)
                continue;
            altered[i] = *change;
            assert_refused(key, &place, altered);
        }
    }
}

static void a_change_of_any_bit_is_found(void) {
    g_autoptr(DataKey) key = make_key(0);
    for (size_t i = 0; i < strlen(golden) * 8; i++) {
        g_autofree char *altered = g_strdup(golden);
        altered[i / 8] = (char)(altered[i / 8] ^ (1 << i % 8));
        assert_refused(key, &place, altered);
    }
}

static void truncated_or_lengthened_text_is_refused(void) {
    g_autoptr(DataKey) key = make_key(0);
    for (size_t length = 0; length < strlen(golden); length++) {
        g_autofree char *cut = g_strndup(golden, length);
        assert_refused(key, &place, cut);
        assert_refused(key, &place, golden + length + 1);
    }
    static const char *const tails[] = {"A", "AA", "AAAA", "=", ".", ".AAAA", "\n"};
    for (unsigned i = 0; i < G_N_ELEMENTS(tails); i++) {
        g_autofree char *longer = g_strconcat(golden, tails[i], NULL);
        assert_refused(key, &place, longer);
    }
}

static void parts_of_two_sealed_secrets_do_not_mix(void) {
    g_autoptr(DataKey) key = make_key(0);
    g_autofree char *a_text = seal(key, &place, "ghp_token_a");
    g_autofree char *b_text = seal(key, &place, "ghp_token_b");
    for (unsigned mix = 1; mix < 7; mix++) {
        g_auto(GStrv) a = g_strsplit(a_text, ".", -1);
        g_auto(GStrv) b = g_strsplit(b_text, ".", -1);
        g_autofree char *mixed = g_strjoin(".", a[0], a[1], mix & 1 ? b[2] : a[2],
                                           mix & 2 ? b[3] : a[3], mix & 4 ? b[4] : a[4], NULL);
        assert_refused(key, &place, mixed);
    }
}

static void parts_of_wrong_form_are_refused(void) {
    static const char *const texts[] = {
        "v2.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        "v10.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        "V1.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        ".5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        "v1.5C94FB88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        "v1.5c94fb8.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        "v1..yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        "v1.5c94fb88..NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        "v1.5c94fb88.yv66vvrO263eyviIyv66.NyPskJsSj4SsAxS9J73Jew.7cvQec0VI38jZQ",
        "v1.5c94fb88.yv66vvrO263eyviI..7cvQec0VI38jZQ",
        "v1.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9.7cvQec0VI38jZQ",
        "v1.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew==.7cvQec0VI38jZQ",
        "v1.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.",
        "v1.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew",
        "....",
        "v1....",
        "ghp_token",
    };
    g_autoptr(DataKey) key = make_key(0);
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_test_message("%s", texts[i]);
        assert_refused(key, &place, texts[i]);
    }
}

static void text_larger_than_any_secret_is_refused(void) {
    g_autoptr(DataKey) key = make_key(0);
    static const size_t sizes[] = {87383, 87384, 87500, 100000, 10000000};
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *body = g_strnfill(sizes[i], 'A');
        g_autofree char *sealed =
            g_strconcat("v1.5c94fb88.yv66vvrO263eyviI.NyPskJsSj4SsAxS9J73Jew.", body, NULL);
        assert_refused(key, &place, sealed);
    }
}

static void key_ids_name_key_and_purpose(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(DataKey) key = make_key(0);
    g_autoptr(DataKey) kek = data_key_new(data_key_bytes(key), "key-encryption-key", &error);
    g_autoptr(DataKey) other = make_key(1);
    g_assert_cmpstr(data_key_id(key), ==, "5c94fb88");
    g_assert_cmpstr(data_key_id(kek), ==, "bfc3fc1b");
    g_assert_cmpstr(data_key_id(other), !=, data_key_id(key));
}

static void a_key_of_another_size_is_refused(void) {
    static const size_t sizes[] = {0, 16, 31, 33, 64};
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) bytes = secret_random(sizes[i], &error);
        g_assert_null(data_key_new(bytes, "data-key", &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CRYPTO);
    }
}

static void a_key_lives_until_its_last_reference(void) {
    DataKey *key = make_key(0);
    const unsigned char *bytes = secret_bytes(data_key_bytes(key));
    DataKey *second = data_key_ref(key);
    data_key_free(key);
    assert_opens(second, &place, golden, "ghp_golden");
    data_key_free(second);
    for (int i = 0; i < DATA_KEY_SIZE; i++)
        g_assert_cmpint(bytes[i], ==, 0);
    data_key_free(NULL);
}

static void full_secret_memory_is_told_apart_from_damage(void) {
    g_autoptr(DataKey) key = make_key(0);
    g_autoptr(GPtrArray) secrets = g_ptr_array_new_with_free_func((GDestroyNotify)secret_free);
    g_autoptr(GError) full = NULL;
    Secret *secret;
    while ((secret = secret_blank(0, &full)) != NULL)
        g_ptr_array_add(secrets, secret);
    g_autoptr(GError) error = NULL;
    g_assert_false(seal_open(key, &place, golden, &secret, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_ptr_array_set_size(secrets, 0);
    assert_opens(key, &place, golden, "ghp_golden");
}

static void a_failing_cipher_seals_and_opens_nothing(void) {
    g_autoptr(DataKey) key = make_key(0);
    g_autoptr(Secret) secret = make_secret("ghp_token", 9);
    g_autoptr(GError) error = NULL;
    char *sealed = NULL;
    fail_control = 1;
    g_assert_false(seal_secret(key, &place, secret, &sealed, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CRYPTO);
    g_assert_null(sealed);
    g_assert_cmpint(fail_control, ==, 0);
    fail_control = 1;
    assert_refused(key, &place, golden);
    g_assert_cmpint(fail_control, ==, 0);
}

static void *seal_and_open(void *data) {
    const DataKey *key = data;
    for (int i = 0; i < 300; i++) {
        g_autofree char *sealed = seal(key, &place, "ghp_token");
        assert_opens(key, &place, sealed, "ghp_token");
        assert_opens(key, &place, golden, "ghp_golden");
    }
    return NULL;
}

static void threads_share_a_key(void) {
    g_autoptr(DataKey) key = make_key(0);
    pthread_t threads[4];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, seal_and_open, key), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_join(threads[i], NULL), ==, 0);
}

static void plaintext_is_left_in_no_freed_memory(void) {
    g_autoptr(DataKey) key = make_key(0);
    freed_watch(MARKER);
    g_free(g_strdup(MARKER));
    g_assert_cmpuint(freed_count(), ==, 1);
    freed_watch(MARKER);
    g_autofree char *sealed = seal(key, &place, MARKER);
    assert_opens(key, &place, sealed, MARKER);
    sealed[strlen(sealed) - 1] = sealed[strlen(sealed) - 1] == 'A' ? 'B' : 'A';
    assert_refused(key, &place, sealed);
    g_assert_cmpuint(freed_count(), ==, 0);
    freed_watch(NULL);
}

static void a_forked_process_opens_what_its_parent_made_ready(void) {
    int status = -1;
    g_autoptr(DataKey) key = make_key(0);
    seal_prepare();
    pid_t child = fork();
    if (child == 0) {
        assert_opens(key, &place, golden, "ghp_golden");
        _exit(EXIT_SUCCESS);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    assert_opens(key, &place, golden, "ghp_golden");
}

#define TEST(name) g_test_add_func("/vault/seal/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST(a_sealed_secret_opens_in_its_place);
    TEST(what_another_implementation_sealed_opens);
    TEST(secrets_of_every_size_come_back);
    TEST(the_form_is_five_parts_with_version_and_key_id);
    TEST(no_nonce_is_used_twice);
    TEST(absent_text_of_a_place_is_empty_text);
    TEST(a_secret_moved_to_another_place_stays_closed);
    TEST(another_key_does_not_open);
    TEST(another_key_that_claims_the_same_id_does_not_open);
    TEST(a_change_of_any_byte_is_found);
    TEST(a_change_of_any_bit_is_found);
    TEST(truncated_or_lengthened_text_is_refused);
    TEST(parts_of_two_sealed_secrets_do_not_mix);
    TEST(parts_of_wrong_form_are_refused);
    TEST(text_larger_than_any_secret_is_refused);
    TEST(key_ids_name_key_and_purpose);
    TEST(a_key_of_another_size_is_refused);
    TEST(a_key_lives_until_its_last_reference);
    TEST(full_secret_memory_is_told_apart_from_damage);
    TEST(a_failing_cipher_seals_and_opens_nothing);
    TEST(a_forked_process_opens_what_its_parent_made_ready);
    TEST(threads_share_a_key);
    TEST(plaintext_is_left_in_no_freed_memory);
    return g_test_run();
}
