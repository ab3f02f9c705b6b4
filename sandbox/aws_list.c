#include "sandbox/aws_list.h"

#include "base/error.h"
#include "base/text.h"
#include "sandbox/stats.h"

#include <string.h>

#define TOKEN_PREFIX "assay:"

typedef enum { COMPARE_EQUAL, COMPARE_FROM, COMPARE_UNTIL, COMPARE_HOME } Compare;

typedef struct {
    Compare compare;
    const char *parameter; /* a glob, borrowed from the data */
    FieldRef ref;
    const Json *all;
    AwsHome home;
} Filter;

typedef struct {
    char *open; /* what stands around the rows */
    char *close;
    const Collection *of;
    Template *row;
    Condition *when;
    GArray *filters;
    const char *only_parameter; /* NULL: always there */
    const char *only_value;
    bool only_required;
} Section;

struct AwsList {
    bool xml;
    bool paged;
    AwsPaging paging;
    GArray *sections;
    Template *with; /* NULL: nothing */
};

/* One page in the making. */
typedef struct {
    const AwsList *list;
    const AwsListCall *call;
    GString *out;
    uint64_t place; /* of the next row, over all sections */
    uint64_t room;  /* rows that still fit */
    uint64_t next;  /* place of the first row of the next page; 0: there is none */
} Page;

static void clear_section(gpointer data) {
    Section *section = data;
    g_free(section->open);
    g_free(section->close);
    template_free(section->row);
    condition_free(section->when);
    g_clear_pointer(&section->filters, g_array_unref);
}

bool aws_home_load(const Json *json, const Collection *of, AwsHome *home_out, GError **error) {
    const char *otherwise = json_member_string(json, "or", NULL);
    home_out->has_otherwise = otherwise != NULL;
    if (of == NULL || !field_find(of, json_member_string(json, "home", ""), &home_out->home) ||
        (otherwise != NULL && !field_find(of, otherwise, &home_out->otherwise))) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "A home is no field of its rows.");
        return false;
    }
    return true;
}

static bool equals(FieldValue value, const char *text) {
    return strlen(text) == value.length && memcmp(text, value.text, value.length) == 0;
}

bool aws_home_holds(const AwsHome *home, Item *item, const char *region, bool allowed) {
    return equals(item_value(item, home->home), region) ||
           (allowed && home->has_otherwise && equals(item_value(item, home->otherwise), "true"));
}

static Compare find_compare(const char *name) {
    if (strcmp(name, "from") == 0) {
        return COMPARE_FROM;
    }
    return strcmp(name, "until") == 0 ? COMPARE_UNTIL : COMPARE_EQUAL;
}

static bool load_filters(Section *section, const Json *json, GError **error) {
    section->filters = g_array_new(FALSE, TRUE, sizeof(Filter));
    for (size_t i = 0; i < json_count(json); i++) {
        const Json *one = json_item(json, i);
        const char *field = json_member_string(one, "field", "");
        Filter filter = {.parameter = json_member_string(one, "parameter", ""),
                         .compare = find_compare(json_member_string(one, "compare", "")),
                         .all = json_member(one, "all")};
        if (json_member(one, "home") != NULL) {
            filter.compare = COMPARE_HOME;
            if (!aws_home_load(one, section->of, &filter.home, error)) {
                return false;
            }
        } else if (!field_find(section->of, field, &filter.ref)) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "A list filters by %s, which is no field of its rows.", field);
            return false;
        }
        g_array_append_val(section->filters, filter);
    }
    return true;
}

/* "Outer/Inner" around rows; in JSON the key alone. */
static void name_section(Section *section, const char *key, bool xml) {
    size_t outer = strcspn(key, "/");
    if (!xml) {
        section->open = g_strdup_printf("\"%s\":[", key);
        section->close = g_strdup("]");
    } else if (outer == 0) {
        section->open = g_strdup("");
        section->close = g_strdup("");
    } else {
        section->open = g_strdup_printf("<%.*s>", (int)outer, key);
        section->close = g_strdup_printf("</%.*s>", (int)outer, key);
    }
}

