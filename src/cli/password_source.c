#include "cli/password_source.h"

#include "base/error.h"
#include "cli/prompt.h"
#include "cli/secret_source.h"
#include "vault/password.h"

#include <unistd.h>

static Secret *ask(GError **error) {
    if (!prompt_possible(&prompt_standard)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "there is nobody to ask for the password; give --password @FILE, "
                            "env:VARIABLE or -");
        return NULL;
    }
    g_autoptr(Secret) first = prompt_secret(&prompt_standard, "Password: ", error);
    g_autoptr(Secret) second =
        first ? prompt_secret(&prompt_standard, "The same again: ", error) : NULL;
    if (!second)
        return NULL;
    if (secmem_equal(secret_bytes(first), secret_size(first), secret_bytes(second),
                     secret_size(second)))
        return g_steal_pointer(&first);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "the two passwords are not the same");
    return NULL;
}

static Secret *read_source(const char *source, GError **error) {
    if (!secret_source_is_safe(source)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--password: a password is not taken as an argument, where others can "
                            "see it; give @FILE, env:VARIABLE, - (standard input), or leave it out "
                            "to be asked");
        return NULL;
    }
    SecretArgument argument = {.source = source, .option = "--password"};
    return secret_source_read(&argument, STDIN_FILENO, error);
}

bool password_source_read(const char *source, const char *email, Secret **password_out,
                          GError **error) {
    g_autoptr(Secret) password = source ? read_source(source, error) : ask(error);
    if (!password || !password_check(password, email, error))
        return false;
    *password_out = g_steal_pointer(&password);
    return true;
}

bool password_source_hash(const char *source, const char *email, char **hash_out, GError **error) {
    g_autoptr(Secret) password = NULL;
    return password_source_read(source, email, &password, error) &&
           password_hash(password, NULL, hash_out, error);
}
