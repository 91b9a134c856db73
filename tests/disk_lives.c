/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Starts of a computer whose disk is a loop device: the real runner with the real steps, for tests/system/disk_lives.py
 *
 * usage: disk_lives SEQUENCE.xml uefi|bios FOLDER
 *
 * Each line that is read is one start, "DISK VOLUME ENVIRONMENT ORDER LOG", such as "loop0 - boot-image order writes":
 * ENVIRONMENT is boot-image, full-os, or disk for the boot image that the disk starts; VOLUME ("loop0p1") is what full-os runs from; ORDER is what the site has, "order" or "nothing"; LOG in FOLDER is
 * where the disk's writes are logged, or "-". How the start ended is the line that is printed: restart, finished, not-ours,
 * unreported, failed, or waiting if the computer still asked for an order, and was switched off. What the site is told is
 * in FOLDER/reports, a line each: how long LOG was, and the status.
 */

#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "agent/run/restart.h"
#include "agent/run/run.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/run/test_site.h"
#include "agent/steps/content.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/arch.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "scenario/refresh_fixture.h"
#include "tests/pretend.h"

enum {
    SEQUENCE_MAX = 256 * 1024,
    BOOT_FILE_BYTES = 200 * 1000,
    PACKAGE_DATA_BYTES = 100 * 1000,
    PACKAGE_SEED = 77,
    SHELL_MAX = 8 * 1024 * 1024,
    PATH_BYTES = 256,
    LINE_BYTES = 256,
    WORD_BYTES = 32,
    HANGS_S = 120,   /* no start takes so long */
    N_QUESTIONS = 3, /* for an order, until it is clear that the computer only waits */
    POLL_US = 10 * 1000,
    PATIENCE_US = 5 * 1000 * 1000,
    N_ENDS = 6,
    EXIT_OF_ENDS = 20,
};

#define ORDER_ID "0190f5b0-0000-7000-8000-000000000001"

static const char *const ends[N_ENDS] = {
    [RUN_RESTART] = "restart",
    [RUN_FINISHED] = "finished",
    [RUN_FAILED] = "finished", /* what there was to do is done */
    [RUN_NOT_OURS] = "not-ours",
    [RUN_UNREPORTED] = "unreported",
    [RUN_OFF] = "off",
};

/* One line of those that are read. */
struct life {
    char disk[WORD_BYTES];
    char volume[WORD_BYTES];
    char environment[WORD_BYTES];
    char order[WORD_BYTES];
    char log[WORD_BYTES];
};

static const char *folder; /* on the command line */
static bool is_uefi;
static struct life life;
static struct refresh_bench *bench;
static char *order_text; /* as the site gives it */
static char socket_path[PATH_BYTES];
static char asked_path[PATH_BYTES]; /* a byte for each question for an order that was in vain */

/* The files of the boot image, served by the distribution point. */
static json_t *boot_files_json(void)
{
    static const char *const names[] = {"vmlinuz", "initrd.img"};
    json_t *files = json_object();

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint8_t body[BOOT_FILE_BYTES];
        uint8_t sha256[SHA256_BYTES];
        char hex[SHA256_TEXT_MAX];
        char path[DP_PATH_MAX];

        refresh_fill(body, sizeof(body), i + 1);
        (void)snprintf(path, sizeof(path), "/boot/SLP00001/" ARCH_NAME "/%s", names[i]);
        dp_put_file(bench->dp, path, (struct bytes){body, sizeof(body)});
        if (digest_sha256((struct bytes){body, sizeof(body)}, sha256) != 0)
            return json_decref(files), NULL;
        hex_put(hex, (struct bytes){sha256, SHA256_BYTES});
        (void)json_object_set_new(
            files, names[i], json_pack("{s:i,s:s}", "size", (int)sizeof(body), "sha256", hex));
    }
    return files;
}

/* A program for Install Package, which leaves what it writes unflushed; and an application, whose file is whole if it is there, as
   it is detected by that. */
