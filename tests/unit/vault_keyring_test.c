#include "vault/keyring.h"

#include "base/error.h"
#include "base/text.h"

#include "unit/freed.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One key in the spellings that are accepted, and the id it has. */
#define RAW "planted-key-of-32-bytes-ABCDEF!?"
#define HEX "706c616e7465642d6b65792d6f662d33322d62797465732d414243444546213f"
#define BASE64 "cGxhbnRlZC1rZXktb2YtMzItYnl0ZXMtQUJDREVGIT8="
#define BASE64URL "cGxhbnRlZC1rZXktb2YtMzItYnl0ZXMtQUJDREVGIT8"

/* The n-th fsync or link fails when these are n. */
static int fail_fsync;
static int fail_link;

int fsync(int fd) {
    if (fail_fsync > 0 && --fail_fsync == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int link(const char *from, const char *to) {
    if (fail_link > 0 && --fail_link == 0) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_link, from, to);
}

typedef struct {
    char *directory; /* the data directory of one test */
    char *key_file;
} World;

static void world_begin(World *world, gconstpointer data) {
    (void)data;
    g_autoptr(GError) error = NULL;
    world->directory = g_dir_make_tmp("assay-keyring-XXXXXX", &error);
    g_assert_no_error(error);
    world->key_file = g_build_filename(world->directory, "encryption.key", NULL);
    unsetenv("ENCRYPTION_KEY");
    unsetenv("ENCRYPTION_KEY_FILE");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void world_end(World *world, gconstpointer data) {
    (void)data;
    g_autoptr(GDir) directory = g_dir_open(world->directory, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(directory)) != NULL) {
        g_autofree char *path = g_build_filename(world->directory, name, NULL);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(world->directory), ==, 0);
    g_free(world->directory);
    g_free(world->key_file);
}

static unsigned count_files(const World *world) {
    g_autoptr(GDir) directory = g_dir_open(world->directory, 0, NULL);
    unsigned count = 0;
    while (g_dir_read_name(directory) != NULL)
        count++;
    return count;
}

static char *write_file(const World *world, const char *name, const char *text) {
    char *path = g_build_filename(world->directory, name, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(
        g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error));
    g_assert_no_error(error);
    return path;
}

static Keyring *open_keyring(const World *world, KeyringMissing missing) {
    g_autoptr(GError) error = NULL;
    Keyring *keyring = keyring_open(world->directory, missing, &error);
    g_assert_no_error(error);
    g_assert_nonnull(keyring);
    return keyring;
}

static void assert_has_planted_key(const Keyring *keyring) {
    g_assert_cmpstr(secret_text(keyring_kek(keyring)), ==, RAW);
    g_assert_cmpuint(secret_size(keyring_kek(keyring)), ==, 32);
}

/* Refused with one sentence that has these words and nothing of the key. */
static void assert_refused(const World *world, KeyringMissing missing, const char *words) {
    g_autoptr(GError) error = NULL;
    g_assert_null(keyring_open(world->directory, missing, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CRYPTO);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, words));
    g_assert_null(strstr(error->message, "706c616e"));
    g_assert_null(strstr(error->message, "cGxhbnRl"));
}

