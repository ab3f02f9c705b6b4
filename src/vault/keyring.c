#include "vault/keyring.h"

#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE "encryption.key"
#define CREDENTIAL_FILE "encryption_key"

/* 64 digits, and white space around them. Whatever is longer is no key. */
#define KEY_TEXT_MAX 128

struct Keyring {
    DataKey *kek;
};

static bool decode_hex(const char *text, size_t length, uint8_t key[DATA_KEY_SIZE]) {
    if (length != (size_t)2 * DATA_KEY_SIZE)
        return false;
    char *digits = g_strndup(text, length);
    bool decoded = text_unhex(digits, key, DATA_KEY_SIZE);
    secmem_free_text(digits);
    return decoded;
}

static bool decode_base64(const char *text, size_t length, uint8_t key[DATA_KEY_SIZE]) {
    uint8_t *bytes;
    size_t size;
    if (length > KEY_TEXT_MAX || !text_unbase64(text, length, &bytes, &size))
        return false;
    bool fits = size == DATA_KEY_SIZE;
    if (fits)
        memcpy(key, bytes, size);
    secmem_wipe(bytes, size);
    g_free(bytes);
    return fits;
}

/* Decodes the text of a key; `source` names it in the error. */
static Secret *decode_key(const char *text, size_t length, const char *source, GError **error) {
    while (length > 0 && g_ascii_isspace(*text)) {
        text++;
        length--;
    }
    while (length > 0 && g_ascii_isspace(text[length - 1]))
        length--;

    uint8_t key[DATA_KEY_SIZE];
    bool decoded = decode_hex(text, length, key) || decode_base64(text, length, key);
    Secret *secret = NULL;
    if (decoded)
        secret = secret_new(key, sizeof key, error);
    else
        g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                    "%s holds no key; give 64 hexadecimal digits or base64 of 32 bytes.", source);
    secmem_wipe(key, sizeof key);
    return secret;
}

static int fail_file(const char *path, const char *what, GError **error) {
    int code = errno;
    g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                "The key file %s cannot be %s: %s; check its path and permissions.", path, what,
                g_strerror(code));
    return -1;
}

/* Reads up to `size` bytes; -1 on failure. */
static ssize_t read_all(int descriptor, char *out, size_t size) {
    size_t have = 0;
    while (have < size) {
        ssize_t got = read(descriptor, out + have, size - have);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static Secret *read_key(int descriptor, const char *path, GError **error) {
    char text[KEY_TEXT_MAX + 1];
    ssize_t length = read_all(descriptor, text, sizeof text);
    Secret *secret = NULL;
    if (length < 0) {
        fail_file(path, "read", error);
    } else {
        g_autofree char *source = g_strdup_printf("The key file %s", path);
        secret = decode_key(text, (size_t)length, source, error);
    }
    secmem_wipe(text, sizeof text);
    return secret;
}

static Secret *key_from_file(const char *path, GError **error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        fail_file(path, "opened", error);
        return NULL;
    }
    Secret *secret = read_key(descriptor, path, error);
    close(descriptor);
    return secret;
}

static bool is_private(int descriptor, const char *path, GError **error) {
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO, "The key file %s is no regular file.", path);
        return false;
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                "The key file %s may be used by others than its owner; run: chmod 600 %s", path,
                path);
    return false;
}

/* The key of DATA/encryption.key; NULL without error when there is no such file. */
static Secret *key_from_data(const char *path, GError **error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno != ENOENT)
            fail_file(path, "opened", error);
        return NULL;
    }
    Secret *secret = is_private(descriptor, path, error) ? read_key(descriptor, path, error) : NULL;
    close(descriptor);
    return secret;
}

static bool write_and_sync(int descriptor, const char *text, size_t length) {
    return write(descriptor, text, length) == (ssize_t)length && fsync(descriptor) == 0;
}

static bool sync_directory(const char *directory) {
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return synced;
}

/* unlink() for ways out: the errno of what failed before it stays. */
static void discard(const char *path) {
    int code = errno;
    unlink(path);
    errno = code;
}

/* Writes a new file with the key as text. */
static bool write_key(const char *path, const Secret *key) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return false;
    char *digits = text_hex(secret_bytes(key), secret_size(key));
    bool written = write_and_sync(descriptor, digits, strlen(digits));
    if (!written)
        discard(path);
    secmem_free_text(digits);
    close(descriptor);
    return written;
}

/* Makes the key file. It is written under another name and then linked, which fails when the name
 * is taken: nobody ever reads half a key, and of two first starts at once one wins. */
