/* Lists page by page: every style, its end, and the guards. */
#include "provider/page.h"
#include "provider_support.h"

typedef struct {
    Definition *definition;
    Pager *pager;
    Page *page;
} List;

static const char *link_header(void *data, const char *name) {
    return strcmp(name, "link") == 0 ? data : NULL;
}

/* A list whose call has this paging. */
static List list_new(const char *page) {
    g_autofree char *calls =
        g_strdup_printf("calls:\n"
                        "  users: {get: /users, rows: '.items', page: %s}\n"
                        "  keys: {get: '/users/\\(.user.id)/keys', rows: .}\n"
                        "  profile: {get: '/users/\\(.user.id)/profile'}\n"
                        "  search: {post: /search, json: '{q: 1}', rows: .items,\n"
                        "           page: {style: token, from: .next, send: {body: cursor}}}\n",
                        page);
    List list = {.definition = support_load(&(SupportParts){.calls = calls})};
    list.pager = pager_new(list.definition, 0);
    list.page = page_new(list.pager, definition_call(list.definition, "users"));
    return list;
}

static void list_clear(List *list) {
    page_free(list->page);
    pager_free(list->pager);
    definition_free(list->definition);
}

static PageStep answer_link(List *list, const char *url, const char *link) {
    PageAnswer answer = {.header = link_header,
                         .header_data = (void *)(uintptr_t)link,
                         .url = url,
                         .rows = 1,
                         .bytes = 10};
    return page_next(list->page, &answer);
}

static PageStep answer_body(List *list, const char *json, size_t rows) {
    g_auto(Value) body = support_value(json);
    PageAnswer answer = {.header = link_header,
                         .body = body,
                         .url = "https://api.demo.test/users",
                         .rows = rows,
                         .bytes = strlen(json)};
    return page_next(list->page, &answer);
}

/* What the page sends next, as text. */
static const char *sent(const List *list) {
    PageSend send;
    const char *value = NULL;
    const char *name = page_parameter(list->page, &send, &value);
    return name == NULL ? NULL : value;
}

static void a_link_is_followed_verbatim_until_there_is_none(void) {
    List list = list_new("{style: link}");
    g_assert_null(page_url(list.page));
    g_assert_false(page_needs_body(list.page));
    g_assert_cmpint(answer_link(&list, "https://api.demo.test/users",
                                "<https://api.demo.test/users?after=a%2Fb>; rel=\"next\""),
                    ==, PAGE_MORE);
    g_assert_cmpstr(page_url(list.page), ==, "https://api.demo.test/users?after=a%2Fb");
    g_assert_false(page_complete(list.page));
    g_assert_cmpint(
        answer_link(&list, page_url(list.page), "<https://api.demo.test/users>; rel=\"first\""), ==,
        PAGE_END);
    g_assert_true(page_complete(list.page));
    g_assert_cmpuint(page_count(list.page), ==, 2);
    g_assert_cmpuint(page_rows(list.page), ==, 2);
    list_clear(&list);
}

