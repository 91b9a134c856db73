/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/wim/metadata.h"
#include "format/wim/test_metadata_fixture.h"
#include "tests/faults.h"

#define NONE UINT32_MAX

static const struct dentry_fixture a_root = {.attributes = METADATA_FOLDER, .security = NONE};

/* A root whose folder holds these and nothing else. */
static void put_tree(struct buf *dst, const struct dentry_fixture *dentries, size_t n)
{
    static const char *const descriptors[] = {"first", "second descriptor"};
    size_t root;

    metadata_fixture_security(dst, descriptors, 2);
    root = metadata_fixture_dentry(dst, &a_root);
    metadata_fixture_end(dst);
    metadata_fixture_set_folder(dst, root, dst->len);
    for (size_t i = 0; i < n; i++)
        (void)metadata_fixture_dentry(dst, &dentries[i]);
    metadata_fixture_end(dst);
    assert_false(dst->failed);
}

static int parse_one(const struct dentry_fixture *d, size_t n, struct metadata *ret)
{
    OWN(buf_fini) struct buf resource = BUF_INIT(METADATA_FIXTURE_MAX);

    put_tree(&resource, d, n);
    return metadata_parse(buf_bytes(&resource), ret);
}

static const struct metadata_inode *inode_of(const struct metadata *m, const char *name)
{
    for (size_t i = 0; i < m->n_names; i++)
        if (strcmp(m->names[i].name, name) == 0)
            return &m->inodes[m->names[i].inode];
    fail_msg("no %s", name);
    return NULL;
}

static void parse_gives_names_attributes_times_and_security(void **state)
{
    (void)state;
    static const struct dentry_fixture dentries[] = {
        {.attributes = METADATA_HIDDEN,
         .security = 1,
         .sha1 = 7,
         .name = "A long name.txt",
         .short_name = "ALONGN~1.TXT"},
        {.attributes = METADATA_FOLDER, .security = NONE, .name = "empty folder"},
    };
    OWN(metadata_fini) struct metadata m = {0};
    const struct metadata_inode *inode;

    assert_int_equal(parse_one(dentries, 2, &m), 0);
    assert_int_equal(m.n_inodes, 3);
    assert_int_equal(m.n_descriptors, 2);
    inode = inode_of(&m, "A long name.txt");
    assert_int_equal(inode->attributes, METADATA_HIDDEN);
    assert_int_equal(inode->security, 1);
    assert_memory_equal(m.descriptors[1].ptr, "second descriptor", 17);
    assert_true(inode->created == UINT64_C(1) << 40);
    assert_true(inode->accessed == UINT64_C(2) << 40);
    assert_true(inode->written == UINT64_C(3) << 40);
    assert_string_equal(m.names[inode->first_name].short_name, "ALONGN~1.TXT");
    assert_int_equal(m.names[inode->first_name].parent, 0);
    assert_int_equal(metadata_unnamed(&m, inode, METADATA_DATA)->sha1[0], 7);
    assert_int_equal(inode_of(&m, "empty folder")->security, METADATA_NONE);
    assert_int_equal(m.names[0].parent, METADATA_NONE);
}

static void parse_joins_names_of_a_hard_link_group_with_the_same_contents(void **state)
{
    (void)state;
    static const struct dentry_fixture dentries[] = {
        {.security = NONE, .sha1 = 7, .last = 5, .name = "a"},
        {.security = NONE, .sha1 = 7, .last = 5, .name = "b"},
        {.security = NONE, .sha1 = 8, .last = 5, .name = "c"}, /* as Windows 7's images have some */
        {.security = NONE, .sha1 = 7, .last = 5, .name = "d"},
        {.security = NONE, .sha1 = 7, .last = 0, .name = "e"},
        {.attributes = METADATA_FOLDER, .security = NONE, .last = 5, .name = "f"},
    };
    OWN(metadata_fini) struct metadata m = {0};

    assert_int_equal(parse_one(dentries, 6, &m), 0);
    assert_int_equal(m.n_names, 7);
    assert_int_equal(m.n_inodes, 5);
    assert_ptr_equal(inode_of(&m, "a"), inode_of(&m, "b"));
    assert_ptr_equal(inode_of(&m, "a"), inode_of(&m, "d"));
    assert_int_equal(inode_of(&m, "a")->n_names, 3);
    assert_int_equal(inode_of(&m, "c")->n_names, 1);
    assert_int_equal(inode_of(&m, "f")->n_names, 1);
}

struct stream_case {
    const char *why;
    struct dentry_fixture dentry;
    struct {
        enum metadata_stream_kind kind;
        const char *name;
        uint8_t sha1;
    } streams[METADATA_FIXTURE_STREAMS];
    size_t n_streams;
};

