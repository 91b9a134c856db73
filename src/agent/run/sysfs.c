/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/sysfs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/own.h"
#include "plat/file.h"

void sys_free_names(struct dirent ***names, int n)
{
    for (int i = 0; i < n; i++)
        free((*names)[i]);
    free(*names);
    *names = NULL;
}

void sys_read(const char *root, const char *path, struct buf *ret)
{
    char full[PATH_MAX];

    buf_clear(ret);
    if (snprintf(full, sizeof(full), "%s/%s", root, path) >= (int)sizeof(full) ||
        file_read(full, ret) != 0)
        buf_clear(ret);
}

void sys_copy_line(char *dst, size_t cap, struct bytes src)
{
    size_t len = 0;

    while (src.len > 0 && src.ptr[0] <= ' ') {
        src.ptr++;
        src.len--;
    }
    for (; len < src.len && len < cap - 1 && src.ptr[len] != '\n' && src.ptr[len] != 0; len++)
        dst[len] = (char)(src.ptr[len] >= ' ' && src.ptr[len] <= '~' ? src.ptr[len] : '?');
    while (len > 0 && dst[len - 1] == ' ')
        len--;
    dst[len] = '\0';
}

void sys_line(
    const char *root, const char *folder, const char *name, const char *file, char *dst, size_t cap)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    char path[PATH_MAX];

    dst[0] = '\0';
    if (snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file) >= (int)sizeof(path))
        return;
    sys_read(root, path, &text);
    sys_copy_line(dst, cap, buf_bytes(&text));
}

uint64_t sys_number(const char *root, const char *folder, const char *name, const char *file)
{
    char line[32];
    uint64_t n = 0;

    sys_line(root, folder, name, file, line, sizeof(line));
    return bytes_parse_u64(bytes_of(line), 0, UINT64_MAX, &n) ? n : 0;
}

bool sys_exists(const char *root, const char *folder, const char *name, const char *file)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s/%s/%s/%s", root, folder, name, file) <
               (int)sizeof(path) &&
           file_exists(path);
}

int sys_list(const char *root, const char *folder, struct dirent ***ret)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", root, folder) >= (int)sizeof(path))
        return 0;
    int n = scandir(path, ret, NULL, alphasort);

    if (n < 0)
        *ret = NULL;
    return n < 0 ? 0 : n;
}
