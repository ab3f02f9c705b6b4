/* XML answers as JSON: the rule, the vendor's shapes, limits and hostile documents. */
#include "provider/xml.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

#define NAMESPACE " xmlns=\"http://example.test/doc/2010-05-08/\""

/* lists and maps are separated by blanks. */
static XmlPlan *plan_of(const char *lists, const char *maps) {
    g_auto(GStrv) list_names = g_strsplit(lists, " ", -1);
    g_auto(GStrv) map_names = g_strsplit(maps, " ", -1);
    GError *error = NULL;
    XmlPlan *plan =
        xml_plan_new((const char *const *)list_names, (const char *const *)map_names, NULL, &error);
    g_assert_no_error(error);
    return plan;
}

static void assert_json(const XmlPlan *plan, const char *xml, const char *expected) {
    g_autoptr(GString) out = g_string_new("before ");
    GError *error = NULL;
    bool good = xml_to_json(plan, xml, strlen(xml), out, &error);
    g_assert_no_error(error);
    g_assert_true(good);
    g_assert_cmpstr(out->str + strlen("before "), ==, expected);
    g_autoptr(GString) kept = g_string_new(NULL);
    g_autoptr(ScanPlan) scan = scan_plan_new(NULL, NULL, NULL, NULL);
    g_assert_true(scan_body(scan, expected, strlen(expected), NULL, kept, &error));
    g_assert_cmpstr(kept->str, ==, expected);
}

/* first: the key and value of the root's first member as they stand in the output; NULL: untold. */
static void assert_first(const XmlPlan *plan, const char *xml, const char *first) {
    g_autoptr(GString) out = g_string_new("before ");
    XmlMember member = {1, 1, 1};
    GError *error = NULL;
    bool good = xml_to_json_telling(plan, xml, strlen(xml), out, &member, &error);
    g_assert_no_error(error);
    g_assert_true(good);
    g_autofree char *told = g_strndup(out->str + member.key, member.end - member.key);
    g_assert_cmpstr(told, ==, first == NULL ? "" : first);
    if (first == NULL)
        g_assert_cmpuint(member.value + member.key, ==, 0);
    else
        g_assert_cmpint(out->str[member.value - 1], ==, ':');
}

static void the_first_member_of_the_root_is_told_where_it_stays_as_it_came(void) {
    g_autoptr(XmlPlan) plan = plan_of("Rule Box.Item", "Map");
    assert_first(plan, "<R><A><B>1</B></A><C/></R>", "\"A\":{\"B\":\"1\"}");
    assert_first(plan, "<R><A/></R>", "\"A\":\"\"");
    assert_first(plan, "<Box><A>1</A></Box>", "\"A\":\"1\"");
    /* Names that were brought together within it move no other. */
    assert_first(plan, "<R><A><B>1</B><C/><B>2</B></A></R>",
                 "\"A\":{\"B\":[\"1\",\"2\"],\"C\":\"\"}");
    assert_first(plan, "<R><A/><B/><A/></R>", NULL);
    assert_first(plan, "<R><A/><A/></R>", NULL);
    assert_first(plan, "<R><Rule>1</Rule></R>", NULL);
    assert_first(plan, "<R/>", NULL);
    assert_first(plan, "<R>text</R>", NULL);
    assert_first(plan, "<Map><entry><key>K</key><value>V</value></entry></Map>", NULL);
}

/* More names, depth and attributes than stand in the room that is always there. */
static void a_large_document_reads_as_a_small_one(void) {
    g_autoptr(XmlPlan) plan = plan_of("", "");
    g_autoptr(GString) xml = g_string_new("<R");
    g_autoptr(GString) json = g_string_new("{\"R\":{");
    for (int i = 0; i < 40; i++)
        g_string_append_printf(xml, " a%d=\"&lt;\"", i);
    g_string_append(xml, ">");
    for (int i = 0; i < 300; i++) {
        g_string_append_printf(xml, "<Name%d>%d</Name%d>", i, i, i);
        g_string_append_printf(json, "\"Name%d\":\"%d\",", i, i);
    }
    for (int i = 0; i < 40; i++) {
        g_string_append_printf(xml, "<Deep%d>", i);
        g_string_append_printf(json, "%s\"Deep%d\":", i > 0 ? "{" : "", i);
    }
    g_string_append(json, "\"end\"");
    g_string_append(xml, "end");
    for (int i = 39; i >= 0; i--) {
        g_string_append_printf(xml, "</Deep%d>", i);
        g_string_append(json, "}");
    }
    g_string_append(json, "}");
    g_string_append(xml, "</R>");
    assert_json(plan, xml->str, json->str);
}