static void links_are_read_as_rfc_8288_says(void) {
    static const struct {
        const char *link;
        const char *next;
    } cases[] = {
        {"<https://a.test/x?p=2>; rel=\"next\"", "https://a.test/x?p=2"},
        {"<https://a.test/1>; rel=prev, <https://a.test/3>; rel=next", "https://a.test/3"},
        {"<https://a.test/1>; rel=\"prev\" , <https://a.test/3>;rel = \"next\" ",
         "https://a.test/3"},
        {"<https://a.test/a,b;c>; title=\"x, rel=\\\"next\\\"\"; rel=\"next\"",
         "https://a.test/a,b;c"},
        {"<https://a.test/3>; REL=NEXT", "https://a.test/3"},
        {"<https://a.test/3>; rel=\"last next\"", "https://a.test/3"},
        {"<?page=2>; rel=\"next\"", "https://a.test/list?page=2"},
        {"</other?page=2>; rel=\"next\"", "https://a.test/other?page=2"},
        {"<https://a.test/3>; rel=\"nextish\"", NULL},
        {"<https://a.test/3>; rel=\"prev\"; rel=\"next\"", NULL},
        {"<https://a.test/3>; title=\"rel=next\"", NULL},
        {"<https://a.test/3; rel=\"next\"", NULL},
        {"https://a.test/3; rel=\"next\"", NULL},
        {"<https://a.test/3>; rel=\"next", "https://a.test/3"},
        {"<https://a.test/3>; rel", NULL},
        {"<>;;;,,,<", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *next = page_link_next(cases[i].link, "https://a.test/list?page=1");
        g_assert_cmpstr(next, ==, cases[i].next);
    }
}

static void a_list_that_goes_in_circles_is_stopped(void) {
    List list = list_new("{style: link}");
    g_assert_cmpint(
        answer_link(&list, "https://api.demo.test/a", "<https://api.demo.test/b>; rel=next"), ==,
        PAGE_MORE);
    g_assert_cmpint(
        answer_link(&list, "https://api.demo.test/b", "<https://api.demo.test/a>; rel=next"), ==,
        PAGE_STOPPED);
    g_assert_false(page_complete(list.page));
    g_assert_nonnull(strstr(page_reason(list.page), "circles"));
    list_clear(&list);
}

static void an_endless_list_is_stopped_by_its_caps(void) {
    List list = list_new("{style: token, from: .next, send: {query: after}, max_pages: 3}");
    for (int i = 0; i < 2; i++) {
        g_autofree char *json = g_strdup_printf("{\"next\":\"t%d\"}", i);
        g_assert_cmpint(answer_body(&list, json, 1), ==, PAGE_MORE);
    }
    g_assert_cmpint(answer_body(&list, "{\"next\":\"t9\"}", 1), ==, PAGE_STOPPED);
    g_assert_nonnull(strstr(page_reason(list.page), "max_pages"));
    list_clear(&list);

    list = list_new("{style: token, from: .next, send: {query: after}, max_rows: 100}");
    g_assert_cmpint(answer_body(&list, "{\"next\":\"a\"}", 100), ==, PAGE_MORE);
    g_assert_cmpint(answer_body(&list, "{\"next\":\"b\"}", 1), ==, PAGE_STOPPED);
    g_assert_nonnull(strstr(page_reason(list.page), "max_rows"));
    list_clear(&list);

    list = list_new("{style: token, from: .next, send: {query: after}, max_bytes: 20}");
    g_assert_cmpint(answer_body(&list, "{\"next\":\"a\"}", 1), ==, PAGE_MORE);
    g_assert_cmpint(answer_body(&list, "{\"next\":\"b\"}", 1), ==, PAGE_STOPPED);
    g_assert_nonnull(strstr(page_reason(list.page), "max_bytes"));
    list_clear(&list);
}

static void a_token_is_sent_until_it_is_null_or_empty(void) {
    static const char *const ends[] = {"{}", "{\"next\":null}", "{\"next\":\"\"}"};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        List list = list_new("{style: token, from: .next, send: {query: after}}");
        g_assert_true(page_needs_body(list.page));
        g_assert_null(sent(&list));
        g_assert_cmpint(answer_body(&list, "{\"next\":\"abc\"}", 2), ==, PAGE_MORE);
        g_assert_cmpstr(sent(&list), ==, "abc");
        g_assert_cmpint(answer_body(&list, "{\"next\":17}", 2), ==, PAGE_MORE);
        g_assert_cmpstr(sent(&list), ==, "17");
        g_assert_cmpint(answer_body(&list, ends[i], 2), ==, PAGE_END);
        g_assert_true(page_complete(list.page));
        list_clear(&list);
    }
}

static void until_decides_where_a_list_ends(void) {
    static const char spec[] =
        "{style: token, from: .next, until: '.more | not', send: {query: after}}";
    List list = list_new(spec);
    g_assert_cmpint(answer_body(&list, "{\"next\":\"a\",\"more\":true}", 2), ==, PAGE_MORE);
    g_assert_cmpint(answer_body(&list, "{\"next\":\"b\",\"more\":false}", 2), ==, PAGE_END);
    list_clear(&list);
    list = list_new(spec);
    g_assert_cmpint(answer_body(&list, "{\"next\":null,\"more\":true}", 2), ==, PAGE_BROKEN);
    g_assert_false(page_complete(list.page));
    list_clear(&list);
}

static void a_cursor_that_makes_no_sense_breaks_the_list(void) {
    static const char *const bodies[] = {"{\"next\":{}}", "{\"next\":[1]}", "{\"next\":true}",
                                         "{\"next\":1.5}", "[1]"};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        List list = list_new("{style: token, from: .next, send: {query: after}}");
        g_assert_cmpint(answer_body(&list, bodies[i], 2), ==, PAGE_BROKEN);
        g_assert_false(page_complete(list.page));
        list_clear(&list);
    }
    g_autofree char *cursor = g_strnfill(9000, 'c');
    g_autofree char *json = g_strdup_printf("{\"next\":\"%s\"}", cursor);
    List list = list_new("{style: token, from: .next, send: {query: after}}");
    g_assert_cmpint(answer_body(&list, json, 2), ==, PAGE_BROKEN);
    list_clear(&list);
}

