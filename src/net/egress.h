/* egress.h - which network addresses a request may reach.
 *
 * The judgement is made on the address that is about to be connected to (the transfer engine asks
 * for every socket), so it does not matter how the host was written or what DNS said a moment
 * before. Metadata services of clouds hand out credentials to whoever can reach them, and are
 * refused even where private addresses are allowed.
 *
 * Sources: IANA special-purpose address registries (RFC 6890 and its registries), RFC 6598 (shared
 * address space), RFC 6052 and 8215 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), vendors' metadata
 * documentation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef enum {
    EGRESS_PUBLIC,
    EGRESS_PRIVATE, /* loopback, private, link-local, shared, multicast, reserved, embedded IPv4 */
    EGRESS_METADATA /* a cloud's metadata or credential service */
} EgressClass;

/* The class of an address. Anything that is neither IPv4 nor IPv6 is EGRESS_METADATA, which is
 * never allowed. */
EgressClass egress_classify(const struct sockaddr *address, size_t size);

/* The class of a host that is written as an address in any form that a resolver accepts ("[::1]"
 * without brackets, 127.1, 0x7f000001, 017700000001, 2130706433); EGRESS_PUBLIC for names. For
 * requests through a proxy, where the proxy opens the socket. */
EgressClass egress_classify_host(const char *host);

/* Whether a request may connect to an address of that class. */
bool egress_allowed(EgressClass class, bool allow_private);

/* The one metadata service that is ever asked, by the one request that may (NetRequest's
 * instance_metadata): AWS's, at this address and port. */
#define EGRESS_INSTANCE_METADATA "http://169.254.169.254"
bool egress_is_instance_metadata(const struct sockaddr *address, size_t size);

/* What the address is, for messages: "public", "private or reserved", "cloud metadata". */
const char *egress_class_name(EgressClass class);
