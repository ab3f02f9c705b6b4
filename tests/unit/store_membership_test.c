#include "unit/store_support.h"

#include "base/clock.h"
#include "db/migrate.h"
#include "store/membership.h"
#include "store/organization.h"
#include "store/user.h"

#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <pthread.h>

#define DAY_MS (24 * 3600 * (int64_t)1000)

static void add_users(DbUnit *unit) {
    const char *const names[] = {"ada", "eve", "bob"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *email = g_strconcat(names[i], "@example.com", NULL);
        User row = {.id = names[i], .email = email, .name = names[i]};
        store_ok(user_insert(unit, &row, &error));
    }
}

static void join(DbUnit *unit, const char *user, const char *role) {
    Membership row = {.user_id = user, .role = role};
    store_ok(membership_insert(unit, &row, &error));
}

static void ada_owns(DbUnit *unit) {
    join(unit, "ada", "owner");
}

static void ada_and_eve_own(DbUnit *unit) {
    join(unit, "ada", "owner");
    join(unit, "eve", "owner");
}

static bool update(DbUnit *unit, const char *user, const char *role, GError **error) {
    Membership row = {.user_id = user, .role = role};
    return membership_update(unit, &row, error);
}

/* --- what fits -------------------------------------------------------------------------------- */

static void the_parts_of_a_membership_fit_each_other(void) {
    static const struct {
        Membership row;
        bool fits;
    } cases[] = {
        {{.role = "owner", .grants = "credentials:read"}, true},
        {{.role = "admin", .grants = ""}, true},
        {{.role = "member", .grants = "credentials:read"}, false},
        {{.role = "owner", .grants = "credentials:write"}, false},
        {{.role = "owner", .grants = "credentials:read  "}, false},
        {{.role = "emperor"}, false},
        {{.role = NULL}, false},
        {{.role = "scanner", .integrations = "a b"}, true},
        {{.role = "scanner"}, false},
        {{.role = "scanner", .integrations = "a  b"}, false},
        {{.role = "member", .integrations = "a"}, false},
        {{.role = "auditor", .period_from = 1, .period_until = 2}, true},
        {{.role = "auditor"}, true},
        {{.role = "auditor", .period_from = 2, .period_until = 2}, false},
        {{.role = "owner", .period_from = 1}, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(membership_check(&cases[i].row, &error) == cases[i].fits);
        if (!cases[i].fits)
            g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
}

/* --- rows ------------------------------------------------------------------------------------- */

static void ada_is_owner(DbUnit *unit) {
    g_autoptr(Membership) row = NULL;
    store_ok(membership_find(unit, "ada", &row, &error));
    g_assert_cmpstr(row->role, ==, "owner");
    g_assert_cmpint(row->created_at, ==, START_MS);
    RoleSubject subject = membership_subject(row);
    g_assert_cmpint(subject.role, ==, ROLE_OWNER);
    g_assert_cmpstr(subject.user_id, ==, "ada");
    g_assert_false(subject.operator);
}

static void ada_is_nobody(DbUnit *unit) {
    g_autoptr(Membership) row = NULL;
    store_ok(membership_find(unit, "ada", &row, &error));
    g_assert_null(row);
    g_autoptr(GPtrArray) members = NULL;
    store_ok(membership_list(unit, NULL, 0, &members, &error));
    g_assert_cmpuint(members->len, ==, 0);
    store_fails(ERROR_NOT_FOUND, membership_delete(unit, "ada", &error));
    store_fails(ERROR_NOT_FOUND, update(unit, "ada", "owner", &error));
}

static void a_membership_is_of_one_organization(void) {
    store_system(add_users);
    store_in(ORG_A, ada_owns);
    store_in(ORG_A, ada_is_owner);
    store_in(ORG_B, ada_is_nobody);
}

static void joins_twice(DbUnit *unit) {
    Membership again = {.user_id = "ada", .role = "member"};
    store_fails(ERROR_CONFLICT, membership_insert(unit, &again, &error));
}

static void nobody_joins_twice(void) {
    store_system(add_users);
    store_in(ORG_A, ada_owns);
    store_in(ORG_A, joins_twice);
}

static void last_owner_stays(DbUnit *unit) {
    join(unit, "bob", "admin");
    store_fails(ERROR_CONFLICT, membership_delete(unit, "ada", &error));
    store_fails(ERROR_CONFLICT, update(unit, "ada", "admin", &error));
    Membership ending = {.user_id = "ada", .role = "owner", .expires_at = START_MS + DAY_MS};
    store_fails(ERROR_CONFLICT, membership_update(unit, &ending, &error));
    Membership granted = {.user_id = "ada", .role = "owner", .grants = ROLE_GRANT_CREDENTIALS};
    store_ok(membership_update(unit, &granted, &error));
    store_ok(membership_delete(unit, "bob", &error));
}

static void the_last_owner_stays_owner(void) {
    store_system(add_users);
    store_in(ORG_A, ada_owns);
    store_in(ORG_A, last_owner_stays);
}

static void one_of_two_goes(DbUnit *unit) {
    store_ok(update(unit, "ada", "member", &error));
    store_fails(ERROR_CONFLICT, update(unit, "eve", "member", &error));
    store_ok(membership_delete(unit, "ada", &error));
}

static void one_of_two_owners_may_go(void) {
    store_system(add_users);
    store_in(ORG_A, ada_and_eve_own);
    store_in(ORG_A, one_of_two_goes);
}

static void disables_eve(DbUnit *unit) {
    store_ok(user_set_disabled(unit, "eve", true, &error));
}

static void ada_may_not_go(DbUnit *unit) {
    store_fails(ERROR_CONFLICT, membership_delete(unit, "ada", &error));
}

static void a_disabled_owner_does_not_count(void) {
    store_system(add_users);
    store_in(ORG_A, ada_and_eve_own);
    store_system(disables_eve);
    store_in(ORG_A, ada_may_not_go);
}

static void eve_audits(DbUnit *unit) {
    Membership row = {.user_id = "eve",
                      .role = "auditor",
                      .period_from = START_MS - DAY_MS,
                      .period_until = START_MS,
                      .expires_at = START_MS + DAY_MS};
    store_ok(membership_insert(unit, &row, &error));
    g_autoptr(Membership) found = NULL;
    store_ok(membership_find(unit, "eve", &found, &error));
    g_assert_cmpint(membership_subject(found).period_until, ==, START_MS);
}

static void eve_has_gone(DbUnit *unit) {
    g_autoptr(Membership) found = NULL;
    store_ok(membership_find(unit, "eve", &found, &error));
    g_assert_null(found);
    g_autoptr(GPtrArray) members = NULL;
    store_ok(membership_list(unit, NULL, 0, &members, &error));
    g_assert_cmpuint(members->len, ==, 1);
}

static void eve_reaches_nothing(DbUnit *unit) {
    g_autoptr(GPtrArray) reach = NULL;
    store_ok(membership_list_of_user(unit, "eve", &reach, &error));
    g_assert_cmpuint(reach->len, ==, 0);
}

static void a_membership_ends_at_its_time(void) {
    store_system(add_users);
    store_in(ORG_A, eve_audits);
    clock_advance(DAY_MS);
    store_in(ORG_A, eve_has_gone);
    store_system(eve_reaches_nothing);
}

static void lists_two(DbUnit *unit) {
    join(unit, "bob", "member");
    g_autoptr(GPtrArray) first = NULL;
    g_autoptr(GPtrArray) rest = NULL;
    store_ok(membership_list(unit, NULL, 1, &first, &error));
    store_ok(membership_list(unit, "ada", 0, &rest, &error));
    const Member *ada = g_ptr_array_index(first, 0);
    const Member *bob = g_ptr_array_index(rest, 0);
    g_assert_cmpuint(rest->len, ==, 1);
    g_assert_cmpstr(ada->email, ==, "ada@example.com");
    g_assert_cmpstr(bob->role, ==, "member");
}

static void lists_of_ada(DbUnit *unit) {
    g_autoptr(GPtrArray) reach = NULL;
    store_ok(membership_list_of_user(unit, "ada", &reach, &error));
    g_assert_cmpuint(reach->len, ==, 2);
    const UserMembership *alpha = g_ptr_array_index(reach, 0);
    const UserMembership *beta = g_ptr_array_index(reach, 1);
    g_assert_cmpstr(alpha->organization, ==, "Alpha");
    g_assert_cmpstr(beta->organization_id, ==, ORG_B);
}

static void members_are_listed_with_their_users_and_users_with_their_organizations(void) {
    store_system(add_users);
    store_in(ORG_A, ada_owns);
    store_in(ORG_B, ada_owns);
    store_in(ORG_A, lists_two);
    store_system(lists_of_ada);
}

/* --- two at once ------------------------------------------------------------------------------ */

#define ROUNDS 20

typedef struct {
    const char *url;
    const char *other; /* whom this one demotes */
    pthread_barrier_t *start;
    int successes;
} Rival;

static bool demote_work(DbUnit *unit, void *data, GError **error) {
    return update(unit, data, "member", error);
}

static void *demote(void *data) {
    Rival *rival = data;
    const DbScope scope = {.organization = ORG_A, .actor = "test"};
    g_autoptr(Db) db = NULL;
    store_ok((db = db_open(rival->url, &error)) != NULL);
    for (int i = 0; i < ROUNDS; i++) {
        g_autoptr(GError) error = NULL;
        pthread_barrier_wait(rival->start); /* both are owners */
        if (db_run(db, &scope, DB_WRITE, demote_work, (void *)(uintptr_t)rival->other, &error))
            rival->successes++;
        else
            g_assert_error(error, ASSAY_ERROR, ERROR_CONFLICT);
        pthread_barrier_wait(rival->start); /* both have tried */
    }
    return NULL;
}

static bool make_owners_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return update(unit, "ada", "owner", error) && update(unit, "eve", "owner", error);
}

static bool begin_work(DbUnit *unit, void *data, GError **error) {
    Organization row = {.id = ORG_A, .name = "Alpha"};
    (void)data;
    if (!organization_insert(unit, &row, error))
        return false;
    add_users(unit);
    return true;
}

static bool own_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    (void)error;
    ada_and_eve_own(unit);
    return true;
}

