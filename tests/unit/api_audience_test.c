/* How streams of events share the places of a process, without a server. */
#include "api/audience.h"
#include "base/error.h"
#include "store/membership.h"
#include "unit/api_support.h"

#include <string.h>

#define PLACES 40 /* 10 for an organization */
#define SHARE 10

/* --- people ----------------------------------------------------------------------------------- */

/* Who is in these organizations, by spaces; user NULL: a token of this id. */
static Viewer *viewer(const char *id, const char *user, const char *organizations) {
    g_autoptr(GPtrArray) reach = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) names = g_strsplit(organizations, " ", -1);
    for (char **name = names; *name; name++) {
        UserMembership *membership = g_new0(UserMembership, 1);
        membership->organization_id = *name;
        membership->role = "member";
        g_ptr_array_add(reach, membership);
    }
    Caller caller = {.id = user ? user : id, .session_id = user ? id : NULL, .reach = reach};
    StreamSource source = {0};
    return viewer_new(&caller, stream_new(&source));
}

static void free_viewer(void *data) {
    viewer_free(data);
}

static GPtrArray *audience(void) {
    return g_ptr_array_new_with_free_func(free_viewer);
}

/* Each is another token. */
static void seat_tokens(GPtrArray *viewers, const char *organizations, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *id = g_strdup_printf("%s-%u", organizations, viewers->len);
        g_ptr_array_add(viewers, viewer(id, NULL, organizations));
    }
}

static void must_fit(const GPtrArray *viewers, Viewer *take_newcomer) {
    g_autoptr(Viewer) newcomer = take_newcomer;
    must(audience_has_room(viewers, newcomer, PLACES, &error));
}

static void must_not_fit(const GPtrArray *viewers, Viewer *take_newcomer, int code,
                         const char *part) {
    g_autoptr(Viewer) newcomer = take_newcomer;
    g_autoptr(GError) error = NULL;
    g_assert_false(audience_has_room(viewers, newcomer, PLACES, &error));
    g_assert_error(error, ASSAY_ERROR, code);
    g_assert_nonnull(strstr(error->message, part));
}

/* --- shares ----------------------------------------------------------------------------------- */

static void an_organization_has_a_quarter_of_the_places(void) {
    g_autoptr(GPtrArray) viewers = audience();
    g_assert_cmpuint(audience_of_organization(PLACES), ==, SHARE);
    g_assert_cmpuint(audience_of_organization(1), ==, 1);
    seat_tokens(viewers, "acme", SHARE - 1);
    must_fit(viewers, viewer("last", NULL, "acme"));
    seat_tokens(viewers, "acme", 1);
    must_not_fit(viewers, viewer("one-too-many", NULL, "acme"), ERROR_RATE_LIMITED,
                 "This organization has 10 streams of events already");
    must_not_fit(viewers, viewer("s", "ada", "acme"), ERROR_RATE_LIMITED, "This organization");
    must_fit(viewers, viewer("elsewhere", NULL, "labs"));
}

static void one_organization_never_has_all_places(void) {
    g_autoptr(GPtrArray) viewers = audience();
    for (unsigned i = 0; i < 2 * PLACES; i++) {
        g_autofree char *id = g_strdup_printf("token-%u", i);
        g_autoptr(Viewer) newcomer = viewer(id, NULL, "acme");
        g_autoptr(GError) error = NULL;
        if (audience_has_room(viewers, newcomer, PLACES, &error))
            g_ptr_array_add(viewers, g_steal_pointer(&newcomer));
    }
    g_assert_cmpuint(viewers->len, ==, SHARE);
}

static void a_stream_of_several_organizations_counts_for_each(void) {
    g_autoptr(GPtrArray) viewers = audience();
    seat_tokens(viewers, "acme labs", SHARE);
    must_not_fit(viewers, viewer("a", NULL, "acme"), ERROR_RATE_LIMITED, "This organization");
    must_not_fit(viewers, viewer("b", NULL, "labs"), ERROR_RATE_LIMITED, "This organization");
    must_not_fit(viewers, viewer("c", NULL, "labs acme"), ERROR_RATE_LIMITED,
                 "Each of these organizations has 10 streams");
}

static void whoever_fills_one_keeps_nobody_out_of_another(void) {
    g_autoptr(GPtrArray) viewers = audience();
    seat_tokens(viewers, "acme", SHARE);
    must_fit(viewers, viewer("both", NULL, "acme labs"));
    must_fit(viewers, viewer("s", "ada", "labs acme"));
    seat_tokens(viewers, "acme labs", SHARE);
    must_not_fit(viewers, viewer("both", NULL, "acme labs"), ERROR_RATE_LIMITED, "Each of");
}

