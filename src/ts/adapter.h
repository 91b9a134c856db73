/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * An adapter of Apply Network Settings: what its variables OSDAdapter0... mean
 *
 * The agent reads it to write it, validate to find what could not be written.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/text.h"
#include "ts/values.h"

enum {
    TS_WORDS_MAX = 8,
    TS_WORD_MAX = 256,
    TS_ADAPTERS_MAX = 16,
    TS_ADAPTER_NAME_MAX = 32,
};

/* Some words, separated by commas in a variable. */
struct ts_words {
    char items[TS_WORDS_MAX][TS_WORD_MAX];
    size_t n;
};

struct ts_adapter {
    char mac[MAC_TEXT_MAX];         /* "": all Ethernet adapters of the computer */
    char name[TS_ADAPTER_NAME_MAX]; /* the kernel's, "eth0" */
    bool is_dhcp;
    struct ts_words addresses;       /* of IPv4 and IPv6; none with DHCP */
    unsigned prefixes[TS_WORDS_MAX]; /* bits of each address's network */
    struct ts_words gateways;
    unsigned metrics[TS_WORDS_MAX]; /* of each gateway; 0: none was named */
    struct ts_words dns;
    struct ts_words search; /* its own DNS suffixes, then those of all adapters */
};

/* Outcomes of ts_adapter_read() beside 0 */
enum {
    TS_ADAPTER_E_MALFORMED = 1, /* a value makes no sense */
    TS_ADAPTER_E_MISSING = 2,   /* a value is not there */
};

/**
 * ts_adapter_read() - the addresses of adapter @i
 * @ret: all but mac, name and search
 * @why: appended, with the variable's name
 *
 * An address of IPv4 has its mask in the same place of SubnetMask, one of IPv6 the number of bits; both may have the
 * bits behind a '/' instead, if no address needs a mask.
 */
int ts_adapter_read(const struct ts_values *source,
                    size_t i,
                    struct ts_adapter *ret,
                    struct buf *why);

/**
 * ts_adapter_read_search() - DNS suffixes
 * @i: of the adapter, for its own and those of all; SIZE_MAX: those of all
 *
 * Return: 0 or TS_ADAPTER_E_MALFORMED.
 */
int ts_adapter_read_search(const struct ts_values *source,
                           size_t i,
                           struct ts_words *ret,
                           struct buf *why);

/* How many adapters are listed; it may be more than TS_ADAPTERS_MAX. */
size_t ts_adapter_count(const struct ts_values *source);

/* Whether it is an address of IPv6, if it is one at all. */
bool ts_address_is_v6(const char *address);

/* "255.255.255.0" is 24. Return: whether it is a mask with at least one bit. */
bool ts_prefix_of_mask(const char *mask, unsigned *ret);

/* Add @word unless it is there, does not fit, or there is no room. */
void ts_words_add(struct ts_words *words, const char *word);
