/* The AWS signer: published vectors, canonical form, what it refuses, what it keeps. */
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "connect/aws_signer.h"

#include <string.h>

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define VECTOR_TIME INT64_C(1440938160000) /* 2015-08-30T12:36:00Z */
#define DAY_MS INT64_C(86400000)
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static Secret *secret_of(const char *text) {
    GError *error = NULL;
    Secret *secret = secret_new(text, strlen(text), &error);
    g_assert_no_error(error);
    return secret;
}

/* A signer with its secrets. */
typedef struct {
    Secret *secret;
    Secret *token;
    AwsSigner *signer;
    NetHeaders *out;
} Fixture;

static void fixture_init(Fixture *fixture, const char *token) {
    fixture->secret = secret_of(SECRET);
    fixture->token = token != NULL ? secret_of(token) : NULL;
    fixture->signer = aws_signer_new(KEY_ID, fixture->secret, fixture->token);
    fixture->out = net_headers_new(16384);
}

static void fixture_clear(Fixture *fixture) {
    aws_signer_free(fixture->signer);
    net_headers_free(fixture->out);
    secret_free(fixture->secret);
    secret_free(fixture->token);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* Signs and gives the Authorization header. Borrowed from the fixture until the next call. */
static const char *sign(Fixture *fixture, const AwsSigning *what) {
    GError *error = NULL;
    net_headers_clear(fixture->out);
    bool good = aws_sign(fixture->signer, what, fixture->out, &error);
    g_assert_no_error(error);
    g_assert_true(good);
    const char *authorization = net_headers_get(fixture->out, "authorization");
    g_assert_nonnull(authorization);
    return authorization;
}

static AwsSigning get(const char *url) {
    return (AwsSigning){.method = "GET",
                        .url = url,
                        .region = "eu-west-1",
                        .service = "service",
                        .now_ms = VECTOR_TIME};
}

/* The hash of the canonical request of this. Caller frees. */
static char *canonical_hash(Fixture *fixture, const AwsSigning *what) {
    (void)sign(fixture, what);
    char hash[DIGEST_HEX_SIZE];
    aws_signer_canonical_hash(fixture->signer, hash);
    return g_strdup(hash);
}

/* Holds the canonical request of a GET without headers of its own against a path and query. */
static void assert_canonical(Fixture *fixture, const AwsSigning *what, const char *path,
                             const char *query) {
    g_autofree char *text =
        g_strdup_printf("GET\n%s\n%s\nhost:h.example\n%sx-amz-date:20150830T123600Z\n\nhost;%s"
                        "x-amz-date\n%s",
                        path, query,
                        what->s3 ? "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
                                   "649b934ca495991b7852b855\n"
                                 : "",
                        what->s3 ? "x-amz-content-sha256;" : "",
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    char expected[DIGEST_HEX_SIZE];
    digest_sha256_hex(text, strlen(text), expected);
    g_autofree char *hash = canonical_hash(fixture, what);
    g_assert_cmpstr(hash, ==, expected);
}

typedef struct {
    AwsSigning what;
    const char *token;
    const char *scope;
    const char *signed_names;
    const char *canonical; /* SHA-256 of the canonical request */
    const char *signature;
} Vector;

static const NetHeader form_header[] = {{"Content-Type", FORM}};
static const NetHeader json_headers[] = {
    {"Content-Type", "application/x-amz-json-1.1"},
    {"X-Amz-Target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails"},
};

static const Vector vectors[] = {
    {
        .what = {.method = "GET",
                 .url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                 .headers = form_header,
                 .header_count = 1,
                 .region = "us-east-1",
                 .service = "iam"},
        .scope = "us-east-1/iam",
        .signed_names = "content-type;host;x-amz-date",
        .canonical = "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59",
        .signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    },
    {
        .what = {.method = "POST",
                 .url = "https://sts.us-east-1.amazonaws.com/",
                 .headers = form_header,
                 .header_count = 1,
                 .body = "Action=GetCallerIdentity&Version=2011-06-15",
                 .body_size = 43,
                 .region = "us-east-1",
                 .service = "sts"},
        .scope = "us-east-1/sts",
        .signed_names = "content-type;host;x-amz-date",
        .canonical = "74f85d64795bc5f30af8b92378344f5c25c0d305498fca44ea38f6a5a1d5860f",
        .signature = "52a8540fea00e731072179f763577cbe2a45eac2c5d32fb4d785f3eefac88165",
    },
    {
        .what = {.method = "GET",
                 .url = "https://my-bucket.s3.eu-west-1.amazonaws.com/?publicAccessBlock",
                 .region = "eu-west-1",
                 .service = "s3",
                 .s3 = true},
        .token = "TOKENEXAMPLE",
        .scope = "eu-west-1/s3",
        .signed_names = "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
        .canonical = "4b1ee1698b35985d8001457c2a79b0ae97980e6cff0fb4db57206f605394d1aa",
        .signature = "d5c034ed671d3aeba3c2528fc1f67dfab420ab0aa248513f42aefc7321a9b8ac",
    },
    {
        .what = {.method = "POST",
                 .url = "https://cloudtrail.eu-west-1.amazonaws.com/",
                 .headers = json_headers,
                 .header_count = 2,
                 .body = "{}",
                 .body_size = 2,
                 .region = "eu-west-1",
                 .service = "cloudtrail"},
        .scope = "eu-west-1/cloudtrail",
        .signed_names = "content-type;host;x-amz-date;x-amz-target",
        .canonical = "8acc918f4b56939fd9b438706f6186f5d91104882060348dff0ff96d18b750c8",
        .signature = "9bc85c005ebf99a5feaadeacecada3407aff8d803e52ba3aa0b2fe36f2ba9b34",
    },
    {
        .what = {.method = "GET",
                 .url =
                     "https://securityhub.eu-west-1.amazonaws.com/standards/controls/"
                     "arn%3Aaws%3Asecurityhub%3Aeu-west-1%3A123456789012%3Asubscription/"
                     "cis-aws-foundations-benchmark/v/1.2.0?MaxResults=100&NextToken=a%2Fb%3D%3D",
                 .region = "eu-west-1",
                 .service = "securityhub"},
        .scope = "eu-west-1/securityhub",
        .signed_names = "host;x-amz-date",
        .canonical = "80374f9d5bbe65f51fccc84227bd29e3b6a9008653da34b6b0422890513035c0",
        .signature = "74fb7389d17e5a9ff0ea3099a228c0ace6595d47719654049deb2e531bc6e47a",
    },
};

static void published_vectors_come_out(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        const Vector *vector = &vectors[i];
        g_auto(Fixture) fixture;
        fixture_init(&fixture, vector->token);
        AwsSigning what = vector->what;
        what.now_ms = VECTOR_TIME;
        g_autofree char *expected =
            g_strdup_printf("AWS4-HMAC-SHA256 Credential=" KEY_ID "/20150830/%s/aws4_request, "
                            "SignedHeaders=%s, Signature=%s",
                            vector->scope, vector->signed_names, vector->signature);
        g_assert_cmpstr(sign(&fixture, &what), ==, expected);
        char hash[DIGEST_HEX_SIZE];
        aws_signer_canonical_hash(fixture.signer, hash);
        g_assert_cmpstr(hash, ==, vector->canonical);
    }
}

static void key_chain_comes_out(void) {
    static const char *const links[] = {"20150830", "us-east-1", "iam", "aws4_request"};
    static const char *const expected[] = {
        "0138c7a6cbd60aa727b2f653a522567439dfb9f3e72b21f9b25941a42f04a7cd",
        "f33d5808504bf34812e5fade63308b424b244c59189be2a591dd2282c7cb563f",
        "199e1f48c602a5ae77ce26a46906920e76fc8427aeaa53da643646fcda1ccfb0",
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
    };
    uint8_t key[DIGEST_SIZE];
    digest_hmac_sha256("AWS4" SECRET, strlen("AWS4" SECRET), links[0], strlen(links[0]), key);
    for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
        uint8_t before[DIGEST_SIZE];
        memcpy(before, key, sizeof before);
        if (i > 0)
            digest_hmac_sha256(before, sizeof before, links[i], strlen(links[i]), key);
        g_autofree char *hex = text_hex(key, sizeof key);
        g_assert_cmpstr(hex, ==, expected[i]);
    }
    g_autoptr(Secret) secret = secret_of(SECRET);
    uint8_t derived[DIGEST_SIZE];
    aws_signer_derive(secret, links[0], links[1], links[2], derived);
    g_assert_true(memcmp(derived, key, sizeof key) == 0);
}

