/* XML as tags and text, held against expat: the same documents, the same events. */
#include "provider/markup.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

/* What a document says, an event a line; "!" at the end when it is broken. */

static void end_text(GString *trace, GString *text) {
    if (text->len > 0)
        g_string_append_printf(trace, "text %s\n", text->str);
    g_string_truncate(text, 0);
}

static char *trace_of(const char *bytes, size_t size) {
    GString *trace = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    Markup markup;
    markup_init(&markup, bytes, size);
    for (bool over = false; !over;) {
        MarkupKind kind = markup_next(&markup);
        if (kind != MARKUP_TEXT)
            end_text(trace, text);
        if (kind == MARKUP_TEXT) {
            g_assert_cmpuint(markup.length, >, 0);
            g_string_append_len(text, markup.text, (gssize)markup.length);
        } else if (kind == MARKUP_START || kind == MARKUP_END) {
            g_string_append_printf(trace, "%s %.*s\n", kind == MARKUP_START ? "start" : "end",
                                   (int)markup.length, markup.text);
        }
        if (kind == MARKUP_START && markup_attribute(&markup, "k", text))
            end_text(trace, text);
        over = kind == MARKUP_OVER || kind == MARKUP_DOCTYPE || kind == MARKUP_BROKEN;
        if (kind == MARKUP_DOCTYPE || kind == MARKUP_BROKEN)
            g_string_append_c(trace, '!');
        g_assert_cmpuint(markup.event, <=, size);
    }
    markup_clear(&markup);
    return g_string_free(trace, FALSE);
}

typedef struct {
    XML_Parser parser;
    GString *trace;
    GString *text;
} Judge;

static void on_start(void *data, const XML_Char *name, const XML_Char **attributes) {
    const Judge *judge = data;
    end_text(judge->trace, judge->text);
    g_string_append_printf(judge->trace, "start %s\n", name);
    for (; attributes[0] != NULL; attributes += 2) {
        if (strcmp(attributes[0], "k") == 0 && *attributes[1] != '\0')
            g_string_append_printf(judge->trace, "text %s\n", attributes[1]);
    }
}

static void on_end(void *data, const XML_Char *name) {
    const Judge *judge = data;
    end_text(judge->trace, judge->text);
    g_string_append_printf(judge->trace, "end %s\n", name);
}

static void on_text(void *data, const XML_Char *text, int length) {
    g_string_append_len(((const Judge *)data)->text, text, length);
}

static void on_doctype(void *data, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int has_subset) {
    (void)name, (void)system, (void)public, (void)has_subset;
    XML_StopParser(((const Judge *)data)->parser, XML_FALSE);
}

static char *trace_of_expat(const char *bytes, size_t size) {
    g_autoptr(GString) text = g_string_new(NULL);
    Judge judge = {XML_ParserCreate("UTF-8"), g_string_new(NULL), text};
    XML_SetUserData(judge.parser, &judge);
    XML_SetElementHandler(judge.parser, on_start, on_end);
    XML_SetCharacterDataHandler(judge.parser, on_text);
    XML_SetStartDoctypeDeclHandler(judge.parser, on_doctype);
    bool wide = memchr(bytes, '\0', MIN(size, 4)) != NULL;
    bool good = !wide && XML_Parse(judge.parser, bytes, (int)size, XML_TRUE) == XML_STATUS_OK;
    end_text(judge.trace, judge.text);
    if (!good)
        g_string_append_c(judge.trace, '!');
    XML_ParserFree(judge.parser);
    return g_string_free(judge.trace, FALSE);
}

static bool is_broken(const char *trace) {
    return *trace != '\0' && trace[strlen(trace) - 1] == '!';
}

/* A copy of just this size, so that reading past its end is seen. */
static void assert_like_expat(const char *bytes, size_t size) {
    g_autofree char *copy = malloc(size + (size == 0));
    memcpy(copy, bytes, size);
    g_autofree char *ours = trace_of(copy, size);
    g_autofree char *judge = trace_of_expat(copy, size);
    if (is_broken(judge) && is_broken(ours))
        return;
    if (strcmp(ours, judge) != 0)
        g_error("expat reads \"%.*s\" otherwise:\n%s\nthan we:\n%s", (int)size, bytes, judge, ours);
}

