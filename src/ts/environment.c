/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/environment.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/facts.h"

enum {
    NAME_MAX_BYTES = 128,
};

static bool is_windows_name(struct bytes name)
{
    static const char *const names[] = {
        "ALLUSERSPROFILE",
        "APPDATA",
        "CommonProgramFiles",
        "CommonProgramFiles(x86)",
        "CommonProgramW6432",
        "ComSpec",
        "HOMEDRIVE",
        "HOMEPATH",
        "LOCALAPPDATA",
        "ProgramData",
        "ProgramFiles",
        "ProgramFiles(x86)",
        "ProgramW6432",
        "PUBLIC",
        "SystemDrive",
        "SystemRoot",
        "USERPROFILE",
        "windir",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bytes_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* The name at "%NAME%"; an empty one: there is none. */
static struct bytes name_at(const char *percent)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_()";
    size_t len = strspn(percent + 1, letters);

    return (struct bytes){(const uint8_t *)percent + 1, percent[len + 1] == '%' ? len : 0};
}

/* Return: whether the environment has it. */
static bool put_value(const struct ts_facts *facts, struct bytes name, struct buf *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(NAME_MAX_BYTES);
    const char *value = NULL;

    buf_add(&text, name);
    if (facts && facts->find_environment && !text.failed)
        value = facts->find_environment(facts->ctx, buf_str(&text));
    if (value)
        buf_adds(ret, value);
    return value != NULL;
}

bool ts_environment_expand(const struct ts_facts *facts,
                           const char *text,
                           struct buf *ret,
                           struct buf *why)
{
    while (*text) {
        struct bytes name = *text == '%' ? name_at(text) : (struct bytes){NULL, 0};

        if (name.len == 0) {
            buf_add(ret, (struct bytes){(const uint8_t *)text++, 1});
            continue;
        }
        if (!put_value(facts, name, ret)) {
            buf_addf(why,
                     is_windows_name(name)
                         ? "%%%.*s%% is of Windows, and means nothing here"
                         : "neither a variable nor an environment variable is called %.*s",
                     (int)(name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES),
                     (const char *)name.ptr);
            return false;
        }
        text += name.len + 2;
    }
    return true;
}

bool ts_environment_is_of_windows(const char *text)
{
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%'))
        if (is_windows_name(name_at(at)))
            return true;
    return false;
}
