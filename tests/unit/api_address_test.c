#include "api/address.h"

#include "base/error.h"
#include "unit/api_support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static void assert_text(const Address *address, const char *text) {
    char written[ADDRESS_TEXT_SIZE];
    address_write(address, written);
    g_assert_cmpstr(written, ==, text);
}

static void addresses_are_read_in_their_usual_forms(void) {
    static const struct {
        const char *text;
        const char *written; /* NULL: it is none */
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:8080", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"", NULL},
        {"192.0.2", NULL},
        {"192.0.2.1.5", NULL},
        {"host", NULL},
        {"[::1", NULL},
        {"unknown", NULL},
        {"1111111111111111111111111111111111111111111111111111111111111111:1", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Address address;
        g_assert_true(address_parse(cases[i].text, &address) == (cases[i].written != NULL));
        if (cases[i].written)
            assert_text(&address, cases[i].written);
    }
}

static void sockets_of_either_family_have_an_address(void) {
    Address address;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    g_assert_cmpint(inet_pton(AF_INET, "192.0.2.7", &four.sin_addr), ==, 1);
    g_assert_cmpint(inet_pton(AF_INET6, "2001:db8::7", &six.sin6_addr), ==, 1);
    g_assert_true(address_of_socket((const struct sockaddr *)&four, &address));
    assert_text(&address, "192.0.2.7");
    g_assert_true(address_of_socket((const struct sockaddr *)&six, &address));
    assert_text(&address, "2001:db8::7");
    g_assert_false(address_of_socket((const struct sockaddr *)&local, &address));
    assert_text(&address, "2001:db8::7");
    g_assert_cmpint(inet_pton(AF_INET6, "::ffff:192.0.2.7", &six.sin6_addr), ==, 1);
    g_assert_true(address_of_socket((const struct sockaddr *)&six, &address));
    assert_text(&address, "192.0.2.7");
}

static void a_set_has_what_lies_in_its_networks(void) {
    static const char *const networks[] = {"10.0.0.0/8", "192.0.2.1", "2001:db8::/33", NULL};
    static const struct {
        const char *address;
        bool in;
    } cases[] = {
        {"10.255.0.1", true},      {"11.0.0.1", false},       {"192.0.2.1", true},
        {"192.0.2.2", false},      {"2001:db8::1", true},     {"2001:db8:8000::1", false},
        {"2001:db8:7fff::", true}, {"::ffff:10.1.2.3", true},
    };
    AddressSet *set = NULL;
    must((set = address_set_new(networks, &error)) != NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Address address;
        g_assert_true(address_parse(cases[i].address, &address));
        g_assert_true(address_set_has(set, &address) == cases[i].in);
    }
    address_set_free(set);
}

static void what_is_no_network_is_named(void) {
    static const char *const texts[] = {"10.0.0.0/33", "10.0.0.0/x", "::/129", "local", ""};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *const networks[] = {texts[i], NULL};
        g_autoptr(GError) error = NULL;
        g_assert_null(address_set_new(networks, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    }
}

/* More hops than are looked at, written by whoever wants to hide, and as many of proxies. */
#define TEN(hop) hop hop hop hop hop hop hop hop hop hop
#define MANY_HOPS TEN("6.6.6.6,") TEN("6.6.6.6,") TEN("6.6.6.6,") TEN("6.6.6.6,")
#define PROXIES TEN("10.0.0.2,") TEN("10.0.0.2,") TEN("10.0.0.2,") TEN("10.0.0.2,") "10.0.0.2"

static void a_claim_is_believed_of_trusted_proxies_only(void) {
    static const char *const proxies[] = {"10.0.0.0/8", NULL};
    static const struct {
        const char *peer;
        const char *claim;
        const char *client;
    } cases[] = {
        {"203.0.113.9", "1.1.1.1", "203.0.113.9"},
        {"10.0.0.1", NULL, "10.0.0.1"},
        {"10.0.0.1", "1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"},
        {"10.0.0.1", "6.6.6.6, nonsense", "10.0.0.1"},
        {"10.0.0.1", "nonsense, 1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "[2001:db8::5]:123", "2001:db8::5"},
        {"10.0.0.1", "6.6.6.6,10.0.0.3,10.0.0.2", "6.6.6.6"},
        {"10.0.0.1", "1.1.1.1,", "10.0.0.1"},
        {"10.0.0.1", MANY_HOPS "1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", "6.6.6.6," PROXIES, "10.0.0.2"},
    };
    AddressSet *set = NULL;
    must((set = address_set_new(proxies, &error)) != NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Address peer;
        g_assert_true(address_parse(cases[i].peer, &peer));
        Address client = address_client(set, &peer, cases[i].claim);
        assert_text(&client, cases[i].client);
    }
    address_set_free(set);
}

static void neighbours_of_ipv6_are_counted_together(void) {
    Address one;
    Address other;
    g_assert_true(address_parse("2001:db8:1:2::1", &one));
    g_assert_true(address_parse("2001:db8:1:2:ffff::9", &other));
    Address a = address_neighbourhood(&one);
    Address b = address_neighbourhood(&other);
    g_assert_true(address_equal(&a, &b));
    g_assert_cmpuint(address_hash(&a), ==, address_hash(&b));
    g_assert_true(address_parse("192.0.2.1", &one));
    g_assert_true(address_parse("192.0.2.2", &other));
    a = address_neighbourhood(&one);
    b = address_neighbourhood(&other);
    g_assert_false(address_equal(&a, &b));
}

static const ApiTest tests[] = {
    {"addresses_are_read_in_their_usual_forms", addresses_are_read_in_their_usual_forms},
    {"sockets_of_either_family_have_an_address", sockets_of_either_family_have_an_address},
    {"a_set_has_what_lies_in_its_networks", a_set_has_what_lies_in_its_networks},
    {"what_is_no_network_is_named", what_is_no_network_is_named},
    {"a_claim_is_believed_of_trusted_proxies_only", a_claim_is_believed_of_trusted_proxies_only},
    {"neighbours_of_ipv6_are_counted_together", neighbours_of_ipv6_are_counted_together},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "address", tests, G_N_ELEMENTS(tests));
}
