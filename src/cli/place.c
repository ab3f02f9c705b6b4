#include "cli/place.h"

#include "base/error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SQLITE "sqlite:"
#define ROOT_DIR "/var/lib/assay"
#define NAME "assay"

static const char *environment(const char *name) {
    const char *value = g_getenv(name);
    return value && *value != '\0' ? value : NULL;
}

/* A relative XDG_DATA_HOME is to be ignored (XDG Base Directory Specification). */
static char *usual_dir(void) {
    const char *data_home = environment("XDG_DATA_HOME");
    const char *home = environment("HOME");
    if (geteuid() == 0)
        return g_strdup(ROOT_DIR);
    if (data_home && g_path_is_absolute(data_home))
        return g_build_filename(data_home, NAME, NULL);
    return home ? g_build_filename(home, ".local", "share", NAME, NULL) : NULL;
}

static char *find_dir(const char *data, GError **error) {
    const char *named = data ? data : environment("ASSAY_DATA");
    if (data && *data == '\0') {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--data wants a directory");
        return NULL;
    }
    if (named)
        return g_canonicalize_filename(named, NULL);
    char *dir = usual_dir();
    if (!dir)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "there is no home directory to keep data in; give --data DIR");
    return dir;
}

bool place_init(Place *place, const Arguments *arguments, GError **error) {
    g_autofree char *dir = find_dir(arguments_text(arguments, "data"), error);
    g_autoptr(Config) config = dir ? config_read(arguments_text(arguments, "config"), error) : NULL;
    if (!config)
        return false;
    const char *url = config_text(config, "database_url");
    *place = (Place){.data_dir = g_steal_pointer(&dir), .config = g_steal_pointer(&config)};
    place->database_url =
        url ? g_strdup(url) : g_strdup_printf(SQLITE "%s/assay.db", place->data_dir);
    if (g_str_has_prefix(place->database_url, SQLITE))
        place->database_file = g_strdup(place->database_url + strlen(SQLITE));
    place->providers_dir = g_build_filename(place->data_dir, "providers", NULL);
    return true;
}

void place_clear(Place *place) {
    g_free(place->data_dir);
    g_free(place->database_url);
    g_free(place->database_file);
    g_free(place->providers_dir);
    config_free(place->config);
    *place = (Place){0};
}

bool place_make(const Place *place, GError **error) {
    if (g_mkdir_with_parents(place->data_dir, S_IRWXU) == 0)
        return true;
    int code = errno;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "the data directory %s cannot be made: %s; give another with --data DIR",
                place->data_dir, g_strerror(code));
    return false;
}

bool place_require(const Place *place, GError **error) {
    const char *needed = place->database_file ? place->database_file : place->data_dir;
    if (g_file_test(needed, G_FILE_TEST_EXISTS))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                "there is nothing in %s yet; run `assay init` or `assay connect` first",
                place->data_dir);
    return false;
}