/* The output stays as it was, and the message says nothing of the document. */
static void assert_refused(const XmlPlan *plan, const char *xml, size_t size, ErrorCode code) {
    g_autoptr(GString) out = g_string_new("as it was");
    g_autoptr(GError) error = NULL;
    g_assert_false(xml_to_json(plan, xml, size, out, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_cmpstr(out->str, ==, "as it was");
    g_assert_null(strstr(error->message, "hidden"));
}

static void assert_broken(const char *xml) {
    g_autoptr(XmlPlan) plan = plan_of("Rule Buckets.Bucket", "Map");
    assert_refused(plan, xml, strlen(xml), ERROR_SERVICE_UNAVAILABLE);
}

typedef struct {
    const char *xml;
    const char *json;
} Case;

static void assert_cases(const XmlPlan *plan, const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_json(plan, cases[i].xml, cases[i].json);
}

static void text_is_always_a_string(void) {
    static const Case cases[] = {
        {"<a>true</a>", "{\"a\":\"true\"}"},
        {"<a><b>0</b><c>null</c></a>", "{\"a\":{\"b\":\"0\",\"c\":\"null\"}}"},
        {"<a> x </a>", "{\"a\":\" x \"}"},
        {"<a><b> </b></a>", "{\"a\":{\"b\":\" \"}}"},
        {"<a>\r\n1\r2</a>", "{\"a\":\"\\n1\\n2\"}"},
        {"<a>\"\\/\t</a>", "{\"a\":\"\\\"\\\\/\\t\"}"},
        {"<a>\xc3\xa9\xf0\x9f\x98\x80</a>", "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}"},
        {"<\xc3\xa9>1</\xc3\xa9>", "{\"\xc3\xa9\":\"1\"}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void pieces_of_text_are_put_together(void) {
    static const Case cases[] = {
        {"<a>1<!-- two -->3</a>", "{\"a\":\"13\"}"},
        {"<a>1<?two?>3</a>", "{\"a\":\"13\"}"},
        {"<a><![CDATA[<b>&amp;]]>&lt;</a>", "{\"a\":\"<b>&amp;<\"}"},
        {"<a>&lt;&gt;&amp;&quot;&apos;</a>", "{\"a\":\"<>&\\\"'\"}"},
        {"<a>&#65;&#x42;&#x1F600;</a>", "{\"a\":\"AB\xf0\x9f\x98\x80\"}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void lists_are_arrays_whatever_their_length(void) {
    static const Case cases[] = {
        {"<a><member>1</member></a>", "{\"a\":{\"member\":[\"1\"]}}"},
        {"<a><item>1</item><item>2</item></a>", "{\"a\":{\"item\":[\"1\",\"2\"]}}"},
        {"<a><entry><b>1</b></entry></a>", "{\"a\":{\"entry\":[{\"b\":\"1\"}]}}"},
        {"<a><Rule><b>1</b></Rule></a>", "{\"a\":{\"Rule\":[{\"b\":\"1\"}]}}"},
        {"<a><Rule>1</Rule><Id>x</Id><Rule>2</Rule></a>",
         "{\"a\":{\"Rule\":[\"1\",\"2\"],\"Id\":\"x\"}}"},
        {"<member><member><member>1</member></member></member>",
         "{\"member\":{\"member\":[{\"member\":[\"1\"]}]}}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("Rule", "");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void empty_items_of_a_list_are_none(void) {
    static const Case cases[] = {
        {"<a><member/></a>", "{\"a\":{\"member\":[]}}"},
        {"<a><member> \n </member></a>", "{\"a\":{\"member\":[]}}"},
        {"<a><member/><member/></a>", "{\"a\":{\"member\":[]}}"},
        {"<a><member/><member>1</member></a>", "{\"a\":{\"member\":[\"1\"]}}"},
        {"<a><member>1</member><member/></a>", "{\"a\":{\"member\":[\"1\"]}}"},
        {"<a><member>1</member><member/><member>2</member></a>",
         "{\"a\":{\"member\":[\"1\",\"2\"]}}"},
        {"<a><member/><b/><member/></a>", "{\"a\":{\"member\":[],\"b\":\"\"}}"},
        {"<a><member/><b/><member>1</member></a>", "{\"a\":{\"member\":[\"1\"],\"b\":\"\"}}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void pairs_have_their_list_also_when_it_is_absent(void) {
    static const Case cases[] = {
        {"<r><Buckets/></r>", "{\"r\":{\"Buckets\":{\"Bucket\":[]}}}"},
        {"<r><Buckets>\n </Buckets></r>", "{\"r\":{\"Buckets\":{\"Bucket\":[]}}}"},
        {"<r><Buckets><n>1</n></Buckets></r>", "{\"r\":{\"Buckets\":{\"n\":\"1\",\"Bucket\":[]}}}"},
        {"<r><Buckets><Bucket>1</Bucket></Buckets></r>",
         "{\"r\":{\"Buckets\":{\"Bucket\":[\"1\"]}}}"},
        {"<r><Bucket>1</Bucket></r>", "{\"r\":{\"Bucket\":\"1\"}}"},
        {"<Buckets/>", "{\"Buckets\":{\"Bucket\":[]}}"},
        {"<r><two/></r>", "{\"r\":{\"two\":{\"a\":[],\"b\":[]}}}"},
        {"<r><two><b>1</b></two></r>", "{\"r\":{\"two\":{\"b\":[\"1\"],\"a\":[]}}}"},
        {"<r><groups/><groups><item><groups/></item></groups></r>",
         "{\"r\":{\"groups\":[{\"item\":[]},{\"item\":[{\"groups\":{\"item\":[]}}]}]}}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("Buckets.Bucket two.a two.b groups.item", "");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void names_that_come_again_lose_nothing(void) {
    static const Case cases[] = {
        {"<a><x>1</x><x>2</x></a>", "{\"a\":{\"x\":[\"1\",\"2\"]}}"},
        {"<a><x/><x/></a>", "{\"a\":{\"x\":[\"\",\"\"]}}"},
        {"<a><x>1</x><y>2</y><x>3</x></a>", "{\"a\":{\"x\":[\"1\",\"3\"],\"y\":\"2\"}}"},
        {"<a><y>0</y><x>1</x><y>2</y><x>3</x><x>4</x><z/></a>",
         "{\"a\":{\"y\":[\"0\",\"2\"],\"x\":[\"1\",\"3\",\"4\"],\"z\":\"\"}}"},
        {"<a><x><x>1</x><y/><x>2</x></x><y/><x>3</x></a>",
         "{\"a\":{\"x\":[{\"x\":[\"1\",\"2\"],\"y\":\"\"},\"3\"],\"y\":\"\"}}"},
        {"<a><x>1</x><b><x>2</x></b><c><x>3</x></c></a>",
         "{\"a\":{\"x\":\"1\",\"b\":{\"x\":\"2\"},\"c\":{\"x\":\"3\"}}}"},
        {"<a xsi:type=\"T\"><x>1</x><y>2</y><x>3</x></a>",
         "{\"a\":{\"@type\":\"T\",\"x\":[\"1\",\"3\"],\"y\":\"2\"}}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void an_empty_element_is_empty_text_but_for_the_root(void) {
    static const Case cases[] = {
        {"<VersioningConfiguration" NAMESPACE "/>", "{\"VersioningConfiguration\":{}}"},
        {"<BucketLoggingStatus>\n</BucketLoggingStatus>", "{\"BucketLoggingStatus\":{}}"},
        {"<LocationConstraint>eu-west-1</LocationConstraint>",
         "{\"LocationConstraint\":\"eu-west-1\"}"},
        {"<a><value/></a>", "{\"a\":{\"value\":\"\"}}"},
        {"<a><value></value></a>", "{\"a\":{\"value\":\"\"}}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void attributes_are_dropped_but_for_the_type(void) {
    static const Case cases[] = {
        {"<a b=\"1\"><c d=\"2\">3</c></a>", "{\"a\":{\"c\":\"3\"}}"},
        {"<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
         "xsi:type=\"CanonicalUser\"><ID>x</ID></Grantee>",
         "{\"Grantee\":{\"@type\":\"CanonicalUser\",\"ID\":\"x\"}}"},
        {"<r><g xsi:type=\"Group\"/></r>", "{\"r\":{\"g\":{\"@type\":\"Group\"}}}"},
        {"<r><member xsi:type=\"Group\"/></r>", "{\"r\":{\"member\":[{\"@type\":\"Group\"}]}}"},
        {"<r><g xsi:type=\"xs:string\">text</g></r>", "{\"r\":{\"g\":\"text\"}}"},
        {"<r xsi:type=\"&quot;\"><g>text</g></r>", "{\"r\":{\"@type\":\"\\\"\",\"g\":\"text\"}}"},
        {"<r xsi:type=\"A\"><g>1</g><g xsi:type=\"B\"><h/></g></r>",
         "{\"r\":{\"@type\":\"A\",\"g\":[\"1\",{\"@type\":\"B\",\"h\":\"\"}]}}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void maps_are_objects_when_asked_for(void) {
    static const Case cases[] = {
        {"<r><Map/></r>", "{\"r\":{\"Map\":{}}}"},
        {"<r><Map> <entry> <key>a</key> <value>1</value> </entry> </Map></r>",
         "{\"r\":{\"Map\":{\"a\":\"1\"}}}"},
        {"<r><Map><entry><value>1</value><key>a</key></entry><entry><key>b</key><value/></entry>"
         "</Map></r>",
         "{\"r\":{\"Map\":{\"a\":\"1\",\"b\":\"\"}}}"},
        {"<r><Map><entry><key>q\"&lt;\\</key><value><x>1</x></value></entry></Map></r>",
         "{\"r\":{\"Map\":{\"q\\\"<\\\\\":{\"x\":\"1\"}}}}"},
        {"<r><Map><entry><key>Map</key><value><Map><entry><key>Map</key><value>1</value></entry>"
         "</Map></value></entry></Map></r>",
         "{\"r\":{\"Map\":{\"Map\":{\"Map\":{\"Map\":\"1\"}}}}}"},
        {"<Map><entry><key>a</key><value>1</value></entry></Map>", "{\"Map\":{\"a\":\"1\"}}"},
        {"<r><Map><entry><key>a</key><value>1</value></entry></Map><x/><Map/></r>",
         "{\"r\":{\"Map\":[{\"a\":\"1\"},{}],\"x\":\"\"}}"},
        {"<r><Other><entry><key>a</key><value>1</value></entry></Other></r>",
         "{\"r\":{\"Other\":{\"entry\":[{\"key\":\"a\",\"value\":\"1\"}]}}}"},
    };
    g_autoptr(XmlPlan) plan = plan_of("", "Map");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void a_map_that_is_none_is_broken(void) {
    static const char *const maps[] = {
        "<r><Map>hidden</Map></r>",
        "<r><Map><other>hidden</other></Map></r>",
        "<r><Map><entry/></Map></r>",
        "<r><Map><entry>hidden</entry></Map></r>",
        "<r><Map><entry><key>hidden</key></entry></Map></r>",
        "<r><Map><entry><value>hidden</value></entry></Map></r>",
        "<r><Map><entry><key><hidden/></key><value>1</value></entry></Map></r>",
        "<r><Map><entry><key>a</key><key>b</key><value>1</value></entry></Map></r>",
        "<r><Map><entry><key>a</key><value>1</value><key>b</key></entry></Map></r>",
        "<r><Map><entry><key>a</key><value>1</value><more/></entry></Map></r>",
        "<r><Map><entry><key>a</key><value>1</value></entry>"
        "<entry><key>b</key><value>1</value></entry>"
        "<entry><key>a</key><value>2</value></entry></Map></r>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(maps); i++)
        assert_broken(maps[i]);
}

/* Samples of each protocol, as the vendor's answers look. */
static void answers_of_the_vendor_come_out(void) {
    static const Case cases[] = {
        {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<GetAccountSummaryResponse" NAMESPACE
         "><GetAccountSummaryResult><SummaryMap>\n<entry><key>AccountMFAEnabled</key><value>1"
         "</value></entry><entry><key>AccountAccessKeysPresent</key><value>0</value></entry>\n"
         "</SummaryMap></GetAccountSummaryResult><ResponseMetadata><RequestId>r-1</RequestId>"
         "</ResponseMetadata></GetAccountSummaryResponse>\n",
         "{\"GetAccountSummaryResponse\":{\"GetAccountSummaryResult\":{\"SummaryMap\":{"
         "\"AccountMFAEnabled\":\"1\",\"AccountAccessKeysPresent\":\"0\"}},"
         "\"ResponseMetadata\":{\"RequestId\":\"r-1\"}}}"},
        {"<ErrorResponse" NAMESPACE "><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
         "<Message>none</Message></Error><RequestId>r-2</RequestId></ErrorResponse>",
         "{\"ErrorResponse\":{\"Error\":{\"Type\":\"Sender\",\"Code\":\"NoSuchEntity\","
         "\"Message\":\"none\"},\"RequestId\":\"r-2\"}}"},
        {"<DescribeSecurityGroupsResponse" NAMESPACE "><requestId>r-3</requestId>"
         "<securityGroupInfo><item>\n<groupId>sg-1</groupId><ipPermissions><item>"
         "<fromPort>22</fromPort><groups/><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item>"
         "</ipRanges></item></ipPermissions><ipPermissionsEgress/>\n</item></securityGroupInfo>"
         "<nextToken>tok</nextToken></DescribeSecurityGroupsResponse>",
         "{\"DescribeSecurityGroupsResponse\":{\"requestId\":\"r-3\",\"securityGroupInfo\":{"
         "\"item\":[{\"groupId\":\"sg-1\",\"ipPermissions\":{\"item\":[{\"fromPort\":\"22\","
         "\"groups\":{\"item\":[]},\"ipRanges\":{\"item\":[{\"cidrIp\":\"0.0.0.0/0\"}]}}]},"
         "\"ipPermissionsEgress\":{\"item\":[]}}]},\"nextToken\":\"tok\"}}"},
        {"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error>"
         "</Errors><RequestID>r-4</RequestID></Response>",
         "{\"Response\":{\"Errors\":{\"Error\":{\"Code\":\"UnauthorizedOperation\",\"Message\":"
         "\"no\"}},\"RequestID\":\"r-4\"}}"},
        {"<ListAllMyBucketsResult" NAMESPACE "><Owner><ID>abc</ID></Owner><Buckets><Bucket>"
         "<Name>logs</Name></Bucket></Buckets></ListAllMyBucketsResult>",
         "{\"ListAllMyBucketsResult\":{\"Owner\":{\"ID\":\"abc\"},\"Buckets\":{\"Bucket\":[{"
         "\"Name\":\"logs\"}]}}}"},
    };
    g_autoptr(XmlPlan) plan =
        plan_of("Bucket groups.item ipRanges.item ipPermissionsEgress.item", "SummaryMap");
    assert_cases(plan, cases, G_N_ELEMENTS(cases));
}

static void malformed_documents_are_broken(void) {
    static const char *const documents[] = {
        "",
        "hidden",
        "{\"hidden\":1}",
        "<hidden",
        "<hidden>",
        "<hidden></other>",
        "<a/><hidden/>",
        "<a/>hidden",
        "<a b=hidden/>",
        "<a b=\"1\" b=\"hidden\"/>",
        "<a>&hidden;</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>\x01</a>",
        "<a>\xff</a>",
        "<a>\xed\xa0\x80</a>",
        "<a>\xc0\x80</a>",
        "<a><![CDATA[hidden</a>",
        "<a><!-- hidden </a>",
        "<?xml version=\"1.0\"?><?xml version=\"1.0\"?><a/>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++)
        assert_broken(documents[i]);
}

static void text_beside_elements_is_broken(void) {
    assert_broken("<a>hidden<b/></a>");
    assert_broken("<a><b/>hidden</a>");
    assert_broken("<a><b/>hidden<c/></a>");
    assert_broken("<r><Map>hidden<entry><key>a</key><value>1</value></entry></Map></r>");
}

static void every_cut_of_a_document_is_broken(void) {
    static const char whole[] = "<?xml version=\"1.0\"?><a xsi:type=\"t\"><Rule>1</Rule><x>&amp;"
                                "\xc3\xa9</x><Map><entry><key>a</key><value>1</value></entry></Map>"
                                "<x><![CDATA[z]]></x></a>";
    g_autoptr(XmlPlan) plan = plan_of("Rule", "Map");
    for (size_t size = 0; size < strlen(whole); size++)
        assert_refused(plan, whole, size, ERROR_SERVICE_UNAVAILABLE);
    assert_json(plan, whole,
                "{\"a\":{\"@type\":\"t\",\"Rule\":[\"1\"],\"x\":[\"&\xc3\xa9\",\"z\"],"
                "\"Map\":{\"a\":\"1\"}}}");
}

static void a_nul_is_broken(void) {
    g_autoptr(XmlPlan) plan = plan_of("", "");
    static const char document[] = "<a>\0</a>";
    assert_refused(plan, document, sizeof document - 1, ERROR_SERVICE_UNAVAILABLE);
}

static void document_types_are_refused(void) {
    assert_broken("<!DOCTYPE html><html><body/></html>");
    assert_broken("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>");
    assert_broken("<!DOCTYPE a [<!ENTITY hidden SYSTEM \"file:///etc/passwd\">]><a>&hidden;</a>");
    assert_broken("<!DOCTYPE a [<!ENTITY % hidden SYSTEM \"http://127.0.0.1/\"> %hidden;]><a/>");
    assert_broken("<?xml version=\"1.0\"?><!-- first --><!DOCTYPE a []><a/>");
}

static void a_billion_laughs_are_refused_unread(void) {
    g_autoptr(GString) document = g_string_new("<!DOCTYPE lolz [<!ENTITY lol0 \"hidden\">");
    for (int i = 1; i < 10; i++) {
        g_string_append_printf(document, "<!ENTITY lol%d \"", i);
        for (int k = 0; k < 10; k++)
            g_string_append_printf(document, "&lol%d;", i - 1);
        g_string_append(document, "\">");
    }
    g_string_append(document, "]><lolz>&lol9;</lolz>");
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_refused(plan, document->str, document->len, ERROR_SERVICE_UNAVAILABLE);
}

/* What another encoding would make of the bytes does not count: they are UTF-8 or refused. */
static void a_declared_encoding_changes_nothing(void) {
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_json(plan, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xc3\xa9</a>",
                "{\"a\":\"\xc3\xa9\"}");
    assert_broken("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>");
    static const char utf16[] = "\xff\xfe<\0a\0/\0>\0";
    assert_refused(plan, utf16, sizeof utf16 - 1, ERROR_SERVICE_UNAVAILABLE);
    assert_json(plan, "\xef\xbb\xbf<a>1</a>", "{\"a\":\"1\"}");
}

static XmlPlan *limited(ScanLimits limits) {
    static const char *const lists[] = {"Rule", NULL};
    GError *error = NULL;
    XmlPlan *plan = xml_plan_new(lists, NULL, &limits, &error);
    g_assert_no_error(error);
    return plan;
}

/* <a> so many times within each other. Caller frees. */
static char *nested(const char *name, size_t depth) {
    GString *document = g_string_new(NULL);
    for (size_t i = 0; i < depth; i++)
        g_string_append_printf(document, "<%s>", name);
    g_string_append_c(document, '1');
    for (size_t i = 0; i < depth; i++)
        g_string_append_printf(document, "</%s>", name);
    return g_string_free(document, FALSE);
}

static void size_is_limited(void) {
    static const char document[] = "<a>12345</a>";
    size_t size = strlen(document);
    g_autoptr(XmlPlan) enough = limited((ScanLimits){size, 10, 10});
    assert_json(enough, document, "{\"a\":\"12345\"}");
    g_autoptr(XmlPlan) little = limited((ScanLimits){size - 1, 10, 10});
    assert_refused(little, document, size, ERROR_LIMIT);
}

static void output_is_limited_as_well(void) {
    static const char document[] = "<a>\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"</a>";
    g_autoptr(XmlPlan) plan = limited((ScanLimits){strlen(document), 10, 10});
    assert_refused(plan, document, strlen(document), ERROR_LIMIT);
}

static void elements_are_counted(void) {
    g_autoptr(XmlPlan) plan = limited((ScanLimits){1000, 3, 10});
    assert_json(plan, "<a><b/><b/></a>", "{\"a\":{\"b\":[\"\",\"\"]}}");
    static const char more[] = "<a><b/><b/><Rule/></a>";
    assert_refused(plan, more, strlen(more), ERROR_LIMIT);
}

static void depth_is_limited(void) {
    g_autoptr(XmlPlan) plan = limited((ScanLimits){100000, 100000, 64});
    g_autofree char *deep = nested("a", 63);
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(xml_to_json(plan, deep, strlen(deep), out, NULL));
    g_autofree char *deeper = nested("a", 64);
    assert_refused(plan, deeper, strlen(deeper), ERROR_LIMIT);
    g_autofree char *lists = nested("member", 34);
    assert_refused(plan, lists, strlen(lists), ERROR_LIMIT);
    g_autofree char *deepest = nested("a", 10000);
    assert_refused(plan, deepest, strlen(deepest), ERROR_LIMIT);
}

/* What passes here passes the scan that comes next, however the plan's limits are set. */
static void no_plan_allows_more_depth_than_the_scan_has(void) {
    g_autoptr(XmlPlan) plan = limited((ScanLimits){1000000, 100000, 100000});
    g_autofree char *deep = nested("a", 5000);
    assert_refused(plan, deep, strlen(deep), ERROR_LIMIT);
}

static void names_are_limited(void) {
    g_autoptr(GString) document = g_string_new("<a>");
    for (int i = 0; i < 70000; i++)
        g_string_append_printf(document, "<n%d/>", i);
    g_string_append(document, "</a>");
    g_autoptr(XmlPlan) plan = plan_of("", "");
    assert_refused(plan, document->str, document->len, ERROR_LIMIT);
}

/* Elements out of order at every level are moved once a level; a large document cannot make that
 * its own size times its depth. */
static void disorder_is_limited(void) {
    g_autoptr(GString) document = g_string_new(NULL);
    const int levels = 40;
    for (int i = 0; i < levels; i++)
        g_string_append(document, "<a><x/><y/><x/>");
    g_string_append(document, "<text>");
    for (int i = 0; i < 20000; i++)
        g_string_append(document, "0123456789");
    g_string_append(document, "</text>");
    for (int i = 0; i < levels; i++)
        g_string_append(document, "</a>");
    g_autoptr(XmlPlan) plan = limited((ScanLimits){document->len, 1000, 64});
    assert_refused(plan, document->str, document->len, ERROR_LIMIT);
    g_autoptr(XmlPlan) roomy = limited((ScanLimits){document->len * 10, 1000, 64});
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(xml_to_json(roomy, document->str, document->len, out, NULL));
}

static void many_repeats_and_attributes_come_out(void) {
    g_autoptr(GString) document = g_string_new("<a");
    for (int i = 0; i < 2000; i++)
        g_string_append_printf(document, " n%d=\"\"", i);
    g_string_append_c(document, '>');
    for (int i = 0; i < 20000; i++)
        g_string_append(document, i % 2 ? "<x/>" : "<y/>");
    g_string_append(document, "</a>");
    g_autoptr(XmlPlan) plan = plan_of("", "");
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(xml_to_json(plan, document->str, document->len, out, NULL));
    g_autoptr(Json) json = json_parse(out->str, out->len, out->len, NULL);
    g_assert_cmpuint(json_count(json_path(json, "a.x")), ==, 10000);
    g_assert_cmpuint(json_count(json_path(json, "a.y")), ==, 10000);
}

static void plans_with_names_that_are_none_are_refused(void) {
    static const char *const wrong[] = {"",    ".",  "a.", ".b",  "a.b.c",
                                        "a b", "1a", "-a", "a\"", "a,b"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        const char *const names[] = {"Good", wrong[i], NULL};
        g_autoptr(GError) list_error = NULL, map_error = NULL;
        g_assert_null(xml_plan_new(names, NULL, NULL, &list_error));
        g_assert_error(list_error, ASSAY_ERROR, ERROR_CONFIGURATION);
        g_assert_null(xml_plan_new(NULL, names, NULL, &map_error));
        g_assert_error(map_error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
    static const char *const pair[] = {"a.b", NULL};
    g_assert_null(xml_plan_new(NULL, pair, NULL, NULL));
    g_autoptr(XmlPlan) plan = xml_plan_new(NULL, NULL, NULL, NULL);
    g_assert_nonnull(plan);
}

/* A random document, and what the rule makes of it when it is followed naively on a tree. */

typedef struct Node Node;
struct Node {
    const char *name;
    const char *text; /* when there are no children */
    GPtrArray *children;
};

static void node_free(void *data) {
    Node *node = data;
    g_ptr_array_unref(node->children);
    g_free(node);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Node, node_free)

static const char *pick(GRand *random, const char *const *texts, size_t count) {
    return texts[g_rand_int_range(random, 0, (gint32)count)];
}

static Node *random_node(GRand *random, int depth) {
    static const char *const names[] = {"a", "b", "c", "member", "item", "Rule", "Wrap", "x"};
    static const char *const texts[] = {"", "1", "true", "\xc3\xa9", "\"q\""};
    Node *node = g_new0(Node, 1);
    node->name = pick(random, names, G_N_ELEMENTS(names));
    node->text = pick(random, texts, G_N_ELEMENTS(texts));
    node->children = g_ptr_array_new_with_free_func(node_free);
    gint32 count = depth > 0 ? g_rand_int_range(random, -3, 7) : 0;
    for (gint32 i = 0; i < count; i++)
        g_ptr_array_add(node->children, random_node(random, depth - 1));
    return node;
}

static void write_xml(const Node *node, GRand *random, GString *out) {
    static const char *const between[] = {"", "", " ", "\n  ", "<!-- c -->", "<?pi?>"};
    bool empty = node->children->len == 0 && *node->text == '\0';
    g_string_append_printf(out, "<%s%s", node->name, g_rand_boolean(random) ? "" : " id='1'");
    if (empty && g_rand_boolean(random)) {
        g_string_append(out, "/>");
        return;
    }
    g_string_append_c(out, '>');
    if (node->children->len == 0)
        g_string_append(out, node->text);
    for (guint i = 0; i < node->children->len; i++) {
        g_string_append(out, pick(random, between, G_N_ELEMENTS(between)));
        write_xml(node->children->pdata[i], random, out);
    }
    if (node->children->len > 0)
        g_string_append(out, pick(random, between, G_N_ELEMENTS(between)));
    g_string_append_printf(out, "</%s>", node->name);
}

static bool is_list(const Node *node, const Node *parent) {
    static const char *const lists[] = {"member", "item", "Rule"};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (strcmp(node->name, lists[i]) == 0)
            return true;
    }
    return strcmp(parent->name, "Wrap") == 0 && strcmp(node->name, "x") == 0;
}

static guint count_named(const Node *parent, const char *name) {
    guint count = 0;
    for (guint i = 0; i < parent->children->len; i++)
        count += strcmp(((const Node *)parent->children->pdata[i])->name, name) == 0;
    return count;
}

static Json *expect(const Node *node, bool root);

static void expect_child(Json *object, const Node *node, const Node *child) {
    bool list = is_list(child, node);
    bool nothing = list && child->children->len == 0 && *child->text == '\0' &&
                   strcmp(child->name, "Wrap") != 0;
    if (!list && count_named(node, child->name) == 1) {
        json_put(object, child->name, expect(child, false));
        return;
    }
    if (json_member(object, child->name) == NULL)
        json_put(object, child->name, json_new_array());
    if (!nothing)
        json_add(json_member(object, child->name), expect(child, false));
}

static Json *expect(const Node *node, bool root) {
    bool wrapper = strcmp(node->name, "Wrap") == 0;
    bool empty = *node->text == '\0';
    if (node->children->len == 0 && !(empty && (root || wrapper)))
        return json_new_string(node->text);
    Json *object = json_new_object();
    for (guint i = 0; i < node->children->len; i++)
        expect_child(object, node, node->children->pdata[i]);
    if (wrapper && json_member(object, "x") == NULL)
        json_put(object, "x", json_new_array());
    return object;
}

static void random_documents_come_out_as_the_rule_says(void) {
    g_autoptr(XmlPlan) plan = plan_of("Rule Wrap.x", "");
    GRand *random = g_rand_new_with_seed(20101118);
    for (int round = 0; round < 3000; round++) {
        g_autoptr(Node) node = random_node(random, g_rand_int_range(random, 0, 6));
        g_autoptr(GString) xml = g_string_new(NULL);
        write_xml(node, random, xml);
        g_autoptr(Json) expected = json_new_object();
        json_put(expected, node->name, expect(node, true));
        g_autofree char *text = json_print(expected, JSON_COMPACT);
        g_autoptr(GString) out = g_string_new(NULL);
        g_assert_true(xml_to_json(plan, xml->str, xml->len, out, NULL));
        g_assert_cmpstr(out->str, ==, text);
    }
    g_rand_free(random);
}

/* Changes a few bytes, or doubles or drops a piece. */
static void mutate(GString *document, GRand *random) {
    static const char bytes[] = "<>/&;\"' =aMk![]-?\xc3\xff\x01";
    for (gint32 n = g_rand_int_range(random, 1, 6); n > 0 && document->len > 2; n--) {
        gsize at = (gsize)g_rand_int_range(random, 0, (gint32)document->len - 1);
        gsize size = (gsize)g_rand_int_range(random, 1, 30);
        size = MIN(size, document->len - at);
        g_autofree char *piece = g_strndup(document->str + at, size);
        switch (g_rand_int_range(random, 0, 3)) {
        case 0:
            document->str[at] = bytes[g_rand_int_range(random, 0, sizeof bytes - 1)];
            break;
        case 1:
            g_string_insert_len(document, (gssize)at, piece, (gssize)size);
            break;
        default:
            g_string_erase(document, (gssize)at, (gssize)size);
        }
    }
}

/* Whatever comes: good JSON, or an error and an output as it was. */
static void damaged_documents_do_no_harm(void) {
    static const char whole[] =
        "<r xsi:type=\"t\"><Map><entry><key>a</key><value>1</value></entry><entry><key>b</key>"
        "<value><x/></value></entry></Map><Rule>1</Rule><x>&amp;</x><Wrap><x>1</x><y/><x/></Wrap>"
        "<x><![CDATA[z]]></x><member><item/><item>2</item></member><!-- c --></r>";
    g_autoptr(XmlPlan) plan = plan_of("Rule Wrap.x", "Map");
    g_autoptr(ScanPlan) scan = scan_plan_new(NULL, NULL, NULL, NULL);
    GRand *random = g_rand_new_with_seed(42);
    int good = 0;
    for (int round = 0; round < 20000; round++) {
        g_autoptr(GString) document = g_string_new(whole);
        mutate(document, random);
        g_autoptr(GString) out = g_string_new("as it was");
        g_autoptr(GError) error = NULL;
        if (!xml_to_json(plan, document->str, document->len, out, &error)) {
            g_assert_nonnull(error);
            g_assert_cmpstr(out->str, ==, "as it was");
            continue;
        }
        good++;
        g_autoptr(Json) json = json_parse(out->str + strlen("as it was"),
                                          out->len - strlen("as it was"), out->len, &error);
        g_assert_no_error(error);
    }
    g_assert_cmpint(good, >, 200);
    g_rand_free(random);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/xml/" #name, name)
    TEST(text_is_always_a_string);
    TEST(pieces_of_text_are_put_together);
    TEST(the_first_member_of_the_root_is_told_where_it_stays_as_it_came);
    TEST(a_large_document_reads_as_a_small_one);
    TEST(lists_are_arrays_whatever_their_length);
    TEST(empty_items_of_a_list_are_none);
    TEST(pairs_have_their_list_also_when_it_is_absent);
    TEST(names_that_come_again_lose_nothing);
    TEST(an_empty_element_is_empty_text_but_for_the_root);
    TEST(attributes_are_dropped_but_for_the_type);
    TEST(maps_are_objects_when_asked_for);
    TEST(a_map_that_is_none_is_broken);
    TEST(answers_of_the_vendor_come_out);
    TEST(malformed_documents_are_broken);
    TEST(text_beside_elements_is_broken);
    TEST(every_cut_of_a_document_is_broken);
    TEST(a_nul_is_broken);
    TEST(document_types_are_refused);
    TEST(a_billion_laughs_are_refused_unread);
    TEST(a_declared_encoding_changes_nothing);
    TEST(size_is_limited);
    TEST(output_is_limited_as_well);
    TEST(elements_are_counted);
    TEST(depth_is_limited);
    TEST(no_plan_allows_more_depth_than_the_scan_has);
    TEST(names_are_limited);
    TEST(disorder_is_limited);
    TEST(many_repeats_and_attributes_come_out);
    TEST(plans_with_names_that_are_none_are_refused);
    TEST(random_documents_come_out_as_the_rule_says);
    TEST(damaged_documents_do_no_harm);
    return g_test_run();
}
