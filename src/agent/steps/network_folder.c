/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/network_folder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/run/sysfs.h"
#include "agent/steps/return_code.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "plat/process.h"
#include "ts/network_folder.h"

enum {
    FOLDER_MODE = 0755,
    ROOT_MODE = 0700,
    MESSAGE_MAX = 512,
    TARGET_MAX_BYTES = 4096,
    MODULE_TIMEOUT_US = 30 * 1000 * 1000,
};

bool network_folder_target(const struct ts_network_folder *f, const char *drive, struct buf *ret)
{
    if (drive[0] != '\0' && !ts_is_mount_point(drive))
        return false;
    if (drive[0] == '/') {
        buf_adds(ret, drive);
    } else if (drive[0] != '\0') {
        buf_addf(ret, NETWORK_FOLDER_ROOT "/%c", ts_drive_letter(drive));
    } else {
        buf_addf(ret, NETWORK_FOLDER_ROOT "/%s", f->host);
        for (const char *c = f->share; *c != '\0'; c++)
            buf_add(ret, (struct bytes){(const uint8_t *)(*c == '/' ? "-" : c), 1});
    }
    return !ret->failed;
}

/* The address of a host as text. Return: 0, or NETWORK_FOLDER_E_NAME with @why. */
static int
find_address(const struct ts_network_folder *f, char ret[static INET6_ADDRSTRLEN], struct buf *why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int r = getaddrinfo(f->host, NULL, &hints, &found);

    if (r != 0) {
        buf_addf(why, "the name \"%s\" cannot be found: %s", f->host, gai_strerror(r));
        return NETWORK_FOLDER_E_NAME;
    }
    if (found->ai_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, found->ai_addr, sizeof(v4));
        (void)inet_ntop(AF_INET, &v4.sin_addr, ret, INET6_ADDRSTRLEN);
    } else {
        struct sockaddr_in6 v6;

        memcpy(&v6, found->ai_addr, sizeof(v6));
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, ret, INET6_ADDRSTRLEN);
    }
    freeaddrinfo(found);
    return 0;
}

/* The kernel's way of mounting, option by option: nothing has to be quoted. */
static int set_text(int fs, const char *key, const char *value)
{
    return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

static int set_account(int fs, const char *account, const char *password)
{
    const char *slash = strchr(account, '\\');
    const char *at = strchr(account, '@');
    char name[TS_NETWORK_HOST_MAX];
    char domain[TS_NETWORK_HOST_MAX] = "";
    int r;

    if (account[0] == '\0')
        return fsconfig(fs, FSCONFIG_SET_FLAG, "guest", NULL, 0) < 0 ? -errno : 0;
    if (slash) {
        (void)snprintf(domain, sizeof(domain), "%.*s", (int)(slash - account), account);
        (void)snprintf(name, sizeof(name), "%s", slash + 1);
    } else if (at) {
        (void)snprintf(domain, sizeof(domain), "%s", at + 1);
        (void)snprintf(name, sizeof(name), "%.*s", (int)(at - account), account);
    } else {
        (void)snprintf(name, sizeof(name), "%s", account);
    }
    r = set_text(fs, "username", name);
    if (r == 0 && domain[0] != '\0' && strcmp(domain, ".") != 0)
        r = set_text(fs, "domain", domain);
    return r == 0 ? set_text(fs, "password", password) : r;
}

static int configure_smb(int fs,
                         const struct ts_network_folder *f,
                         const char *address,
                         const char *account,
                         const char *password)
{
    char source[TS_NETWORK_HOST_MAX + 2 * TS_NETWORK_PATH_MAX + 8];
    int r;

    (void)snprintf(source,
                   sizeof(source),
                   "//%s/%s%s%s",
                   f->host,
                   f->share,
                   f->folder[0] != '\0' ? "/" : "",
                   f->folder);
    r = set_text(fs, "source", source);
    if (r == 0)
        r = set_text(fs, "ip", address);
    return r == 0 ? set_account(fs, account, password) : r;
}

static int
configure_nfs(int fs, const struct ts_network_folder *f, const char *address, const char *version)
{
    bool is_old = version[0] == '3';
    char source[TS_NETWORK_HOST_MAX + TS_NETWORK_PATH_MAX + 2];
    int r;

    (void)snprintf(source, sizeof(source), "%s:%s", f->host, f->share);
    r = set_text(fs, "source", source);
    if (r == 0)
        r = set_text(fs, "addr", address);
    if (r == 0)
        r = set_text(fs, "vers", version);
    if (r == 0 && f->port[0] != '\0')
        r = set_text(fs, "port", f->port);
    if (r == 0 && is_old)
        r = set_text(fs, "mountproto", "tcp");
    if (r == 0 && is_old) /* that would be another service, here and there */
        r = fsconfig(fs, FSCONFIG_SET_FLAG, "nolock", NULL, 0) < 0 ? -errno : 0;
    return r;
}

/* The kernel loads it by itself where it has a helper for that. */
static void load_module(const char *name)
{
    const char *const argv[] = {"/sbin/modprobe", "-q", name, NULL};
    OWN(buf_fini) struct buf output = BUF_INIT(MESSAGE_MAX);
    struct process_result result;

    (void)process_run(
        &(struct process_options){.argv = argv, .output = &output, .timeout_us = MODULE_TIMEOUT_US},
        &result);
}

static int outcome_of(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case EKEYREJECTED:
        return NETWORK_FOLDER_E_LOGON;
    case ENODEV:
        return NETWORK_FOLDER_E_UNSUPPORTED;
    case ENOENT:
    case ENXIO:
        return NETWORK_FOLDER_E_MISSING;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ETIMEDOUT:
        return NETWORK_FOLDER_E_UNREACHABLE;
    default:
        return NETWORK_FOLDER_E_REFUSED;
    }
}

