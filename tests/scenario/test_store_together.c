/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Several processes import, remove, validate and read, while two collect and spare nothing for being young: what was
 * acknowledged and not removed is there at any moment
 */

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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "store/intake.h"
#include "store/store.h"

enum {
    N_IMPORTERS = 3,
    N_COLLECTORS = 2,
    N_ROUNDS = 20,
    N_UNITS = 6, /* that all have in common */
    UNIT_BYTES = 50000,
    PAUSE_US = 10000,
};

struct world { /* shared by all processes */
    char root[64];
    uint8_t units[N_UNITS][UNIT_BYTES];
    atomic_bool is_over;
    atomic_uint n_busy;
    atomic_uint n_collected; /* packs */
    uint8_t ids[N_IMPORTERS][N_ROUNDS][SHA256_BYTES];
    bool is_kept[N_IMPORTERS][N_ROUNDS];
};

static void fill(uint8_t *dst, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        dst[i] = (uint8_t)(seed >> 24);
    }
}

/* What is the importer's and the round's own; it is the first unit. */
static void own_unit(unsigned importer, unsigned round, uint8_t dst[UNIT_BYTES])
{
    fill(dst, UNIT_BYTES, 1000 * (importer + 1) + round);
}

/* Units in an order of the round's own. */
static const uint8_t *
common_unit(const struct world *w, unsigned importer, unsigned round, unsigned i)
{
    return w->units[(importer + round * (i + 1)) % N_UNITS];
}

static int
feed_units(struct intake *intake, const struct world *w, unsigned importer, unsigned round)
{
    uint8_t own[UNIT_BYTES];
    int r;

    own_unit(importer, round, own);
    r = intake_feed(intake, (struct bytes){own, UNIT_BYTES});
    for (unsigned i = 0; r == 0 && i < N_UNITS; i++) {
        r = intake_cut(intake);
        if (r == 0)
            r = intake_feed(intake, (struct bytes){common_unit(w, importer, round, i), UNIT_BYTES});
    }
    return r;
}

static int import(struct world *w, unsigned importer, unsigned round)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(intake_freep) struct intake *intake = NULL;
    int r = store_new(w->root, &store);

    if (r == 0)
        r = store_begin(store);
    if (r == 0)
        r = intake_new(store, MANIFEST_FILE, &intake);
    if (r == 0)
        r = feed_units(intake, w, importer, round);
    return r == 0 ? intake_end(intake, w->ids[importer][round]) : r;
}

struct reading {
    const struct world *w;
    unsigned importer;
    unsigned round;
    size_t at;
};

/* Compare with what was fed, byte by byte: pieces end anywhere. */
static int compare(void *ctx, struct bytes piece)
{
    struct reading *reading = ctx;
    uint8_t own[UNIT_BYTES];

    own_unit(reading->importer, reading->round, own);
    for (size_t i = 0; i < piece.len; i++, reading->at++) {
        size_t unit = reading->at / UNIT_BYTES;
        const uint8_t *from =
            unit == 0
                ? own
                : common_unit(reading->w, reading->importer, reading->round, (unsigned)unit - 1);

        if (piece.ptr[i] != from[reading->at % UNIT_BYTES])
            return 1;
    }
    return 0;
}

/* As a download does. */
static bool is_good(const struct world *w, unsigned importer, unsigned round)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(store_validation_fini) struct store_validation validation = {0};
    struct reading reading = {w, importer, round, 0};
    const struct store_sink sink = {compare, &reading};

    return store_new(w->root, &store) == 0 &&
           store_read_stream(store, w->ids[importer][round], &sink) == 0 &&
           reading.at == (size_t)(N_UNITS + 1) * UNIT_BYTES &&
           store_validate(store, w->ids[importer][round], NULL, &validation) == 0 &&
           validation.n_bad == 0;
}

static int forget(struct world *w, unsigned importer, unsigned round)
{
    OWN(store_freep) struct store *store = NULL;
    int r = store_new(w->root, &store);

    w->is_kept[importer][round] = false;
    return r == 0 ? store_remove_manifest(store, w->ids[importer][round]) : r;
}

/* Return: the exit status: 0, or what went wrong. */
static int run_importer(struct world *w, unsigned importer)
{
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        if (import(w, importer, round) != 0)
            return 1;
        w->is_kept[importer][round] = true;
        for (unsigned i = 0; i <= round; i++)
            if (w->is_kept[importer][i] && !is_good(w, importer, i))
                return 2;
        if (round % 3 > 0 && forget(w, importer, round - 1) != 0)
            return 3;
        clock_sleep_us(PAUSE_US);
    }
    return 0;
}

static int run_collector(struct world *w)
{
    while (!w->is_over) {
        OWN(store_freep) struct store *store = NULL;
        struct store_collection counts;
        int r = store_new(w->root, &store);

        if (r == 0)
            r = store_collect(store, 0, &counts);
        if (r != 0 && r != STORE_E_BUSY)
            return 4;
        w->n_busy += r == STORE_E_BUSY;
        w->n_collected += r == 0 ? (unsigned)counts.removed_packs : 0;
        clock_sleep_us(PAUSE_US / 10);
    }
    return 0;
}

static pid_t start(struct world *w, unsigned number)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child > 0)
        return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that has failed leaves nobody behind */
    _exit(number < N_IMPORTERS ? run_importer(w, number) : run_collector(w));
}

/* Return: whether it ended well. */
static bool wait_for(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void nothing_that_is_needed_is_collected(void **state)
{
    struct world *w = *state;
    pid_t children[N_IMPORTERS + N_COLLECTORS];
    unsigned n_good = 0;

    for (unsigned i = 0; i < N_IMPORTERS + N_COLLECTORS; i++)
        children[i] = start(w, i);
    for (unsigned i = 0; i < N_IMPORTERS; i++)
        n_good += wait_for(children[i]) ? 1 : 0;
    w->is_over = true;
    for (unsigned i = N_IMPORTERS; i < N_IMPORTERS + N_COLLECTORS; i++)
        n_good += wait_for(children[i]) ? 1 : 0;
    assert_int_equal(n_good, N_IMPORTERS + N_COLLECTORS);
    for (unsigned importer = 0; importer < N_IMPORTERS; importer++)
        for (unsigned round = 0; round < N_ROUNDS; round++)
            assert_true(!w->is_kept[importer][round] || is_good(w, importer, round));
    assert_true(w->n_collected > 0); /* it was no peace */
    assert_true(w->n_busy > 0);
}

static int set_up(void **state)
{
    struct world *w =
        mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (w == MAP_FAILED)
        return -1;
    *state = w;
    (void)snprintf(w->root,
                   sizeof(w->root),
                   "%s/slipway-store-together-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    for (unsigned i = 0; i < N_UNITS; i++)
        fill(w->units[i], UNIT_BYTES, i);
    return mkdtemp(w->root) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    int r = dir_remove(w->root);

    (void)munmap(w, sizeof(*w));
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_that_is_needed_is_collected, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
