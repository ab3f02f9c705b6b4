/* What becomes of texts in a page of the manual. */
#include "cli/roff.h"
#include "unit/cli_support.h"

#include <string.h>

/* The lines of a paragraph behind its macro. */
static char *written(const char *text) {
    g_autoptr(GString) page = g_string_new("before\n");
    roff_text(page, text);
    g_assert_true(g_str_has_prefix(page->str, "before\n.PP\n"));
    return g_strdup(page->str + strlen("before\n.PP\n"));
}

static void assert_written(const char *text, const char *expected) {
    g_autofree char *lines = written(text);
    g_assert_cmpstr(lines, ==, expected);
}

static void characters_of_roff_are_printed_as_they_are(void) {
    assert_written("C:\\new\\fB", "C:\\(rsnew\\(rsfB\n");
    assert_written("--dry-run", "\\-\\-dry\\-run\n");
    assert_written("it's \"so\"", "it\\(aqs \\(dqso\\(dq\n");
    assert_written("~/a^b", "\\(ti/a\\(hab\n");
    assert_written("\\\" no comment", "\\(rs\\(dq no comment\n");
}

static void a_text_cannot_begin_a_request(void) {
    assert_written(".so /etc/passwd", "\\&.so /etc/passwd\n");
    assert_written("'so /etc/passwd", "\\(aqso /etc/passwd\n");
    assert_written("first\n.so /etc/passwd", "first .so /etc/passwd\n");
    assert_written("...", "\\&...\n");
}

static void a_dot_that_comes_to_the_beginning_of_a_line_is_guarded(void) {
    g_autofree char *long_word = g_strnfill(70, 'x');
    g_autofree char *text = g_strconcat(long_word, " .so x", NULL);
    g_autofree char *expected = g_strconcat(long_word, "\n\\&.so x\n", NULL);
    assert_written(text, expected);
}

static void lines_that_stay_as_they_are_begin_no_request_either(void) {
    g_autoptr(GString) page = g_string_new(NULL);
    roff_lines(page, ".fi\n'br\n\n  indented \\");
    g_assert_cmpstr(page->str, ==, ".RS 4\n.nf\n\\&.fi\n\\(aqbr\n\n  indented \\(rs\n.fi\n.RE\n");
}

static void control_characters_and_broken_utf8_are_no_part_of_a_page(void) {
    assert_written("a\033[31mb\rc\td", "a [31mb c d\n");
    assert_written("a\x7f"
                   "b",
                   "a b\n");
    assert_written("caf\xc3\xa9 \xe2\x9c\x93", "caf\\[u00E9] \\[u2713]\n");
    assert_written("\xff", "\\[uFFFD]\n");
    assert_written("\xc2\x85.so x", "\\&.so x\n");
}

static void backticks_make_bold_when_they_come_in_pairs(void) {
    assert_written("run `assay sync` now", "run \\fBassay sync\\fR now\n");
    assert_written("a ` alone", "a \\(ga alone\n");
    assert_written("`.so`", "\\fB.so\\fR\n");
}

static void paragraphs_are_filled_and_kept_apart(void) {
    assert_written("one\ntwo\n\nthree", "one two\n.PP\nthree\n");
    g_autofree char *many = written("word word word word word word word word word word word word "
                                    "word word word word word word word word word word word word");
    g_auto(GStrv) lines = g_strsplit(many, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3);
    for (char **line = lines; *line; line++)
        g_assert_cmpuint(strlen(*line), <=, 72);
}

static void a_word_longer_than_a_line_has_one_of_its_own(void) {
    g_autofree char *word = g_strnfill(200, 'x');
    g_autofree char *text = g_strdup_printf("a %s b", word);
    g_autofree char *expected = g_strdup_printf("a\n%s\nb\n", word);
    assert_written(text, expected);
}

static void an_empty_text_writes_nothing(void) {
    static const char *const texts[] = {"", "   ", "\n\n", "\n\n \n\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GString) page = g_string_new(NULL);
        roff_text(page, texts[i]);
        g_assert_cmpstr(page->str, ==, "");
    }
}

static void headings_stay_on_their_line(void) {
    g_autoptr(GString) page = g_string_new(NULL);
    roff_section(page, "ONE\n.so x");
    roff_subsection(page, "two \\ three");
    g_assert_cmpstr(page->str, ==, ".SH ONE .so x\n.SS two \\(rs three\n");
}

