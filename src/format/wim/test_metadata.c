/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/metadata.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "tests/faults.h"

static const struct metadata_inode an_inode = {.security = METADATA_NONE, .n_streams = 9};

/* A root, and a file with a stream, an xattr and two names. */
static int build(struct metadata *m)
{
    char name[] = "name";
    static const uint8_t value[] = {1, 2};
    int r = metadata_add_descriptor(m, bytes_of("descriptor"));

    if (r == 0)
        r = metadata_add_inode(m, &(struct metadata_inode){.attributes = METADATA_FOLDER});
    if (r == 0)
        r = metadata_add_name(
            m, &(struct metadata_name){.name = "", .short_name = "", .parent = METADATA_NONE});
    if (r == 0)
        r = metadata_add_inode(m, &an_inode);
    if (r == 0)
        r = metadata_add_stream(
            m, &(struct metadata_stream){.kind = METADATA_DATA, .name = name, .sha1 = {1}});
    if (r == 0)
        r = metadata_add_xattr(m, &(struct metadata_xattr){.name = name, .value = {value, 2}});
    for (size_t i = 0; r == 0 && i < 2; i++) {
        name[0] = (char)('a' + i);
        r = metadata_add_name(m,
                              &(struct metadata_name){.name = name, .short_name = "", .inode = 1});
    }
    memset(name, 'x', sizeof(name) - 1); /* what was added was copied */
    return r;
}

static void adding_copies_and_counts(void **state)
{
    (void)state;
    OWN(metadata_fini) struct metadata m = {0};
    const struct metadata_inode *inode;

    assert_int_equal(build(&m), 0);
    inode = &m.inodes[1];
    assert_int_equal(inode->n_streams, 1);
    assert_string_equal(m.streams[inode->first_stream].name, "name");
    assert_string_equal(m.xattrs[inode->first_xattr].name, "name");
    assert_int_equal(inode->n_names, 2);
    assert_string_equal(m.names[inode->first_name].name, "aame");
    assert_string_equal(m.names[m.names[inode->first_name].next].name, "bame");
    assert_int_equal(m.inodes[0].security, 0);
    assert_memory_equal(m.descriptors[0].ptr, "descriptor", 10);
    metadata_fini(&m);
    assert_int_equal(m.n_inodes, 0);
}

static void adding_without_memory_is_an_error(void **state)
{
    (void)state;
    unsigned n = 0;
    int r = -1;

    while (r != 0) {
        OWN(metadata_fini) struct metadata m = {0};

        faults_arm(FAULT_MEMORY, ++n);
        r = build(&m);
        assert_int_equal(faults_disarm(), r != 0);
        assert_true(r <= 0);
    }
    assert_true(n > 5);
}

static void adding_keeps_to_the_limits(void **state)
{
    (void)state;
    OWN(metadata_fini) struct metadata m = {0};
    static char name[METADATA_XATTR_NAME_MAX + 2];
    static uint8_t value[METADATA_XATTR_VALUE_MAX + 1];
    struct metadata_inode inode = an_inode;

    memset(name, 'n', sizeof(name) - 1);
    inode.object_id = (struct bytes){value, METADATA_OBJECT_ID_MAX + 1};
    assert_int_equal(metadata_add_inode(&m, &inode), METADATA_E_MALFORMED);
    inode = an_inode;
    inode.security = 0;
    assert_int_equal(metadata_add_inode(&m, &inode), METADATA_E_MALFORMED);
    assert_int_equal(metadata_add_inode(&m, &an_inode), 0);
    assert_int_equal(metadata_add_xattr(&m, &(struct metadata_xattr){.name = name}),
                     METADATA_E_MALFORMED);
    assert_int_equal(metadata_add_xattr(&m, &(struct metadata_xattr){.name = ""}),
                     METADATA_E_MALFORMED);
    assert_int_equal(metadata_add_xattr(&m, &(struct metadata_xattr){.name = name + 1}), 0);
    assert_int_equal(
        metadata_add_xattr(&m,
                           &(struct metadata_xattr){.name = "n", .value = {value, sizeof(value)}}),
        METADATA_E_MALFORMED);
    for (size_t i = 0; i < METADATA_MAX_STREAMS; i++)
        assert_int_equal(metadata_add_stream(&m, &(struct metadata_stream){.name = "s"}), 0);
    assert_int_equal(metadata_add_stream(&m, &(struct metadata_stream){.name = "s"}),
                     METADATA_E_MALFORMED);
}

static void unnamed_finds_a_stream_by_its_kind(void **state)
{
    (void)state;
    OWN(metadata_fini) struct metadata m = {0};
    const struct metadata_stream streams[] = {
        {.kind = METADATA_DATA, .name = "ads", .sha1 = {1}},
        {.kind = METADATA_LINK_DATA, .name = ""},
        {.kind = METADATA_DATA, .name = "", .sha1 = {3}},
    };

    assert_int_equal(metadata_add_inode(&m, &an_inode), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(metadata_add_stream(&m, &streams[i]), 0);
    assert_ptr_equal(metadata_unnamed(&m, m.inodes, METADATA_DATA), &m.streams[2]);
    assert_ptr_equal(metadata_unnamed(&m, m.inodes, METADATA_LINK_DATA), &m.streams[1]);
    assert_null(metadata_unnamed(&m, m.inodes, METADATA_EFS_DATA));
    assert_true(metadata_has_blob(&m.streams[0]));
    assert_false(metadata_has_blob(&m.streams[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_copies_and_counts),
        cmocka_unit_test(adding_without_memory_is_an_error),
        cmocka_unit_test(adding_keeps_to_the_limits),
        cmocka_unit_test(unnamed_finds_a_stream_by_its_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
