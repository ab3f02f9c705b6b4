#include "cli/roff.h"

#include <stdbool.h>
#include <string.h>

#define WIDTH 72 /* of filled lines; mandoc(1) objects to more than 80 */
#define BOLD "\\fB"
#define ITALIC "\\fI"
#define ROMAN "\\fR"

/* --- characters ------------------------------------------------------------------------------- */

/* What roff would read as something else, or print as another character. */
static const struct {
    char plain;
    const char *written;
} escapes[] = {
    {'\\', "\\(rs"}, {'-', "\\-"},   {'\'', "\\(aq"}, {'`', "\\(ga"},
    {'^', "\\(ha"},  {'~', "\\(ti"}, {'"', "\\(dq"},
};

static const char *escape_of(char plain) {
    for (size_t i = 0; i < G_N_ELEMENTS(escapes); i++)
        if (escapes[i].plain == plain)
            return escapes[i].written;
    return NULL;
}

static void append_character(GString *out, gunichar character) {
    const char *written = character < 0x80 ? escape_of((char)character) : NULL;
    if (written)
        g_string_append(out, written);
    else if (g_unichar_iscntrl(character))
        g_string_append_c(out, ' ');
    else if (character < 0x80)
        g_string_append_c(out, (char)character);
    else
        g_string_append_printf(out, "\\[u%04X]", character);
}

static bool has_pairs(const char *text, char mark) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == mark;
    return count % 2 == 0;
}

/* Backticks in pairs become bold when marked. Caller frees. */
static char *escape(const char *text, bool marked) {
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GString) out = g_string_new(NULL);
    bool bold = false;
    marked = marked && has_pairs(valid, '`');
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        if (marked && *at == '`') {
            bold = !bold;
            g_string_append(out, bold ? BOLD : ROMAN);
        } else {
            append_character(out, g_utf8_get_char(at));
        }
    }
    return g_strdup(out->str);
}

static char *in_font(const char *font, const char *text) {
    g_autofree char *escaped = escape(text, false);
    return g_strconcat(font, escaped, ROMAN, NULL);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* A line that begins with a dot would be a request. */
static void append_line(GString *page, const char *line) {
    g_string_append_printf(page, "%s%s\n", *line == '.' ? "\\&" : "", line);
}

/* Escaped text, broken at blanks. */
static void append_filled(GString *page, const char *escaped) {
    g_auto(GStrv) words = g_strsplit(escaped, " ", -1);
    g_autoptr(GString) line = g_string_new(NULL);
    for (char **word = words; *word; word++) {
        if (**word == '\0')
            continue;
        if (line->len > 0 && line->len + 1 + strlen(*word) > WIDTH) {
            append_line(page, line->str);
            g_string_truncate(line, 0);
        }
        g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", *word);
    }
    if (line->len > 0)
        append_line(page, line->str);
}

/* A paragraph macro right behind a heading would be skipped. */
static bool follows_heading(const GString *page) {
    const char *end = page->len > 0 ? memrchr(page->str, '\n', page->len - 1) : NULL;
    const char *last = end ? end + 1 : page->str;
    return g_str_has_prefix(last, ".SH ") || g_str_has_prefix(last, ".SS ");
}

static void begin_paragraph(GString *page) {
    if (!follows_heading(page))
        g_string_append(page, ".PP\n");
}

/* --- the parts of a page ---------------------------------------------------------------------- */

void roff_title(GString *page, const char *name, int section, const char *date,
                const char *source) {
    g_autofree char *title = g_ascii_strup(name, -1);
    g_string_append_printf(page, ".\\\" Written by %s itself (assay manual); not to be edited.\n",
                           source);
    g_string_append_printf(page, ".TH %s %d %s \"%s\" \"Assay\"\n", title, section, date, source);
    g_string_append(page, ".nh\n.ad l\n");
}

void roff_name(GString *page, const char *name, const char *summary) {
    g_autofree char *left = escape(name, false);
    g_autofree char *right = escape(summary, false);
    g_autofree char *line = g_strdup_printf("%s \\- %s", left, right);
    roff_section(page, "NAME");
    append_line(page, line);
}

void roff_section(GString *page, const char *title) {
    g_autofree char *escaped = escape(title, false);
    g_string_append_printf(page, ".SH %s\n", escaped);
}

void roff_subsection(GString *page, const char *title) {
    g_autofree char *escaped = escape(title, false);
    g_string_append_printf(page, ".SS %s\n", escaped);
}

void roff_text(GString *page, const char *text) {
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);
    for (char **one = paragraphs; *one; one++) {
        g_autofree char *escaped = escape(*one, true);
        if (escaped[strspn(escaped, " ")] == '\0')
            continue;
        begin_paragraph(page);
        append_filled(page, escaped);
    }
}

/* The length of the --option or the NAME that begins here, 0 when neither does. */
static size_t marked_length(const char *at, bool begins, const char **font_out) {
    size_t length = 0;
    if (begins && g_str_has_prefix(at, "--")) {
        *font_out = BOLD;
        for (length = 2; g_ascii_islower(at[length]) || at[length] == '-'; length++)
            continue;
    } else if (begins && g_ascii_isupper(*at)) {
        *font_out = ITALIC;
        while (g_ascii_isupper(at[length]) ||
               (at[length] == '-' && g_ascii_isupper(at[length + 1])))
            length++;
    }
    return length;
}

void roff_synopsis(GString *page, const char *command, const char *usage) {
    g_autofree char *name = in_font(BOLD, command);
    g_autoptr(GString) line = g_string_new(name);
    bool begins = true;
    g_string_append_c(line, ' ');
    for (const char *at = usage; *at != '\0';) {
        const char *font = NULL;
        size_t length = marked_length(at, begins, &font);
        g_autofree char *piece = g_strndup(at, length > 0 ? length : 1);
        g_autofree char *written = length > 0 ? in_font(font, piece) : escape(piece, false);
        g_string_append(line, written);
        begins = !g_ascii_isalnum(*at);
        at += length > 0 ? length : 1;
    }
    begin_paragraph(page);
    append_filled(page, line->str);
}

void roff_item(GString *page, const char *term, const char *value, const char *text) {
    g_autofree char *left = in_font(BOLD, term);
    g_autofree char *right = value ? in_font(ITALIC, value) : NULL;
    g_autofree char *escaped = escape(text, true);
    g_string_append_printf(page, ".TP\n%s%s%s\n", left, right ? " " : "", right ? right : "");
    append_filled(page, escaped);
}

void roff_lines(GString *page, const char *lines) {
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
    g_string_append(page, ".RS 4\n.nf\n");
    for (char **line = split; *line; line++) {
        g_autofree char *escaped = escape(*line, false);
        append_line(page, escaped);
    }
    g_string_append(page, ".fi\n.RE\n");
}

void roff_references(GString *page, const char *const *pages) {
    for (; *pages; pages++) {
        size_t length = strcspn(*pages, "(");
        g_autofree char *name = g_strndup(*pages, length);
        g_autofree char *escaped = escape(name, false);
        g_string_append_printf(page, ".BR %s %s%s\n", escaped, *pages + length,
                               pages[1] ? "," : "");
    }
}