static Template *compile_row(const Json *row, const char *key, const TemplateScope *scope,
                             GError **error) {
    if (scope->format == TEMPLATE_JSON || row == NULL) {
        return template_compile(row, scope, error);
    }
    const char *slash = strchr(key, '/');
    g_autoptr(Json) element = json_new_object();
    json_put(element, slash == NULL ? scope->item : slash + 1, json_copy_deep(row));
    return template_compile(element, scope, error);
}

static bool add_section(AwsList *list, const Json *json, const Json *filters,
                        const TemplateScope *outer, GError **error) {
    const char *of = json_member_string(json, "of", "");
    const char *key = json_member_string(json, "key", "");
    const Json *only = json_member(json, "only");
    const Json *row = json_member(json, "row");
    TemplateScope scope = *outer;
    scope.collection = g_hash_table_lookup(outer->collections, of);
    const Collection *parent = scope.collection == NULL ? NULL : scope.collection->parent;
    if (scope.collection == NULL || row == NULL ||
        (parent != NULL && parent != outer->collection &&
         (outer->collection == NULL || parent != outer->collection->parent))) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A list of \"%s\" has no row, or is of no collection of this place.", of);
        return false;
    }
    Section section = {.of = scope.collection,
                       .only_parameter = json_member_string(only, "parameter", NULL),
                       .only_value = json_member_string(only, "value", ""),
                       .only_required = json_member_bool(only, "required", false)};
    name_section(&section, key, list->xml);
    if (json_member_bool(json, "joined", false) && list->sections->len > 0) {
        Section *before = &g_array_index(list->sections, Section, list->sections->len - 1);
        before->close[0] = '\0';
        section.open[0] = '\0';
    }
    section.when = condition_compile(json_member(json, "when"), scope.collection, error);
    section.row = section.when == NULL ? NULL : compile_row(row, key, &scope, error);
    const Json *own = json_member(json, "filters");
    bool loaded = section.row != NULL && load_filters(&section, own == NULL ? filters : own, error);
    g_array_append_val(list->sections, section);
    return loaded;
}

AwsList *aws_list_load(const Json *json, const AwsService *service, const TemplateScope *scope,
                       GError **error) {
    g_autoptr(AwsList) list = g_new0(AwsList, 1);
    const Json *one = json_member(json, "list");
    const Json *many = json_member(json, "lists");
    const Json *page = json_member(json, "page");
    const Json *with = json_member(json, "with");
    list->xml = scope->format == TEMPLATE_XML;
    list->sections = g_array_new(FALSE, TRUE, sizeof(Section));
    g_array_set_clear_func(list->sections, clear_section);
    page = page == NULL ? service->page : page;
    list->paged = page != NULL && json_kind(page) == JSON_KIND_OBJECT;
    aws_paging_load(page, &list->paging);
    size_t count = one == NULL ? json_count(many) : 1;
    for (size_t i = 0; i < count; i++) {
        const Json *section = one == NULL ? json_item(many, i) : one;
        if (!add_section(list, section, json_member(json, "filters"), scope, error)) {
            return NULL;
        }
    }
    if (with != NULL) {
        list->with = template_compile(with, scope, error);
        if (list->with == NULL) {
            return NULL;
        }
    }
    return g_steal_pointer(&list);
}

void aws_list_free(AwsList *list) {
    if (list != NULL) {
        g_clear_pointer(&list->sections, g_array_unref);
        template_free(list->with);
        g_free(list);
    }
}

/* Whether any parameter that matches the glob has this value; given_out: whether one is there. */
static bool matches_parameter(const AwsRequest *request, const char *glob, FieldValue value,
                              bool *given_out) {
    bool matches = false;
    *given_out = false;
    for (size_t i = 0; i < request->count && !matches; i++) {
        if (stats_glob(glob, request->parameters[i].name)) {
            *given_out = true;
            matches = equals(value, request->parameters[i].value);
        }
    }
    return matches;
}

