/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/manifest/manifest.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "tests/faults.h"

#define NAME_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NAME_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define HEAD   "slipway-manifest 1\nkind os-image-index\n"
#define GOOD   HEAD "size 4194305\nchunks 2\n" NAME_A " 4194304\n" NAME_B " 1\n"

static int parse(const char *text)
{
    OWN(manifest_fini) struct manifest manifest = {0};

    return manifest_parse(bytes_of(text), &manifest);
}

static void parse_reads_what_put_writes(void **state)
{
    (void)state;
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(4096);

    assert_int_equal(manifest_parse(bytes_of(GOOD), &manifest), 0);
    assert_int_equal(manifest.kind, MANIFEST_OS_IMAGE_INDEX);
    assert_int_equal(manifest.size_bytes, 4194305);
    assert_int_equal(manifest.n_chunks, 2);
    assert_int_equal(manifest.chunks[0].size_bytes, CHUNK_MAX_BYTES);
    assert_int_equal(manifest.chunks[0].sha256[1], 0x11);
    assert_int_equal(manifest.chunks[1].sha256[0], 0xff);
    manifest_put(&text, &manifest);
    assert_string_equal(buf_str(&text), GOOD);
}

static void parse_takes_a_content_of_nothing(void **state)
{
    (void)state;
    assert_int_equal(parse("slipway-manifest 1\nkind file\nsize 0\nchunks 0\n"), 0);
}

static void parse_refuses_every_prefix_of_a_manifest(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(GOOD) - 1; len++) {
        OWN(manifest_fini) struct manifest manifest = {0};
        OWN(freep) uint8_t *exact = malloc(len > 0 ? len : 1);

        assert_non_null(exact);
        memcpy(exact, GOOD, len);
        assert_int_equal(manifest_parse((struct bytes){exact, len}, &manifest),
                         MANIFEST_E_MALFORMED);
    }
}

static void parse_refuses_what_is_not_canonical_or_out_of_range(void **state)
{
    (void)state;
    static const char *const cases[] = {
        GOOD "\n",
        " " GOOD,
        "slipway-manifest 2\nkind file\nsize 0\nchunks 0\n",
        "slipway-manifest 1 \nkind file\nsize 0\nchunks 0\n",
        "slipway-manifest 1\r\nkind file\nsize 0\nchunks 0\n",
        "slipway-manifest 1\nkind files\nsize 0\nchunks 0\n",
        "slipway-manifest 1\nkind file\nsize 00\nchunks 0\n",
        "slipway-manifest 1\nkind file\nsize  0\nchunks 0\n",
        "slipway-manifest 1\nsize 0\nkind file\nchunks 0\n",
        HEAD "size 1\nchunks 1\n" NAME_A " 01\n",
        HEAD "size 1\nchunks 1\n" NAME_A "  1\n",
        HEAD "size 1\nchunks 1\n" NAME_A "\t1\n",
        HEAD
        "size 10\nchunks 1\nA0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 10\n",
        HEAD "size 0\nchunks 1\n" NAME_A " 0\n",
        HEAD "size 4194305\nchunks 1\n" NAME_A " 4194305\n",
        HEAD "size 2\nchunks 1\n" NAME_A " 1\n",               /* the sum is wrong */
        HEAD "size 1\nchunks 2\n" NAME_A " 1\n",               /* a chunk is missing */
        HEAD "size 1\nchunks 1\n" NAME_A " 1\n" NAME_B " 1\n", /* one too many */
        HEAD "size 17592186044417\nchunks 0\n",                /* 2^44 + 1 */
        HEAD "size 0\nchunks 16777217\n",                      /* 2^24 + 1 */
        HEAD "size 0\nchunks 16777216\n",                      /* promised, and not there */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(parse(cases[i]), MANIFEST_E_MALFORMED);
}

static void parse_without_memory_is_an_error_that_leaves_nothing(void **state)
{
    (void)state;
    unsigned nth = 1;

    for (; nth < 100; nth++) {
        OWN(manifest_fini) struct manifest manifest = {0};
        int r;

        faults_arm(FAULT_MEMORY, nth);
        r = manifest_parse(bytes_of(GOOD), &manifest);
        if (!faults_disarm())
            break;
        assert_true(r < 0);
        assert_null(manifest.chunks);
    }
    assert_in_range(nth, 2, 99);
}

static void put_without_memory_says_so(void **state)
{
    (void)state;
    OWN(manifest_fini) struct manifest manifest = {0};
    unsigned nth = 1;

    assert_int_equal(manifest_parse(bytes_of(GOOD), &manifest), 0);
    for (; nth < 100; nth++) {
        OWN(buf_fini) struct buf text = BUF_INIT(4096);

        faults_arm(FAULT_MEMORY, nth);
        manifest_put(&text, &manifest);
        if (!faults_disarm())
            break;
        assert_true(text.failed);
    }
    assert_in_range(nth, 2, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_what_put_writes),
        cmocka_unit_test(parse_takes_a_content_of_nothing),
        cmocka_unit_test(parse_refuses_every_prefix_of_a_manifest),
        cmocka_unit_test(parse_refuses_what_is_not_canonical_or_out_of_range),
        cmocka_unit_test(parse_without_memory_is_an_error_that_leaves_nothing),
        cmocka_unit_test(put_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
