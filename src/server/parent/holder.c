/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/holder.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "rt/log.h"

enum {
    TABLE_MAX_BYTES = 16 * 1024 * 1024,
    FIELD_LOCAL = 1, /* columns of the table */
    FIELD_STATE = 3,
    FIELD_INODE = 9,
    N_FIELDS = 10,
};

#define STATE_LISTEN "0A"

static void dir_closep(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
    *dir = NULL;
}

/* Split a line at its spaces. Return: whether it has all the fields that are looked at. */
static bool split(struct bytes line, struct bytes fields[static N_FIELDS])
{
    size_t n = 0;

    for (size_t i = 0; i < line.len && n < N_FIELDS;) {
        size_t start;

        while (i < line.len && line.ptr[i] == ' ')
            i++;
        start = i;
        while (i < line.len && line.ptr[i] != ' ')
            i++;
        if (i > start)
            fields[n++] = (struct bytes){line.ptr + start, i - start};
    }
    return n == N_FIELDS;
}

/* The port of "0100007F:0050", or of an IPv6 address written so. */
static bool local_port(struct bytes local, uint16_t *ret)
{
    uint8_t port[2];

    if (local.len < 5 || local.ptr[local.len - 5] != ':' ||
        !hex_parse((struct bytes){local.ptr + local.len - 4, 4}, sizeof(port), port))
        return false;
    *ret = (uint16_t)(port[0] << 8 | port[1]);
    return true;
}

static bool is_row_of(struct bytes line, uint16_t port, bool is_listening, uint64_t *ret)
{
    struct bytes fields[N_FIELDS];
    uint16_t got;

    if (!split(line, fields) || !local_port(fields[FIELD_LOCAL], &got) || got != port)
        return false;
    if (is_listening && !bytes_eq(fields[FIELD_STATE], bytes_of(STATE_LISTEN)))
        return false;
    return bytes_parse_u64(fields[FIELD_INODE], 1, UINT64_MAX, ret);
}

bool holder_find_inode(struct bytes table, uint16_t port, bool is_listening, uint64_t *ret)
{
    while (table.len > 0) {
        const uint8_t *end = memchr(table.ptr, '\n', table.len);
        size_t len = end ? (size_t)(end - table.ptr) : table.len;
        size_t step = end ? len + 1 : len;

        if (is_row_of((struct bytes){table.ptr, len}, port, is_listening, ret))
            return true;
        table.ptr += step;
        table.len -= step;
    }
    return false;
}

static bool inode_of_port(bool is_tcp, uint16_t port, uint64_t *ret)
{
    static const char *const tables[2][2] = {
        {"/proc/net/udp", "/proc/net/udp6"},
        {"/proc/net/tcp", "/proc/net/tcp6"},
    };

    for (unsigned i = 0; i < 2; i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TABLE_MAX_BYTES);

        if (file_read(tables[is_tcp][i], &text) == 0 &&
            holder_find_inode(buf_bytes(&text), port, is_tcp, ret))
            return true;
    }
    return false;
}

/* Whether one of the descriptors in /proc/PID/fd is @socket: "socket:[12345]". */
static bool has_socket(const char *pid, const char *socket)
{
    char path[PATH_MAX];
    OWN(dir_closep) DIR *dir = NULL;

    if (snprintf(path, sizeof(path), "/proc/%s/fd", pid) < 0)
        return false;
    dir = opendir(path);
    if (!dir)
        return false;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR */
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char target[64];
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);

        if (n <= 0)
            continue;
        target[n] = '\0';
        if (strcmp(target, socket) == 0)
            return true;
    }
    return false;
}

static void read_name(pid_t pid, struct holder *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(256);
    char path[64];

    if (snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid) < 0 || file_read(path, &text) != 0)
        buf_clear(&text);

    size_t len = strcspn(buf_str(&text), "\n");

    (void)log_escape(ret->name, sizeof(ret->name), buf_str(&text), len);
}

bool holder_find(bool is_tcp, uint16_t port, struct holder *ret)
{
    OWN(dir_closep) DIR *dir = opendir("/proc");
    char socket[64];
    uint64_t inode;

    if (!dir || !inode_of_port(is_tcp, port, &inode))
        return false;
    (void)snprintf(socket, sizeof(socket), "socket:[%" PRIu64 "]", inode);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR */
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        uint64_t pid;

        if (!bytes_parse_u64(bytes_of(e->d_name), 1, INT_MAX, &pid) ||
            !has_socket(e->d_name, socket))
            continue;
        ret->pid = (pid_t)pid;
        read_name(ret->pid, ret);
        return true;
    }
    return false;
}

bool holder_works_in(pid_t pid, const char *folder)
{
    char path[64];
    char cwd[PATH_MAX];
    OWN(freep) char *real = realpath(folder, NULL);

    if (snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid) < 0)
        return false;

    ssize_t n = readlink(path, cwd, sizeof(cwd) - 1);

    if (n <= 0 || !real)
        return false;
    cwd[n] = '\0';
    return strcmp(cwd, real) == 0;
}
