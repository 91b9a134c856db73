/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/rules.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "agent/run/machine.h"
#include "agent/run/sysfs.h"
#include "agent/steps/package_file.h"
#include "agent/steps/package_manager.h"
#include "agent/steps/program.h"
#include "base/own.h"
#include "plat/arch.h"
#include "ts/compare.h"
#include "ts/vars.h"

enum {
    MIB = 1024 * 1024,
    VERSION_MAX_BYTES = 256,
    IDS_MAX_BYTES = 512,
    IGNORED_MAX_BYTES = 1024,
    COMMAND_TIMEOUT_S = 300,
};

struct asking {
    struct step_context *c;
    const char *folder;
    struct buf *why;
};

struct kind {
    const char *name; /* the member that makes a rule of this kind */
    const char *also; /* a member that it may have; NULL: none */
    bool is_number;   /* of the value; otherwise it is text */
    bool (*holds)(struct asking *a, const json_t *rule, const json_t *value);
};

static bool no(struct asking *a, const char *what, const char *value)
{
    buf_addf(a->why, "%s \"%.160s\"", what, value);
    return false;
}

static bool has_file(struct asking *a, const json_t *rule, const json_t *value)
{
    struct stat st;

    (void)rule;
    if (stat(json_string_value(value), &st) == 0 && !S_ISDIR(st.st_mode))
        return true;
    return no(a, "there is no file", json_string_value(value));
}

static bool has_folder(struct asking *a, const json_t *rule, const json_t *value)
{
    struct stat st;

    (void)rule;
    if (stat(json_string_value(value), &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    return no(a, "there is no folder", json_string_value(value));
}

static bool has_package(struct asking *a, const json_t *rule, const json_t *value)
{
    const char *name = json_string_value(value);
    const char *least = json_string_value(json_object_get(rule, "min_version"));
    OWN(buf_fini) struct buf version = BUF_INIT(VERSION_MAX_BYTES);

    if (!package_manager_find(name, &version))
        return no(a, "the system has no package", name);
    if (!least || package_manager_is_at_least(buf_str(&version), least))
        return true;
    buf_addf(a->why,
             "package \"%.80s\" has the version %.80s, not %.80s or later",
             name,
             buf_str(&version),
             least);
    return false;
}

static bool command_succeeds(struct asking *a, const json_t *rule, const json_t *value)
{
    const struct program program = {.command = json_string_value(value),
                                    .folder = a->folder,
                                    .timeout_s = COMMAND_TIMEOUT_S,
                                    .what = "A rule is being checked"};
    struct step_result result = {0};
    int code = -1;

    (void)rule;
    if (program_run(a->c, &program, &code, &result) == 0 && !result.error_id && code == 0)
        return true;
    buf_addf(a->why, "the command \"%.160s\" ended with %d", json_string_value(value), code);
    return false;
}

static bool variable_is(struct asking *a, const json_t *rule, const json_t *value)
{
    const char *name = json_string_value(value);
    const char *wanted = json_string_value(json_object_get(rule, "equals"));
    const char *is = ts_vars_get(a->c->vars, name);

    if (wanted ? ts_compare_text(is, wanted) == 0 : is[0] != '\0')
        return true;
    return no(a, wanted ? "another value has the variable" : "there is no variable", name);
}

static bool architecture_is(struct asking *a, const json_t *rule, const json_t *value)
{
    (void)rule;
    if (strcmp(json_string_value(value), ARCH_NAME) == 0)
        return true;
    return no(a, "this system is " ARCH_NAME ", not", json_string_value(value));
}

/* "ID=debian" or a word of "ID_LIKE". */
static bool distribution_is(struct asking *a, const json_t *rule, const json_t *value)
{
    const char *wanted = json_string_value(value);
    OWN(buf_fini) struct buf ids = BUF_INIT(IDS_MAX_BYTES);

    (void)rule;
    package_manager_os_release("ID", &ids);
    buf_adds(&ids, " ");
    package_manager_os_release("ID_LIKE", &ids);
    for (const char *id = buf_str(&ids); *id != '\0';) {
        size_t len = strcspn(id, " ");

        if (len == strlen(wanted) && strncmp(id, wanted, len) == 0)
            return true;
        id += len;
        id += strspn(id, " ");
    }
    return no(a, "this distribution is not", wanted);
}

static bool compare_version(struct asking *a, const json_t *value, int sign)
{
    OWN(buf_fini) struct buf version = BUF_INIT(VERSION_MAX_BYTES);
    int order = 0;

    package_manager_os_release("VERSION_ID", &version);
    if (ts_compare_versions(buf_str(&version), json_string_value(value), &order) &&
        order * sign >= 0)
        return true;
    buf_addf(a->why,
             "the system's version is \"%.40s\", not %s or %s",
             buf_str(&version),
             json_string_value(value),
             sign > 0 ? "later" : "earlier");
    return false;
}

static bool version_is_at_least(struct asking *a, const json_t *rule, const json_t *value)
{
    (void)rule;
    return compare_version(a, value, 1);
}

static bool version_is_at_most(struct asking *a, const json_t *rule, const json_t *value)
{
    (void)rule;
    return compare_version(a, value, -1);
}

static bool is_enough(struct asking *a, const char *what, uint64_t has, const json_t *value)
{
    if (has >= (uint64_t)json_integer_value(value))
        return true;
    buf_addf(a->why, "%s: %" PRIu64 " MB", what, has);
    return false;
}

static bool memory_is_enough(struct asking *a, const json_t *rule, const json_t *value)
{
    (void)rule;
    return is_enough(a, "memory", a->c->machine->memory_bytes / MIB, value);
}

static bool disk_is_enough(struct asking *a, const json_t *rule, const json_t *value)
{
    struct statvfs st = {0};

    (void)rule;
    (void)statvfs("/", &st);
    return is_enough(
        a, "free on the system's volume", (uint64_t)st.f_bavail * st.f_frsize / MIB, value);
}

static const struct kind kinds[] = {
    {"file", NULL, false, has_file},
    {"folder", NULL, false, has_folder},
    {"package", "min_version", false, has_package},
    {"command", NULL, false, command_succeeds},
    {"variable", "equals", false, variable_is},
    {"architecture", NULL, false, architecture_is},
    {"distribution", NULL, false, distribution_is},
    {"min_os_version", NULL, false, version_is_at_least},
    {"max_os_version", NULL, false, version_is_at_most},
    {"min_memory_mb", NULL, true, memory_is_enough},
    {"min_disk_mb", NULL, true, disk_is_enough},
};

static const struct kind *kind_of(const json_t *rule, const json_t **ret_value)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        *ret_value = json_object_get(rule, kinds[i].name);
        if (*ret_value)
            return &kinds[i];
    }
    return NULL;
}

