/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Apply Operating System Image on a volume that holds an old system: the step itself, on a file system in memory
 *
 * The volume is a tmpfs in a mount namespace of the test's own; who may not have one skips this.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/machine.h"
#include "agent/run/order.h"
#include "agent/run/target.h"
#include "agent/steps/step.h"
#include "base/own.h"
#include "plat/file.h"
#include "refresh_fixture.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

enum {
    LOG_MAX_BYTES = 256 * 1024,
    FILE_MAX_BYTES = 16 * 1024 * 1024,
    POWER_CUT = 77,
};

#define STATE_STORE "/home/state"

struct volume {
    struct refresh_bench *b;
    struct ts_document *doc;
    struct ts_vars *vars;
    struct order_index image;
    struct order_content content;
    struct order order;
    struct machine machine;
    struct step_target target;
    struct step_traffic traffic;
    struct step_context c;
    struct step_result result;
    struct buf log;
    const char *cut_at;    /* the power goes when this is logged; NULL: never */
    const char *cancel_at; /* the site cancels when this is told; NULL: never */
    enum dp_fault fault;   /* of the packs */
    bool has_volume;
};

static bool on_progress(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    const struct volume *v = ctx;

    (void)percent;
    (void)rate;
    return !v->cancel_at || !what || !strstr(what, v->cancel_at);
}

__attribute__((format(printf, 2, 3))) static void on_log(void *ctx, const char *format, ...)
{
    struct volume *v = ctx;
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_addf(&v->log, "%s\n", line);
    if (v->cut_at && strstr(line, v->cut_at))
        _exit(POWER_CUT);
}

static enum dp_fault on_request(void *ctx, unsigned source, const char *path, unsigned nth)
{
    const struct volume *v = ctx;

    (void)source;
    (void)nth;
    return strncmp(path, "/content/packs/", 15) == 0 ? v->fault : DP_NONE;
}

/* Return: whether there is a volume at TARGET_ROOT now. */
static bool mount_volume(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") == 0 &&
           dir_make(TARGET_ROOT, 0755) == 0 &&
           mount("tmpfs", TARGET_ROOT, "tmpfs", MS_NOATIME, "mode=0755,size=256m") == 0;
}

static void fill_volume(const struct refresh_bench *b)
{
    refresh_make_tree(b, TARGET_ROOT, 0);
    assert_int_equal(dir_make(TARGET_ROOT STATE_STORE, 0700), 0);
    assert_int_equal(file_write(TARGET_ROOT STATE_STORE "/letter", bytes_of("dear"), 0600), 0);
    assert_int_equal(file_write(TARGET_ROOT "/old", bytes_of("old"), 0600), 0);
    assert_int_equal(dir_make(TARGET_ROOT "/" TARGET_STATE_FOLDER, 0700), 0);
    assert_int_equal(file_write(TARGET_ROOT "/" TARGET_STATE_FILE, bytes_of("{}"), 0600), 0);
}

static void prepare_order(struct volume *v)
{
    static char id[] = "SLP00002";
    static char kind[] = "os-image";
    static char *sources[1];

    sources[0] = strdup(v->b->dp->sources[0]);
    assert_non_null(sources[0]);
    v->image = (struct order_index){.index = 1, .size_bytes = v->b->manifest[1].size_bytes};
    memcpy(v->image.manifest, v->b->id[1], SHA256_BYTES);
    v->content = (struct order_content){
        .package_id = id, .kind = kind, .indexes = &v->image, .n_indexes = 1};
    v->order = (struct order){.content = &v->content,
                              .n_content = 1,
                              .sources = sources,
                              .n_sources = 1,
                              .content_option = ORDER_DOWNLOAD_WHEN_NEEDED};
}

static int set_up(void **state)
{
    static const char xml[] =
        "<sequence version=\"3.10\">"
        "<step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"a\"><defaultVarList>"
        "<variable name=\"ImagePackageID\" property=\"ImagePackageID\">SLP00002</variable>"
        "</defaultVarList></step></sequence>";
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct volume *v = calloc(1, sizeof(*v));
    void *bench = NULL;
    char proxy[64];
    size_t n;

    if (!v || refresh_set_up(&bench) != 0 || ts_vars_new(&v->vars) != 0 ||
        ts_document_parse(bytes_of(xml), &v->doc, &diags) != 0)
        return -1;
    *state = v;
    v->b = bench;
    v->log = BUF_INIT(LOG_MAX_BYTES);
    v->b->dp->fault = on_request;
    v->b->dp->ctx = v;
    v->has_volume = mount_volume();
    if (!v->has_volume)
        return 0;
    refresh_serve_list(v->b, buf_bytes(&v->b->list));
    fill_volume(v->b);
    prepare_order(v);
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", dp_start_proxy(v->b->dp));
    if (ts_vars_set(v->vars, "SLWProxy", proxy, TS_BY_SEQUENCE) != 0 ||
        ts_vars_set(v->vars, "OSDStateStorePath", STATE_STORE, TS_BY_SEQUENCE) != 0 ||
        ts_vars_set(v->vars, "SMSTSDownloadRetryDelay", "0", TS_BY_SEQUENCE) != 0)
        return -1;
    v->machine.is_64_bit = true;
    v->target = (struct step_target){.root_device = "/dev/volume", .is_old = true};
    v->c = (struct step_context){.step = ts_document_steps(v->doc, &n),
                                 .vars = v->vars,
                                 .order = &v->order,
                                 .machine = &v->machine,
                                 .target = &v->target,
                                 .traffic = &v->traffic,
                                 .environment = STEP_IN_BOOT_IMAGE,
                                 .step_name = "a",
                                 .progress = on_progress,
                                 .log = on_log,
                                 .ctx = v};
    return 0;
}

