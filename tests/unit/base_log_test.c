#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define NOON INT64_C(1795176000000) /* 2026-11-20T12:00:00Z */
#define THREADS 4
#define LINES_A_THREAD 100

/* Sends log lines into a pipe. */
static int begin(void) {
    int ends[2];
    g_assert_cmpint(pipe2(ends, O_CLOEXEC | O_NONBLOCK), ==, 0);
    log_set_descriptor(ends[1]);
    clock_freeze(NOON);
    return (ends[0] << 16) | ends[1];
}

/* Ends it and gives what was written. Caller frees. */
static char *end(int ends) {
    static char bytes[1 << 16];
    size_t size = 0;
    ssize_t got;
    while ((got = read(ends >> 16, bytes + size, sizeof bytes - 1 - size)) > 0)
        size += (size_t)got;
    close(ends >> 16);
    close(ends & 0xffff);
    log_set_descriptor(-1);
    log_set_level(LOG_INFO);
    clock_thaw();
    bytes[size] = '\0';
    return g_strdup(bytes);
}

static Json *parse_line(const char *line, size_t size) {
    g_autoptr(GError) error = NULL;
    Json *json = json_parse(line, size, 1 << 16, &error);
    g_assert_no_error(error);
    return json;
}

static void a_line_is_one_object_with_time_level_event_and_fields(void) {
    int ends = begin();
    log_line(LOG_WARN, "job_done", LOG_TEXT("job", "j-1"), LOG_INT("rows", -42));
    g_autofree char *text = end(ends);
    g_assert_cmpstr(
        text, ==,
        "{\"time\":\"2026-11-20T12:00:00.000Z\",\"level\":\"warn\",\"event\":\"job_done\","
        "\"job\":\"j-1\",\"rows\":-42}\n");
}

static void a_line_needs_no_fields(void) {
    int ends = begin();
    log_write(LOG_ERROR, "stopped", NULL, 0);
    g_autofree char *text = end(ends);
    g_assert_cmpstr(text, ==,
                    "{\"time\":\"2026-11-20T12:00:00.000Z\",\"level\":\"error\","
                    "\"event\":\"stopped\"}\n");
}

static void hostile_text_stays_inside_its_field(void) {
    static const char hostile[] = "a\"},\n{\"level\":\"error\x1b[31m\xff\\";
    int ends = begin();
    log_line(LOG_INFO, "odd", LOG_TEXT("name", hostile));
    g_autofree char *text = end(ends);
    g_assert_cmpuint(strcspn(text, "\n"), ==, strlen(text) - 1);
    g_autoptr(Json) line = parse_line(text, strlen(text));
    g_assert_cmpuint(json_count(line), ==, 4);
    g_assert_cmpstr(json_member_string(line, "level", NULL), ==, "info");
    g_assert_cmpstr(json_member_string(line, "name", NULL), ==,
                    "a\"},\n{\"level\":\"error\x1b[31m\xef\xbf\xbd\\");
    g_assert_null(strchr(text, '\x1b'));
}

static void missing_text_is_empty(void) {
    int ends = begin();
    const char *nothing = NULL;
    log_line(LOG_INFO, "odd", LOG_TEXT("name", nothing));
    g_autofree char *text = end(ends);
    g_assert_nonnull(strstr(text, "\"name\":\"\"}"));
}

static void long_text_is_cut_between_characters(void) {
    g_autofree char *letters = g_strnfill(999, 'x');
    g_autofree char *name = g_strconcat(letters, "\xe2\x82\xac\xe2\x82\xac", NULL);
    int ends = begin();
    log_line(LOG_INFO, "odd", LOG_TEXT("name", name), LOG_TEXT("short", letters));
    g_autofree char *text = end(ends);
    g_autoptr(Json) line = parse_line(text, strlen(text));
    g_assert_cmpstr(json_member_string(line, "name", NULL), ==, letters);
    g_assert_cmpstr(json_member_string(line, "short", NULL), ==, letters);
}

static void lines_below_the_level_are_dropped(void) {
    int ends = begin();
    log_line(LOG_DEBUG, "dropped", LOG_INT("n", 1));
    log_line(LOG_INFO, "kept", LOG_INT("n", 2));
    log_set_level(LOG_ERROR);
    log_line(LOG_WARN, "dropped", LOG_INT("n", 3));
    log_line(LOG_ERROR, "kept", LOG_INT("n", 4));
    log_set_level(LOG_DEBUG);
    log_line(LOG_DEBUG, "kept", LOG_INT("n", 5));
    log_line((LogLevel)99, "dropped", LOG_INT("n", 6));
    g_autofree char *text = end(ends);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
    g_assert_null(strstr(text, "dropped"));
}

static void levels_are_found_by_name(void) {
    g_assert_cmpint(log_level_from_name("debug"), ==, LOG_DEBUG);
    g_assert_cmpint(log_level_from_name("info"), ==, LOG_INFO);
    g_assert_cmpint(log_level_from_name("warn"), ==, LOG_WARN);
    g_assert_cmpint(log_level_from_name("error"), ==, LOG_ERROR);
    g_assert_cmpint(log_level_from_name("loud"), ==, LOG_INFO);
    g_assert_cmpint(log_level_from_name(NULL), ==, LOG_INFO);
}

static void *write_lines(void *data) {
    for (int i = 0; i < LINES_A_THREAD; i++)
        log_line(LOG_INFO, "work", LOG_TEXT("thread", data), LOG_INT("line", i));
    return NULL;
}

static void lines_of_threads_do_not_mix(void) {
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    int ends = begin();
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, write_lines, names[i]), ==, 0);
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_join(threads[i], NULL), ==, 0);
    g_autofree char *text = end(ends);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, THREADS * LINES_A_THREAD + 1);
    int64_t next[THREADS] = {0};
    for (int i = 0; i < THREADS * LINES_A_THREAD; i++) {
        g_autoptr(Json) line = parse_line(lines[i], strlen(lines[i]));
        int thread = json_member_string(line, "thread", "a")[0] - 'a';
        g_assert_cmpint(json_member_int(line, "line", -1), ==, next[thread]++);
    }
}

static void a_line_that_cannot_be_written_is_lost_quietly(void) {
    int ends = begin();
    log_set_descriptor(999);
    log_line(LOG_ERROR, "lost", LOG_INT("n", 1));
    g_autofree char *text = end(ends);
    g_assert_cmpstr(text, ==, "");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/log/a_line_is_one_object_with_time_level_event_and_fields",
                    a_line_is_one_object_with_time_level_event_and_fields);
    g_test_add_func("/base/log/a_line_needs_no_fields", a_line_needs_no_fields);
    g_test_add_func("/base/log/hostile_text_stays_inside_its_field",
                    hostile_text_stays_inside_its_field);
    g_test_add_func("/base/log/missing_text_is_empty", missing_text_is_empty);
    g_test_add_func("/base/log/long_text_is_cut_between_characters",
                    long_text_is_cut_between_characters);
    g_test_add_func("/base/log/lines_below_the_level_are_dropped",
                    lines_below_the_level_are_dropped);
    g_test_add_func("/base/log/levels_are_found_by_name", levels_are_found_by_name);
    g_test_add_func("/base/log/lines_of_threads_do_not_mix", lines_of_threads_do_not_mix);
    g_test_add_func("/base/log/a_line_that_cannot_be_written_is_lost_quietly",
                    a_line_that_cannot_be_written_is_lost_quietly);
    return g_test_run();
}