static json_t *package_json(void)
{
    static const char install[] =
        "#!/bin/sh\nset -e\n/bin/busybox mkdir -p /opt/$1\n"
        "if test $1 = program; then exec /bin/busybox cp data /opt/$1/data; fi\n"
        "/bin/busybox dd if=data of=/opt/$1/new conv=fsync\n/bin/busybox mv /opt/$1/new /opt/$1/data\n";
    static const char description[] =
        "{\"programs\": {\"Install\": {\"command\": \"./install.sh program\"}},"
        " \"application\": {\"name\": \"Tool\", \"version\": \"1\","
        " \"install\": {\"command\": \"./install.sh application\"},"
        " \"detection\": [{\"file\": \"/opt/application/data\"}]}}";
    static uint8_t data[PACKAGE_DATA_BYTES];
    const struct refresh_file files[] = {
        {"data", 0644, {data, sizeof(data)}},
        {"install.sh", 0755, bytes_of(install)},
        {"slipway.json", 0644, bytes_of(description)},
    };
    uint8_t id[SHA256_BYTES];
    char hex[SHA256_TEXT_MAX];

    refresh_fill(data, sizeof(data), PACKAGE_SEED);
    refresh_serve_package(bench, files, sizeof(files) / sizeof(files[0]), id);
    hex_put(hex, (struct bytes){id, SHA256_BYTES});
    return json_pack("{s:s,s:s,s:i,s:s,s:i}",
                     "kind",
                     "package",
                     "name",
                     "Tools",
                     "version",
                     1,
                     "manifest",
                     hex,
                     "size_bytes",
                     (int)(sizeof(data) + sizeof(install) - 1 + sizeof(description) - 1));
}

static json_t *content_json(void)
{
    const struct manifest *manifest = &bench->manifest[1];
    char id[SHA256_TEXT_MAX];

    hex_put(id, (struct bytes){bench->id[1], SHA256_BYTES});
    return json_pack("{s:{s:s,s:s,s:i,s:[{s:i,s:s,s:I}]},s:{s:s,s:s,s:i,s:o},s:o}",
                     "SLP00002",
                     "kind",
                     "os-image",
                     "name",
                     "image",
                     "version",
                     1,
                     "indexes",
                     "index",
                     1,
                     "manifest",
                     id,
                     "size_bytes",
                     (json_int_t)manifest->size_bytes,
                     "SLP00001",
                     "kind",
                     "boot-image",
                     "name",
                     "boot image",
                     "version",
                     1,
                     "files",
                     boot_files_json(),
                     "SLP00004",
                     package_json());
}

static int make_order(const char *sequence_path)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(SEQUENCE_MAX);
    char proxy[64];

    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", dp_start_proxy(bench->dp));
    if (file_read(sequence_path, &xml) != 0)
        return ERR(-ENOENT);
    OWN(json_decrefp)
    json_t *order = json_pack("{s:s,s:s,s:s,s:s,s:i,s:I,s:s,s:{s:s,s:s,s:s},s:{s:s},s:o,s:[s],s:i}",
                              "order_id",
                              ORDER_ID,
                              "deployment_id",
                              "SLP20001",
                              "device_id",
                              "d1",
                              "device_name",
                              "pc-1",
                              "attempt",
                              1,
                              "deadline_us",
                              (json_int_t)5,
                              "purpose",
                              "required",
                              "task_sequence",
                              "id",
                              "SLP00003",
                              "name",
                              "cuts",
                              "xml",
                              buf_str(&xml),
                              "variables",
                              "SLWProxy",
                              proxy,
                              "content",
                              content_json(),
                              "sources",
                              bench->dp->sources[0],
                              "failed_wait_s",
                              0);

    order_text = order ? json_dumps(order, JSON_COMPACT) : NULL;
    return order_text ? 0 : ERR(-ENOMEM);
}

/* How long the log of the disk's writes is: what is in it was done before. */
static long long log_bytes(void)
{
    char path[PATH_BYTES];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, life.log);
    return stat(path, &st) == 0 ? (long long)st.st_size : 0;
}