static void the_first_start_makes_a_key_that_later_starts_find(World *world, gconstpointer data) {
    (void)data;
    g_autoptr(Keyring) first = open_keyring(world, KEYRING_CREATE);
    struct stat status;
    g_assert_cmpint(stat(world->key_file, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
    g_assert_cmpuint(count_files(world), ==, 1);
    g_autoptr(Keyring) second = open_keyring(world, KEYRING_CREATE);
    g_autoptr(Keyring) third = open_keyring(world, KEYRING_REQUIRE);
    g_assert_cmpstr(keyring_id(second), ==, keyring_id(first));
    g_assert_cmpstr(keyring_id(third), ==, keyring_id(first));
}

static void a_wide_umask_makes_no_wide_key_file(World *world, gconstpointer data) {
    (void)data;
    mode_t before = umask(0);
    g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_CREATE);
    umask(before);
    struct stat status;
    g_assert_cmpint(stat(world->key_file, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
}

static void two_installations_have_different_keys(World *world, gconstpointer data) {
    (void)data;
    g_autoptr(Keyring) first = open_keyring(world, KEYRING_CREATE);
    g_assert_cmpint(g_remove(world->key_file), ==, 0);
    g_autoptr(Keyring) second = open_keyring(world, KEYRING_CREATE);
    g_assert_cmpstr(keyring_id(first), !=, keyring_id(second));
}

static void *open_in_thread(void *world) {
    return open_keyring(world, KEYRING_CREATE);
}

static void first_starts_at_once_agree_on_one_key(World *world, gconstpointer data) {
    (void)data;
    pthread_t threads[8];
    g_autoptr(GPtrArray) keyrings = g_ptr_array_new_with_free_func((GDestroyNotify)keyring_free);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, open_in_thread, world), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        void *keyring;
        g_assert_cmpint(pthread_join(threads[i], &keyring), ==, 0);
        g_ptr_array_add(keyrings, keyring);
    }
    for (guint i = 1; i < keyrings->len; i++)
        g_assert_cmpstr(keyring_id(keyrings->pdata[i]), ==, keyring_id(keyrings->pdata[0]));
    g_assert_cmpuint(count_files(world), ==, 1);
}

static void a_missing_key_is_not_replaced_when_data_exists(World *world, gconstpointer data) {
    (void)data;
    assert_refused(world, KEYRING_REQUIRE, "no encryption key");
    g_assert_cmpuint(count_files(world), ==, 0);
}

static void a_key_file_that_others_may_use_is_refused(World *world, gconstpointer data) {
    (void)data;
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666};
    g_autofree char *path = write_file(world, "encryption.key", HEX);
    g_autofree char *advice = g_strdup_printf("chmod 600 %s", path);
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_assert_cmpint(chmod(path, modes[i]), ==, 0);
        assert_refused(world, KEYRING_CREATE, advice);
    }
    g_assert_cmpint(chmod(path, 0400), ==, 0);
    g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_CREATE);
    assert_has_planted_key(keyring);
}

static void what_is_no_regular_file_is_no_key_file(World *world, gconstpointer data) {
    (void)data;
    g_assert_cmpint(mkdir(world->key_file, 0700), ==, 0);
    assert_refused(world, KEYRING_CREATE, "no regular file");
    g_assert_cmpint(rmdir(world->key_file), ==, 0);
    g_assert_cmpint(mkfifo(world->key_file, 0600), ==, 0);
    assert_refused(world, KEYRING_CREATE, "no regular file");
    g_assert_cmpint(unlink(world->key_file), ==, 0);
    g_autofree char *elsewhere = write_file(world, "elsewhere", HEX);
    g_assert_cmpint(symlink(elsewhere, world->key_file), ==, 0);
    assert_refused(world, KEYRING_CREATE, "cannot be opened");
}

static void a_damaged_key_file_is_neither_used_nor_replaced(World *world, gconstpointer data) {
    (void)data;
    g_autofree char *path = write_file(world, "encryption.key", "");
    assert_refused(world, KEYRING_CREATE, "holds no key");
    struct stat status;
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_size, ==, 0);
}

static void a_key_is_read_in_every_spelling(World *world, gconstpointer data) {
    (void)data;
    static const char *const spellings[] = {HEX, BASE64, BASE64URL, " \t" HEX "\r\n",
                                            "\n" BASE64 "\n"};
    g_autofree char *upper = g_ascii_strup(HEX, -1);
    for (unsigned i = 0; i <= G_N_ELEMENTS(spellings); i++) {
        g_setenv("ENCRYPTION_KEY", i < G_N_ELEMENTS(spellings) ? spellings[i] : upper, TRUE);
        g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_REQUIRE);
        assert_has_planted_key(keyring);
        g_assert_null(g_getenv("ENCRYPTION_KEY"));
    }
    g_assert_cmpuint(count_files(world), ==, 0);
}

static void base64url_of_any_key_is_read(World *world, gconstpointer data) {
    (void)data;
    for (int i = 0; i < 50; i++) {
        uint8_t bytes[32];
        secmem_random(bytes, sizeof bytes);
        g_autofree char *text = text_base64url(bytes, sizeof bytes);
        g_setenv("ENCRYPTION_KEY", text, TRUE);
        g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_REQUIRE);
        g_assert_true(secmem_equal(secret_bytes(keyring_kek(keyring)), 32, bytes, sizeof bytes));
    }
}

