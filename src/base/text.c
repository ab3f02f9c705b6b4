#include "base/text.h"

#include <string.h>

/* Longer texts are no misspelling of anything. */
#define NAME_SHOWN_MAX 60
#define NAME_WORD_MAX 24 /* bytes of a word of letters */
#define NAME_MIXED_MAX 8 /* ... and of one with digits */
#define DISTANCE_MAX_LENGTH 256

char *text_hex(const void *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = bytes;
    char *hex = g_malloc(2 * size + 1);
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[in[i] >> 4];
        hex[2 * i + 1] = digits[in[i] & 15];
    }
    hex[2 * size] = '\0';
    return hex;
}

bool text_unhex(const char *text, void *out, size_t size) {
    if (strspn(text, "0123456789abcdefABCDEF") != 2 * size || text[2 * size] != '\0')
        return false;
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(g_ascii_xdigit_value(text[2 * i]) << 4 |
                             g_ascii_xdigit_value(text[2 * i + 1]));
    return true;
}

char *text_base64url(const void *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *in = bytes;
    char *text = g_malloc(size / 3 * 4 + 4);
    char *at = text;
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < size; i++) {
        held = held << 8 | in[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *at++ = digits[held >> (bits - 6) & 63];
    }
    if (bits > 0)
        *at++ = digits[held << (6 - bits) & 63];
    *at = '\0';
    return text;
}

/* The value of one base64 digit of either alphabet, or -1. */
static int base64_value(char c) {
    if (g_ascii_isupper(c))
        return c - 'A';
    if (g_ascii_islower(c))
        return c - 'a' + 26;
    if (g_ascii_isdigit(c))
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Takes the padding off; false when there is padding that does not fill up the last group. */
static bool strip_padding(const char *text, size_t *length) {
    size_t bare = *length;
    while (bare > 0 && *length - bare < 2 && text[bare - 1] == '=')
        bare--;
    bool padded = bare < *length;
    bool whole = *length % 4 == 0;
    *length = bare;
    return (!padded || whole) && bare % 4 != 1;
}

bool text_unbase64(const char *text, size_t length, uint8_t **out_bytes, size_t *out_size) {
    if (!strip_padding(text, &length))
        return false;
    g_autofree uint8_t *bytes = g_malloc(length / 4 * 3 + 3);
    size_t size = 0;
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            return false;
        held = held << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[size++] = (uint8_t)(held >> bits);
        }
    }
    /* Bits that no encoder sets (RFC 4648 section 3.5): two texts must not mean the same bytes. */
    if ((held & ((1U << bits) - 1)) != 0)
        return false;
    *out_bytes = g_steal_pointer(&bytes);
    *out_size = size;
    return true;
}

char *text_percent_encode(const char *text, size_t length) {
    GString *out = g_string_sized_new(length + length / 2);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (g_ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
            g_string_append_c(out, (char)c);
        else
            g_string_append_printf(out, "%%%02X", c);
    }
    return g_string_free(out, FALSE);
}

/* How far the text is ASCII without NUL, in steps of eight bytes. */
static size_t ascii_prefix(const char *text, size_t length) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t at = 0;
    for (uint64_t word; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        if ((word | (word - ones)) & ones << 7)
            break;
    }
    return at;
}

bool text_is_utf8(const char *text, size_t length) {
    size_t ascii = ascii_prefix(text, length);
    return ascii == length || g_utf8_validate_len(text + ascii, length - ascii, NULL);
}

