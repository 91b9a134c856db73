/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Who may have a transfer when there are too many: the bounds of the TFTP service, without its sockets
 *
 * A row stands for a request or transfer. What has never been acknowledged may come from a forged address and
 * gives way first, the oldest before the others; a proven transfer gives way only when it has been still for
 * TFTP_TABLE_STILL_US. So a flood of forged requests pushes out itself, and no working transfer.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
    TFTP_TABLE_ROWS = 512,
    TFTP_TABLE_ROWS_PER_SOURCE = 8,
    TFTP_TABLE_STILL_US = 5 * 1000 * 1000,
    TFTP_TABLE_REPEAT_US = 1000 * 1000,
};

struct tftp_row {
    bool is_used;
    bool is_proven;       /* the client has acknowledged something */
    uint32_t source;      /* address; compared only */
    uint16_t port;        /* likewise */
    uint64_t progress_us; /* when it was made, or the client last acknowledged something new */
};

/* All zero: empty. */
struct tftp_table {
    struct tftp_row rows[TFTP_TABLE_ROWS];
    unsigned n_used;
};

/* Outcomes of tftp_table_admit() beside 0 */
enum {
    TFTP_TABLE_E_EVICT = 1, /* the row in *ret must be dropped first; then ask again */
    TFTP_TABLE_E_BUSY = 2,  /* everybody there is working: no place now */
};

/**
 * tftp_table_find() - the row of this source and port
 *
 * Return: whether there is one; then @ret is its number.
 */
bool tftp_table_find(const struct tftp_table *table, uint32_t source, uint16_t port, unsigned *ret);

/**
 * tftp_table_is_repeat() - whether a second request with the same name from the same port is the first one again
 *
 * It is while the first is unproven, or has moved within TFTP_TABLE_REPEAT_US. Otherwise the client has begun
 * anew: some firmware uses one port for everything.
 */
bool tftp_table_is_repeat(const struct tftp_table *table, unsigned row, uint64_t now_us);

/**
 * tftp_table_admit() - a place for a new transfer
 * @ret: on 0 the row made for it
 */
int tftp_table_admit(
    struct tftp_table *table, uint32_t source, uint16_t port, uint64_t now_us, unsigned *ret);

/* The client of @row has said something new. */
void tftp_table_touch(struct tftp_table *table, unsigned row, uint64_t now_us);

/* Give the place back. */
void tftp_table_drop(struct tftp_table *table, unsigned row);