static void a_variable_that_holds_no_key_is_not_passed_over(World *world, gconstpointer data) {
    (void)data;
    static const char *const texts[] = {
        "",
        " ",
        "secret",
        HEX "0",
        HEX HEX,
        BASE64 BASE64,
        "706c616e7465642d6b65792d6f662d33322d62797465732d41424344454621",   /* 31 bytes */
        "706c616e7465642d6b65792d6f662d33322d62797465732d4142434445462g3f", /* no digit */
        "cGxhbnRlZC1rZXktb2YtMzItYnl0ZXMtQUJDREVGIQ==",                     /* 31 bytes */
        "cGxhbnRlZC1rZXktb2YtMzItYnl0ZXMtQUJDREVGIT8/",                     /* 33 bytes */
        "cGxhbnRlZC1rZXktb2YtMzItYnl0ZXMtQUJDREVGIT9=",                     /* stray bits */
    };
    g_autofree char *path = write_file(world, "encryption.key", HEX);
    g_setenv("ENCRYPTION_KEY_FILE", path, TRUE);
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_setenv("ENCRYPTION_KEY", texts[i], TRUE);
        assert_refused(world, KEYRING_CREATE, "ENCRYPTION_KEY holds no key");
        g_assert_null(g_getenv("ENCRYPTION_KEY"));
    }
}

static void a_variable_too_large_to_hold_is_refused(World *world, gconstpointer data) {
    (void)data;
    g_autofree char *large = g_strnfill(SECRET_MAX + 1, 'a');
    g_setenv("ENCRYPTION_KEY", large, TRUE);
    g_autoptr(GError) error = NULL;
    g_assert_null(keyring_open(world->directory, KEYRING_CREATE, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_cmpuint(count_files(world), ==, 0);
}

static void sources_have_their_order(World *world, gconstpointer data) {
    (void)data;
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    g_autofree char *named = write_file(world, "named", BASE64);
    g_autofree char *credential = write_file(world, "encryption_key", HEX "\n");
    g_autofree char *own = write_file(world, "encryption.key", zeros);

    g_autoptr(Keyring) from_data = open_keyring(world, KEYRING_REQUIRE);
    g_setenv("CREDENTIALS_DIRECTORY", world->directory, TRUE);
    g_autoptr(Keyring) from_credential = open_keyring(world, KEYRING_REQUIRE);
    g_assert_cmpstr(keyring_id(from_data), !=, keyring_id(from_credential));
    assert_has_planted_key(from_credential);

    g_setenv("ENCRYPTION_KEY_FILE", own, TRUE);
    g_autoptr(Keyring) from_file = open_keyring(world, KEYRING_REQUIRE);
    g_assert_cmpstr(keyring_id(from_file), ==, keyring_id(from_data));

    g_setenv("ENCRYPTION_KEY", HEX, TRUE);
    g_autoptr(Keyring) from_variable = open_keyring(world, KEYRING_REQUIRE);
    assert_has_planted_key(from_variable);

    g_setenv("ENCRYPTION_KEY_FILE", named, TRUE);
    g_autoptr(Keyring) from_named = open_keyring(world, KEYRING_REQUIRE);
    assert_has_planted_key(from_named);
}

static void a_service_without_our_credential_goes_on_to_its_data(World *world, gconstpointer data) {
    (void)data;
    g_setenv("CREDENTIALS_DIRECTORY", world->directory, TRUE);
    g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_CREATE);
    g_assert_true(g_file_test(world->key_file, G_FILE_TEST_EXISTS));
}

static void a_mounted_key_file_may_be_readable(World *world, gconstpointer data) {
    (void)data;
    g_autofree char *path = write_file(world, "mounted", HEX);
    g_assert_cmpint(chmod(path, 0444), ==, 0);
    g_setenv("ENCRYPTION_KEY_FILE", path, TRUE);
    g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_REQUIRE);
    assert_has_planted_key(keyring);
}

