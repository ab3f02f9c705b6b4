#include "cli/certificate.h"

#include "base/error.h"
#include "cli/secret_source.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHAIN "tls_certificate"
#define KEY "tls_key"
#define CHAIN_MAX (256 * 1024)

static bool refuse(GError **error, const char *setting, const char *why) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s: %s", setting, why);
    return false;
}

bool certificate_is_wanted(const Config *settings) {
    return config_text(settings, CHAIN) || config_text(settings, KEY);
}

/* Links would be served as http, and browsers would not get their cookies back. */
static bool check_settings(const Config *settings, GError **error) {
    const char *url = config_text(settings, "public_url");
    if (!config_text(settings, CHAIN) || !config_text(settings, KEY))
        return refuse(error, config_text(settings, KEY) ? CHAIN : KEY,
                      "TLS wants both, " CHAIN " and " KEY);
    return config_origin(settings, "public_url") == CONFIG_DEFAULT ||
           g_str_has_prefix(url, "https://") ||
           refuse(error, "public_url", "with " CHAIN " it begins with https://");
}

static bool check_file(const char *setting, const char *path, struct stat *status_out,
                       GError **error) {
    if (stat(path, status_out) != 0)
        return refuse(error, setting, g_strerror(errno));
    return S_ISREG(status_out->st_mode) || refuse(error, setting, "is no file");
}

/* --- the chain -------------------------------------------------------------------------------- */

static bool read_chain(const char *path, char **chain_out, GError **error) {
    struct stat status;
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;
    gsize size = 0;
    if (!check_file(CHAIN, path, &status, error))
        return false;
    if (status.st_size > CHAIN_MAX)
        return refuse(error, CHAIN, "the file is larger than 256 KiB");
    if (!g_file_get_contents(path, &text, &size, &failure))
        return refuse(error, CHAIN, "the file cannot be read");
    if (strlen(text) != size || !strstr(text, "-----BEGIN CERTIFICATE-----"))
        return refuse(error, CHAIN, "there is no certificate (PEM) in the file");
    *chain_out = g_steal_pointer(&text);
    return true;
}

/* --- the key ---------------------------------------------------------------------------------- */

static bool read_key(const char *path, Secret **key_out, GError **error) {
    struct stat status;
    g_autofree char *source = g_strconcat("@", path, NULL);
    SecretArgument argument = {.source = source, .option = KEY};
    g_autoptr(GError) failure = NULL;
    if (!check_file(KEY, path, &status, error))
        return false;
    if ((status.st_mode & S_IRWXO) != 0)
        return refuse(error, KEY, "everybody may read the file; take that away with chmod o=");
    g_autoptr(Secret) key = secret_source_read(&argument, STDIN_FILENO, &failure);
    if (!key)
        return refuse(error, KEY, "the file cannot be read");
    if (!strstr(secret_text(key), "PRIVATE KEY-----"))
        return refuse(error, KEY, "there is no private key (PEM) in the file");
    *key_out = g_steal_pointer(&key);
    return true;
}

/* --- both ------------------------------------------------------------------------------------- */

bool certificate_init(Certificate *certificate, const Config *settings, GError **error) {
    *certificate = (Certificate){0};
    if (!certificate_is_wanted(settings))
        return true;
    if (check_settings(settings, error) &&
        read_chain(config_text(settings, CHAIN), &certificate->chain, error) &&
        read_key(config_text(settings, KEY), &certificate->key, error))
        return true;
    certificate_clear(certificate);
    return false;
}

void certificate_clear(Certificate *certificate) {
    g_clear_pointer(&certificate->chain, g_free);
    g_clear_pointer(&certificate->key, secret_free);
}
