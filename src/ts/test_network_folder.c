/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/network_folder.h"

#include <stdio.h>

#include "ts/test_ts.h"

static void paths_of_both_kinds_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum ts_network_kind kind;
        const char *host; /* NULL: it is no network folder */
        const char *share;
        const char *more; /* SMB: the folder; NFS: the port */
    } cases[] = {
        {"\\\\server\\share", TS_NETWORK_SMB, "server", "share", ""},
        {"//server/share/a/b/", TS_NETWORK_SMB, "server", "share", "a/b"},
        {"\\\\10.0.0.1\\my files\\a\\b", TS_NETWORK_SMB, "10.0.0.1", "my files", "a/b"},
        {"server:/export/x", TS_NETWORK_NFS, "server", "/export/x", ""},
        {"nfs://server/export", TS_NETWORK_NFS, "server", "/export", ""},
        {"nfs://server:2050/export", TS_NETWORK_NFS, "server", "/export", "2050"},
        {"", TS_NETWORK_SMB, NULL, NULL, NULL},
        {"\\\\server", TS_NETWORK_SMB, NULL, NULL, NULL},
        {"\\\\server\\", TS_NETWORK_SMB, NULL, NULL, NULL},
        {"\\\\\\share", TS_NETWORK_SMB, NULL, NULL, NULL},
        {"\\\\server\\share\\..\\x", TS_NETWORK_SMB, NULL, NULL, NULL},
        {":/export", TS_NETWORK_NFS, NULL, NULL, NULL},
        {"/a:/b", TS_NETWORK_NFS, NULL, NULL, NULL},
        {"C:\\x", TS_NETWORK_SMB, NULL, NULL, NULL},
        {"nfs://server", TS_NETWORK_NFS, NULL, NULL, NULL},
        {"nfs://server:x/export", TS_NETWORK_NFS, NULL, NULL, NULL},
        {"nfs://server:123456789/export", TS_NETWORK_NFS, NULL, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ts_network_folder f;

        if (ts_network_folder_parse(cases[i].path, &f) != (cases[i].host != NULL))
            fail_msg("%s", cases[i].path);
        if (!cases[i].host)
            continue;
        assert_int_equal(f.kind, cases[i].kind);
        assert_string_equal(f.host, cases[i].host);
        assert_string_equal(f.share, cases[i].share);
        assert_string_equal(f.kind == TS_NETWORK_SMB ? f.folder : f.port, cases[i].more);
    }
}

static void a_drive_is_a_letter_from_d_to_z_but_x(void **state)
{
    (void)state;
    assert_int_equal(ts_drive_letter("Z:"), 'Z');
    assert_int_equal(ts_drive_letter("d"), 'D');
    assert_int_equal(ts_drive_letter("C:"), '\0');
    assert_int_equal(ts_drive_letter("x:"), '\0');
    assert_int_equal(ts_drive_letter("Z:\\x"), '\0');
    assert_int_equal(ts_drive_letter(""), '\0');
    assert_true(ts_is_mount_point("/mnt/data"));
    assert_true(ts_is_mount_point("z"));
    assert_false(ts_is_mount_point("/"));
    assert_false(ts_is_mount_point("/mnt/../etc"));
    assert_false(ts_is_mount_point("1:"));
}

static void files_of_each_kind_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *destination;
        const char *name; /* NULL: refused */
        const char *host; /* NULL: a drive */
        const char *share;
        const char *folder; /* SMB: below the share; a drive: on it */
    } cases[] = {
        {"\\\\server\\share\\a.wim", "a.wim", "server", "share", ""},
        {"\\\\server\\share\\x\\y z\\a b.WIM", "a b.WIM", "server", "share", "x/y z"},
        {"//server/share/x/a.wim", "a.wim", "server", "share", "x"},
        {"server:/export/x/a.wim", "a.wim", "server", "/export/x/", ""},
        {"nfs://server/export/a.wim", "a.wim", "server", "/export/", ""},
        {"Z:\\a.wim", "a.wim", NULL, NULL, ""},
        {"z:\\x\\y\\a.wim", "a.wim", NULL, NULL, "x/y/"},
        {"Z:/x/a.wim", "a.wim", NULL, NULL, "x/"},
        {"\\\\server\\share", NULL, NULL, NULL, NULL},
        {"\\\\server\\a.wim", NULL, NULL, NULL, NULL},
        {"\\\\server\\share\\.wim", NULL, NULL, NULL, NULL},
        {"\\\\server\\share\\a.txt", NULL, NULL, NULL, NULL},
        {"\\\\server\\share\\..\\x\\a.wim", NULL, NULL, NULL, NULL},
        {"Z:\\..\\a.wim", NULL, NULL, NULL, NULL},
        {"Z:a.wim", NULL, NULL, NULL, NULL},
        {"C:\\a.wim",
         NULL,
         NULL,
         NULL,
         NULL}, /* of the computer itself: nothing is connected there */
        {"X:\\a.wim", NULL, NULL, NULL, NULL},
        {"/srv/a.wim", NULL, NULL, NULL, NULL},
        {"server:a.wim", NULL, NULL, NULL, NULL},
        {"a.wim", NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ts_capture_target target;

        if (ts_capture_target_parse(cases[i].destination, &target) != (cases[i].name != NULL))
            fail_msg("%s", cases[i].destination);
        if (!cases[i].name)
            continue;
        assert_string_equal(target.name, cases[i].name);
        assert_int_equal(target.drive, cases[i].host ? '\0' : 'Z');
        assert_string_equal(cases[i].host ? target.folder.folder : target.path, cases[i].folder);
        if (cases[i].host) {
            assert_string_equal(target.folder.host, cases[i].host);
            assert_string_equal(target.folder.share, cases[i].share);
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
        assert_true(ts_capture_is_path(paths[i]));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_false(ts_capture_is_path(names[i]));
}

static void names_that_are_too_long_are_refused(void **state)
{
    (void)state;
    struct ts_capture_target target;
    char path[TS_CAPTURE_PATH_MAX + 64];
    char name[TS_CAPTURE_NAME_MAX + 1];

    memset(name, 'a', sizeof(name) - 1);
    memcpy(name + sizeof(name) - 5, ".wim", 5);
    (void)snprintf(path, sizeof(path), "\\\\s\\t\\%s", name);
    assert_false(ts_capture_target_parse(path, &target));
    (void)snprintf(path, sizeof(path), "\\\\s\\t\\%s", name + 1);
    assert_true(ts_capture_target_parse(path, &target));
    memset(path, 'a', sizeof(path));
    (void)snprintf(path + sizeof(path) - 7, 7, "/a.wim");
    path[0] = path[1] = path[3] = '\\';
    assert_false(ts_capture_target_parse(path, &target));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_of_both_kinds_are_read),
        cmocka_unit_test(a_drive_is_a_letter_from_d_to_z_but_x),
        cmocka_unit_test(files_of_each_kind_are_read),
        cmocka_unit_test(what_is_no_path_is_the_name_of_an_image),
        cmocka_unit_test(names_that_are_too_long_are_refused),
    };

    return cmocka_run_group_tests_name("ts/network_folder", tests, NULL, NULL);
}
