/* Which jobs this program can run. */
#include "sync/format.h"

#include <glib.h>
#include <string.h>

static int64_t format(const char *request, const char *definition) {
    g_autoptr(Json) json = json_parse(request, strlen(request), 1024, NULL);
    return format_of(json, definition);
}

static void jobs_of_today_are_known(void) {
    g_assert_cmpint(format("{\"evidenceTypes\":[]}", "assay: 1\nid: tiny\n"), ==, FORMAT_KNOWN);
}

static void the_request_may_name_a_newer_one(void) {
    g_assert_cmpint(format("{\"format\":2}", "assay: 1\n"), ==, 2);
}

static void the_definition_may_be_newer(void) {
    g_assert_cmpint(format("{}", "assay: 7\nid: tiny\n"), ==, 7);
    g_assert_cmpint(format("{}", "id: tiny\nname: Tiny\nassay: 7\n"), ==, 7);
    g_assert_cmpint(format("{\"format\":2}", "assay: 7\n"), ==, 7);
}

static void only_the_key_itself_counts(void) {
    g_assert_cmpint(format("{}", "assay: 1\nnote: |\n  assay: 9\n"), ==, 1);
    g_assert_cmpint(format("{}", "assay: 1\nassay_next: 9\n"), ==, 1);
    g_assert_cmpint(format("{}", ""), ==, 1);
    g_assert_cmpint(format("{}", "\n\n"), ==, 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sync/format/jobs_of_today_are_known", jobs_of_today_are_known);
    g_test_add_func("/sync/format/the_request_may_name_a_newer_one",
                    the_request_may_name_a_newer_one);
    g_test_add_func("/sync/format/the_definition_may_be_newer", the_definition_may_be_newer);
    g_test_add_func("/sync/format/only_the_key_itself_counts", only_the_key_itself_counts);
    return g_test_run();
}
