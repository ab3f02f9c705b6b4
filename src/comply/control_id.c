#include "comply/control_id.h"

#include <glib.h>
#include <string.h>

/* The next run of letters or of digits at *text, which is moved behind it; 0 at the end. */
static size_t next_run(const char **text, const char **run_out) {
    const char *at = *text;
    while (*at != '\0' && !g_ascii_isalnum(*at))
        at++;
    *run_out = at;
    bool digits = g_ascii_isdigit(*at);
    while (g_ascii_isalnum(*at) && (bool)g_ascii_isdigit(*at) == digits)
        at++;
    *text = at;
    return (size_t)(at - *run_out);
}

static bool is_id(const char *text) {
    size_t length = strlen(text);
    if (length == 0 || length > CONTROL_ID_MAX)
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && strchr(" ._-()", *at) == NULL)
            return false;
    }
    return true;
}

static GPtrArray *split(const char *text) {
    GPtrArray *runs = g_ptr_array_new_with_free_func(g_free);
    const char *run;
    size_t length;
    while ((length = next_run(&text, &run)) > 0)
        g_ptr_array_add(runs, g_ascii_strup(run, (gssize)length));
    return runs;
}

static bool drop_first(GPtrArray *runs, const char *word) {
    if (word == NULL || runs->len < 2 || strcmp(g_ptr_array_index(runs, 0), word) != 0)
        return false;
    g_ptr_array_remove_index(runs, 0);
    return true;
}

char *control_id_key(const char *text, const char *letter, bool *lettered_out) {
    if (!is_id(text))
        return NULL;
    g_autoptr(GPtrArray) runs = split(text);
    if (drop_first(runs, "ISO"))
        drop_first(runs, "27001");
    bool lettered = drop_first(runs, letter);
    if (runs->len == 0)
        return NULL;
    if (lettered_out != NULL)
        *lettered_out = lettered;
    g_ptr_array_add(runs, NULL);
    return g_strjoinv(".", (char **)runs->pdata);
}

static int compare_runs(const char *a, size_t a_length, const char *b, size_t b_length) {
    if (g_ascii_isdigit(*a) && g_ascii_isdigit(*b)) {
        while (a_length > 1 && *a == '0') {
            a++;
            a_length--;
        }
        while (b_length > 1 && *b == '0') {
            b++;
            b_length--;
        }
        if (a_length != b_length)
            return a_length < b_length ? -1 : 1;
    }
    int order = g_ascii_strncasecmp(a, b, MIN(a_length, b_length));
    if (order != 0)
        return order;
    return a_length == b_length ? 0 : a_length < b_length ? -1 : 1;
}

int control_id_compare(const char *a, const char *b) {
    for (;;) {
        const char *a_run;
        const char *b_run;
        size_t a_length = next_run(&a, &a_run);
        size_t b_length = next_run(&b, &b_run);
        if (a_length == 0 || b_length == 0)
            return a_length == b_length ? 0 : a_length == 0 ? -1 : 1;
        int order = compare_runs(a_run, a_length, b_run, b_length);
        if (order != 0)
            return order;
    }
}
