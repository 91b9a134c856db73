/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The job build-boot-image: bootimage/build.sh makes the files, and they replace the old ones at once
 *
 * The script's lines are passed on but for the last: every file that its result names must be there
 * with the size and the hash it says, and only then is the folder given its place.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "server/dp/boot_tree.h"
#include "server/dp/child.h"
#include "server/dp/worker.h"

enum {
    ARGS_MAX = 96,
    PIECE_BYTES = 256 * 1024,
    WORD_MAX_BYTES = 64,
    ROOTS_MAX_BYTES = 4096,
    FOLDER_MODE = 0755,
    LINE_WAIT_MS = 1000,
};

struct building {
    struct worker *worker;
    const char *package_id; /* borrowed from the job, like the next four */
    const char *arch;
    const char *flavour;
    const char *pin;
    const json_t *site_urls;
    char staging[PATH_MAX]; /* STATE/dp/staging/boot/out */
    char parent[PATH_MAX];  /* STATE/dp/boot/SLP00001 */
    char place[PATH_MAX];   /* STATE/dp/boot/SLP00001/x64 */
    char script[PATH_MAX];
    char agent[PATH_MAX];
    char roots[ROOTS_MAX_BYTES]; /* kernel_roots, cut into words */
    const char *argv[ARGS_MAX + 1];
    size_t n_args;
    json_t *end; /* owned; the script's last line, or NULL */
};

DEFINE_FREEP(struct digest *, digest_free);

static void building_fini(struct building *b)
{
    json_decref(b->end);
}

/* Package ids, architectures and names of files become parts of paths. */
static bool is_word(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");

    return len > 0 && len < WORD_MAX_BYTES && text[len] == '\0' && text[0] != '.';
}

