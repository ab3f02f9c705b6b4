/* roff.h - a page of the manual, written in man(7).
 *
 * Whoever makes a page appends to one GString. Texts come in as people wrote them and go out so
 * that roff prints every character as it is: backslashes, quotes, hyphens, what is not ASCII, a dot
 * or a quote at the beginning of a line (groff_char(7), groff_man_style(7)). Control characters
 * become blanks. Texts are filled into lines of their own, so a text cannot end the macro it stands
 * in.
 *
 * Inside a text, `what stands between backticks` is bold, as long as they come in pairs.
 */
#pragma once

#include <glib.h>

/* The first lines. name is that of the page, such as "assay-jobs". */
void roff_title(GString *page, const char *name, int section, const char *date, const char *source);

/* "NAME: name - summary", which whatis(1) reads. */
void roff_name(GString *page, const char *name, const char *summary);

void roff_section(GString *page, const char *title);
void roff_subsection(GString *page, const char *title);

/* Paragraphs; empty lines are between them. */
void roff_text(GString *page, const char *text);

/* A line of a synopsis: the command is bold, and so are --options in the usage; NAMES are italic.
 */
void roff_synopsis(GString *page, const char *command, const char *usage);

/* A term and what it means, indented. The term is bold, value (NULL: none) italic behind it. */
void roff_item(GString *page, const char *term, const char *value, const char *text);

/* Lines that stay as they are. */
void roff_lines(GString *page, const char *lines);

/* References to other pages, "assay-sync(1)", with commas between; ends in NULL. */
void roff_references(GString *page, const char *const *pages);