/* Characters that move the cursor, end the line or reorder what is read. */
static bool is_unprintable(gunichar c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool shows_all(const char *text, const char *allowed) {
    if (!g_utf8_validate(text, -1, NULL))
        return false;
    for (; *text != '\0'; text = g_utf8_next_char(text))
        if (is_unprintable(g_utf8_get_char(text)) && !strchr(allowed, *text))
            return false;
    return true;
}

bool text_is_plain(const char *text) {
    return shows_all(text, "");
}

bool text_is_plain_lines(const char *text) {
    return shows_all(text, "\n\t");
}

char *text_fault(const char *text, TextForm form, size_t most) {
    if (strlen(text) > most)
        return g_strdup_printf("must not be longer than %zu bytes", most);
    if ((form == TEXT_LINE && !text_is_plain(text)) ||
        (form == TEXT_LINES && !text_is_plain_lines(text)))
        return g_strdup("must not have control characters, or such as turn text around");
    return NULL;
}

bool text_is_plain_line(const char *text, size_t max) {
    size_t length = 0;
    while (length <= max && text[length] >= ' ' && text[length] < 0x7f)
        length++;
    return length <= max && text[length] == '\0';
}

char *text_one_line(const char *text, size_t max) {
    static const char ellipsis[] = "\u2026";
    const size_t ellipsis_size = sizeof ellipsis - 1;
    if (text_is_plain_line(text, max))
        return g_strdup(text);
    /* Bad bytes grow to three at most, so this much of the text is always enough. */
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, max + 4));
    GString *out = g_string_new(NULL);
    size_t fits = 0; /* how much of out leaves room for the ellipsis */
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(out, is_unprintable(c) ? '?' : c);
        if (out->len + ellipsis_size <= max)
            fits = out->len;
        if (out->len > max) {
            g_string_truncate(out, fits);
            if (ellipsis_size <= max)
                g_string_append(out, ellipsis);
            break;
        }
    }
    return g_string_free(out, FALSE);
}

static bool is_letter(char c) {
    return g_ascii_isalpha(c) || (unsigned char)c >= 0x80;
}

/* "organizationId", "soc2", "ec2", but not "9f86d081884c7d65": keys and tokens are long and mixed.
 */
static bool is_word(const char *word, size_t length) {
    size_t letters = 0;
    while (letters < length && is_letter(word[letters]))
        letters++;
    return length <= (letters == length ? NAME_WORD_MAX : NAME_MIXED_MAX);
}

static bool looks_like_name(const char *text) {
    if (strnlen(text, NAME_SHOWN_MAX + 1) > NAME_SHOWN_MAX || !g_utf8_validate(text, -1, NULL))
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        const char *word = at;
        while (is_letter(*at) || g_ascii_isdigit(*at))
            at++;
        if (!is_word(word, (size_t)(at - word)))
            return false;
        if (*at == '\0')
            break;
        if (!strchr(" _.:()'-", *at))
            return false;
    }
    return true;
}

char *text_name(const char *text) {
    return g_strdup(looks_like_name(text) ? text : "\u2026");
}

bool text_starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

unsigned text_distance(const char *a, const char *b, unsigned limit) {
    size_t a_length = strnlen(a, DISTANCE_MAX_LENGTH + 1);
    size_t b_length = strnlen(b, DISTANCE_MAX_LENGTH + 1);
    size_t gap = a_length > b_length ? a_length - b_length : b_length - a_length;
    if (a_length > DISTANCE_MAX_LENGTH || b_length > DISTANCE_MAX_LENGTH || gap > limit)
        return limit + 1;
    unsigned row[DISTANCE_MAX_LENGTH + 1];
    for (unsigned j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];
        unsigned least = row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
            least = MIN(least, row[j]);
        }
        if (least > limit)
            return limit + 1;
    }
    return MIN(row[b_length], limit + 1);
}

char *text_camel(const char *snake) {
    GString *out = g_string_new(NULL);
    for (const char *at = snake; *at != '\0'; at++) {
        if (*at == '_' && at > snake && at[-1] != '_' && g_ascii_isalnum(at[1]))
            g_string_append_c(out, g_ascii_toupper(*++at));
        else
            g_string_append_c(out, *at);
    }
    return g_string_free(out, FALSE);
}

char *text_snake(const char *camel) {
    GString *out = g_string_new(NULL);
    for (const char *at = camel; *at != '\0'; at++) {
        /* A word begins at a capital after a small letter, and at the last of a run of capitals:
         * "hasMFADevice" is has, mfa, device. */
        bool begins = at > camel && g_ascii_isupper(*at) &&
                      (g_ascii_islower(at[-1]) || g_ascii_isdigit(at[-1]) ||
                       (g_ascii_isupper(at[-1]) && g_ascii_islower(at[1])));
        if (begins)
            g_string_append_c(out, '_');
        g_string_append_c(out, g_ascii_tolower(*at));
    }
    return g_string_free(out, FALSE);
}
