/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/sse.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

struct told {
    char text[1024]; /* "id|name|data;" of each */
    unsigned room;   /* for so many */
};

static bool take(void *ctx, const struct sse_event *event)
{
    struct told *told = ctx;
    size_t at = strlen(told->text);

    (void)snprintf(
        told->text + at, sizeof(told->text) - at, "%s|%s|%s;", event->id, event->name, event->data);
    return --told->room > 0;
}

static void check(const char *stream, const char *expected)
{
    size_t len = strlen(stream);

    /* in two pieces, cut at each place */
    for (size_t cut = 0; cut <= len; cut++) {
        OWN(sse_fini) struct sse sse;
        struct told told = {.room = 100};

        sse_init(&sse);
        assert_true(sse_feed(&sse, (struct bytes){(const uint8_t *)stream, cut}, take, &told));
        assert_true(
            sse_feed(&sse, (struct bytes){(const uint8_t *)stream + cut, len - cut}, take, &told));
        assert_string_equal(told.text, expected);
    }
}

static void events_are_told_however_they_are_cut(void **state)
{
    (void)state;
    check("id: 7\nevent: device\ndata: {}\n\n", "7|device|{};");
    check("data: a\ndata:b\ndata\n\n", "|message|a\nb\n;");
    check("id: 1\r\ndata: x\r\n\r\ndata: y\r\rdata: z\n\n", "1|message|x;1|message|y;1|message|z;");
    check(": heartbeat\nid: 9\n\ndata: x\n\n", "9|message|x;");
    check("data: half", "");
    check("data: half\n", "");
    check("event: gone\n\ndata: x\n\n", "|message|x;");
    check("colour: red\n: data: no\ndata:  two blanks\n\n", "|message| two blanks;");
}

static void a_line_that_is_too_long_is_left_out(void **state)
{
    (void)state;
    OWN(sse_fini) struct sse sse;
    struct told told = {.room = 100};
    char piece[1000];

    memset(piece, 'x', sizeof(piece));
    sse_init(&sse);
    assert_true(sse_feed(&sse, bytes_of("id: 1\ndata: "), take, &told));
    for (unsigned i = 0; i <= SSE_LINE_MAX / sizeof(piece); i++)
        assert_true(
            sse_feed(&sse, (struct bytes){(const uint8_t *)piece, sizeof(piece)}, take, &told));
    assert_true(sse_feed(&sse, bytes_of("\n\ndata: y\n\n"), take, &told));
    assert_string_equal(told.text, "1|message|y;");
}

static void what_is_said_of_waiting_and_places_is_kept(void **state)
{
    (void)state;
    OWN(sse_fini) struct sse sse;
    struct told told = {.room = 1};

    sse_init(&sse);
    assert_true(sse_feed(&sse, bytes_of("retry: 3000\nretry: soon\nid: 4\n\nda"), take, &told));
    assert_int_equal(sse.retry_ms, 3000);
    assert_string_equal(sse.id, "4");
    sse_restart(&sse);
    assert_false(sse_feed(&sse, bytes_of("ta: old\ndata: 1\n\ndata: 2\n\n"), take, &told));
    assert_string_equal(told.text, "4|message|1;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_told_however_they_are_cut),
        cmocka_unit_test(a_line_that_is_too_long_is_left_out),
        cmocka_unit_test(what_is_said_of_waiting_and_places_is_kept),
    };

    return cmocka_run_group_tests_name("cli/sse", tests, NULL, NULL);
}
