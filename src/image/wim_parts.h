/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of a split WIM: a.swm, a2.swm, a3.swm, beside one another
 */

#include <wimlib.h>

#include "base/buf.h"

/* Outcomes beside 0 */
enum {
    WIM_PARTS_E_MISSING =
        1,               /* a part is not there or cannot be opened, or another file has its name */
    WIM_PARTS_E_BAD = 2, /* wimlib does not take the parts together */
};

/**
 * wim_parts_add() - make everything that lies in the other parts known to the first
 * @wim:  opened from @path; if it is not split, nothing happens
 * @path: of the first part
 * @why:  on an outcome, the number and the name of the part
 */
int wim_parts_add(WIMStruct *wim, const char *path, struct buf *why);
