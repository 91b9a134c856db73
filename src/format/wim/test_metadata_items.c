/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/metadata_items.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static const struct metadata_inode no_inode = {.security = METADATA_NONE};

#define BYTES(array) ((struct bytes){(array), sizeof(array)})

/* As wimlib 1.13 writes them: owner 1000, group 4, mode 0100644; user.foo is "barbaz", user.q is "zz". */
static const uint8_t items[] = {
    0x73, 0xd8, 0x7d, 0x33, 16,  0,   0,    0,   0xe8, 3,   0,   0,   4,   0,   0,   0,
    0xa4, 0x81, 0,    0,    1,   2,   0,    0,   2,    0,   0,   0,   32,  0,   0,   0,
    6,    0,    8,    0,    'u', 's', 'e',  'r', '.',  'f', 'o', 'o', 0,   'b', 'a', 'r',
    'b',  'a',  'z',  2,    0,   6,   0x80, 'u', 's',  'e', 'r', '.', 'q', 0,   'z', 'z',
};

static void items_give_what_unix_knows_and_xattrs(void **state)
{
    (void)state;
    OWN(metadata_fini) struct metadata m = {0};
    struct metadata_inode inode = no_inode;

    assert_true(metadata_items_parse(BYTES(items), &inode));
    assert_true(inode.has_unix);
    assert_int_equal(inode.unix_data.uid, 1000);
    assert_int_equal(inode.unix_data.gid, 4);
    assert_int_equal(inode.unix_data.mode, 0100644);
    assert_int_equal(inode.unix_data.rdev, 0x201);
    assert_int_equal(metadata_add_inode(&m, &inode), 0);
    assert_int_equal(metadata_items_add(&m, BYTES(items)), 0);
    assert_int_equal(m.n_xattrs, 2);
    assert_string_equal(m.xattrs[0].name, "user.foo");
    assert_int_equal(m.xattrs[0].value.len, 6);
    assert_memory_equal(m.xattrs[0].value.ptr, "barbaz", 6);
    assert_string_equal(m.xattrs[1].name, "user.q");
    assert_int_equal(m.xattrs[1].flags, 0x80);
}

static void items_give_xattrs_as_older_versions_of_wimlib_wrote_them(void **state)
{
    (void)state;
    static const uint8_t old[] = {
        0x74, 0xd8, 0x7d, 0x33, 36,  0,   0,   0,   6,   0,   0,   0,   3, 0, 0,
        0,    'u',  's',  'e',  'r', '.', 'a', '1', '2', '3', 0,   0,   0, 6, 0,
        0,    0,    0,    0,    0,   0,   'u', 's', 'e', 'r', '.', 'b', 0, 0,
    };
    OWN(metadata_fini) struct metadata m = {0};

    assert_int_equal(metadata_add_inode(&m, &no_inode), 0);
    assert_int_equal(metadata_items_add(&m, BYTES(old)), 0);
    assert_int_equal(m.n_xattrs, 2);
    assert_string_equal(m.xattrs[0].name, "user.a");
    assert_memory_equal(m.xattrs[0].value.ptr, "123", 3);
    assert_string_equal(m.xattrs[1].name, "user.b");
    assert_int_equal(m.xattrs[1].value.len, 0);
}

static void items_give_the_object_id(void **state)
{
    (void)state;
    static const uint8_t item[] = {1, 0, 0, 0, 4, 0, 0, 0, 'a', 'b', 'c', 'd', 0, 0, 0, 0};
    struct metadata_inode inode = no_inode;

    assert_true(metadata_items_parse(BYTES(item), &inode));
    assert_int_equal(inode.object_id.len, 4);
    assert_memory_equal(inode.object_id.ptr, "abcd", 4);
}

static void items_pass_over_unknown_tags_and_what_is_no_item(void **state)
{
    (void)state;
    static const uint8_t unknown[] = {9, 9, 9, 9, 1, 0, 0, 0,  'x', 0, 0, 0,  0,
                                      0, 0, 0, 1, 0, 0, 0, 99, 0,   0, 0, 'x'};
    struct metadata_inode inode = no_inode;

    assert_true(metadata_items_parse(BYTES(unknown), &inode));
    assert_true(metadata_items_parse((struct bytes){unknown, 3}, &inode));
    assert_false(inode.has_unix);
    assert_int_equal(inode.object_id.len, 0);
}

static void items_that_are_too_short_are_malformed(void **state)
{
    (void)state;
    static const uint8_t short_unix[] = {0x73, 0xd8, 0x7d, 0x33, 4, 0, 0, 0, 1, 2, 3, 4};
    struct metadata_inode inode = no_inode;

    assert_false(metadata_items_parse(BYTES(short_unix), &inode));
}

/* Each: the item's bytes after tag and length. */
static void xattrs_that_are_none_are_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint8_t bytes[12];
        uint8_t len;
    } cases[] = {
        {"no name", {0, 0, 0, 0, 0}, 5},
        {"no NUL behind the name", {0, 0, 1, 0, 'a', 'b'}, 6},
        {"a NUL in the name", {0, 0, 2, 0, 0, 'b', 0}, 7},
        {"a value that is not there", {2, 0, 1, 0, 'a', 0, 'x'}, 7},
        {"a name that is not there", {0, 0, 9, 0, 'a', 0}, 6},
        {"three bytes", {0, 0, 1}, 3},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(metadata_fini) struct metadata m = {0};
        uint8_t item[32] = {2, 0, 0, 0, cases[i].len, 0, 0, 0};

        memcpy(item + 8, cases[i].bytes, cases[i].len);
        assert_int_equal(metadata_add_inode(&m, &no_inode), 0);
        if (metadata_items_add(&m, (struct bytes){item, 8u + cases[i].len}) != METADATA_E_MALFORMED)
            fail_msg("%s", cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_give_what_unix_knows_and_xattrs),
        cmocka_unit_test(items_give_xattrs_as_older_versions_of_wimlib_wrote_them),
        cmocka_unit_test(items_give_the_object_id),
        cmocka_unit_test(items_pass_over_unknown_tags_and_what_is_no_item),
        cmocka_unit_test(items_that_are_too_short_are_malformed),
        cmocka_unit_test(xattrs_that_are_none_are_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
