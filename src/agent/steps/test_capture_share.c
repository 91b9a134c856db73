/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/capture_share.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void paths_of_each_kind_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *destination;
        const char *name; /* NULL: refused */
        const char *host; /* NULL: a drive */
        const char *share;
        const char *folder; /* SMB: below the share; a drive: where it is here */
    } cases[] = {
        {"\\\\server\\share\\a.wim", "a.wim", "server", "share", ""},
        {"\\\\server\\share\\x\\y z\\a b.WIM", "a b.WIM", "server", "share", "x/y z"},
        {"//server/share/x/a.wim", "a.wim", "server", "share", "x"},
        {"server:/export/x/a.wim", "a.wim", "server", "/export/x/", ""},
        {"nfs://server/export/a.wim", "a.wim", "server", "/export/", ""},
        {"Z:\\a.wim", "a.wim", NULL, NULL, "/run/slipway/drives/Z/"},
        {"z:\\x\\y\\a.wim", "a.wim", NULL, NULL, "/run/slipway/drives/Z/x/y/"},
        {"Z:/x/a.wim", "a.wim", NULL, NULL, "/run/slipway/drives/Z/x/"},
        {"\\\\server\\share", NULL, NULL, NULL, NULL},
        {"\\\\server\\a.wim", NULL, NULL, NULL, NULL},
        {"\\\\server\\share\\.wim", NULL, NULL, NULL, NULL},
        {"\\\\server\\share\\a.txt", NULL, NULL, NULL, NULL},
        {"\\\\server\\share\\..\\x\\a.wim", NULL, NULL, NULL, NULL},
        {"Z:\\..\\a.wim", NULL, NULL, NULL, NULL},
        {"Z:a.wim", NULL, NULL, NULL, NULL},
        {"/srv/a.wim", NULL, NULL, NULL, NULL},
        {"server:a.wim", NULL, NULL, NULL, NULL},
        {"a.wim", NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capture_share share;

        if (capture_share_parse(cases[i].destination, &share) != (cases[i].name != NULL))
            fail_msg("%s", cases[i].destination);
        if (!cases[i].name)
            continue;
        assert_string_equal(share.name, cases[i].name);
        assert_int_equal(share.is_connected, cases[i].host == NULL);
        assert_string_equal(cases[i].host ? share.folder.folder : share.path, cases[i].folder);
        if (cases[i].host) {
            assert_string_equal(share.folder.host, cases[i].host);
            assert_string_equal(share.folder.share, cases[i].share);
        }
    }
}

static void what_is_no_path_is_the_name_of_an_image(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "\\\\server\\share\\a.wim", "server:/export/a.wim", "Z:\\a.wim", "/srv/a.wim", "a\\b"};
    static const char *const names[] = {
        "Debian 12", "Debian 12: with tools", "a/b of the lab", "a.wim", "%OSDComputerName%"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_true(capture_share_is_path(paths[i]));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_false(capture_share_is_path(names[i]));
}

static void names_that_are_too_long_are_refused(void **state)
{
    (void)state;
    struct capture_share share;
    char path[CAPTURE_SHARE_PATH_MAX + 64];
    char name[CAPTURE_SHARE_NAME_MAX + 1];

    memset(name, 'a', sizeof(name) - 1);
    memcpy(name + sizeof(name) - 5, ".wim", 5);
    (void)snprintf(path, sizeof(path), "\\\\s\\t\\%s", name);
    assert_false(capture_share_parse(path, &share));
    (void)snprintf(path, sizeof(path), "\\\\s\\t\\%s", name + 1);
    assert_true(capture_share_parse(path, &share));
    memset(path, 'a', sizeof(path));
    (void)snprintf(path + sizeof(path) - 7, 7, "/a.wim");
    path[0] = path[1] = path[3] = '\\';
    assert_false(capture_share_parse(path, &share));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_of_each_kind_are_read),
        cmocka_unit_test(what_is_no_path_is_the_name_of_an_image),
        cmocka_unit_test(names_that_are_too_long_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