static void a_named_file_that_cannot_be_read_is_not_passed_over(World *world, gconstpointer data) {
    (void)data;
    g_autofree char *absent = g_build_filename(world->directory, "absent", NULL);
    g_setenv("ENCRYPTION_KEY_FILE", absent, TRUE);
    assert_refused(world, KEYRING_CREATE, "cannot be opened");
    g_setenv("ENCRYPTION_KEY_FILE", world->directory, TRUE);
    assert_refused(world, KEYRING_CREATE, "cannot be read");
    g_autofree char *large = write_file(world, "large", HEX "\n\n" HEX "\n" HEX);
    g_setenv("ENCRYPTION_KEY_FILE", large, TRUE);
    assert_refused(world, KEYRING_CREATE, "holds no key");
    g_assert_false(g_file_test(world->key_file, G_FILE_TEST_EXISTS));
}

static void a_data_directory_that_is_missing_is_reported(World *world, gconstpointer data) {
    (void)data;
    g_autofree char *absent = g_build_filename(world->directory, "absent", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(keyring_open(absent, KEYRING_CREATE, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CRYPTO);
    g_assert_nonnull(strstr(error->message, "cannot be made"));
}

static void a_key_that_is_not_safe_on_disk_is_not_used(World *world, gconstpointer data) {
    (void)data;
    fail_fsync = 1; /* of the file */
    assert_refused(world, KEYRING_CREATE, "cannot be made");
    g_assert_cmpuint(count_files(world), ==, 0);
    fail_link = 1;
    assert_refused(world, KEYRING_CREATE, "cannot be made");
    g_assert_cmpuint(count_files(world), ==, 0);
    fail_fsync = 2; /* of the directory */
    assert_refused(world, KEYRING_CREATE, "cannot be made");
    g_assert_cmpint(fail_fsync, ==, 0);
    g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_CREATE);
    g_assert_cmpuint(count_files(world), ==, 1);
}

static void a_full_disk_leaves_no_half_key(World *world, gconstpointer data) {
    (void)data;
    struct rlimit before, none;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    none = before;
    none.rlim_cur = 10;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &none), ==, 0);
    g_autoptr(GError) error = NULL;
    Keyring *keyring = keyring_open(world->directory, KEYRING_CREATE, &error);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
    signal(SIGXFSZ, handler);
    g_assert_null(keyring);
    g_assert_error(error, ASSAY_ERROR, ERROR_CRYPTO);
    g_assert_cmpuint(count_files(world), ==, 0);
}