static void nobody_is_counted_where_his_seat_was_taken_away(void) {
    g_autoptr(GPtrArray) viewers = audience();
    seat_tokens(viewers, "acme labs", SHARE);
    viewer_admit(g_ptr_array_index(viewers, 0), "acme", NULL);
    must_fit(viewers, viewer("a", NULL, "acme"));
    must_not_fit(viewers, viewer("b", NULL, "labs"), ERROR_RATE_LIMITED, "This organization");
}

static void all_together_have_the_places_of_the_process(void) {
    static const char *const names[] = {"a", "b", "c", "d"};
    g_autoptr(GPtrArray) viewers = audience();
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        seat_tokens(viewers, names[i], SHARE);
    must_not_fit(viewers, viewer("fifth", NULL, "e"), ERROR_SERVICE_UNAVAILABLE, "try again later");
    g_ptr_array_set_size(viewers, PLACES - 1);
    must_fit(viewers, viewer("fifth", NULL, "e"));
}

static void a_token_has_a_few(void) {
    g_autoptr(GPtrArray) viewers = audience();
    for (int i = 0; i < AUDIENCE_OF_TOKEN; i++)
        g_ptr_array_add(viewers, viewer("ci", NULL, "acme"));
    must_not_fit(viewers, viewer("ci", NULL, "labs"), ERROR_RATE_LIMITED,
                 "This token has 8 streams");
    must_fit(viewers, viewer("other", NULL, "acme"));
}

static void a_user_has_some_in_all_his_sessions(void) {
    unsigned places = 1000;
    g_autoptr(GPtrArray) viewers = audience();
    for (int i = 0; i < AUDIENCE_OF_USER; i++) {
        g_autofree char *session = g_strdup_printf("session-%d", i);
        g_ptr_array_add(viewers, viewer(session, "ada", "acme"));
    }
    g_autoptr(Viewer) ada = viewer("one-more", "ada", "acme");
    g_autoptr(Viewer) eve = viewer("hers", "eve", "acme");
    g_autoptr(GError) refused = NULL;
    g_assert_false(audience_has_room(viewers, ada, places, &refused));
    g_assert_error(refused, ASSAY_ERROR, (int)ERROR_RATE_LIMITED);
    g_assert_nonnull(strstr(refused->message, "This user has 50 streams"));
    must(audience_has_room(viewers, eve, places, &error));
}

static void the_newest_of_a_session_replaces_its_own_only(void) {
    g_autoptr(GPtrArray) viewers = audience();
    g_autoptr(Viewer) newest = viewer("session", "ada", "acme");
    g_ptr_array_add(viewers, viewer("session", "ada", "acme"));
    g_ptr_array_add(viewers, viewer("phone", "ada", "acme"));
    g_ptr_array_add(viewers, viewer("token", NULL, "acme"));
    audience_replace(viewers, newest);
    g_assert_false(viewer_is_there(g_ptr_array_index(viewers, 0)));
    g_assert_true(viewer_is_there(g_ptr_array_index(viewers, 1)));
    g_assert_true(viewer_is_there(g_ptr_array_index(viewers, 2)));
    g_autoptr(Viewer) token = viewer("token", NULL, "acme");
    audience_replace(viewers, token);
    g_assert_true(viewer_is_there(g_ptr_array_index(viewers, 2)));
}

int main(int argc, char **argv) {
    static const ApiTest tests[] = {
        {"an_organization_has_a_quarter_of_the_places",
         an_organization_has_a_quarter_of_the_places},
        {"one_organization_never_has_all_places", one_organization_never_has_all_places},
        {"a_stream_of_several_organizations_counts_for_each",
         a_stream_of_several_organizations_counts_for_each},
        {"whoever_fills_one_keeps_nobody_out_of_another",
         whoever_fills_one_keeps_nobody_out_of_another},
        {"nobody_is_counted_where_his_seat_was_taken_away",
         nobody_is_counted_where_his_seat_was_taken_away},
        {"all_together_have_the_places_of_the_process",
         all_together_have_the_places_of_the_process},
        {"a_token_has_a_few", a_token_has_a_few},
        {"a_user_has_some_in_all_his_sessions", a_user_has_some_in_all_his_sessions},
        {"the_newest_of_a_session_replaces_its_own_only",
         the_newest_of_a_session_replaces_its_own_only},
    };
    return api_main(argc, argv, "audience", tests, G_N_ELEMENTS(tests));
}
