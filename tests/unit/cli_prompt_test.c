/* Questions to a person, on a real pseudo-terminal. */
#include "cli/prompt.h"
#include "unit/cli_support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* The person's side is the master; the program's side is the terminal. */
typedef struct {
    int person;
    int terminal;
} Pty;

static Pty pty_open(void) {
    Pty pty = {.person = posix_openpt(O_RDWR | O_NOCTTY)};
    g_assert_cmpint(pty.person, >=, 0);
    g_assert_cmpint(grantpt(pty.person), ==, 0);
    g_assert_cmpint(unlockpt(pty.person), ==, 0);
    pty.terminal = open(ptsname(pty.person), O_RDWR | O_NOCTTY);
    g_assert_cmpint(pty.terminal, >=, 0);
    return pty;
}

static void pty_close(Pty *pty) {
    close(pty->terminal);
    close(pty->person);
}

/* Reads what the terminal shows until it ends with this text. */
static char *shown_until(const Pty *pty, const char *end) {
    GString *shown = g_string_new(NULL);
    while (!g_str_has_suffix(shown->str, end)) {
        char byte;
        g_assert_cmpint((int)read(pty->person, &byte, 1), ==, 1);
        g_string_append_c(shown, byte);
    }
    return g_string_free(shown, FALSE);
}

static void type_text(const Pty *pty, const char *text) {
    g_assert_cmpint((int)write(pty->person, text, strlen(text)), ==, (int)strlen(text));
}

static bool echoes(const Pty *pty) {
    struct termios state;
    g_assert_cmpint(tcgetattr(pty->terminal, &state), ==, 0);
    return (state.c_lflag & ECHO) != 0;
}

/* --- a person who waits for the question and then types --------------------------------------- */

typedef struct {
    Pty *pty;
    const char *typed;
    char *shown;
    bool echoed;
} Person;

static void *answer(void *data) {
    Person *person = data;
    person->shown = shown_until(person->pty, "? ");
    person->echoed = echoes(person->pty);
    type_text(person->pty, person->typed);
    return NULL;
}

static Secret *ask_secret(Pty *pty, Person *person, GError **error) {
    const Prompt prompt = {pty->terminal, pty->terminal};
    pthread_t thread;
    person->pty = pty;
    g_assert_cmpint(pthread_create(&thread, NULL, answer, person), ==, 0);
    Secret *secret = prompt_secret(&prompt, "Token? ", error);
    pthread_join(thread, NULL);
    return secret;
}

static void a_secret_is_typed_without_echo(void) {
    Pty pty = pty_open();
    Person person = {.typed = PLANTED "\n"};
    g_autoptr(Secret) secret = NULL;
    must((secret = ask_secret(&pty, &person, &error)) != NULL);
    g_assert_cmpstr(secret_text(secret), ==, PLANTED);
    g_assert_cmpstr(person.shown, ==, "Token? ");
    g_assert_false(person.echoed);
    g_assert_true(echoes(&pty));
    g_autofree char *after = shown_until(&pty, "\n");
    g_assert_cmpstr(after, ==, "\r\n");
    g_free(person.shown);
    pty_close(&pty);
}

static void the_end_of_input_is_no_answer(void) {
    Pty pty = pty_open();
    Person person = {.typed = "\004"};
    must_fail(ERROR_CANCELLED, "no answer", ask_secret(&pty, &person, &error) != NULL);
    g_assert_true(echoes(&pty));
    g_free(person.shown);
    pty_close(&pty);
}

static void a_secret_is_utf8(void) {
    Pty pty = pty_open();
    Person person = {.typed = "\xff\xfe" PLANTED "\n"};
    must_fail(ERROR_USAGE, "not UTF-8", ask_secret(&pty, &person, &error) != NULL);
    g_free(person.shown);
    pty_close(&pty);
}