static void parse_says_what_each_stream_is(void **state)
{
    (void)state;
    static const struct stream_case cases[] = {
        {"a plain file", {.sha1 = 1}, {{METADATA_DATA, "", 1}}, 1},
        {"an empty file", {.sha1 = 0}, {{0}}, 0},
        {"contents in an entry of their own, as beside named streams",
         {.streams = {{"", 1}, {"ads", 2}}, .n_streams = 2},
         {{METADATA_DATA, "", 1}, {METADATA_DATA, "ads", 2}},
         2},
        {"an empty named stream",
         {.sha1 = 1, .streams = {{"ads", 0}}, .n_streams = 1},
         {{METADATA_DATA, "", 1}, {METADATA_DATA, "ads", 0}},
         2},
        {"link data in the dentry",
         {.attributes = METADATA_REPARSE, .sha1 = 1},
         {{METADATA_LINK_DATA, "", 1}},
         1},
        {"link data in an entry, then contents",
         {.attributes = METADATA_REPARSE, .streams = {{"", 1}, {"", 2}}, .n_streams = 2},
         {{METADATA_LINK_DATA, "", 1}, {METADATA_DATA, "", 2}},
         2},
        {"no link data at all", {.attributes = METADATA_REPARSE}, {{METADATA_LINK_DATA, "", 0}}, 1},
        {"what EFS encrypted",
         {.attributes = METADATA_ENCRYPTED, .sha1 = 1},
         {{METADATA_EFS_DATA, "", 1}},
         1},
        {"a folder has none without a name",
         {.attributes = METADATA_FOLDER, .sha1 = 1, .streams = {{"ads", 2}}, .n_streams = 1},
         {{METADATA_DATA, "ads", 2}},
         1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stream_case *c = &cases[i];
        struct dentry_fixture d = c->dentry;
        OWN(metadata_fini) struct metadata m = {0};
        const struct metadata_inode *inode;

        d.name = "x";
        d.security = NONE;
        assert_int_equal(parse_one(&d, 1, &m), 0);
        inode = inode_of(&m, "x");
        if (inode->n_streams != c->n_streams)
            fail_msg("%s: %u streams", c->why, inode->n_streams);
        for (uint32_t k = 0; k < inode->n_streams; k++) {
            const struct metadata_stream *stream = &m.streams[inode->first_stream + k];
            const char *name = c->streams[k].name ? c->streams[k].name : "?";

            if (stream->kind != c->streams[k].kind || stream->sha1[0] != c->streams[k].sha1 ||
                strcmp(stream->name, name) != 0)
                fail_msg("%s: stream %u", c->why, k);
        }
    }
}

static void parse_gives_tag_and_flags_of_a_reparse_point(void **state)
{
    (void)state;
    static const struct dentry_fixture d = {
        .attributes = METADATA_REPARSE,
        .security = NONE,
        .sha1 = 1,
        .last = METADATA_TAG_SYMLINK | UINT64_C(0x0001000200000000),
        .name = "link",
    };
    OWN(metadata_fini) struct metadata m = {0};

    assert_int_equal(parse_one(&d, 1, &m), 0);
    assert_int_equal(inode_of(&m, "link")->reparse_tag, METADATA_TAG_SYMLINK);
    assert_int_equal(inode_of(&m, "link")->reparse_extra, 2);
    assert_int_equal(inode_of(&m, "link")->reparse_flags, METADATA_REPARSE_NOT_FIXED);
}

static void parse_refuses_names_that_lead_elsewhere(void **state)
{
    (void)state;
    static const char *const names[] = {"", ".", "..", "/", "a/b", "../a", "/etc"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct dentry_fixture d = {.security = NONE, .name = names[i]};
        OWN(metadata_fini) struct metadata m = {0};

        assert_int_equal(parse_one(&d, 1, &m), METADATA_E_MALFORMED);
        assert_null(m.inodes);
    }
}

static void parse_refuses_a_name_twice_in_a_folder(void **state)
{
    (void)state;
    static const struct dentry_fixture dentries[] = {
        {.security = NONE, .name = "a"},
        {.security = NONE, .name = "A"}, /* another one */
        {.security = NONE, .name = "b"},
        {.security = NONE, .name = "a"},
    };
    OWN(metadata_fini) struct metadata m = {0};

    assert_int_equal(parse_one(dentries, 3, &m), 0);
    metadata_fini(&m);
    assert_int_equal(parse_one(dentries, 4, &m), METADATA_E_MALFORMED);
}

static void parse_refuses_a_folder_below_itself(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf resource = BUF_INIT(METADATA_FIXTURE_MAX);
    OWN(metadata_fini) struct metadata m = {0};
    static const struct dentry_fixture folder = {
        .attributes = METADATA_FOLDER, .security = NONE, .name = "a"};
    size_t at;
    size_t root;

    metadata_fixture_security(&resource, NULL, 0);
    root = metadata_fixture_dentry(&resource, &a_root);
    at = metadata_fixture_dentry(&resource, &folder);
    metadata_fixture_end(&resource);
    metadata_fixture_set_folder(&resource, root, at);
    assert_int_equal(metadata_parse(buf_bytes(&resource), &m), 0);
    metadata_fini(&m);
    metadata_fixture_set_folder(&resource, at, at);
    assert_int_equal(metadata_parse(buf_bytes(&resource), &m), METADATA_E_MALFORMED);
}

/* Each folder in the one before. */
static int parse_deep(size_t depth)
{
    OWN(buf_fini) struct buf resource = BUF_INIT((size_t)METADATA_MAX_DEPTH * 256);
    OWN(metadata_fini) struct metadata m = {0};
    static const struct dentry_fixture folder = {
        .attributes = METADATA_FOLDER, .security = NONE, .name = "a"};
    size_t at;

    metadata_fixture_security(&resource, NULL, 0);
    at = metadata_fixture_dentry(&resource, &a_root);
    metadata_fixture_end(&resource);
    for (size_t i = 0; i < depth; i++) {
        metadata_fixture_set_folder(&resource, at, resource.len);
        at = metadata_fixture_dentry(&resource, &folder);
        metadata_fixture_end(&resource);
    }
    metadata_fixture_set_folder(&resource, at, resource.len);
    metadata_fixture_end(&resource);
    return metadata_parse(buf_bytes(&resource), &m);
}

static void parse_takes_folders_of_the_greatest_depth_and_no_deeper(void **state)
{
    (void)state;
    assert_int_equal(parse_deep(METADATA_MAX_DEPTH), 0);
    assert_int_equal(parse_deep(METADATA_MAX_DEPTH + 1), METADATA_E_MALFORMED);
}

static void parse_refuses_a_security_descriptor_that_is_not_there(void **state)
{
    (void)state;
    struct dentry_fixture d = {.security = 1, .name = "a"};
    OWN(metadata_fini) struct metadata m = {0};

    assert_int_equal(parse_one(&d, 1, &m), 0);
    metadata_fini(&m);
    d.security = 2;
    assert_int_equal(parse_one(&d, 1, &m), METADATA_E_MALFORMED);
}

static void parse_leaves_out_what_lies_in_what_is_no_folder(void **state)
{
    (void)state;
    static const struct dentry_fixture d = {.security = NONE, .folder_at = 8, .name = "a"};
    OWN(metadata_fini) struct metadata m = {0};

    assert_int_equal(parse_one(&d, 1, &m), 0);
    assert_int_equal(m.n_names, 2);
}

static const struct dentry_fixture everything[] = {
    {.attributes = METADATA_REPARSE,
     .security = 1,
     .last = METADATA_TAG_JUNCTION,
     .name = "reparse",
     .short_name = "RE",
     .streams = {{"", 1}, {"ads", 2}},
     .n_streams = 2},
    {.security = NONE, .sha1 = 3, .last = 9, .name = "one"},
    {.security = NONE, .sha1 = 3, .last = 9, .name = "other"},
};

/* In a block of exactly its size, so that a sanitizer sees what is read behind it. */
static void parse_refuses_every_prefix(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf resource = BUF_INIT(METADATA_FIXTURE_MAX);

    put_tree(&resource, everything, 3);
    for (size_t n = 0; n <= resource.len; n++) {
        OWN(freep) uint8_t *block = malloc(n > 0 ? n : 1);
        OWN(metadata_fini) struct metadata m = {0};

        assert_non_null(block);
        memcpy(block, resource.ptr, n);
        assert_int_equal(metadata_parse((struct bytes){block, n}, &m),
                         n < resource.len ? METADATA_E_MALFORMED : 0);
    }
}

static void parse_without_memory_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf resource = BUF_INIT(METADATA_FIXTURE_MAX);
    unsigned n = 0;
    int r = -1;

    put_tree(&resource, everything, 3);
    while (r != 0) {
        OWN(metadata_fini) struct metadata m = {0};

        faults_arm(FAULT_MEMORY, ++n);
        r = metadata_parse(buf_bytes(&resource), &m);
        assert_int_equal(faults_disarm(), r != 0);
        assert_true(r <= 0);
        assert_int_equal(m.n_inodes > 0, r == 0);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_gives_names_attributes_times_and_security),
        cmocka_unit_test(parse_joins_names_of_a_hard_link_group_with_the_same_contents),
        cmocka_unit_test(parse_says_what_each_stream_is),
        cmocka_unit_test(parse_gives_tag_and_flags_of_a_reparse_point),
        cmocka_unit_test(parse_refuses_names_that_lead_elsewhere),
        cmocka_unit_test(parse_refuses_a_name_twice_in_a_folder),
        cmocka_unit_test(parse_refuses_a_folder_below_itself),
        cmocka_unit_test(parse_takes_folders_of_the_greatest_depth_and_no_deeper),
        cmocka_unit_test(parse_refuses_a_security_descriptor_that_is_not_there),
        cmocka_unit_test(parse_leaves_out_what_lies_in_what_is_no_folder),
        cmocka_unit_test(parse_refuses_every_prefix),
        cmocka_unit_test(parse_without_memory_is_an_error_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
