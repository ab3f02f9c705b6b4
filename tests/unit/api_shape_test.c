#include "api/shape.h"

#include "api/etag.h"
#include "api/problem.h"
#include "unit/api_support.h"

#include <string.h>

static const char *const words[] = {"red", "blue", NULL};
static const ShapeField inner_fields[] = {SHAPE_FIELD("at", TIME, SHAPE_REQUIRED, NULL),
                                          SHAPE_FIELD("id", ID, 0, NULL),
                                          SHAPE_FIELD("lastSeen", TIME, 0, NULL),
                                          {0}};
static const Shape inner = {.name = "Inner", .fields = inner_fields};
static const ShapeField fields[] = {
    SHAPE_FIELD("name", STRING, SHAPE_REQUIRED, "Who.", .most = 5),
    SHAPE_FIELD("colour", STRING, SHAPE_NULLABLE, NULL, .words = words),
    SHAPE_FIELD("count", INTEGER, 0, NULL, .least = 1, .most = 3),
    SHAPE_FIELD("share", NUMBER, 0, NULL),
    SHAPE_FIELD("on", BOOLEAN, 0, NULL),
    SHAPE_FIELD("innerPart", OBJECT, 0, NULL, .of = &inner),
    SHAPE_FIELD("parts", ARRAY, 0, NULL, .of = &inner, .most = 2),
    SHAPE_FIELD("tags", ARRAY, 0, NULL, .items = SHAPE_STRING, .words = words),
    SHAPE_FIELD("counts", MAP, 0, NULL, .items = SHAPE_INTEGER),
    SHAPE_FIELD("any", ANYTHING, 0, NULL),
    {0}};
static const Shape outer = {.name = "Outer", .about = "A test.", .fields = fields};

static Json *parse(const char *text) {
    Json *json = NULL;
    must((json = json_parse(text, strlen(text), 100000, &error)) != NULL);
    return json;
}

static void what_fits_has_nothing_wrong(void) {
    static const char *const texts[] = {
        "{\"name\":\"a\"}",
        "{\"name\":\"a\",\"colour\":null,\"count\":3,\"share\":1,\"on\":false,\"any\":null}",
        "{\"name\":\"a\",\"share\":0.5,\"innerPart\":{\"at\":\"2026-01-01T00:00:00Z\"},"
        "\"parts\":[{\"at\":\"2026-01-01\",\"id\":\"01890000-0000-7000-8000-00000000000a\"}],"
        "\"tags\":[\"red\"],\"counts\":{\"x\":1}}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Json) json = parse(texts[i]);
        g_autoptr(GPtrArray) wrongs = shape_check(&outer, json);
        g_assert_cmpuint(wrongs->len, ==, 0);
    }
}

static void everything_that_is_wrong_is_pointed_at(void) {
    static const struct {
        const char *text;
        const char *pointer;
    } cases[] = {
        {"{}", "/name"},
        {"7", ""},
        {"{\"name\":\"sixsix\"}", "/name"},
        {"{\"name\":null}", "/name"},
        {"{\"name\":\"a\",\"colour\":\"green\"}", "/colour"},
        {"{\"name\":\"a\",\"count\":0}", "/count"},
        {"{\"name\":\"a\",\"count\":1.0}", "/count"},
        {"{\"name\":\"a\",\"on\":\"true\"}", "/on"},
        {"{\"name\":\"a\",\"share\":\"1\"}", "/share"},
        {"{\"name\":\"a\",\"innerPart\":{}}", "/innerPart/at"},
        {"{\"name\":\"a\",\"innerPart\":{\"at\":\"2026-01-01\",\"id\":\"x\"}}", "/innerPart/id"},
        {"{\"name\":\"a\",\"parts\":[{\"at\":\"2026-01-01\"},7]}", "/parts/1"},
        {"{\"name\":\"a\",\"parts\":[1,2,3]}", "/parts"},
        {"{\"name\":\"a\",\"tags\":[\"red\",\"grey\"]}", "/tags/1"},
        {"{\"name\":\"a\",\"counts\":{\"x_y\":\"1\"}}", "/counts/x_y"},
        {"{\"name\":\"a\",\"counts\":{\"x/y\":\"1\"}}", "/counts/\u2026"},
        {"{\"name\":\"a\",\"9f86d081884c7d65\":1}", "/\u2026"},
        {"{\"name\":\"a\",\"extra\":1}", "/extra"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Json) json = parse(cases[i].text);
        g_autoptr(GPtrArray) wrongs = shape_check(&outer, json);
        g_test_message("%s", cases[i].text);
        g_assert_cmpuint(wrongs->len, ==, 1);
        const ShapeWrong *wrong = g_ptr_array_index(wrongs, 0);
        g_assert_cmpstr(wrong->pointer, ==, cases[i].pointer);
    }
}

