/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The architecture of a Linux, which no file states: its programs name their loader by a path that everybody agrees on
 */

#include <stdbool.h>

/**
 * loader_arch() - the architecture whose loader is there
 * @has: whether the tree has this path: "/usr/lib64/ld-linux-x86-64.so.2"; links need not be followed
 *
 * With several, the system is of 64 bits and runs programs of 32 bits too.
 *
 * Return: "x64", "arm64", "x86", "arm", or "" if there is none.
 */
const char *loader_arch(bool (*has)(void *ctx, const char *path), void *ctx);
