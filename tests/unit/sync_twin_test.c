#include "sync/twin.h"

#include "sync/message.h"
#include "sync/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "ASSAY_TWIN_TEST=planted"

/* As the kernel lays the arguments out. */
typedef struct {
    char texts[64];
    char *words[4];
    int count;
} Words;

static void lay_out(Words *words, const char *texts, size_t size) {
    *words = (Words){0};
    memcpy(words->texts, texts, size);
    for (size_t i = 0; i < size; i += strlen(words->texts + i) + 1)
        words->words[words->count++] = words->texts + i;
}

static Json *listing_of_texts(const char *texts, size_t size) {
    Json *list = json_new_array();
    for (size_t i = 0; i < size; i += strlen(texts + i) + 1)
        json_add_string(list, texts + i);
    return list;
}

/* What the twin finds, told to its parent over the socket of a worker. */
G_NORETURN static void tell(const Words *words, const char *variable, size_t size) {
    g_autoptr(Json) message = json_new_object();
    g_autoptr(GError) error = NULL;
    sigset_t blocked;
    size_t left = 0;
    for (size_t i = 0; i < size; i++)
        left += variable[i] != '\0';
    g_assert_no_errno(sigprocmask(SIG_BLOCK, NULL, &blocked));
    json_put(message, "words", listing_of_texts(words->texts, sizeof words->texts));
    json_put_int(message, "left", (int64_t)left);
    json_put_bool(message, "environment", environ && *environ);
    json_put_bool(message, "blocked", sigismember(&blocked, SIGTERM));
    g_assert_true(message_send(WORKER_SOCKET, message, &error));
    _exit(EXIT_SUCCESS);
}

static Json *hear_twin(const char *texts, size_t size) {
    Words words;
    char variable[] = VARIABLE;
    g_autoptr(GError) error = NULL;
    Json *heard = NULL;
    int socket, status;
    pid_t pid;
    lay_out(&words, texts, size);
    g_assert_no_errno(putenv(variable));
    if (twin_start(words.count, words.words))
        tell(&words, variable, sizeof variable);
    g_assert_true(memcmp(words.texts, texts, size) == 0);
    g_assert_cmpstr(variable, ==, VARIABLE);
    g_assert_no_errno(unsetenv("ASSAY_TWIN_TEST"));
    g_assert_true(twin_take(&socket, &pid));
    g_assert_true(fcntl(socket, F_GETFD) & FD_CLOEXEC);
    g_assert_true(message_receive(socket, &heard, &error));
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(status, ==, 0);
    close(socket);
    return heard;
}

static void twin_keeps_nothing_of_the_environment(void) {
    g_autoptr(Json) heard = hear_twin("assay\0sync\0acme", sizeof "assay\0sync\0acme");
    g_assert_cmpint(json_member_int(heard, "left", -1), ==, 0);
    g_assert_false(json_member_bool(heard, "environment", true));
}

static void twin_bears_the_name_of_a_worker(void) {
    g_autoptr(Json) heard = hear_twin("/opt/assay\0sync\0acme", sizeof "/opt/assay\0sync\0acme");
    const Json *words = json_member(heard, "words");
    g_assert_cmpstr(json_text(json_item(words, 0)), ==, "assay");
    g_assert_cmpstr(json_text(json_item(words, 1)), ==, WORKER_COMMAND);
    for (size_t i = 2; i < json_count(words); i++)
        g_assert_cmpstr(json_text(json_item(words, i)), ==, "");
}

static void name_is_cut_to_the_room_there_is(void) {
    g_autoptr(Json) heard = hear_twin("a\0sync\0b", sizeof "a\0sync\0b");
    const Json *words = json_member(heard, "words");
    g_assert_cmpstr(json_text(json_item(words, 0)), ==, "assay");
    g_assert_cmpstr(json_text(json_item(words, 1)), ==, "wo");
}

static void twin_has_no_signal_blocked(void) {
    sigset_t ours, before;
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    g_assert_no_errno(sigprocmask(SIG_BLOCK, &ours, &before));
    g_autoptr(Json) heard = hear_twin("assay\0sync\0acme", sizeof "assay\0sync\0acme");
    g_assert_false(json_member_bool(heard, "blocked", true));
    g_assert_no_errno(sigprocmask(SIG_SETMASK, &before, NULL));
}

static void twin_is_taken_once(void) {
    int socket;
    pid_t pid;
    g_autoptr(Json) heard = hear_twin("assay\0sync\0acme", sizeof "assay\0sync\0acme");
    g_assert_nonnull(heard);
    g_assert_false(twin_take(&socket, &pid));
}

/* Waits for the end of its socket, as a worker does. */
static void twin_that_nobody_takes_ends_with_its_parent(void) {
    Words words;
    int socket;
    pid_t pid;
    lay_out(&words, "assay\0sync\0acme", sizeof "assay\0sync\0acme");
    if (twin_start(words.count, words.words)) {
        g_autoptr(Json) message = NULL;
        _exit(message_receive(WORKER_SOCKET, &message, NULL) ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    twin_end();
    g_assert_false(twin_take(&socket, &pid));
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    twin_end();
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sync/twin/twin_keeps_nothing_of_the_environment",
                    twin_keeps_nothing_of_the_environment);
    g_test_add_func("/sync/twin/twin_bears_the_name_of_a_worker", twin_bears_the_name_of_a_worker);
    g_test_add_func("/sync/twin/name_is_cut_to_the_room_there_is",
                    name_is_cut_to_the_room_there_is);
    g_test_add_func("/sync/twin/twin_has_no_signal_blocked", twin_has_no_signal_blocked);
    g_test_add_func("/sync/twin/twin_is_taken_once", twin_is_taken_once);
    g_test_add_func("/sync/twin/twin_that_nobody_takes_ends_with_its_parent",
                    twin_that_nobody_takes_ends_with_its_parent);
    return g_test_run();
}
