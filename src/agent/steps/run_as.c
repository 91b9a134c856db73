/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/run_as.h"

#include <crypt.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/step_forms.h"

enum {
    LINE_MAX_BYTES = 64 * 1024, /* of one of the files: groups can be large */
    PATH_MAX_BYTES = 4096,
    GROUPS_MAX = 1024,
    ANSWER_MAX_BYTES = 64 * 1024,
    ASK_TIMEOUT_US = 30 * 1000 * 1000, /* a directory may be far away */
};

void run_as_fini(struct run_as *as)
{
    void *groups = NULL;

    memcpy(&groups, &as->user.groups, sizeof(groups)); /* ours, so not const here */
    free(groups);
    free(as->name);
    free(as->home);
    free(as->shell);
    *as = (struct run_as){0};
}

static void closep(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static FILE *open_file(const char *root, const char *path)
{
    char full[PATH_MAX_BYTES];

    if (snprintf(full, sizeof(full), "%s/%s", root, path) >= (int)sizeof(full))
        return NULL;
    return fopen(full, "re");
}

/* Return: whether @ret was set, with copies. */
static bool take_passwd(FILE *file, const char *name, struct run_as *ret)
{
    OWN(freep) char *line = malloc(LINE_MAX_BYTES);
    struct passwd entry;
    struct passwd *got;

    while (line && fgetpwent_r(file, &entry, line, LINE_MAX_BYTES, &got) == 0) {
        if (name && strcmp(got->pw_name, name) != 0)
            continue;
        ret->user.uid = got->pw_uid;
        ret->user.gid = got->pw_gid;
        ret->name = strdup(got->pw_name);
        ret->home = strdup(got->pw_dir && got->pw_dir[0] == '/' ? got->pw_dir : "/");
        ret->shell = strdup(got->pw_shell && got->pw_shell[0] != '\0' ? got->pw_shell : "/bin/sh");
        return ret->name && ret->home && ret->shell;
    }
    return false;
}

struct groups {
    uint32_t *ids; /* owned */
    size_t n;
};

static void groups_fini(struct groups *g)
{
    free(g->ids);
}

static int add_group(struct groups *g, uint32_t id)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->ids[i] == id)
            return 0;
    if (g->n == GROUPS_MAX)
        return ERR(-E2BIG);

    uint32_t *ids = reallocarray(g->ids, g->n + 1, sizeof(*ids));

    if (!ids)
        return ERR(-ENOMEM);
    g->ids = ids;
    g->ids[g->n++] = id;
    return 0;
}

static bool has_member(char *const *members, const char *name)
{
    for (; members && *members; members++)
        if (strcmp(*members, name) == 0)
            return true;
    return false;
}

static int read_groups(const char *root, const char *name, struct groups *ret)
{
    OWN(closep) FILE *file = open_file(root, "etc/group");
    OWN(freep) char *line = malloc(LINE_MAX_BYTES);
    struct group entry;
    struct group *got;
    int r = 0;

    if (!line)
        return ERR(-ENOMEM);
    while (file && r == 0 && fgetgrent_r(file, &entry, line, LINE_MAX_BYTES, &got) == 0)
        if (has_member(got->gr_mem, name))
            r = add_group(ret, got->gr_gid);
    return r < 0 ? TRACE(r) : 0;
}

/* A program's whole answer. Return: whether it had one. */
static bool ask(const char *const *argv, struct buf *ret)
{
    struct process_result result;

    return process_run(&(struct process_options){.argv = argv,
                                                 .output = ret,
                                                 .timeout_us = ASK_TIMEOUT_US,
                                                 .is_whole_tree = true},
                       &result) == 0 &&
           result.signal == 0 && result.exit_code == 0 && !ret->failed && ret->len > 0;
}

/* Of a directory: the system's own libraries know, and getent is linked with them. */
static bool ask_passwd(const char *name, struct run_as *ret)
{
    const char *const argv[] = {"getent", "--", "passwd", name, NULL};
    OWN(buf_fini) struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);

    if (!ask(argv, &answer))
        return false;

    OWN(closep) FILE *file = fmemopen(answer.ptr, answer.len, "r");

    return file && take_passwd(file, NULL, ret);
}

static int ask_groups(const char *name, struct groups *ret)
{
    const char *const argv[] = {"id", "-G", "--", name, NULL};
    OWN(buf_fini) struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
    uint64_t id;
    int r = 0;

    if (!ask(argv, &answer))
        return 0;
    for (const char *at = buf_str(&answer); r == 0 && *at != '\0';) {
        size_t len = strcspn(at, " \n");

        if (bytes_parse_u64((struct bytes){(const uint8_t *)at, len}, 0, UINT32_MAX, &id))
            r = add_group(ret, (uint32_t)id);
        at += len;
        at += strspn(at, " \n");
    }
    return r < 0 ? TRACE(r) : 0;
}

/* Return: whether @password is the one of this account, or nobody here can say. */
static bool is_password(const char *root, const char *name, const char *password)
{
    OWN(closep) FILE *file = open_file(root, "etc/shadow");
    OWN(freep) char *line = malloc(LINE_MAX_BYTES);
    OWN(freep) struct crypt_data *data = calloc(1, sizeof(*data));
    struct spwd entry;
    struct spwd *got;
    const char *hash;
    bool is_it;

    while (file && line && data && fgetspent_r(file, &entry, line, LINE_MAX_BYTES, &got) == 0) {
        if (strcmp(got->sp_namp, name) != 0)
            continue;
        hash = crypt_r(password, got->sp_pwdp, data);
        is_it = hash && got->sp_pwdp[0] != '\0' && strcmp(hash, got->sp_pwdp) == 0;
        explicit_bzero(data, sizeof(*data));
        return is_it;
    }
    return true;
}

static int refuse(struct buf *why, const char *name, const char *what)
{
    buf_addf(why, "the account \"%s\" %s", name, what);
    return RUN_AS_E_REFUSED;
}

static int
find(const char *root, const char *name, const char *password, struct run_as *ret, struct buf *why)
{
    OWN(groups_fini) struct groups groups = {0};
    OWN(closep) FILE *file = open_file(root, "etc/passwd");
    bool is_local = file && take_passwd(file, name, ret);
    int r;

    if (!is_local && !ask_passwd(name, ret))
        return refuse(why, name, "does not exist on this computer");
    if (is_local && password[0] != '\0' && !is_password(root, name, password))
        return refuse(why, name, "has another password than the step says");
    r = add_group(&groups, ret->user.gid);
    if (r == 0)
        r = is_local ? read_groups(root, ret->name, &groups) : ask_groups(ret->name, &groups);
    if (r < 0)
        return TRACE(r);
    ret->user.n_groups = groups.n;
    ret->user.groups = TAKE(groups.ids);
    return 0;
}

int run_as_find(
    const char *root, const char *name, const char *password, struct run_as *ret, struct buf *why)
{
    struct run_as as = {0};
    int r;

    if (!ts_form_fits(TS_FORM_ACCOUNT, name))
        return refuse(why, name, "cannot be: that is no name of an account");
    if (strncmp(name, ".\\", 2) == 0) /* "of this computer" */
        name += 2;
    r = find(root, name, password, &as, why);
    if (r != 0) {
        run_as_fini(&as);
        return r < 0 ? TRACE(r) : r;
    }
    *ret = as;
    return 0;
}