static void each_request_gets_the_headers_it_needs(void) {
    g_auto(Fixture) plain;
    fixture_init(&plain, NULL);
    AwsSigning what = get("https://h.example/");
    (void)sign(&plain, &what);
    g_assert_cmpuint(net_headers_count(plain.out), ==, 2);
    g_assert_cmpstr(net_headers_get(plain.out, "x-amz-date"), ==, "20150830T123600Z");

    g_auto(Fixture) temporary;
    fixture_init(&temporary, "TOKEN+/=");
    what.s3 = true;
    what.body = "body";
    what.body_size = 4;
    (void)sign(&temporary, &what);
    g_assert_cmpuint(net_headers_count(temporary.out), ==, 4);
    g_assert_cmpstr(net_headers_get(temporary.out, "x-amz-security-token"), ==, "TOKEN+/=");
    g_assert_cmpstr(net_headers_get(temporary.out, "x-amz-content-sha256"), ==,
                    "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5");
}

static void headers_that_were_there_stay(void) {
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    g_assert_true(net_headers_add(fixture.out, "Accept", "text/xml", NULL));
    AwsSigning what = get("https://h.example/");
    g_assert_true(aws_sign(fixture.signer, &what, fixture.out, NULL));
    g_assert_cmpuint(net_headers_count(fixture.out), ==, 3);
    g_assert_cmpstr(net_headers_at(fixture.out, 0).value, ==, "text/xml");
}