static void race(Db *db, const char *url) {
    const DbScope scope = {.organization = ORG_A, .actor = "test"};
    pthread_barrier_t start;
    pthread_t threads[2];
    pthread_barrier_init(&start, NULL, 3);
    Rival rivals[] = {{.url = url, .other = "eve", .start = &start},
                      {.url = url, .other = "ada", .start = &start}};
    for (size_t i = 0; i < 2; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, demote, &rivals[i]), ==, 0);
    for (int i = 0; i < ROUNDS; i++) {
        store_ok(db_run(db, &scope, DB_WRITE, make_owners_work, NULL, &error));
        pthread_barrier_wait(&start);
        pthread_barrier_wait(&start);
    }
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    g_assert_cmpint(rivals[0].successes + rivals[1].successes, ==, ROUNDS);
}

static void two_owners_who_demote_each_other_leave_one(void) {
    const DbScope system = {.actor = "test", .system = true};
    const DbScope scope = {.organization = ORG_A, .actor = "test"};
    g_autofree char *folder = NULL;
    Db *db = NULL;
    store_ok((folder = g_dir_make_tmp("assay-owners-XXXXXX", &error)) != NULL);
    g_autofree char *url = stage_url(folder, "assay.db");
    store_ok((db = db_open(url, &error)) != NULL);
    store_ok(migrate_apply(db, &error));
    store_ok(db_run(db, &system, DB_WRITE, begin_work, NULL, &error));
    store_ok(db_run(db, &scope, DB_WRITE, own_work, NULL, &error));
    race(db, url);
    db_close(db);
    stage_leave(folder);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

static const StoreTest tests[] = {
    {"the_parts_of_a_membership_fit_each_other", the_parts_of_a_membership_fit_each_other},
    {"a_membership_is_of_one_organization", a_membership_is_of_one_organization},
    {"nobody_joins_twice", nobody_joins_twice},
    {"the_last_owner_stays_owner", the_last_owner_stays_owner},
    {"one_of_two_owners_may_go", one_of_two_owners_may_go},
    {"a_disabled_owner_does_not_count", a_disabled_owner_does_not_count},
    {"a_membership_ends_at_its_time", a_membership_ends_at_its_time},
    {"two_owners_who_demote_each_other_leave_one", two_owners_who_demote_each_other_leave_one},
    {"members_are_listed_with_their_users_and_users_with_their_organizations",
     members_are_listed_with_their_users_and_users_with_their_organizations},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "membership", tests, G_N_ELEMENTS(tests));
}
