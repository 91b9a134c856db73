/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/empty.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/steps/step.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 256,
    WHY_MAX_BYTES = 4096,
};

struct volume {
    char folder[64];
    char root[80]; /* below it */
    struct empty_kept kept;
    struct buf why;
    struct step_context c;
    bool is_cancelled;
};

static bool on_progress(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    const struct volume *v = ctx;

    (void)rate;
    assert_int_equal(percent, STEP_PERCENT_UNKNOWN);
    assert_non_null(strstr(what, "files"));
    return !v->is_cancelled;
}

static const char *at(const struct volume *v, const char *name)
{
    static char paths[4][PATH_MAX_BYTES];
    static unsigned n;
    char *path = paths[n++ % 4];

    (void)snprintf(path, PATH_MAX_BYTES, "%s/%s", v->root, name);
    return path;
}

static void put(const struct volume *v, const char *folder, const char *name)
{
    char path[PATH_MAX_BYTES];

    assert_int_equal(dir_make(at(v, folder), 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/%s", at(v, folder), name);
    assert_int_equal(file_write(path, bytes_of("text"), 0644), 0);
}

static int set_up(void **state)
{
    struct volume *v = calloc(1, sizeof(*v));

    if (!v)
        return -1;
    (void)snprintf(v->folder, sizeof(v->folder), "/tmp/slipway-empty-XXXXXX");
    if (!mkdtemp(v->folder))
        return -1;
    (void)snprintf(v->root, sizeof(v->root), "%s/root", v->folder);
    v->why = BUF_INIT(WHY_MAX_BYTES);
    v->c = (struct step_context){.progress = on_progress, .ctx = v};
    put(v, "usr/lib/deep/deeper", "library");
    put(v, "etc", "passwd");
    put(v, "_SMSTaskSequence/content", "pack");
    put(v, "home/anna", "letter");
    put(v, "home/state/anna", "letter");
    put(v, "../outside", "file");
    *state = v;
    return 0;
}

static int tear_down(void **state)
{
    struct volume *v = *state;

    empty_kept_fini(&v->kept);
    buf_fini(&v->why);
    (void)dir_remove(v->folder);
    free(v);
    return 0;
}

static int protect(struct volume *v, const char *path)
{
    return empty_keep(&v->kept, v->root, path, &v->why);
}

static void everything_goes_but_what_is_protected(void **state)
{
    struct volume *v = *state;

    assert_int_equal(protect(v, "_SMSTaskSequence"), 0);
    assert_int_equal(protect(v, "/home/state/"), 0);
    assert_int_equal(protect(v, ""), 0);
    assert_true(empty_kept_bytes(&v->kept, v->root) >= 8);
    assert_int_equal(empty_volume(&v->c, v->root, &v->kept, &v->why), 0);
    assert_true(file_exists(at(v, "_SMSTaskSequence/content/pack")));
    assert_true(file_exists(at(v, "home/state/anna/letter")));
    assert_false(file_exists(at(v, "home/anna")));
    assert_false(file_exists(at(v, "usr")));
    assert_false(file_exists(at(v, "etc")));
    assert_int_equal(empty_volume(&v->c, v->root, &v->kept, &v->why), 0); /* as after a power cut */
    assert_true(file_exists(at(v, "home/state/anna/letter")));
}

static void a_name_that_only_begins_like_a_protected_one_goes(void **state)
{
    struct volume *v = *state;

    put(v, "home/state2", "letter");
    put(v, "home/sta", "letter");
    assert_int_equal(protect(v, "home/state"), 0);
    assert_int_equal(empty_volume(&v->c, v->root, &v->kept, &v->why), 0);
    assert_true(file_exists(at(v, "home/state/anna/letter")));
    assert_false(file_exists(at(v, "home/state2")));
    assert_false(file_exists(at(v, "home/sta")));
}

static void a_path_below_the_mount_point_is_the_same_as_below_the_root(void **state)
{
    struct volume *v = *state;

    assert_int_equal(protect(v, at(v, "home/state")), 0);
    assert_int_equal(v->kept.n, 1);
    assert_string_equal(buf_str(&v->kept.paths[0]), "home/state");
}

static void a_cancellation_stops_it_and_what_is_left_goes_the_next_time(void **state)
{
    struct volume *v = *state;

    v->is_cancelled = true;
    assert_int_equal(empty_volume(&v->c, v->root, &v->kept, &v->why), EMPTY_E_STOPPED);
    assert_true(file_exists(at(v, "usr/lib/deep/deeper/library")));
    v->is_cancelled = false;
    assert_int_equal(empty_volume(&v->c, v->root, &v->kept, &v->why), 0);
    assert_false(file_exists(at(v, "usr")));
}

static void what_links_lead_to_stays(void **state)
{
    struct volume *v = *state;

    assert_int_equal(symlink("../outside", at(v, "link")), 0);
    assert_int_equal(symlink("../../../outside", at(v, "usr/lib/link")), 0);
    assert_int_equal(symlink("../outside/file", at(v, "file")), 0);
    assert_int_equal(empty_volume(&v->c, v->root, &v->kept, &v->why), 0);
    assert_false(file_exists(at(v, "link")));
    assert_false(file_exists(at(v, "usr")));
    assert_true(file_exists(at(v, "../outside/file")));
}

static void a_protected_folder_behind_a_link_is_refused(void **state)
{
    struct volume *v = *state;

    assert_int_equal(rename(at(v, "home"), at(v, "data")), 0);
    assert_int_equal(symlink("data", at(v, "home")), 0);
    assert_int_equal(protect(v, "/home/state"), EMPTY_E_PATH);
    assert_non_null(strstr(buf_str(&v->why), "/home/state lies behind a symbolic link"));
    assert_int_equal(protect(v, "/home"),
                     EMPTY_E_PATH); /* the link itself would stay, and nothing else */
    assert_int_equal(v->kept.n, 0);
}

static void what_is_no_folder_of_the_volume_is_refused(void **state)
{
    struct volume *v = *state;

    assert_int_equal(protect(v, "/"), EMPTY_E_PATH);
    assert_int_equal(protect(v, "home/../.."), EMPTY_E_PATH);
    assert_int_equal(protect(v, "/not/there"), 0);
    assert_int_equal(protect(v, "/etc/passwd/state"), 0);
    assert_int_equal(v->kept.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_goes_but_what_is_protected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_name_that_only_begins_like_a_protected_one_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_path_below_the_mount_point_is_the_same_as_below_the_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_cancellation_stops_it_and_what_is_left_goes_the_next_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_links_lead_to_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_protected_folder_behind_a_link_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_no_folder_of_the_volume_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