static void paths_are_normalised_and_encoded_twice(void) {
    static const char *const cases[][2] = {
        {"", "/"},
        {"/", "/"},
        {"//", "/"},
        {"/a/b", "/a/b"},
        {"/a/b/", "/a/b/"},
        {"/a//b///c", "/a/b/c"},
        {"/a/./b/.", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/b/../../c/", "/c/"},
        {"/../../a", "/a"},
        {"/..", "/"},
        {"/a/..", "/"},
        {"/a/../", "/"},
        {"/...", "/..."},
        {"/.a/..b", "/.a/..b"},
        {"/a%20b", "/a%2520b"},
        {"/arn%3Aaws", "/arn%253Aaws"},
        {"/a:b@c", "/a%3Ab%40c"},
        {"/a%2Fb", "/a%252Fb"},
        {"/~-_.A9", "/~-_.A9"},
        {"/%e4%bd%a0", "/%25e4%25bd%25a0"},
        {"/100%", "/100%25"},
    };
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = g_strconcat("https://h.example", cases[i][0], NULL);
        AwsSigning what = get(url);
        assert_canonical(&fixture, &what, cases[i][1], "");
    }
}

static void paths_of_s3_stay_and_are_encoded_once(void) {
    static const char *const cases[][2] = {
        {"", "/"},
        {"/", "/"},
        {"//a", "//a"},
        {"/a/../b/./c//", "/a/../b/./c//"},
        {"/a%20b", "/a%20b"},
        {"/a%2Fb", "/a%2Fb"},
        {"/a:b@c", "/a%3Ab%40c"},
        {"/a%3ab", "/a%3Ab"},
        {"/%41%7e", "/A~"},
        {"/100%", "/100%25"},
        {"/100%2", "/100%252"},
        {"/%zz", "/%25zz"},
        {"/%e4%bd%a0", "/%E4%BD%A0"},
    };
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = g_strconcat("https://h.example", cases[i][0], NULL);
        AwsSigning what = get(url);
        what.s3 = true;
        assert_canonical(&fixture, &what, cases[i][1], "");
    }
}

