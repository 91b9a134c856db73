/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_create.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "image/folder_capture.h"
#include "image/test_wim_fixture.h"
#include "plat/file.h"

enum {
    WHY_MAX = 1024,
};

struct watch {
    uint64_t told_bytes;
    unsigned n_asked;
    unsigned stop_at;    /* how often it was asked; 0: never */
    const char *removes; /* a file, when the first is about to be read; NULL: none */
};

static unsigned n_locks;

/* In the place of the system's, for wimlib too: a file server takes a lock for one of Windows, that keeps out each other
 * handle. */
__attribute__((visibility("default"))) int flock(int fd, int operation);

int flock(int fd, int operation)
{
    (void)fd;
    (void)operation;
    n_locks++;
    return 0;
}

static void tell(void *ctx, uint64_t done_bytes)
{
    struct watch *watch = ctx;

    assert_true(done_bytes >= watch->told_bytes);
    watch->told_bytes = done_bytes;
    if (watch->removes)
        (void)unlink(watch->removes);
}

static bool is_stopped(void *ctx)
{
    struct watch *watch = ctx;

    return ++watch->n_asked == watch->stop_at;
}

static bool is_logs(void *ctx, const char *path)
{
    (void)ctx;
    assert_int_equal(path[0], '/');
    return strcmp(path, "/left-out") == 0;
}

struct scene {
    char tree[WIM_FIXTURE_PATH_MAX];
    char data[WIM_FIXTURE_PATH_MAX];
    char target[WIM_FIXTURE_PATH_MAX];
    struct folder_filter filter;
    struct wim_create_volume volumes[2];
    struct watch watch;
    struct wim_create_options options;
};

