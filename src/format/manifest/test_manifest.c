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

#define NAME_A  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NAME_B  "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define CHECK_A "000102030405060708090a0b0c0d0e0f"
#define CHECK_B "f0e0d0c0b0a090807060504030201000"
#define HEAD    "slipway-manifest 3\nkind os-image-index\n"
#define FILES   "slipway-manifest 3\nkind file\n"
#define TREE    "slipway-manifest 3\nkind tree\n"
#define NONE    "packs 0\nruns 0\n"
#define PACK_A  NAME_A " 5242880 5308416 " CHECK_A "\n"
#define PACK_B  NAME_B " 100 99 " CHECK_B "\n"
#define GOOD \
    HEAD "size 5242840\npacks 2\n" PACK_A PACK_B "runs 3\n0 52 5242827\n1 88 12\n0 5242879 1\n"
#define ENTRIES \
    "entries 5\n" \
    "d 755 0 0 bin\n" \
    "f 0 0 9223372036854775807 bin-\xc3\xa4\n" \
    "f 4755 7 1700000000000000001 bin/a%20b%25\n" \
    "l 777 0 5 latest bin/a%20b%25%0A\n" \
    "f 644 5 0 z\n"
#define GOOD_TREE TREE "size 12\npacks 1\n" PACK_B "runs 1\n0 88 12\n" ENTRIES

static int parse(const char *text)
{
    OWN(manifest_fini) struct manifest manifest = {0};

    return manifest_parse(bytes_of(text), &manifest);
}

static void assert_writes_the_same(const struct manifest *manifest, const char *text)
{
    OWN(buf_fini) struct buf again = BUF_INIT(4096);

    manifest_put(&again, manifest);
    assert_string_equal(buf_str(&again), text);
}

static void parse_reads_what_put_writes(void **state)
{
    (void)state;
    OWN(manifest_fini) struct manifest manifest = {0};

    assert_int_equal(manifest_parse(bytes_of(GOOD), &manifest), 0);
    assert_int_equal(manifest.kind, MANIFEST_OS_IMAGE_INDEX);
    assert_int_equal(manifest.size_bytes, 5242840);
    assert_int_equal(manifest.n_packs, 2);
    assert_int_equal(manifest.packs[0].sha256[1], 0x11);
    assert_int_equal(manifest.packs[0].plain_bytes, 5242880);
    assert_int_equal(manifest.packs[0].stored_bytes, 5308416);
    assert_int_equal(manifest.packs[1].sha256[0], 0xff);
    assert_int_equal(manifest.n_runs, 3);
    assert_int_equal(manifest.runs[0].pack, 0);
    assert_int_equal(manifest.runs[0].offset, 52);
    assert_int_equal(manifest.runs[1].pack, 1);
    assert_int_equal(manifest.runs[1].size_bytes, 12);
    assert_int_equal(manifest.runs[2].offset, 5242879);
    assert_int_equal(manifest.n_entries, 0);
    assert_writes_the_same(&manifest, GOOD);
}

static void parse_reads_a_tree_as_put_writes_it(void **state)
{
    (void)state;
    OWN(manifest_fini) struct manifest manifest = {0};

    assert_int_equal(manifest_parse(bytes_of(GOOD_TREE), &manifest), 0);
    assert_int_equal(manifest.kind, MANIFEST_TREE);
    assert_int_equal(manifest.n_entries, 5);
    assert_int_equal(manifest.entries[0].kind, MANIFEST_FOLDER);
    assert_int_equal(manifest.entries[0].mode, 0755);
    assert_true(manifest.entries[1].mtime_ns == INT64_MAX);
    assert_string_equal(manifest.entries[2].path, "bin/a b%");
    assert_int_equal(manifest.entries[2].mode, 04755);
    assert_int_equal(manifest.entries[2].size_bytes, 7);
    assert_true(manifest.entries[2].mtime_ns == UINT64_C(1700000000000000001));
    assert_null(manifest.entries[2].target);
    assert_int_equal(manifest.entries[3].kind, MANIFEST_LINK);
    assert_string_equal(manifest.entries[3].path, "latest");
    assert_string_equal(manifest.entries[3].target, "bin/a b%\n");
    assert_int_equal(manifest.entries[4].kind, MANIFEST_REGULAR);
    assert_writes_the_same(&manifest, GOOD_TREE);
}