/* Of a request with a status; others are no reports. */
static void note_report(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    OWN(json_decrefp) json_t *status = body ? json_loads(body, 0, NULL) : NULL;
    const char *state = json_string_value(json_object_get(status, "state"));
    const char *error = json_string_value(json_object_get(status, "error_id"));
    const char *name = json_string_value(json_object_get(status, "step_name"));
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/reports", folder);
    FILE *file = state ? fopen(path, "ae") : NULL;

    if (!file)
        return;
    (void)fprintf(file,
                  "%lld\t%s\t%lld\t%s\t%s\n",
                  log_bytes(),
                  state,
                  (long long)json_integer_value(json_object_get(status, "step")),
                  error ? error : "-",
                  name ? name : "-");
    (void)fclose(file);
}

static void note_question(void)
{
    FILE *file = fopen(asked_path, "ae");

    if (!file)
        return;
    (void)fputc('?', file);
    (void)fclose(file);
}

/* The site: one request a connection. */
static const char *answer_to(const char *request, char *dst, size_t cap)
{
    const char *status = "200 OK";
    const char *body = "{\"is_cancelled\": false}";

    if (strncmp(request, "GET /api/v1/client/time ", 24) == 0) {
        body = "{\"time_us\": 1795253405000000, \"challenge\": \"c\"}";
    } else if (strstr(request, "/registrations ")) {
        status = "201 Created";
        body = "{\"token\": \"t\", \"device_name\": \"pc-1\"}";
    } else if (strstr(request, "/client/tokens ")) {
        status = "201 Created";
        body = "{\"token\": \"t\"}";
    } else if (strstr(request, "/client/orders ")) {
        bool has_order = strcmp(life.order, "order") == 0;

        status = has_order ? "200 OK" : "204 No Content";
        body = has_order ? order_text : "";
        if (!has_order)
            note_question();
    } else {
        note_report(request);
    }
    (void)snprintf(dst,
                   cap,
                   "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n%s",
                   status,
                   strlen(body),
                   body);
    return dst;
}

static int collect(struct machine *ret)
{
    *ret = (struct machine){.n_cpus = 1,
                            .is_64_bit = true,
                            .is_uefi = is_uefi,
                            .has_boot_mac = true,
                            .boot_mac = {0x52, 0x54, 0, 0x77, 0, 1},
                            .n_nics = 1,
                            .nics = {{.name = "eth0", .mac = {0x52, 0x54, 0, 0x77, 0, 1}}},
                            .n_disks = 1};
    machine_read_disk(life.disk, &ret->disks[0]);
    return 0;
}

static int network_up(const struct machine *m, char *ret_interface, size_t cap, struct buf *why)
{
    (void)m;
    (void)why;
    (void)snprintf(ret_interface, cap, "eth0");
    return 0;
}

static int keep_clock(uint64_t wall_us)
{
    (void)wall_us;
    return 0;
}

/* The installed operating system runs from its volume. Return: whether it does. */
static bool enter_system(void)
{
    static const char *const folders[] = {"/dev", "/proc", "/sys", "/run"};
    char device[PATH_BYTES];
    char path[PATH_BYTES];

    (void)snprintf(device, sizeof(device), "/dev/%s", life.volume);
    if (dir_make(TARGET_ROOT, 0755) < 0 ||
        mount(device, TARGET_ROOT, "ext4", MS_NOATIME, NULL) != 0)
        return false;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(path, sizeof(path), TARGET_ROOT "%s", folders[i]);
        if (mount(folders[i], path, NULL, MS_BIND | MS_REC, NULL) != 0)
            return false;
    }
    return chroot(TARGET_ROOT) == 0 && chdir("/") == 0;
}

