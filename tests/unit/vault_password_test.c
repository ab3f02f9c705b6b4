/* Passwords, with hashes that cost little; the queue as well. */
#include "base/error.h"
#include "vault/password.h"
#include "vault/password_queue.h"

#include <pthread.h>
#include <string.h>

static const PasswordCost cheap = {.passes = 1, .bytes = 8192};
static const PasswordCost dearer = {.passes = 2, .bytes = 16384};

static Secret *secret(const char *text) {
    g_autoptr(GError) error = NULL;
    Secret *made = secret_new(text, strlen(text), &error);
    g_assert_no_error(error);
    return made;
}

static char *hash_of(const char *text, const PasswordCost *cost) {
    g_autoptr(Secret) password = secret(text);
    g_autoptr(GError) error = NULL;
    char *hash = NULL;
    g_assert_true(password_hash(password, cost, &hash, &error));
    g_assert_no_error(error);
    return hash;
}

static bool verify(const char *text, const char *hash) {
    g_autoptr(Secret) password = secret(text);
    return password_verify(password, hash, &cheap);
}

/* --- what may be a password ------------------------------------------------------------------- */

static void a_password_is_long_text_that_is_not_guessed_at_once(void) {
    g_autofree char *longest = g_strnfill(PASSWORD_MOST - 1, 'a');
    g_autofree char *most = g_strconcat(longest, "b", NULL);
    g_autofree char *beyond = g_strconcat(most, "c", NULL);
    const struct {
        const char *text;
        bool fits;
    } cases[] = {
        {"correct horse battery", true},
        {"twelve chars", true},
        {"eleven char", false},
        {"", false},
        {"ääääääääääöü", true}, /* twelve characters, more bytes */
        {"ääääääöü", false},    /* sixteen bytes, eight characters */
        {"aaaaaaaaaaaaaaaa", false},
        {"ada.lovelace@example.com", false},
        {"Ada.Lovelace@Example.COM", false},
        {"ada.lovelace", false},
        {"ada.lovelaceADA.LOVELACE", false},
        {"ada.lovelace1843", true},
        {"\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc\xff\xfe", false},
        {most, true},
        {beyond, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) password = secret(cases[i].text);
        if (password_check(password, "ada.lovelace@example.com", &error) != cases[i].fits)
            g_error("case %zu", i);
        if (!cases[i].fits)
            g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
        if (error && strlen(cases[i].text) > 11)
            g_assert_null(strstr(error->message, cases[i].text));
    }
    g_autoptr(Secret) nul = secret_new("twelve\0chars!", 13, NULL);
    g_assert_false(password_check(nul, NULL, NULL));
}

/* --- hashing ---------------------------------------------------------------------------------- */

static void a_hash_is_argon2id_with_a_salt_of_its_own(void) {
    g_autofree char *one = hash_of("correct horse", &cheap);
    g_autofree char *two = hash_of("correct horse", &cheap);
    g_assert_true(g_str_has_prefix(one, "$argon2id$v=19$m=8,t=1,p=1$"));
    g_assert_cmpstr(one, !=, two);
    g_assert_true(verify("correct horse", one));
    g_assert_true(verify("correct horse", two));
}

static void the_programs_own_cost_is_64_mib_and_two_passes(void) {
    g_autofree char *hash = hash_of("correct horse", NULL);
    g_assert_true(g_str_has_prefix(hash, "$argon2id$v=19$m=65536,t=2,p=1$"));
    g_assert_true(verify("correct horse", hash));
    g_assert_false(password_is_outdated(hash, NULL));
    g_assert_false(password_is_outdated(hash, &(PasswordCost){0}));
}

static void a_wrong_password_does_not_match(void) {
    g_autofree char *hash = hash_of("correct horse", &cheap);
    g_assert_false(verify("correct hors", hash));
    g_assert_false(verify("correct horse ", hash));
    g_assert_false(verify("", hash));
    g_assert_false(verify(hash, hash));
}

static void no_hash_and_damaged_hashes_match_nothing(void) {
    g_autofree char *hash = hash_of("correct horse", &cheap);
    g_autofree char *altered = g_strdup(hash);
    g_autofree char *endless = g_strnfill(5000, '$');
    altered[strlen(altered) - 3] ^= 1;
    const char *const wrong[] = {NULL, "", "x", "$argon2id$", "correct horse", altered, endless};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(verify("correct horse", wrong[i]));
}

static void a_hash_of_other_parameters_is_outdated(void) {
    g_autofree char *hash = hash_of("correct horse", &cheap);
    g_assert_false(password_is_outdated(hash, &cheap));
    g_assert_true(password_is_outdated(hash, &dearer));
    g_assert_true(password_is_outdated("nonsense", &cheap));
}

