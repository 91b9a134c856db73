/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The steps that write into the applied operating system, and the state, killed at each of their system calls that change a file, and
 * begun again as after a power cut: what is then on the volume and in the disk's first sectors is what an undisturbed run leaves
 *
 * They write below TARGET_ROOT, so the test has mounts of its own, which needs root.
 */

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/machine.h"
#include "agent/run/order.h"
#include "agent/run/state.h"
#include "agent/run/target.h"
#include "agent/steps/generalize.h"
#include "agent/steps/inside.h"
#include "agent/steps/step.h"
#include "base/own.h"
#include "format/disk/disk_layout.h"
#include "image/disk_format.h"
#include "image/disk_write.h"
#include "plat/file.h"
#include "tests/dp.h"
#include "tests/inject.h"
#include "tests/pretend.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

DEFINE_FREEP(struct dp *, dp_stop);
DEFINE_FREEP(struct state *, state_free);
DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    CALLS_MIN = 12, /* a step with fewer was not really run */
    CALLS_MAX = 2000,
    DISK_MIB = 64,
    DISK_HEAD_BYTES = 64 * 1024, /* the boot sector, and GRUB behind it */
    TREE_MAX = 4 * 1024 * 1024,
    FILE_MAX = 1024 * 1024,
    PACKAGE_BYTES = 100 * 1000,
};

#define MIB    ((uint64_t)1024 * 1024)
#define DISK   PRETEND_ROOM "/disk"
#define VOLUME PRETEND_ROOM "/volume" /* a file system that only has to be recognised */

#define DEVICE_KEY "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"

static bool has_mounts;
static bool is_uefi;
static char disk_head[DISK_HEAD_BYTES]; /* before Setup */
static char root_uuid[64];

struct job {
    int (*run)(struct step_context *c, struct step_result *ret);
    const char *settings; /* of the step */
    const struct order *order;
};

static bool go_on(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx;
    (void)percent;
    (void)rate;
    (void)what;
    return true;
}

__attribute__((format(printf, 2, 3))) static void to_nobody(void *ctx, const char *format, ...)
{
    (void)ctx;
    (void)format;
}

/* Return: 0 if the step succeeded; in a process that may be killed. */
static int run_step(void *ctx)
{
    const struct machine machine = {.is_uefi = is_uefi,
                                    .n_nics = 1,
                                    .nics = {{.name = "eth0", .mac = {0x52, 0x54, 0, 0x77, 0, 1}}}};
    const struct job *job = ctx;
    OWN(buf_fini) struct buf xml = BUF_INIT(FILE_MAX);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct step_target target = {.disk = DISK, .root_device = VOLUME, .is_mounted = true};
    struct step_result result = {0};
    size_t n;

    buf_addf(&xml,
             "<sequence version=\"3.10\"><step type=\"t\" name=\"s\"><defaultVarList>%s"
             "</defaultVarList></step></sequence>",
             job->settings);
    if (ts_document_parse(buf_bytes(&xml), &doc, &diags) != 0 || ts_vars_new(&vars) != 0)
        return 1;
    (void)snprintf(target.root_uuid, sizeof(target.root_uuid), "%s", root_uuid);
    if (is_uefi)
        (void)snprintf(target.esp_device, sizeof(target.esp_device), "%s", VOLUME);
    struct step_context c = {.step = ts_document_steps(doc, &n),
                             .vars = vars,
                             .order = job->order,
                             .machine = &machine,
                             .target = &target,
                             .environment = STEP_IN_BOOT_IMAGE,
                             .step_name = "s",
                             .progress = go_on,
                             .log = to_nobody};
    int r = job->run(&c, &result);

    step_context_fini(&c);
    if (result.error_id)
        (void)fprintf(stderr, "%s: %s\n", result.error_id, result.message);
    return r != 0 || result.error_id ? 1 : 0;
}

static void write_head(void)
{
    OWN(fd_closep) int fd = open(DISK, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, disk_head, DISK_HEAD_BYTES, 0), DISK_HEAD_BYTES);
}

