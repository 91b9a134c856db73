/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/script.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "ts/script_text.h"
#include "ts/script_words.h"

enum {
    PATH_MAX_BYTES = 4096,
    LINE_MAX_BYTES = 1024,
};

/* "#!/usr/bin/env -S x": the program, and what follows as one word, as the kernel does it. */
static bool add_first_line(struct ts_script_words *w, struct bytes text)
{
    const char *begin = (const char *)text.ptr + 2;
    const char *end = begin;
    char line[LINE_MAX_BYTES];
    const char *word = w->texts + w->n_used;
    size_t len;

    while (end < (const char *)text.ptr + text.len && *end != '\n' && *end != '\r')
        end++;
    len = (size_t)(end - begin);
    if (len >= sizeof(line))
        return false;
    memcpy(line, begin, len);
    line[len] = '\0';
    begin = line + strspn(line, " \t");
    len = strcspn(begin, " \t");
    for (size_t i = 0; i < len; i++)
        if (!ts_script_words_put(w, begin[i]))
            return false;
    if (len == 0 || !ts_script_words_put(w, '\0') || !ts_script_words_add(w, word))
        return false;
    begin += len;
    begin += strspn(begin, " \t");
    if (*begin == '\0')
        return true;
    word = w->texts + w->n_used;
    while (*begin != '\0')
        if (!ts_script_words_put(w, *begin++))
            return false;
    return ts_script_words_put(w, '\0') && ts_script_words_add(w, word);
}

/* A program of that name where programs are. */
static const char *find_program(struct ts_script_words *w, const char *name)
{
    const char *folders = getenv("PATH"); // NOLINT(concurrency-mt-unsafe): nobody sets any
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *found = w->texts + w->n_used;

    for (const char *f = folders ? folders : "/usr/bin:/bin"; *f != '\0';) {
        size_t len = strcspn(f, ":");

        buf_clear(&path);
        buf_addf(&path, "%.*s/%s", (int)len, f, name);
        if (!path.failed && access(buf_str(&path), X_OK) == 0) {
            for (size_t i = 0; i <= path.len; i++)
                if (!ts_script_words_put(w, buf_str(&path)[i]))
                    return NULL;
            return found;
        }
        f += len + (f[len] == ':' ? 1 : 0);
    }
    return NULL;
}

static bool add_power_shell(struct ts_script_words *w, const char *policy)
{
    static const char where[] = "/opt/microsoft/powershell/7/pwsh";
    const char *program = find_program(w, "pwsh");

    if (!program && access(where, X_OK) == 0)
        program = where;
    if (!program)
        return false;
    if (!ts_script_words_add(w, program) || !ts_script_words_add(w, "-NoLogo") ||
        !ts_script_words_add(w, "-NoProfile") || !ts_script_words_add(w, "-NonInteractive"))
        return false;
    if (policy[0] != '\0' && strcmp(policy, "Undefined") != 0 &&
        (!ts_script_words_add(w, "-ExecutionPolicy") || !ts_script_words_add(w, policy)))
        return false;
    return ts_script_words_add(w, "-File");
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t n = strlen(end);

    return len > n && strcmp(name + len - n, end) == 0;
}

static bool is_script(struct bytes text)
{
    return text.len > 2 && text.ptr[0] == '#' && text.ptr[1] == '!';
}

bool script_find_interpreter(struct ts_script_words *w,
                             struct bytes text,
                             const char *name,
                             const char *policy)
{
    if (is_script(text))
        return add_first_line(w, text);
    if (ends_with(name, ".sh"))
        return ts_script_words_add(w, "/bin/sh");
    return add_power_shell(w, policy);
}

bool script_decode(const char *source, struct buf *ret)
{
    if (!ts_script_text(source, ret))
        return false;
    if (is_script(buf_bytes(ret))) {
        size_t n = 0;

        for (size_t i = 0; i < ret->len; i++)
            if (ret->ptr[i] != '\r' || i + 1 == ret->len || ret->ptr[i + 1] != '\n')
                ret->ptr[n++] = ret->ptr[i];
        ret->ptr[n] = '\0';
        ret->len = n;
    }
    return true;
}
