/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Two computers, each a process, capture into one WIM file of one folder: never both at once, and the file is whole whoever
 * comes, waits or dies
 */

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/steps/capture_claim.h"
#include "base/buf.h"
#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "image/wim_create.h"
#include "plat/file.h"

enum {
    WHY_MAX = 1024,
    STAGE_BYTES = 50000, /* some stages for the tree of the fixture */
    N_RIVALS = 2,
    RENEW_US = 10 * 1000,
    HOUR_S = 3600,
};

enum outcome {
    CAPTURED,
    HELD,
    FAILED,
};

struct world { /* shared by all processes */
    void *fixture;
    char tree[WIM_FIXTURE_PATH_MAX];
    char target[WIM_FIXTURE_PATH_MAX];
    char lock[WIM_FIXTURE_PATH_MAX];
    atomic_uint n_ready;
    atomic_uint n_writing;
    atomic_uint n_refused;
    atomic_bool was_crowded; /* two wrote at once */
    bool dies;               /* who writes, in the middle of it */
    bool waits;              /* who writes, until another one has been refused */
};

/* Between two stages. */
static int keep(void *ctx, const struct wim_part *part)
{
    const struct world *w = ctx;

    (void)part;
    if (w->dies)
        (void)raise(SIGKILL);
    while (w->waits && atomic_load(&w->n_refused) == 0) /* the other one asks again and again */
        continue;
    if (atomic_load(&w->n_writing) != 1)
        return -1;
    return 0;
}

static bool write_file(struct world *w)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    struct wim_create_volume volume = {.source = w->tree, .name = "System"};
    const struct wim_create_options options = {.volumes = &volume,
                                               .n_volumes = 1,
                                               .stage_bytes = STAGE_BYTES,
                                               .keep = keep,
                                               .keep_ctx = w};
    bool is_done;

    if (atomic_fetch_add(&w->n_writing, 1) != 0)
        atomic_store(&w->was_crowded, true);
    is_done = wim_create(&options, w->target, NULL, &why) == 0;
    (void)atomic_fetch_sub(&w->n_writing, 1);
    return is_done;
}

/* As the step does it. */
static enum outcome capture(struct world *w, const char *name)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    const struct capture_claim_options options = {.path = w->lock,
                                                  .device_id = name,
                                                  .device_name = name,
                                                  .renew_us = RENEW_US,
                                                  .stale_s = CAPTURE_CLAIM_STALE_S};
    struct capture_claim *claim;
    int r = capture_claim_take(&options, &claim, &why);
    bool is_done;

    if (r == CAPTURE_CLAIM_E_HELD)
        return HELD;
    if (r != 0)
        return FAILED;
    is_done = write_file(w);
    capture_claim_end(claim, true);
    return is_done ? CAPTURED : FAILED;
}

/* A computer that asks until it may. */
static enum outcome insist(struct world *w, const char *name)
{
    enum outcome outcome;

    (void)atomic_fetch_add(&w->n_ready, 1);
    while (atomic_load(&w->n_ready) < N_RIVALS)
        continue;
    while ((outcome = capture(w, name)) == HELD)
        (void)atomic_fetch_add(&w->n_refused, 1);
    return outcome;
}

static pid_t
begin(struct world *w, enum outcome (*run)(struct world *w, const char *name), const char *name)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit((int)run(w, name));
    assert_true(pid > 0);
    return pid;
}

static int end(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_outcome(int status, enum outcome wanted)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), wanted);
}

static void assert_whole(const struct world *w)
{
    WIMStruct *wim;

    assert_int_equal(wimlib_open_wim(w->target, 0, &wim), 0);
    assert_int_equal(wimlib_verify_wim(wim, 0), 0);
    wimlib_free(wim);
}

static int set_up(void **state)
{
    struct world *w =
        mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (w == MAP_FAILED || wim_fixture_set_up(&w->fixture) != 0)
        return -1;
    wim_fixture_path(w->fixture, "tree", w->tree);
    wim_fixture_path(w->fixture, "new.wim", w->target);
    wim_fixture_path(w->fixture, "new.wim.lock", w->lock);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    void *fixture = w->fixture;

    return wim_fixture_tear_down(&fixture) | munmap(w, sizeof(*w));
}

static void two_that_begin_at_once_write_one_after_the_other(void **state)
{
    struct world *w = *state;
    pid_t one;
    pid_t other;

    w->waits = true;
    one = begin(w, insist, "PC-1");
    other = begin(w, insist, "PC-2");
    assert_outcome(end(one), CAPTURED);
    assert_outcome(end(other), CAPTURED);
    assert_false(atomic_load(&w->was_crowded));
    assert_true(atomic_load(&w->n_refused) > 0);
    assert_whole(w);
    assert_int_not_equal(access(w->lock, F_OK), 0);
}

static void what_one_left_that_was_killed_keeps_the_other_out_until_it_is_old(void **state)
{
    struct world *w = *state;
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - HOUR_S}};
    int status;

    w->dies = true;
    status = end(begin(w, capture, "PC-1"));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    w->dies = false;
    atomic_store(&w->n_writing, 0);
    assert_int_equal(access(w->lock, F_OK), 0);
    assert_outcome(end(begin(w, capture, "PC-2")), HELD);
    assert_int_equal(utimensat(AT_FDCWD, w->lock, times, 0), 0);
    assert_outcome(end(begin(w, capture, "PC-2")), CAPTURED);
    assert_whole(w);
    assert_int_not_equal(access(w->lock, F_OK), 0);
}

static void one_that_was_killed_itself_goes_on_at_once(void **state)
{
    struct world *w = *state;
    int status;

    w->dies = true;
    status = end(begin(w, capture, "PC-1"));
    assert_true(WIFSIGNALED(status));
    w->dies = false;
    atomic_store(&w->n_writing, 0);
    assert_outcome(end(begin(w, capture, "PC-1")), CAPTURED);
    assert_whole(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            two_that_begin_at_once_write_one_after_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_one_left_that_was_killed_keeps_the_other_out_until_it_is_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            one_that_was_killed_itself_goes_on_at_once, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("scenario/capture_rivals", tests, NULL, NULL);
}
