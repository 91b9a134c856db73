/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For tests of apply_ntfs: an image that is put together by hand, an empty volume, and what is in it afterwards
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

/* ntfs-3g's headers use what they do not include, and types of their own */
#include <ntfs-3g/types.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/volume.h>

#include "base/own.h"
#include "image/apply_ntfs.h"
#include "image/wim_apply.h"

enum {
    NTFS_TEST_PATH_MAX = 128,
    NTFS_TEST_USES_MAX = 64,
};

#define NTFS_TEST_CREATED  UINT64_C(126227808000000000) /* 2001, 100 ns since 1601 */
#define NTFS_TEST_WRITTEN  UINT64_C(126227808010000001)
#define NTFS_TEST_ACCESSED UINT64_C(126227808020000002)

struct ntfs_test {
    char path[NTFS_TEST_PATH_MAX]; /* of the volume */
    struct metadata image;
    uint8_t n_blobs;
    struct buf why;
    struct apply_ntfs *ntfs;
    struct apply_target target;
};

#define NTFS_TEST(name) cmocka_unit_test_setup_teardown(name, ntfs_test_set_up, ntfs_test_tear_down)

int ntfs_test_set_up(void **state);
int ntfs_test_tear_down(void **state);

/* The volume is made again, as small or large as wanted. */
void ntfs_test_resize(struct ntfs_test *f, uint64_t size_bytes);

/* With times as above; without a name. Return: its index, as all below. */
uint32_t ntfs_test_add_inode(struct ntfs_test *f, struct metadata_inode inode);
void ntfs_test_add_name(
    struct ntfs_test *f, uint32_t inode, uint32_t parent, const char *name, const char *short_name);
uint32_t ntfs_test_add_file(struct ntfs_test *f, uint32_t parent, const char *name);
uint32_t ntfs_test_add_folder(struct ntfs_test *f, uint32_t parent, const char *name);

/* To the last inode. Return: what ntfs_test_send() calls its blob; 0: it is empty and has none. */
uint8_t ntfs_test_add_stream(struct ntfs_test *f,
                             enum metadata_stream_kind kind,
                             const char *name,
                             bool is_empty);

/* What the back end returns; the volume must be one. */
int ntfs_test_begin(struct ntfs_test *f);
int ntfs_test_send(struct ntfs_test *f, uint8_t number, struct bytes content, size_t piece);
int ntfs_test_finish(struct ntfs_test *f); /* and stop */
void ntfs_test_stop(struct ntfs_test *f);

/* begin, and finish with that outcome */
void ntfs_test_make(struct ntfs_test *f, int outcome);

/* The volume, mounted to be read; it is not marked. */
ntfs_volume *ntfs_test_look(const struct ntfs_test *f);

/* Must be there. */
ntfs_inode *ntfs_test_find(ntfs_volume *volume, const char *path);

/* @name: ASCII */
void assert_ntfs_stream(ntfs_inode *ni, const char *name, struct bytes wanted);
void assert_ntfs_times(ntfs_inode *ni);

/* Bytes that look random, always the same; owned by the caller. */
uint8_t *ntfs_test_pattern(size_t len);