/* Two folders, that of the fixture and one for data. */
static void begin(const struct wim_fixture *f, struct scene *scene)
{
    char path[WIM_FIXTURE_PATH_MAX + 16];

    *scene = (struct scene){.filter = {.is_left_out = is_logs}};
    wim_fixture_path(f, "tree", scene->tree);
    wim_fixture_path(f, "data", scene->data);
    wim_fixture_path(f, "new.wim", scene->target);
    assert_int_equal(dir_make(scene->data, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/kept", scene->data);
    assert_int_equal(file_write(path, bytes_of("of the data volume"), 0640), 0);
    (void)snprintf(path, sizeof(path), "%s/left-out", scene->data);
    assert_int_equal(file_write(path, bytes_of("never"), 0640), 0);
    scene->volumes[0] = (struct wim_create_volume){
        .source = scene->tree, .name = "System", .description = "As it was"};
    scene->volumes[1] =
        (struct wim_create_volume){.source = scene->data, .name = "Data", .filter = &scene->filter};
    scene->options = (struct wim_create_options){.volumes = scene->volumes,
                                                 .n_volumes = 2,
                                                 .version = "7",
                                                 .creator = "the lab",
                                                 .tell = tell,
                                                 .is_stopped = is_stopped,
                                                 .ctx = &scene->watch};
}

/* Return: of wim_create(). */
static int create(struct scene *scene)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    scene->watch = (struct watch){.stop_at = scene->watch.stop_at, .removes = scene->watch.removes};
    int r = wim_create(&scene->options, scene->target, &why);

    assert_true(r == 0 || r == WIM_CREATE_E_STOPPED || why.len > 0);
    return r;
}

static int count(const struct wimlib_dir_entry *entry, void *ctx)
{
    (void)entry;
    ++*(unsigned *)ctx;
    return 0;
}

/* Every byte of both images is compared with its hash. */
static void assert_whole(const struct scene *scene)
{
    struct wimlib_wim_info info;
    unsigned n_files = 0;
    WIMStruct *wim;

    assert_int_equal(wimlib_open_wim(scene->target, 0, &wim), 0);
    assert_int_equal(wimlib_get_wim_info(wim, &info), 0);
    assert_int_equal(info.image_count, 2);
    assert_string_equal(wimlib_get_image_name(wim, 1), "System");
    assert_string_equal(wimlib_get_image_name(wim, 2), "Data");
    assert_string_equal(wimlib_get_image_description(wim, 1), "As it was");
    assert_string_equal(wimlib_get_image_property(wim, 2, "SLIPWAY/VERSION"), "7");
    assert_string_equal(wimlib_get_image_property(wim, 2, "SLIPWAY/CREATOR"), "the lab");
    assert_int_equal(wimlib_verify_wim(wim, 0), 0);
    assert_int_equal(wimlib_iterate_dir_tree(
                         wim, 2, "/", WIMLIB_ITERATE_DIR_TREE_FLAG_CHILDREN, count, &n_files),
                     0);
    assert_int_equal(n_files, 1);
    wimlib_free(wim);
}

static void each_volume_is_an_index_without_what_is_left_out(void **state)
{
    struct scene scene;

    begin(*state, &scene);
    assert_int_equal(create(&scene), 0);
    assert_true(scene.watch.told_bytes > 0);
    assert_whole(&scene);
}

static void the_same_name_twice_gets_its_number(void **state)
{
    struct scene scene;
    WIMStruct *wim;

    begin(*state, &scene);
    scene.volumes[1].name = "System";
    assert_int_equal(create(&scene), 0);
    assert_int_equal(wimlib_open_wim(scene.target, 0, &wim), 0);
    assert_string_equal(wimlib_get_image_name(wim, 2), "System (2)");
    wimlib_free(wim);
}

static void an_older_file_is_replaced_whatever_it_is(void **state)
{
    struct scene scene;

    begin(*state, &scene);
    assert_int_equal(file_write(scene.target, bytes_of("half a file"), 0640), 0);
    assert_int_equal(create(&scene), 0);
    assert_whole(&scene);
    assert_int_equal(create(&scene), 0);
    assert_whole(&scene);
}

static void the_file_is_never_locked(void **state)
{
    struct scene scene;
    WIMStruct *wim;

    begin(*state, &scene);
    n_locks = 0;
    assert_int_equal(create(&scene), 0);
    assert_int_equal(n_locks, 0);
    assert_int_equal(wimlib_open_wim(scene.target, 0, &wim), 0);
    assert_int_equal(wimlib_add_empty_image(wim, "Appended", NULL), 0);
    assert_int_equal(wimlib_overwrite(wim, 0, 0), 0);
    assert_true(n_locks > 0); /* wimlib's locks are counted */
    wimlib_free(wim);
}

static void a_file_that_goes_while_it_is_read_is_the_fault_of_its_volume(void **state)
{
    struct scene scene;
    char path[WIM_FIXTURE_PATH_MAX + 16];

    begin(*state, &scene);
    (void)snprintf(path, sizeof(path), "%s/kept", scene.data);
    scene.watch.removes = path;
    assert_int_equal(create(&scene), WIM_CREATE_E_SOURCE);
}

static void it_can_be_stopped_wherever_it_asks(void **state)
{
    struct scene scene;
    unsigned n_asked;

    begin(*state, &scene);
    assert_int_equal(create(&scene), 0);
    n_asked = scene.watch.n_asked;
    assert_true(n_asked > 2);
    for (unsigned i = 1; i <= n_asked; i++) {
        scene.watch = (struct watch){.stop_at = i};
        assert_int_equal(create(&scene), WIM_CREATE_E_STOPPED);
    }
    scene.watch = (struct watch){0};
    assert_int_equal(create(&scene), 0);
    assert_whole(&scene);
}

static void
a_volume_that_cannot_be_read_and_a_file_that_cannot_be_written_are_told_apart(void **state)
{
    struct scene scene;

    begin(*state, &scene);
    scene.volumes[1].source = "/nonexistent";
    assert_int_equal(create(&scene), WIM_CREATE_E_SOURCE);
    begin(*state, &scene);
    (void)snprintf(scene.target, sizeof(scene.target), "/nonexistent/new.wim");
    assert_int_equal(create(&scene), WIM_CREATE_E_TARGET);
    (void)snprintf(scene.target, sizeof(scene.target), "/dev/full");
    assert_int_equal(create(&scene), WIM_CREATE_E_TARGET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_volume_is_an_index_without_what_is_left_out,
                                        wim_fixture_set_up,
                                        wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            the_same_name_twice_gets_its_number, wim_fixture_set_up, wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            an_older_file_is_replaced_whatever_it_is, wim_fixture_set_up, wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            the_file_is_never_locked, wim_fixture_set_up, wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_goes_while_it_is_read_is_the_fault_of_its_volume,
            wim_fixture_set_up,
            wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            it_can_be_stopped_wherever_it_asks, wim_fixture_set_up, wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            a_volume_that_cannot_be_read_and_a_file_that_cannot_be_written_are_told_apart,
            wim_fixture_set_up,
            wim_fixture_tear_down),
    };

    return cmocka_run_group_tests_name("image/wim_create", tests, NULL, NULL);
}
