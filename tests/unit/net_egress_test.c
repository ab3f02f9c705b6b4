#include "net/egress.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

static const struct {
    const char *address;
    EgressClass class;
} addresses[] = {
    /* public, and the neighbours of what is not */
    {"1.1.1.1", EGRESS_PUBLIC},
    {"9.255.255.255", EGRESS_PUBLIC},
    {"11.0.0.0", EGRESS_PUBLIC},
    {"100.63.255.255", EGRESS_PUBLIC},
    {"100.128.0.0", EGRESS_PUBLIC},
    {"126.255.255.255", EGRESS_PUBLIC},
    {"128.0.0.1", EGRESS_PUBLIC},
    {"140.82.121.6", EGRESS_PUBLIC},
    {"168.63.129.15", EGRESS_PUBLIC},
    {"169.253.255.255", EGRESS_PUBLIC},
    {"172.15.255.255", EGRESS_PUBLIC},
    {"172.32.0.0", EGRESS_PUBLIC},
    {"192.0.1.0", EGRESS_PUBLIC},
    {"192.167.255.255", EGRESS_PUBLIC},
    {"192.169.0.0", EGRESS_PUBLIC},
    {"198.17.255.255", EGRESS_PUBLIC},
    {"198.20.0.0", EGRESS_PUBLIC},
    {"223.255.255.255", EGRESS_PUBLIC},
    {"2606:50c0:8000::153", EGRESS_PUBLIC},
    {"2a00:1450:4001:800::200e", EGRESS_PUBLIC},
    {"2001:4860:4860::8888", EGRESS_PUBLIC},
    {"2001:200::1", EGRESS_PUBLIC},
    /* not public */
    {"0.0.0.0", EGRESS_PRIVATE},
    {"0.1.2.3", EGRESS_PRIVATE},
    {"10.0.0.0", EGRESS_PRIVATE},
    {"10.255.255.255", EGRESS_PRIVATE},
    {"100.64.0.0", EGRESS_PRIVATE},
    {"100.127.255.255", EGRESS_PRIVATE},
    {"127.0.0.1", EGRESS_PRIVATE},
    {"127.255.255.254", EGRESS_PRIVATE},
    {"169.254.1.1", EGRESS_PRIVATE},
    {"172.16.0.0", EGRESS_PRIVATE},
    {"172.31.255.255", EGRESS_PRIVATE},
    {"192.0.0.1", EGRESS_PRIVATE},
    {"192.0.2.1", EGRESS_PRIVATE},
    {"192.88.99.1", EGRESS_PRIVATE},
    {"192.168.0.1", EGRESS_PRIVATE},
    {"198.18.0.1", EGRESS_PRIVATE},
    {"198.19.255.255", EGRESS_PRIVATE},
    {"198.51.100.1", EGRESS_PRIVATE},
    {"203.0.113.255", EGRESS_PRIVATE},
    {"224.0.0.1", EGRESS_PRIVATE},
    {"239.255.255.255", EGRESS_PRIVATE},
    {"240.0.0.1", EGRESS_PRIVATE},
    {"255.255.255.255", EGRESS_PRIVATE},
    {"::", EGRESS_PRIVATE},
    {"::1", EGRESS_PRIVATE},
    {"::127.0.0.1", EGRESS_PRIVATE},
    {"::1.1.1.1", EGRESS_PRIVATE},
    {"::ffff:1.1.1.1", EGRESS_PRIVATE},
    {"::ffff:10.0.0.1", EGRESS_PRIVATE},
    {"::ffff:0:10.0.0.1", EGRESS_PRIVATE},
    {"64:ff9b::1.1.1.1", EGRESS_PRIVATE},
    {"64:ff9b:1::1", EGRESS_PRIVATE},
    {"100::1", EGRESS_PRIVATE},
    {"2001::1", EGRESS_PRIVATE},
    {"2001:10::1", EGRESS_PRIVATE},
    {"2001:db8::1", EGRESS_PRIVATE},
    {"2002:0101:0101::1", EGRESS_PRIVATE},
    {"3fff::1", EGRESS_PRIVATE},
    {"4000::1", EGRESS_PRIVATE},
    {"fc00::1", EGRESS_PRIVATE},
    {"fd12:3456::1", EGRESS_PRIVATE},
    {"fe80::1", EGRESS_PRIVATE},
    {"febf::1", EGRESS_PRIVATE},
    {"fec0::1", EGRESS_PRIVATE},
    {"ff02::1", EGRESS_PRIVATE},
    /* metadata and credential services */
    {"169.254.169.254", EGRESS_METADATA},
    {"169.254.169.253", EGRESS_METADATA},
    {"169.254.169.123", EGRESS_METADATA},
    {"169.254.170.2", EGRESS_METADATA},
    {"169.254.170.23", EGRESS_METADATA},
    {"169.254.42.42", EGRESS_METADATA},
    {"169.254.0.23", EGRESS_METADATA},
    {"100.100.100.200", EGRESS_METADATA},
    {"168.63.129.16", EGRESS_METADATA},
    {"192.0.0.192", EGRESS_METADATA},
    {"fd00:ec2::254", EGRESS_METADATA},
    {"fd00:ec2::23", EGRESS_METADATA},
    {"fd20:ce::254", EGRESS_METADATA},
    {"fd00:42::42", EGRESS_METADATA},
    {"::ffff:169.254.169.254", EGRESS_METADATA},
    {"::169.254.169.254", EGRESS_METADATA},
    {"::ffff:0:169.254.169.254", EGRESS_METADATA},
    {"64:ff9b::169.254.169.254", EGRESS_METADATA},
    {"64:ff9b:1::169.254.169.254", EGRESS_METADATA},
    {"2002:a9fe:a9fe::1", EGRESS_METADATA},
    {"::ffff:100.100.100.200", EGRESS_METADATA},
};