static void queries_are_sorted_as_they_are_encoded(void) {
    static const char *const cases[][2] = {
        {"?", ""},
        {"?a", "a="},
        {"?a=", "a="},
        {"?b=1&a=2", "a=2&b=1"},
        {"?a=2&a=1&a=10", "a=1&a=10&a=2"},
        {"?a-b=1&a=2", "a=2&a-b=1"},
        {"?ab=1&a=2&A=3", "A=3&a=2&ab=1"},
        {"?b=1&%61=2", "a=2&b=1"},
        {"?a=%2f%3d", "a=%2F%3D"},
        {"?a=b=c", "a=b%3Dc"},
        {"?a=x:y/z", "a=x%3Ay%2Fz"},
        {"?a=%20+", "a=%20%2B"},
        {"?%7e=~", "~=~"},
        {"?a=%", "a=%25"},
        {"?a=1&&b=2", "=&a=1&b=2"},
        {"?versions&list-type=2&prefix=%C3%A4", "list-type=2&prefix=%C3%A4&versions="},
        {"?a=1#fragment", "a=1"},
    };
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = g_strconcat("https://h.example/", cases[i][0], NULL);
        AwsSigning what = get(url);
        assert_canonical(&fixture, &what, "/", cases[i][1]);
    }
}

/* Pairs of small random keys and values. Caller frees. */
static GPtrArray *random_pairs(GRand *random) {
    static const char *const texts[] = {"", "a", "A", "b", "a-", "a.", "%20", "%C3%A9", "~", "1"};
    GPtrArray *pairs = g_ptr_array_new_with_free_func(g_free);
    gint32 count = g_rand_int_range(random, 1, 30);
    for (gint32 i = 0; i < count; i++) {
        const char *key = texts[g_rand_int_range(random, 0, G_N_ELEMENTS(texts))];
        const char *value = texts[g_rand_int_range(random, 0, G_N_ELEMENTS(texts))];
        g_ptr_array_add(pairs, *value != '\0' || g_rand_boolean(random)
                                   ? g_strconcat(key, "=", value, NULL)
                                   : g_strdup(key));
    }
    return pairs;
}

static char *url_of_pairs(const GPtrArray *pairs) {
    GString *url = g_string_new("https://h.example/");
    for (guint i = 0; i < pairs->len; i++)
        g_string_append_printf(url, "%c%s", i == 0 ? '?' : '&', (char *)pairs->pdata[i]);
    return g_string_free(url, FALSE);
}

static void order_of_a_query_changes_no_signature(void) {
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    GRand *random = g_rand_new_with_seed(20150830);
    for (int round = 0; round < 200; round++) {
        g_autoptr(GPtrArray) pairs = random_pairs(random);
        g_autofree char *url = url_of_pairs(pairs);
        AwsSigning what = get(url);
        g_autofree char *first = g_strdup(sign(&fixture, &what));
        for (guint i = pairs->len; i > 1; i--) {
            gpointer *a = &pairs->pdata[i - 1];
            gpointer *b = &pairs->pdata[g_rand_int_range(random, 0, (gint32)i)];
            gpointer kept = *a;
            *a = *b;
            *b = kept;
        }
        g_autofree char *shuffled = url_of_pairs(pairs);
        what.url = shuffled;
        g_assert_cmpstr(sign(&fixture, &what), ==, first);
        g_autofree char *longer = g_strconcat(shuffled, "&b=2", NULL);
        what.url = longer;
        g_assert_cmpstr(sign(&fixture, &what), !=, first);
    }
    g_rand_free(random);
}

static void headers_are_trimmed_joined_and_sorted(void) {
    static const NetHeader messy[] = {
        {"X-Amz-Meta-B", "  two\t \twords  "},
        {"CONTENT-TYPE", "a/b;  c"},
        {"x-amz-meta-a", ""},
        {"X-AMZ-META-b", "again"},
        {"X-Amz-Meta-B-C", "z"},
    };
    static const NetHeader clean[] = {
        {"content-type", "a/b; c"},
        {"x-amz-meta-a", ""},
        {"x-amz-meta-b", "two words,again"},
        {"x-amz-meta-b-c", "z"},
    };
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    AwsSigning what = get("https://h.example/");
    what.headers = messy;
    what.header_count = G_N_ELEMENTS(messy);
    g_autofree char *one = g_strdup(sign(&fixture, &what));
    what.headers = clean;
    what.header_count = G_N_ELEMENTS(clean);
    g_assert_cmpstr(sign(&fixture, &what), ==, one);
    g_assert_nonnull(strstr(one, "SignedHeaders=content-type;host;x-amz-date;x-amz-meta-a;"
                                 "x-amz-meta-b;x-amz-meta-b-c,"));
}

