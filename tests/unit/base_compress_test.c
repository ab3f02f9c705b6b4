#include "base/compress.h"

#include "base/error.h"

#include <stdint.h>
#include <string.h>

static void assert_bytes(const void *got, size_t got_size, const void *expected, size_t size) {
    g_assert_cmpuint(got_size, ==, size);
    g_assert_true(size == 0 || memcmp(got, expected, size) == 0);
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
    g_test_add_func("/base/compress/packed_bytes_unpack_the_same", packed_bytes_unpack_the_same);
    g_test_add_func("/base/compress/repetitive_bytes_become_small", repetitive_bytes_become_small);
    g_test_add_func("/base/compress/a_frame_that_holds_too_much_is_refused_before_memory_is_taken",
                    a_frame_that_holds_too_much_is_refused_before_memory_is_taken);
    g_test_add_func("/base/compress/damaged_frames_are_found", damaged_frames_are_found);
    g_test_add_func("/base/compress/a_compressor_works_on_after_damage",
                    a_compressor_works_on_after_damage);
    return g_test_run();
}