static void read_head(char dst[static DISK_HEAD_BYTES])
{
    OWN(fd_closep) int fd = open(DISK, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, dst, DISK_HEAD_BYTES, 0), DISK_HEAD_BYTES);
}

/* As Apply Operating System Image leaves it. */
static void begin_anew(void)
{
    assert_true(dir_remove(TARGET_ROOT) >= 0);
    assert_true(dir_remove(TARGET_ESP) >= 0);
    assert_true(dir_make(TARGET_ROOT, 0755) >= 0);
    assert_true(dir_make(TARGET_ESP, 0755) >= 0);
    assert_int_equal(pretend_system(TARGET_ROOT), 0);
    write_head();
}

static void describe(const char *path, const char *name, struct buf *ret);

static void describe_below(const char *path, struct buf *ret)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, alphasort);

    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) {
            char below[512];

            assert_true(snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name) <
                        (int)sizeof(below));
            describe(below, below, ret);
        }
        free(names[i]);
    }
    free(names);
}

/* Everything but times. */
static void describe(const char *path, const char *name, struct buf *ret)
{
    char link[512] = "";
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    if (S_ISLNK(st.st_mode))
        assert_true(readlink(path, link, sizeof(link) - 1) > 0);
    buf_addf(ret, "%s %o %u %u %s\n", name, st.st_mode, st.st_uid, st.st_gid, link);
    if (S_ISREG(st.st_mode))
        assert_int_equal(file_read(path, ret), 0);
    if (S_ISDIR(st.st_mode))
        describe_below(path, ret);
}

static void describe_all(struct buf *tree, char head[static DISK_HEAD_BYTES])
{
    buf_clear(tree);
    describe_below(TARGET_ROOT, tree);
    describe_below(TARGET_ESP, tree);
    assert_false(tree->failed);
    read_head(head);
}

static void cut_everywhere(struct job *job)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(TREE_MAX);
    OWN(buf_fini) struct buf tree = BUF_INIT(TREE_MAX);
    static char whole_head[DISK_HEAD_BYTES];
    static char head[DISK_HEAD_BYTES];
    struct inject_outcome outcome = {.was_met = true};
    unsigned n = 0;

    if (!has_mounts)
        skip();
    begin_anew();
    assert_int_equal(run_step(job), 0);
    describe_all(&whole, whole_head);
    assert_int_equal(run_step(job), 0); /* after a cut behind its end */
    describe_all(&tree, head);
    assert_string_equal(buf_str(&tree), buf_str(&whole));
    while (outcome.was_met) {
        assert_true(++n < CALLS_MAX);
        begin_anew();
        assert_int_equal(inject_run(run_step, job, INJECT_KILL, n, &outcome), 0);
        assert_true(outcome.was_met ? WIFSIGNALED(outcome.status) : outcome.status == 0);
        assert_int_equal(run_step(job), 0);
        describe_all(&tree, head);
        assert_string_equal(buf_str(&tree), buf_str(&whole));
        assert_memory_equal(head, whole_head, DISK_HEAD_BYTES);
    }
    assert_true(n > CALLS_MIN);
}

static void windows_settings_survive_every_cut(void **state)
{
    (void)state;
    cut_everywhere(&(struct job){
        .run = step_apply_settings_run,
        .settings =
            "<variable name=\"OSDComputerName\">pc-7</variable><variable name=\"OSDTimeZone\">Europe/"
            "Amsterdam</variable><variable name=\"OSDRandomAdminPassword\">true</variable><variable "
            "name=\"SLWUserName\">anna</variable><variable name=\"SLWUserSSHKey\">ssh-ed25519 AAAA "
            "anna</variable>"});
}

static void network_settings_survive_every_cut(void **state)
{
    (void)state;
    cut_everywhere(&(struct job){.run = step_apply_network_run,
                                 .settings =
                                     "<variable name=\"OSDNetworkJoinType\">1</variable>"
                                     "<variable name=\"OSDWorkgroupName\">WORKGROUP</variable>"});
}

static void setup_survives_every_cut(void **state)
{
    (void)state;
    cut_everywhere(&(struct job){.run = step_setup_run, .settings = ""});
}