static bool create_key_file(const char *directory, const char *path, GError **error) {
    g_autoptr(Secret) key = secret_random(DATA_KEY_SIZE, error);
    if (key == NULL)
        return false;
    uint8_t suffix[8];
    secmem_random(suffix, sizeof suffix);
    g_autofree char *unique = text_hex(suffix, sizeof suffix);
    g_autofree char *draft = g_strdup_printf("%s.%s", path, unique);
    bool made = write_key(draft, key);
    if (made) {
        made = link(draft, path) == 0 || errno == EEXIST;
        discard(draft);
    }
    if (!made || !sync_directory(directory)) {
        fail_file(path, "made", error);
        return false;
    }
    return true;
}

static Secret *key_from_directory(const char *directory, KeyringMissing missing, GError **error) {
    g_autofree char *path = g_build_filename(directory, KEY_FILE, NULL);
    GError *failure = NULL;
    Secret *key = key_from_data(path, &failure);
    if (key != NULL)
        return key;
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return NULL;
    }
    if (missing == KEYRING_REQUIRE) {
        g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                    "There is no encryption key; set ENCRYPTION_KEY or put back the file %s.",
                    path);
        return NULL;
    }
    /* What counts is what stands in the file, also when another process wrote it. */
    return create_key_file(directory, path, error) ? key_from_file(path, error) : NULL;
}

static Secret *key_from_environment(bool *set_out, GError **error) {
    GError *failure = NULL;
    g_autoptr(Secret) text = secret_from_environment("ENCRYPTION_KEY", &failure);
    *set_out = text != NULL || failure != NULL;
    if (failure != NULL)
        g_propagate_error(error, failure);
    return text != NULL ? decode_key(secret_text(text), secret_size(text), "ENCRYPTION_KEY", error)
                        : NULL;
}

/* The file of a systemd credential, when the service has it. Caller frees. */
static char *credential_path(void) {
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    if (directory == NULL)
        return NULL;
    g_autofree char *path = g_build_filename(directory, CREDENTIAL_FILE, NULL);
    return access(path, F_OK) == 0 ? g_steal_pointer(&path) : NULL;
}

static Secret *find_key(const char *data_directory, KeyringMissing missing, GError **error) {
    bool set;
    Secret *key = key_from_environment(&set, error);
    if (set)
        return key;
    const char *file = g_getenv("ENCRYPTION_KEY_FILE");
    if (file != NULL)
        return key_from_file(file, error);
    g_autofree char *credential = credential_path();
    if (credential != NULL)
        return key_from_file(credential, error);
    return key_from_directory(data_directory, missing, error);
}

Keyring *keyring_open(const char *data_directory, KeyringMissing missing, GError **error) {
    g_autoptr(Secret) key = find_key(data_directory, missing, error);
    return key != NULL ? keyring_from_secret(key, error) : NULL;
}

Keyring *keyring_from_secret(Secret *kek, GError **error) {
    DataKey *key = data_key_new(kek, "key-encryption-key", error);
    if (key == NULL)
        return NULL;
    Keyring *keyring = g_new0(Keyring, 1);
    keyring->kek = key;
    return keyring;
}

void keyring_free(Keyring *keyring) {
    if (keyring == NULL)
        return;
    data_key_free(keyring->kek);
    g_free(keyring);
}

Secret *keyring_kek(const Keyring *keyring) {
    return data_key_bytes(keyring->kek);
}

const char *keyring_id(const Keyring *keyring) {
    return data_key_id(keyring->kek);
}

/* A data key is sealed like any secret, in a place that only data keys have. */
static SealContext wrapping_context(const char *organization_id) {
    return (SealContext){.organization_id = organization_id, .field = "data-key"};
}

bool keyring_make_data_key(const Keyring *keyring, const char *organization_id, char **wrapped_out,
                           DataKey **key_out, GError **error) {
    SealContext context = wrapping_context(organization_id);
    g_autoptr(Secret) bytes = secret_random(DATA_KEY_SIZE, error);
    g_autoptr(DataKey) key = bytes != NULL ? data_key_new(bytes, "data-key", error) : NULL;
    if (key == NULL || !seal_secret(keyring->kek, &context, bytes, wrapped_out, error))
        return false;
    *key_out = g_steal_pointer(&key);
    return true;
}

bool keyring_open_data_key(const Keyring *keyring, const char *organization_id, const char *wrapped,
                           DataKey **key_out, GError **error) {
    SealContext context = wrapping_context(organization_id);
    g_autoptr(Secret) bytes = NULL;
    if (!seal_open(keyring->kek, &context, wrapped, &bytes, error))
        return false;
    DataKey *key = data_key_new(bytes, "data-key", error);
    if (key == NULL)
        return false;
    *key_out = key;
    return true;
}