static void a_line_is_asked_with_echo_and_stripped(void) {
    Pty pty = pty_open();
    const Prompt prompt = {pty.terminal, pty.terminal};
    g_autofree char *line = NULL;
    type_text(&pty, "  acme \nnext\n");
    must((line = prompt_line(&prompt, "Organization? ", &error)) != NULL);
    g_assert_cmpstr(line, ==, "acme");
    g_autofree char *next = NULL;
    must((next = prompt_line(&prompt, "More? ", &error)) != NULL);
    g_assert_cmpstr(next, ==, "next");
    pty_close(&pty);
}

static void nobody_is_asked_without_a_terminal(void) {
    Pty pty = pty_open();
    int null = open("/dev/null", O_RDWR);
    const Prompt person = {pty.terminal, pty.terminal};
    const Prompt piped = {null, pty.terminal};
    const Prompt hidden = {pty.terminal, null};
    g_assert_true(prompt_possible(&person));
    g_assert_false(prompt_possible(&piped));
    g_assert_false(prompt_possible(&hidden));
    must_fail(ERROR_CANCELLED, "no answer", prompt_line(&piped, "?", &error) != NULL);
    close(null);
    pty_close(&pty);
}

static void a_line_has_a_most(void) {
    int pipe_ends[2];
    g_assert_cmpint(pipe(pipe_ends), ==, 0);
    g_autofree char *line = g_strnfill(4097, 'a');
    int null = open("/dev/null", O_WRONLY);
    const Prompt prompt = {pipe_ends[0], null};
    g_assert_cmpint((int)write(pipe_ends[1], line, 4097), ==, 4097);
    must_fail(ERROR_LIMIT, "too long", prompt_line(&prompt, "?", &error) != NULL);
    close(null);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

/* --- signals ---------------------------------------------------------------------------------- */

/* Asks in a process of its own, which ends with 0 when the secret is PLANTED. */
static pid_t ask_in_child(const Pty *pty, int output) {
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child != 0)
        return child;
    const Prompt prompt = {pty->terminal, output};
    GError *error = NULL;
    Secret *secret = prompt_secret(&prompt, "Token? ", &error);
    _exit(secret != NULL && g_str_equal(secret_text(secret), PLANTED) ? 0 : 1);
}

static int end_of(pid_t child) {
    int status = 0;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    return status;
}

static void assert_ended_by(pid_t child, int number) {
    int status = end_of(child);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, number);
}

static void wait_for(bool (*reached)(const Pty *), const Pty *pty) {
    while (!reached(pty))
        g_usleep(1000);
}

static bool is_hidden(const Pty *pty) {
    return !echoes(pty);
}

static bool has_taken_all(const Pty *pty) {
    int waiting = 0;
    g_assert_cmpint(ioctl(pty->terminal, FIONREAD, &waiting), ==, 0);
    return waiting == 0;
}

/* A pipe into which nothing more goes until it is drained: whoever writes to it stands still. */
typedef struct {
    int out;
    int in;
} Dam;

static Dam dam_open(void) {
    int ends[2];
    g_assert_cmpint(pipe2(ends, O_NONBLOCK), ==, 0);
    while (write(ends[1], ".", 1) == 1)
        continue;
    g_assert_cmpint(fcntl(ends[1], F_SETFL, 0), ==, 0);
    return (Dam){.out = ends[0], .in = ends[1]};
}

static void dam_break(Dam *dam) {
    char bytes[4096];
    close(dam->in);
    g_assert_cmpint(fcntl(dam->out, F_SETFL, 0), ==, 0);
    while (read(dam->out, bytes, sizeof bytes) > 0)
        continue;
    close(dam->out);
}

/* The terminal is put back before the signal ends the program. */
static void a_signal_ends_the_program_and_restores_the_terminal(void) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        Pty pty = pty_open();
        pid_t child = ask_in_child(&pty, pty.terminal);
        g_autofree char *shown = shown_until(&pty, "? ");
        g_assert_false(echoes(&pty));
        kill(child, numbers[i]);
        assert_ended_by(child, numbers[i]);
        g_assert_true(echoes(&pty));
        pty_close(&pty);
    }
}

