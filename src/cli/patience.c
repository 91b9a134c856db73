/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/patience.h"

#include <errno.h>

#include "base/own.h"
#include "plat/clock.h"

static bool is_passing(int r, unsigned status)
{
    return r == HTTP_CLIENT_E_UNREACHABLE ||
           (r == 0 && status >= 400 && session_exit_of(status) == ARGS_EXIT_UNREACHABLE);
}

bool patience_get(struct patience *p, struct session *s, const char *path, json_t **ret)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    OWN(session_json_freep) json_t *value = NULL;
    uint64_t now_us = clock_monotonic_us();
    int r = session_try(s, "GET", path, NULL, &answer);

    *ret = NULL;
    if (is_passing(r, answer.status)) {
        if (!p->silent_since_us)
            p->silent_since_us = now_us;
        if (now_us - p->silent_since_us < PATIENCE_US)
            return true;
    } else {
        p->silent_since_us = 0;
    }
    if (r != 0)
        return session_no_answer(s, r);
    value = json_loadb(buf_str(&answer.body), answer.body.len, JSON_REJECT_DUPLICATES, NULL);
    if (answer.status != 200)
        return session_problem(s, answer.status, value);
    if (!json_is_object(value))
        return session_no_answer(s, -EBADMSG);
    *ret = TAKE(value);
    return true;
}
