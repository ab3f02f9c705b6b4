#include "cli/prompt.h"

#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_SIZE 4096

const Prompt prompt_standard = {STDIN_FILENO, STDERR_FILENO};

bool prompt_possible(const Prompt *prompt) {
    return isatty(prompt->input) && isatty(prompt->output);
}

/* --- signals ---------------------------------------------------------------------------------- */

/* Signals while the echo is off are noted, the terminal is put back, and then they are raised
 * again: the way of OpenBSD's readpassphrase(3). They are noted in a pipe that the wait for the
 * answer looks at too: so none is missed, also when it comes before the wait has begun or goes to
 * another thread. */
static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
static int noted[2] = {-1, -1};

static void note_signal(int number) {
    const int before = errno;
    const unsigned char byte = (unsigned char)number;
    const ssize_t wrote = write(noted[1], &byte, 1); /* when it is full there is enough in it */
    (void)wrote;
    errno = before;
}

static bool catch_signals(struct sigaction *before) {
    struct sigaction action = {.sa_handler = note_signal};
    if (noted[0] < 0 && pipe2(noted, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < G_N_ELEMENTS(caught); i++)
        sigaction(caught[i], &action, &before[i]);
    return true;
}

/* Most signals end the program here; after a stop it goes on. */
static void release_signals(const struct sigaction *before) {
    unsigned char number;
    for (size_t i = 0; i < G_N_ELEMENTS(caught); i++)
        sigaction(caught[i], &before[i], NULL);
    while (read(noted[0], &number, 1) == 1)
        raise(number);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void say(const Prompt *prompt, const char *text) {
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t wrote = write(prompt->output, text, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        text += wrote;
        size -= (size_t)wrote;
    }
}

typedef enum { LINE_READ, LINE_ENDED, LINE_TOO_LONG, LINE_INTERRUPTED } LineResult;

/* Waits for a byte and takes it: 1, 0 at the end of input, -1 when a signal is noted. */
static int take_byte(int input, int signals, char *byte_out) {
    struct pollfd ready[] = {{.fd = signals, .events = POLLIN}, {.fd = input, .events = POLLIN}};
    for (;;) {
        const int count = poll(ready, G_N_ELEMENTS(ready), -1);
        if (count > 0 && ready[0].revents != 0)
            return -1;
        if (count < 0 && errno != EINTR)
            return 0;
        if (count <= 0)
            continue;
        const ssize_t got = read(input, byte_out, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        return got == 1 ? 1 : 0;
    }
}

/* Reads byte by byte, so that nothing behind the line is taken. No signals are looked for when
 * their descriptor is negative. */
static LineResult read_line(int input, int signals, char *line, size_t *size_out) {
    size_t size = 0;
    for (;;) {
        char byte;
        const int got = take_byte(input, signals, &byte);
        if (got < 0)
            return LINE_INTERRUPTED;
        if (got == 0 && size == 0)
            return LINE_ENDED;
        if (got == 0 || byte == '\n')
            break;
        if (size == LINE_SIZE)
            return LINE_TOO_LONG;
        line[size++] = byte;
    }
    *size_out = size;
    return LINE_READ;
}

static bool set_result(LineResult result, GError **error) {
    if (result == LINE_TOO_LONG)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT,
                            "the answer is too long; give it as a file: NAME=@FILE");
    if (result == LINE_ENDED)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "no answer was given");
    return result == LINE_READ;
}

char *prompt_line(const Prompt *prompt, const char *question, GError **error) {
    char line[LINE_SIZE];
    size_t size = 0;
    say(prompt, question);
    LineResult result = read_line(prompt->input, -1, line, &size);
    if (!set_result(result, error))
        return NULL;
    if (!text_is_utf8(line, size)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "the answer is not UTF-8 text");
        return NULL;
    }
    g_autofree char *answer = g_strndup(line, size);
    return g_strdup(g_strstrip(answer));
}

/* One try without echo; LINE_INTERRUPTED when a signal came and the program goes on all the same.
 */
static LineResult read_hidden(const Prompt *prompt, const char *question, char *line,
                              size_t *size_out) {
    struct termios before;
    struct sigaction actions[G_N_ELEMENTS(caught)];
    if (tcgetattr(prompt->input, &before) != 0 || !catch_signals(actions))
        return LINE_ENDED;
    struct termios hidden = before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    tcsetattr(prompt->input, TCSAFLUSH, &hidden);
    say(prompt, question);
    LineResult result = read_line(prompt->input, noted[0], line, size_out);
    tcsetattr(prompt->input, TCSAFLUSH, &before);
    say(prompt, "\n");
    release_signals(actions);
    return result;
}

Secret *prompt_secret(const Prompt *prompt, const char *question, GError **error) {
    char line[LINE_SIZE];
    size_t size = 0;
    LineResult result = LINE_INTERRUPTED;
    while (result == LINE_INTERRUPTED)
        result = read_hidden(prompt, question, line, &size);
    Secret *secret = NULL;
    if (!set_result(result, error))
        secret = NULL;
    else if (!text_is_utf8(line, size))
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "the answer is not UTF-8 text");
    else
        secret = secret_take(line, size, error);
    secmem_wipe(line, sizeof line);
    return secret;
}