/* The question cannot be written before the signal is there, and is written after it. */
static void a_signal_before_the_wait_for_the_answer_is_not_missed(void) {
    Pty pty = pty_open();
    Dam dam = dam_open();
    pid_t child = ask_in_child(&pty, dam.in);
    wait_for(is_hidden, &pty);
    kill(child, SIGTERM);
    dam_break(&dam);
    assert_ended_by(child, SIGTERM);
    g_assert_true(echoes(&pty));
    pty_close(&pty);
}

static void a_signal_counts_although_the_answer_is_there(void) {
    Pty pty = pty_open();
    Dam dam = dam_open();
    pid_t child = ask_in_child(&pty, dam.in);
    wait_for(is_hidden, &pty);
    type_text(&pty, PLANTED "\n");
    kill(child, SIGTERM);
    dam_break(&dam);
    assert_ended_by(child, SIGTERM);
    g_assert_true(echoes(&pty));
    pty_close(&pty);
}

/* A terminal that hands over every byte as it is typed. */
static void a_signal_in_the_middle_of_a_line_is_not_missed(void) {
    Pty pty = pty_open();
    struct termios state;
    g_assert_cmpint(tcgetattr(pty.terminal, &state), ==, 0);
    state.c_lflag &= ~(tcflag_t)ICANON;
    g_assert_cmpint(tcsetattr(pty.terminal, TCSANOW, &state), ==, 0);
    pid_t child = ask_in_child(&pty, pty.terminal);
    g_autofree char *shown = shown_until(&pty, "? ");
    type_text(&pty, "half a li");
    wait_for(has_taken_all, &pty);
    kill(child, SIGTERM);
    assert_ended_by(child, SIGTERM);
    g_assert_true(echoes(&pty));
    pty_close(&pty);
}

/* Ignored, the signal is over at once, as a stop is when the program goes on. */
static void who_goes_on_after_a_stop_is_asked_again(void) {
    Pty pty = pty_open();
    void (*before)(int) = signal(SIGTSTP, SIG_IGN);
    pid_t child = ask_in_child(&pty, pty.terminal);
    signal(SIGTSTP, before);
    g_autofree char *shown = shown_until(&pty, "? ");
    kill(child, SIGTSTP);
    g_autofree char *again = shown_until(&pty, "? ");
    g_assert_cmpstr(again, ==, "\r\nToken? ");
    type_text(&pty, PLANTED "\n");
    int status = end_of(child);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    g_assert_true(echoes(&pty));
    pty_close(&pty);
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"a_secret_is_typed_without_echo", a_secret_is_typed_without_echo},
        {"the_end_of_input_is_no_answer", the_end_of_input_is_no_answer},
        {"a_secret_is_utf8", a_secret_is_utf8},
        {"a_line_is_asked_with_echo_and_stripped", a_line_is_asked_with_echo_and_stripped},
        {"nobody_is_asked_without_a_terminal", nobody_is_asked_without_a_terminal},
        {"a_line_has_a_most", a_line_has_a_most},
        {"a_signal_ends_the_program_and_restores_the_terminal",
         a_signal_ends_the_program_and_restores_the_terminal},
        {"a_signal_before_the_wait_for_the_answer_is_not_missed",
         a_signal_before_the_wait_for_the_answer_is_not_missed},
        {"a_signal_counts_although_the_answer_is_there",
         a_signal_counts_although_the_answer_is_there},
        {"a_signal_in_the_middle_of_a_line_is_not_missed",
         a_signal_in_the_middle_of_a_line_is_not_missed},
        {"who_goes_on_after_a_stop_is_asked_again", who_goes_on_after_a_stop_is_asked_again},
    };
    return desk_main(argc, argv, "prompt", tests, G_N_ELEMENTS(tests));
}
