/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/package_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/steps/rules.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
    TIMEOUT_MAX_MIN = 999,
    S_PER_MIN = 60,
};

static bool refuse(struct buf *why, const char *where, const char *what)
{
    buf_addf(why, "%.80s: %.200s", where, what);
    return false;
}

static bool is_known(const char *key, const char *const *known)
{
    for (; *known; known++)
        if (strcmp(*known, key) == 0)
            return true;
    return false;
}

static bool has_only(json_t *object, const char *const *known, const char *where, struct buf *why)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return refuse(why, where, "it must be an object");
    json_object_foreach(object, key, value)
    {
        if (!is_known(key, known)) {
            buf_addf(why, "%.80s: \"%.80s\" is not known there", where, key);
            return false;
        }
    }
    return true;
}

/* An array whose elements are texts (or whole numbers). */
static bool is_list(const json_t *list, bool is_of_numbers, const char *where, struct buf *why)
{
    if (!list)
        return true;
    if (!json_is_array(list) || json_array_size(list) > PACKAGE_LIST_MAX)
        return refuse(why, where, "it must be a list of at most 64 elements");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *element = json_array_get(list, i);

        if (is_of_numbers ? !json_is_integer(element)
                          : !json_is_string(element) || json_string_length(element) == 0)
            return refuse(why,
                          where,
                          is_of_numbers ? "its elements must be numbers"
                                        : "its elements must be texts");
    }
    return true;
}

static bool is_text_or_nothing(const json_t *value, const char *where, struct buf *why)
{
    return !value || json_is_string(value) || refuse(why, where, "it must be a text");
}

static bool check_program(json_t *program, const char *where, struct buf *why)
{
    static const char *const known[] = {
        "command", "packages", "start_in", "success_codes", "timeout_minutes", NULL};
    const json_t *minutes = json_object_get(program, "timeout_minutes");

    if (!has_only(program, known, where, why))
        return false;
    if ((json_object_get(program, "command") == NULL) ==
        (json_object_get(program, "packages") == NULL))
        return refuse(why, where, "it needs either \"command\" or \"packages\"");
    if (minutes && (!json_is_integer(minutes) || json_integer_value(minutes) < 1 ||
                    json_integer_value(minutes) > TIMEOUT_MAX_MIN))
        return refuse(why, where, "\"timeout_minutes\" is a number from 1 to 999");
    return is_text_or_nothing(json_object_get(program, "command"), where, why) &&
           is_text_or_nothing(json_object_get(program, "start_in"), where, why) &&
           is_list(json_object_get(program, "packages"), false, where, why) &&
           is_list(json_object_get(program, "success_codes"), true, where, why);
}

static bool check_application(json_t *application, struct buf *why)
{
    static const char where[] = "application";
    static const char *const known[] = {
        "name", "version", "install", "requirements", "detection", "dependencies", NULL};
    const json_t *detection = json_object_get(application, "detection");

    if (!has_only(application, known, where, why))
        return false;
    if (!json_is_string(json_object_get(application, "name")))
        return refuse(why, where, "it needs a \"name\"");
    if (json_array_size(detection) == 0)
        return refuse(why, where, "it needs a \"detection\" with at least one rule");
    return is_text_or_nothing(json_object_get(application, "version"), where, why) &&
           check_program(json_object_get(application, "install"), "application: install", why) &&
           rules_check(json_object_get(application, "requirements"), why) &&
           rules_check(detection, why) &&
           is_list(json_object_get(application, "dependencies"), false, where, why);
}

static bool check_file(json_t *file, struct buf *why)
{
    static const char *const known[] = {"programs", "application", NULL};
    json_t *programs = json_object_get(file, "programs");
    json_t *application = json_object_get(file, "application");
    const char *name;
    json_t *program;

    if (!has_only(file, known, PACKAGE_FILE_NAME, why))
        return false;
    if (programs && !json_is_object(programs))
        return refuse(why, "programs", "it must be an object");
    json_object_foreach(programs, name, program)
    {
        if (!check_program(program, name, why))
            return false;
    }
    return !application || check_application(application, why);
}

int package_file_parse(struct bytes text, json_t **ret, struct buf *why)
{
    json_error_t error;
    OWN(json_decrefp)
    json_t *file =
        text.len <= PACKAGE_FILE_MAX_BYTES
            ? json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error)
            : NULL;

    if (!file) {
        if (text.len > PACKAGE_FILE_MAX_BYTES)
            buf_addf(why, "it is longer than %d bytes", (int)PACKAGE_FILE_MAX_BYTES);
        else
            buf_addf(why, "line %d: %.160s", error.line, error.text);
        return PACKAGE_FILE_E_MALFORMED;
    }
    if (!check_file(file, why))
        return PACKAGE_FILE_E_MALFORMED;
    *ret = TAKE(file);
    return 0;
}

int package_file_read(const char *folder, json_t **ret, struct buf *why)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PACKAGE_FILE_MAX_BYTES);
    char path[PATH_MAX_BYTES];
    int r;

    if (snprintf(path, sizeof(path), "%s/" PACKAGE_FILE_NAME, folder) >= (int)sizeof(path))
        return ERR(-ENAMETOOLONG);
    r = file_read(path, &text);
    if (r == FILE_E_MISSING)
        return PACKAGE_FILE_E_MISSING;
    if (r == FILE_E_TOO_LARGE) {
        buf_addf(why, "it is longer than %d bytes", (int)PACKAGE_FILE_MAX_BYTES);
        return PACKAGE_FILE_E_MALFORMED;
    }
    return r < 0 ? TRACE(r) : TRACE(package_file_parse(buf_bytes(&text), ret, why));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void read_program(const json_t *program, struct package_program *ret)
{
    *ret = (struct package_program){
        .command = json_string_value(json_object_get(program, "command")),
        .packages = json_object_get(program, "packages"),
        .start_in = text_of(program, "start_in"),
        .successes = json_object_get(program, "success_codes"),
        .timeout_s =
            (unsigned)json_integer_value(json_object_get(program, "timeout_minutes")) * S_PER_MIN,
    };
}

bool package_file_program(const json_t *file, const char *name, struct package_program *ret)
{
    const json_t *program = json_object_get(json_object_get(file, "programs"), name);

    if (!program)
        return false;
    read_program(program, ret);
    return true;
}

bool package_file_application(const json_t *file, struct package_application *ret)
{
    const json_t *application = json_object_get(file, "application");

    if (!application)
        return false;
    *ret = (struct package_application){
        .name = text_of(application, "name"),
        .version = text_of(application, "version"),
        .requirements = json_object_get(application, "requirements"),
        .detection = json_object_get(application, "detection"),
        .dependencies = json_object_get(application, "dependencies"),
    };
    read_program(json_object_get(application, "install"), &ret->install);
    return true;
}

void package_program_put_successes(const struct package_program *program, struct buf *ret)
{
    if (!program->successes)
        buf_adds(ret, "0 3010 1641");
    for (size_t i = 0; i < json_array_size(program->successes); i++)
        buf_addf(ret,
                 "%s%" JSON_INTEGER_FORMAT,
                 i > 0 ? " " : "",
                 json_integer_value(json_array_get(program->successes, i)));
}

bool package_program_is_success(const struct package_program *program, int code)
{
    static const int usual[] = {0, 3010, 1641};

    for (size_t i = 0; i < json_array_size(program->successes); i++)
        if (json_integer_value(json_array_get(program->successes, i)) == code)
            return true;
    for (size_t i = 0; !program->successes && i < sizeof(usual) / sizeof(usual[0]); i++)
        if (usual[i] == code)
            return true;
    return false;
}
