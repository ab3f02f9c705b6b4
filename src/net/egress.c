#include "net/egress.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

/* First match wins. 169.254.169.0/24 and 169.254.170.0/24 hold the metadata, DNS, time and
 * container credential services of AWS, Azure, GCP, OpenStack, DigitalOcean and Oracle. */
static const struct {
    uint32_t network;
    unsigned bits;
    EgressClass class;
} ranges4[] = {
#define IP4(a, b, c, d) (((uint32_t)(a) << 24) | ((b) << 16) | ((c) << 8) | (d))
    {IP4(169, 254, 169, 0), 24, EGRESS_METADATA},   {IP4(169, 254, 170, 0), 24, EGRESS_METADATA},
    {IP4(169, 254, 42, 42), 32, EGRESS_METADATA},   /* Scaleway */
    {IP4(169, 254, 0, 23), 32, EGRESS_METADATA},    /* Tencent Cloud */
    {IP4(100, 100, 100, 200), 32, EGRESS_METADATA}, /* Alibaba Cloud */
    {IP4(168, 63, 129, 16), 32, EGRESS_METADATA},   /* Azure WireServer */
    {IP4(192, 0, 0, 192), 32, EGRESS_METADATA},     /* Oracle Cloud, classic */
    {IP4(0, 0, 0, 0), 8, EGRESS_PRIVATE},           /* this host on this network */
    {IP4(10, 0, 0, 0), 8, EGRESS_PRIVATE},          /* RFC 1918 */
    {IP4(100, 64, 0, 0), 10, EGRESS_PRIVATE},       /* RFC 6598 */
    {IP4(127, 0, 0, 0), 8, EGRESS_PRIVATE},         /* loopback */
    {IP4(169, 254, 0, 0), 16, EGRESS_PRIVATE},      /* link-local */
    {IP4(172, 16, 0, 0), 12, EGRESS_PRIVATE},       /* RFC 1918 */
    {IP4(192, 0, 0, 0), 24, EGRESS_PRIVATE},        /* IETF protocol assignments */
    {IP4(192, 0, 2, 0), 24, EGRESS_PRIVATE},        /* documentation */
    {IP4(192, 31, 196, 0), 24, EGRESS_PRIVATE},     /* AS112 */
    {IP4(192, 52, 193, 0), 24, EGRESS_PRIVATE},     /* AMT */
    {IP4(192, 88, 99, 0), 24, EGRESS_PRIVATE},      /* 6to4 relay */
    {IP4(192, 168, 0, 0), 16, EGRESS_PRIVATE},      /* RFC 1918 */
    {IP4(192, 175, 48, 0), 24, EGRESS_PRIVATE},     /* AS112 */
    {IP4(198, 18, 0, 0), 15, EGRESS_PRIVATE},       /* benchmarking */
    {IP4(198, 51, 100, 0), 24, EGRESS_PRIVATE},     /* documentation */
    {IP4(203, 0, 113, 0), 24, EGRESS_PRIVATE},      /* documentation */
    {IP4(224, 0, 0, 0), 4, EGRESS_PRIVATE},         /* multicast */
    {IP4(240, 0, 0, 0), 4, EGRESS_PRIVATE},         /* reserved, broadcast */
#undef IP4
};

#define NOT_EMBEDDED 0xff

/* First match wins. `embedded` is the byte at which an IPv4 address lies inside: it decides when it
 * is a metadata address, otherwise the class of the row does. */