static void setup_of_an_efi_system_partition_survives_every_cut(void **state)
{
    (void)state;
    is_uefi = true;
    cut_everywhere(&(struct job){.run = step_setup_run, .settings = ""});
    is_uefi = false;
}

/* What Prepare for Capture does to the system, and Capture Operating System Image once more. */
static int generalize(struct step_context *c, struct step_result *ret)
{
    OWN(fd_closep) int root = -1;
    int r = inside_open(TARGET_ROOT, &root);

    (void)c;
    *ret = (struct step_result){0};
    return r < 0 ? r : generalize_system(root);
}

static void preparing_for_capture_survives_every_cut(void **state)
{
    (void)state;
    cut_everywhere(&(struct job){.run = generalize, .settings = ""});
}

static void a_package_is_downloaded_whole_after_every_cut(void **state)
{
    (void)state;
    OWN(dp_stopp) struct dp *dp = dp_start();
    struct manifest_entry entries[] = {
        {MANIFEST_FOLDER, 0755, 0, 0, (char[]){"data"}, NULL},
        {MANIFEST_REGULAR, 0644, PACKAGE_BYTES - 1, 0, (char[]){"data/noise"}, NULL},
        {MANIFEST_LINK, 0777, 0, 0, (char[]){"latest"}, (char[]){"data/noise"}},
        {MANIFEST_REGULAR, 0755, 1, 0, (char[]){"run.sh"}, NULL},
    };
    struct order_content content = {.package_id = (char[]){"SLP00012"},
                                    .kind = (char[]){"package"},
                                    .size_bytes = PACKAGE_BYTES,
                                    .has_manifest = true};
    char *sources[] = {(char[]){"http://dp0"}};
    struct order order = {.content = &content, .n_content = 1, .sources = sources, .n_sources = 1};
    char settings[1024];

    assert_non_null(dp);
    dp_put_content(dp, 1, PACKAGE_BYTES, false);
    dp_put_tree(dp, entries, sizeof(entries) / sizeof(entries[0]));
    memcpy(content.manifest, dp->manifest_id, SHA256_BYTES);
    (void)snprintf(settings,
                   sizeof(settings),
                   "<variable name=\"SLWProxy\">http://127.0.0.1:%u</variable>"
                   "<variable name=\"OSDDownloadDownloadPackages\">SLP00012</variable>"
                   "<variable name=\"OSDDownloadDestinationLocationType\">Custom</variable>"
                   "<variable name=\"OSDDownloadDestinationPath\">" TARGET_ROOT
                   "/opt/got</variable>",
                   dp_start_proxy(dp));
    cut_everywhere(&(struct job){step_download_content_run, settings, &order});
}

static const char state_text[] =
    "{\"version\": 1, \"order\": {\"order_id\": \"0190f5b0-0000-7000-8000-000000000001\","
    " \"deployment_id\": \"SLP20001\", \"device_id\": \"d1\", \"device_name\": \"pc-1\","
    " \"attempt\": 1, \"deadline_us\": 5, \"purpose\": \"required\", \"task_sequence\":"
    " {\"id\": \"SLP00003\", \"name\": \"ts\", \"xml\": \"x\"}, \"variables\": {},"
    " \"content\": {}, \"sources\": [], \"failed_wait_s\": 1},"
    " \"site\": {\"urls\": [\"https://10.77.0.1:443\"], \"pin\": null, \"key\": \"" DEVICE_KEY
    "\"},"
    " \"seq\": 7, \"phase\": \"boot-image\", \"next\": {\"step\": 1, \"is_running\": true,"
    " \"n_starts\": 2}, \"variables\": {}, \"secrets\": [], \"target\": {\"disk_serial\": \"lab\","
    " \"disk_size_bytes\": 4294967296, \"root_uuid\": \"r\", \"esp_uuid\": \"\", \"is_old\": true},"
    " \"result\": null, \"started_us\": 9}";

