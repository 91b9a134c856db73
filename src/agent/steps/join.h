/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* The texts of Join Domain or Workgroup */

#include <stdbool.h>

#include "base/buf.h"

/* The setting "workgroup" in the section [global] of a smb.conf becomes @name, or is added there. */
void join_set_workgroup(const char *config, const char *name, struct buf *ret);

/* "Labs", "EXAMPLE-1": letters, digits, '-', '_', '.', as NetBIOS takes it; 1 to 32. */
bool join_is_workgroup(const char *name);

/* A DNS name: it goes on a command line. */
bool join_is_domain(const char *name);
