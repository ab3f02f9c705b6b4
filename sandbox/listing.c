#include "sandbox/listing.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

#define CURSOR_PREFIX "v1:"

typedef struct {
    const char *parameter; /* borrowed from the data */
    const char *size;
    uint64_t size_default;
    uint64_t size_max;
    bool cursor;
    bool link;
} Paging;

typedef struct {
    const char *parameter;
    FieldRef ref;
    const Json *all; /* values that filter nothing */
} Filter;

typedef struct {
    Condition *when;
    Template *body;
} Alternative;

struct Listing {
    Collection *of; /* NULL: the alternatives are the rows themselves */
    bool across;    /* over all parents */
    Paging paging;
    GArray *filters;
    GArray *alternatives; /* of a collection: one, without condition */
    Template *wrap;
};

/* One page in the making. */
typedef struct {
    Listing *listing;
    const ListingRequest *request;
    Item *parent; /* of rows across parents */
    Item *row;
    uint64_t parent_index;
    bool filtered;
} Cursor;

static void clear_alternative(gpointer data) {
    Alternative *alternative = data;
    condition_free(alternative->when);
    template_free(alternative->body);
}

static bool load_paging(Listing *listing, const Json *page, GError **error) {
    Paging *paging = &listing->paging;
    paging->parameter = json_member_string(page, "parameter", NULL);
    paging->size = json_member_string(page, "size", "");
    paging->size_default = (uint64_t)MAX(json_member_int(page, "default", 30), 1);
    paging->size_max = (uint64_t)MAX(json_member_int(page, "max", 100), 1);
    paging->cursor = json_member_bool(page, "cursor", false);
    paging->link = json_member_bool(page, "link", false);
    if (paging->parameter == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A list needs a style of paging with a parameter.");
        return false;
    }
    return true;
}

static bool load_filters(Listing *listing, const Json *filters, GError **error) {
    listing->filters = g_array_new(FALSE, FALSE, sizeof(Filter));
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(filters, &iterator, &key, &value)) {
        Filter filter = {.parameter = key, .all = json_member(value, "all")};
        const char *field = json_member_string(value, "field", key);
        if (listing->of == NULL || !field_find(listing->of, field, &filter.ref)) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "A list filters by %s, which is no field of its rows.", field);
            return false;
        }
        g_array_append_val(listing->filters, filter);
    }
    return true;
}

static bool add_alternative(Listing *listing, const Json *json, const TemplateScope *scope,
                            GError **error) {
    Alternative alternative = {0};
    alternative.when = condition_compile(json_member(json, "when"), scope->collection, error);
    if (alternative.when == NULL) {
        return false;
    }
    alternative.body = template_compile(json_member(json, "body"), scope, error);
    if (alternative.body == NULL) {
        condition_free(alternative.when);
        return false;
    }
    g_array_append_val(listing->alternatives, alternative);
    return true;
}

static bool load_rows(Listing *listing, const Json *json, const ListingScope *scope,
                      GError **error) {
    TemplateScope rows = *scope->scope;
    rows.collection = listing->of == NULL ? scope->collection : listing->of;
    listing->alternatives = g_array_new(FALSE, FALSE, sizeof(Alternative));
    g_array_set_clear_func(listing->alternatives, clear_alternative);
    if (listing->of != NULL) {
        return add_alternative(listing, json, &rows, error);
    }
    const Json *table = json_member(json, "table");
    for (size_t i = 0; i < json_count(table); i++) {
        if (!add_alternative(listing, json_item(table, i), &rows, error)) {
            return false;
        }
    }
    return true;
}

Listing *listing_load(const Json *json, const ListingScope *scope, GError **error) {
    g_autoptr(Listing) listing = g_new0(Listing, 1);
    const char *of = json_member_string(json, "of", NULL);
    const Json *page = json_member(scope->pages, json_member_string(json, "page", "number"));
    listing->of = of == NULL ? NULL : g_hash_table_lookup(scope->collections, of);
    listing->across = json_member_bool(json, "across", false);
    const Collection *parent = listing->of == NULL ? NULL : listing->of->parent;
    if ((of != NULL && listing->of == NULL) ||
        (parent != NULL && !listing->across && parent != scope->collection)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A list is of %s, which is no collection of this place.", of);
        return NULL;
    }
    if (!load_paging(listing, page, error) ||
        !load_filters(listing, json_member(json, "filter"), error) ||
        !load_rows(listing, json, scope, error)) {
        return NULL;
    }
    const Json *wrap = json_member(json, "wrap");
    if (wrap != NULL) {
        listing->wrap = template_compile(wrap, scope->scope, error);
        if (listing->wrap == NULL) {
            return NULL;
        }
    }
    return g_steal_pointer(&listing);
}

