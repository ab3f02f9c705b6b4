#include "provider/page.h"

#include "base/digest.h"

/* Longest cursor that is sent on; what is longer is no cursor. */
#define MAX_CURSOR (8 * 1024)

/* The compiled `from` and `until` of one call. */
typedef struct {
    ExprProgram *program;
    size_t leaves;
} Compiled;

struct Pager {
    Definition *definition;
    int64_t now_ms;
    Compiled *calls;
};

struct Page {
    Pager *pager;
    const DefinitionCall *call;
    const PageSpec *spec;
    GHashTable *seen; /* digests of cursors, as text */
    char *url;        /* link, next_url: the next request */
    char *cursor;     /* token, number, offset: what is sent next; NULL on the first page */
    int64_t position; /* number, offset */
    size_t pages;
    size_t rows;
    size_t bytes;
    bool complete;
    char *reason;
};

Pager *pager_new(const Definition *definition, int64_t now_ms) {
    Pager *pager = g_new0(Pager, 1);
    pager->definition = definition_ref(definition);
    pager->now_ms = now_ms;
    pager->calls = g_new0(Compiled, definition->call_count + 1);
    return pager;
}

void pager_free(Pager *pager) {
    if (pager == NULL)
        return;
    for (size_t i = 0; i < pager->definition->call_count; i++)
        expr_program_free(pager->calls[i].program);
    g_free(pager->calls);
    definition_free(pager->definition);
    g_free(pager);
}

Page *page_new(Pager *pager, const DefinitionCall *call) {
    Page *page = g_new0(Page, 1);
    page->pager = pager;
    page->call = call;
    page->spec = call->page;
    if (page->spec == NULL)
        return page;
    page->position = page->spec->first;
    if (page->spec->style == PAGE_NUMBER || page->spec->style == PAGE_OFFSET)
        page->cursor = g_strdup_printf("%" G_GINT64_FORMAT, page->position);
    return page;
}

void page_free(Page *page) {
    if (page == NULL)
        return;
    if (page->seen != NULL)
        g_hash_table_unref(page->seen);
    g_free(page->url);
    g_free(page->cursor);
    g_free(page->reason);
    g_free(page);
}

bool page_needs_body(const Page *page) {
    return page->spec != NULL && (page->spec->from != NULL || page->spec->until != NULL);
}

size_t page_count(const Page *page) {
    return page->pages;
}

size_t page_rows(const Page *page) {
    return page->rows;
}

bool page_complete(const Page *page) {
    return page->complete;
}

const char *page_reason(const Page *page) {
    return page->reason;
}

const char *page_url(const Page *page) {
    return page->url;
}

const char *page_parameter(const Page *page, PageSend *send_out, const char **value_out) {
    if (page->spec == NULL || page->cursor == NULL)
        return NULL;
    *send_out = page->spec->send;
    *value_out = page->cursor;
    return page->spec->name;
}

const char *page_size_parameter(const Page *page, int64_t *size_out) {
    if (page->spec == NULL || page->spec->size_name == NULL)
        return NULL;
    *size_out = page->spec->size;
    return page->spec->size_name;
}

/* --- ends and guards -------------------------------------------------------------------------- */

static PageStep finish(Page *page) {
    page->complete = true;
    return PAGE_END;
}

static PageStep halt(Page *page, PageStep step, const char *reason) {
    page->reason = g_strdup_printf("the list '%s' %s", page->call->name, reason);
    return step;
}

/* Whether the cursor was asked for before. Only a digest is kept: cursors may be long. */
static bool is_repeated(Page *page, const char *cursor) {
    char digest[DIGEST_HEX_SIZE];
    digest_sha256_hex(cursor, strlen(cursor), digest);
    digest[32] = '\0';
    if (page->seen == NULL)
        page->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return !g_hash_table_add(page->seen, g_strdup(digest));
}

static PageStep check_caps(Page *page, const PageAnswer *answer) {
    page->pages++;
    page->rows += answer->rows;
    page->bytes += answer->bytes;
    if (page->spec == NULL)
        return PAGE_MORE;
    if (page->rows > (size_t)page->spec->max_rows)
        return halt(page, PAGE_STOPPED, "has more rows than allowed (max_rows)");
    if (page->bytes > (size_t)page->spec->max_bytes)
        return halt(page, PAGE_STOPPED, "has more bytes than allowed (max_bytes)");
    return PAGE_MORE;
}

