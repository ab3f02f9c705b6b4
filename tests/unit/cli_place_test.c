/* Where the data are. */
#include "cli/place.h"
#include "unit/cli_support.h"

#include <sys/stat.h>
#include <unistd.h>

static void expect_dir(const char *given, const char *dir) {
    g_auto(Place) place = {0};
    must(place_init(&place, given, &error));
    g_assert_cmpstr(place.data_dir, ==, dir);
}

static void the_option_comes_before_the_environment(void) {
    g_setenv("ASSAY_DATA", "/srv/environment", TRUE);
    expect_dir("/srv/option", "/srv/option");
    expect_dir(NULL, "/srv/environment");
    g_setenv("ASSAY_DATA", "", TRUE);
    must_fail(ERROR_USAGE, "--data wants a directory", place_init(&(Place){0}, "", &error));
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
    must(place_init(&place, "/srv/assay", &error));
    g_assert_cmpstr(place.database_url, ==, "sqlite:/srv/assay/assay.db");
    g_assert_cmpstr(place.database_file, ==, "/srv/assay/assay.db");
    g_assert_cmpstr(place.providers_dir, ==, "/srv/assay/providers");
    place_clear(&place);
    g_setenv("DATABASE_URL", "sqlite:/mnt/other.db", TRUE);
    must(place_init(&place, "/srv/assay", &error));
    g_assert_cmpstr(place.database_file, ==, "/mnt/other.db");
    place_clear(&place);
    g_setenv("DATABASE_URL", "postgres://assay:" PLANTED "@db/assay", TRUE);
    must(place_init(&place, "/srv/assay", &error));
    g_assert_null(place.database_file);
}

static void the_directory_is_made_for_its_owner_only(void) {
    g_auto(Place) place = {0};
    struct stat status;
    must(place_init(&place, desk_data(), &error));
    must_fail(ERROR_NOT_FOUND, "run `assay init` or `assay connect` first",
              place_require(&place, &error));
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
    must(place_make(&place, &error));
    must(place_make(&place, &error));
    g_assert_cmpint(stat(desk_data(), &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0700);
}

static void a_directory_that_cannot_be_made_is_told(void) {
    g_auto(Place) place = {0};
    g_autofree char *inside = g_build_filename(desk_file("file", "x"), "data", NULL);
    must(place_init(&place, inside, &error));
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
        {"a_directory_that_cannot_be_made_is_told", a_directory_that_cannot_be_made_is_told},
    };
    return desk_main(argc, argv, "place", tests, G_N_ELEMENTS(tests));
}
