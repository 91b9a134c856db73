/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Link data: what a symbolic link or a junction says about its target (MS-FSCC 2.1.2.4 and 2.1.2.5)
 *
 * Of a reparse point a WIM keeps what lies behind its first 8 bytes; tag and reserved field are in the metadata.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    REPARSE_DATA_MAX = 16 * 1024 - 8,
    REPARSE_TARGET_MAX = 2 * REPARSE_DATA_MAX, /* of a target in UTF-8 */
};

/* Links of the Windows Subsystem for Linux */
#define REPARSE_TAG_LX_SYMLINK UINT32_C(0xa000001d)

/* Outcome beside 0 */
enum {
    REPARSE_E_MALFORMED = 1, /* no such data, or with no target */
};

/* Whether what has this tag is a link that Linux can have: symbolic link, junction, link of WSL. */
bool reparse_is_link(uint32_t tag);

/**
 * reparse_target() - the target as Linux writes it
 * @tag:  one for which reparse_is_link() is true
 * @data: link data
 * @ret:  appended, UTF-8; its max must be at least REPARSE_TARGET_MAX
 *
 * "\??\C:\a\b", "C:\a\b" and "\a\b" become "/a/b", relative ones get slashes, and a slash becomes a
 * backslash, which is what wimlib made of one. A junction to a volume
 * ("\\?\Volume{…}\") stays as it is: it leads nowhere.
 *
 * Return: 0, REPARSE_E_MALFORMED (nothing is appended), or -ENOMEM.
 */
int reparse_target(uint32_t tag, struct bytes data, struct buf *ret);

/**
 * reparse_put_symlink() - link data for the target of a symbolic link of Linux, as reparse_target() reads it back
 * @target: UTF-8; an absolute one, "/a/b", becomes "\??\C:\a\b"; a backslash becomes a slash
 * @ret: appended
 *
 * Return: 0, REPARSE_E_MALFORMED if it is empty, too long or no UTF-8 (nothing is appended), or -ENOMEM.
 */
int reparse_put_symlink(struct bytes target, struct buf *ret);
