/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Whatever happens to a process that imports, replicates, validates or collects, at whichever system call:
 * the store opens, and what was acknowledged is there and good
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
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/pack/pack.h"
#include "plat/file.h"
#include "store/intake.h"
#include "store/store.h"
#include "tests/inject.h"

enum {
    OLD_BYTES = 60000,  /* of the content: imported before */
    ALL_BYTES = 200000, /* what is worked on */
    CALLS_MAX = 500,
};

/* Shared with the processes that are tried: without its index an import comes to another manifest. */
struct world {
    char root[64];
    uint8_t content[ALL_BYTES];
    uint8_t old[SHA256_BYTES]; /* manifests */
    uint8_t all[SHA256_BYTES];
    struct manifest manifest; /* owned; of all */
    struct buf text;          /* owned; the same as text */
    struct buf frames[4];     /* owned; its packs */
};

/* The first @len bytes of the content. What is old is a unit, so that what is new shares it. */
static int take_in(struct world *w, size_t len, uint8_t ret_id[SHA256_BYTES])
{
    OWN(store_freep) struct store *store = NULL;
    OWN(intake_freep) struct intake *intake = NULL;
    int r = store_new(w->root, &store);

    if (r == 0)
        r = store_begin(store);
    if (r == 0)
        r = intake_new(store, MANIFEST_FILE, &intake);
    if (r == 0)
        r = intake_feed(intake, (struct bytes){w->content, OLD_BYTES});
    if (r == 0)
        r = intake_cut(intake);
    if (r == 0 && len > OLD_BYTES)
        r = intake_feed(intake, (struct bytes){w->content + OLD_BYTES, len - OLD_BYTES});
    return r == 0 ? intake_end(intake, ret_id) : r;
}

static int do_import(void *ctx)
{
    struct world *w = ctx;

    return take_in(w, ALL_BYTES, w->all) == 0 ? 0 : 1;
}

static int do_replicate(void *ctx)
{
    OWN(store_freep) struct store *store = NULL;
    struct world *w = ctx;
    int r = store_new(w->root, &store);

    if (r == 0)
        r = store_begin(store);
    for (size_t i = 0; r == 0 && i < w->manifest.n_packs; i++)
        if (!store_has_pack(store, &w->manifest.packs[i]))
            r = store_add_pack(store, &w->manifest.packs[i], buf_bytes(&w->frames[i]));
    if (r == 0)
        r = store_add_manifest(store, buf_bytes(&w->text), w->all);
    return r == 0 ? 0 : 1;
}

static int do_validate(void *ctx)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(store_validation_fini) struct store_validation found = {0};
    struct world *w = ctx;
    int r = store_new(w->root, &store);

    return r == 0 && store_validate(store, w->all, NULL, &found) == 0 && found.n_bad > 0 ? 0 : 1;
}

static int do_collect(void *ctx)
{
    OWN(store_freep) struct store *store = NULL;
    struct store_collection counts;
    struct world *w = ctx;
    int r = store_new(w->root, &store);

    return r == 0 && store_collect(store, 0, &counts) == 0 ? 0 : 1;
}

static void open_store(const struct world *w, struct store **ret)
{
    assert_int_equal(store_new(w->root, ret), 0);
}

/* A store with the old content in it. */
static void begin_anew(struct world *w)
{
    assert_int_equal(dir_remove(w->root), 0);
    assert_int_equal(dir_make(w->root, 0700), 0);
    assert_int_equal(take_in(w, OLD_BYTES, w->old), 0);
}

static void remove_all_manifest(struct world *w)
{
    OWN(store_freep) struct store *store = NULL;

    open_store(w, &store);
    assert_int_equal(store_remove_manifest(store, w->all), 0);
}

/* Damage a pack that only the new content has. */
static void damage(struct world *w)
{
    OWN(store_freep) struct store *store = NULL;
    char path[STORE_PATH_MAX];

    open_store(w, &store);
    store_pack_path(store, w->manifest.packs[w->manifest.n_packs - 1].sha256, path);
    assert_int_equal(file_write(path, bytes_of("damaged"), 0644), 0);
}

static void begin_with_nothing(struct world *w)
{
    (void)w;
}

static void begin_with_damage(struct world *w)
{
    assert_int_equal(take_in(w, ALL_BYTES, w->all), 0);
    damage(w);
}

static void begin_with_litter(struct world *w)
{
    assert_int_equal(take_in(w, ALL_BYTES, w->all), 0);
    remove_all_manifest(w);
}

static int compare(void *ctx, struct bytes piece)
{
    struct bytes *rest = ctx;
    struct bytes expected;

    return bytes_take(rest, piece.len, &expected) && bytes_eq(piece, expected) ? 0 : 1;
}

static void assert_stream(const struct world *w, const uint8_t *id, size_t len)
{
    OWN(store_freep) struct store *store = NULL;
    struct bytes rest = {w->content, len};
    struct store_sink sink = {compare, &rest};

    open_store(w, &store);
    assert_int_equal(store_read_stream(store, id, &sink), 0);
    assert_int_equal(rest.len, 0);
}

