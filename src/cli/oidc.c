/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/oidc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/redirect.h"
#include "plat/clock.h"
#include "plat/file.h"

#define PATIENCE_US (UINT64_C(10) * 60 * 1000000) /* as long as the site remembers it */

enum {
    LINE_MAX_BYTES = 16 * 1024,
    INTERVAL_S = 5,
    INTERVAL_MAX_S = 60,
    US_PER_S = 1000000,
};

static bool start(struct session *s, const char *flow, const char *uri, json_t **ret)
{
    json_t *body = json_pack("{s:s, s:s*}", "flow", flow, "redirect_uri", uri);

    if (!body)
        return session_fail_errno(s, "login", -ENOMEM);
    return session_call(s, "POST", "/oidc/start", body, ret);
}

/* On the standard error: the standard output is for the result. */
static void tell(const char *format, const char *text)
{
    OWN(buf_fini) struct buf safe = BUF_INIT(LINE_MAX_BYTES);

    output_put_safe(&safe, text, strlen(text));
    (void)fputs(format, stderr);
    (void)fprintf(stderr, "%s\n", buf_str(&safe));
}

static bool wait_for_browser(
    struct session *s, int fd, unsigned port, const json_t *begun, struct http_values *ret)
{
    const char *error;
    int r = redirect_wait(
        fd, port, output_text(begun, "state"), clock_monotonic_us() + PATIENCE_US, ret);

    if (r < 0)
        return session_fail_errno(s, "waiting for the browser", r);
    if (r == REDIRECT_E_LATE)
        return session_fail(
            s, ARGS_EXIT_FAILURE, "SLW-0237", "nobody signed in within ten minutes; try again");
    error = http_values_find(ret, "error");
    if (error || !http_values_find(ret, "code"))
        return session_fail(s,
                            ARGS_EXIT_DENIED,
                            "SLW-0237",
                            "the OpenID provider did not let anybody in; it says \"%s\"",
                            error ? error : "nothing");
    return true;
}

static bool finish(struct session *s, json_t *body, json_t **ret)
{
    if (!body)
        return session_fail_errno(s, "login", -ENOMEM);
    return session_call(s, "POST", "/oidc/callback", body, ret);
}

static bool sign_in_here(struct session *s, json_t **ret)
{
    OWN(session_json_freep) json_t *begun = NULL;
    OWN(http_values_fini) struct http_values values = {.n = 0};
    char uri[REDIRECT_URI_MAX];
    unsigned port = 0;
    OWN(fd_closep) int fd = redirect_listen(uri, &port);

    if (fd < 0)
        return session_fail_errno(s, "listening at 127.0.0.1", fd);
    if (!start(s, "code", uri, &begun))
        return false;
    tell("Sign in with a browser on this computer:\n    ", output_text(begun, "authorization_url"));
    if (!wait_for_browser(s, fd, port, begun, &values))
        return false;
    return finish(s,
                  json_pack("{s:s, s:s, s:s, s:s*}",
                            "state",
                            output_text(begun, "state"),
                            "secret",
                            output_text(begun, "secret"),
                            "code",
                            http_values_find(&values, "code"),
                            "iss",
                            http_values_find(&values, "iss")),
                  ret);
}

static void wait_a_while(const json_t *answer)
{
    json_int_t interval = json_integer_value(json_object_get(answer, "interval_s"));

    if (interval <= 0)
        interval = INTERVAL_S;
    clock_sleep_us((uint64_t)(interval > INTERVAL_MAX_S ? INTERVAL_MAX_S : interval) * US_PER_S);
}

/* The site says when it is too late. */
static bool sign_in_elsewhere(struct session *s, json_t **ret)
{
    OWN(session_json_freep) json_t *begun = NULL;

    if (!start(s, "device", NULL, &begun))
        return false;
    tell("Sign in with a browser on any computer, at\n    ",
         output_text(begun, "verification_url"));
    tell("and type the code\n    ", output_text(begun, "user_code"));
    wait_a_while(begun);
    for (;;) {
        OWN(session_json_freep) json_t *answer = NULL;

        if (!finish(s,
                    json_pack("{s:s, s:s}",
                              "state",
                              output_text(begun, "state"),
                              "secret",
                              output_text(begun, "secret")),
                    &answer))
            return false;
        if (!json_object_get(answer, "interval_s")) {
            *ret = TAKE(answer);
            return true;
        }
        wait_a_while(answer);
    }
}

bool oidc_sign_in(struct session *s, bool is_device, json_t **ret)
{
    return is_device ? sign_in_elsewhere(s, ret) : sign_in_here(s, ret);
}