static int tear_down(void **state)
{
    struct volume *v = *state;
    void *bench = v->b;

    if (v->has_volume) {
        (void)umount2(TARGET_ROOT, MNT_DETACH);
        (void)umount2("/run", MNT_DETACH);
        free(v->order.sources[0]);
    }
    step_context_fini(&v->c);
    ts_document_free(v->doc);
    ts_vars_free(v->vars);
    buf_fini(&v->log);
    free(v);
    return refresh_tear_down(&bench);
}

static struct volume *volume_of(void **state)
{
    struct volume *v = *state;

    if (!v->has_volume)
        skip(); /* no mount namespace for us */
    return v;
}

/* Return: the error's id, or "". */
static const char *run(struct volume *v)
{
    v->result = (struct step_result){0};
    assert_int_equal(step_apply_os_run(&v->c, &v->result), 0);
    return v->result.error_id ? v->result.error_id : "";
}

static void assert_same(const struct refresh_bench *b, const char *name, const char *root)
{
    OWN(buf_fini) struct buf is = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf should = BUF_INIT(FILE_MAX_BYTES);
    char path[256];

    (void)snprintf(path, sizeof(path), TARGET_ROOT "/%s", name);
    assert_int_equal(file_read(path, &is), 0);
    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(file_read(refresh_at(b, path), &should), 0);
    assert_true(bytes_eq(buf_bytes(&is), buf_bytes(&should)));
}

static void assert_tree(const struct refresh_bench *b, const char *root)
{
    char name[64];

    assert_same(b, "usr/large", root);
    for (unsigned i = 0; i < REFRESH_SMALL_FILES; i++) {
        (void)snprintf(name, sizeof(name), "usr/share/file%u", i);
        assert_same(b, name, root);
    }
}

static void assert_is_new(const struct volume *v)
{
    assert_tree(v->b, "new");
    assert_true(file_exists(TARGET_ROOT "/usr/share/file60"));
    assert_false(file_exists(TARGET_ROOT "/old"));
    assert_true(file_exists(TARGET_ROOT STATE_STORE "/letter"));
    assert_true(file_exists(TARGET_ROOT "/" TARGET_STATE_FILE));
    assert_false(v->target.is_old);
}

static void assert_is_old(const struct volume *v)
{
    assert_tree(v->b, "old");
    assert_true(file_exists(TARGET_ROOT "/old"));
    assert_true(file_exists(TARGET_ROOT STATE_STORE "/letter"));
    assert_true(v->target.is_old);
}

static void the_new_system_takes_the_place_of_the_old_one(void **state)
{
    struct volume *v = volume_of(state);

    assert_string_equal(run(v), "");
    assert_is_new(v);
    assert_non_null(strstr(buf_str(&v->log), "packs were on the disk"));
    assert_true(v->traffic.downloaded_bytes > 0);
    assert_true(v->traffic.reused_bytes > v->traffic.downloaded_bytes);
}

/* Everything is here then: it goes on although no distribution point answers any more. */
static void after_a_power_cut_while_the_old_system_is_removed_it_goes_on(void **state)
{
    struct volume *v = volume_of(state);
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        v->cut_at = "the old system is removed";
        (void)run(v);
        _exit(1);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), POWER_CUT);
    assert_is_old(v);
    assert_int_equal(dir_remove(TARGET_ROOT "/usr/share"), 0); /* what had gone already */
    v->fault = DP_MISSING;
    assert_string_equal(run(v), "");
    assert_is_new(v);
}

static void what_cannot_be_downloaded_leaves_the_old_system_alone(void **state)
{
    struct volume *v = volume_of(state);

    v->fault = DP_MISSING;
    assert_string_equal(run(v), "SLW-0301");
    assert_is_old(v);
    v->fault = DP_DAMAGE;
    assert_string_equal(run(v), "SLW-0301");
    assert_is_old(v);
    v->fault = DP_NONE;
    assert_string_equal(run(v), "");
    assert_is_new(v);
}

static void a_cancelled_refresh_leaves_the_old_system_alone(void **state)
{
    struct volume *v = volume_of(state);

    v->cancel_at = "Checking";
    assert_string_equal(run(v), "SLW-0309");
    assert_is_old(v);
    assert_non_null(strstr(v->result.message, "was left as it is"));
}

static void user_state_that_cannot_be_protected_ends_it_before_anything_is_done(void **state)
{
    struct volume *v = volume_of(state);

    assert_int_equal(rename(TARGET_ROOT "/home", TARGET_ROOT "/data"), 0);
    assert_int_equal(symlink("data", TARGET_ROOT "/home"), 0);
    assert_string_equal(run(v), "SLW-0305");
    assert_non_null(strstr(v->result.message, "behind a symbolic link"));
    assert_is_old(v);
}

static void a_volume_that_is_too_small_for_the_image_keeps_the_old_system(void **state)
{
    struct volume *v = volume_of(state);

    v->image.size_bytes = UINT64_C(1) << 40;
    assert_string_equal(run(v), "SLW-0330");
    assert_is_old(v);
}

static void a_stream_wants_a_formatted_volume(void **state)
{
    struct volume *v = volume_of(state);

    v->order.content_option = ORDER_STREAM;
    v->target = (struct step_target){0};
    assert_string_equal(run(v), "SLW-0308");
    assert_tree(v->b, "old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_new_system_takes_the_place_of_the_old_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            after_a_power_cut_while_the_old_system_is_removed_it_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_cannot_be_downloaded_leaves_the_old_system_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_cancelled_refresh_leaves_the_old_system_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            user_state_that_cannot_be_protected_ends_it_before_anything_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_volume_that_is_too_small_for_the_image_keeps_the_old_system, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_wants_a_formatted_volume, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