static bool is_one_of(const Json *all, const AwsRequest *request, const char *parameter) {
    const char *given = aws_request_parameter(request, parameter);
    for (size_t i = 0; given != NULL && i < json_count(all); i++) {
        if (g_strcmp0(json_text(json_item(all, i)), given) == 0) {
            return true;
        }
    }
    return false;
}

static double read_number(FieldValue value) {
    char digits[32];
    size_t length = MIN(value.length, sizeof(digits) - 1);
    memcpy(digits, value.text, length);
    digits[length] = '\0';
    return g_ascii_strtod(digits, NULL);
}

static bool compares(const Filter *filter, const AwsRequest *request, Item *row) {
    for (size_t i = 0; i < request->count; i++) {
        if (stats_glob(filter->parameter, request->parameters[i].name)) {
            double wanted = g_ascii_strtod(request->parameters[i].value, NULL);
            double is = read_number(item_value(row, filter->ref));
            return filter->compare == COMPARE_FROM ? is >= wanted : is <= wanted;
        }
    }
    return true;
}

static bool lets_through(const Filter *filter, const AwsListCall *call, Item *row) {
    bool given = false;
    const char *shadow;
    switch (filter->compare) {
    case COMPARE_HOME:
        shadow = aws_request_parameter(call->request, filter->parameter);
        return aws_home_holds(&filter->home, row, call->region, g_strcmp0(shadow, "false") != 0);
    case COMPARE_EQUAL:
        return is_one_of(filter->all, call->request, filter->parameter) ||
               matches_parameter(call->request, filter->parameter, item_value(row, filter->ref),
                                 &given) ||
               !given;
    default:
        return compares(filter, call->request, row);
    }
}

static bool is_row(const Section *section, const AwsListCall *call, Item *row) {
    for (guint i = 0; i < section->filters->len; i++) {
        if (!lets_through(&g_array_index(section->filters, Filter, i), call, row)) {
            return false;
        }
    }
    return condition_holds(section->when, row);
}

static bool is_wanted(const Section *section, const AwsRequest *request) {
    if (section->only_parameter == NULL) {
        return true;
    }
    const FieldValue value = {.text = section->only_value, .length = strlen(section->only_value)};
    bool given = false;
    return matches_parameter(request, section->only_parameter, value, &given) ||
           (!given && !section->only_required);
}

static Item *parent_of(const Section *section, Item *item) {
    if (section->of->parent == NULL) {
        return NULL;
    }
    return item != NULL && item->of != section->of->parent ? item->parent : item;
}

static uint64_t count_rows(const Section *section, const AwsListCall *call) {
    Item *parent = parent_of(section, call->item);
    if (!is_wanted(section, call->request)) {
        return 0;
    }
    return parent == NULL ? section->of->count : item_child_count(parent, section->of);
}

/* Rows of one section from the page's place on; start is the place of the section's first row. */
static void render_section(Page *page, const Section *section, uint64_t start) {
    const AwsListCall *call = page->call;
    Item *parent = parent_of(section, call->item);
    uint64_t count = count_rows(section, call);
    bool first = true;
    Item row;
    while (page->next == 0 && page->place < start + count) {
        item_init(&row, section->of, parent, page->place - start);
        if (!is_row(section, call, &row)) {
            page->place++;
            continue;
        }
        if (page->room == 0) {
            page->next = page->place;
            return;
        }
        if (!first && !page->list->xml) {
            g_string_append_c(page->out, ',');
        }
        template_render(section->row, &row, call->variables, page->out);
        first = false;
        page->room--;
        page->place++;
    }
}

