/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/claim.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "server/role.h"

enum {
    PATH_MAX_BYTES = 4096,
    HOST_MAX_BYTES = 300,
    HTTP_PORT = 80,
    VERSION_FILE_MAX_BYTES = 64,
    ADAPTERS_MAX = 64,
};

#define KERNEL_PREFIX   "vmlinuz-"
#define LAST_FILE       "modules.order" /* of a kernel package that dpkg unpacks */
#define LOOPBACK_PREFIX "127."
#define ADAPTERS        "/sys/class/net"

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t n = strlen(end);

    return len > n && strcmp(text + len - n, end) == 0;
}

/* Debian's: 6.1.0-41-amd64, 6.1.0-41-cloud-amd64, 6.1.0-41-rt-amd64, 6.1.0-41-686. */
static bool is_of_flavour(const char *version, const char *flavour)
{
    if (strcmp(flavour, CLAIM_X86) == 0)
        return ends_in(version, "-686");
    if (strcmp(flavour, "virtual") == 0)
        return ends_in(version, "-cloud-amd64");
    return ends_in(version, "-amd64") && !ends_in(version, "-cloud-amd64") &&
           !ends_in(version, "-rt-amd64");
}

static char *newest_below(const char *root, const char *flavour)
{
    OWN(freep) char *newest = NULL;
    char path[PATH_MAX_BYTES];
    char modules[PATH_MAX_BYTES];

    if (snprintf(path, sizeof(path), "%s/boot", root) >= (int)sizeof(path))
        return NULL;

    OWN(closedirp) DIR *dir = opendir(path);

    while (dir) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!entry)
            break;
        if (strncmp(entry->d_name, KERNEL_PREFIX, sizeof(KERNEL_PREFIX) - 1) != 0)
            continue;

        const char *version = entry->d_name + sizeof(KERNEL_PREFIX) - 1;
        int n = snprintf(modules, sizeof(modules), "%s/lib/modules/%s/" LAST_FILE, root, version);

        if (!is_of_flavour(version, flavour) || n >= (int)sizeof(modules) ||
            !file_exists(modules) || (newest && strverscmp(version, newest) <= 0))
            continue;
        free(newest);
        newest = strdup(version);
    }
    return TAKE(newest);
}

char *claim_newest_kernel(const char *roots, const char *flavour)
{
    for (const char *at = roots; *at != '\0';) {
        char root[PATH_MAX_BYTES];
        size_t len = strcspn(at, " ");
        char *found = NULL;

        if (snprintf(root, sizeof(root), "%.*s", (int)len, at) < (int)sizeof(root))
            found = newest_below(root, flavour);
        if (found)
            return found;
        at += len;
        at += strspn(at, " ");
    }
    return NULL;
}

/* What tools/make-x86-root has written last; "" if it is not there. */
static void read_x86_agent(const char *root, char *dst, size_t cap)
{
    OWN(buf_fini) struct buf text = BUF_INIT(VERSION_FILE_MAX_BYTES);
    char path[PATH_MAX_BYTES];

    dst[0] = '\0';
    if (snprintf(path, sizeof(path), "%s/usr/lib/slipway/agent-version", root) <
            (int)sizeof(path) &&
        file_read(path, &text) == 0)
        (void)snprintf(dst, cap, "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
}

/* @dst: gets "kernels" and, if there is something to build for x86 from, "x86_agent_version". */
static int put_kernels(const struct server_config *config, json_t *dst)
{
    const char *roots = config->boot_image_kernel_roots;
    OWN(freep) char *generic = claim_newest_kernel(roots, "generic");
    OWN(freep) char *virtual = claim_newest_kernel(roots, "virtual");
    OWN(freep) char *x86 = claim_newest_kernel(config->boot_image_x86_root, CLAIM_X86);
    json_t *kernels = json_pack("{s:{s:s*, s:s*}}", "x64", "generic", generic, "virtual", virtual);
    char agent[VERSION_FILE_MAX_BYTES];

    read_x86_agent(config->boot_image_x86_root, agent, sizeof(agent));
    if (x86 && agent[0]) {
        (void)json_object_set_new(kernels, "x86", json_pack("{s:s}", "generic", x86));
        (void)json_object_set_new(dst, "x86_agent_version", json_string(agent));
    }
    return json_object_set_new(dst, "kernels", kernels) == 0 ? 0 : ERR(-ENOMEM);
}

/* What there is a place for, so that one that must wait goes to nobody. */
static json_t *kinds_of(struct slots *slots)
{
    static const char *const kinds[] = {
        "import-os-image",
        "import-tree",
        "build-boot-image",
        "export-os-image",
        "prestage-export",
        "replicate",
        "validate",
        "remove",
        "collect",
        "wake",
    };
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        enum slots_class class = slots_class_of(kinds[i]);

        if (!slots_take(slots, class))
            continue;
        slots_give(slots, class);
        (void)json_array_append_new(list, json_string(kinds[i]));
    }
    return list;
}

