/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/capture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    TEXT_MAX_BYTES = 1024,
};

#define S UINT64_C(1000000) /* in microseconds */

static void the_last_line_says_what_it_was_bound_by(void **state)
{
    const struct {
        struct sender_counts counts;
        const char *bound;
    } cases[] = {
        {{.n_processors = 2, .wall_us = 10 * S, .full_us = 1 * S, .work_us = 15 * S}, "reading:"},
        {{.n_processors = 2, .wall_us = 10 * S, .full_us = 7 * S, .work_us = 19 * S},
         "the processor:"},
        {{.n_processors = 2,
          .wall_us = 10 * S,
          .full_us = 7 * S,
          .work_us = 3 * S,
          .site_us = 35 * S},
         "the network and the site:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

        capture_put_stages(&cases[i].counts, &text);
        assert_memory_equal(buf_str(&text), "10.0 s, bound by ", 17);
        assert_memory_equal(buf_str(&text) + 17, cases[i].bound, strlen(cases[i].bound));
    }
}

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

/* Before anything is read or sent: nobody listens at the address. */
static void what_is_not_there_and_who_is_stopped_end_it(void **state)
{
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
    struct capture_volume volume = {.source = "/nowhere/at/all", .name = "X"};
    struct capture_options options = {
        .volumes = &volume,
        .n_volumes = 1,
        .name = "X",
        .http = {.base_url = "http://site", .unix_socket = "/nowhere/api.sock"},
    };
    struct capture_result result = {0};
    char folder[] = "/tmp/slipway-test-capture-XXXXXX";

    (void)state;
    assert_int_equal(capture_run(&options, &result, &why), CAPTURE_E_SOURCE);
    assert_string_equal(buf_str(&why), "No such file or directory");
    assert_non_null(mkdtemp(folder));
    volume.source = folder;
    options.is_stopped = always;
    assert_int_equal(capture_run(&options, &result, &why), CAPTURE_E_STOPPED);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_line_says_what_it_was_bound_by),
        cmocka_unit_test(what_is_not_there_and_who_is_stopped_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