static bool put_path(char dst[PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(dst, PATH_MAX, "%s/%s", folder, name);

    return n > 0 && n < PATH_MAX;
}

/* Beside slipwayd as it is built, or where it is installed: PREFIX/sbin and PREFIX/lib/slipway. */
static bool find_tool(char dst[PATH_MAX], const char *self, const char *const *candidates)
{
    char folder[PATH_MAX];
    ssize_t n = readlink(self, folder, sizeof(folder) - 1); /* it is /proc/self/exe */

    if (n < 0)
        return false;
    folder[n] = '\0';

    char *slash = strrchr(folder, '/');

    if (!slash)
        return false;
    *slash = '\0';
    for (size_t i = 0; candidates[i]; i++)
        if (put_path(dst, folder, candidates[i]) && file_exists(dst))
            return true;
    return false;
}

static bool find_tools(struct building *b)
{
    static const char *const scripts[] = {
        "../lib/slipway/bootimage/build.sh", "../../bootimage/build.sh", NULL};
    static const char *const agents[] = {
        "slipway-agent", "../lib/slipway/slipway-agent", "../bin/slipway-agent", NULL};
    const char *folder =
        getenv("SLIPWAY_BOOTIMAGE"); /* NOLINT(concurrency-mt-unsafe): one thread */
    bool has_script = folder ? put_path(b->script, folder, "build.sh") && file_exists(b->script)
                             : find_tool(b->script, b->worker->self, scripts);

    return has_script && find_tool(b->agent, b->worker->self, agents);
}

static void add_arg(struct building *b, const char *name, const char *value)
{
    if (b->n_args > ARGS_MAX - 2)
        return; /* the script complains about what is missing */
    b->argv[b->n_args++] = name;
    b->argv[b->n_args++] = value;
}

static void add_roots(struct building *b)
{
    char *at = b->roots;

    (void)snprintf(b->roots, sizeof(b->roots), "%s", b->worker->kernel_roots);
    while (*at != '\0') {
        size_t len = strcspn(at, " ");
        bool is_last = at[len] == '\0';

        at[len] = '\0';
        if (len > 0)
            add_arg(b, "--kernel-root", at);
        at += len + (is_last ? 0 : 1);
    }
}

static void add_site_urls(struct building *b)
{
    for (size_t i = 0; i < json_array_size(b->site_urls); i++) {
        const char *url = json_string_value(json_array_get(b->site_urls, i));

        if (url)
            add_arg(b, "--site-url", url);
    }
}

static void make_args(struct building *b)
{
    add_arg(b, "/bin/bash", b->script);
    add_arg(b, "--package-id", b->package_id);
    add_arg(b, "--arch", b->arch);
    add_arg(b, "--flavour", b->flavour);
    add_arg(b, "--pin", b->pin);
    add_arg(b, "--agent", b->agent);
    add_arg(b, "--agent-version", SLIPWAY_VERSION);
    add_arg(b, "--out", b->staging);
    add_arg(b, "--x86-root", b->worker->x86_root);
    add_roots(b);
    add_site_urls(b);
}

static int make_folders(struct building *b)
{
    char folder[PATH_MAX];
    int r;

    if (!put_path(folder, b->worker->state_folder, WORKER_BUILD_FOLDER) ||
        !put_path(b->staging, folder, "out") ||
        !put_path(folder, b->worker->state_folder, "dp/boot") ||
        !put_path(b->parent, folder, b->package_id) || !put_path(b->place, b->parent, b->arch))
        return ERR(-ENAMETOOLONG);
    r = file_exists(b->staging) ? dir_remove(b->staging) : 0;
    if (r == 0)
        r = dir_make(b->staging, FOLDER_MODE);
    if (r == 0)
        r = dir_make(b->parent, FOLDER_MODE);
    return TRACE(r);
}

static void take_line(struct building *b, const struct buf *line)
{
    json_t *value = json_loadb(buf_str(line), line->len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *percent = json_object_get(value, "percent");
    const json_t *message = json_object_get(value, "message");

    if (json_is_integer(percent) && json_is_string(message))
        worker_tell(b->worker, (unsigned)json_integer_value(percent), json_string_value(message));
    if (!json_object_get(value, "result") && !json_object_get(value, "error_id")) {
        json_decref(value);
        return;
    }
    json_decref(b->end);
    b->end = value;
}

static int run_script(struct building *b)
{
    const struct child_command command = {.argv = b->argv};
    OWN(child_fini) struct child child = CHILD_INIT;
    OWN(buf_fini) struct buf line = BUF_INIT(CHILD_LINE_MAX_BYTES);
    int r = child_start(&command, &child);

    if (r < 0)
        return TRACE(r);
    while (r != CHILD_E_END) {
        r = child_read_line(&child, LINE_WAIT_MS, &line);
        if (r < 0)
            return TRACE(r);
        if (r == 0)
            take_line(b, &line);
    }
    return 0;
}

static int hash_file(int fd, uint64_t *ret_size, uint8_t *ret_sha256)
{
    OWN(digest_freep) struct digest *digest = NULL;
    OWN(freep) uint8_t *piece = malloc(PIECE_BYTES);
    int r = digest_new(&digest);

    if (!piece)
        return ERR(-ENOMEM);
    *ret_size = 0;
    while (r == 0) {
        ssize_t n = read(fd, piece, PIECE_BYTES);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return TRACE(digest_end(digest, ret_sha256));
        *ret_size += (uint64_t)n;
        r = digest_add(digest, (struct bytes){piece, (size_t)n});
    }
    return TRACE(r);
}

/* Durable, and what the result says. Return: 0; 1 if it is not; or -errno. */
static int check_file(const struct building *b, const char *name, json_t *says)
{
    uint8_t want[SHA256_BYTES];
    uint8_t is[SHA256_BYTES];
    uint64_t size = 0;
    json_int_t want_size;
    const char *sha256;
    char path[PATH_MAX];
    int r;

    if (!is_word(name) || !put_path(path, b->staging, name) ||
        json_unpack(says, "{s:I, s:s}", "size", &want_size, "sha256", &sha256) != 0 ||
        !hex_parse(bytes_of(sha256), SHA256_BYTES, want))
        return 1;

    OWN(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return 1;
    r = hash_file(fd, &size, is);
    if (r < 0)
        return TRACE(r);
    if (fsync(fd) < 0)
        return ERR(-errno);
    return size == (uint64_t)want_size && memcmp(is, want, sizeof(is)) == 0 ? 0 : 1;
}

static int check_files(const struct building *b, const char **ret_bad)
{
    json_t *files = json_object_get(json_object_get(b->end, "result"), "files");
    const char *name;
    json_t *says;

    *ret_bad = "boot-image.json";
    if (json_object_size(files) == 0)
        return 1;
    json_object_foreach(files, name, says)
    {
        int r = check_file(b, name, says);

        *ret_bad = name;
        if (r != 0)
            return r < 0 ? TRACE(r) : 1;
    }
    return TRACE(dir_sync(b->staging));
}

/* Swap new and old in one step, so that there is always one of them; then the old one goes. */
static int give_place(const struct building *b)
{
    int r;

    if (renameat2(AT_FDCWD, b->staging, AT_FDCWD, b->place, RENAME_EXCHANGE) < 0) {
        if (errno != ENOENT)
            return ERR(-errno);
        if (rename(b->staging, b->place) < 0)
            return ERR(-errno);
    }
    r = dir_sync(b->parent);
    if (r < 0)
        return TRACE(r);
    return file_exists(b->staging) ? TRACE(dir_remove(b->staging)) : 0;
}

/* The same files as a content, for other distribution points. Return: as boot_tree_store(). */
static int keep_content(const struct building *b, json_t *result)
{
    struct boot_tree_stored stored;
    char name[SHA256_TEXT_MAX];
    int r = boot_tree_store(b->worker, b->staging, &stored);

    if (r != 0)
        return r < 0 ? TRACE(r) : 1;
    hex_put(name, (struct bytes){stored.id, sizeof(stored.id)});
    if (json_object_set_new(result, "manifest", json_string(name)) != 0 ||
        json_object_set_new(result, "size_bytes", json_integer((json_int_t)stored.size_bytes)) !=
            0 ||
        json_object_set_new(result, "new_bytes", json_integer((json_int_t)stored.new_bytes)) != 0)
        return ERR(-ENOMEM);
    return 0;
}

static int finish(struct building *b)
{
    json_t *result = json_object_get(b->end, "result");
    const char *error_id = json_string_value(json_object_get(b->end, "error_id"));
    const char *message = json_string_value(json_object_get(b->end, "message"));
    const char *bad;
    int r;

    if (!result) {
        worker_fail(error_id ? error_id : "SLW-0315",
                    "%s",
                    message ? message
                            : "The boot image could not be built: the build ended without a "
                              "result. Its messages are in the server's log.");
        return 0;
    }
    r = check_files(b, &bad);
    if (r < 0)
        return TRACE(r);
    if (r > 0) {
        worker_fail("SLW-0317",
                    "The boot image's file %s is missing or has changed since it was built.",
                    bad);
        return 0;
    }
    r = keep_content(b, result);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = give_place(b);
    if (r < 0)
        return TRACE(r);
    return TRACE(worker_succeed(json_incref(result)));
}

int worker_build_boot_image(struct worker *worker)
{
    OWN(building_fini) struct building b = {.worker = worker};
    int r;

    if (json_unpack(worker->args,
                    "{s:s, s:s, s:s, s:o, s:s}",
                    "package_id",
                    &b.package_id,
                    "arch",
                    &b.arch,
                    "flavour",
                    &b.flavour,
                    "site_urls",
                    &b.site_urls,
                    "pin",
                    &b.pin) != 0 ||
        !is_word(b.package_id) || !is_word(b.arch)) {
        worker_fail("SLW-0316", "The job to build a boot image is not complete.");
        return 0;
    }
    if (!find_tools(&b)) {
        worker_fail("SLW-0502",
                    "bootimage/build.sh or slipway-agent is not installed beside slipwayd. Install "
                    "the package slipway completely.");
        return 0;
    }
    r = make_folders(&b);
    if (r < 0)
        return TRACE(r);
    make_args(&b);
    r = run_script(&b);
    if (r < 0)
        return TRACE(r);
    return TRACE(finish(&b));
}