static bool is_there(const struct world *w)
{
    OWN(store_freep) struct store *store = NULL;
    char path[STORE_PATH_MAX];

    open_store(w, &store);
    store_manifest_path(store, w->all, path);
    return file_exists(path);
}

struct operation {
    void (*begin)(struct world *w);
    int (*attempt)(void *ctx);
    bool is_adding;     /* afterwards the new content is there */
    unsigned min_calls; /* it cannot do with fewer */
};

/* After a fault: what was there is there; a manifest that is there is whole; and what failed can be repeated. */
static void assert_nothing_is_lost(struct world *w, const struct operation *op, bool has_succeeded)
{
    assert_stream(w, w->old, OLD_BYTES);
    if (op->is_adding && (has_succeeded || is_there(w)))
        assert_stream(w, w->all, ALL_BYTES);
    if (op->attempt != do_validate) /* which finds nothing more in what is set aside, but missing */
        assert_int_equal(op->attempt(w), 0);
    assert_int_equal(do_import(w), 0);
    assert_stream(w, w->all, ALL_BYTES);
    assert_stream(w, w->old, OLD_BYTES);
}

static void try_every_call(struct world *w, const struct operation *op, enum inject fault)
{
    unsigned nth = 1;

    for (; nth < CALLS_MAX; nth++) {
        struct inject_outcome outcome = {0};
        bool has_succeeded;

        begin_anew(w);
        op->begin(w);
        assert_int_equal(inject_run(op->attempt, w, fault, nth, &outcome), 0);
        if (fault == INJECT_KILL && outcome.was_met) {
            assert_true(WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGKILL);
            has_succeeded = false;
        } else {
            assert_true(WIFEXITED(outcome.status));
            assert_in_range(WEXITSTATUS(outcome.status), 0, 1);
            has_succeeded = WEXITSTATUS(outcome.status) == 0;
        }
        assert_nothing_is_lost(w, op, has_succeeded);
        if (!outcome.was_met)
            break;
    }
    assert_in_range(nth, op->min_calls, CALLS_MAX - 1);
}

static void try_every_fault(struct world *w, const struct operation *op)
{
    try_every_call(w, op, INJECT_KILL);
    try_every_call(w, op, INJECT_EIO);
    try_every_call(w, op, INJECT_FULL);
}

static void an_import_loses_nothing(void **state)
{
    static const struct operation op = {begin_with_nothing, do_import, true, 20};

    try_every_fault(*state, &op);
}

static void a_replication_loses_nothing(void **state)
{
    static const struct operation op = {begin_with_nothing, do_replicate, true, 20};

    try_every_fault(*state, &op);
}

static void a_validation_loses_nothing(void **state)
{
    static const struct operation op = {begin_with_damage, do_validate, false, 2};

    try_every_fault(*state, &op);
}

static void a_collection_loses_nothing(void **state)
{
    static const struct operation op = {begin_with_litter, do_collect, false, 8};

    try_every_fault(*state, &op);
}

static void learn(struct world *w)
{
    OWN(store_freep) struct store *store = NULL;
    char path[STORE_PATH_MAX];

    begin_anew(w);
    assert_int_equal(take_in(w, ALL_BYTES, w->all), 0);
    open_store(w, &store);
    assert_int_equal(store_get_manifest(store, w->all, &w->manifest), 0);
    assert_in_range(w->manifest.n_packs, 2, sizeof(w->frames) / sizeof(w->frames[0]));
    w->text = BUF_INIT(65536);
    store_manifest_path(store, w->all, path);
    assert_int_equal(file_read(path, &w->text), 0);
    for (size_t i = 0; i < w->manifest.n_packs; i++) {
        w->frames[i] = BUF_INIT(PACK_STORED_MAX_BYTES);
        store_pack_path(store, w->manifest.packs[i].sha256, path);
        assert_int_equal(file_read(path, &w->frames[i]), 0);
    }
}

static int set_up(void **state)
{
    struct world *w =
        mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint32_t seed = 5;

    if (w == MAP_FAILED)
        return -1;
    *state = w;
    (void)snprintf(w->root,
                   sizeof(w->root),
                   "%s/slipway-store-faults-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(w->root))
        return -1;
    for (size_t i = 0; i < ALL_BYTES; i++) {
        seed = seed * 1664525u + 1013904223u;
        w->content[i] = (uint8_t)(seed >> 24);
    }
    learn(w);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    int r = dir_remove(w->root);

    manifest_fini(&w->manifest);
    buf_fini(&w->text);
    for (size_t i = 0; i < sizeof(w->frames) / sizeof(w->frames[0]); i++)
        buf_fini(&w->frames[i]);
    (void)munmap(w, sizeof(*w));
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_import_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replication_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_validation_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_collection_loses_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