/* Goes on with a cursor, unless the list loops or is too long. */
static PageStep go_on(Page *page, char **place, const char *cursor) {
    if (strlen(cursor) > MAX_CURSOR)
        return halt(page, PAGE_BROKEN, "gave a cursor that is too long");
    if (page->pages >= (size_t)page->spec->max_pages)
        return halt(page, PAGE_STOPPED, "has more pages than allowed (max_pages)");
    if (is_repeated(page, cursor))
        return halt(page, PAGE_STOPPED, "goes in circles: the same page was announced twice");
    char *next = g_strdup(cursor);
    g_free(*place);
    *place = next;
    return PAGE_MORE;
}

/* --- links (RFC 8288 section 3) ----------------------------------------------------------------
 */

static const char *skip_space(const char *text) {
    return text + strspn(text, " \t");
}

/* Reads one parameter value, quoted or a token; text is moved behind it. */
static char *link_value(const char **text) {
    const char *from = skip_space(*text);
    if (*from != '"') {
        size_t length = strcspn(from, " \t;,");
        *text = from + length;
        return g_strndup(from, length);
    }
    GString *value = g_string_new(NULL);
    for (from++; *from != '\0' && *from != '"'; from++) {
        if (*from == '\\' && from[1] != '\0')
            from++;
        g_string_append_c(value, *from);
    }
    *text = *from == '"' ? from + 1 : from;
    return g_string_free(value, FALSE);
}

static bool has_word(const char *words, const char *word) {
    g_auto(GStrv) list = g_strsplit_set(words, " \t", -1);
    for (size_t i = 0; list[i] != NULL; i++) {
        if (g_ascii_strcasecmp(list[i], word) == 0)
            return true;
    }
    return false;
}

/* Reads the parameters of one link; only the first rel counts (section 3.3). */
static bool link_is_next(const char **text) {
    bool next = false;
    bool rel_seen = false;
    while (*(*text = skip_space(*text)) == ';') {
        const char *name = skip_space(*text + 1);
        size_t length = strcspn(name, " \t=;,");
        *text = skip_space(name + length);
        bool rel = length == 3 && g_ascii_strncasecmp(name, "rel", 3) == 0;
        if (**text != '=')
            continue;
        (*text)++;
        g_autofree char *value = link_value(text);
        if (rel && !rel_seen)
            next = has_word(value, "next");
        rel_seen |= rel;
    }
    return next;
}

char *page_link_next(const char *link, const char *base) {
    while (link != NULL && *link != '\0') {
        link += strspn(link, " \t,");
        if (*link != '<')
            return NULL;
        const char *target = link + 1;
        size_t length = strcspn(target, ">");
        if (target[length] != '>')
            return NULL;
        link = target + length + 1;
        if (link_is_next(&link)) {
            g_autofree char *reference = g_strndup(target, length);
            if (g_str_has_prefix(reference, "https://") || g_str_has_prefix(reference, "http://"))
                return g_steal_pointer(&reference);
            return g_uri_resolve_relative(base, reference, G_URI_FLAGS_ENCODED, NULL);
        }
        link += strcspn(link, ",");
    }
    return NULL;
}

/* --- what the body says ----------------------------------------------------------------------- */

typedef struct {
    bool last; /* `until` said so */
    bool failed;
    Value cursor;
} Said;

static Compiled *compiled_of(const Page *page) {
    Compiled *compiled = &page->pager->calls[page->call->index];
    if (compiled->program == NULL) {
        const Expr *leaves[2];
        if (page->spec->from != NULL)
            leaves[compiled->leaves++] = page->spec->from;
        if (page->spec->until != NULL)
            leaves[compiled->leaves++] = page->spec->until;
        compiled->program = expr_program_new(leaves, compiled->leaves);
    }
    return compiled;
}

