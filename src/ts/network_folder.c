/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/network_folder.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum {
    DRIVE_LEN = 3, /* "Z:\" */
};

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

static void turn_slashes(char *path)
{
    for (; *path != '\0'; path++)
        if (*path == '\\')
            *path = '/';
}

/* Return: whether it fits. */
static bool copy(char *dst, size_t cap, const char *text, size_t n)
{
    if (n >= cap)
        return false;
    memcpy(dst, text, n);
    dst[n] = '\0';
    return true;
}

/* A segment up to a slash. Return: behind it; NULL if it is empty or too long. */
static const char *take_segment(const char *text, char *ret, size_t cap)
{
    size_t n = strcspn(text, "/\\");

    return n > 0 && copy(ret, cap, text, n) ? text + n : NULL;
}

static bool parse_smb(const char *path, struct ts_network_folder *ret)
{
    const char *at = take_segment(path + 2, ret->host, sizeof(ret->host));

    ret->kind = TS_NETWORK_SMB;
    at = at && is_slash(*at) ? take_segment(at + 1, ret->share, sizeof(ret->share)) : NULL;
    if (!at)
        return false;
    at += strspn(at, "/\\");
    if (!copy(ret->folder, sizeof(ret->folder), at, strlen(at)))
        return false;
    turn_slashes(ret->folder);
    for (size_t n = strlen(ret->folder); n > 0 && ret->folder[n - 1] == '/'; n--)
        ret->folder[n - 1] = '\0';
    return !strstr(ret->folder, "..");
}

static bool parse_nfs_url(const char *path, struct ts_network_folder *ret)
{
    const char *slash = strchr(path, '/');
    const char *colon = strchr(path, ':');
    const char *end = colon && slash && colon < slash ? colon : slash;

    ret->kind = TS_NETWORK_NFS;
    if (!slash || end == path || !copy(ret->host, sizeof(ret->host), path, (size_t)(end - path)))
        return false;
    if (end == colon && !copy(ret->port, sizeof(ret->port), colon + 1, (size_t)(slash - colon) - 1))
        return false;
    return strspn(ret->port, "0123456789") == strlen(ret->port) &&
           copy(ret->share, sizeof(ret->share), slash, strlen(slash));
}

bool ts_network_folder_parse(const char *path, struct ts_network_folder *ret)
{
    static const char url[] = "nfs://";
    const char *colon = strstr(path, ":/");

    *ret = (struct ts_network_folder){0};
    if (strncmp(path, url, sizeof(url) - 1) == 0)
        return parse_nfs_url(path + sizeof(url) - 1, ret);
    if (is_slash(path[0]) && is_slash(path[1]))
        return parse_smb(path, ret);
    if (!colon || colon == path || strcspn(path, "/\\") < (size_t)(colon - path))
        return false;
    ret->kind = TS_NETWORK_NFS;
    return copy(ret->host, sizeof(ret->host), path, (size_t)(colon - path)) &&
           copy(ret->share, sizeof(ret->share), colon + 1, strlen(colon + 1));
}

static char upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

char ts_drive_letter(const char *drive)
{
    char letter = upper(drive[0]);

    if (letter < 'D' || letter > 'Z' || letter == 'X' ||
        (drive[1] != '\0' && strcmp(drive + 1, ":") != 0))
        return '\0';
    return letter;
}

bool ts_is_mount_point(const char *drive)
{
    size_t len = strlen(drive);

    if (drive[0] == '/')
        return len > 1 && len < TS_NETWORK_PATH_MAX && !strstr(drive, "..");
    return ts_drive_letter(drive) != '\0';
}

bool ts_capture_is_path(const char *destination)
{
    return is_slash(destination[0]) || strchr(destination, '\\') || strstr(destination, ":/");
}

static bool is_wim(const char *name)
{
    static const char end[] = ".wim";
    size_t len = strlen(name);

    return len > strlen(end) && bytes_eq_nocase(bytes_of(name + len - strlen(end)), end);
}

static bool is_on_drive(const char *folder)
{
    const char drive[] = {folder[0], '\0'};

    return ts_drive_letter(drive) != '\0' && folder[1] == ':' && is_slash(folder[2]);
}

/* "Z:\a\b\" */
static bool parse_drive(const char *folder, struct ts_capture_target *ret)
{
    const char *path = folder + DRIVE_LEN;

    ret->drive = upper(folder[0]);
    if (strstr(folder, "..") || !copy(ret->path, sizeof(ret->path), path, strlen(path)))
        return false;
    turn_slashes(ret->path);
    return true;
}

bool ts_capture_target_parse(const char *destination, struct ts_capture_target *ret)
{
    char folder[TS_CAPTURE_PATH_MAX];
    size_t len = strlen(destination);
    size_t start = len;

    *ret = (struct ts_capture_target){0};
    while (start > 0 && !is_slash(destination[start - 1]))
        start--;
    if (start == 0 || !copy(folder, sizeof(folder), destination, start) ||
        !copy(ret->name, sizeof(ret->name), destination + start, len - start) || !is_wim(ret->name))
        return false;
    return is_on_drive(folder) ? parse_drive(folder, ret)
                               : ts_network_folder_parse(folder, &ret->folder);
}