static void more_memory_than_there_is_is_an_error(void) {
    g_autoptr(Secret) password = secret("correct horse");
    g_autoptr(GError) error = NULL;
    char *hash = NULL;
    const PasswordCost odd = {.passes = 1, .bytes = 1}; /* less than libsodium's least */
    g_assert_false(password_hash(password, &odd, &hash, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_null(hash);
}

/* --- the queue -------------------------------------------------------------------------------- */

/* Collects results; a gate holds the queue's threads so that tasks wait behind them. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut; /* callbacks wait */
    int inside;
    int most_inside;
    int done;
    int matches;
    char *new_hash;
} Results;

static void results_init(Results *results, bool shut) {
    *results = (Results){.shut = shut};
    pthread_mutex_init(&results->lock, NULL);
    pthread_cond_init(&results->changed, NULL);
}

static void results_clear(Results *results) {
    pthread_cond_destroy(&results->changed);
    pthread_mutex_destroy(&results->lock);
    g_free(results->new_hash);
}

static void collect(void *data, const PasswordResult *result) {
    Results *results = data;
    g_assert_no_error(result->error);
    pthread_mutex_lock(&results->lock);
    results->inside++;
    results->most_inside = MAX(results->most_inside, results->inside);
    pthread_cond_broadcast(&results->changed);
    while (results->shut)
        pthread_cond_wait(&results->changed, &results->lock);
    results->inside--;
    results->done++;
    results->matches += result->matches;
    if (result->new_hash) {
        g_free(results->new_hash);
        results->new_hash = g_strdup(result->new_hash);
    }
    pthread_mutex_unlock(&results->lock);
}

static void wait_inside(Results *results, int count) {
    pthread_mutex_lock(&results->lock);
    while (results->inside < count)
        pthread_cond_wait(&results->changed, &results->lock);
    pthread_mutex_unlock(&results->lock);
}

static void open_gate(Results *results) {
    pthread_mutex_lock(&results->lock);
    results->shut = false;
    pthread_cond_broadcast(&results->changed);
    pthread_mutex_unlock(&results->lock);
}

static PasswordQueue *queue_new(unsigned waiting) {
    g_autoptr(GError) error = NULL;
    const PasswordQueueOptions options = {.threads = 2, .waiting = waiting, .cost = cheap};
    PasswordQueue *queue = password_queue_new(&options, &error);
    g_assert_no_error(error);
    return queue;
}

static bool submit(PasswordQueue *queue, Results *results, const char *text, const char *hash,
                   GError **error) {
    g_autoptr(Secret) password = secret(text);
    PasswordTask task = {
        .password = password, .hash = hash, .make = !hash, .done = collect, .data = results};
    return password_queue_submit(queue, &task, error);
}

static void the_queue_verifies_and_makes_hashes(void) {
    Results results;
    results_init(&results, false);
    g_autofree char *hash = hash_of("correct horse", &cheap);
    PasswordQueue *queue = queue_new(0);
    g_assert_true(submit(queue, &results, "correct horse", hash, NULL));
    g_assert_true(submit(queue, &results, "wrong horse", hash, NULL));
    g_assert_true(submit(queue, &results, "new horse", NULL, NULL));
    password_queue_free(queue);
    g_assert_cmpint(results.done, ==, 3);
    g_assert_cmpint(results.matches, ==, 1);
    g_assert_true(verify("new horse", results.new_hash));
    results_clear(&results);
}

static void a_right_password_with_an_outdated_hash_is_hashed_again(void) {
    Results results;
    results_init(&results, false);
    g_autofree char *old = hash_of("correct horse", &dearer);
    PasswordQueue *queue = queue_new(0);
    g_assert_true(submit(queue, &results, "wrong horse", old, NULL));
    g_assert_true(submit(queue, &results, "correct horse", old, NULL));
    password_queue_free(queue);
    g_assert_true(g_str_has_prefix(results.new_hash, "$argon2id$v=19$m=8,t=1,"));
    g_assert_true(verify("correct horse", results.new_hash));
    results_clear(&results);
}

static void nobody_has_a_password(void) {
    Results results;
    results_init(&results, false);
    g_autoptr(Secret) password = secret("correct horse");
    PasswordQueue *queue = queue_new(0);
    PasswordTask task = {.password = password, .done = collect, .data = &results};
    g_assert_true(password_queue_submit(queue, &task, NULL));
    password_queue_free(queue);
    g_assert_cmpint(results.done, ==, 1);
    g_assert_cmpint(results.matches, ==, 0);
    g_assert_null(results.new_hash);
    results_clear(&results);
}

static void few_hash_at_once_few_wait_and_the_rest_is_refused(void) {
    Results results;
    results_init(&results, true);
    g_autofree char *hash = hash_of("correct horse", &cheap);
    g_autoptr(GError) error = NULL;
    PasswordQueue *queue = queue_new(3);
    g_assert_true(submit(queue, &results, "correct horse", hash, NULL));
    g_assert_true(submit(queue, &results, "correct horse", hash, NULL));
    wait_inside(&results, 2);
    for (int i = 0; i < 3; i++)
        g_assert_true(submit(queue, &results, "correct horse", hash, NULL));
    g_assert_false(submit(queue, &results, "correct horse", hash, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_RATE_LIMITED);
    open_gate(&results);
    password_queue_free(queue);
    g_assert_cmpint(results.done, ==, 5);
    g_assert_cmpint(results.most_inside, ==, 2);
    g_assert_cmpint(results.matches, ==, 5);
    results_clear(&results);
}

static void a_queue_that_nobody_used_ends(void) {
    g_autoptr(GError) error = NULL;
    PasswordQueue *queue = password_queue_new(NULL, &error);
    g_assert_no_error(error);
    password_queue_free(queue);
    password_queue_free(NULL);
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    g_test_init(&argc, &argv, NULL);
    g_assert_true(secmem_start(&error));
#define ADD(name) g_test_add_func("/vault/password/" #name, name)
    ADD(a_password_is_long_text_that_is_not_guessed_at_once);
    ADD(a_hash_is_argon2id_with_a_salt_of_its_own);
    ADD(the_programs_own_cost_is_64_mib_and_two_passes);
    ADD(a_wrong_password_does_not_match);
    ADD(no_hash_and_damaged_hashes_match_nothing);
    ADD(a_hash_of_other_parameters_is_outdated);
    ADD(more_memory_than_there_is_is_an_error);
    ADD(the_queue_verifies_and_makes_hashes);
    ADD(a_right_password_with_an_outdated_hash_is_hashed_again);
    ADD(nobody_has_a_password);
    ADD(few_hash_at_once_few_wait_and_the_rest_is_refused);
    ADD(a_queue_that_nobody_used_ends);
    return g_test_run();
}