static void order_of_repeated_headers_matters(void) {
    static const NetHeader ab[] = {{"x-amz-meta", "a"}, {"x-amz-meta", "b"}};
    static const NetHeader ba[] = {{"x-amz-meta", "b"}, {"x-amz-meta", "a"}};
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    AwsSigning what = get("https://h.example/");
    what.header_count = 2;
    what.headers = ab;
    g_autofree char *one = g_strdup(sign(&fixture, &what));
    what.headers = ba;
    g_assert_cmpstr(sign(&fixture, &what), !=, one);
}

static void line_breaks_in_a_header_make_no_line(void) {
    static const NetHeader broken[] = {{"x-amz-meta", "a\nx-amz-other:b"}};
    static const NetHeader joined[] = {{"x-amz-meta", "a x-amz-other:b"}};
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    AwsSigning what = get("https://h.example/");
    what.header_count = 1;
    what.headers = broken;
    g_autofree char *one = g_strdup(sign(&fixture, &what));
    what.headers = joined;
    g_assert_cmpstr(sign(&fixture, &what), ==, one);
}

static void headers_that_change_on_the_way_are_not_signed(void) {
    static const NetHeader headers[] = {
        {"Connection", "keep-alive"},
        {"Expect", "100-continue"},
        {"Keep-Alive", "5"},
        {"Proxy-Authorization", "Basic eA=="},
        {"Proxy-Connection", "close"},
        {"TE", "trailers"},
        {"Trailer", "x"},
        {"Transfer-Encoding", "chunked"},
        {"Upgrade", "h2c"},
        {"User-Agent", "assay"},
        {"X-Amzn-Trace-Id", "Root=1"},
    };
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    AwsSigning what = get("https://h.example/");
    g_autofree char *bare = g_strdup(sign(&fixture, &what));
    what.headers = headers;
    what.header_count = G_N_ELEMENTS(headers);
    g_assert_cmpstr(sign(&fixture, &what), ==, bare);
}

static void host_is_signed_as_it_is_sent(void) {
    static const char *const same[][2] = {
        {"https://h.example:443/", "https://h.example/"},
        {"http://h.example:80/", "http://h.example/"},
        {"http://h.example/", "https://h.example/"},
    };
    static const char *const different[][2] = {
        {"https://h.example:8443/", "https://h.example/"},
        {"https://h.example:80/", "https://h.example/"},
        {"http://[::1]:4566/", "http://[::1]:4567/"},
        {"https://H.example/", "https://h.example/"},
    };
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        AwsSigning one = get(same[i][0]), other = get(same[i][1]);
        g_autofree char *signature = g_strdup(sign(&fixture, &one));
        g_assert_cmpstr(sign(&fixture, &other), ==, signature);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(different); i++) {
        AwsSigning one = get(different[i][0]), other = get(different[i][1]);
        g_autofree char *signature = g_strdup(sign(&fixture, &one));
        g_assert_cmpstr(sign(&fixture, &other), !=, signature);
    }
}

/* Every part of a request is in its signature. */
static void any_change_changes_the_signature(void) {
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    const AwsSigning base = get("https://h.example/a?b=c");
    g_autofree char *signature = g_strdup(sign(&fixture, &base));
    AwsSigning changed[] = {base, base, base, base, base, base, base, base};
    changed[0].method = "POST";
    changed[1].url = "https://h.example/b?b=c";
    changed[2].url = "https://h.example/a?b=d";
    changed[3].region = "eu-west-2";
    changed[4].service = "other";
    changed[5].body = "x";
    changed[5].body_size = 1;
    changed[6].now_ms += 1000;
    changed[7].s3 = true;
    for (size_t i = 0; i < G_N_ELEMENTS(changed); i++)
        g_assert_cmpstr(sign(&fixture, &changed[i]), !=, signature);
    g_assert_cmpstr(sign(&fixture, &base), ==, signature);
}

