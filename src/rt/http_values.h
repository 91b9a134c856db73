/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Names and values of a request: what a route's pattern and a query string hold
 */

#include <stdbool.h>
#include <stddef.h>

enum {
    HTTP_VALUES_MAX = 32,
};

struct http_values {
    char *names[HTTP_VALUES_MAX];  /* owned */
    char *values[HTTP_VALUES_MAX]; /* owned */
    size_t n;
};

void http_values_fini(struct http_values *values);

/* The value of the first with that name; borrowed; NULL if there is none. */
const char *http_values_find(const struct http_values *values, const char *name);

/* Add copies. Return: 0; 1 if there are HTTP_VALUES_MAX already; -ENOMEM. */
int http_values_add(struct http_values *values, const char *name, const char *value);

/**
 * http_values_add_encoded() - add, decoding %XX in both (RFC 3986)
 * @value: its first @len bytes
 *
 * Return: 0; 1 if a percent sign begins no byte, a byte is NUL or there are too many; -ENOMEM.
 */
int http_values_add_encoded(struct http_values *values,
                            const char *name,
                            const char *value,
                            size_t len);

/**
 * http_values_match() - match a path with a route's pattern: "/api/v1/devices/{id}"
 * @path:   still percent-encoded, so that an encoded slash does not end a segment
 * @values: gets what {name} stands for, decoded; a segment that is empty or ill-encoded does not match
 *
 * Return: 0; 1 if it does not match, then @values may hold some already; -ENOMEM.
 */
int http_values_match(const char *pattern, const char *path, struct http_values *values);
