/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_ntfs_fixture.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ntfs-3g's headers use what they do not include, and types of their own */
#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/reparse.h>
#include <ntfs-3g/security.h>
#include <ntfs-3g/types.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>

#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "plat/process.h"

enum {
    VOLUME_BYTES = 8 * 1024 * 1024,
    OUTPUT_MAX = 65536,
    NAME_MAX_UNITS = 64,
    REPARSE_MAX = 256,
    SECURITY_USUAL = 0x100, /* two descriptors that every new volume has */
    SECURITY_OTHER = 0x101,
    ATTRIBUTE_HIDDEN = 0x02,
};

#define TIMEOUT_US   (UINT64_C(20) * 1000 * 1000)
#define TIME_OF_2001 UINT64_C(126227808000000000) /* 100 ns since 1601 */
#define TAG_SYMLINK  UINT32_C(0xa000000c)

static const char long_name[] = "Long name of a file.txt";

void ntfs_fixture_make_empty(const char *path, uint64_t size_bytes)
{
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX);
    const char *const argv[] = {"mkntfs", "-F", "-Q", "-q", path, NULL};
    const struct process_options process = {
        .argv = argv, .output = &output, .timeout_us = TIMEOUT_US};
    struct process_result result = {0};

    assert_int_equal(file_write(path, bytes_of(""), 0600), 0);
    assert_int_equal(truncate(path, (off_t)size_bytes), 0);
    assert_int_equal(process_run(&process, &result), 0);
    if (result.exit_code != 0)
        fail_msg("mkntfs: %s", buf_str(&output));
}

struct name { /* UTF-16, little-endian, of ASCII */
    ntfschar units[NAME_MAX_UNITS];
    uint8_t len;
};

static struct name name_of(const char *text)
{
    struct name name = {.len = (uint8_t)strlen(text)};

    assert_in_range(name.len, 1, NAME_MAX_UNITS);
    for (size_t i = 0; i < name.len; i++)
        name.units[i] = (ntfschar)text[i]; /* the tests run on little-endian machines */
    return name;
}

static ntfs_inode *make(ntfs_inode *folder, const char *text, unsigned security, mode_t type)
{
    struct name name = name_of(text);
    ntfs_inode *inode = ntfs_create(folder, security, name.units, name.len, type);

    assert_non_null(inode);
    return inode;
}

static void put_stream(ntfs_inode *inode, const char *text, const char *content)
{
    struct name name = name_of(text);

    assert_int_equal(ntfs_attr_add(inode,
                                   AT_DATA,
                                   name.units,
                                   name.len,
                                   (const uint8_t *)content,
                                   (int64_t)strlen(content)),
                     0);
}

static void put_content(ntfs_inode *inode, const char *content)
{
    ntfs_attr *data = ntfs_attr_open(inode, AT_DATA, AT_UNNAMED, 0);

    assert_non_null(data);
    assert_int_equal(ntfs_attr_pwrite(data, 0, (int64_t)strlen(content), content), strlen(content));
    ntfs_attr_close(data);
}

static void put_times(ntfs_inode *inode)
{
    const uint64_t times[] = {TIME_OF_2001, TIME_OF_2001 + 10000000, TIME_OF_2001 + 20000000};

    assert_int_equal(ntfs_inode_set_times(inode, (const char *)times, sizeof(times), 0), 0);
}

static void put_name(struct sink *dst, const char *text)
{
    for (; *text != '\0'; text++)
        sink_u16le(dst, (uint8_t)*text);
}

/* Tag, length, nothing; then where the two names lie behind the flags, and both. */
static void put_link(ntfs_inode *inode, const char *target)
{
    uint8_t value[REPARSE_MAX];
    struct sink sink = {.ptr = value, .cap = sizeof(value)};
    uint16_t len = (uint16_t)(strlen(target) * 2);

    sink_u32le(&sink, TAG_SYMLINK);
    sink_u16le(&sink, (uint16_t)(12 + 2 * len));
    sink_u16le(&sink, 0);
    sink_u16le(&sink, 0);
    sink_u16le(&sink, len);
    sink_u16le(&sink, len);
    sink_u16le(&sink, len);
    sink_u32le(&sink, 1); /* relative */
    put_name(&sink, target);
    put_name(&sink, target);
    assert_false(sink.full);
    assert_int_equal(ntfs_set_ntfs_reparse_data(inode, (const char *)value, sink.len, 0), 0);
}

/* A short name comes first: it is only for files with one long name. Setting it closes both inodes. */
static void put_long_file(ntfs_volume *volume)
{
    static const char short_name[] = "LONGNA~1.TXT";
    ntfs_inode *root = ntfs_pathname_to_inode(volume, NULL, "/");
    ntfs_inode *inode;

    assert_non_null(root);
    inode = make(root, long_name, SECURITY_USUAL, S_IFREG);
    put_content(inode, "content of the file");
    put_stream(inode, "note", "a stream beside it");
    put_stream(inode, "Zone.Identifier", "[ZoneTransfer]");
    if (ntfs_set_ntfs_dos_name(inode, root, short_name, sizeof(short_name) - 1, 0) != 0)
        fail_msg("no short name: %s", strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

/* The library opens the folders of a file when it closes it: they must not be open then. */
static void put_second_name(ntfs_volume *volume)
{
    const uint32_t attributes = ATTRIBUTE_HIDDEN;
    struct name second = name_of("second name");
    ntfs_inode *inode = ntfs_pathname_to_inode(volume, NULL, "/Long name of a file.txt");
    ntfs_inode *folder = ntfs_pathname_to_inode(volume, NULL, "/folder");

    assert_non_null(inode);
    assert_non_null(folder);
    assert_int_equal(ntfs_set_ntfs_attrib(inode, (const char *)&attributes, sizeof(attributes), 0),
                     0);
    assert_int_equal(ntfs_link(inode, folder, second.units, second.len), 0);
    put_times(inode);
    assert_int_equal(ntfs_inode_close(folder), 0);
    assert_int_equal(ntfs_inode_close(inode), 0);
}

static void fill(ntfs_volume *volume)
{
    ntfs_inode *root;
    ntfs_inode *folder;
    ntfs_inode *inode;

    put_long_file(volume);
    root = ntfs_pathname_to_inode(volume, NULL, "/");
    assert_non_null(root);
    folder = make(root, "folder", SECURITY_USUAL, S_IFDIR);
    inode = make(folder, "link", SECURITY_USUAL, S_IFREG);
    put_link(inode, long_name);
    put_times(inode);
    assert_int_equal(ntfs_inode_close_in_dir(inode, folder), 0);
    inode = make(folder, "other security", SECURITY_OTHER, S_IFREG);
    put_content(inode, "for few");
    put_times(inode);
    assert_int_equal(ntfs_inode_close_in_dir(inode, folder), 0);
    put_times(folder);
    assert_int_equal(ntfs_inode_close_in_dir(folder, root), 0);
    assert_int_equal(ntfs_inode_close(root), 0);
    put_second_name(volume);
}

void ntfs_fixture_make(const char *path)
{
    ntfs_volume *volume;

    ntfs_fixture_make_empty(path, VOLUME_BYTES);
    volume = ntfs_mount(path, 0);
    assert_non_null(volume);
    fill(volume);
    assert_int_equal(ntfs_umount(volume, 0), 0);
}
