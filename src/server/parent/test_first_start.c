/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/first_start.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

/* The server may have died between making the database and showing the token, or nobody used it in time. */
static void every_start_of_the_site_may_give_a_token(void **state)
{
    (void)state;
    OWN(first_start_fini) struct first_start first = FIRST_START_INIT;

    for (unsigned i = 0; i < 2; i++) {
        OWN(fd_closep) int site_end = -1;

        assert_int_equal(first_start_open(&first, &site_end), 0);
        assert_true(first.fd >= 0);
        assert_true(site_end >= 0);
    }
}

static void a_site_that_gives_no_token_is_not_waited_for(void **state)
{
    (void)state;
    OWN(first_start_fini) struct first_start first = FIRST_START_INIT;
    int site_end = -1;

    assert_int_equal(first_start_open(&first, &site_end), 0);
    fd_closep(&site_end);
    first_start_read(&first, NULL, NULL);
    assert_int_equal(first.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_start_of_the_site_may_give_a_token),
        cmocka_unit_test(a_site_that_gives_no_token_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