/* The state with another position and more variables, as after a step. Return: 0 if it was kept. */
static int write_state(void *ctx)
{
    OWN(buf_fini) struct buf why = BUF_INIT(FILE_MAX);
    OWN(state_freep) struct state *state = NULL;
    const size_t *position = ctx;

    if (state_parse(bytes_of(state_text), &state, &why) != 0)
        return 1;
    state->next_step = *position;
    if (*position > 1 && ts_vars_set(state->vars, "A", "b", TS_BY_SEQUENCE) != 0)
        return 1;
    return state_write(state, TARGET_ROOT) == 0 ? 0 : 1;
}

static size_t read_position(void)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(FILE_MAX);
    OWN(state_freep) struct state *state = NULL;

    assert_int_equal(file_read(TARGET_ROOT "/" TARGET_STATE_FILE, &text), 0);
    assert_int_equal(state_parse(buf_bytes(&text), &state, &why), 0);
    assert_int_equal(strcmp(ts_vars_get(state->vars, "A"), "b") == 0, state->next_step == 2);
    return state->next_step;
}

static void the_state_is_the_old_or_the_new_one_after_every_cut(void **state)
{
    (void)state;
    struct inject_outcome outcome = {.was_met = true};
    size_t first = 1;
    size_t second = 2;
    unsigned n = 0;
    unsigned n_old = 0;

    if (!has_mounts)
        skip();
    while (outcome.was_met) {
        assert_true(++n < CALLS_MAX);
        assert_int_equal(write_state(&first), 0);
        assert_int_equal(inject_run(write_state, &second, INJECT_KILL, n, &outcome), 0);
        assert_in_range(read_position(), first, second);
        n_old += read_position() == first;
        assert_int_equal(write_state(&second), 0); /* over what was left aside */
        assert_int_equal(read_position(), second);
    }
    assert_true(n_old > 3 && n > n_old + 1);
}

static void make_file(const char *path)
{
    OWN(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)(DISK_MIB * MIB)), 0);
}

static void make_disk(void)
{
    const struct disk_wish wish = {.type = DISK_TYPE_PRIMARY,
                                   .unit = DISK_SIZE_REST,
                                   .is_bootable = true,
                                   .is_quick = true,
                                   .file_system = DISK_FS_EXT4};
    struct disk_partition volume = {.device = VOLUME, .wish = wish, .size_bytes = DISK_MIB * MIB};
    OWN(freep) struct disk_layout *layout = calloc(1, sizeof(*layout));
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    struct disk_content content;

    assert_non_null(layout);
    make_file(DISK);
    make_file(VOLUME);
    assert_int_equal(
        disk_layout_plan(
            &(struct disk_space){DISK_STYLE_MBR, DISK_MIB * MIB, 512}, &wish, 1, layout),
        0);
    assert_int_equal(disk_write(DISK, layout, &why), 0);
    read_head(disk_head);
    assert_int_equal(disk_make_file_system(&volume, &why), 0);
    assert_int_equal(disk_read_content(VOLUME, &content), 0);
    (void)snprintf(root_uuid, sizeof(root_uuid), "%s", content.uuid);
}

/* What is made here is seen by nobody else, and goes with this process. */
static int make_mounts(void **state)
{
    int r = pretend_boot_image();

    (void)state;
    if (r > 0)
        print_message("skipped: mounts cannot be made here; root is needed\n");
    if (r != 0)
        return r < 0 ? -1 : 0;
    if (dir_make(TARGET_ROOT, 0755) < 0)
        return -1;
    make_disk();
    has_mounts = true;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_settings_survive_every_cut),
        cmocka_unit_test(network_settings_survive_every_cut),
        cmocka_unit_test(setup_survives_every_cut),
        cmocka_unit_test(setup_of_an_efi_system_partition_survives_every_cut),
        cmocka_unit_test(preparing_for_capture_survives_every_cut),
        cmocka_unit_test(a_package_is_downloaded_whole_after_every_cut),
        cmocka_unit_test(the_state_is_the_old_or_the_new_one_after_every_cut),
    };

    return cmocka_run_group_tests(tests, make_mounts, NULL);
}