/* One signer over days, regions and services gives what fresh ones give. */
static void keys_that_are_kept_are_the_right_ones(void) {
    static const char *const regions[] = {"us-east-1", "eu-west-1", "us-east-1", "ap-south-2"};
    static const char *const services[] = {"iam", "ec2", "s3", "ec2", "iam"};
    static const int64_t days[] = {0, 0, 1, 0, 365, 1};
    g_auto(Fixture) kept;
    fixture_init(&kept, NULL);
    for (size_t i = 0; i < 60; i++) {
        AwsSigning what = get("https://h.example/");
        what.region = regions[i % G_N_ELEMENTS(regions)];
        what.service = services[i % G_N_ELEMENTS(services)];
        what.now_ms += days[i % G_N_ELEMENTS(days)] * DAY_MS + (int64_t)i;
        g_auto(Fixture) fresh;
        fixture_init(&fresh, NULL);
        g_autofree char *expected = g_strdup(sign(&fresh, &what));
        g_assert_cmpstr(sign(&kept, &what), ==, expected);
    }
}

static void more_scopes_than_are_kept_still_sign(void) {
    g_auto(Fixture) kept;
    fixture_init(&kept, NULL);
    AwsSigning what = get("https://h.example/");
    g_autofree char *first = g_strdup(sign(&kept, &what));
    for (int i = 0; i < 1100; i++) {
        g_autofree char *service = g_strdup_printf("service-%d", i);
        AwsSigning other = what;
        other.service = service;
        g_assert_nonnull(strstr(sign(&kept, &other), service));
    }
    g_assert_cmpstr(sign(&kept, &what), ==, first);
}

static void the_day_changes_at_midnight_utc(void) {
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    AwsSigning what = get("https://h.example/");
    what.now_ms = INT64_C(1440979199999);
    g_assert_nonnull(strstr(sign(&fixture, &what), "/20150830/"));
    g_assert_cmpstr(net_headers_get(fixture.out, "x-amz-date"), ==, "20150830T235959Z");
    what.now_ms++;
    g_assert_nonnull(strstr(sign(&fixture, &what), "/20150831/"));
    g_assert_cmpstr(net_headers_get(fixture.out, "x-amz-date"), ==, "20150831T000000Z");
}

/* Signing must fail with this code, and add no Authorization. */
static void assert_refused(Fixture *fixture, const AwsSigning *what, ErrorCode code) {
    g_autoptr(GError) error = NULL;
    net_headers_clear(fixture->out);
    g_assert_false(aws_sign(fixture->signer, what, fixture->out, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_null(strstr(error->message, SECRET));
    g_assert_null(net_headers_get(fixture->out, "authorization"));
}

static void headers_of_the_signer_are_refused(void) {
    static const NetHeader own[] = {
        {"Host", "evil.example"},
        {"authorization", "Bearer x"},
        {"X-Amz-Date", "20150830T123600Z"},
        {"x-amz-security-token", "x"},
        {"X-AMZ-Content-SHA256", "UNSIGNED-PAYLOAD"},
    };
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
        AwsSigning what = get("https://h.example/");
        what.headers = &own[i];
        what.header_count = 1;
        assert_refused(&fixture, &what, ERROR_CONFIGURATION);
    }
}

static void regions_and_services_that_are_no_names_are_refused(void) {
    static const char *const names[] = {
        "",
        "eu-west-1/iam",
        "eu west",
        "eu-west-1\n",
        "\xc3\xa4",
        "0123456789012345678901234567890123456789012345678901234567890"
        "12345"};
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        AwsSigning region = get("https://h.example/"), service = region;
        region.region = names[i];
        service.service = names[i];
        assert_refused(&fixture, &region, ERROR_CONFIGURATION);
        assert_refused(&fixture, &service, ERROR_CONFIGURATION);
    }
}

