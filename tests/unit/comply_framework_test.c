/* Frameworks: the embedded ones, how their controls are found, and what is wrong with a file. */
#include "unit/comply_support.h"

#include "comply/control_id.h"
#include "comply/framework.h"

#include <string.h>

static void embedded_frameworks_are_whole(void) {
    static const struct {
        const char *id;
        size_t controls;
    } expected[] = {{"cmmc", 20},
                    {"iso27001_2013", 114},
                    {"iso27001_2022", 93},
                    {"nist_800_171", 110},
                    {"soc2", 61}};
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        const Framework *framework = comply_framework(expected[i].id);
        g_assert_cmpstr(framework->id, ==, expected[i].id);
        g_assert_cmpuint(framework->control_count, ==, expected[i].controls);
        g_assert_true(g_strv_contains(framework_ids(), expected[i].id));
    }
}

/* Within one run of letters the file goes by number. */
static void controls_are_in_their_natural_order(void) {
    for (size_t f = 0; framework_ids()[f] != NULL; f++) {
        const Framework *framework = comply_framework(framework_ids()[f]);
        for (size_t i = 1; i < framework->control_count; i++) {
            const char *before = framework->controls[i - 1].id;
            const char *id = framework->controls[i].id;
            size_t letters = strcspn(id, "0123456789");
            if (strncmp(before, id, letters) == 0 && g_ascii_isdigit(before[letters]))
                g_assert_cmpint(control_id_compare(before, id), <, 0);
            g_assert_cmpuint(framework->controls[i].index, ==, i);
        }
    }
}

static void every_control_has_a_short_title_and_weight(void) {
    for (size_t f = 0; framework_ids()[f] != NULL; f++) {
        const Framework *framework = comply_framework(framework_ids()[f]);
        for (size_t i = 0; i < framework->control_count; i++) {
            const FrameworkControl *control = &framework->controls[i];
            g_assert_cmpuint(strlen(control->title), >, 3);
            g_assert_cmpuint(strlen(control->title), <, 120);
            /* without a system security plan (3.12.4) there is no score to take points from */
            if (strcmp(control->id, "3.12.4") == 0)
                g_assert_cmpfloat(control->weight, ==, 0);
            else
                g_assert_cmpfloat(control->weight, >, 0);
            g_assert_true(framework_control(framework, control->id) == control);
        }
    }
}

