/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_create.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "image/folder_capture.h"
#include "image/test_wim_fixture.h"
#include "image/wim_part.h"
#include "plat/file.h"

enum {
    WHY_MAX = 1024,
    STAGE_BYTES = 40000,  /* some stages for the tree of the fixture */
    TABLES_BYTES = 10000, /* more than what a stage adds beside files */
};

struct watch {
    uint64_t told_bytes;
    const char *probes; /* a file that nobody may have locked; NULL: none */
    unsigned n_asked;
    unsigned stop_at;    /* how often it was asked; 0: never */
    const char *removes; /* a file, when the first is about to be read; NULL: none */
};

/* By the system's own flock(), which is not what wimlib calls. */
static void assert_unlocked(const char *path)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(syscall(SYS_flock, fd, LOCK_EX | LOCK_NB), 0);
}

static void tell(void *ctx, uint64_t done_bytes)
{
    struct watch *watch = ctx;

    assert_true(done_bytes >= watch->told_bytes);
    watch->told_bytes = done_bytes;
    if (watch->removes)
        (void)unlink(watch->removes);
    if (watch->probes)
        assert_unlocked(watch->probes);
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
    struct wim_part part; /* as it was kept last */
    unsigned n_kept;
};

static int keep(void *ctx, const struct wim_part *part)
{
    struct scene *scene = ctx;
    char text[WIM_PART_TEXT_MAX];

    wim_part_put(part, text); /* as whoever keeps it does */
    assert_true(wim_part_parse(bytes_of(text), &scene->part));
    scene->n_kept++;
    return 0;
}

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
                                                 .ctx = &scene->watch,
                                                 .keep = keep,
                                                 .keep_ctx = scene};
}

/* @part: may be the one of @scene. Return: of wim_create(). */
static int create_from(struct scene *scene, const struct wim_part *part)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    scene->watch.told_bytes = 0;
    scene->watch.n_asked = 0;
    scene->n_kept = 0;
    int r = wim_create(&scene->options, scene->target, part, &why);

    assert_true(r == 0 || r == WIM_CREATE_E_STOPPED || why.len > 0);
    return r;
}

static int create(struct scene *scene)
{
    return create_from(scene, NULL);
}

/* Return: of wim_create_check(). */
static int check(struct scene *scene)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    scene->watch = (struct watch){0};
    int r = wim_create_check(&scene->options, scene->target, &scene->part, &why);

    assert_true(r == 0 || why.len > 0);
    return r;
}

static off_t size_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
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
    scene.options.stage_bytes = STAGE_BYTES;
    scene.watch.probes = scene.target;
    assert_int_equal(create(&scene), 0);
    assert_true(scene.n_kept > 2);
    assert_whole(&scene);

    /* whoever asks wimlib directly has its lock */
    OWN(fd_closep) int fd = open(scene.target, O_RDONLY | O_CLOEXEC);

    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(wimlib_open_wim(scene.target, 0, &wim), 0);
    assert_int_equal(wimlib_add_empty_image(wim, "Appended", NULL), 0);
    assert_int_equal(wimlib_overwrite(wim, 0, 0), WIMLIB_ERR_ALREADY_LOCKED);
    wimlib_free(wim);
}

static void in_stages_it_holds_the_same_and_each_file_once(void **state)
{
    struct scene scene;
    unsigned n_files = 0;
    off_t in_one;
    WIMStruct *wim;

    begin(*state, &scene);
    assert_int_equal(create(&scene), 0);
    assert_int_equal(scene.n_kept, 2); /* a stage for each volume */
    in_one = size_of(scene.target);
    scene.options.stage_bytes = STAGE_BYTES;
    assert_int_equal(create(&scene), 0);
    assert_true(scene.n_kept > 3);
    assert_whole(&scene);
    assert_in_range(size_of(scene.target), in_one, in_one + (off_t)scene.n_kept * TABLES_BYTES);
    assert_int_equal(wimlib_open_wim(scene.target, 0, &wim), 0);
    assert_int_equal(wimlib_iterate_dir_tree(
                         wim, 1, "/", WIMLIB_ITERATE_DIR_TREE_FLAG_CHILDREN, count, &n_files),
                     0);
    assert_int_equal(n_files, WIM_FIXTURE_FILES);
    wimlib_free(wim);
}

static void what_was_stopped_goes_on_and_nothing_is_written_twice(void **state)
{
    struct scene scene;
    unsigned n_asked;
    off_t whole;

    begin(*state, &scene);
    scene.options.stage_bytes = STAGE_BYTES;
    assert_int_equal(create(&scene), 0);
    whole = size_of(scene.target);
    n_asked = scene.watch.n_asked;
    for (unsigned i = 1; i <= n_asked; i++) {
        scene.part = (struct wim_part){0};
        scene.watch = (struct watch){.stop_at = i};
        assert_int_equal(create(&scene), WIM_CREATE_E_STOPPED);
        if (scene.n_kept == 0)
            continue;
        assert_int_equal(check(&scene), 0);
        assert_int_equal(create_from(&scene, &scene.part), 0);
        assert_whole(&scene);
        assert_in_range(size_of(scene.target), whole / 2, whole + TABLES_BYTES);
    }
}