static int refuse(int error, int fs, struct buf *why)
{
    char message[MESSAGE_MAX];
    ssize_t n = fs >= 0 ? read(fs, message, sizeof(message) - 1) : -1; /* what the driver says */
    const char *text = strerrordesc_np(error);

    int outcome = outcome_of(error);

    if (outcome == NETWORK_FOLDER_E_LOGON)
        text = "account or password are refused, or may not use it";
    else if (outcome == NETWORK_FOLDER_E_UNSUPPORTED)
        text = "the kernel cannot do this kind of network folder";
    else if (outcome == NETWORK_FOLDER_E_MISSING)
        text = "the server has no such share or folder";
    buf_addf(why, "%s", text ? text : "unknown error");
    if (n > 0)
        buf_addf(why, " (%.*s)", (int)strcspn((message[n] = '\0', message), "\n"), message);
    return outcome;
}

/* What both sides have is asked for from the newest on. */
static const char *const nfs_versions[] = {"4.2", "4.1", "4.0", "3"};

static bool is_wrong_version(int error)
{
    return error == EPROTONOSUPPORT || error == EINVAL || error == EOPNOTSUPP || error == ENODEV;
}

/* @ret_fs: owned by the caller, also on failure. Return: 0 or a negative errno. */
static int create_nfs(const struct ts_network_folder *f, const char *address, int *ret_fs)
{
    int first = 0;

    for (size_t i = 0; i < sizeof(nfs_versions) / sizeof(nfs_versions[0]); i++) {
        bool is_old = nfs_versions[i][0] == '3';
        OWN(fd_closep) int fs = -1;
        int r;

        load_module(is_old ? "nfsv3" : "nfsv4");
        fs = fsopen(is_old ? "nfs" : "nfs4", FSOPEN_CLOEXEC);
        r = fs < 0 ? -errno : configure_nfs(fs, f, address, nfs_versions[i]);
        if (r == 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
            r = -errno;
        if (r == 0 || !is_wrong_version(-r)) {
            if (*ret_fs >= 0)
                (void)close(*ret_fs);
            *ret_fs = fs;
            fs = -1;
            return r;
        }
        if (first == 0) { /* the newest version's reason is told, if none is right */
            first = r;
            *ret_fs = fs;
            fs = -1;
        }
    }
    return first;
}

static int create_smb(const struct ts_network_folder *f,
                      const char *address,
                      const char *account,
                      const char *password,
                      int *ret_fs)
{
    int r;

    load_module("cifs");
    *ret_fs = fsopen("cifs", FSOPEN_CLOEXEC);
    r = *ret_fs < 0 ? -errno : configure_smb(*ret_fs, f, address, account, password);
    return r == 0 && fsconfig(*ret_fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : r;
}

int network_folder_code(int outcome)
{
    static const int codes[] = {
        [NETWORK_FOLDER_E_REFUSED] = RETURN_UNSPECIFIED,
        [NETWORK_FOLDER_E_NAME] = RETURN_NAME_NOT_RESOLVED,
        [NETWORK_FOLDER_E_UNREACHABLE] = RETURN_CANNOT_CONNECT,
        [NETWORK_FOLDER_E_LOGON] = RETURN_LOGON,
        [NETWORK_FOLDER_E_MISSING] = RETURN_NOT_FOUND,
        [NETWORK_FOLDER_E_UNSUPPORTED] = RETURN_UNSUPPORTED,
        [NETWORK_FOLDER_E_CANCELLED] = RETURN_CANCELLED,
    };

    return codes[outcome];
}

int network_folder_mount(const struct ts_network_folder *f,
                         const char *account,
                         const char *password,
                         const char *target,
                         struct buf *why)
{
    OWN(fd_closep) int fs = -1;
    char address[INET6_ADDRSTRLEN];
    int r = find_address(f, address, why);

    if (r != 0)
        return r;
    r = f->kind == TS_NETWORK_SMB ? create_smb(f, address, account, password, &fs)
                                  : create_nfs(f, address, &fs);
    if (r < 0)
        return refuse(-r, fs, why);

    OWN(fd_closep)
    int mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);

    if (mount < 0)
        return refuse(errno, fs, why);
    if (strncmp(target, NETWORK_FOLDER_ROOT "/", sizeof(NETWORK_FOLDER_ROOT)) == 0)
        r = dir_make(NETWORK_FOLDER_ROOT, ROOT_MODE);
    if (r == 0)
        r = dir_make(target, FOLDER_MODE);
    if (r < 0)
        return TRACE(r);
    (void)umount2(target, MNT_DETACH); /* of the same step before */
    return move_mount(mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? ERR(-errno) : 0;
}

void network_folder_disconnect_all(void)
{
    struct dirent **names = NULL;
    int n = sys_list("", NETWORK_FOLDER_ROOT, &names);

    for (int i = 0; i < n; i++) {
        OWN(buf_fini) struct buf path = BUF_INIT(TARGET_MAX_BYTES);

        if (names[i]->d_name[0] == '.')
            continue;
        buf_addf(&path, NETWORK_FOLDER_ROOT "/%s", names[i]->d_name);
        (void)umount2(buf_str(&path), MNT_DETACH);
    }
    sys_free_names(&names, n);
}