static void texts_are_what_they_look_like(void) {
    static const struct {
        const char *text;
        const char *pointer;
    } cases[] = {
        {"{\"line\":\"caf\u00e9 \u05e9\u05dc\u05d5\u05dd\"}", NULL},
        {"{\"line\":\"a\\nb\"}", "/line"},
        {"{\"line\":\"a\\u0007b\"}", "/line"},
        {"{\"line\":\"a\\u202egnp.exe\"}", "/line"},
        {"{\"line\":\"a\\u2066b\"}", "/line"},
        {"{\"lines\":\"a\\n\\tb\"}", NULL},
        {"{\"lines\":\"a\\rb\"}", "/lines"},
        {"{\"lines\":\"a\\u202eb\"}", "/lines"},
        {"{\"list\":[\"a\",\"b\\u001b[2J\"]}", "/list/1"},
        {"{\"secret\":\"-----BEGIN\\r\\n\"}", NULL},
    };
    static const ShapeField text_fields[] = {
        SHAPE_FIELD("line", STRING, 0, NULL),
        SHAPE_FIELD("lines", STRING, SHAPE_LINES, NULL),
        SHAPE_FIELD("list", ARRAY, 0, NULL, .items = SHAPE_STRING),
        SHAPE_FIELD("secret", STRING, SHAPE_SECRET, NULL),
        {0}};
    static const Shape shape = {.fields = text_fields};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Json) json = parse(cases[i].text);
        g_autoptr(GPtrArray) wrongs = shape_check(&shape, json);
        g_test_message("%s", cases[i].text);
        g_assert_cmpuint(wrongs->len, ==, cases[i].pointer ? 1 : 0);
        const ShapeWrong *wrong = cases[i].pointer ? g_ptr_array_index(wrongs, 0) : NULL;
        g_assert_cmpstr(wrong ? wrong->pointer : NULL, ==, cases[i].pointer);
    }
}

/* A token that nobody has: its checksum is right. */
#define TICKET "assay_api_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1wzNMy"

static void tokens_are_refused_where_no_secret_belongs(void) {
    static const struct {
        const char *text;
        const char *pointer;
    } cases[] = {
        {"{\"note\":\"" TICKET "\"}", "/note"},
        {"{\"note\":\"the token is " TICKET ".\"}", "/note"},
        {"{\"any\":[{\"deep\":[\"" TICKET "\"]}]}", "/any"},
        {"{\"any\":{\"" TICKET "\":1}}", "/any"},
        {"{\"secret\":\"" TICKET "\"}", NULL},
        {"{\"note\":\"assay_api_0123456789\"}", NULL},
    };
    static const ShapeField open_fields[] = {SHAPE_FIELD("note", STRING, 0, NULL),
                                             SHAPE_FIELD("any", ANYTHING, 0, NULL),
                                             SHAPE_FIELD("secret", STRING, SHAPE_SECRET, NULL),
                                             {0}};
    static const Shape shape = {.fields = open_fields};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Json) json = parse(cases[i].text);
        g_autoptr(GPtrArray) wrongs = shape_check(&shape, json);
        g_assert_cmpuint(wrongs->len, ==, cases[i].pointer ? 1 : 0);
        const ShapeWrong *wrong = cases[i].pointer ? g_ptr_array_index(wrongs, 0) : NULL;
        if (!wrong)
            continue;
        g_assert_cmpstr(wrong->pointer, ==, cases[i].pointer);
        g_assert_null(strstr(wrong->detail, "0123456789"));
    }
}

static void what_is_named_has_an_end(void) {
    g_autoptr(Json) json = json_new_object();
    for (int i = 0; i < 500; i++) {
        g_autofree char *name = g_strdup_printf("unknown-%d", i);
        json_put_int(json, name, i);
    }
    g_autoptr(GPtrArray) wrongs = shape_check(&outer, json);
    g_assert_cmpuint(wrongs->len, ==, SHAPE_WRONG_MAX);
}

