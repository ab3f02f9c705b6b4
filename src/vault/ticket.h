/* ticket.h - random credentials that Assay hands out itself: API tokens, sessions, invitations.
 *
 * A ticket is 49 characters behind its prefix:
 *
 *     assay_KIND_ + 43 characters from 0-9A-Za-z (256 random bits) + 6 characters of checksum
 *
 * The checksum is the CRC-32 (IEEE 802.3) of everything before it, in base 62. It protects nothing;
 * it lets ticket_check() refuse a mistyped or made-up token without asking the database, and secret
 * scanners tell a token from other text: assay_(api|scan|op)_[0-9A-Za-z]{49}.
 *
 * The store keeps ticket_hash(), and compares in the database by equality of hashes: what an index
 * lookup could leak of a hash helps nobody to find its preimage.
 */
#pragma once

#include "base/digest.h"
#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    TICKET_API,      /* assay_api_: a token of an organization's program */
    TICKET_SCANNER,  /* assay_scan_ */
    TICKET_OPERATOR, /* assay_op_ */
    TICKET_SESSION,  /* assay_ses_: the cookie */
    TICKET_INVITATION,
    TICKET_SETUP,
    TICKET_KINDS
} TicketKind;

#define TICKET_PREFIX "assay_" /* of all of them */
#define TICKET_RANDOM 43
#define TICKET_CHECKSUM 6
#define TICKET_MAX 80 /* longest ticket, with its NUL */

/* A new ticket. */
Secret *ticket_new(TicketKind kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the text has a ticket's form and its checksum is right; says its kind. */
bool ticket_check(const char *text, TicketKind *kind_out);

/* Whether a ticket stands anywhere in the text: where it does not belong, as in a name that is
 * stored and shown. */
bool ticket_within(const char *text);

/* As the store keeps it: SHA-256, hexadecimal. */
void ticket_hash(const char *text, char out[DIGEST_HEX_SIZE]);

/* "assay_api_…x7Kq": the prefix and the last four random characters, to recognize it by; "" when it
 * is no ticket. Caller frees. */
char *ticket_hint(const char *text);

/* The CSRF token of a session: HMAC-SHA-256 of a constant under the session's ticket, base64url.
 * Caller frees. */
char *ticket_csrf(const char *session);

/* Compares in constant time. NULL given: false. */
bool ticket_csrf_matches(const char *session, const char *given);
