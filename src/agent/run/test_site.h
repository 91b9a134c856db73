/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A site on a Unix socket, for tests: one request a connection, in a process of its own
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;

/* What it says to a request; @dst: room for @cap bytes. Return: the whole answer, @dst. */
typedef const char *test_site_answer(const char *request, char *dst, size_t cap);

/* Return: the process, to be killed by the caller. */
pid_t test_site_start(const char *socket_path, test_site_answer *answer);

/* For a test_site_answer: JSON. Return: @dst. */
const char *test_site_reply(const char *status, const char *body, char *dst, size_t cap);

/* What is in a file, nothing if there is none, in place of what @ret has. */
void test_read(const char *path, struct buf *ret);

/* Append a word and a space to a file. */
void test_note(const char *path, const char *word);

/* How often @word is in @text. */
unsigned test_count(const char *text, const char *word);

/* Whether what is in a file ends with @text. */
bool test_ends(const char *path, const char *text);
