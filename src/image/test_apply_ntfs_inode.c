/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_apply_ntfs_fixture.h"

#include <stdlib.h>
#include <string.h>

#include <ntfs-3g/ea.h>
#include <ntfs-3g/object_id.h>
#include <ntfs-3g/reparse.h>
#include <ntfs-3g/security.h>

enum {
    VALUE_MAX = 4096,
    LONGER_BYTES = 2 * 1024 * 1024,
};

/* Owner and group: administrators; access for everybody, or for nobody. */
static const uint8_t descriptor_all[] = {
    1, 0, 4,  0x80, 48, 0,    0,  0,  64, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0,  0, 2, 0, 28, 0, 1, 0, 0,
    0, 0, 3,  20,   0,  0xff, 1,  31, 0,  1, 1, 0, 0, 0, 0, 0, 1,  0, 0,  0, 0, 1, 2,  0, 0, 0, 0,
    0, 5, 32, 0,    0,  0,    32, 2,  0,  0, 1, 2, 0, 0, 0, 0, 0,  5, 32, 0, 0, 0, 32, 2, 0, 0};
static const uint8_t descriptor_none[] = {1, 0,  4, 0x80, 28, 0, 0,  0,  44, 0, 0,  0,  0, 0, 0,
                                          0, 20, 0, 0,    0,  2, 0,  8,  0,  0, 0,  0,  0, 1, 2,
                                          0, 0,  0, 0,    0,  5, 32, 0,  0,  0, 32, 2,  0, 0, 1,
                                          2, 0,  0, 0,    0,  0, 5,  32, 0,  0, 0,  32, 2, 0, 0};
