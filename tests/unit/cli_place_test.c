/* Where the data are. */
#include "cli/place.h"
#include "unit/cli_support.h"

#include <sys/stat.h>
#include <unistd.h>

/* place_init() for a command line with this --data and this --config, if any. */
static bool init(Place *place, const char *data, const char *config, GError **error) {
    const char *vector[5] = {0};
    size_t count = 0;
    if (data) {
        vector[count++] = "--data";
        vector[count++] = data;
    }
    if (config) {
        vector[count++] = "--config";
        vector[count++] = config;
    }
    g_autoptr(Arguments) arguments = arguments_parse(NULL, vector, error);
    return arguments && place_init(place, arguments, error);
}

static void expect_dir(const char *given, const char *dir) {
    g_auto(Place) place = {0};
    must(init(&place, given, NULL, &error));
    g_assert_cmpstr(place.data_dir, ==, dir);
}

static void the_option_comes_before_the_environment(void) {
    g_setenv("ASSAY_DATA", "/srv/environment", TRUE);
    expect_dir("/srv/option", "/srv/option");
    expect_dir(NULL, "/srv/environment");
    g_setenv("ASSAY_DATA", "", TRUE);
    must_fail(ERROR_USAGE, "--data wants a directory", init(&(Place){0}, "", NULL, &error));
}

static void a_relative_directory_is_made_absolute(void) {
    g_autofree char *here = g_get_current_dir();
    g_autofree char *expected = g_build_filename(here, "some", "data", NULL);
    expect_dir("some/./other/../data", expected);
}

static void the_usual_directory_is_the_users_or_roots(void) {
    g_setenv("XDG_DATA_HOME", "/home/mona/.data", TRUE);
    expect_dir(NULL, geteuid() == 0 ? "/var/lib/assay" : "/home/mona/.data/assay");
}

static void the_database_is_in_the_data_directory_unless_told(void) {
    g_auto(Place) place = {0};
    must(init(&place, "/srv/assay", NULL, &error));
    g_assert_cmpstr(place.database_url, ==, "sqlite:/srv/assay/assay.db");
    g_assert_cmpstr(place.database_file, ==, "/srv/assay/assay.db");
    g_assert_cmpstr(place.providers_dir, ==, "/srv/assay/providers");
    place_clear(&place);
    g_setenv("DATABASE_URL", "sqlite:/mnt/other.db", TRUE);
    must(init(&place, "/srv/assay", NULL, &error));
    g_assert_cmpstr(place.database_file, ==, "/mnt/other.db");
    place_clear(&place);
    g_setenv("DATABASE_URL", "postgres://assay:" PLANTED "@db/assay", TRUE);
    must(init(&place, "/srv/assay", NULL, &error));
    g_assert_null(place.database_file);
}

static void the_directory_is_made_for_its_owner_only(void) {
    g_auto(Place) place = {0};
    struct stat status;
    must(init(&place, desk_data(), NULL, &error));
    must_fail(ERROR_NOT_FOUND, "run `assay init` or `assay connect` first",
              place_require(&place, &error));
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
    must(place_make(&place, &error));
    must(place_make(&place, &error));
    g_assert_cmpint(stat(desk_data(), &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0700);
}

static void settings_come_from_the_named_file(void) {
    g_auto(Place) place = {0};
    const char *file = desk_file("assay.yaml", "database_url: sqlite:/mnt/file.db\nworkers: 2\n");
    must(init(&place, "/srv/assay", file, &error));
    g_assert_cmpstr(place.database_file, ==, "/mnt/file.db");
    g_assert_cmpint(config_number(place.config, "workers"), ==, 2);
    must_fail(ERROR_CONFIGURATION, "there is no setting listn",
              init(&(Place){0}, "/srv/assay", desk_file("wrong.yaml", "listn: ':1'\n"), &error));
}

static void a_directory_that_cannot_be_made_is_told(void) {
    g_auto(Place) place = {0};
    g_autofree char *inside = g_build_filename(desk_file("file", "x"), "data", NULL);
    must(init(&place, inside, NULL, &error));
    must_fail(ERROR_CONFIGURATION, "cannot be made", place_make(&place, &error));
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"the_option_comes_before_the_environment", the_option_comes_before_the_environment},
        {"a_relative_directory_is_made_absolute", a_relative_directory_is_made_absolute},
        {"the_usual_directory_is_the_users_or_roots", the_usual_directory_is_the_users_or_roots},
        {"the_database_is_in_the_data_directory_unless_told",
         the_database_is_in_the_data_directory_unless_told},
        {"the_directory_is_made_for_its_owner_only", the_directory_is_made_for_its_owner_only},
        {"settings_come_from_the_named_file", settings_come_from_the_named_file},
        {"a_directory_that_cannot_be_made_is_told", a_directory_that_cannot_be_made_is_told},
    };
    return desk_main(argc, argv, "place", tests, G_N_ELEMENTS(tests));
}
