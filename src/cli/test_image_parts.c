/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/image_parts.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

enum {
    HEADER_BYTES = 208,
};

static char folder[40];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-parts-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static char *path_of(const char *name)
{
    static char paths[4][80];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* Part @number of @total of the image @guid. */
static void put(const char *name, unsigned number, unsigned total, char guid)
{
    uint8_t header[HEADER_BYTES] = "MSWIM";

    header[24] = (uint8_t)guid;
    header[40] = (uint8_t)number;
    header[42] = (uint8_t)total;
    assert_int_equal(file_write(path_of(name), (struct bytes){header, sizeof(header)}, 0600), 0);
}

/* What is said goes nowhere. */
static bool find(const char *const *names, size_t n, struct image_parts *ret)
{
    const char *files[4];
    struct session session = {.exit_code = ARGS_EXIT_OK};
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int err = dup(STDERR_FILENO);
    bool is_found;

    assert_true(n <= 4 && nowhere >= 0 && err >= 0);
    for (size_t i = 0; i < n; i++)
        files[i] = path_of(names[i]);
    assert_true(dup2(nowhere, STDERR_FILENO) >= 0);
    is_found = image_parts_find(&session, files, n, ret);
    (void)fflush(stderr);
    assert_true(dup2(err, STDERR_FILENO) >= 0);
    (void)close(nowhere);
    (void)close(err);
    assert_int_equal(session.exit_code == ARGS_EXIT_OK, is_found);
    return is_found;
}

#define FIND(ret, ...) \
    find((const char *const[]){__VA_ARGS__}, \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), \
         (ret))

static void assert_parts(const struct image_parts *parts, const char *const *names, size_t n)
{
    assert_int_equal(parts->n, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(parts->paths[i], path_of(names[i]));
}

static void a_file_that_is_not_split_stands_alone(void **state)
{
    (void)state;
    OWN(freep) struct image_parts *parts = malloc(sizeof(*parts));

    put("whole.wim", 1, 1, 'a');
    assert_true(FIND(parts, "whole.wim"));
    assert_parts(parts, (const char *const[]){"whole.wim"}, 1);
    assert_int_equal(file_write(path_of("short"), bytes_of("MSWIM"), 0600), 0);
    assert_true(FIND(parts, "short")); /* the site says what is wrong with it */
    assert_parts(parts, (const char *const[]){"short"}, 1);
    assert_false(FIND(parts, "absent"));
    assert_false(FIND(parts, "whole.wim", "whole.wim"));
}

static void the_parts_beside_the_first_one_are_found(void **state)
{
    (void)state;
    OWN(freep) struct image_parts *parts = malloc(sizeof(*parts));

    put("a.swm", 1, 3, 'a');
    put("a2.swm", 2, 3, 'a');
    assert_false(FIND(parts, "a.swm")); /* the third is missing */
    put("a3.swm", 3, 3, 'b');
    assert_false(FIND(parts, "a.swm")); /* it is another image's */
    put("a3.swm", 3, 3, 'a');
    assert_true(FIND(parts, "a.swm"));
    assert_parts(parts, (const char *const[]){"a.swm", "a2.swm", "a3.swm"}, 3);
    assert_false(FIND(parts, "a2.swm"));
}

static void parts_that_are_named_are_put_in_order(void **state)
{
    (void)state;
    OWN(freep) struct image_parts *parts = malloc(sizeof(*parts));

    put("x", 1, 3, 'a');
    put("y", 2, 3, 'a');
    put("z", 3, 3, 'a');
    assert_true(FIND(parts, "z", "x", "y"));
    assert_parts(parts, (const char *const[]){"x", "y", "z"}, 3);
    assert_false(FIND(parts, "x", "y"));
    assert_false(FIND(parts, "x", "y", "y"));
    put("z", 3, 3, 'b');
    assert_false(FIND(parts, "x", "y", "z"));
    put("z", 0, 3, 'a');
    assert_false(FIND(parts, "x", "y", "z"));
    put("z", 4, 3, 'a');
    assert_false(FIND(parts, "x", "y", "z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_split_stands_alone),
        cmocka_unit_test(the_parts_beside_the_first_one_are_found),
        cmocka_unit_test(parts_that_are_named_are_put_in_order),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