static const uint8_t object_id[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void add_secured(struct ntfs_test *f, const char *name, uint32_t security)
{
    uint32_t inode = ntfs_test_add_inode(f, (struct metadata_inode){.security = security});

    ntfs_test_add_name(f, inode, 0, name, "");
}

static void add_descriptor(struct ntfs_test *f, const uint8_t *descriptor, size_t len)
{
    assert_int_equal(metadata_add_descriptor(&f->image, (struct bytes){descriptor, len}), 0);
}

static le32
assert_descriptor(ntfs_volume *volume, const char *path, const uint8_t *wanted, size_t len)
{
    struct SECURITY_CONTEXT context = {.vol = volume};
    char found[VALUE_MAX];
    ntfs_inode *ni = ntfs_test_find(volume, path);
    le32 number = ni->security_id;

    assert_int_equal(ntfs_get_ntfs_acl(&context, ni, found, sizeof(found)), len);
    assert_memory_equal(found, wanted, len);
    assert_int_equal(ntfs_inode_close(ni), 0);
    return number;
}

static le32 security_id(ntfs_volume *volume, const char *path)
{
    ntfs_inode *ni = ntfs_test_find(volume, path);
    le32 number = ni->security_id;

    assert_int_equal(ntfs_inode_close(ni), 0);
    return number;
}

static void each_security_descriptor_is_stored_once(void **state)
{
    struct ntfs_test *f = *state;
    ntfs_volume *volume;

    add_descriptor(f, descriptor_all, sizeof(descriptor_all));
    add_descriptor(f, descriptor_none, sizeof(descriptor_none));
    add_secured(f, "all", 0);
    add_secured(f, "none", 1);
    add_secured(f, "all again", 0);
    add_secured(f, "nothing said", METADATA_NONE);
    add_secured(f, "nothing said again", METADATA_NONE);
    ntfs_test_make(f, 0);
    volume = ntfs_test_look(f);

    le32 all = assert_descriptor(volume, "all", descriptor_all, sizeof(descriptor_all));
    le32 none = assert_descriptor(volume, "none", descriptor_none, sizeof(descriptor_none));

    assert_int_not_equal(all, none);
    assert_int_equal(security_id(volume, "all again"), all);
    assert_int_not_equal(security_id(volume, "nothing said"), 0);
    assert_int_equal(security_id(volume, "nothing said"),
                     security_id(volume, "nothing said again"));
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void descriptors_that_are_not_valid_are_left_out(void **state)
{
    struct ntfs_test *f = *state;
    ntfs_volume *volume;

    add_descriptor(f, descriptor_all, 30);
    add_descriptor(f, descriptor_none, sizeof(descriptor_none));
    add_descriptor(f, descriptor_all, 0);
    add_secured(f, "cut", 0);
    add_secured(f, "cut again", 0);
    add_secured(f, "whole", 1);
    add_secured(f, "empty", 2);
    ntfs_test_make(f, WIM_APPLY_E_LOST);
    assert_non_null(strstr(buf_str(&f->why), "security descriptors"));
    assert_non_null(strstr(buf_str(&f->why), "/cut"));
    volume = ntfs_test_look(f);
    assert_descriptor(volume, "whole", descriptor_none, sizeof(descriptor_none));
    assert_int_not_equal(security_id(volume, "cut"), 0);
    assert_int_equal(security_id(volume, "cut"), security_id(volume, "cut again"));
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

/* Where the names lie, and two of one letter. */
static const uint8_t link_data[] = {2, 0, 2, 0, 0, 0, 2, 0, 1, 0, 0, 0, 'a', 0, 'b', 0};

static uint8_t add_link(struct ntfs_test *f, const char *name, uint32_t tag, bool is_empty)
{
    const struct metadata_inode inode = {
        .attributes = METADATA_REPARSE, .reparse_tag = tag, .reparse_extra = 7};

    ntfs_test_add_name(f, ntfs_test_add_inode(f, inode), 0, name, "");
    return ntfs_test_add_stream(f, METADATA_LINK_DATA, "", is_empty);
}

static void assert_reparse(ntfs_volume *volume, const char *path, uint32_t tag, struct bytes data)
{
    uint8_t wanted[VALUE_MAX];
    char found[VALUE_MAX];
    struct sink sink = {.ptr = wanted, .cap = sizeof(wanted)};
    ntfs_inode *ni = ntfs_test_find(volume, path);

    sink_u32le(&sink, tag);
    sink_u16le(&sink, (uint16_t)(data.len - (tag >> 31 ? 0 : 16)));
    sink_u16le(&sink, 7);
    sink_bytes(&sink, data);
    assert_int_equal(ntfs_get_ntfs_reparse_data(ni, found, sizeof(found)), sink.len);
    assert_memory_equal(found, wanted, sink.len);
    assert_ntfs_times(ni);
    assert_int_equal(ntfs_inode_close(ni), 0);
}

static void reparse_points_come_back(void **state)
{
    static const uint8_t other[] = "0123456789abcdefmore"; /* a GUID, and something */
    struct ntfs_test *f = *state;
    ntfs_volume *volume;
    uint8_t blobs[2];

    blobs[0] = add_link(f, "link", METADATA_TAG_SYMLINK, false);
    blobs[1] = add_link(f, "somebody's", 0x123, false);
    add_link(f, "empty", 0x80000017, true);
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_send(f, blobs[0], (struct bytes){link_data, sizeof(link_data)}, 5),
                     0);
    assert_int_equal(ntfs_test_send(f, blobs[1], (struct bytes){other, 20}, 20), 0);
    assert_int_equal(ntfs_test_finish(f), 0);
    volume = ntfs_test_look(f);
    assert_reparse(
        volume, "link", METADATA_TAG_SYMLINK, (struct bytes){link_data, sizeof(link_data)});
    assert_reparse(volume, "somebody's", 0x123, (struct bytes){other, 20});
    assert_reparse(volume, "empty", 0x80000017, (struct bytes){0});
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void reparse_points_that_are_not_valid_are_left_out(void **state)
{
    struct ntfs_test *f = *state;
    OWN(freep) uint8_t *content = ntfs_test_pattern(LONGER_BYTES);
    static const size_t sizes[] = {3, 20000, LONGER_BYTES};
    uint8_t blobs[3];

    for (size_t i = 0; i < 3; i++)
        blobs[i] = add_link(
            f, (const char *[]){"short", "long", "longer"}[i], METADATA_TAG_SYMLINK, false);
    add_link(f, "no tag", 0, true);
    assert_int_equal(ntfs_test_begin(f), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ntfs_test_send(f, blobs[i], (struct bytes){content, sizes[i]}, 65536), 0);
    assert_int_equal(ntfs_test_finish(f), WIM_APPLY_E_LOST);
    assert_non_null(strstr(buf_str(&f->why), "reparse points that are not valid, 4 times"));
}

static void object_identifiers_are_of_one_file_each(void **state)
{
    struct ntfs_test *f = *state;
    char found[64];
    ntfs_volume *volume;
    ntfs_inode *ni;

    for (size_t i = 0; i < 3; i++) {
        const struct metadata_inode inode = {
            .attributes = i == 1 ? METADATA_FOLDER : 0,
            .object_id = {object_id, i == 2 ? 3 : sizeof(object_id)}};

        ntfs_test_add_name(f,
                           ntfs_test_add_inode(f, inode),
                           0,
                           (const char *[]){"first", "taken", "short"}[i],
                           "");
    }
    ntfs_test_make(f, WIM_APPLY_E_LOST);
    assert_non_null(
        strstr(buf_str(&f->why),
               "object identifiers that are not valid or taken, 2 times; first of /taken"));
    volume = ntfs_test_look(f);
    ni = ntfs_test_find(volume, "first");
    assert_in_range(
        ntfs_get_ntfs_object_id(ni, found, sizeof(found)), sizeof(object_id), sizeof(found));
    assert_memory_equal(found, object_id, sizeof(object_id));
    assert_ntfs_times(ni);
    assert_int_equal(ntfs_inode_close(ni), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void attributes_come_back(void **state)
{
    static const uint32_t attributes[] = {METADATA_READONLY | METADATA_ARCHIVE,
                                          METADATA_HIDDEN | METADATA_SYSTEM,
                                          METADATA_NOT_INDEXED,
                                          METADATA_FOLDER | METADATA_COMPRESSED | METADATA_HIDDEN};
    static const uint32_t known = 0x2827; /* of those above */
    struct ntfs_test *f = *state;
    ntfs_volume *volume;

    for (size_t i = 0; i < 4; i++)
        ntfs_test_add_name(
            f,
            ntfs_test_add_inode(f, (struct metadata_inode){.attributes = attributes[i]}),
            0,
            (const char *[]){"a", "b", "c", "d"}[i],
            "");
    f->image.inodes[0].attributes |= METADATA_HIDDEN;
    ntfs_test_make(f, 0);
    volume = ntfs_test_look(f);
    for (size_t i = 0; i < 4; i++) {
        ntfs_inode *ni = ntfs_test_find(volume, (const char *[]){"a", "b", "c", "d"}[i]);

        assert_int_equal(le32_to_cpu(ni->flags) & known, attributes[i] & known);
        assert_int_equal(ntfs_inode_close(ni), 0);
    }

    ntfs_inode *root = ntfs_test_find(volume, "/");

    assert_true(root->flags & FILE_ATTR_HIDDEN);
    assert_int_equal(ntfs_inode_close(root), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

static void extended_attributes_of_windows_come_back_and_others_are_said(void **state)
{
    static const uint8_t wanted[] = {16, 0, 0, 0, 0, 2, 3, 0, 'E', 'A', 0, 1, 2, 3, 0, 0};
    static const uint8_t value[] = {1, 2, 3};
    struct ntfs_test *f = *state;
    char found[VALUE_MAX];
    ntfs_volume *volume;
    ntfs_inode *ni;

    ntfs_test_add_file(f, 0, "windows");
    assert_int_equal(
        metadata_add_xattr(&f->image, &(struct metadata_xattr){.name = "EA", .value = {value, 3}}),
        0);
    ntfs_test_add_file(f, 0, "linux");
    assert_int_equal(
        metadata_add_xattr(&f->image,
                           &(struct metadata_xattr){.name = "user.mime_type", .value = {value, 3}}),
        0);
    ntfs_test_make(f, WIM_APPLY_E_LOST);
    assert_non_null(strstr(buf_str(&f->why), "extended attributes, 1 times; first of /linux"));
    volume = ntfs_test_look(f);
    ni = ntfs_test_find(volume, "windows");
    assert_int_equal(ntfs_get_ntfs_ea(ni, found, sizeof(found)), sizeof(wanted));
    assert_memory_equal(found, wanted, sizeof(wanted));
    assert_int_equal(ntfs_inode_close(ni), 0);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NTFS_TEST(each_security_descriptor_is_stored_once),
        NTFS_TEST(descriptors_that_are_not_valid_are_left_out),
        NTFS_TEST(reparse_points_come_back),
        NTFS_TEST(reparse_points_that_are_not_valid_are_left_out),
        NTFS_TEST(object_identifiers_are_of_one_file_each),
        NTFS_TEST(attributes_come_back),
        NTFS_TEST(extended_attributes_of_windows_come_back_and_others_are_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