static void bad_urls_and_times_are_refused(void) {
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    static const char *const urls[] = {"", "ftp://h.example/", "https://h.example/a b",
                                       "https://user@h.example/", "https:///a"};
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        AwsSigning what = get(urls[i]);
        assert_refused(&fixture, &what, ERROR_CONFIGURATION);
    }
    AwsSigning what = get("https://h.example/");
    what.now_ms = -1;
    assert_refused(&fixture, &what, ERROR_CONFIGURATION);
    what.now_ms = INT64_C(253402300800000); /* the year 10000 */
    assert_refused(&fixture, &what, ERROR_CONFIGURATION);
    what.now_ms = INT64_MAX;
    assert_refused(&fixture, &what, ERROR_CONFIGURATION);
    what.now_ms = VECTOR_TIME;
    (void)sign(&fixture, &what);
}

static void too_many_headers_are_refused(void) {
    NetHeader headers[AWS_SIGNER_MAX_HEADERS + 1];
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++)
        headers[i] = (NetHeader){"x-amz-meta", "a"};
    g_auto(Fixture) fixture;
    fixture_init(&fixture, "TOKEN");
    AwsSigning what = get("https://h.example/");
    what.s3 = true;
    what.headers = headers;
    what.header_count = AWS_SIGNER_MAX_HEADERS;
    (void)sign(&fixture, &what);
    what.header_count++;
    assert_refused(&fixture, &what, ERROR_LIMIT);
}

static void a_full_list_of_headers_is_an_error(void) {
    g_auto(Fixture) fixture;
    fixture_init(&fixture, NULL);
    g_autoptr(NetHeaders) small = net_headers_new(100);
    AwsSigning what = get("https://h.example/");
    g_autoptr(GError) error = NULL;
    g_assert_false(aws_sign(fixture.signer, &what, small, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
}

static void a_token_that_is_no_header_is_refused_unseen(void) {
    g_auto(Fixture) fixture;
    fixture_init(&fixture, "good\r\nevil: 1");
    AwsSigning what = get("https://h.example/");
    g_autoptr(GError) error = NULL;
    g_assert_false(aws_sign(fixture.signer, &what, fixture.out, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_null(strstr(error->message, "evil"));
    g_assert_null(net_headers_get(fixture.out, "evil"));
}

/* Requests that differ much in size share one signer's memory. */
static void long_requests_sign_like_short_ones(void) {
    g_auto(Fixture) shared;
    fixture_init(&shared, NULL);
    for (size_t size = 1; size < 8000; size = size * 2 + 1) {
        g_autofree char *filler = g_strnfill(size, ':');
        g_autofree char *url = g_strconcat("https://h.example/?a=", filler, NULL);
        NetHeader header = {"x-amz-meta", filler};
        AwsSigning what = get(url);
        what.headers = &header;
        what.header_count = 1;
        g_auto(Fixture) fresh;
        fixture_init(&fresh, NULL);
        g_autofree char *expected = g_strdup(sign(&fresh, &what));
        g_assert_cmpstr(sign(&shared, &what), ==, expected);
        AwsSigning small = get("https://h.example/");
        g_assert_nonnull(sign(&shared, &small));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/connect/aws_signer/" #name, name)
    TEST(published_vectors_come_out);
    TEST(key_chain_comes_out);
    TEST(each_request_gets_the_headers_it_needs);
    TEST(headers_that_were_there_stay);
    TEST(paths_are_normalised_and_encoded_twice);
    TEST(paths_of_s3_stay_and_are_encoded_once);
    TEST(queries_are_sorted_as_they_are_encoded);
    TEST(order_of_a_query_changes_no_signature);
    TEST(headers_are_trimmed_joined_and_sorted);
    TEST(order_of_repeated_headers_matters);
    TEST(line_breaks_in_a_header_make_no_line);
    TEST(headers_that_change_on_the_way_are_not_signed);
    TEST(host_is_signed_as_it_is_sent);
    TEST(any_change_changes_the_signature);
    TEST(keys_that_are_kept_are_the_right_ones);
    TEST(more_scopes_than_are_kept_still_sign);
    TEST(the_day_changes_at_midnight_utc);
    TEST(headers_of_the_signer_are_refused);
    TEST(regions_and_services_that_are_no_names_are_refused);
    TEST(bad_urls_and_times_are_refused);
    TEST(too_many_headers_are_refused);
    TEST(a_full_list_of_headers_is_an_error);
    TEST(a_token_that_is_no_header_is_refused_unseen);
    TEST(long_requests_sign_like_short_ones);
    return g_test_run();
}
