/* address.h - network addresses of clients, and of the proxies in front of this server.
 *
 * An Address is 16 bytes, IPv4 in its mapped form (RFC 4291 section 2.5.5.2), so that both kinds
 * are compared and counted alike. X-Forwarded-For is a claim of whoever connects: it is believed
 * from trusted proxies only, from the right, up to the first address that is none of them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_SIZE 16
#define ADDRESS_TEXT_SIZE 46

typedef struct {
    uint8_t bytes[ADDRESS_SIZE];
} Address;

/* False for anything but IPv4 and IPv6 in their usual text forms. A port behind it ("1.2.3.4:80",
 * "[::1]:80") is accepted and dropped. */
bool address_parse(const char *text, Address *address_out);
bool address_of_socket(const struct sockaddr *socket, Address *address_out);
void address_write(const Address *address, char out[ADDRESS_TEXT_SIZE]);

/* What connections are counted by: an IPv4 address, the /64 of an IPv6 address. */
Address address_neighbourhood(const Address *address);

/* For GHashTable. */
guint address_hash(const void *address);
gboolean address_equal(const void *a, const void *b);

/* Networks: a plain value in memory of its own. */
typedef struct AddressSet AddressSet;

/* "10.0.0.0/8", "192.0.2.1", "2001:db8::/32"; ends in NULL, NULL: empty. ERROR_CONFIGURATION names
 * what is no network. */
AddressSet *address_set_new(const char *const *networks, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void address_set_free(AddressSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AddressSet, address_set_free)
bool address_set_has(const AddressSet *set, const Address *address);

/* Who speaks: the peer, or behind trusted proxies what X-Forwarded-For (may be NULL) says. */
Address address_client(const AddressSet *trusted, const Address *peer, const char *forwarded_for);
