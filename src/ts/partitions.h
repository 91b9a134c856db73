/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The partitions that a Format and Partition Disk defines: what its variables OSDPartitions0Type, OSDPartitions0Size ... mean
 *
 * The agent reads them to make them, validate to find what could not be made. docs/protocol/task-sequence.md has the rules.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "format/disk/disk_layout.h"

struct ts_values;

enum {
    TS_PARTITION_SIZE_GIB_MAX = 1024 * 1024,
};

/* Outcomes beside 0 */
enum {
    TS_PARTITION_E_MALFORMED = 1, /* a value makes no sense */
    TS_PARTITION_E_TYPE = 2,      /* the type of a partition */
};

/* Whether there is a partition @i: they end with the first that has no type. */
bool ts_partition_exists(const struct ts_values *values, size_t i);

/**
 * ts_partition_read() - the partition @i, as the step wants it
 * @ret: on TS_PARTITION_E_MALFORMED, its type is set
 * @why: which value of what is wrong is appended, a sentence without its end
 *
 * Return: 0 or an outcome.
 */
int ts_partition_read(const struct ts_values *values,
                      size_t i,
                      struct disk_wish *ret,
                      struct buf *why);

/**
 * ts_partition_style() - the style of the disk
 * @is_uefi: how the computer starts, which decides if the step does not
 * @why:     as above
 *
 * Return: 0 or TS_PARTITION_E_MALFORMED.
 */
int ts_partition_style(const struct ts_values *values,
                       bool is_uefi,
                       enum disk_style *ret,
                       struct buf *why);