static void members_in_snake_case_are_taken_for_what_they_mean(void) {
    g_autoptr(Json) json = parse("{\"name\":\"a\",\"inner_part\":{\"at\":\"2026-01-01\"}}");
    shape_respell(&outer, json);
    g_assert_nonnull(json_member(json, "innerPart"));
    g_assert_null(json_member(json, "inner_part"));
    g_autoptr(Json) both = parse("{\"name\":\"a\",\"inner_part\":1,\"innerPart\":2}");
    shape_respell(&outer, both);
    g_assert_cmpint(json_member_int(both, "innerPart", 0), ==, 2);
    g_assert_nonnull(json_member(both, "inner_part"));
}

static void so_are_those_of_what_a_member_holds(void) {
    g_autoptr(Json) json =
        parse("{\"name\":\"a\",\"inner_part\":{\"at\":\"2026-01-01\",\"last_seen\":\"2026-01-02\"},"
              "\"parts\":[{\"at\":\"2026-01-01\",\"last_seen\":\"2026-01-03\"},7],"
              "\"any\":{\"last_seen\":1}}");
    shape_respell(&outer, json);
    g_assert_cmpstr(json_member_string(json_member(json, "innerPart"), "lastSeen", ""), ==,
                    "2026-01-02");
    const Json *part = json_item(json_member(json, "parts"), 0);
    g_assert_cmpstr(json_member_string(part, "lastSeen", ""), ==, "2026-01-03");
    g_assert_nonnull(json_path(json, "any.last_seen"));
    g_autoptr(Json) odd = parse("{\"name\":\"a\",\"innerPart\":[1],\"parts\":{\"last_seen\":1}}");
    shape_respell(&outer, odd);
    g_assert_nonnull(json_path(odd, "parts.last_seen"));
}

static void a_shape_is_a_json_schema(void) {
    g_autoptr(Json) named = json_new_object();
    g_autoptr(Json) reference = shape_json(&outer, named);
    const Json *whole = json_member(named, "Outer");
    g_assert_cmpstr(json_member_string(reference, "$ref", ""), ==, "#/components/schemas/Outer");
    g_assert_nonnull(json_member(named, "Inner"));
    g_assert_false(json_member_bool(whole, "additionalProperties", true));
    g_assert_cmpstr(json_text(json_item(json_member(whole, "required"), 0)), ==, "name");
    const Json *colour = json_path(whole, "properties.colour");
    g_assert_cmpuint(json_count(json_member(colour, "type")), ==, 2);
    g_assert_cmpuint(json_count(json_member(colour, "enum")), ==, 3);
}

/* --- problems --------------------------------------------------------------------------------- */

