/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/answer_file.h"

#include <errno.h>
#include <string.h>

#include "agent/steps/cloud_init.h"
#include "agent/steps/inside.h"
#include "agent/steps/package.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    FILE_MAX_BYTES = 1024 * 1024,
    PATH_MAX_BYTES = 4096,
    TEXT_MAX_BYTES = 1024,
};

#define SEED "var/lib/cloud/seed/nocloud/"

static const struct inside_mode private_file = {0600, 0, 0};

/* As cloud-init tells its user data apart: by how it begins. */
static bool is_user_data(const char *text)
{
    static const char *const beginnings[] = {"#cloud-config",
                                             "#cloud-boothook",
                                             "#include",
                                             "#part-handler",
                                             "#!",
                                             "## template:",
                                             "Content-Type:",
                                             "MIME-Version:"};

    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* @path below @folder, which it does not leave. Return: 0, ANSWER_FILE_E_MISSING, ANSWER_FILE_E_TOO_LARGE, or -errno. */
static int read_file(const char *folder, const char *path, struct buf *ret)
{
    OWN(fd_closep) int root = -1;
    OWN(buf_fini) struct buf relative = BUF_INIT(PATH_MAX_BYTES);
    int r = inside_open(folder, &root);

    if (r < 0)
        return TRACE(r);
    buf_adds(&relative, path);
    for (char *at = relative.ptr; at && *at != '\0'; at++)
        if (*at == '\\')
            *at = '/';
    r = inside_read(root, buf_str(&relative), ret);
    if (r == FILE_E_MISSING)
        return ANSWER_FILE_E_MISSING;
    return r > 0 ? ANSWER_FILE_E_TOO_LARGE : TRACE(r);
}

/* The folder that the answer file itself lies in, with a '/' behind it. */
static void put_neighbour(const struct answer_file *file, const char *name, struct buf *ret)
{
    size_t len = strlen(file->name);

    while (len > 0 && file->name[len - 1] != '/' && file->name[len - 1] != '\\')
        len--;
    buf_addf(ret, "%.*s%s", (int)len, file->name, name);
}

/* Return: 0; 1: there is none; -errno. */
static int copy_neighbour(int root, const struct answer_file *file, const char *name)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf to = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r;

    put_neighbour(file, name, &path);
    buf_addf(&to, SEED "%s", name);
    r = read_file(file->folder, buf_str(&path), &text);
    if (r == ANSWER_FILE_E_MISSING)
        return 1;
    if (r > 0)
        return ERR(-EFBIG);
    return r < 0 ? TRACE(r)
                 : TRACE(inside_write(root, buf_str(&to), buf_bytes(&text), private_file));
}

static int write_meta_data(int root, const struct answer_file *file)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    buf_addf(&text, "instance-id: %s\n", file->instance);
    if (file->host[0] != '\0')
        buf_addf(&text, "local-hostname: %s\n", file->host);
    return TRACE(inside_write(root, SEED "meta-data", buf_bytes(&text), private_file));
}

int answer_file_write(int root, const struct answer_file *file)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r = read_file(file->folder, file->name, &text);

    if (r != 0)
        return TRACE(r);
    if (!is_user_data(buf_str(&text)))
        return ANSWER_FILE_E_NO_ANSWERS;
    if (!inside_exists(root, "usr/bin/cloud-init"))
        return ANSWER_FILE_E_NO_READER;
    r = copy_neighbour(root, file, "meta-data");
    if (r > 0)
        r = write_meta_data(root, file);
    if (r == 0)
        r = copy_neighbour(root, file, "vendor-data");
    if (r >= 0)
        r = copy_neighbour(root, file, "network-config");
    if (r >= 0)
        r = cloud_init_note_answer(root, r == 0);
    if (r < 0)
        return TRACE(r);
    return TRACE(inside_write(root, SEED "user-data", buf_bytes(&text), private_file));
}

static bool is_of_windows(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && bytes_eq_nocase(bytes_of(name + len - 4), ".xml");
}

static int fail(struct step_result *ret, int outcome, const char *name, const char *package)
{
    static const char *const reasons[] = {
        [ANSWER_FILE_E_MISSING] = "the package has no such file",
        [ANSWER_FILE_E_NO_READER] = "the image has no cloud-init, which would read it",
        [ANSWER_FILE_E_TOO_LARGE] = "it is larger than 1 MiB",
        [ANSWER_FILE_E_NO_ANSWERS] = "it does not begin as user data of cloud-init does",
    };

    return step_fail(ret,
                     "SLW-0486",
                     "the answer file \"%.200s\" of package %.32s cannot be used: %s",
                     name,
                     package,
                     reasons[outcome]);
}

int answer_file_apply(struct step_context *c, struct step_result *ret)
{
    const char *id = step_value(c, "ConfigFilePackage");
    const char *name = step_value(c, "OSDConfigFileName");
    OWN(cache_releasep) struct cache_use *package = NULL;
    OWN(fd_closep) int root = -1;
    int r;

    if (name[0] == '\0')
        return 0;
    if (is_of_windows(name) || id[0] == '\0') {
        c->log(c->ctx,
               "OSDConfigFileName %s has no meaning on Linux and is not used: %s",
               name,
               id[0] == '\0' ? "no package has it" : "it is an answer file of Windows");
        return 0;
    }
    r = package_get(c, id, ret, &package);
    if (r < 0 || !package)
        return TRACE(r);
    r = inside_open(TARGET_ROOT, &root);
    if (r == 0)
        r = answer_file_write(root,
                              &(struct answer_file){
                                  .folder = cache_path(package),
                                  .name = name,
                                  .instance = c->order->order_id,
                                  .host = ts_vars_get(c->vars, "_SMSTSMachineName"),
                              });
    if (r != 0)
        return r < 0 ? TRACE(r) : fail(ret, r, name, id);
    c->log(c->ctx, "cloud-init gets %s of package %s", name, id);
    return 0;
}
