/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Things without a name of their own: which document stands for which of those that are alike
 */

#include "cli/object.h"

enum object_match {
    OBJECT_MATCH_ONE,
    OBJECT_MATCH_NONE,    /* the document's is not there */
    OBJECT_MATCH_SEVERAL, /* nobody can tell which */
    OBJECT_MATCH_NO_MEMORY,
};

/**
 * object_match() - the thing that a document stands for
 * @things:    as documents, of object_read(); none is anything else's
 * @documents: all that stand for one of these, or for one that is not there yet
 * @document:  which of them is asked about
 * @ret:       index of its thing, for OBJECT_MATCH_ONE
 *
 * They are compared as multisets: as many documents as can be have a thing that is what they say. Of the others one has the thing with its
 * comment; or the only thing that it could make what it says, if no other could. Of one document and one thing each is the other's.
 */
enum object_match object_match(const struct object_kind *kind,
                               const json_t *things,
                               const json_t *documents,
                               size_t document,
                               size_t *ret);
