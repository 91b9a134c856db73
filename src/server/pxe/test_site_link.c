/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The questions of the pxe role, at a site that is a socket which somebody has opened. */

#include "server/pxe/site_link.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "plat/file.h"

enum {
    N_ASKS = 3,
};

struct room {
    char folder[64];
    char socket[80];
    int listener;
    uv_loop_t loop;
    unsigned n_answers;
    unsigned n_away;
};

static void take_answer(void *ctx,
                        const struct site_ask *ask,
                        const void *extra,
                        const struct site_decision *decision)
{
    struct room *room = ctx;

    (void)ask;
    (void)extra;
    room->n_answers++;
    room->n_away += decision->is_away;
}

static int set_up(void **state)
{
    struct room *room = calloc(1, sizeof(*room));
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_non_null(room);
    (void)snprintf(room->folder, sizeof(room->folder), "/tmp/slipway-test-asks-XXXXXX");
    assert_non_null(mkdtemp(room->folder));
    (void)snprintf(room->socket, sizeof(room->socket), "%s/site", room->folder);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", room->socket);
    room->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(room->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(room->listener, N_ASKS), 0);
    assert_int_equal(uv_loop_init(&room->loop), 0);
    *state = room;
    return 0;
}

static int tear_down(void **state)
{
    struct room *room = *state;
    int r;

    (void)close(room->listener);
    assert_int_equal(uv_loop_close(&room->loop), 0);
    r = dir_remove(room->folder);
    free(room);
    return r;
}

static void ask_all(struct room *room, uint64_t timeout_us)
{
    const struct site_link_options options = {
        .loop = &room->loop,
        .socket_path = room->socket,
        .timeout_us = timeout_us,
        .answer = take_answer,
        .ctx = room,
    };
    struct site_link *link = NULL;

    assert_int_equal(site_link_new(&options, &link), 0);
    for (unsigned i = 0; i < N_ASKS; i++) {
        struct site_ask ask = {.interface = "lo", .key = i};

        assert_int_equal(site_link_ask(link, &ask, "", 1), 0);
    }
    assert_int_equal(uv_run(&room->loop, UV_RUN_DEFAULT), 0);
    site_link_stop(link);
    assert_int_equal(room->n_answers, N_ASKS);
}

/* How often somebody has knocked. */
static unsigned count_callers(const struct room *room)
{
    unsigned n = 0;
    int fd;

    while ((fd = accept4(room->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        (void)close(fd);
        n++;
    }
    return n;
}

static void a_question_that_waited_too_long_is_not_asked(void **state)
{
    struct room *room = *state;

    ask_all(room, 1);
    assert_int_equal(room->n_away, N_ASKS);
    assert_int_equal(count_callers(room), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_question_that_waited_too_long_is_not_asked, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("server/pxe/site_link", tests, NULL, NULL);
}