static void parse_takes_a_content_of_nothing(void **state)
{
    (void)state;
    assert_int_equal(parse(FILES "size 0\n" NONE), 0);
    assert_int_equal(parse(TREE "size 0\n" NONE "entries 0\n"), 0);
    assert_int_equal(parse(TREE "size 0\n" NONE "entries 1\nf 600 0 0 empty\n"), 0);
}

static void parse_refuses_every_prefix_of_a_manifest(void **state)
{
    (void)state;
    static const char *const texts[] = {GOOD, GOOD_TREE};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        for (size_t len = 0; len < strlen(texts[i]); len++) {
            OWN(manifest_fini) struct manifest manifest = {0};
            OWN(freep) uint8_t *exact = malloc(len > 0 ? len : 1);

            assert_non_null(exact);
            memcpy(exact, texts[i], len);
            assert_int_equal(manifest_parse((struct bytes){exact, len}, &manifest),
                             MANIFEST_E_MALFORMED);
        }
}

static void parse_refuses_what_is_not_canonical(void **state)
{
    (void)state;
    static const char *const cases[] = {
        GOOD "\n",
        " " GOOD,
        GOOD_TREE "\n",
        "slipway-manifest 2\nkind file\nsize 0\n" NONE,
        "slipway-manifest 4\nkind file\nsize 0\n" NONE,
        "slipway-manifest 3 \nkind file\nsize 0\n" NONE,
        "slipway-manifest 3\r\nkind file\nsize 0\n" NONE,
        "slipway-manifest 3\nkind files\nsize 0\n" NONE,
        "slipway-manifest 3\nsize 0\nkind file\n" NONE,
        FILES "size 00\n" NONE,
        FILES "size  0\n" NONE,
        FILES "size 0\npacks 00\nruns 0\n",
        FILES "size 0\nruns 0\npacks 0\n",
        FILES "size 0\n" NONE "entries 0\n", /* entries are for trees */
        TREE "size 0\n" NONE,                /* which have them */
        FILES "size 1\npacks 1\n" NAME_A " 053 9 " CHECK_A "\nruns 1\n0 52 1\n",
        FILES "size 1\npacks 1\n" NAME_A " 53  9 " CHECK_A "\nruns 1\n0 52 1\n",
        FILES "size 1\npacks 1\n" NAME_A "  53 9 " CHECK_A "\nruns 1\n0 52 1\n",
        FILES "size 1\npacks 1\n" NAME_A " 53 9 " CHECK_A " \nruns 1\n0 52 1\n",
        FILES "size 1\npacks 1\n" NAME_A " 53\t9 " CHECK_A "\nruns 1\n0 52 1\n",
        FILES "size 1\npacks 1\n" NAME_A " 53 9 " CHECK_A "\nruns 1\n0 52 01\n",
        FILES "size 1\npacks 1\n" NAME_A " 53 9 " CHECK_A "\nruns 1\n00 52 1\n",
        FILES "size 1\npacks 1\n" NAME_A " 53 9 " CHECK_A "\nruns 1\n0 52 1 \n",
        FILES
        "size 1\npacks 1\nA0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 53 9 " CHECK_A
        "\n"
        "runs 1\n0 52 1\n",
        FILES "size 2\npacks 1\n" PACK_B "runs 2\n0 52 1\n0 53 1\n", /* one run as two */
        FILES "size 1\npacks 2\n" PACK_A PACK_B "runs 1\n0 52 1\n",  /* a pack of no use */
        FILES "size 2\npacks 2\n" PACK_A PACK_B
              "runs 2\n1 52 1\n0 52 1\n", /* not in the order of use */
        FILES "size 2\npacks 2\n" PACK_A NAME_A " 60 9 " CHECK_A
              "\nruns 2\n0 52 1\n1 52 1\n", /* one pack twice */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(parse(cases[i]), MANIFEST_E_MALFORMED);
}

static void parse_refuses_what_is_out_of_range(void **state)
{
    (void)state;
    static const char *const cases[] = {
        FILES "size 17592186044417\n" NONE,        /* 2^44 + 1 */
        FILES "size 0\npacks 4194305\nruns 0\n",   /* 2^22 + 1 */
        FILES "size 0\npacks 4194304\nruns 0\n",   /* promised, and not there */
        FILES "size 0\npacks 0\nruns 16777217\n",  /* 2^24 + 1 */
        FILES "size 0\npacks 0\nruns 16777216\n",  /* promised */
        FILES "size 0\npacks 0\nruns 1\n0 52 1\n", /* of no pack */
        FILES "size 1\npacks 1\n" NAME_A " 52 9 " CHECK_A
              "\nruns 1\n0 52 1\n", /* no room for a chunk */
        FILES "size 1\npacks 1\n" NAME_A " 5242881 9 " CHECK_A "\nruns 1\n0 52 1\n",
        FILES "size 1\npacks 1\n" NAME_A " 53 0 " CHECK_A "\nruns 1\n0 52 1\n",
        FILES "size 1\npacks 1\n" NAME_A " 53 5308417 " CHECK_A "\nruns 1\n0 52 1\n",
        FILES "size 1\npacks 1\n" PACK_B "runs 1\n1 52 1\n",         /* not a pack of it */
        FILES "size 1\npacks 1\n" PACK_B "runs 1\n0 51 1\n",         /* in the table */
        FILES "size 1\npacks 1\n" PACK_B "runs 1\n0 100 1\n",        /* behind the pack */
        FILES "size 2\npacks 1\n" PACK_B "runs 1\n0 99 2\n",         /* half behind it */
        FILES "size 0\npacks 1\n" PACK_B "runs 1\n0 52 0\n",         /* nothing */
        FILES "size 2\npacks 1\n" PACK_B "runs 1\n0 52 1\n",         /* the sum is wrong */
        FILES "size 1\npacks 1\n" PACK_B "runs 2\n0 52 1\n",         /* a run is missing */
        FILES "size 1\npacks 1\n" PACK_B "runs 1\n0 52 1\n0 60 1\n", /* one too many */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(parse(cases[i]), MANIFEST_E_MALFORMED);
}

#define TREE_OF_ONE TREE "size 0\n" NONE "entries 1\n"
#define TREE_OF_TWO TREE "size 0\n" NONE "entries 2\n"

static void parse_refuses_entries_that_break_a_rule(void **state)
{
    (void)state;
    static const char *const cases[] = {
        TREE "size 0\n" NONE "entries 4194305\n",
        TREE "size 0\n" NONE "entries 4194304\n",
        TREE_OF_ONE "x 644 0 0 a\n",
        TREE_OF_ONE "ff 644 0 0 a\n",
        TREE_OF_ONE "f 0644 0 0 a\n",
        TREE_OF_ONE "f 648 0 0 a\n",
        TREE_OF_ONE "f 17777 0 0 a\n",
        TREE_OF_ONE "f  0 0 a\n",
        TREE_OF_ONE "f 644 1 0 a\n", /* more than the content */
        TREE_OF_ONE "f 644 00 0 a\n",
        TREE_OF_ONE "f 644 0 9223372036854775808 a\n",
        TREE_OF_ONE "f 644 0 -1 a\n",
        TREE_OF_ONE "f 644 0 0 \n",
        TREE_OF_ONE "f 644 0 0 a b\n", /* a file has no target */
        TREE_OF_ONE "l 777 0 0 a\n",   /* a link has one */
        TREE_OF_ONE "l 777 0 0 a \n",
        TREE_OF_ONE "l 777 0 0 a b c\n",
        TREE_OF_ONE "f 644 0 0 /a\n",
        TREE_OF_ONE "f 644 0 0 a/\n",
        TREE_OF_ONE "f 644 0 0 .\n",
        TREE_OF_ONE "f 644 0 0 ..\n",
        TREE_OF_ONE "f 644 0 0 a%\n",
        TREE_OF_ONE "f 644 0 0 a%2\n",
        TREE_OF_ONE "f 644 0 0 a%0a\n", /* lower case */
        TREE_OF_ONE "f 644 0 0 %41\n",  /* need not be escaped */
        TREE_OF_ONE "f 644 0 0 a%00\n",
        TREE_OF_ONE "f 644 0 0 a\tb\n", /* has to be escaped */
        TREE_OF_ONE "f 644 0 0 \x7f\n",
        TREE_OF_ONE "f 644 0 0 \xff\n",             /* not UTF-8 */
        TREE_OF_ONE "f 644 0 0 \xc3\n",             /* half a character */
        TREE_OF_ONE "f 644 0 0 \xc0\xaf\n",         /* '/' in two bytes */
        TREE_OF_ONE "f 644 0 0 \xed\xa0\x80\n",     /* a surrogate */
        TREE_OF_ONE "f 644 0 0 \xf4\x90\x80\x80\n", /* above the last character */
        TREE_OF_ONE "l 777 0 0 a \xff\n",
        TREE_OF_ONE "f 644 0 0 a/b\n",                   /* its folder is not there */
        TREE_OF_TWO "f 644 0 0 a\nf 644 0 0 a/b\n",      /* is a file */
        TREE_OF_TWO "l 777 0 0 a /etc\nf 644 0 0 a/b\n", /* is a link */
        TREE_OF_TWO "d 755 0 0 a\nf 644 0 0 a/../b\n",
        TREE_OF_TWO "d 755 0 0 a\nf 644 0 0 a/./b\n",
        TREE_OF_TWO "d 755 0 0 a\nf 644 0 0 a//b\n",
        TREE_OF_TWO "d 755 0 0 a-\nf 644 0 0 a/b\n", /* only almost */
        TREE_OF_TWO "f 644 0 0 b\nf 644 0 0 a\n",    /* not sorted */
        TREE_OF_TWO "f 644 0 0 a\nf 644 0 0 a\n",    /* twice */
        TREE "size 1\npacks 1\n" PACK_B
             "runs 1\n0 52 1\nentries 1\nf 644 0 0 a\n", /* a byte is nobody's */
        TREE "size 1\npacks 1\n" PACK_B "runs 1\n0 52 1\nentries 1\nd 755 1 0 a\n", /* a folder's */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(parse(cases[i]), MANIFEST_E_MALFORMED);
}

static void a_path_has_4096_bytes_at_most(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    buf_adds(&text, TREE_OF_ONE "f 644 0 0 ");
    for (size_t i = 0; i < MANIFEST_PATH_MAX_BYTES; i++)
        buf_adds(&text, "%20");
    buf_adds(&text, "\n");
    assert_int_equal(parse(buf_str(&text)), 0);

    buf_clear(&text);
    buf_adds(&text, TREE_OF_ONE "f 644 0 0 ");
    for (size_t i = 0; i <= MANIFEST_PATH_MAX_BYTES; i++)
        buf_adds(&text, "a");
    buf_adds(&text, "\n");
    assert_int_equal(parse(buf_str(&text)), MANIFEST_E_MALFORMED);
}

static void parse_without_memory_is_an_error_that_leaves_nothing(void **state)
{
    (void)state;
    unsigned nth = 1;

    for (; nth < 100; nth++) {
        OWN(manifest_fini) struct manifest manifest = {0};
        int r;

        faults_arm(FAULT_MEMORY, nth);
        r = manifest_parse(bytes_of(GOOD_TREE), &manifest);
        if (!faults_disarm())
            break;
        assert_true(r < 0);
        assert_null(manifest.packs);
        assert_null(manifest.runs);
        assert_null(manifest.entries);
    }
    assert_in_range(nth, 9, 99);
}

static void put_without_memory_says_so(void **state)
{
    (void)state;
    OWN(manifest_fini) struct manifest manifest = {0};
    unsigned nth = 1;

    assert_int_equal(manifest_parse(bytes_of(GOOD_TREE), &manifest), 0);
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
        cmocka_unit_test(parse_reads_a_tree_as_put_writes_it),
        cmocka_unit_test(parse_takes_a_content_of_nothing),
        cmocka_unit_test(parse_refuses_every_prefix_of_a_manifest),
        cmocka_unit_test(parse_refuses_what_is_not_canonical),
        cmocka_unit_test(parse_refuses_what_is_out_of_range),
        cmocka_unit_test(parse_refuses_entries_that_break_a_rule),
        cmocka_unit_test(a_path_has_4096_bytes_at_most),
        cmocka_unit_test(parse_without_memory_is_an_error_that_leaves_nothing),
        cmocka_unit_test(put_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
