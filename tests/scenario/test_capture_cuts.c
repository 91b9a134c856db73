/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Whatever happens while a WIM file is captured, at whichever system call: what was kept of it is good, the capture goes on
 * there, and the file is whole at the end
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "image/wim_create.h"
#include "image/wim_part.h"
#include "plat/file.h"
#include "tests/inject.h"

enum {
    WHY_MAX = 1024,
    STAGE_BYTES = 50000, /* some stages for the tree of the fixture */
    TABLES_BYTES =
        100000, /* more than what all stages add beside files; less than what they have of the noise */
    CALLS_MAX = 400,
};

struct world {
    void *fixture;
    char tree[WIM_FIXTURE_PATH_MAX];
    char data[WIM_FIXTURE_PATH_MAX];
    char target[WIM_FIXTURE_PATH_MAX];
    char kept[WIM_FIXTURE_PATH_MAX]; /* what the state of a computer is in its place */
    off_t whole_bytes;
    unsigned n_gone_on;
};

static int keep(void *ctx, const struct wim_part *part)
{
    const struct world *w = ctx;
    char text[WIM_PART_TEXT_MAX];

    wim_part_put(part, text);
    return file_write(w->kept, bytes_of(text), 0600);
}

static bool find_kept(const struct world *w, struct wim_part *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(WIM_PART_TEXT_MAX);

    return file_read(w->kept, &text) == 0 && wim_part_parse(buf_bytes(&text), ret);
}

static struct wim_create_options make_options(struct world *w, struct wim_create_volume volumes[2])
{
    volumes[0] = (struct wim_create_volume){.source = w->tree, .name = "System"};
    volumes[1] = (struct wim_create_volume){.source = w->data, .name = "Data"};
    return (struct wim_create_options){.volumes = volumes,
                                       .n_volumes = 2,
                                       .stage_bytes = STAGE_BYTES,
                                       .keep = keep,
                                       .keep_ctx = w};
}

/* As the step does it: with what was kept, if that is good. Return: 0 when the file is whole. */
static int do_capture(void *ctx)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    struct world *w = ctx;
    struct wim_create_volume volumes[2];
    const struct wim_create_options options = make_options(w, volumes);
    struct wim_part part;
    bool has_part = find_kept(w, &part);

    if (has_part && wim_create_check(&options, w->target, &part, &why) != 0)
        return 2;
    return wim_create(&options, w->target, has_part ? &part : NULL, &why) == 0 ? 0 : 1;
}

static off_t size_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void assert_whole(const struct world *w)
{
    struct wimlib_wim_info info;
    WIMStruct *wim;

    assert_int_equal(wimlib_open_wim(w->target, 0, &wim), 0);
    assert_int_equal(wimlib_get_wim_info(wim, &info), 0);
    assert_int_equal(info.image_count, 2);
    assert_string_equal(wimlib_get_image_name(wim, 1), "System");
    assert_string_equal(wimlib_get_image_name(wim, 2), "Data");
    assert_int_equal(wimlib_verify_wim(wim, 0), 0);
    wimlib_free(wim);
}

static void begin_anew(const struct world *w)
{
    (void)unlink(w->target);
    (void)unlink(w->kept);
}

/* What was kept is good, whatever the fault was; it goes on there, and writes nothing twice. */
static void assert_goes_on(struct world *w)
{
    struct wim_part part;

    if (find_kept(w, &part))
        w->n_gone_on++;
    assert_int_equal(do_capture(w), 0);
    assert_whole(w);
    assert_true(size_of(w->target) <= w->whole_bytes + TABLES_BYTES);
}

static unsigned try_all(struct world *w, enum inject fault)
{
    for (unsigned nth = 1; nth < CALLS_MAX; nth++) {
        struct inject_outcome outcome;

        begin_anew(w);
        assert_int_equal(inject_run(do_capture, w, fault, nth, &outcome), 0);
        if (!outcome.was_met) {
            assert_true(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0);
            return nth - 1;
        }
        if (fault == INJECT_KILL)
            assert_true(WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGKILL);
        else
            assert_true(WIFEXITED(outcome.status));
        assert_goes_on(w);
    }
    fail_msg("it makes more calls than expected");
    return 0;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    void *fixture = NULL;
    char path[WIM_FIXTURE_PATH_MAX + 16];

    if (!w || wim_fixture_set_up(&fixture) != 0)
        return -1;
    w->fixture = fixture;
    wim_fixture_path(w->fixture, "tree", w->tree);
    wim_fixture_path(w->fixture, "data", w->data);
    wim_fixture_path(w->fixture, "new.wim", w->target);
    wim_fixture_path(w->fixture, "kept", w->kept);
    (void)snprintf(path, sizeof(path), "%s/file", w->data);
    if (dir_make(w->data, 0755) < 0 || file_write(path, bytes_of("of the data volume"), 0640) < 0 ||
        do_capture(w) != 0)
        return -1;
    w->whole_bytes = size_of(w->target);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    void *fixture = w->fixture;

    free(w);
    return wim_fixture_tear_down(&fixture);
}

static void a_capture_that_is_killed_goes_on_where_it_was(void **state)
{
    struct world *w = *state;
    unsigned n_calls = try_all(w, INJECT_KILL);

    print_message("%u calls, %u times with a part\n", n_calls, w->n_gone_on);
    assert_true(n_calls > 30);
    assert_true(w->n_gone_on > n_calls / 2);
}

static void a_capture_whose_server_fails_goes_on_where_it_was(void **state)
{
    struct world *w = *state;

    assert_true(try_all(w, INJECT_EIO) > 30);
    assert_true(w->n_gone_on > 10);
}

static void a_capture_that_has_no_room_goes_on_where_it_was(void **state)
{
    struct world *w = *state;

    assert_true(try_all(w, INJECT_FULL) > 10);
    assert_true(w->n_gone_on > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_capture_that_is_killed_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_capture_whose_server_fails_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_capture_that_has_no_room_goes_on_where_it_was, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("scenario/capture_cuts", tests, NULL, NULL);
}
