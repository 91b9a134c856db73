/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/reparse.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/wim/metadata.h"

enum {
    DATA_MAX = 512,
};

static void put_u16(struct buf *dst, size_t n)
{
    uint8_t bytes[2] = {(uint8_t)n, (uint8_t)(n >> 8)};

    buf_add(dst, (struct bytes){bytes, 2});
}

/* Link data whose substitute name is that. */
static void put_data(uint32_t tag, const char *name, struct buf *dst)
{
    put_u16(dst, 0);
    put_u16(dst, 2 * strlen(name));
    put_u16(dst, 2 * strlen(name));
    put_u16(dst, 0);
    if (tag == METADATA_TAG_SYMLINK) {
        put_u16(dst, 0);
        put_u16(dst, 0);
    }
    for (const char *p = name; *p != '\0'; p++)
        put_u16(dst, (uint8_t)*p);
}

static void target_is_what_linux_writes(void **state)
{
    (void)state;
    static const struct {
        uint32_t tag;
        const char *name;
        const char *target; /* NULL: malformed */
    } cases[] = {
        {METADATA_TAG_SYMLINK, "..\\a\\b", "../a/b"},
        {METADATA_TAG_SYMLINK, "\\??\\C:\\a\\b", "/a/b"},
        {METADATA_TAG_SYMLINK, "D:\\a", "/a"},
        {METADATA_TAG_SYMLINK, "\\a", "/a"},
        {METADATA_TAG_SYMLINK, "", NULL},
        {METADATA_TAG_SYMLINK, "\\\\?\\Volume{1}\\", "//?/Volume{1}/"},
        {METADATA_TAG_JUNCTION, "\\??\\C:\\Users", "/Users"},
        {METADATA_TAG_JUNCTION, "\\\\?\\Volume{1}\\", "\\\\?\\Volume{1}\\"},
        {METADATA_TAG_JUNCTION, "Users", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf data = BUF_INIT(DATA_MAX);
        OWN(buf_fini) struct buf target = BUF_INIT(REPARSE_TARGET_MAX);

        put_data(cases[i].tag, cases[i].name, &data);
        assert_int_equal(reparse_target(cases[i].tag, buf_bytes(&data), &target),
                         cases[i].target ? 0 : REPARSE_E_MALFORMED);
        assert_string_equal(buf_str(&target), cases[i].target ? cases[i].target : "");
    }
}

static void target_of_a_link_of_wsl_is_text(void **state)
{
    (void)state;
    static const uint8_t data[] = {2, 0, 0, 0, '/', 'e', 't', 'c'};
    static const uint8_t other[] = {3, 0, 0, 0, '/'};
    static const uint8_t nul[] = {2, 0, 0, 0, '/', 0};
    OWN(buf_fini) struct buf target = BUF_INIT(REPARSE_TARGET_MAX);

    assert_int_equal(
        reparse_target(REPARSE_TAG_LX_SYMLINK, (struct bytes){data, sizeof(data)}, &target), 0);
    assert_string_equal(buf_str(&target), "/etc");
    assert_int_equal(
        reparse_target(REPARSE_TAG_LX_SYMLINK, (struct bytes){other, sizeof(other)}, &target),
        REPARSE_E_MALFORMED);
    assert_int_equal(
        reparse_target(REPARSE_TAG_LX_SYMLINK, (struct bytes){nul, sizeof(nul)}, &target),
        REPARSE_E_MALFORMED);
    assert_int_equal(reparse_target(REPARSE_TAG_LX_SYMLINK, (struct bytes){data, 4}, &target),
                     REPARSE_E_MALFORMED);
}

static void target_of_every_prefix_is_refused(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf data = BUF_INIT(DATA_MAX);

    put_data(METADATA_TAG_SYMLINK, "a\\b", &data);
    for (size_t n = 0; n < data.len; n++) {
        OWN(buf_fini) struct buf target = BUF_INIT(REPARSE_TARGET_MAX);
        OWN(freep) uint8_t *block = malloc(n > 0 ? n : 1);

        assert_non_null(block);
        memcpy(block, data.ptr, n);
        assert_int_equal(reparse_target(METADATA_TAG_SYMLINK, (struct bytes){block, n}, &target),
                         REPARSE_E_MALFORMED);
    }
}

/* What wimlib 1.13 makes of a link to /abs/t. */
static void put_symlink_writes_what_others_write(void **state)
{
    (void)state;
    static const char names[] =
        "\\\0?\0?\0\\\0C\0:\0\\\0a\0b\0s\0\\\0t\0\0\0C\0:\0\\\0a\0b\0s\0\\\0t\0\0";
    static const uint8_t head[] = {0, 0, 24, 0, 26, 0, 16, 0, 0, 0, 0, 0};
    OWN(buf_fini) struct buf data = BUF_INIT(DATA_MAX);

    assert_int_equal(reparse_put_symlink(bytes_of("/abs/t"), &data), 0);
    assert_int_equal(data.len, 56);
    assert_memory_equal(data.ptr, head, sizeof(head));
    assert_memory_equal(data.ptr + sizeof(head), names, 44);
}

static void put_symlink_is_read_back(void **state)
{
    (void)state;
    static const char *const targets[] = {
        "a", "../a/b", "/", "/usr/lib", "\xc3\xa4/\xf0\x9f\x98\x80"};

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        OWN(buf_fini) struct buf data = BUF_INIT(DATA_MAX);
        OWN(buf_fini) struct buf target = BUF_INIT(REPARSE_TARGET_MAX);

        assert_int_equal(reparse_put_symlink(bytes_of(targets[i]), &data), 0);
        assert_int_equal(reparse_target(METADATA_TAG_SYMLINK, buf_bytes(&data), &target), 0);
        assert_string_equal(buf_str(&target), targets[i]);
    }
}

static void put_symlink_refuses_what_is_no_target(void **state)
{
    (void)state;
    static const char *const targets[] = {"", "\xff", "a\xc3"};
    static char is_long[REPARSE_DATA_MAX];
    OWN(buf_fini) struct buf data = BUF_INIT(DATA_MAX);

    memset(is_long, 'a', sizeof(is_long) - 1);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
        assert_int_equal(reparse_put_symlink(bytes_of(targets[i]), &data), REPARSE_E_MALFORMED);
    assert_int_equal(reparse_put_symlink(bytes_of(is_long), &data), REPARSE_E_MALFORMED);
    assert_int_equal(data.len, 0);
}

static void links_are_those_that_linux_can_have(void **state)
{
    (void)state;
    assert_true(reparse_is_link(METADATA_TAG_SYMLINK));
    assert_true(reparse_is_link(METADATA_TAG_JUNCTION));
    assert_true(reparse_is_link(REPARSE_TAG_LX_SYMLINK));
    assert_false(reparse_is_link(0x80000017)); /* WOF */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(target_is_what_linux_writes),
        cmocka_unit_test(target_of_a_link_of_wsl_is_text),
        cmocka_unit_test(target_of_every_prefix_is_refused),
        cmocka_unit_test(put_symlink_writes_what_others_write),
        cmocka_unit_test(put_symlink_is_read_back),
        cmocka_unit_test(put_symlink_refuses_what_is_no_target),
        cmocka_unit_test(links_are_those_that_linux_can_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