static void assert_all_like_expat(const char *const *documents, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_like_expat(documents[i], strlen(documents[i]));
}

static void tags_and_text_come_as_expat_tells_them(void) {
    static const char *const documents[] = {
        "<a/>",
        "<a></a>",
        " \n<a>\r\n<b>1</b>\r2</a >\t",
        "<a k='&lt;&#65;&#x42;&quot;'>&amp;&gt;&apos;x</a>",
        "<a k=\"1\n2\r\n3\t4\"/>",
        "<a:b _c.d-e='1'\n\tf=\"2\"  />",
        "<a><![CDATA[<b>&amp;]]]]><![CDATA[>]]></a>",
        "<a><![CDATA[]]></a>",
        "<a>]]</a>",
        "<a>] ]></a>",
        "<a><!-- - < & --><?pi <b> ?>1<!----></a>",
        "<?xml version='1.0'?><a/>",
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" standalone='yes' ?><a>\xc3\xa9</a>",
        "<?pi?><!-- before --><a/><!-- behind --><?pi?>",
        "\xef\xbb\xbf<a/>",
        "<\xc3\xa9>\xf0\x9f\x98\x80\x7f</\xc3\xa9>",
        "<a>&#x10FFFF;&#9;&#13;</a>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autofree char *trace = trace_of(documents[i], strlen(documents[i]));
        g_assert_false(is_broken(trace));
    }
    assert_all_like_expat(documents, G_N_ELEMENTS(documents));
}

static void what_expat_refuses_is_broken(void) {
    static const char *const documents[] = {
        "",
        " ",
        "a",
        "<",
        "<a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a></a></a>",
        "<a/><b/>",
        "<a/>1",
        "<a/>&amp;",
        "<1/>",
        "< a/>",
        "<a b/>",
        "<a b=c/>",
        "<a b='1'c='2'/>",
        "<a b='<'/>",
        "<a b='&c;'/>",
        "<a b='1' b='2'/>",
        "<a b='1/>",
        "<a / >",
        "<a>]]></a>",
        "<a>&</a>",
        "<a>&;</a>",
        "<a>&b;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&#x110000;</a>",
        "<a>&#99999999999999999999;</a>",
        "<a>&lt</a>",
        "<a>\x01</a>",
        "<a k='\x01'/>",
        "<a><!--\x01--></a>",
        "<a>\xff</a>",
        "<a>\xc0\x80</a>",
        "<a>\xed\xa0\x80</a>",
        "<a>\xef\xbf\xbf</a>",
        "<a>\xc3</a>",
        "<a><!-- -- --></a>",
        "<a><!-- ---></a>",
        "<a><!- --></a>",
        "<a><? pi?></a>",
        "<a><?xml version='1.0'?></a>",
        "<?XML version='1.0'?><a/>",
        " <?xml version='1.0'?><a/>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
        "<?xml?><a/>",
        "<?xml encoding='UTF-8'?><a/>",
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>",
        "<a><![CDATA[</a>",
        "<![CDATA[1]]><a/>",
        "<a><![cdata[1]]></a>",
        "<a><!DOCTYPE a></a>",
        "<a/><!DOCTYPE a>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autofree char *trace = trace_of(documents[i], strlen(documents[i]));
        g_assert_true(is_broken(trace));
    }
    assert_all_like_expat(documents, G_N_ELEMENTS(documents));
}

static void a_document_type_stops_before_it_is_read(void) {
    static const char document[] =
        "<?xml version='1.0'?><!-- --><!DOCTYPE a [<!ENTITY b 'c'>]><a/>";
    Markup markup;
    markup_init(&markup, document, strlen(document));
    g_assert_cmpint(markup_next(&markup), ==, MARKUP_DOCTYPE);
    g_assert_true(g_str_has_prefix(document + markup.event, "<!DOCTYPE"));
    markup_clear(&markup);
}

