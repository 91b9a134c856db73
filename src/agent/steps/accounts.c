/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/accounts.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/steps/inside.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    FILE_MAX_BYTES = 4 * 1024 * 1024,
    FIRST_UID = 1000,
    LAST_UID = 59999,
    SHADOW_GID = 42, /* Debian's group shadow; harmless where it is another */
    PATH_MAX_BYTES = 256,
};

#define US_PER_DAY (UINT64_C(24) * 60 * 60 * 1000000)

static const struct inside_mode public_file = {0644, 0, 0};
static const struct inside_mode shadow_file = {0640, 0, SHADOW_GID};

static int hash_password(const char *password, struct buf *ret)
{
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    OWN(freep) struct crypt_data *data = calloc(1, sizeof(*data));
    const char *hash = NULL;

    if (!data)
        return ERR(-ENOMEM);
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof(salt)) ||
        crypt_gensalt_rn("$6$", 0, NULL, 0, salt, sizeof(salt)))
        hash = crypt_rn(password, salt, data, (int)sizeof(*data));
    if (!hash || hash[0] == '*')
        return ERR(-EINVAL);
    buf_adds(ret, hash);
    explicit_bzero(data, sizeof(*data));
    return 0;
}

static int read_table(int root, const char *path, struct buf *ret)
{
    int r = inside_read(root, path, ret);

    if (r == FILE_E_MISSING)
        return ACCOUNTS_E_MISSING;
    if (r == FILE_E_TOO_LARGE)
        return ERR(-EFBIG);
    return r < 0 ? TRACE(r) : 0;
}

/* The line of @table that begins with "NAME:"; NULL if there is none. */
static const char *find_line(const char *table, const char *name)
{
    size_t len = strlen(name);

    while (table && *table) {
        if (strncmp(table, name, len) == 0 && table[len] == ':')
            return table;
        table = strchr(table, '\n');
        if (table)
            table++;
    }
    return NULL;
}

static int write_table(int root, const char *path, const struct buf *text, struct inside_mode mode)
{
    if (text->failed)
        return ERR(-ENOMEM);
    return TRACE(inside_write(root, path, buf_bytes(text), mode));
}

int accounts_set_password(int root, const char *user, const char *password)
{
    OWN(buf_fini) struct buf old = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf new = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf hash = BUF_INIT(1024);
    int r = read_table(root, "etc/shadow", &old);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;

    const char *line = find_line(buf_str(&old), user);

    if (!line)
        return ACCOUNTS_E_MISSING;
    if (password) {
        r = hash_password(password, &hash);
        if (r < 0)
            return TRACE(r);
    }

    const char *field = line + strlen(user) + 1;

    buf_add(&new, (struct bytes){(const uint8_t *)old.ptr, (size_t)(field - old.ptr)});
    buf_adds(&new, password ? buf_str(&hash) : "!*");
    buf_adds(&new, field + strcspn(field, ":\n"));
    return TRACE(write_table(root, "etc/shadow", &new, shadow_file));
}

/* The lowest user id that is free among people's. */
static unsigned free_uid(const char *passwd)
{
    unsigned uid = FIRST_UID;

    for (const char *line = passwd; line && *line && uid <= LAST_UID;) {
        const char *id = strchr(line, ':');
        uint64_t n;

        id = id ? strchr(id + 1, ':') : NULL;
        if (id &&
            bytes_parse_u64(
                (struct bytes){(const uint8_t *)id + 1, strcspn(id + 1, ":\n")}, uid, uid, &n)) {
            uid++;
            line = passwd;
            continue;
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return uid;
}

static void end_line(struct buf *table)
{
    if (table->len > 0 && table->ptr[table->len - 1] != '\n')
        buf_adds(table, "\n");
}

/* Groups with the new one, and @user in "sudo" or "wheel". */
static void put_groups(struct buf *dst, const char *old, const char *user, unsigned gid)
{
    while (*old) {
        size_t len = strcspn(old, "\n");
        bool is_admin = strncmp(old, "sudo:", 5) == 0 || strncmp(old, "wheel:", 6) == 0;

        buf_add(dst, (struct bytes){(const uint8_t *)old, len});
        if (is_admin)
            buf_addf(dst, "%s%s", len > 0 && old[len - 1] == ':' ? "" : ",", user);
        buf_adds(dst, "\n");
        old += len + (old[len] == '\n' ? 1 : 0);
    }
    buf_addf(dst, "%s:x:%u:\n", user, gid);
}

static int add_home(int root, const char *user, unsigned uid, const char *ssh_key)
{
    OWN(buf_fini) struct buf key = BUF_INIT(FILE_MAX_BYTES);
    char path[PATH_MAX_BYTES];
    int r;

    (void)snprintf(path, sizeof(path), "home/%s", user);
    r = inside_make_dir(root, path, (struct inside_mode){0700, uid, uid});
    if (r < 0 || ssh_key[0] == '\0')
        return TRACE(r);
    (void)snprintf(path, sizeof(path), "home/%s/.ssh", user);
    r = inside_make_dir(root, path, (struct inside_mode){0700, uid, uid});
    if (r < 0)
        return TRACE(r);
    (void)snprintf(path, sizeof(path), "home/%s/.ssh/authorized_keys", user);
    buf_addf(&key, "%s\n", ssh_key);
    return TRACE(inside_write(root, path, buf_bytes(&key), (struct inside_mode){0600, uid, uid}));
}

/* Group and password; a line that is there already is of a run that was cut off. */
static int add_lines(int root, const char *user, unsigned uid)
{
    OWN(buf_fini) struct buf shadow = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf old_group = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf group = BUF_INIT(FILE_MAX_BYTES);
    int r = read_table(root, "etc/shadow", &shadow);

    if (r == 0)
        r = read_table(root, "etc/group", &old_group);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (!find_line(buf_str(&old_group), user)) {
        put_groups(&group, buf_str(&old_group), user, uid);
        r = write_table(root, "etc/group", &group, public_file);
    }
    if (r == 0 && !find_line(buf_str(&shadow), user)) {
        end_line(&shadow);
        buf_addf(&shadow, "%s:!:%u:0:99999:7:::\n", user, (unsigned)(clock_wall_us() / US_PER_DAY));
        r = write_table(root, "etc/shadow", &shadow, shadow_file);
    }
    return TRACE(r);
}

/* The line in passwd comes last: an account that is in there is whole. */
int accounts_add_user(int root, const char *user, const char *password, const char *ssh_key)
{
    OWN(buf_fini) struct buf passwd = BUF_INIT(FILE_MAX_BYTES);
    unsigned uid;
    int r = read_table(root, "etc/passwd", &passwd);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (find_line(buf_str(&passwd), user))
        return ACCOUNTS_E_EXISTS;
    uid = free_uid(buf_str(&passwd));
    if (uid > LAST_UID)
        return ACCOUNTS_E_FULL;
    r = add_lines(root, user, uid);
    if (r == 0)
        r = add_home(root, user, uid, ssh_key);
    if (r == 0 && password[0] != '\0')
        r = accounts_set_password(root, user, password);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    end_line(&passwd);
    buf_addf(&passwd,
             "%s:x:%u:%u::/home/%s:%s\n",
             user,
             uid,
             uid,
             user,
             inside_exists(root, "bin/bash") ? "/bin/bash" : "/bin/sh");
    return TRACE(write_table(root, "etc/passwd", &passwd, public_file));
}
