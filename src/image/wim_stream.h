/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A WIM in memory as an uncompressed pipable stream; what wim_import and wim_capture share
 */

#include <wimlib.h>

#include "base/buf.h"
#include "image/wim_import.h"

/**
 * wim_stream() - have wimlib write all images of @wim, on a thread of its own, and hand the units to @sink
 * @wim: uncompressed
 * @ret_code: of wimlib
 *
 * Return: 0, also if wimlib failed; WIM_IMPORT_E_CANCELLED; -errno.
 */
int wim_stream(WIMStruct *wim, const struct wim_sink *sink, int *ret_code);