static void the_same_token_twice_is_a_loop(void) {
    List list = list_new("{style: token, from: .next, send: {query: after}}");
    g_assert_cmpint(answer_body(&list, "{\"next\":\"a\"}", 2), ==, PAGE_MORE);
    g_assert_cmpint(answer_body(&list, "{\"next\":\"a\"}", 2), ==, PAGE_STOPPED);
    list_clear(&list);
}

static void a_next_url_is_resolved_against_the_request(void) {
    List list = list_new("{style: next_url, from: '.links.next'}");
    g_assert_cmpint(answer_body(&list, "{\"links\":{\"next\":\"/users?p=2\"}}", 2), ==, PAGE_MORE);
    g_assert_cmpstr(page_url(list.page), ==, "https://api.demo.test/users?p=2");
    g_assert_cmpint(answer_body(&list, "{\"links\":{}}", 2), ==, PAGE_END);
    list_clear(&list);
}

static void counted_pages_end_with_one_that_is_not_full(void) {
    int64_t size = 0;
    List list = list_new("{style: page, send: {query: page, size: per_page}, size: 2}");
    g_assert_cmpstr(sent(&list), ==, "1");
    g_assert_cmpstr(page_size_parameter(list.page, &size), ==, "per_page");
    g_assert_cmpint(size, ==, 2);
    g_assert_cmpint(answer_body(&list, "[]", 2), ==, PAGE_MORE);
    g_assert_cmpstr(sent(&list), ==, "2");
    g_assert_cmpint(answer_body(&list, "[]", 1), ==, PAGE_END);
    list_clear(&list);

    list = list_new("{style: offset, send: {query: start}, size: 50}");
    g_assert_cmpstr(sent(&list), ==, "0");
    g_assert_cmpint(answer_body(&list, "[]", 50), ==, PAGE_MORE);
    g_assert_cmpstr(sent(&list), ==, "50");
    g_assert_cmpint(answer_body(&list, "[]", 0), ==, PAGE_END);
    list_clear(&list);

    list = list_new("{style: page, send: {query: page}, size: 50, until: .last}");
    g_assert_cmpint(answer_body(&list, "{\"last\":false}", 3), ==, PAGE_MORE);
    g_assert_cmpint(answer_body(&list, "{\"last\":true}", 50), ==, PAGE_END);
    list_clear(&list);
}

static void a_call_without_paging_has_one_page(void) {
    List list = list_new("{style: link}");
    g_autoptr(Page) page = page_new(list.pager, definition_call(list.definition, "profile"));
    PageAnswer answer = {.header = link_header,
                         .header_data = (void *)(uintptr_t) "<https://api.demo.test/x>; rel=next",
                         .url = "https://api.demo.test/",
                         .rows = 1};
    g_assert_cmpint(page_next(page, &answer), ==, PAGE_END);
    g_assert_true(page_complete(page));
    list_clear(&list);
}

static void a_cursor_may_go_into_the_body(void) {
    List list = list_new("{style: link}");
    g_autoptr(Page) page = page_new(list.pager, definition_call(list.definition, "search"));
    g_auto(Value) body = support_value("{\"next\":\"abc\"}");
    PageAnswer answer = {.header = link_header, .body = body, .url = "https://x.test/"};
    g_assert_cmpint(page_next(page, &answer), ==, PAGE_MORE);
    PageSend send = SEND_QUERY;
    const char *value = NULL;
    g_assert_cmpstr(page_parameter(page, &send, &value), ==, "cursor");
    g_assert_cmpint(send, ==, SEND_BODY);
    g_assert_cmpstr(value, ==, "abc");
    list_clear(&list);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/page/" #name, name)
    TEST(a_link_is_followed_verbatim_until_there_is_none);
    TEST(links_are_read_as_rfc_8288_says);
    TEST(a_list_that_goes_in_circles_is_stopped);
    TEST(an_endless_list_is_stopped_by_its_caps);
    TEST(a_token_is_sent_until_it_is_null_or_empty);
    TEST(until_decides_where_a_list_ends);
    TEST(a_cursor_that_makes_no_sense_breaks_the_list);
    TEST(the_same_token_twice_is_a_loop);
    TEST(a_next_url_is_resolved_against_the_request);
    TEST(counted_pages_end_with_one_that_is_not_full);
    TEST(a_call_without_paging_has_one_page);
    TEST(a_cursor_may_go_into_the_body);
    return g_test_run();
}