static void what_is_whole_already_is_only_read_again(void **state)
{
    struct scene scene;
    off_t whole;

    begin(*state, &scene);
    assert_int_equal(create(&scene), 0);
    whole = size_of(scene.target);
    assert_int_equal(check(&scene), 0);
    assert_int_equal(create_from(&scene, &scene.part), 0);
    assert_whole(&scene);
    assert_in_range(size_of(scene.target), whole, whole + TABLES_BYTES);
}

static void what_changed_in_a_volume_meanwhile_is_captured_as_it_is_now(void **state)
{
    struct scene scene;
    OWN(buf_fini) struct buf found = BUF_INIT(WHY_MAX);
    char path[WIM_FIXTURE_PATH_MAX + 16];
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    const char *const paths[] = {"/kept", NULL};
    WIMStruct *wim;

    begin(*state, &scene);
    (void)snprintf(path, sizeof(path), "%s/kept", scene.data);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(create(&scene), 0);
    assert_int_equal(file_write(path, bytes_of("of the data VOLUME"), 0640), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0); /* as if nothing had happened */
    assert_int_equal(check(&scene), 0);
    assert_int_equal(create_from(&scene, &scene.part), 0);
    assert_whole(&scene);
    assert_int_equal(wimlib_open_wim(scene.target, 0, &wim), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(wimlib_extract_paths(wim, 2, scene.data, paths, 1, 0), 0);
    wimlib_free(wim);
    assert_int_equal(file_read(path, &found), 0);
    assert_string_equal(buf_str(&found), "of the data VOLUME");
}

static void put_byte(const char *path, off_t at)
{
    OWN(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void a_file_that_somebody_changed_is_not_gone_on_with(void **state)
{
    struct scene scene;
    off_t end;

    begin(*state, &scene);
    assert_int_equal(create(&scene), 0);
    end = size_of(scene.target);
    put_byte(scene.target, end / 2); /* of a file */
    assert_int_equal(check(&scene), WIM_CREATE_E_CHANGED);
    put_byte(scene.target, end / 2);
    put_byte(scene.target, end - 1); /* of the XML */
    assert_int_equal(check(&scene), WIM_CREATE_E_CHANGED);
    put_byte(scene.target, end - 1);
    assert_int_equal(check(&scene), 0);
    assert_int_equal(truncate(scene.target, end - 1), 0);
    assert_int_equal(check(&scene), WIM_CREATE_E_CHANGED);
    assert_int_equal(unlink(scene.target), 0);
    assert_int_equal(check(&scene), WIM_CREATE_E_CHANGED);
    assert_int_equal(create(&scene), 0);
    assert_whole(&scene);
}

static void what_was_written_behind_the_last_stage_is_taken_back(void **state)
{
    struct scene scene;
    off_t end;

    begin(*state, &scene);
    assert_int_equal(create(&scene), 0);
    end = size_of(scene.target);
    put_byte(scene.target, 0);
    put_byte(scene.target, 50); /* where the table of blobs is */
    assert_int_equal(truncate(scene.target, end + 100000), 0);
    assert_int_equal(check(&scene), 0);
    assert_int_equal(size_of(scene.target), end);
    assert_whole(&scene);
}

static void a_file_that_goes_while_it_is_read_is_the_fault_of_its_volume(void **state)
{
    struct scene scene;
    char path[WIM_FIXTURE_PATH_MAX + 16];

    begin(*state, &scene);
    (void)snprintf(path, sizeof(path), "%s/kept", scene.data);
    scene.volumes[0] = scene.volumes[1];
    scene.options.n_volumes = 1;
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
        cmocka_unit_test_setup_teardown(in_stages_it_holds_the_same_and_each_file_once,
                                        wim_fixture_set_up,
                                        wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_was_stopped_goes_on_and_nothing_is_written_twice,
                                        wim_fixture_set_up,
                                        wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_whole_already_is_only_read_again, wim_fixture_set_up, wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_changed_in_a_volume_meanwhile_is_captured_as_it_is_now,
                                        wim_fixture_set_up,
                                        wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_somebody_changed_is_not_gone_on_with,
                                        wim_fixture_set_up,
                                        wim_fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_was_written_behind_the_last_stage_is_taken_back,
                                        wim_fixture_set_up,
                                        wim_fixture_tear_down),
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
