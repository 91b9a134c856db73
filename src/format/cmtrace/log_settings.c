/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/cmtrace/log_settings.h"

#include <stdint.h>
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

void log_settings_init(struct log_settings *ret)
{
    *ret = (struct log_settings){
        .max_bytes = LOG_SETTINGS_BYTES_DEFAULT,
        .n_old = LOG_SETTINGS_OLD_DEFAULT,
        .least = CMTRACE_INFORMATION,
    };
}

static bool set_level(struct log_settings *s, struct bytes value)
{
    static const enum cmtrace_type least[] = {
        CMTRACE_INFORMATION, CMTRACE_INFORMATION, CMTRACE_WARNING, CMTRACE_ERROR};
    uint64_t level;

    if (!bytes_parse_u64(value, 0, LOG_SETTINGS_LEVEL_MAX, &level))
        return false;
    s->least = least[level];
    return true;
}

static bool set_size(struct log_settings *s, struct bytes value)
{
    uint64_t bytes;

    if (!bytes_parse_u64(value, LOG_SETTINGS_BYTES_MIN, LOG_SETTINGS_BYTES_MAX, &bytes))
        return false;
    s->max_bytes = (size_t)bytes;
    return true;
}

static bool set_history(struct log_settings *s, struct bytes value)
{
    uint64_t n;

    if (!bytes_parse_u64(value, 0, LOG_SETTINGS_OLD_MAX, &n))
        return false;
    s->n_old = (unsigned)n;
    return true;
}

static bool set_debug(struct log_settings *s, struct bytes value)
{
    bool is_on = bytes_eq(value, bytes_of("1")) || bytes_eq_nocase(value, "true");

    if (is_on)
        s->least = CMTRACE_INFORMATION;
    return is_on || bytes_eq(value, bytes_of("0")) || bytes_eq_nocase(value, "false");
}

bool log_settings_set(struct log_settings *s, struct bytes name, struct bytes value)
{
    static const struct {
        const char *name;
        bool (*set)(struct log_settings *s, struct bytes value);
    } all[] = {
        {"LOGLEVEL", set_level},
        {"LOGMAXSIZE", set_size},
        {"LOGMAXHISTORY", set_history},
        {"DEBUGLOGGING", set_debug},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (bytes_eq_nocase(name, all[i].name))
            return all[i].set(s, value);
    return false;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes trim(struct bytes text)
{
    while (text.len > 0 && is_blank(text.ptr[0]))
        text = (struct bytes){text.ptr + 1, text.len - 1};
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* What is before the first @c; @src is behind it then, or at its end. */
static struct bytes take_until(struct bytes *src, char c)
{
    const uint8_t *at = src->len > 0 ? memchr(src->ptr, c, src->len) : NULL;
    struct bytes out = {src->ptr, at ? (size_t)(at - src->ptr) : src->len};

    *src = at ? (struct bytes){at + 1, src->len - out.len - 1}
              : (struct bytes){src->ptr + src->len, 0};
    return out;
}

void log_settings_parse(struct bytes ini, struct log_settings *ret)
{
    bool is_ours = false;

    if (ini.len > LOG_SETTINGS_FILE_MAX)
        ini.len = LOG_SETTINGS_FILE_MAX;
    if (ini.len >= strlen(byte_order_mark) &&
        memcmp(ini.ptr, byte_order_mark, strlen(byte_order_mark)) == 0)
        ini = (struct bytes){ini.ptr + strlen(byte_order_mark), ini.len - strlen(byte_order_mark)};
    while (ini.len > 0) {
        struct bytes line = trim(take_until(&ini, '\n'));
        struct bytes name;

        if (line.len > 0 && line.ptr[0] == '[') {
            is_ours = bytes_eq_nocase(line, "[Logging]");
            continue;
        }
        name = trim(take_until(&line, '='));
        if (is_ours)
            (void)log_settings_set(ret, name, trim(line));
    }
}