static void errors_become_one_of_six_codes(void) {
    static const struct {
        ErrorCode code;
        bool asked;
        unsigned status;
        const char *told;
        bool retryable;
        bool hidden;
    } cases[] = {
        {ERROR_AUTHENTICATION_FAILED, false, 401, "AUTHENTICATION_FAILED", false, false},
        {ERROR_AUTHENTICATION_FAILED, true, 422, "AUTHENTICATION_FAILED", false, false},
        {ERROR_PERMISSION_DENIED, false, 403, "PERMISSION_DENIED", false, false},
        {ERROR_PERMISSION_DENIED, true, 422, "PERMISSION_DENIED", false, false},
        {ERROR_RATE_LIMITED, true, 503, "RATE_LIMITED", true, false},
        {ERROR_SERVICE_UNAVAILABLE, true, 502, "SERVICE_UNAVAILABLE", true, false},
        {ERROR_TIMEOUT, true, 504, "TIMEOUT", true, false},
        {ERROR_CONFIGURATION, false, 400, "CONFIGURATION_ERROR", false, false},
        {ERROR_USAGE, false, 400, "CONFIGURATION_ERROR", false, false},
        {ERROR_NOT_FOUND, false, 404, "CONFIGURATION_ERROR", false, false},
        {ERROR_CONFLICT, false, 409, "CONFIGURATION_ERROR", false, false},
        {ERROR_DATABASE, false, 500, "SERVICE_UNAVAILABLE", false, true},
        {ERROR_CRYPTO, false, 500, "SERVICE_UNAVAILABLE", false, true},
        {ERROR_INTERNAL, true, 500, "SERVICE_UNAVAILABLE", false, true},
        {ERROR_CANCELLED, false, 503, "SERVICE_UNAVAILABLE", true, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error =
            g_error_new_literal(ASSAY_ERROR, (int)cases[i].code, "what happened");
        Problem problem = problem_of_error(error, cases[i].asked);
        g_autoptr(Json) json = problem_json(&problem);
        bool told = strcmp(json_member_string(json, "detail", ""), "what happened") == 0;
        g_assert_cmpint(json_member_int(json, "status", 0), ==, cases[i].status);
        g_assert_cmpstr(json_member_string(json, "code", ""), ==, cases[i].told);
        g_assert_true(json_member_bool(json, "retryable", !cases[i].retryable) ==
                      cases[i].retryable);
        g_assert_true(told != cases[i].hidden);
    }
}

static void every_problem_fits_its_own_shape(void) {
    g_autoptr(GPtrArray) wrongs = g_ptr_array_new_with_free_func((GDestroyNotify)shape_wrong_free);
    g_ptr_array_add(wrongs, shape_wrong_new("/a", "%s", "is wrong"));
    for (ProblemKind kind = 0; kind < PROBLEMS; kind++) {
        Problem problem = {.kind = kind, .instance = "/x", .request_id = "r", .wrongs = wrongs};
        g_autoptr(Json) json = problem_json(&problem);
        g_autoptr(GPtrArray) own = shape_check(&problem_shape, json);
        g_assert_cmpuint(own->len, ==, 0);
        g_assert_cmpuint(problem_status(kind), >=, 400);
        g_assert_cmpstr(json_member_string(json, "title", ""), !=, "");
    }
}

/* --- entity tags ------------------------------------------------------------------------------ */

static void a_tag_is_found_in_lists_of_either_strength(void) {
    static const struct {
        const char *header;
        bool weak;
        bool listed;
    } cases[] = {
        {"\"abc\"", false, true},
        {"\"abc\"", true, true},
        {"W/\"abc\"", true, true},
        {"W/\"abc\"", false, false},
        {"\"x\", \"abc\"", false, true},
        {"\"x\",W/\"y\" , \"abc\"", false, true},
        {"*", false, true},
        {" * ", false, false},
        {"\"ab\"", true, false},
        {"abc", true, false},
        {"\"abc", true, false},
        {"", true, false},
        {"\"abcd\"", true, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].header);
        g_assert_true(etag_listed(cases[i].header, "\"abc\"", cases[i].weak) == cases[i].listed);
    }
}

static void tags_differ_when_bytes_do(void) {
    g_autofree char *one = etag_of("a", 1);
    g_autofree char *same = etag_of("a", 1);
    g_autofree char *other = etag_of("b", 1);
    g_assert_cmpstr(one, ==, same);
    g_assert_cmpstr(one, !=, other);
    g_assert_cmpuint(strlen(one), ==, 34);
}

static const ApiTest tests[] = {
    {"what_fits_has_nothing_wrong", what_fits_has_nothing_wrong},
    {"everything_that_is_wrong_is_pointed_at", everything_that_is_wrong_is_pointed_at},
    {"texts_are_what_they_look_like", texts_are_what_they_look_like},
    {"tokens_are_refused_where_no_secret_belongs", tokens_are_refused_where_no_secret_belongs},
    {"what_is_named_has_an_end", what_is_named_has_an_end},
    {"members_in_snake_case_are_taken_for_what_they_mean",
     members_in_snake_case_are_taken_for_what_they_mean},
    {"so_are_those_of_what_a_member_holds", so_are_those_of_what_a_member_holds},
    {"a_shape_is_a_json_schema", a_shape_is_a_json_schema},
    {"errors_become_one_of_six_codes", errors_become_one_of_six_codes},
    {"every_problem_fits_its_own_shape", every_problem_fits_its_own_shape},
    {"a_tag_is_found_in_lists_of_either_strength", a_tag_is_found_in_lists_of_either_strength},
    {"tags_differ_when_bytes_do", tags_differ_when_bytes_do},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "shape", tests, G_N_ELEMENTS(tests));
}
