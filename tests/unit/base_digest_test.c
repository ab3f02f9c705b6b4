#include "base/digest.h"

#include "base/secmem.h"
#include "base/text.h"

#include <string.h>

static void assert_bytes(const void *got, size_t got_size, const void *expected, size_t size) {
    g_assert_cmpuint(got_size, ==, size);
    g_assert_true(size == 0 || memcmp(got, expected, size) == 0);
}

static void assert_hex(const uint8_t hash[DIGEST_SIZE], const char *expected) {
    g_autofree char *hex = text_hex(hash, DIGEST_SIZE);
    g_assert_cmpstr(hex, ==, expected);
}

/* NIST, "SHA-256 Test Vectors" of FIPS 180-2 appendix B, and the empty message of CAVP. */
static void sha256_gives_the_answers_of_nist(void) {
    static const struct {
        const char *message;
        const char *hash;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        char hex[DIGEST_HEX_SIZE];
        digest_sha256_hex(cases[i].message, strlen(cases[i].message), hex);
        g_assert_cmpstr(hex, ==, cases[i].hash);
    }
}

static void a_million_letters_hash_piece_by_piece(void) {
    uint8_t hash[DIGEST_SIZE];
    char piece[1000];
    memset(piece, 'a', sizeof piece);
    g_autoptr(Digest) digest = digest_new();
    for (int i = 0; i < 1000; i++)
        digest_update(digest, piece, sizeof piece);
    digest_finish(digest, hash);
    assert_hex(hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void pieces_hash_like_the_whole(void) {
    uint8_t bytes[300], whole[DIGEST_SIZE], pieces[DIGEST_SIZE];
    secmem_random(bytes, sizeof bytes);
    digest_sha256(bytes, sizeof bytes, whole);
    const DigestPiece four[] = {
        {bytes, 1}, {NULL, 0}, {bytes + 1, 70}, {bytes + 71, sizeof bytes - 71}};
    digest_sha256_pieces(four, G_N_ELEMENTS(four), pieces);
    g_assert_cmpint(memcmp(pieces, whole, sizeof whole), ==, 0);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        g_autoptr(Digest) digest = digest_new();
        digest_update(digest, bytes, cut);
        digest_update(digest, bytes + cut, sizeof bytes - cut);
        digest_finish(digest, pieces);
        assert_bytes(pieces, DIGEST_SIZE, whole, DIGEST_SIZE);
    }
}

/* RFC 4231 sections 4.2 to 4.8 (section 4.6 is about truncation, which nobody here does). */
static void hmac_gives_the_answers_of_rfc_4231(void) {
    uint8_t counting[25], key_0b[20], key_aa[131], data_dd[50], data_cd[50];
    for (size_t i = 0; i < sizeof counting; i++)
        counting[i] = (uint8_t)(i + 1);
    memset(key_0b, 0x0b, sizeof key_0b);
    memset(key_aa, 0xaa, sizeof key_aa);
    memset(data_dd, 0xdd, sizeof data_dd);
    memset(data_cd, 0xcd, sizeof data_cd);
    static const char long_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    static const char long_data[] =
        "This is a test using a larger than block-size key and a larger than block-size data. The "
        "key needs to be hashed before being used by the HMAC algorithm.";
    const struct {
        const void *key;
        size_t key_size;
        const void *data;
        size_t size;
        const char *mac;
    } cases[] = {
        {key_0b, 20, "Hi There", 8,
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?", 28,
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {key_aa, 20, data_dd, 50,
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {counting, 25, data_cd, 50,
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {key_aa, 131, long_key, sizeof long_key - 1,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {key_aa, 131, long_data, sizeof long_data - 1,
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t mac[DIGEST_SIZE];
        digest_hmac_sha256(cases[i].key, cases[i].key_size, cases[i].data, cases[i].size, mac);
        assert_hex(mac, cases[i].mac);
    }
}

static void hmac_with_an_empty_key_forgets_the_key_before(void) {
    uint8_t mac[DIGEST_SIZE];
    digest_hmac_sha256("secret", 6, "x", 1, mac);
    digest_hmac_sha256(NULL, 0, NULL, 0, mac);
    assert_hex(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/digest/sha256_gives_the_answers_of_nist",
                    sha256_gives_the_answers_of_nist);
    g_test_add_func("/base/digest/a_million_letters_hash_piece_by_piece",
                    a_million_letters_hash_piece_by_piece);
    g_test_add_func("/base/digest/pieces_hash_like_the_whole", pieces_hash_like_the_whole);
    g_test_add_func("/base/digest/hmac_gives_the_answers_of_rfc_4231",
                    hmac_gives_the_answers_of_rfc_4231);
    g_test_add_func("/base/digest/hmac_with_an_empty_key_forgets_the_key_before",
                    hmac_with_an_empty_key_forgets_the_key_before);
    return g_test_run();
}