static Said ask_body(const Page *page, const PageAnswer *answer) {
    Said said = {.cursor = VALUE_NONE};
    if (!page_needs_body(page))
        return said;
    Compiled *compiled = compiled_of(page);
    ExprResult results[2] = {{.outcome = EXPR_NONE}, {.outcome = EXPR_NONE}};
    ExprInput input = {answer->body, VALUE_NONE, page->pager->now_ms};
    if (!expr_program_eval(compiled->program, &input, results, NULL)) {
        said.failed = true;
        return said;
    }
    size_t next = 0;
    if (page->spec->from != NULL) {
        const ExprResult *from = &results[next++];
        said.failed = from->outcome == EXPR_FAILED || from->outcome == EXPR_MANY;
        if (from->outcome == EXPR_ONE)
            said.cursor = value_apart(from->value);
    }
    if (page->spec->until != NULL && !expr_result_bool(&results[next], &said.last))
        said.failed = true;
    expr_results_clear(results, compiled->leaves);
    return said;
}

/* A cursor as text: strings and whole numbers; NULL and "" end a list. */
static char *cursor_text(Value cursor) {
    int64_t number;
    if (value_text(cursor) != NULL)
        return g_strdup(value_text(cursor));
    if (value_integer(cursor, &number))
        return g_strdup_printf("%" G_GINT64_FORMAT, number);
    return NULL;
}

/* --- one step of each style ------------------------------------------------------------------- */

static PageStep step_link(Page *page, const PageAnswer *answer, const Said *said) {
    (void)said;
    const char *link = answer->header(answer->header_data, "link");
    g_autofree char *next = page_link_next(link, answer->url);
    if (next == NULL)
        return finish(page);
    if (page->pages == 1)
        (void)is_repeated(page, answer->url);
    return go_on(page, &page->url, next);
}

static PageStep step_token(Page *page, const PageAnswer *answer, const Said *said) {
    bool next_url = page->spec->style == PAGE_NEXT_URL;
    if (said->last)
        return finish(page);
    if (value_is_null(said->cursor) || (value_text(said->cursor) && !*value_text(said->cursor))) {
        if (page->spec->until != NULL)
            return halt(page, PAGE_BROKEN, "says that it goes on but not where");
        return finish(page);
    }
    g_autofree char *cursor = cursor_text(said->cursor);
    if (cursor == NULL)
        return halt(page, PAGE_BROKEN, "gave a cursor that is no text");
    if (!next_url)
        return go_on(page, &page->cursor, cursor);
    g_autofree char *url = g_uri_resolve_relative(answer->url, cursor, G_URI_FLAGS_ENCODED, NULL);
    if (url == NULL)
        return halt(page, PAGE_BROKEN, "gave a next URL that is none");
    if (page->pages == 1)
        (void)is_repeated(page, answer->url);
    return go_on(page, &page->url, url);
}

/* Counted pages end with a page that is not full, or when `until` says so. */
static PageStep step_counted(Page *page, const PageAnswer *answer, const Said *said) {
    bool last = page->spec->until != NULL ? said->last : answer->rows < (size_t)page->spec->size;
    if (last || answer->rows == 0)
        return finish(page);
    page->position += page->spec->style == PAGE_NUMBER ? 1 : (int64_t)answer->rows;
    g_autofree char *cursor = g_strdup_printf("%" G_GINT64_FORMAT, page->position);
    return go_on(page, &page->cursor, cursor);
}

PageStep page_next(Page *page, const PageAnswer *answer) {
    static PageStep (*const steps[])(Page *, const PageAnswer *, const Said *) = {
        [PAGE_NONE] = step_link,      [PAGE_LINK] = step_link,      [PAGE_TOKEN] = step_token,
        [PAGE_NEXT_URL] = step_token, [PAGE_NUMBER] = step_counted, [PAGE_OFFSET] = step_counted,
    };
    PageStep step = check_caps(page, answer);
    if (step != PAGE_MORE)
        return step;
    if (page->spec == NULL)
        return finish(page);
    Said said = ask_body(page, answer);
    step = said.failed ? halt(page, PAGE_BROKEN, "does not say how it goes on")
                       : steps[page->spec->style](page, answer, &said);
    value_clear(&said.cursor);
    return step;
}