static void attributes_come_once_however_many_there_are(void) {
    for (int count = 1; count < 100; count++) {
        g_autoptr(GString) document = g_string_new("<a");
        for (int i = 0; i < count; i++)
            g_string_append_printf(document, " n%d='%d'", i * 7 % 101, i);
        gsize good = document->len;
        g_string_append(document, "/>");
        assert_like_expat(document->str, document->len);
        g_string_truncate(document, good);
        g_string_append(document, " n0=''/>");
        g_autofree char *trace = trace_of(document->str, document->len);
        g_assert_true(is_broken(trace));
    }
}

static void the_place_of_what_is_broken_is_told(void) {
    static const char document[] = "<a>text<b></a>";
    Markup markup;
    markup_init(&markup, document, strlen(document));
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(markup_next(&markup), !=, MARKUP_BROKEN);
    g_assert_cmpint(markup_next(&markup), ==, MARKUP_BROKEN);
    g_assert_cmpuint(markup.event, ==, strlen("<a>text<b>"));
    markup_clear(&markup);
}

static const char whole[] =
    "<?xml version=\"1.0\" encoding='UTF-8'?>\n<r k=\"t&amp;&#65;\" b='2'><m><e>a</e><v>1</v></m>"
    "<x>&amp;]]\r\n&#xe9;\xc3\xa9</x><?pi data?><y/><x><![CDATA[<z>]]]]></x><!-- c - c --></r>\n";

static void every_cut_is_read_as_expat_does(void) {
    for (size_t size = 0; size <= strlen(whole); size++)
        assert_like_expat(whole, size);
}

static void every_changed_byte_is_read_as_expat_does(void) {
    g_autofree char *document = g_strdup(whole);
    for (size_t i = 0; i < strlen(whole); i++) {
        for (int byte = 0; byte < 256; byte++) {
            /* Which letters beyond ASCII may stand in names changed between editions of XML. */
            document[i] = (char)byte;
            if (byte < 0x80)
                assert_like_expat(document, strlen(whole));
        }
        document[i] = whole[i];
    }
}

static void damaged_documents_are_read_as_expat_does(void) {
    static const char bytes[] = "<>/&;\"' =k#x!-[]?\r\nCD\x01";
    GRand *random = g_rand_new_with_seed(19980210);
    for (int round = 0; round < 60000; round++) {
        g_autoptr(GString) document = g_string_new(whole);
        for (gint32 n = g_rand_int_range(random, 1, 5); n > 0 && document->len > 1; n--) {
            gsize at = (gsize)g_rand_int_range(random, 0, (gint32)document->len - 1);
            gsize size = (gsize)g_rand_int_range(random, 1, 20);
            size = MIN(size, document->len - at - 1);
            g_autofree char *piece = g_strndup(document->str + at, size);
            switch (g_rand_int_range(random, 0, 3)) {
            case 0:
                document->str[at] = bytes[g_rand_int_range(random, 0, sizeof bytes - 1)];
                break;
            case 1:
                g_string_insert_len(document, g_rand_int_range(random, 0, (gint32)document->len),
                                    piece, (gssize)size);
                break;
            default:
                g_string_erase(document, (gssize)at, (gssize)size);
            }
        }
        if (g_utf8_validate(document->str, (gssize)document->len, NULL))
            assert_like_expat(document->str, document->len);
    }
    g_rand_free(random);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/markup/" #name, name)
    TEST(tags_and_text_come_as_expat_tells_them);
    TEST(what_expat_refuses_is_broken);
    TEST(a_document_type_stops_before_it_is_read);
    TEST(attributes_come_once_however_many_there_are);
    TEST(the_place_of_what_is_broken_is_told);
    TEST(every_cut_is_read_as_expat_does);
    TEST(every_changed_byte_is_read_as_expat_does);
    TEST(damaged_documents_are_read_as_expat_does);
    return g_test_run();
}