static EgressClass classify_text(const char *text) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        return egress_classify((struct sockaddr *)(void *)&in, sizeof(in));
    }
    g_assert_cmpint(inet_pton(AF_INET6, text, &in6.sin6_addr), ==, 1);
    return egress_classify((struct sockaddr *)(void *)&in6, sizeof(in6));
}

static void every_address_has_its_class(void) {
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_test_message("%s", addresses[i].address);
        g_assert_cmpint(classify_text(addresses[i].address), ==, addresses[i].class);
        g_assert_cmpint(egress_classify_host(addresses[i].address), ==, addresses[i].class);
    }
}

static void hosts_are_read_as_resolvers_read_them(void) {
    static const struct {
        const char *host;
        EgressClass class;
    } rows[] = {
        {"127.1", EGRESS_PRIVATE},
        {"2130706433", EGRESS_PRIVATE},
        {"0x7f000001", EGRESS_PRIVATE},
        {"0X7F.1", EGRESS_PRIVATE},
        {"017700000001", EGRESS_PRIVATE},
        {"0177.0.0.01", EGRESS_PRIVATE},
        {"127.0.0.1.", EGRESS_PRIVATE},
        {"10.1", EGRESS_PRIVATE},
        {"0", EGRESS_PRIVATE},
        {"2852039166", EGRESS_METADATA},
        {"0xa9fea9fe", EGRESS_METADATA},
        {"0251.0376.0251.0376", EGRESS_METADATA},
        {"169.254.43518", EGRESS_METADATA},
        {"16843009", EGRESS_PUBLIC},
        {"api.github.com", EGRESS_PUBLIC},
        {"localhost", EGRESS_PUBLIC},
        {"1.2.3.4.example", EGRESS_PUBLIC},
        {".", EGRESS_PUBLIC},
        {"", EGRESS_PUBLIC},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].host);
        g_assert_cmpint(egress_classify_host(rows[i].host), ==, rows[i].class);
    }
}

static void other_families_and_short_addresses_are_never_allowed(void) {
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(0x01010101)}};
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&in;
    g_assert_cmpint(egress_classify(&other, sizeof(other)), ==, EGRESS_METADATA);
    g_assert_cmpint(egress_classify(address, sizeof(in)), ==, EGRESS_PUBLIC);
    g_assert_cmpint(egress_classify(address, 4), ==, EGRESS_METADATA);
}

static void only_private_is_a_matter_of_permission(void) {
    g_assert_true(egress_allowed(EGRESS_PUBLIC, false));
    g_assert_true(egress_allowed(EGRESS_PUBLIC, true));
    g_assert_false(egress_allowed(EGRESS_PRIVATE, false));
    g_assert_true(egress_allowed(EGRESS_PRIVATE, true));
    g_assert_false(egress_allowed(EGRESS_METADATA, false));
    g_assert_false(egress_allowed(EGRESS_METADATA, true));
    g_assert_cmpstr(egress_class_name(EGRESS_METADATA), ==, "cloud metadata");
}

/* The exemption is one address and one port: no other way to write or reach the service. */
static void instance_metadata_is_one_address_and_port(void) {
    static const struct {
        const char *address;
        uint16_t port;
        bool is;
    } rows[] = {
        {"169.254.169.254", 80, true},    {"169.254.169.254", 443, false},
        {"169.254.169.254", 8080, false}, {"169.254.169.253", 80, false},
        {"169.254.170.2", 80, false},     {"127.0.0.1", 80, false},
        {"10.0.0.1", 80, false},          {"1.1.1.1", 80, false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(rows[i].port)};
        g_assert_cmpint(inet_pton(AF_INET, rows[i].address, &in.sin_addr), ==, 1);
        const struct sockaddr *address = (const struct sockaddr *)(const void *)&in;
        g_assert_cmpint(egress_is_instance_metadata(address, sizeof(in)), ==, rows[i].is);
        g_assert_false(egress_is_instance_metadata(address, sizeof(in) - 1));
    }
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    g_assert_cmpint(inet_pton(AF_INET6, "::ffff:169.254.169.254", &mapped.sin6_addr), ==, 1);
    g_assert_false(egress_is_instance_metadata((struct sockaddr *)(void *)&mapped, sizeof(mapped)));
}

#define ADD(name) g_test_add_func("/net/egress/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(every_address_has_its_class);
    ADD(hosts_are_read_as_resolvers_read_them);
    ADD(other_families_and_short_addresses_are_never_allowed);
    ADD(only_private_is_a_matter_of_permission);
    ADD(instance_metadata_is_one_address_and_port);
    return g_test_run();
}
