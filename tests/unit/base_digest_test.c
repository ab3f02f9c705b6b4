#include "base/compress.h"
#include "base/digest.h"
#include "base/error.h"
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

static void packed_bytes_unpack_the_same(void) {
    g_autoptr(Compressor) compressor = compressor_new();
    static const size_t sizes[] = {0, 1, 1000, 262144};
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *bytes = g_malloc(sizes[i] + 1);
        for (size_t j = 0; j < sizes[i]; j++)
            bytes[j] = (char)('a' + j % 17);
        g_autoptr(GByteArray) packed = compressor_pack(compressor, bytes, sizes[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) unpacked =
            compressor_unpack(compressor, packed->data, packed->len, sizes[i], &error);
        g_assert_no_error(error);
        assert_bytes(unpacked->data, unpacked->len, bytes, sizes[i]);
    }
}

static void repetitive_bytes_become_small(void) {
    g_autoptr(Compressor) compressor = compressor_new();
    g_autofree char *bytes = g_malloc0(100000);
    g_autoptr(GByteArray) packed = compressor_pack(compressor, bytes, 100000);
    g_assert_cmpuint(packed->len, <, 100);
}

static void a_frame_that_holds_too_much_is_refused_before_memory_is_taken(void) {
    g_autoptr(Compressor) compressor = compressor_new();
    g_autofree char *bytes = g_malloc0(1001);
    g_autoptr(GByteArray) packed = compressor_pack(compressor, bytes, 1001);
    g_autoptr(GError) error = NULL;
    g_assert_null(compressor_unpack(compressor, packed->data, packed->len, 1000, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_clear_error(&error);

    /* RFC 8878 section 3.1.1: single segment, eight bytes of content size, which claim 2^62. */
    static const uint8_t boast[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0,
                                    0,    0,    0,    0,    0x40, 1, 0, 0};
    g_assert_null(compressor_unpack(compressor, boast, sizeof boast, SIZE_MAX, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
}

static void assert_damaged(Compressor *compressor, const void *bytes, size_t size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) out = compressor_unpack(compressor, bytes, size, 1 << 20, &error);
    g_assert_null(out);
    g_assert_nonnull(error);
}

static void damaged_frames_are_found(void) {
    g_autoptr(Compressor) compressor = compressor_new();
    static const char text[] = "{\"details\":[{\"repository\":\"acme/web\",\"private\":true}]}";
    g_autoptr(GByteArray) packed = compressor_pack(compressor, text, sizeof text);
    for (guint i = 0; i < packed->len; i++)
        assert_damaged(compressor, packed->data, i);
    for (guint i = 0; i < packed->len; i++) {
        /* The fifth byte has one bit that RFC 8878 section 3.1.1.1.1 leaves without a meaning. */
        uint8_t flip = i == 4 ? 0x20 : 0x01;
        packed->data[i] ^= flip;
        assert_damaged(compressor, packed->data, packed->len);
        packed->data[i] ^= flip;
    }
    assert_damaged(compressor, "no frame at all", 15);
}

static void a_compressor_works_on_after_damage(void) {
    g_autoptr(Compressor) compressor = compressor_new();
    g_autoptr(GByteArray) packed = compressor_pack(compressor, "abc", 3);
    assert_damaged(compressor, packed->data, packed->len - 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) out = compressor_unpack(compressor, packed->data, packed->len, 3, &error);
    g_assert_no_error(error);
    assert_bytes(out->data, out->len, "abc", 3);
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
    g_test_add_func("/base/compress/packed_bytes_unpack_the_same", packed_bytes_unpack_the_same);
    g_test_add_func("/base/compress/repetitive_bytes_become_small", repetitive_bytes_become_small);
    g_test_add_func("/base/compress/a_frame_that_holds_too_much_is_refused_before_memory_is_taken",
                    a_frame_that_holds_too_much_is_refused_before_memory_is_taken);
    g_test_add_func("/base/compress/damaged_frames_are_found", damaged_frames_are_found);
    g_test_add_func("/base/compress/a_compressor_works_on_after_damage",
                    a_compressor_works_on_after_damage);
    return g_test_run();
}
