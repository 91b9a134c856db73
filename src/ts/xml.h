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
 * @xml: UTF-8 or UTF-16, with or without a byte order mark, whatever its declaration says of the two
 * @ret: owned by the caller, xmlFreeDoc(); set on 0 only
 *
 * Return: 0, TS_E_MALFORMED with the reason in @diags, or -ENOMEM.
 */
int ts_xml_parse(struct bytes xml, xmlDoc **ret, struct ts_diags *diags);

/* Where elements are, instead of where they stand in the text. */
struct ts_xml_place {
    unsigned line;
    unsigned column;
};
struct ts_xml_places {
    const struct ts_xml_place
        *items; /* in the order of the start tags; the last counts for all further ones */
    size_t n;   /* 0: where they stand, but these further: */
    unsigned lines;
    unsigned columns;
    unsigned first_columns; /* of the first line only */
};

/* The same for a text that was made of something else, or lies in it. */
int ts_xml_parse_at(struct bytes xml,
                    const struct ts_xml_places *places,
                    xmlDoc **ret,
                    struct ts_diags *diags);

/* The same for a file that holds task sequences: up to @max_bytes, as UTF-8, and no limits on names. */
int ts_xml_parse_container(struct bytes xml,
                           size_t max_bytes,
                           xmlDoc **ret,
                           struct ts_diags *diags);

/* How large a text of UTF-8 is without its declaration and white space at its ends: what the limit is compared with. */
size_t ts_xml_size(struct bytes text);

/* Where @node, an element, is: its line, and where its start tag ended when it was read; 0 if it was not read. */
unsigned ts_xml_line(const xmlNode *node);
unsigned ts_xml_column(const xmlNode *node);
