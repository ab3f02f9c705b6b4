/* Ids of controls in the styles seen in the wild. */
#include "unit/comply_support.h"

#include "comply/control_id.h"

#include <string.h>

static void assert_key(const char *text, const char *letter, const char *expected,
                       bool expected_lettered) {
    bool lettered = false;
    g_autofree char *key = control_id_key(text, letter, &lettered);
    g_assert_cmpstr(key, ==, expected);
    g_assert_cmpint(lettered, ==, expected_lettered);
}

static void styles_of_one_id_have_one_key(void) {
    assert_key("CC6.1", NULL, "CC.6.1", false);
    assert_key("CC 6.1", NULL, "CC.6.1", false);
    assert_key("cc_6_1", NULL, "CC.6.1", false);
    assert_key("CC-6.1", NULL, "CC.6.1", false);
    assert_key("A.9.4.2", "A", "9.4.2", true);
    assert_key("9.4.2", "A", "9.4.2", false);
    assert_key("ISO-A.9.4.2", "A", "9.4.2", true);
    assert_key("ISO 27001 A.9.4.2", "A", "9.4.2", true);
    assert_key("AC.L2-3.1.1", NULL, "AC.L.2.3.1.1", false);
    assert_key("3_5_3", NULL, "3.5.3", false);
}

static void ids_that_look_alike_stay_apart(void) {
    assert_key("A1.2", NULL, "A.1.2", false);
    assert_key("A.12", NULL, "A.12", false);
    assert_key("03.05.03", NULL, "03.05.03", false);
    assert_key("IA.1.076", NULL, "IA.1.076", false);
}

static void what_is_no_id_has_no_key(void) {
    g_autofree char *endless = g_strnfill(CONTROL_ID_MAX + 1, '1');
    assert_key("", NULL, NULL, false);
    assert_key(" . ", NULL, NULL, false);
    assert_key("CC6.1;drop", NULL, NULL, false);
    assert_key("CC6.1\xc3\xa9", NULL, NULL, false);
    assert_key(endless, NULL, NULL, false);
}

static void numbers_are_ordered_as_numbers(void) {
    static const char *const ordered[] = {"3.1.1", "3.1.2", "3.1.10", "3.2",   "3.10.1",
                                          "A1.1",  "A1.2",  "CC1.1",  "CC1.2", "CC1.10",
                                          "CC2.1", "P1.1",  "PI1.1"};
    for (size_t i = 0; i < G_N_ELEMENTS(ordered); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(ordered); j++) {
            int order = control_id_compare(ordered[i], ordered[j]);
            g_assert_cmpint((order > 0) - (order < 0), ==, (i > j) - (i < j));
        }
    }
    g_assert_cmpint(control_id_compare("cc_6_1", "CC6.1"), ==, 0);
    g_assert_cmpint(control_id_compare("3.05", "3.5"), ==, 0);
}

static const ComplyTest tests[] = {
    {"styles_of_one_id_have_one_key", styles_of_one_id_have_one_key},
    {"ids_that_look_alike_stay_apart", ids_that_look_alike_stay_apart},
    {"what_is_no_id_has_no_key", what_is_no_id_has_no_key},
    {"numbers_are_ordered_as_numbers", numbers_are_ordered_as_numbers},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "control_id", tests, G_N_ELEMENTS(tests));
}
