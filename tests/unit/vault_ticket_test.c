#include "vault/ticket.h"

#include <string.h>

/* Made with zlib's crc32 and Python's hmac from the description of the form. */
#define GOLDEN "assay_api_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1wzNMy"
#define GOLDEN_SESSION "assay_ses_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa3HVvkF"
#define GOLDEN_CSRF "4QXn1wMXZPWRL9sp6x1dre0FrWbV3IOo0tc9_SNQtvY"

static const struct {
    TicketKind kind;
    const char *prefix;
} kinds[TICKET_KINDS] = {
    {TICKET_API, "assay_api_"},           {TICKET_SCANNER, "assay_scan_"},
    {TICKET_OPERATOR, "assay_op_"},       {TICKET_SESSION, "assay_ses_"},
    {TICKET_INVITATION, "assay_invite_"}, {TICKET_SETUP, "assay_setup_"},
};

static Secret *make(TicketKind kind) {
    g_autoptr(GError) error = NULL;
    Secret *ticket = ticket_new(kind, &error);
    g_assert_no_error(error);
    return ticket;
}

static void every_kind_has_a_prefix_and_its_tickets_are_right(void) {
    for (size_t i = 0; i < TICKET_KINDS; i++) {
        g_autoptr(Secret) ticket = make(kinds[i].kind);
        const char *text = secret_text(ticket);
        TicketKind kind = TICKET_KINDS;
        g_assert_true(g_str_has_prefix(text, kinds[i].prefix));
        g_assert_cmpuint(strlen(text), ==, strlen(kinds[i].prefix) + 49);
        g_assert_cmpuint(secret_size(ticket), ==, strlen(text));
        g_assert_cmpuint(strlen(text), <, TICKET_MAX);
        g_assert_true(ticket_check(text, &kind));
        g_assert_cmpuint(kind, ==, kinds[i].kind);
    }
}

static void the_checksum_is_the_one_that_others_compute(void) {
    TicketKind kind = TICKET_KINDS;
    g_assert_true(ticket_check(GOLDEN, &kind));
    g_assert_cmpuint(kind, ==, TICKET_API);
    g_assert_true(ticket_check(GOLDEN_SESSION, &kind));
    g_assert_cmpuint(kind, ==, TICKET_SESSION);
}

static void one_wrong_character_is_noticed(void) {
    TicketKind kind;
    for (size_t i = 0; i < strlen(GOLDEN); i++) {
        char altered[] = GOLDEN;
        altered[i] = altered[i] == 'Q' ? 'R' : 'Q';
        g_assert_false(ticket_check(altered, &kind));
    }
}

static void tickets_are_found_within_other_text(void) {
    g_assert_true(ticket_within(GOLDEN));
    g_assert_true(ticket_within("Bearer " GOLDEN ", please"));
    g_assert_true(ticket_within("assay_assay_api_" GOLDEN_SESSION "xyz"));
    for (size_t cut = 1; cut < strlen(GOLDEN); cut++) {
        g_autofree char *part = g_strndup(GOLDEN, strlen(GOLDEN) - cut);
        g_assert_false(ticket_within(part));
        g_assert_false(ticket_within(&GOLDEN[cut]));
    }
    g_assert_false(ticket_within(""));
    g_assert_false(ticket_within("assay_"));
}

static void what_is_no_ticket_is_refused(void) {
    TicketKind kind;
    g_autofree char *endless = g_strnfill(1000000, 'a');
    g_autofree char *longer = g_strconcat(GOLDEN, "0", NULL);
    g_autofree char *shorter = g_strndup(GOLDEN, strlen(GOLDEN) - 1);
    g_autofree char *spaced = g_strconcat(" ", GOLDEN, NULL);
    g_autofree char *lined = g_strconcat(GOLDEN, "\n", NULL);
    const char *const wrong[] = {"",
                                 "assay_",
                                 "assay_api_",
                                 "assay_api_-",
                                 "Bearer",
                                 endless,
                                 longer,
                                 shorter,
                                 spaced,
                                 lined,
                                 "assay_api_\xff\xff",
                                 "assay_xyz_0123456789",
                                 NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(ticket_check(wrong[i], &kind));
}

static void a_ticket_does_not_pass_for_another_kind(void) {
    TicketKind kind;
    g_autofree char *other = g_strconcat("assay_scan_", GOLDEN + strlen("assay_api_"), NULL);
    g_assert_false(ticket_check(other, &kind));
}

static void tickets_differ_and_use_all_digits(void) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    bool used[128] = {false};
    size_t count = 0;
    for (int i = 0; i < 500; i++) {
        g_autoptr(Secret) ticket = make(TICKET_API);
        const char *random = secret_text(ticket) + strlen("assay_api_");
        for (size_t at = 0; at < TICKET_RANDOM; at++)
            used[(unsigned char)random[at]] = true;
        g_assert_true(g_hash_table_add(seen, g_strdup(secret_text(ticket))));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(used); i++)
        count += used[i];
    g_assert_cmpuint(count, ==, 62);
}

static void hashes_are_sha256_of_the_whole_text(void) {
    char hash[DIGEST_HEX_SIZE];
    ticket_hash("abc", hash); /* FIPS 180-4 */
    g_assert_cmpstr(hash, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_hint_shows_kind_and_four_characters(void) {
    g_autofree char *hint = ticket_hint(GOLDEN);
    g_autofree char *none = ticket_hint("assay_api_nonsense");
    g_assert_cmpstr(hint, ==, "assay_api_…defg");
    g_assert_cmpstr(none, ==, "");
}

static void a_csrf_token_belongs_to_one_session(void) {
    g_autoptr(Secret) mine = make(TICKET_SESSION);
    g_autoptr(Secret) other = make(TICKET_SESSION);
    g_autofree char *golden = ticket_csrf(GOLDEN_SESSION);
    g_autofree char *token = ticket_csrf(secret_text(mine));
    g_autofree char *cut = g_strndup(token, strlen(token) - 1);
    g_assert_cmpstr(golden, ==, GOLDEN_CSRF);
    g_assert_true(ticket_csrf_matches(secret_text(mine), token));
    g_assert_false(ticket_csrf_matches(secret_text(other), token));
    g_assert_false(ticket_csrf_matches(secret_text(mine), cut));
    g_assert_false(ticket_csrf_matches(secret_text(mine), ""));
    g_assert_false(ticket_csrf_matches(secret_text(mine), NULL));
    g_assert_false(ticket_csrf_matches(secret_text(mine), secret_text(mine)));
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    g_test_init(&argc, &argv, NULL);
    g_assert_true(secmem_start(&error));
#define ADD(name) g_test_add_func("/vault/ticket/" #name, name)
    ADD(every_kind_has_a_prefix_and_its_tickets_are_right);
    ADD(the_checksum_is_the_one_that_others_compute);
    ADD(one_wrong_character_is_noticed);
    ADD(what_is_no_ticket_is_refused);
    ADD(a_ticket_does_not_pass_for_another_kind);
    ADD(tickets_are_found_within_other_text);
    ADD(tickets_differ_and_use_all_digits);
    ADD(hashes_are_sha256_of_the_whole_text);
    ADD(a_hint_shows_kind_and_four_characters);
    ADD(a_csrf_token_belongs_to_one_session);
    return g_test_run();
}
