/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The steps that write into the applied operating system, killed at each of their system calls that change a file, and
 * begun again as after a power cut: what is then on the volume and in the disk's first sectors is what an undisturbed run leaves
 *
 * They write below TARGET_ROOT, so the test has mounts of its own, which needs root.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/machine.h"
#include "agent/steps/step.h"
#include "base/own.h"
#include "image/disk_format.h"
#include "image/disk_layout.h"
#include "image/disk_write.h"
#include "plat/arch.h"
#include "plat/file.h"
#include "tests/inject.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    CALLS_MIN = 12, /* a step with fewer was not really run */
    CALLS_MAX = 2000,
    DISK_MIB = 64,
    DISK_HEAD_BYTES = 64 * 1024, /* the boot sector, and GRUB behind it */
    TREE_MAX = 4 * 1024 * 1024,
    FILE_MAX = 1024 * 1024,
    CORE_BYTES = 30 * 1024,
};

#define MIB    ((uint64_t)1024 * 1024)
#define ROOM   "/run/slipway-step-cuts" /* memory, below which everything is but the target */
#define DISK   ROOM "/disk"
#define VOLUME ROOM "/volume" /* a file system that only has to be recognised */

static bool has_mounts;
static bool is_uefi;
static char disk_head[DISK_HEAD_BYTES]; /* before Setup */
static char root_uuid[64];

struct job {
    int (*run)(struct step_context *c, struct step_result *ret);
    const char *settings; /* of the step */
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

static void put(const char *path, const char *content, unsigned mode)
{
    char folder[256];

    (void)snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = '\0';
    assert_true(dir_make(folder, 0755) >= 0);
    assert_int_equal(file_write(path, bytes_of(content), mode), 0);
}

/* An operating system, as far as the steps look at one. */
static void make_system(void)
{
    static const struct {
        const char *path;
        const char *content;
        unsigned mode;
    } files[] = {
        {"/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", 0644},
        {"/etc/shadow", "root:*:19000:0:99999:7:::\n", 0640},
        {"/etc/group", "root:x:0:\nsudo:x:27:\n", 0644},
        {"/etc/gshadow", "root:*::\nsudo:*::\n", 0640},
        {"/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 image\n", 0644},
        {"/etc/hostname", "image\n", 0644},
        {"/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0444},
        {"/etc/fstab", "# of the image\nUUID=old / ext4 defaults 0 1\n", 0644},
        {"/etc/default/grub", "GRUB_TIMEOUT=5\n", 0644},
        {"/etc/ssh/ssh_host_ed25519_key", "secret of the image", 0600},
        {"/var/lib/systemd/random-seed", "seed of the image", 0600},
        {"/home/keep", "", 0644},
        {"/usr/bin/ssh-keygen", "", 0755},
        {"/usr/sbin/sshd", "", 0755},
        {"/usr/lib/systemd/systemd", "", 0755},
        {"/usr/lib/systemd/system/systemd-networkd.service", "", 0644},
        {"/usr/share/zoneinfo/Europe/Amsterdam", "TZif", 0644},
        {"/boot/vmlinuz-6.1.0-1", "kernel", 0644},
        {"/boot/initrd.img-6.1.0-1", "initrd", 0644},
        {"/boot/grub/grub.cfg", "search for the disk of another computer\n", 0600},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[256];

        (void)snprintf(path, sizeof(path), TARGET_ROOT "%s", files[i].path);
        put(path, files[i].content, files[i].mode);
    }
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
    make_system();
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
        step_apply_settings_run,
        "<variable name=\"OSDComputerName\">pc-7</variable><variable name=\"OSDTimeZone\">Europe/"
        "Amsterdam</variable><variable name=\"OSDRandomAdminPassword\">true</variable><variable "
        "name=\"SLWUserName\">anna</variable><variable name=\"SLWUserSSHKey\">ssh-ed25519 AAAA "
        "anna</variable>"});
}

static void network_settings_survive_every_cut(void **state)
{
    (void)state;
    cut_everywhere(&(struct job){step_apply_network_run,
                                 "<variable name=\"OSDNetworkJoinType\">1</variable>"
                                 "<variable name=\"OSDWorkgroupName\">WORKGROUP</variable>"});
}

static void setup_survives_every_cut(void **state)
{
    (void)state;
    cut_everywhere(&(struct job){step_setup_run, ""});
}

static void setup_of_an_efi_system_partition_survives_every_cut(void **state)
{
    (void)state;
    is_uefi = true;
    cut_everywhere(&(struct job){step_setup_run, ""});
    is_uefi = false;
}

/* Where the agent and the boot loaders of a boot image are. */
static void make_boot_image(void)
{
    static char boot[512];
    static char core[CORE_BYTES];

    boot[510] = 0x55;
    boot[511] = (char)0xaa;
    memset(core, 0x6b, sizeof(core));
    put(ROOM "/upper/slipway/slipway-agent", "the agent", 0755);
    put(ROOM "/upper/slipway/ld.so", "the loader", 0755);
    put(ROOM "/upper/slipway/lib/libz.so.1", "a library", 0755);
    put(ROOM "/upper/slipway-boot/grub" ARCH_EFI ".efi", "GRUB", 0644);
    put(ROOM "/upper/slipway-boot/shim" ARCH_EFI ".efi", "shim", 0644);
    assert_int_equal(file_write(ROOM "/upper/slipway-boot/boot.img",
                                (struct bytes){(const uint8_t *)boot, sizeof(boot)},
                                0644),
                     0);
    assert_int_equal(file_write(ROOM "/upper/slipway-boot/core.img",
                                (struct bytes){(const uint8_t *)core, sizeof(core)},
                                0644),
                     0);
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
    static const char options[] = "lowerdir=/usr/lib,upperdir=" ROOM "/upper,workdir=" ROOM "/work";

    (void)state;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/run", "tmpfs", 0, "mode=0755") != 0) {
        print_message("skipped: mounts cannot be made here; root is needed\n");
        return 0;
    }
    if (dir_make(ROOM "/upper", 0755) < 0 || dir_make(ROOM "/work", 0755) < 0 ||
        dir_make(TARGET_ROOT, 0755) < 0)
        return -1;
    make_boot_image();
    make_disk();
    if (mount("none", "/usr/lib", "overlay", 0, options) != 0)
        return -1;
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
    };

    return cmocka_run_group_tests(tests, make_mounts, NULL);
}