void listing_free(Listing *listing) {
    if (listing != NULL) {
        g_clear_pointer(&listing->filters, g_array_unref);
        g_clear_pointer(&listing->alternatives, g_array_unref);
        template_free(listing->wrap);
        g_free(listing);
    }
}

static uint64_t count_rows(const Cursor *cursor) {
    Listing *listing = cursor->listing;
    if (listing->of == NULL) {
        return listing->alternatives->len;
    }
    if (listing->of->parent == NULL || listing->across) {
        return collection_total(listing->of);
    }
    return item_child_count(cursor->request->item, listing->of);
}

/* Points the cursor's row at a place of the list. */
static void go_to(Cursor *cursor, uint64_t place) {
    Listing *listing = cursor->listing;
    Item *parent = cursor->request->item;
    if (listing->across && listing->of->parent != NULL) {
        uint64_t owner;
        collection_locate(listing->of, place, &owner, &place);
        if (cursor->parent_index != owner) {
            item_init(cursor->parent, listing->of->parent, NULL, owner);
            cursor->parent_index = owner;
        }
        parent = cursor->parent;
    }
    item_init(cursor->row, listing->of, listing->of->parent == NULL ? NULL : parent, place);
}

static bool lets_through(const Filter *filter, const char *wanted) {
    for (size_t i = 0; i < json_count(filter->all); i++) {
        if (g_strcmp0(json_text(json_item(filter->all, i)), wanted) == 0) {
            return true;
        }
    }
    return false;
}

static const Alternative *row_at(Cursor *cursor, uint64_t place) {
    Listing *listing = cursor->listing;
    const Target *target = cursor->request->target;
    if (listing->of == NULL) {
        const Alternative *row = &g_array_index(listing->alternatives, Alternative, place);
        return condition_holds(row->when, cursor->request->item) ? row : NULL;
    }
    go_to(cursor, place);
    const Alternative *row = &g_array_index(listing->alternatives, Alternative, 0);
    for (guint i = 0; cursor->filtered && i < listing->filters->len; i++) {
        const Filter *filter = &g_array_index(listing->filters, Filter, i);
        const char *wanted = target_parameter(target, filter->parameter);
        if (wanted != NULL && !lets_through(filter, wanted) &&
            !condition_lists(wanted, item_value(cursor->row, filter->ref))) {
            return NULL;
        }
    }
    return condition_holds(row->when, cursor->row) ? row : NULL;
}

static bool has_filter(const Listing *listing, const Target *target) {
    for (guint i = 0; i < listing->filters->len; i++) {
        const Filter *filter = &g_array_index(listing->filters, Filter, i);
        const char *wanted = target_parameter(target, filter->parameter);
        if (wanted != NULL && !lets_through(filter, wanted)) {
            return true;
        }
    }
    return false;
}

/* The place of the first row after skipping some. */
static uint64_t skip_rows(Cursor *cursor, uint64_t skip, uint64_t total) {
    if (!cursor->filtered && cursor->listing->of != NULL) {
        return MIN(skip, total);
    }
    uint64_t place = 0;
    for (; place < total && skip > 0; place++) {
        skip -= row_at(cursor, place) != NULL ? 1 : 0;
    }
    return place;
}

static uint64_t read_cursor(const char *text) {
    g_autofree uint8_t *bytes = NULL;
    size_t size = 0;
    guint64 place = 0;
    if (text == NULL || !text_unbase64(text, strlen(text), &bytes, &size)) {
        return 0;
    }
    g_autofree char *plain = g_strndup((const char *)bytes, size);
    if (g_str_has_prefix(plain, CURSOR_PREFIX)) {
        (void)g_ascii_string_to_unsigned(plain + strlen(CURSOR_PREFIX), 10, 0, G_MAXINT64, &place,
                                         NULL);
    }
    return place;
}

static void add_link(const Cursor *cursor, GString *link, const char *value, const char *relation) {
    const ListingRequest *request = cursor->request;
    const Paging *paging = &cursor->listing->paging;
    g_string_append_printf(link, "%s<%s%s?", link->len == 0 ? "" : ", ", request->url,
                           request->path);
    for (size_t i = 0; i < request->target->parameter_count; i++) {
        const char *name = request->target->parameters[i].name;
        if (strcmp(name, paging->parameter) != 0) {
            const char *text = request->target->parameters[i].value;
            g_autofree char *encoded = text_percent_encode(text, strlen(text));
            g_string_append_printf(link, "%s=%s&", name, encoded);
        }
    }
    g_string_append_printf(link, "%s=%s>; rel=\"%s\"", paging->parameter, value, relation);
}

