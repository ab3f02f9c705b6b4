/* The worst verdict of each resource. */
#include "unit/comply_support.h"

#include "comply/resource_set.h"

static void the_worst_row_of_a_resource_wins(void) {
    static const struct {
        Verdict first;
        Verdict second;
        Verdict worst;
    } cases[] = {
        {VERDICT_PASS, VERDICT_FAIL, VERDICT_FAIL},
        {VERDICT_FAIL, VERDICT_PASS, VERDICT_FAIL},
        {VERDICT_PASS, VERDICT_COULD_NOT_READ, VERDICT_COULD_NOT_READ},
        {VERDICT_COULD_NOT_READ, VERDICT_PASS, VERDICT_COULD_NOT_READ},
        {VERDICT_COULD_NOT_READ, VERDICT_FAIL, VERDICT_FAIL},
        {VERDICT_NOT_APPLICABLE, VERDICT_PASS, VERDICT_PASS},
        {VERDICT_NOT_APPLICABLE, VERDICT_NOT_APPLICABLE, VERDICT_NOT_APPLICABLE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ResourceSet) set = resource_set_new();
        ResourceKey key = resource_key("a");
        Verdict worst;
        resource_set_add(set, key);
        g_assert_false(resource_set_worst(set, key, &worst));
        resource_set_note(set, key, cases[i].first);
        resource_set_note(set, key, cases[i].second);
        g_assert_true(resource_set_worst(set, key, &worst));
        g_assert_cmpint(worst, ==, cases[i].worst);
        g_assert_cmpuint(resource_set_count(set), ==, 1);
    }
}

static void a_failure_is_told_once(void) {
    g_autoptr(ResourceSet) set = resource_set_new();
    g_assert_false(resource_set_note(set, resource_key("a"), VERDICT_PASS));
    g_assert_true(resource_set_note(set, resource_key("a"), VERDICT_FAIL));
    g_assert_false(resource_set_note(set, resource_key("a"), VERDICT_FAIL));
    g_assert_false(resource_set_note(set, resource_key("a"), VERDICT_PASS));
    resource_set_add(set, resource_key("b"));
    g_assert_false(resource_set_note(set, resource_key("b"), VERDICT_PASS));
    g_assert_true(resource_set_note(set, resource_key("b"), VERDICT_FAIL));
}

static void resources_without_findings_take_no_room(void) {
    g_autoptr(ResourceSet) set = resource_set_new();
    Verdict worst;
    g_assert_false(resource_set_note(set, resource_key("a"), VERDICT_PASS));
    g_assert_false(resource_set_note(set, resource_key("b"), VERDICT_COULD_NOT_READ));
    g_assert_cmpuint(resource_set_count(set), ==, 0);
    g_assert_false(resource_set_worst(set, resource_key("a"), &worst));
}

static void ten_thousand_resources_are_told_apart(void) {
    g_autoptr(ResourceSet) set = resource_set_new();
    for (int i = 0; i < 10000; i++) {
        g_autofree char *name = g_strdup_printf("repository-%d", i);
        resource_set_add(set, resource_key(name));
        resource_set_note(set, resource_key(name), i % 3 == 0 ? VERDICT_FAIL : VERDICT_PASS);
    }
    g_assert_cmpuint(resource_set_count(set), ==, 10000);
    for (int i = 0; i < 10000; i++) {
        g_autofree char *name = g_strdup_printf("repository-%d", i);
        Verdict worst;
        g_assert_true(resource_set_worst(set, resource_key(name), &worst));
        g_assert_cmpint(worst, ==, i % 3 == 0 ? VERDICT_FAIL : VERDICT_PASS);
    }
}

static const ComplyTest tests[] = {
    {"the_worst_row_of_a_resource_wins", the_worst_row_of_a_resource_wins},
    {"a_failure_is_told_once", a_failure_is_told_once},
    {"resources_without_findings_take_no_room", resources_without_findings_take_no_room},
    {"ten_thousand_resources_are_told_apart", ten_thousand_resources_are_told_apart},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "resource_set", tests, G_N_ELEMENTS(tests));
}
