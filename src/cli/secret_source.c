#include "cli/secret_source.h"

#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT "env:"
#define NAME_MAX_SIZE 64

static bool is_field_name(const char *text, size_t length) {
    if (length == 0 || length > NAME_MAX_SIZE)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '_')
            return false;
    return true;
}

bool secret_argument_init(SecretArgument *argument, const char *text, GError **error) {
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    /* What is no field name may be the secret itself, so it is not repeated. */
    if (!equals || !is_field_name(text, length)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--credential wants NAME=@FILE, NAME=env:VARIABLE or NAME=-");
        return false;
    }
    *argument = (SecretArgument){.name = g_strndup(text, length), .source = equals + 1};
    return true;
}

void secret_argument_clear(SecretArgument *argument) {
    g_free(argument->name);
    *argument = (SecretArgument){0};
}

bool secret_source_is_safe(const char *source) {
    return (source[0] == '@' && source[1] != '\0') || strcmp(source, "-") == 0 ||
           (text_starts_with(source, ENVIRONMENT) && source[strlen(ENVIRONMENT)] != '\0');
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool fail(const SecretArgument *argument, const char *what, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s%s: %s",
                argument->option ? argument->option : "--credential ",
                argument->option ? "" : argument->name, what);
    return false;
}

static size_t without_line_ends(const char *bytes, size_t size) {
    while (size > 0 && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r'))
        size--;
    return size;
}

/* Reads to the end, at most room bytes; -1 on failure. */
static ssize_t read_all(int descriptor, char *bytes, size_t room) {
    size_t have = 0;
    while (have < room) {
        ssize_t got = read(descriptor, bytes + have, room - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static Secret *checked(const SecretArgument *argument, char *bytes, size_t size, GError **error) {
    size = without_line_ends(bytes, size);
    if (size == 0) {
        fail(argument, "there is no secret in it", error);
        return NULL;
    }
    if (!text_is_utf8(bytes, size)) {
        fail(argument, "a secret is UTF-8 text", error);
        return NULL;
    }
    return secret_take(bytes, size, error);
}

static Secret *read_descriptor(const SecretArgument *argument, int descriptor, GError **error) {
    char *bytes = g_malloc(SECRET_MAX + 1);
    ssize_t size = read_all(descriptor, bytes, SECRET_MAX + 1);
    Secret *secret = NULL;
    if (size < 0)
        fail(argument, "it could not be read", error);
    else if (size > SECRET_MAX)
        fail(argument, "it is larger than a secret may be (64 KiB)", error);
    else
        secret = checked(argument, bytes, (size_t)size, error);
    secmem_wipe(bytes, SECRET_MAX + 1);
    g_free(bytes);
    return secret;
}

static Secret *read_file(const SecretArgument *argument, const char *path, GError **error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) {
        g_autofree char *what = g_strdup_printf("the file cannot be opened: %s", g_strerror(errno));
        fail(argument, what, error);
        return NULL;
    }
    Secret *secret = read_descriptor(argument, descriptor, error);
    close(descriptor);
    return secret;
}

static Secret *read_environment(const SecretArgument *argument, const char *variable,
                                GError **error) {
    g_autoptr(GError) cause = NULL;
    g_autoptr(Secret) secret = secret_from_environment(variable, &cause);
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    if (!secret) {
        fail(argument, "the environment variable is not set", error);
        return NULL;
    }
    size_t size = without_line_ends(secret_text(secret), secret_size(secret));
    if (size == secret_size(secret) && size > 0)
        return g_steal_pointer(&secret);
    if (size > 0)
        return secret_new(secret_bytes(secret), size, error);
    fail(argument, "the environment variable is empty", error);
    return NULL;
}

Secret *secret_source_read(const SecretArgument *argument, int input, GError **error) {
    const char *source = argument->source;
    if (!secret_source_is_safe(source)) {
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "--credential %s: a secret is not taken as an argument, where others can see "
                    "it; give %s=@FILE, %s=env:VARIABLE, %s=- (standard input), or leave it out "
                    "to be asked",
                    argument->name, argument->name, argument->name, argument->name);
        return NULL;
    }
    if (source[0] == '@')
        return read_file(argument, source + 1, error);
    if (strcmp(source, "-") == 0)
        return read_descriptor(argument, input, error);
    return read_environment(argument, source + strlen(ENVIRONMENT), error);
}
