#include "api/address.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define MAPPED_BITS 96
#define WHOLE_BITS 128
#define FORWARDED_MAX 32 /* entries of X-Forwarded-For that are looked at, from its end */

typedef struct {
    Address address;
    unsigned bits;
} Network;

struct AddressSet {
    GArray *networks; /* Network */
};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void map_ipv4(const void *bytes, Address *address_out) {
    memcpy(address_out->bytes, mapped, sizeof mapped);
    memcpy(address_out->bytes + sizeof mapped, bytes, 4);
}

static bool is_ipv4(const Address *address) {
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

static bool parse_bare(const char *text, Address *address_out) {
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, text, &four) == 1) {
        map_ipv4(&four, address_out);
        return true;
    }
    if (inet_pton(AF_INET6, text, &six) != 1)
        return false;
    memcpy(address_out->bytes, &six, ADDRESS_SIZE);
    return true;
}

bool address_parse(const char *text, Address *address_out) {
    char bare[ADDRESS_TEXT_SIZE + 8];
    bool bracket = text[0] == '[';
    const char *colon = strchr(text, ':');
    bool one_colon = colon && !strchr(colon + 1, ':');
    size_t length = bracket ? strcspn(text + 1, "]") : one_colon ? (size_t)(colon - text) : 0;
    if (!bracket && !one_colon)
        return parse_bare(text, address_out);
    if (length >= sizeof bare || (bracket && text[length + 1] != ']'))
        return false;
    memcpy(bare, text + (bracket ? 1 : 0), length);
    bare[length] = '\0';
    return parse_bare(bare, address_out);
}

bool address_of_socket(const struct sockaddr *socket, Address *address_out) {
    if (socket->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)socket;
        map_ipv4(&four->sin_addr, address_out);
        return true;
    }
    if (socket->sa_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)socket;
    memcpy(address_out->bytes, &six->sin6_addr, ADDRESS_SIZE);
    return true;
}

void address_write(const Address *address, char out[ADDRESS_TEXT_SIZE]) {
    bool four = is_ipv4(address);
    const void *bytes = address->bytes + (four ? sizeof mapped : 0);
    if (!inet_ntop(four ? AF_INET : AF_INET6, bytes, out, ADDRESS_TEXT_SIZE))
        out[0] = '\0';
}

Address address_neighbourhood(const Address *address) {
    Address near = *address;
    if (!is_ipv4(address))
        memset(near.bytes + 8, 0, 8);
    return near;
}

guint address_hash(const void *address) {
    const Address *given = address;
    guint hash = 2166136261u;
    for (size_t i = 0; i < ADDRESS_SIZE; i++)
        hash = (hash ^ given->bytes[i]) * 16777619u;
    return hash;
}

gboolean address_equal(const void *a, const void *b) {
    return memcmp(a, b, ADDRESS_SIZE) == 0;
}

/* --- sets ------------------------------------------------------------------------------------- */

static bool parse_network(const char *text, Network *network_out) {
    const char *slash = strchr(text, '/');
    g_autofree char *bare = slash ? g_strndup(text, (size_t)(slash - text)) : g_strdup(text);
    if (!parse_bare(bare, &network_out->address))
        return false;
    unsigned most = is_ipv4(&network_out->address) ? WHOLE_BITS - MAPPED_BITS : WHOLE_BITS;
    guint64 bits = most;
    if (slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, most, &bits, NULL))
        return false;
    network_out->bits = (unsigned)bits + (WHOLE_BITS - most);
    return true;
}

AddressSet *address_set_new(const char *const *networks, GError **error) {
    g_autoptr(AddressSet) set = g_new0(AddressSet, 1);
    set->networks = g_array_new(FALSE, TRUE, sizeof(Network));
    for (; networks && *networks; networks++) {
        Network network = {0};
        if (!parse_network(*networks, &network)) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "\"%s\" is no network; write 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32",
                        *networks);
            return NULL;
        }
        g_array_append_val(set->networks, network);
    }
    return g_steal_pointer(&set);
}

void address_set_free(AddressSet *set) {
    if (!set)
        return;
    g_array_unref(set->networks);
    g_free(set);
}

static bool is_within(const Network *network, const Address *address) {
    size_t whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool address_set_has(const AddressSet *set, const Address *address) {
    for (guint i = 0; i < set->networks->len; i++)
        if (is_within(&g_array_index(set->networks, Network, i), address))
            return true;
    return false;
}

/* Takes the last entry off a list. */
static bool take_last(char *list, Address *hop_out) {
    char *comma = strrchr(list, ',');
    bool known = address_parse(g_strstrip(comma ? comma + 1 : list), hop_out);
    *(comma ? comma : list) = '\0';
    return known;
}

/* From the end, where each proxy writes whom it has seen: what stands before the first address that
 * is no proxy's was written by whoever wanted to. */
Address address_client(const AddressSet *trusted, const Address *peer, const char *forwarded_for) {
    Address client = *peer;
    if (!forwarded_for || !address_set_has(trusted, peer))
        return client;
    g_autofree char *hops = g_strdup(forwarded_for);
    for (unsigned i = 0; i < FORWARDED_MAX && *hops != '\0'; i++) {
        Address hop;
        if (!take_last(hops, &hop))
            break;
        client = hop;
        if (!address_set_has(trusted, &hop))
            break;
    }
    return client;
}