static void frameworks_are_found_in_any_spelling(void) {
    static const char *const names[][2] = {{"soc2", "soc2"},
                                           {"SOC 2", "soc2"},
                                           {"SOC2", "soc2"},
                                           {"tsc", "soc2"},
                                           {"iso27001_2013", "iso27001_2013"},
                                           {"ISO 27001:2013", "iso27001_2013"},
                                           {"ISO/IEC 27001:2022", "iso27001_2022"},
                                           {"iso27001-2022", "iso27001_2022"}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpstr(comply_framework(names[i][0])->id, ==, names[i][1]);
    g_autoptr(GError) unknown = NULL;
    g_assert_null(framework_find("soc3", &unknown));
    g_assert_error(unknown, ASSAY_ERROR, ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(unknown->message, "soc2"));
    comply_fails(ERROR_NOT_FOUND, framework_find("", &error) != NULL);
}

/* "framework:id" of all that is found, with commas. */
static char *found(const char *text) {
    g_autoptr(GArray) refs = framework_control_find(text, NULL);
    if (refs == NULL)
        return g_strdup("none");
    GString *list = g_string_new(NULL);
    for (guint i = 0; i < refs->len; i++) {
        const ControlRef *ref = &g_array_index(refs, ControlRef, i);
        g_string_append_printf(list, "%s%s:%s", i == 0 ? "" : ",", ref->framework->id,
                               ref->control->id);
    }
    return g_string_free(list, FALSE);
}

static void controls_are_found_in_the_styles_seen_in_the_wild(void) {
    static const char *const cases[][2] = {
        {"CC6.1", "soc2:CC6.1"},
        {"CC 6.1", "soc2:CC6.1"},
        {"cc_6_1", "soc2:CC6.1"},
        {"soc2:CC8.1", "soc2:CC8.1"},
        {"SOC 2:cc8.1", "soc2:CC8.1"},
        {"A1.2", "soc2:A1.2"},
        {"A.9.4.2", "iso27001_2013:A.9.4.2"},
        {"9.4.2", "iso27001_2013:A.9.4.2"},
        {"ISO-A.9.4.2", "iso27001_2013:A.9.4.2"},
        {"8.5", "iso27001_2022:8.5"},
        {"iso27001_2022:A.8.5", "iso27001_2022:8.5"},
        {"ISO 27001:2022:8.5", "iso27001_2022:8.5"},
        {"iso27001_2013:A.8.5", "none"},
        {"A.8.5", "none"}, /* could be meant for either edition */
        {"A.12", "none"},
        {"3.5.3", "nist_800_171:3.5.3"},
        {"3_5_3", "nist_800_171:3.5.3"},
        {"03.05.03", "none"}, /* revision 3 */
        {"IA.L2-3.5.3", "nist_800_171:3.5.3"},
        {"ia.3.083", "nist_800_171:3.5.3"},
        {"AC.1.001", "nist_800_171:3.1.1"},
        {"AC.L1-3.1.1", "nist_800_171:3.1.1"},
        {"AC.L2-3.1.1", "nist_800_171:3.1.1"},
        {"AC.L1-b.1.i", "nist_800_171:3.1.1"},
        {"cmmc_2:AC.1.001", "nist_800_171:3.1.1"},
        {"cmmc:AC.1.001", "nist_800_171:3.1.1"},
        {"cmmc:RE.2.137", "cmmc:RE.2.137"},
        {"cmmc:CC6.1", "none"},
        {"NIST SP 800-171:SI.2.214", "nist_800_171:3.14.3"},
        {"CM.2.061", "nist_800_171:3.4.1"},
        {"AU.2.041", "nist_800_171:3.3.2"},
        {"PE.L1-b.1.ix", "nist_800_171:3.10.3,nist_800_171:3.10.4,nist_800_171:3.10.5"},
        {"RE.2.137", "cmmc:RE.2.137"},
        {"AC.2.004", "none"}, /* seen on the web, in no edition */
        {"CC99.1", "none"},
        {"soc2:A.9.4.2", "none"},
        {"nothing:CC6.1", "none"},
        {"soc2:", "none"},
        {":", "none"},
        {"", "none"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *list = found(cases[i][0]);
        g_test_message("%s", cases[i][0]);
        g_assert_cmpstr(list, ==, cases[i][1]);
    }
}

/* DoD assessment methodology 1.2.1: 110 minus the points of what is not met, at worst -203. */
static void the_points_of_800_171_make_the_lowest_score(void) {
    const Framework *framework = comply_framework("nist_800_171");
    double points = 0;
    size_t basic = 0;
    for (size_t i = 0; i < framework->control_count; i++) {
        points += framework->controls[i].weight;
        basic += strcmp(framework->controls[i].level, "1") == 0;
    }
    g_assert_cmpfloat(points, ==, 313);
    g_assert_cmpfloat(110 - points, ==, -203);
    g_assert_cmpuint(basic, ==, 17);
}

/* Every requirement has its id of CMMC 1.02 and one of CMMC 2.0 at least; each leads back. */
static void requirements_are_found_by_each_of_their_cmmc_ids(void) {
    const Framework *framework = comply_framework("nist_800_171");
    for (size_t i = 0; i < framework->control_count; i++) {
        const FrameworkControl *control = &framework->controls[i];
        g_autofree char *expected = g_strdup_printf("nist_800_171:%s", control->id);
        g_autofree char *level_2 = g_strdup_printf("L2-%s", control->id);
        bool has_level_2 = false;
        g_assert_cmpuint(control->alias_count, >=, 2);
        for (size_t k = 0; k < control->alias_count; k++) {
            g_autofree char *list = found(control->aliases[k]);
            g_assert_cmpstr(list, ==, expected);
            has_level_2 = has_level_2 || g_str_has_suffix(control->aliases[k], level_2);
        }
        g_assert_true(has_level_2);
    }
}

static void a_control_that_is_unknown_is_said_with_what_to_write(void) {
    g_autoptr(GError) bare = NULL;
    g_assert_null(framework_control_find("A.8.5", &bare));
    g_assert_error(bare, ASSAY_ERROR, ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(bare->message, "iso27001_2022:A.8.5"));
    g_autoptr(GError) named = NULL;
    g_assert_null(framework_control_find("soc2:CC99.1", &named));
    g_assert_cmpstr(named->message, ==, "SOC 2 has no control 'CC99.1'.");
}

static void known_controls_are_those_of_known_frameworks(void) {
    g_assert_true(framework_control_known(NULL, "soc2", "CC8.1"));
    g_assert_true(framework_control_known(NULL, "iso27001_2013", "A.14.2.2"));
    g_assert_true(framework_control_known(NULL, "iso27001_2022", "8.32"));
    g_assert_false(framework_control_known(NULL, "soc2", "CC8.9"));
    g_assert_false(framework_control_known(NULL, "pci_dss", "1.1"));
}

/* --- files ------------------------------------------------------------------------------------ */

#define HEAD "assay: 1\nid: demo\nname: Demo\nedition: First\n"

static void a_file_may_weigh_and_rename_controls(void) {
    static const char text[] = HEAD "controls:\n"
                                    "  - {id: 3.5.3, title: Many factors, weight: 5, level: L2,\n"
                                    "     aliases: [IA.L2-3.5.3, IA.3.083]}\n"
                                    "  - {id: 3.5.10, title: Stored well, weight: 0}\n";
    g_autoptr(Framework) framework = NULL;
    comply_ok((framework = framework_load("demo", text, strlen(text), NULL, &error)) != NULL);
    const FrameworkControl *control = framework_control(framework, "ia.l2-3.5.3");
    g_assert_cmpstr(control->id, ==, "3.5.3");
    g_assert_cmpstr(control->level, ==, "L2");
    g_assert_cmpfloat(control->weight, ==, 5);
    g_assert_true(framework_control(framework, "IA.3.083") == control);
    g_assert_null(framework_control(framework, "03.05.03"));
    g_assert_cmpfloat(framework_control(framework, "3_5_10")->weight, ==, 0);
    g_assert_null(framework_control(framework, "3.5.10")->level);
}

static void mistakes_are_told_by_line(void) {
    static const char *const cases[][2] = {
        {HEAD "controls:\n  - {id: X.1, title: One, wight: 2}\n", "demo.yaml:6:27: "},
        {HEAD "controls:\n  - {id: X.1}\n", "demo.yaml:6:5: "},
        {HEAD "controls:\n  - {id: X.1, title: One}\n  - {id: x_1, title: Two}\n",
         "demo.yaml:7:10: 'x_1' is the id of control X.1 already"},
        {HEAD "controls:\n  - {id: X.1, title: One}\n  - {id: X.2, title: Two, shared: [X.1]}\n",
         "demo.yaml:7:36: 'X.1' is the id of control X.1 already"},
        {HEAD "controls:\n  - {id: X.1, title: One, weight: heavy}\n", "demo.yaml:6:35: "},
        {HEAD "controls:\n  - {id: '?', title: One}\n", "demo.yaml:6:10: "},
        {HEAD "letter: ab\ncontrols:\n  - {id: X.1, title: One}\n", "demo.yaml:5:9: "},
        {"assay: 2\nid: demo\nname: Demo\nedition: First\ncontrols:\n  - {id: X.1, title: One}\n",
         "demo.yaml:1:8: "},
        {"assay: [\n", "demo.yaml:"},
        {HEAD, "demo.yaml:"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Framework) framework =
            framework_load("demo.yaml", cases[i][0], strlen(cases[i][0]), NULL, &error);
        g_assert_null(framework);
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_test_message("%s", error->message);
        g_assert_true(g_str_has_prefix(error->message, cases[i][1]));
    }
}

static void all_mistakes_are_told_at_once(void) {
    static const char text[] = HEAD "controls:\n  - {id: X.1}\n  - {title: Two}\n";
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    comply_fails(ERROR_CONFIGURATION,
                 framework_load("demo.yaml", text, strlen(text), diagnostics, &error) != NULL);
    g_assert_cmpuint(diagnostics_errors(diagnostics), ==, 2);
}

static const ComplyTest tests[] = {
    {"embedded_frameworks_are_whole", embedded_frameworks_are_whole},
    {"controls_are_in_their_natural_order", controls_are_in_their_natural_order},
    {"every_control_has_a_short_title_and_weight", every_control_has_a_short_title_and_weight},
    {"frameworks_are_found_in_any_spelling", frameworks_are_found_in_any_spelling},
    {"controls_are_found_in_the_styles_seen_in_the_wild",
     controls_are_found_in_the_styles_seen_in_the_wild},
    {"the_points_of_800_171_make_the_lowest_score", the_points_of_800_171_make_the_lowest_score},
    {"requirements_are_found_by_each_of_their_cmmc_ids",
     requirements_are_found_by_each_of_their_cmmc_ids},
    {"a_control_that_is_unknown_is_said_with_what_to_write",
     a_control_that_is_unknown_is_said_with_what_to_write},
    {"known_controls_are_those_of_known_frameworks", known_controls_are_those_of_known_frameworks},
    {"a_file_may_weigh_and_rename_controls", a_file_may_weigh_and_rename_controls},
    {"mistakes_are_told_by_line", mistakes_are_told_by_line},
    {"all_mistakes_are_told_at_once", all_mistakes_are_told_at_once},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "framework", tests, G_N_ELEMENTS(tests));
}
