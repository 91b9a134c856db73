/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/values.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"

static bool read_file(struct session *s, const char *path, struct buf *value)
{
    OWN(buf_fini) struct buf text = BUF_INIT(VALUES_VALUE_MAX_BYTES);
    int r = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text);
    size_t len = text.len;

    if (r < 0)
        return session_fail_errno(s, path, r);
    if (r > 0)
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0704",
                            r == FILE_E_TOO_LARGE ? "%s is larger than %d bytes"
                                                  : "%s is not there",
                            path,
                            (int)VALUES_VALUE_MAX_BYTES);
    if (strlen(buf_str(&text)) != len)
        return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0704", "%s is not text", path);
    if (len > 0 && buf_str(&text)[len - 1] == '\n')
        len--;
    if (len > 0 && buf_str(&text)[len - 1] == '\r')
        len--;
    buf_add(value, (struct bytes){(const uint8_t *)buf_str(&text), len});
    return true;
}

bool values_read(
    struct session *s, const char *text, struct buf *name, struct buf *value, bool *ret_is_hidden)
{
    size_t len = strcspn(text, "=");
    const char *given = text + len + 1;

    if (text[len] != '=' || len == 0 || len > VALUES_NAME_MAX_BYTES)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "\"%.*s\" is no NAME=VALUE",
                            (int)VALUES_NAME_MAX_BYTES,
                            text);
    buf_add(name, (struct bytes){(const uint8_t *)text, len});
    *ret_is_hidden = given[0] == '@' && given[1] != '@';
    if (*ret_is_hidden)
        return read_file(s, given + 1, value);
    buf_adds(value, given[0] == '@' ? given + 1 : given);
    return true;
}

bool values_refuse_open(struct session *s, const char *name)
{
    return session_fail(s,
                        ARGS_EXIT_USAGE,
                        "SLW-0701",
                        "the value of %s is secret, and others on this computer can read command "
                        "lines: put it into a file and give %s=@FILE, or %s=@- for standard input",
                        name,
                        name,
                        name);
}