static void full_secret_memory_is_reported(World *world, gconstpointer data) {
    (void)data;
    g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_CREATE);
    g_autofree char *path = write_file(world, "other", HEX);
    g_assert_cmpint(g_remove(world->key_file), ==, 0);
    g_autoptr(GPtrArray) secrets = g_ptr_array_new_with_free_func((GDestroyNotify)secret_free);
    g_autoptr(GError) full = NULL;
    Secret *secret;
    while ((secret = secret_blank(0, &full)) != NULL)
        g_ptr_array_add(secrets, secret);

    g_autoptr(GError) error = NULL;
    g_assert_null(keyring_open(world->directory, KEYRING_CREATE, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_clear_error(&error);
    char *wrapped = NULL;
    DataKey *key = NULL;
    g_assert_false(keyring_make_data_key(keyring, "org-1", &wrapped, &key, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_null(wrapped);
    g_assert_null(key);
    g_clear_error(&error);
    g_setenv("ENCRYPTION_KEY_FILE", path, TRUE);
    g_assert_null(keyring_open(world->directory, KEYRING_CREATE, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
}

static void a_worker_gets_the_same_keyring_from_the_key(World *world, gconstpointer data) {
    (void)data;
    g_autoptr(Keyring) parent = open_keyring(world, KEYRING_CREATE);
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) sent = secret_new(secret_bytes(keyring_kek(parent)), 32, &error);
    g_autoptr(Keyring) worker = keyring_from_secret(sent, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(keyring_id(worker), ==, keyring_id(parent));

    g_autofree char *wrapped = NULL;
    g_autoptr(DataKey) made = NULL;
    g_autoptr(DataKey) opened = NULL;
    g_assert_true(keyring_make_data_key(parent, "org-1", &wrapped, &made, &error));
    g_assert_true(keyring_open_data_key(worker, "org-1", wrapped, &opened, &error));
    g_assert_cmpstr(data_key_id(opened), ==, data_key_id(made));
}

static void a_key_of_another_size_makes_no_keyring(World *world, gconstpointer data) {
    (void)world;
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) bytes = secret_random(16, &error);
    g_assert_null(keyring_from_secret(bytes, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CRYPTO);
    keyring_free(NULL);
}

static Keyring *planted_keyring(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) bytes = secret_new(RAW, 32, &error);
    Keyring *keyring = keyring_from_secret(bytes, &error);
    g_assert_no_error(error);
    return keyring;
}

static void assert_stays_wrapped(const Keyring *keyring, const char *organization,
                                 const char *wrapped) {
    g_autoptr(GError) error = NULL;
    DataKey *key = NULL;
    g_assert_false(keyring_open_data_key(keyring, organization, wrapped, &key, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CRYPTO);
    g_assert_null(key);
}

static void wrapped_keys_name_the_key_that_wraps_them(World *world, gconstpointer data) {
    (void)world;
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Keyring) keyring = planted_keyring();
    g_autofree char *first = NULL, *second = NULL;
    g_autoptr(DataKey) first_key = NULL;
    g_autoptr(DataKey) second_key = NULL;
    g_assert_true(keyring_make_data_key(keyring, "org-1", &first, &first_key, &error));
    g_assert_true(keyring_make_data_key(keyring, "org-1", &second, &second_key, &error));
    g_autofree char *prefix = g_strdup_printf("v1.%s.", keyring_id(keyring));
    g_assert_true(g_str_has_prefix(first, prefix));
    g_assert_cmpstr(first, !=, second);
    g_assert_cmpstr(data_key_id(first_key), !=, data_key_id(second_key));
}

static void a_wrapped_key_opens_for_its_organization_only(World *world, gconstpointer data) {
    (void)world;
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Keyring) keyring = planted_keyring();
    g_autofree char *wrapped = NULL;
    g_autoptr(DataKey) key = NULL;
    g_assert_true(keyring_make_data_key(keyring, "org-1", &wrapped, &key, &error));
    assert_stays_wrapped(keyring, "org-2", wrapped);
    assert_stays_wrapped(keyring, "", wrapped);
    assert_stays_wrapped(keyring, "org-1", "");
    for (size_t i = 0; i < strlen(wrapped); i++) {
        g_autofree char *altered = g_strdup(wrapped);
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        assert_stays_wrapped(keyring, "org-1", altered);
    }
}

static void a_wrapped_key_does_not_open_with_another_key(World *world, gconstpointer data) {
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Keyring) keyring = planted_keyring();
    g_autoptr(Keyring) other = open_keyring(world, KEYRING_CREATE);
    g_autofree char *wrapped = NULL;
    g_autoptr(DataKey) key = NULL;
    g_assert_true(keyring_make_data_key(keyring, "org-1", &wrapped, &key, &error));
    assert_stays_wrapped(other, "org-1", wrapped);

    DataKey *opened = NULL;
    g_assert_false(keyring_open_data_key(other, "org-1", wrapped, &opened, &error));
    g_assert_nonnull(strstr(error->message, keyring_id(keyring)));
    g_assert_nonnull(strstr(error->message, keyring_id(other)));
}

static void a_wrapped_secret_of_another_size_is_no_data_key(World *world, gconstpointer data) {
    (void)world;
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Keyring) keyring = planted_keyring();
    g_autoptr(DataKey) kek = data_key_new(keyring_kek(keyring), "key-encryption-key", &error);
    g_autoptr(Secret) small = secret_random(31, &error);
    const SealContext context = {.organization_id = "org-1", .field = "data-key"};
    g_autofree char *wrapped = NULL;
    g_assert_true(seal_secret(kek, &context, small, &wrapped, &error));
    assert_stays_wrapped(keyring, "org-1", wrapped);
}

static void a_secret_of_an_organization_travels_through_the_envelope(World *world,
                                                                     gconstpointer data) {
    (void)data;
    g_autoptr(GError) error = NULL;
    const SealContext place = {.organization_id = "org-1", .field = "access_token", .version = 1};
    g_autofree char *wrapped = NULL, *sealed = NULL;
    {
        g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_CREATE);
        g_autoptr(DataKey) key = NULL;
        g_autoptr(Secret) token = secret_new("ghp_token", 9, &error);
        g_assert_true(keyring_make_data_key(keyring, "org-1", &wrapped, &key, &error));
        g_assert_true(seal_secret(key, &place, token, &sealed, &error));
    }
    g_autoptr(Keyring) keyring = open_keyring(world, KEYRING_REQUIRE);
    g_autoptr(DataKey) key = NULL;
    g_autoptr(Secret) token = NULL;
    g_assert_true(keyring_open_data_key(keyring, "org-1", wrapped, &key, &error));
    g_assert_true(seal_open(key, &place, sealed, &token, &error));
    g_assert_cmpstr(secret_text(token), ==, "ghp_token");
}

