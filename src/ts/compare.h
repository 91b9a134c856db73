/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How conditions compare: text without the case of ASCII letters, whole numbers, dotted versions, dates
 */

#include <stdbool.h>
#include <stdint.h>

/* Negative, 0 or positive, as strcmp(). */
int ts_compare_text(const char *a, const char *b);

/* As numbers if both are decimal integers that may have a sign, otherwise as text. */
int ts_compare_ordered(const char *a, const char *b);

/* "10.0.19041" with "10.0.9": number by number, a missing one is 0. Returns false if one of them is no version. */
bool ts_compare_versions(const char *a, const char *b, int *ret);

/* Whether a package of a distribution, "1:2.4.57-1+deb12u1", is of that version: as it is written, or as "2.4.57", without the
   epoch and the distribution's own revision. */
bool ts_is_package_version(const char *package, const char *version);

/* A decimal integer that may have a sign; spaces around it are none. */
bool ts_parse_integer(const char *text, int64_t *ret);

/* @pattern with * and ?, in time proportional to the product of the lengths. */
bool ts_is_like(const char *text, const char *pattern);

/* WQL's pattern: % any text, _ one character, [a-f] one of these, [^a] one that is none of them. */
bool ts_is_like_wql(const char *text, const char *pattern);

/**
 * ts_parse_date() - a moment, in microseconds of UTC since 1970
 * @text: "20240102030405.000000+060" (CIM: the offset is minutes east), "2024-01-02", "2024-01-02T03:04:05Z",
 *        "2024-01-02 03:04:05", "01/02/2024" or "20240102"; without an offset it is UTC
 *
 * Return: false if it is none of these, or has a '*' for what is unknown.
 */
bool ts_parse_date(const char *text, int64_t *ret_us);