static void no_paragraph_macro_follows_a_heading(void) {
    g_autoptr(GString) page = g_string_new(NULL);
    roff_section(page, "ONE");
    roff_text(page, "text\n\nmore");
    g_assert_cmpstr(page->str, ==, ".SH ONE\ntext\n.PP\nmore\n");
}

static void a_synopsis_marks_options_and_names(void) {
    g_autoptr(GString) page = g_string_new(".SH SYNOPSIS\n");
    roff_synopsis(page, "assay x", "E-MAIL [--set KEY=VALUE]... on|off");
    g_assert_cmpstr(page->str, ==,
                    ".SH SYNOPSIS\n\\fBassay x\\fR \\fIE\\-MAIL\\fR [\\fB\\-\\-set\\fR "
                    "\\fIKEY\\fR=\\fIVALUE\\fR]...\non|off\n");
}

static void a_command_without_usage_is_its_own_synopsis(void) {
    g_autoptr(GString) page = g_string_new(".SH SYNOPSIS\n");
    roff_synopsis(page, "assay limits", "");
    g_assert_cmpstr(page->str, ==, ".SH SYNOPSIS\n\\fBassay limits\\fR\n");
}

static void an_item_has_a_term_a_value_and_a_text(void) {
    g_autoptr(GString) page = g_string_new(NULL);
    roff_item(page, "--from", "TIME", "30d: in the last\n30 days");
    roff_item(page, ".hidden", NULL, "a file");
    g_assert_cmpstr(page->str, ==,
                    ".TP\n\\fB\\-\\-from\\fR \\fITIME\\fR\n30d: in the last 30 days\n"
                    ".TP\n\\fB.hidden\\fR\na file\n");
}

static void a_title_and_a_name_are_what_whatis_reads(void) {
    g_autoptr(GString) page = g_string_new(NULL);
    roff_title(page, "assay-jobs", 1, "2026-11-20", "assay 1.2");
    roff_name(page, "assay-jobs", "the runs");
    assert_holds(page->str, "\n.TH ASSAY-JOBS 1 2026-11-20 \"assay 1.2\" \"Assay\"\n");
    assert_holds(page->str, "\n.SH NAME\nassay\\-jobs \\- the runs\n");
}

static void references_have_commas_between(void) {
    static const char *const pages[] = {"assay(1)", "assay-sync(1)", "assay.yaml(5)", NULL};
    g_autoptr(GString) page = g_string_new(NULL);
    roff_references(page, pages);
    g_assert_cmpstr(page->str, ==, ".BR assay (1),\n.BR assay\\-sync (1),\n.BR assay.yaml (5)\n");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"characters_of_roff_are_printed_as_they_are", characters_of_roff_are_printed_as_they_are},
        {"a_text_cannot_begin_a_request", a_text_cannot_begin_a_request},
        {"a_dot_that_comes_to_the_beginning_of_a_line_is_guarded",
         a_dot_that_comes_to_the_beginning_of_a_line_is_guarded},
        {"lines_that_stay_as_they_are_begin_no_request_either",
         lines_that_stay_as_they_are_begin_no_request_either},
        {"control_characters_and_broken_utf8_are_no_part_of_a_page",
         control_characters_and_broken_utf8_are_no_part_of_a_page},
        {"backticks_make_bold_when_they_come_in_pairs",
         backticks_make_bold_when_they_come_in_pairs},
        {"paragraphs_are_filled_and_kept_apart", paragraphs_are_filled_and_kept_apart},
        {"a_word_longer_than_a_line_has_one_of_its_own",
         a_word_longer_than_a_line_has_one_of_its_own},
        {"an_empty_text_writes_nothing", an_empty_text_writes_nothing},
        {"headings_stay_on_their_line", headings_stay_on_their_line},
        {"no_paragraph_macro_follows_a_heading", no_paragraph_macro_follows_a_heading},
        {"a_synopsis_marks_options_and_names", a_synopsis_marks_options_and_names},
        {"a_command_without_usage_is_its_own_synopsis",
         a_command_without_usage_is_its_own_synopsis},
        {"an_item_has_a_term_a_value_and_a_text", an_item_has_a_term_a_value_and_a_text},
        {"a_title_and_a_name_are_what_whatis_reads", a_title_and_a_name_are_what_whatis_reads},
        {"references_have_commas_between", references_have_commas_between},
    };
    return desk_main(argc, argv, "roff", tests, G_N_ELEMENTS(tests));
}