static void run(void)
{
    bool is_full_os = strcmp(life.environment, "full-os") == 0;
    const struct run_platform platform = {
        .collect = collect,
        .network_up = network_up,
        .set_clock = keep_clock,
        .mount = target_mount,
        .unmount = target_unmount,
        .find_state = target_find_state,
        .find_type = step_type_find,
        .boot_image_is_back = restart_to_boot_image_done,
        .prepare_boot_image = restart_prepare,
        .get_ahead = content_get_ahead,
        .settle = target_settle,
        .target_root = TARGET_ROOT,
        .full_os_root = "",
        .journal_path = PRETEND_ROOM "/smsts.log",
        .poll_us = POLL_US,
        .patience_us = PATIENCE_US,
    };
    struct run_options options = {
        .is_full_os = is_full_os,
        .site = {.urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path},
        .ticket = "",
        .is_from_disk = strcmp(life.environment, "disk") == 0,
        .boot_image = "SLP00001",
        .version = "test",
        .platform = &platform,
    };
    enum run_end end;

    (void)alarm(HANGS_S);
    if (unshare(CLONE_NEWNS) != 0 || (is_full_os && !enter_system()) ||
        screen_new(NULL, 0, &options.screen) != 0 || run_agent(&options, &end) != 0)
        _exit(1);
    _exit(EXIT_OF_ENDS + (int)end);
}

/* Return: whether the start @pid has not ended, and has only asked for an order that is not there. */
static bool is_waiting(pid_t pid, int *ret_status)
{
    struct stat st;

    for (;;) {
        if (waitpid(pid, ret_status, WNOHANG) != 0)
            return false;
        if (stat(asked_path, &st) == 0 && st.st_size >= N_QUESTIONS)
            break;
        clock_sleep_us(POLL_US);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, ret_status, 0);
    return true;
}

static const char *live(void)
{
    pid_t site = test_site_start(socket_path, answer_to);
    pid_t pid = fork();
    int status = 0;

    if (pid == 0)
        run();
    bool waits = is_waiting(pid, &status);

    (void)unlink(asked_path);
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    (void)unlink(socket_path);
    if (waits)
        return "waiting";
    if (!WIFEXITED(status) || WEXITSTATUS(status) < EXIT_OF_ENDS ||
        WEXITSTATUS(status) >= EXIT_OF_ENDS + N_ENDS)
        return "failed";
    return ends[WEXITSTATUS(status) - EXIT_OF_ENDS];
}

/* Return: false if the line is not one. */
static bool read_life(char *line)
{
    char *const words[] = {life.disk, life.volume, life.environment, life.order, life.log};
    char *rest = NULL;
    char *word = strtok_r(line, " \n", &rest);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!word || strlen(word) >= WORD_BYTES)
            return false;
        (void)snprintf(words[i], WORD_BYTES, "%s", word);
        word = strtok_r(NULL, " \n", &rest);
    }
    return !word;
}

/* Programs of packages need a shell. */
static int add_shell(const char *root)
{
    OWN(buf_fini) struct buf busybox = BUF_INIT(SHELL_MAX);
    char path[PATH_BYTES];
    int r = file_read("/bin/busybox", &busybox);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-ENOENT);
    (void)snprintf(path, sizeof(path), "%s/bin/busybox", root);
    r = file_write(path, buf_bytes(&busybox), 0755);
    (void)snprintf(path, sizeof(path), "%s/bin/sh", root);
    if (r == 0 && symlink("busybox", path) != 0)
        r = ERR(-errno);
    return TRACE(r);
}

static int add_system(const char *root)
{
    static const char *const folders[] = {"bin", "dev", "proc", "sys", "run", "tmp", "var/log"};
    char path[PATH_BYTES];
    int r = pretend_system(root);

    for (size_t i = 0; r >= 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        r = dir_make(path, 0755);
    }
    return r < 0 ? TRACE(r) : TRACE(add_shell(root));
}

int main(int argc, char **argv)
{
    char line[LINE_BYTES];
    void *state = NULL;

    if (argc != 4)
        return 2;
    is_uefi = strcmp(argv[2], "uefi") == 0;
    folder = argv[3];
    (void)snprintf(socket_path, sizeof(socket_path), "%s", PRETEND_ROOM "/site");
    (void)snprintf(asked_path, sizeof(asked_path), "%s", PRETEND_ROOM "/asked");
    if (pretend_boot_image() != 0 || refresh_set_up_with(&state, add_system) != 0)
        return 1;
    bench = state;
    if (make_order(argv[1]) != 0)
        return 1;
    (void)printf("ready\n");
    (void)fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        (void)printf("%s\n", read_life(line) ? live() : "failed");
        (void)fflush(stdout);
    }
    free(order_text);
    return refresh_tear_down(&state);
}
