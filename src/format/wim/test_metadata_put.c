/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/metadata_put.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    MAX_BYTES = 64 * 1024,
    ROOT_AT = 8,      /* behind the empty security data */
    ROOT_BYTES = 128, /* an entry without a name, with UNIX data */
};

static uint32_t add_inode(struct metadata *m, uint32_t attributes, uint32_t mode)
{
    const struct metadata_inode inode = {
        .attributes = attributes,
        .security = METADATA_NONE,
        .created = UINT64_C(0x1d0000000000001),
        .accessed = UINT64_C(0x1d0000000000002),
        .written = UINT64_C(0x1d0000000000003),
        .has_unix = mode != 0,
        .unix_data = {.uid = 1, .gid = 2, .mode = mode, .rdev = 0x103},
        .reparse_tag = (attributes & METADATA_REPARSE) != 0 ? METADATA_TAG_SYMLINK : 0,
        .reparse_flags = (attributes & METADATA_REPARSE) != 0 ? METADATA_REPARSE_NOT_FIXED : 0,
    };

    assert_int_equal(metadata_add_inode(m, &inode), 0);
    return (uint32_t)(m->n_inodes - 1);
}

static void add_stream(struct metadata *m, enum metadata_stream_kind kind, const char *name)
{
    struct metadata_stream stream = {.kind = kind, .name = name};

    memset(stream.sha1, (int)(m->n_streams + 1), SHA1_BYTES);
    assert_int_equal(metadata_add_stream(m, &stream), 0);
}

static void add_name(struct metadata *m, const char *name, uint32_t parent, uint32_t inode)
{
    const struct metadata_name entry = {
        .name = name, .short_name = "", .parent = parent, .inode = inode};

    assert_int_equal(metadata_add_name(m, &entry), 0);
}

/* A tree with everything that an image can have. */
static void make(struct metadata *m)
{
    uint32_t root = add_inode(m, METADATA_FOLDER, 040755);
    uint32_t folder;
    uint32_t other;

    add_name(m, "", METADATA_NONE, root);
    assert_int_equal(metadata_add_descriptor(m, bytes_of("descriptor one")), 0);
    assert_int_equal(metadata_add_descriptor(m, bytes_of("two")), 0);
    folder = add_inode(m, METADATA_FOLDER, 040700);
    m->inodes[folder].security = 1;
    assert_int_equal(
        metadata_add_xattr(
            m, &(struct metadata_xattr){.name = "user.empty", .value = {(const uint8_t *)"", 0}}),
        0);
    assert_int_equal(
        metadata_add_xattr(
            m, &(struct metadata_xattr){.name = "security.capability", .value = bytes_of("12345")}),
        0);
    add_name(m, "folder", root, folder);
    other = add_inode(m, METADATA_NORMAL, 0100644);
    add_stream(m, METADATA_DATA, "");
    add_name(m, "b", root, other);
    add_name(m, "hard", folder, other);
    other = add_inode(m, METADATA_REPARSE | METADATA_FOLDER, 0120777);
    add_stream(m, METADATA_LINK_DATA, "");
    add_name(m, "a link", root, other);
    other = add_inode(m, 0, 020600);
    add_name(m, "\303\244 device", folder, other);
    other = add_inode(m, METADATA_HIDDEN | METADATA_ARCHIVE, 0);
    add_stream(m, METADATA_DATA, "");
    add_stream(m, METADATA_DATA, "Zone.Identifier");
    assert_int_equal(metadata_add_name(m,
                                       &(struct metadata_name){.name = "Long name.text",
                                                               .short_name = "LONGNA~1.TEX",
                                                               .parent = folder,
                                                               .inode = other}),
                     0);
    other = add_inode(m, METADATA_ENCRYPTED, 0);
    add_stream(m, METADATA_EFS_DATA, "");
    add_name(m, "secret", root, other);
    other = add_inode(m, METADATA_ENCRYPTED, 0);
    add_stream(m, METADATA_EFS_DATA, "");
    add_stream(m, METADATA_DATA, "beside the secret");
    add_name(m, "secret with a stream", root, other);
    other = add_inode(m, METADATA_ENCRYPTED | METADATA_REPARSE, 0);
    add_stream(m, METADATA_LINK_DATA, "");
    add_stream(m, METADATA_EFS_DATA, "");
    add_name(m, "secret link", root, other);
    other = add_inode(m, METADATA_FOLDER, 040755);
    add_name(m, "\360\237\230\200 empty", folder, other);
}

static const struct metadata_name *find(const struct metadata *m, const char *name)
{
    for (size_t i = 0; i < m->n_names; i++)
        if (strcmp(m->names[i].name, name) == 0)
            return &m->names[i];
    fail_msg("%s is not there", name);
    return NULL;
}

static const char *folder_of(const struct metadata *m, const struct metadata_name *name)
{
    if (name->parent == METADATA_NONE)
        return "none";
    return m->names[m->inodes[name->parent].first_name].name;
}

static void assert_same_streams(const struct metadata *a,
                                const struct metadata_inode *x,
                                const struct metadata *b,
                                const struct metadata_inode *y)
{
    assert_int_equal(x->n_streams, y->n_streams);
    for (uint32_t i = 0; i < x->n_streams; i++) {
        const struct metadata_stream *one = &a->streams[x->first_stream + i];
        const struct metadata_stream *two = &b->streams[y->first_stream + i];

        assert_int_equal(one->kind, two->kind);
        assert_string_equal(one->name, two->name);
        assert_memory_equal(one->sha1, two->sha1, SHA1_BYTES);
    }
}