static void read_planted_key(const World *world) {
    static const char *const spellings[] = {HEX, BASE64, "x" BASE64, HEX "0"};
    for (unsigned i = 0; i < G_N_ELEMENTS(spellings); i++) {
        g_autofree char *path = write_file(world, "named", spellings[i]);
        freed_watch(i == 0 ? "706c616e7465642d" : "cGxhbnRlZC1rZXkt");
        g_setenv("ENCRYPTION_KEY_FILE", path, TRUE);
        g_autoptr(GError) error = NULL;
        g_autoptr(Keyring) keyring = keyring_open(world->directory, KEYRING_REQUIRE, &error);
        g_assert_cmpint(keyring != NULL, ==, i < 2);
        g_assert_cmpuint(freed_count(), ==, 0);
        freed_watch("planted-key-of");
        g_setenv("ENCRYPTION_KEY", spellings[i], TRUE);
        g_clear_error(&error);
        g_autoptr(Keyring) again = keyring_open(world->directory, KEYRING_REQUIRE, &error);
        g_assert_cmpint(again != NULL, ==, i < 2);
        g_assert_cmpuint(freed_count(), ==, 0);
        freed_watch(NULL);
    }
}

static void the_key_is_left_in_no_freed_memory(World *world, gconstpointer data) {
    (void)data;
    freed_watch("planted-key-of");
    g_free(g_strdup(RAW));
    g_assert_cmpuint(freed_count(), ==, 1);
    freed_watch(NULL);
    read_planted_key(world);
}

#define TEST(name) g_test_add("/vault/keyring/" #name, World, NULL, world_begin, name, world_end)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST(the_first_start_makes_a_key_that_later_starts_find);
    TEST(a_wide_umask_makes_no_wide_key_file);
    TEST(two_installations_have_different_keys);
    TEST(first_starts_at_once_agree_on_one_key);
    TEST(a_missing_key_is_not_replaced_when_data_exists);
    TEST(a_key_file_that_others_may_use_is_refused);
    TEST(what_is_no_regular_file_is_no_key_file);
    TEST(a_damaged_key_file_is_neither_used_nor_replaced);
    TEST(a_key_is_read_in_every_spelling);
    TEST(base64url_of_any_key_is_read);
    TEST(a_variable_that_holds_no_key_is_not_passed_over);
    TEST(a_variable_too_large_to_hold_is_refused);
    TEST(sources_have_their_order);
    TEST(a_service_without_our_credential_goes_on_to_its_data);
    TEST(a_mounted_key_file_may_be_readable);
    TEST(a_named_file_that_cannot_be_read_is_not_passed_over);
    TEST(a_data_directory_that_is_missing_is_reported);
    TEST(a_key_that_is_not_safe_on_disk_is_not_used);
    TEST(a_full_disk_leaves_no_half_key);
    TEST(full_secret_memory_is_reported);
    TEST(a_worker_gets_the_same_keyring_from_the_key);
    TEST(a_key_of_another_size_makes_no_keyring);
    TEST(wrapped_keys_name_the_key_that_wraps_them);
    TEST(a_wrapped_key_opens_for_its_organization_only);
    TEST(a_wrapped_key_does_not_open_with_another_key);
    TEST(a_wrapped_secret_of_another_size_is_no_data_key);
    TEST(a_secret_of_an_organization_travels_through_the_envelope);
    TEST(the_key_is_left_in_no_freed_memory);
    return g_test_run();
}
