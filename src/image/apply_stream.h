/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * An image's stream, read once, handed to where it is written
 */

#include "base/buf.h"
#include "image/apply_target.h"

/**
 * apply_stream() - read the stream and make a target of it
 * @fd:     read to its end, if nothing fails
 * @target: its functions are called as apply_target.h says
 * @why:    appended on an outcome; the buffer the back end uses too
 *
 * Memory: the metadata resource, once as it is and once read, while it is read; then a few times its size.
 *
 * Return: 0, an outcome of wim_apply(), or -errno.
 */
int apply_stream(int fd, const struct apply_target *target, struct buf *why);
