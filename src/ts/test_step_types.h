/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* For the tests of the tables of step types: what Configuration Manager's documentation says of them. */

#include "ts/step_types.h"
#include "ts/test_ts.h"

struct type_fact {
    const char *name; /* as people know it */
    unsigned run_in;
    bool is_for_windows;
    const char *success_codes;
    unsigned retry_count;
};

struct property_fact {
    const char *step;
    const char *variable;
    const char *property;
    const char *default_text; /* NULL: none is documented */
    int64_t min;              /* with max 0: no limit is documented */
    int64_t max;
    bool is_for_windows;
};

static inline void assert_type(const struct type_fact *fact)
{
    const struct ts_step_type *type = ts_step_type_find(fact->name);

    if (!type) {
        fail_msg("there is no step \"%s\"", fact->name);
        return;
    }
    if (type->run_in != fact->run_in)
        fail_msg("\"%s\" runs in %u, not in %u", fact->name, type->run_in, fact->run_in);
    assert_string_equal(type->success_codes, fact->success_codes);
    assert_int_equal(type->retry_count, fact->retry_count);
    assert_int_equal(type->platform == TS_PLATFORM_WINDOWS, fact->is_for_windows);
}

static inline void assert_property(const struct property_fact *fact)
{
    const struct ts_step_type *type = ts_step_type_find(fact->step);
    const struct ts_property *p = ts_property_find(type, fact->variable);

    if (!p) {
        fail_msg("\"%s\" has no %s", fact->step, fact->variable);
        return;
    }
    if (strcmp(p->name, fact->property) != 0)
        fail_msg("%s is %s, not %s", fact->variable, p->name, fact->property);
    if (fact->default_text &&
        (!p->default_text || strcmp(p->default_text, fact->default_text) != 0))
        fail_msg("%s is \"%s\" without being set, not \"%s\"",
                 fact->variable,
                 p->default_text ? p->default_text : "",
                 fact->default_text);
    if (fact->max != 0 && (p->min != fact->min || p->max != fact->max))
        fail_msg("%s may be %lld to %lld, not %lld to %lld",
                 fact->variable,
                 (long long)p->min,
                 (long long)p->max,
                 (long long)fact->min,
                 (long long)fact->max);
    if (p->is_for_windows != fact->is_for_windows)
        fail_msg("%s is %sfor Windows", fact->variable, p->is_for_windows ? "" : "not ");
}

static inline void assert_none_left_out(const struct type_fact *facts,
                                        size_t n_facts,
                                        const struct ts_step_type *types,
                                        size_t n_types)
{
    for (size_t i = 0; i < n_types; i++) {
        bool is_known = false;

        for (size_t k = 0; k < n_facts; k++)
            is_known |= strcmp(facts[k].name, types[i].display_name) == 0;
        if (!is_known)
            fail_msg("nothing is said of \"%s\"", types[i].display_name);
    }
}

#define ASSERT_TYPES(facts) \
    for (size_t i = 0; i < sizeof(facts) / sizeof((facts)[0]); i++) \
    assert_type(&(facts)[i])
#define ASSERT_PROPERTIES(facts) \
    for (size_t i = 0; i < sizeof(facts) / sizeof((facts)[0]); i++) \
    assert_property(&(facts)[i])
#define ASSERT_NONE_LEFT_OUT(facts, types, n_types) \
    assert_none_left_out((facts), sizeof(facts) / sizeof((facts)[0]), (types), (n_types))
