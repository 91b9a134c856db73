/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The debugger's lines, and its answers for people
 */

#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/own.h"
#include "cli/debug.h"
#include "cli/output.h"

enum {
    WORD_MAX = 32,
};

/* What a line's first word is sent as, and what the rest of the line is. */
static const struct {
    const char *word;
    const char *command;
    const char *member; /* of the rest; NULL: there is none */
    bool is_needed;
    const char *help;
} words[] = {
    {"where", "where", NULL, false, "where it stands"},
    {"steps", "steps", NULL, false, "all steps with their numbers"},
    {"step", "step", NULL, false, "run one step"},
    {"stop", "stop", NULL, false, "stop before the next step"},
    {"continue", "continue", NULL, false, "run to the next break point, error or the end"},
    {"run-to", "run-to", "step", true, "run to this step (number, path or name)"},
    {"break", "break", "step", true, "a break point before this step"},
    {"clear", "clear", "step", false, "remove a break point, or all"},
    {"set-current", "set-current", "step", true, "go to this step, forwards or back"},
    {"variables", "variables", "name", false, "variables that begin like this, or all"},
    {"set", "set", "name", true, "NAME=VALUE: change a variable"},
    {"shell", "shell", "data", false, "a shell there, or one line for it"},
    {"cancel", "cancel", NULL, false, "end the task sequence: it fails"},
    {"quit", "quit", NULL, false, "no debugging any more; it runs on"},
};

static json_t *no_command(struct buf *why, const char *word)
{
    buf_addf(why, "%s is no command; there are:", word);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        buf_addf(why, "\n  %-12s %s", words[i].word, words[i].help);
    buf_adds(why, "\n  log          its smsts.log so far");
    buf_adds(why, "\n  wait         until it has stopped");
    return NULL;
}

/* NAME=VALUE */
static json_t *parse_set(const char *rest, struct buf *why)
{
    const char *equals = strchr(rest, '=');

    if (!equals || equals == rest) {
        buf_adds(why, "set wants NAME=VALUE");
        return NULL;
    }
    return json_pack("{s:s, s:s%, s:s}",
                     "command",
                     "set",
                     "name",
                     rest,
                     (size_t)(equals - rest),
                     "value",
                     equals + 1);
}

json_t *debug_parse_line(const char *line, struct buf *why)
{
    size_t len = strcspn(line, " \t");
    const char *rest = line + len + strspn(line + len, " \t");

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) != len || strncmp(words[i].word, line, len) != 0)
            continue;
        if ((words[i].is_needed && rest[0] == '\0') || (!words[i].member && rest[0] != '\0')) {
            buf_addf(why,
                     "%s %s",
                     words[i].word,
                     rest[0] == '\0' ? "wants to know which" : "wants nothing behind it");
            return NULL;
        }
        if (strcmp(words[i].word, "set") == 0)
            return parse_set(rest, why);
        if (strcmp(words[i].word, "shell") == 0 && rest[0] == '\0')
            return json_pack("{s:s}", "command", "shell-open");
        if (!words[i].member || rest[0] == '\0')
            return json_pack("{s:s}", "command", words[i].command);
        return json_pack("{s:s, s:s}", "command", words[i].command, words[i].member, rest);
    }
    return no_command(why, line);
}

static void put_safe(struct buf *dst, const json_t *value, const char *member)
{
    const char *text = output_text(value, member);

    output_put_safe(dst, text, strlen(text));
}

void debug_put_place(struct buf *dst, const json_t *place)
{
    bool is_stopped = json_is_true(json_object_get(place, "is_stopped"));

    buf_adds(dst, is_stopped ? "Stopped" : "Running");
    if (output_text(place, "why")[0] != '\0') {
        buf_adds(dst, " (");
        put_safe(dst, place, "why");
        buf_adds(dst, ")");
    }
    buf_addf(dst,
             " at step %" PRIu64 " of %" PRIu64 ": ",
             output_u64(place, "step") + 1,
             output_u64(place, "n_steps"));
    put_safe(dst, place, "path");
    buf_adds(dst, "\n");
    if (output_text(place, "message")[0] == '\0')
        return;
    put_safe(dst, place, "error_id");
    buf_adds(dst, " ");
    put_safe(dst, place, "message");
    buf_adds(dst, "\n");
}

static void put_variables(struct buf *dst, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *variable = json_array_get(list, i);

        put_safe(dst, variable, "name");
        buf_adds(dst, "=");
        if (json_is_true(json_object_get(variable, "is_secret")))
            buf_adds(dst, "***");
        else
            put_safe(dst, variable, "value");
        buf_adds(dst, "\n");
    }
}

static void put_steps(struct buf *dst, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *step = json_array_get(list, i);

        buf_addf(dst, "%5" PRIu64 "  ", output_u64(step, "step") + 1);
        put_safe(dst, step, "path");
        buf_adds(dst, "\n");
    }
}

static void put_output(struct buf *dst, const json_t *answer)
{
    uint64_t code = output_u64(answer, "exit_code");

    (void)base64_parse(bytes_of(output_text(answer, "data")), dst);
    if (dst->len > 0 && dst->ptr[dst->len - 1] != '\n')
        buf_adds(dst, "\n");
    if (code != 0)
        buf_addf(dst, "exit code %" PRIu64 "\n", code);
}

void debug_put_answer(struct buf *dst, const json_t *answer)
{
    if (json_object_get(answer, "variables"))
        put_variables(dst, json_object_get(answer, "variables"));
    else if (json_object_get(answer, "steps"))
        put_steps(dst, json_object_get(answer, "steps"));
    else if (json_object_get(answer, "data"))
        put_output(dst, answer);
    else if (json_object_get(answer, "path"))
        debug_put_place(dst, answer);
}
