#include "vault/ticket.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

#define BASE 62
#define HINT 4

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const char *const prefixes[TICKET_KINDS] = {
    [TICKET_API] = "assay_api_",           [TICKET_SCANNER] = "assay_scan_",
    [TICKET_OPERATOR] = "assay_op_",       [TICKET_SESSION] = "assay_ses_",
    [TICKET_INVITATION] = "assay_invite_", [TICKET_SETUP] = "assay_setup_",
};

/* CRC-32 of IEEE 802.3 section 3.2.9, bit by bit: tickets are short. */
static uint32_t checksum(const char *text, size_t size) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
    }
    return ~crc;
}

/* Six digits, the highest first. */
static void write_checksum(const char *text, size_t size, char out[TICKET_CHECKSUM]) {
    uint32_t crc = checksum(text, size);
    for (int i = TICKET_CHECKSUM - 1; i >= 0; i--) {
        out[i] = digits[crc % BASE];
        crc /= BASE;
    }
}

/* A digit from random bytes, each equally likely: bytes beyond a multiple of 62 are passed over. */
static char random_digit(void) {
    unsigned char byte = UINT8_MAX;
    while (byte >= UINT8_MAX / BASE * BASE)
        secmem_random(&byte, 1);
    return digits[byte % BASE];
}

Secret *ticket_new(TicketKind kind, GError **error) {
    const char *prefix = prefixes[kind];
    size_t length = strlen(prefix);
    Secret *ticket = secret_blank(length + TICKET_RANDOM + TICKET_CHECKSUM, error);
    if (!ticket)
        return NULL;
    char *text = (char *)secret_room(ticket);
    g_strlcpy(text, prefix, length + 1);
    for (size_t i = 0; i < TICKET_RANDOM; i++)
        text[length + i] = random_digit();
    write_checksum(text, length + TICKET_RANDOM, text + length + TICKET_RANDOM);
    return ticket;
}

static bool all_digits(const char *text) {
    return text[strspn(text, digits)] == '\0';
}

bool ticket_check(const char *text, TicketKind *kind_out) {
    char sum[TICKET_CHECKSUM];
    size_t size = text ? strnlen(text, TICKET_MAX) : TICKET_MAX;
    for (unsigned kind = 0; size < TICKET_MAX && kind < TICKET_KINDS; kind++) {
        size_t length = strlen(prefixes[kind]);
        if (size != length + TICKET_RANDOM + TICKET_CHECKSUM ||
            strncmp(text, prefixes[kind], length) != 0 || !all_digits(text + length))
            continue;
        write_checksum(text, length + TICKET_RANDOM, sum);
        if (memcmp(text + length + TICKET_RANDOM, sum, sizeof sum) != 0)
            return false;
        *kind_out = (TicketKind)kind;
        return true;
    }
    return false;
}

/* Whether a ticket begins here, whatever follows. */
static bool begins_with_ticket(const char *text) {
    char copy[TICKET_MAX];
    TicketKind ignored;
    for (unsigned kind = 0; kind < TICKET_KINDS; kind++) {
        size_t size = strlen(prefixes[kind]) + TICKET_RANDOM + TICKET_CHECKSUM;
        g_strlcpy(copy, text, size + 1);
        if (ticket_check(copy, &ignored))
            return true;
    }
    return false;
}

bool ticket_within(const char *text) {
    const char *at = strstr(text, TICKET_PREFIX);
    while (at && !begins_with_ticket(at))
        at = strstr(at + 1, TICKET_PREFIX);
    return at != NULL;
}

void ticket_hash(const char *text, char out[DIGEST_HEX_SIZE]) {
    digest_sha256_hex(text, strlen(text), out);
}

char *ticket_hint(const char *text) {
    TicketKind kind;
    if (!ticket_check(text, &kind))
        return g_strdup("");
    const char *end = text + strlen(prefixes[kind]) + TICKET_RANDOM;
    return g_strdup_printf("%s\u2026%.*s", prefixes[kind], HINT, end - HINT);
}

char *ticket_csrf(const char *session) {
    static const char purpose[] = "assay csrf 1";
    uint8_t mac[DIGEST_SIZE];
    digest_hmac_sha256(session, strlen(session), purpose, sizeof purpose - 1, mac);
    return text_base64url(mac, sizeof mac);
}

bool ticket_csrf_matches(const char *session, const char *given) {
    g_autofree char *right = ticket_csrf(session);
    return given && secmem_equal(right, strlen(right), given, strlen(given));
}