static const struct {
    uint8_t network[16];
    unsigned bits;
    EgressClass class;
    uint8_t embedded;
} ranges6[] = {
    /* AWS: metadata, and credentials for pods */
    {{0xfd, 0, 0x0e, 0xc2}, 32, EGRESS_METADATA, NOT_EMBEDDED},
    /* GCP: fd20:ce::254 */
    {{0xfd, 0x20, 0, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54},
     128,
     EGRESS_METADATA,
     NOT_EMBEDDED},
    /* Scaleway: fd00:42::42 */
    {{0xfd, 0, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x42}, 128, EGRESS_METADATA, NOT_EMBEDDED},
    /* IPv4-mapped */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, EGRESS_PRIVATE, 12},
    /* IPv4-translated (RFC 2765) */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 96, EGRESS_PRIVATE, 12},
    /* unspecified, loopback, IPv4-compatible */
    {{0}, 96, EGRESS_PRIVATE, 12},
    /* NAT64, well-known and local-use */
    {{0, 0x64, 0xff, 0x9b}, 96, EGRESS_PRIVATE, 12},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, EGRESS_PRIVATE, 12},
    /* 6to4 */
    {{0x20, 0x02}, 16, EGRESS_PRIVATE, 2},
    /* Teredo and other protocol assignments */
    {{0x20, 0x01}, 23, EGRESS_PRIVATE, NOT_EMBEDDED},
    /* documentation */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, EGRESS_PRIVATE, NOT_EMBEDDED},
    {{0x3f, 0xff}, 20, EGRESS_PRIVATE, NOT_EMBEDDED},
    /* global unicast, all that is left of 2000::/3 */
    {{0x20}, 3, EGRESS_PUBLIC, NOT_EMBEDDED},
    /* everything else: unique local, link-local, site-local, multicast, discard, not allocated */
    {{0}, 0, EGRESS_PRIVATE, NOT_EMBEDDED},
};

static EgressClass classify4(uint32_t address) {
    for (size_t i = 0; i < G_N_ELEMENTS(ranges4); i++) {
        unsigned shift = 32 - ranges4[i].bits;
        if (address >> shift == ranges4[i].network >> shift) {
            return ranges4[i].class;
        }
    }
    return EGRESS_PUBLIC;
}

static uint32_t load4(const uint8_t *bytes) {
    uint32_t address;
    memcpy(&address, bytes, sizeof(address));
    return ntohl(address);
}

static bool in_range6(const uint8_t *address, const uint8_t *network, unsigned bits) {
    unsigned whole = bits / 8;
    if (memcmp(address, network, whole) != 0) {
        return false;
    }
    unsigned rest = bits % 8;
    return rest == 0 || address[whole] >> (8 - rest) == network[whole] >> (8 - rest);
}

static EgressClass classify6(const uint8_t *address) {
    for (size_t i = 0; i < G_N_ELEMENTS(ranges6); i++) {
        if (!in_range6(address, ranges6[i].network, ranges6[i].bits)) {
            continue;
        }
        uint8_t embedded = ranges6[i].embedded;
        bool metadata =
            embedded != NOT_EMBEDDED && classify4(load4(address + embedded)) == EGRESS_METADATA;
        return metadata ? EGRESS_METADATA : ranges6[i].class;
    }
    return EGRESS_PRIVATE;
}

EgressClass egress_classify(const struct sockaddr *address, size_t size) {
    if (size >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return classify4(ntohl(in.sin_addr.s_addr));
    }
    if (size >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return classify6(in6.sin6_addr.s6_addr);
    }
    return EGRESS_METADATA;
}

/* inet_aton reads what resolvers read: 1 to 4 parts, each decimal, octal or hexadecimal. */
EgressClass egress_classify_host(const char *host) {
    struct in_addr in;
    struct in6_addr in6;
    g_autofree char *bare = g_strdup(host);
    size_t length = strlen(bare);
    if (length > 1 && bare[length - 1] == '.') {
        bare[length - 1] = '\0';
    }
    if (inet_aton(bare, &in)) {
        return classify4(ntohl(in.s_addr));
    }
    if (inet_pton(AF_INET6, bare, &in6) == 1) {
        return classify6(in6.s6_addr);
    }
    return EGRESS_PUBLIC;
}

bool egress_allowed(EgressClass class, bool allow_private) {
    return class == EGRESS_PUBLIC || (class == EGRESS_PRIVATE && allow_private);
}

bool egress_is_instance_metadata(const struct sockaddr *address, size_t size) {
    struct sockaddr_in in;
    if (size < sizeof(in) || address->sa_family != AF_INET) {
        return false;
    }
    memcpy(&in, address, sizeof(in));
    return ntohl(in.sin_addr.s_addr) == 0xa9fea9feU && ntohs(in.sin_port) == 80;
}

const char *egress_class_name(EgressClass class) {
    static const char *const names[] = {
        [EGRESS_PUBLIC] = "public",
        [EGRESS_PRIVATE] = "private or reserved",
        [EGRESS_METADATA] = "cloud metadata",
    };
    return names[class];
}