/* Not what a host without a network calls itself: nobody else reaches that. */
static int put_http_base(json_t *body, const struct server_config *config)
{
    char host[HOST_MAX_BYTES];
    const char *at = config->addresses;
    int len = (int)strcspn(at, " ");
    bool is_v6 = memchr(at, ':', (size_t)len) != NULL;

    if (len == 0 || strncmp(at, LOOPBACK_PREFIX, sizeof(LOOPBACK_PREFIX) - 1) == 0 ||
        snprintf(host, sizeof(host), is_v6 ? "[%.*s]" : "%.*s", len, at) >= (int)sizeof(host))
        return 0;
    return json_object_set_new(
        body,
        "http_base",
        config->http_port == HTTP_PORT
            ? json_sprintf("http://%s", host)
            : json_sprintf("http://%s:%u", host, (unsigned)config->http_port));
}

/* Return: whether it is an adapter with an address. */
static bool read_adapter(const char *folder, const char *name, char ret[static MAC_TEXT_MAX])
{
    OWN(buf_fini) struct buf text = BUF_INIT(VERSION_FILE_MAX_BYTES);
    char path[PATH_MAX_BYTES];
    char line[MAC_TEXT_MAX + 1];
    uint8_t mac[MAC_BYTES];

    if (name[0] == '.' ||
        snprintf(path, sizeof(path), "%s/%s/device", folder, name) >= (int)sizeof(path) ||
        access(path, F_OK) != 0)
        return false;
    (void)snprintf(path, sizeof(path), "%s/%s/address", folder, name);
    if (file_read(path, &text) != 0)
        return false;
    (void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
    if (!mac_parse(bytes_of(line), mac))
        return false;
    mac_put(ret, mac);
    return true;
}

json_t *claim_macs(const char *folder)
{
    OWN(json_decrefp) json_t *macs = json_array();
    OWN(closedirp) DIR *dir = opendir(folder);
    char mac[MAC_TEXT_MAX];

    while (dir && json_array_size(macs) < ADAPTERS_MAX) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!entry)
            break;
        if (read_adapter(folder, entry->d_name, mac) &&
            json_array_append_new(macs, json_string(mac)) < 0)
            return NULL;
    }
    return TAKE(macs);
}

json_t *claim_body(const struct role_options *options, struct slots *slots)
{
    OWN(json_decrefp) json_t *body = NULL;
    char path[PATH_MAX_BYTES];
    struct statvfs fs = {.f_frsize = 0};
    uint64_t free_bytes;
    uint64_t total_bytes;

    (void)snprintf(path, sizeof(path), "%s/dp/content", options->state_folder);
    if (statvfs(path, &fs) != 0)
        (void)statvfs(options->state_folder, &fs);
    free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    total_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
    body = json_pack("{s:I, s:I, s:s, s:s, s:o, s:o}",
                     "free_bytes",
                     (json_int_t)free_bytes,
                     "total_bytes",
                     (json_int_t)total_bytes,
                     "version",
                     SLIPWAY_VERSION,
                     "agent_version",
                     SLIPWAY_VERSION,
                     "kinds",
                     kinds_of(slots),
                     "macs",
                     claim_macs(ADAPTERS));
    if (!body || put_kernels(options->config, body) < 0 || put_http_base(body, options->config) < 0)
        return NULL;
    return TAKE(body);
}