static void render_sections(Page *page) {
    const AwsList *list = page->list;
    uint64_t start = 0;
    for (guint i = 0; i < list->sections->len; i++) {
        const Section *section = &g_array_index(list->sections, Section, i);
        if (!list->xml && i > 0) {
            g_string_append_c(page->out, ',');
        }
        g_string_append(page->out, section->open);
        render_section(page, section, start);
        g_string_append(page->out, section->close);
        start += count_rows(section, page->call);
    }
}

static bool read_token(const char *text, uint64_t *place_out) {
    g_autofree uint8_t *bytes = NULL;
    size_t size = 0;
    guint64 place = 0;
    if (text == NULL || text[0] == '\0') {
        *place_out = 0;
        return true;
    }
    if (!text_unbase64(text, strlen(text), &bytes, &size)) {
        return false;
    }
    g_autofree char *plain = g_strndup((const char *)bytes, size);
    if (!g_str_has_prefix(plain, TOKEN_PREFIX) ||
        !g_ascii_string_to_unsigned(plain + strlen(TOKEN_PREFIX), 10, 0, G_MAXINT64, &place,
                                    NULL)) {
        return false;
    }
    *place_out = place;
    return true;
}

static bool read_size(const Page *page, uint64_t *size_out) {
    const AwsPaging *paging = &page->list->paging;
    const char *text =
        paging->size == NULL ? NULL : aws_request_parameter(page->call->request, paging->size);
    guint64 size = paging->fallback;
    if (text != NULL &&
        !g_ascii_string_to_unsigned(text, 10, paging->min, paging->max, &size, NULL)) {
        return false;
    }
    size = size == 0 ? paging->fallback : size;
    *size_out = page->call->page_max > 0 ? MIN(size, page->call->page_max) : size;
    return true;
}

static void add_member(const Page *page, const char *name, const char *value, bool quoted) {
    if (page->list->xml) {
        g_string_append_printf(page->out, "<%s>%s</%s>", name, value, name);
    } else {
        const char *quote = quoted ? "\"" : "";
        g_string_append_printf(page->out, ",\"%s\":%s%s%s", name, quote, value, quote);
    }
}

static void announce(const Page *page, uint64_t asked) {
    const AwsPaging *paging = &page->list->paging;
    const AwsListCall *call = page->call;
    bool more = page->next > 0 || call->endless || call->loop;
    uint64_t next = call->loop ? asked : page->next > 0 ? page->next : page->place + 1;
    if (paging->more != NULL) {
        add_member(page, paging->more, more ? "true" : "false", false);
    }
    if (more && paging->next != NULL) {
        g_autofree char *plain = g_strdup_printf(TOKEN_PREFIX "%" G_GUINT64_FORMAT, next);
        g_autofree char *token = text_base64url(plain, strlen(plain));
        add_member(page, paging->next, token, true);
    }
}

/* The members of an object without its braces. */
static void render_with(const Page *page) {
    const AwsListCall *call = page->call;
    gsize start = page->out->len;
    if (page->list->with == NULL) {
        return;
    }
    template_render(page->list->with, call->item, call->variables, page->out);
    if (!page->list->xml) {
        page->out->str[start] = ',';
        g_string_truncate(page->out, page->out->len - 1);
    }
}

AwsErrorKind aws_list_render(const AwsList *list, const AwsListCall *call, GString *out) {
    Page page = {.list = list, .call = call, .out = out, .room = UINT64_MAX};
    uint64_t asked = 0;
    if (list->paged && !read_size(&page, &page.room)) {
        return AWS_INVALID_PARAMETER;
    }
    if (list->paged &&
        !read_token(aws_request_parameter(call->request, list->paging.token), &page.place)) {
        return AWS_INVALID_TOKEN;
    }
    asked = page.place;
    if (!list->xml) {
        g_string_append_c(out, '{');
    }
    render_sections(&page);
    if (list->paged) {
        announce(&page, asked);
    }
    render_with(&page);
    if (!list->xml) {
        g_string_append_c(out, '}');
    }
    return AWS_NO_ERROR;
}