static void add_page_link(const Cursor *cursor, GString *link, uint64_t page,
                          const char *relation) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, page);
    add_link(cursor, link, number, relation);
}

typedef struct {
    uint64_t page;
    uint64_t size;
    uint64_t total;
    uint64_t next; /* place of the first row of the next page; total at the end */
} Page;

static bool has_next(const Cursor *cursor, const Page *page) {
    return page->next < page->total || cursor->request->endless || cursor->request->loop;
}

static void announce_number(const Cursor *cursor, const Page *page, GString *link, GString *next) {
    bool more = has_next(cursor, page);
    if (cursor->listing->paging.link && page->page > 1) {
        add_page_link(cursor, link, page->page - 1, "prev");
    }
    if (more) {
        uint64_t number = page->page + (cursor->request->loop ? 0 : 1);
        g_string_append_printf(next, "%" G_GUINT64_FORMAT, number);
        if (cursor->listing->paging.link) {
            add_page_link(cursor, link, number, "next");
        }
    }
    if (!cursor->listing->paging.link) {
        return;
    }
    if (more && !cursor->filtered && cursor->listing->of != NULL) {
        add_page_link(cursor, link, (page->total + page->size - 1) / page->size, "last");
    }
    if (page->page > 1) {
        add_page_link(cursor, link, 1, "first");
    }
}

static void announce_cursor(const Cursor *cursor, const Page *page, GString *link, GString *next) {
    const ListingRequest *request = cursor->request;
    const char *given = target_parameter(request->target, cursor->listing->paging.parameter);
    if (!has_next(cursor, page)) {
        return;
    }
    if (request->loop && given != NULL) {
        g_string_append(next, given);
    } else {
        g_autofree char *plain =
            g_strdup_printf(CURSOR_PREFIX "%" G_GUINT64_FORMAT, request->loop ? 0 : page->next);
        g_autofree char *text = text_base64url(plain, strlen(plain));
        g_string_append(next, text);
    }
    if (cursor->listing->paging.link) {
        add_link(cursor, link, next->str, "next");
    }
}

/* Renders up to size rows from a place on; returns the place of the next row there is. */
static uint64_t render_rows(Cursor *cursor, const Page *page, uint64_t place, GString *out) {
    uint64_t rows = 0;
    g_string_append_c(out, '[');
    for (; place < page->total; place++) {
        const Alternative *row = row_at(cursor, place);
        if (row == NULL) {
            continue;
        }
        if (rows == page->size) {
            break;
        }
        if (rows++ > 0) {
            g_string_append_c(out, ',');
        }
        template_render(row->body,
                        cursor->listing->of == NULL ? cursor->request->item : cursor->row,
                        cursor->request->variables, out);
    }
    g_string_append_c(out, ']');
    return place;
}

static void render_page(Cursor *cursor, GString *out, GString *link, GString *next) {
    const ListingRequest *request = cursor->request;
    const Paging *paging = &cursor->listing->paging;
    Page page = {.total = count_rows(cursor)};
    page.size =
        target_number(request->target, paging->size, paging->size_max, paging->size_default);
    uint64_t place;
    if (paging->cursor) {
        place = read_cursor(target_parameter(request->target, paging->parameter));
    } else {
        page.page = target_number(request->target, paging->parameter, UINT32_MAX, 1);
        place = skip_rows(cursor, (page.page - 1) * page.size, page.total);
    }
    uint64_t asked = place;
    if (place >= page.total && (request->endless || request->loop)) {
        place = 0;
    }
    page.next = render_rows(cursor, &page, place, out);
    if (request->endless) {
        page.next = asked + page.size; /* a cursor that was never seen before */
    }
    if (paging->cursor) {
        announce_cursor(cursor, &page, link, next);
    } else {
        announce_number(cursor, &page, link, next);
    }
}

void listing_render(Listing *listing, const ListingRequest *request, GString *out, GString *link,
                    GString *next) {
    Cursor cursor = {.listing = listing,
                     .request = request,
                     .parent = &request->items[0],
                     .row = &request->items[1],
                     .parent_index = UINT64_MAX,
                     .filtered = has_filter(listing, request->target)};
    if (listing->wrap == NULL) {
        render_page(&cursor, out, link, next);
        return;
    }
    g_autoptr(GString) rows = g_string_new(NULL);
    render_page(&cursor, rows, link, next);
    variables_set(request->variables, VARIABLE_ROWS, rows->str);
    variables_set(request->variables, VARIABLE_NEXT, next->len == 0 ? NULL : next->str);
    template_render(listing->wrap, request->item, request->variables, out);
}
