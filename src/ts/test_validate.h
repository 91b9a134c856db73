/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* Shared by the tests of validate: a document, and the findings that are expected. */

#include "ts/test_ts.h"
#include "ts/validate_parts.h"

#define VALUE(name, text) "<variable name=\"" name "\">" text "</variable>"
#define STEP_OF(type, values) \
    "<step type=\"SMS_TaskSequence_" type "Action\" name=\"s\"><defaultVarList>" values \
    "</defaultVarList></step>"

/* @wanted: the ids with blanks between them, in the order of the document; @mark: what stands behind that of an error */
static inline void assert_found(const char *xml,
                                const struct ts_site_facts *site,
                                const char *mark,
                                const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf ids = BUF_INIT(4096);
    OWN(buf_fini) struct buf all = BUF_INIT(65536);

    assert_int_equal(ts_validate_at(doc, site, &diags), 0);
    for (size_t i = 0; i < diags.n; i++) {
        const struct ts_diag *diag = &diags.items[i];

        buf_addf(
            &ids, "%s%s%s", i > 0 ? " " : "", diag->id, diag->severity == TS_ERROR ? mark : "");
        buf_addf(&all, "%s %s: %s\n", diag->id, diag->path, diag->message);
    }
    if (strcmp(buf_str(&ids), wanted) != 0)
        fail_msg("%s\nwanted \"%s\", found\n%s", xml, wanted, buf_str(&all));
}

/* Without a look at how bad it is. */
static inline void found(const char *xml, const struct ts_site_facts *site, const char *wanted)
{
    assert_found(xml, site, "", wanted);
}

/* Of the document alone; errors have a '!'. */
static inline void finds(const char *xml, const char *wanted)
{
    assert_found(xml, NULL, "!", wanted);
}