static bool refuse(struct buf *why, const char *what)
{
    buf_addf(why, "a rule %s", what);
    return false;
}

static bool check_list(const json_t *rules, struct buf *why, unsigned depth);

static bool check_rule(const json_t *rule, struct buf *why, unsigned depth)
{
    const json_t *value;
    const struct kind *kind = kind_of(rule, &value);
    const json_t *also = kind && kind->also ? json_object_get(rule, kind->also) : NULL;
    const json_t *any = json_object_get(rule, "any");
    const json_t *none = json_object_get(rule, "none");

    if ((any || none) && json_object_size(rule) == 1)
        return check_list(any ? any : none, why, depth + 1);
    if (!kind || json_object_size(rule) != (also ? 2 : 1))
        return refuse(why, "has no kind that is known, or a member that does not belong to it");
    if (kind->is_number ? !json_is_integer(value) || json_integer_value(value) < 0
                        : !json_is_string(value) || json_string_length(value) == 0)
        return refuse(why, "has a value of the wrong type");
    return !also || json_is_string(also) || refuse(why, "has a value of the wrong type");
}

static bool check_list(const json_t *rules, struct buf *why, unsigned depth)
{
    if (!rules)
        return true;
    if (depth > PACKAGE_FILE_MAX_DEPTH)
        return refuse(why, "stands within too many others");
    if (!json_is_array(rules) || json_array_size(rules) == 0 ||
        json_array_size(rules) > PACKAGE_LIST_MAX)
        return refuse(why, "list must have 1 to 64 rules");
    for (size_t i = 0; i < json_array_size(rules); i++)
        if (!check_rule(json_array_get(rules, i), why, depth))
            return false;
    return true;
}

bool rules_check(const json_t *rules, struct buf *why)
{
    return check_list(rules, why, 0);
}

/* One of them is enough. The depth was checked. */
static bool rule_holds(struct asking *a, const json_t *rule)
{
    const json_t *any = json_object_get(rule, "any");
    const json_t *none = json_object_get(rule, "none");
    const json_t *list = any ? any : none;
    const json_t *value;
    const struct kind *kind = kind_of(rule, &value);
    OWN(buf_fini) struct buf ignored = BUF_INIT(IGNORED_MAX_BYTES);
    struct asking quiet = {a->c, a->folder, &ignored};

    if (kind)
        return kind->holds(a, rule, value);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (rule_holds(&quiet, json_array_get(list, i)))
            return any || no(a, "a rule holds that must not:", buf_str(&ignored));
    return none || no(a, "no rule of several holds:", buf_str(&ignored));
}

bool rules_hold(struct step_context *c, const json_t *rules, const char *folder, struct buf *why)
{
    struct asking a = {c, folder, why};

    for (size_t i = 0; i < json_array_size(rules); i++)
        if (!rule_holds(&a, json_array_get(rules, i)))
            return false;
    return true;
}