static void assert_same_xattrs(const struct metadata *a,
                               const struct metadata_inode *x,
                               const struct metadata *b,
                               const struct metadata_inode *y)
{
    assert_int_equal(x->n_xattrs, y->n_xattrs);
    for (uint32_t i = 0; i < x->n_xattrs; i++) {
        const struct metadata_xattr *one = &a->xattrs[x->first_xattr + i];
        const struct metadata_xattr *two = &b->xattrs[y->first_xattr + i];

        assert_string_equal(one->name, two->name);
        assert_true(bytes_eq(one->value, two->value));
        assert_int_equal(one->flags, two->flags);
    }
}

static void assert_same_inode(const struct metadata *a,
                              const struct metadata_inode *x,
                              const struct metadata *b,
                              const struct metadata_inode *y)
{
    assert_int_equal(x->attributes, y->attributes);
    assert_int_equal(x->security, y->security);
    assert_int_equal(x->reparse_tag, y->reparse_tag);
    assert_int_equal(x->reparse_flags, y->reparse_flags);
    assert_true(x->created == y->created && x->accessed == y->accessed && x->written == y->written);
    assert_int_equal(x->has_unix, y->has_unix);
    if (x->has_unix)
        assert_memory_equal(&x->unix_data, &y->unix_data, sizeof(x->unix_data));
    assert_int_equal(x->n_names, y->n_names);
    assert_same_streams(a, x, b, y);
    assert_same_xattrs(a, x, b, y);
}

static void what_is_put_is_parsed_as_what_it_was(void **state)
{
    OWN(metadata_fini) struct metadata m = {0};
    OWN(metadata_fini) struct metadata back = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(MAX_BYTES);

    (void)state;
    make(&m);
    assert_int_equal(metadata_put(&m, &text), 0);
    assert_int_equal(text.len % 8, 0);
    assert_int_equal(metadata_parse(buf_bytes(&text), &back), 0);
    assert_int_equal(back.n_names, m.n_names);
    assert_int_equal(back.n_inodes, m.n_inodes);
    assert_int_equal(back.n_descriptors, m.n_descriptors);
    for (size_t i = 0; i < m.n_descriptors; i++)
        assert_true(bytes_eq(m.descriptors[i], back.descriptors[i]));
    for (size_t i = 0; i < m.n_names; i++) {
        const struct metadata_name *name = &m.names[i];
        const struct metadata_name *again = find(&back, name->name);

        assert_string_equal(name->short_name, again->short_name);
        assert_string_equal(folder_of(&m, name), folder_of(&back, again));
        assert_same_inode(&m, &m.inodes[name->inode], &back, &back.inodes[again->inode]);
    }
    assert_int_equal(find(&back, "b")->inode, find(&back, "hard")->inode);
}

static void the_resource_lies_as_wimlib_lays_it(void **state)
{
    static const uint8_t security[ROOT_AT] = {8};
    OWN(metadata_fini) struct metadata m = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(MAX_BYTES);
    const uint8_t *bytes;

    (void)state;
    add_name(&m, "", METADATA_NONE, add_inode(&m, METADATA_FOLDER, 040755));
    assert_int_equal(metadata_put(&m, &text), 0);
    bytes = (const uint8_t *)text.ptr;
    assert_memory_equal(bytes, security, sizeof(security));
    assert_int_equal(bytes[ROOT_AT], ROOT_BYTES);
    assert_int_equal(bytes[ROOT_AT + 8], METADATA_FOLDER);
    assert_int_equal(bytes[ROOT_AT + 16], ROOT_AT + ROOT_BYTES + 8); /* what is in it */
    assert_int_equal(text.len, ROOT_AT + ROOT_BYTES + 8 + 8);
}

/* Whoever adds them in another order gets the same bytes. */
static void names_in_a_folder_are_sorted(void **state)
{
    static const char *const names[2][3] = {{"b", "B", "a"}, {"a", "b", "B"}};
    struct buf texts[2] = {BUF_INIT(MAX_BYTES), BUF_INIT(MAX_BYTES)};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        OWN(metadata_fini) struct metadata m = {0};

        add_name(&m, "", METADATA_NONE, add_inode(&m, METADATA_FOLDER, 040755));
        for (size_t j = 0; j < 3; j++)
            add_name(&m, names[i][j], 0, add_inode(&m, METADATA_NORMAL, 0100644));
        assert_int_equal(metadata_put(&m, &texts[i]), 0);
    }
    assert_true(bytes_eq(buf_bytes(&texts[0]), buf_bytes(&texts[1])));
    buf_fini(&texts[0]);
    buf_fini(&texts[1]);
}

static void what_is_no_text_or_has_no_room_is_refused(void **state)
{
    OWN(metadata_fini) struct metadata m = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(MAX_BYTES);
    OWN(buf_fini) struct buf small = BUF_INIT(ROOT_BYTES);

    (void)state;
    add_name(&m, "", METADATA_NONE, add_inode(&m, METADATA_FOLDER, 040755));
    assert_int_equal(metadata_put(&m, &small), METADATA_PUT_E_LARGE);
    add_name(&m, "\377", 0, add_inode(&m, METADATA_NORMAL, 0100644));
    assert_int_equal(metadata_put(&m, &text), METADATA_PUT_E_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_parsed_as_what_it_was),
        cmocka_unit_test(the_resource_lies_as_wimlib_lays_it),
        cmocka_unit_test(names_in_a_folder_are_sorted),
        cmocka_unit_test(what_is_no_text_or_has_no_room_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
