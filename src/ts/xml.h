/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * libxml2 on a leash: no DOCTYPE, no network, no entities, bounded size, depth and number of nodes
 */

#include <libxml/tree.h>

#include "base/bytes.h"

struct ts_diags;

/**
 * ts_xml_parse() - bytes to a tree
 * @ret: owned by the caller, xmlFreeDoc(); set on 0 only
 *
 * Return: 0, TS_E_MALFORMED with the reason in @diags, or -ENOMEM.
 */
int ts_xml_parse(struct bytes xml, xmlDoc **ret, struct ts_diags *diags);
