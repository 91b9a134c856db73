/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/object.h"

#include <string.h>
#include <strings.h>

#include "cli/output.h"

/* {"to": what stands at @from}, for what is not null; owned. Pairs end with NULL. */
static json_t *pick(const json_t *answer, const char *const pairs[])
{
    json_t *item = json_object();

    for (size_t i = 0; pairs[i]; i += 2) {
        json_t *value = output_at(answer, pairs[i]);

        if (value && !json_is_null(value))
            (void)json_object_set(item, pairs[i + 1], value);
    }
    return item;
}

static json_t *first_of(const json_t *answer)
{
    return json_incref(json_array_get(answer, 0));
}

static json_t *sources_of(const json_t *answer)
{
    static const char *const pairs[] = {"name", "distribution_point", "priority", "priority", NULL};
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(answer); i++)
        (void)json_array_append_new(list, pick(json_array_get(answer, i), pairs));
    return list;
}

static json_t *name_of(const json_t *answer)
{
    return json_incref(output_at(answer, "name"));
}

static json_t *user_of(const json_t *answer)
{
    return json_incref(output_at(answer, "user"));
}

static json_t *rule_of(const json_t *answer)
{
    static const char *const direct[] = {"type", "type", "name", "device", NULL};
    static const char *const query[] = {"type", "type", "name", "name", "value", "filter", NULL};
    static const char *const other[] = {"type", "type", "name", "collection", NULL};
    const char *type = output_text(answer, "type");

    return pick(answer,
                strcmp(type, "direct") == 0  ? direct
                : strcmp(type, "query") == 0 ? query
                                             : other);
}

static json_t *variable_of(const json_t *answer)
{
    static const char *const pairs[] = {
        "name", "name", "value", "value", "is_secret", "is_secret", NULL};
    json_t *item = pick(answer, pairs);

    if (json_is_false(json_object_get(item, "is_secret")))
        (void)json_object_del(item, "is_secret");
    return item;
}

static json_t *window_of(const json_t *answer)
{
    static const char *const pairs[] = {
        "name", "name", "applies_to", "applies_to", "schedule", "schedule", NULL};

    return pick(answer, pairs);
}

static json_t *neighbour_of(const json_t *answer)
{
    static const char *const pairs[] = {
        "name", "boundary_group", "fallback_minutes", "fallback_minutes", NULL};

    return pick(answer, pairs);
}

static json_t *grant_of(const json_t *answer)
{
    static const char *const scope[] = {"role_name", "role", "target_name", "scope", NULL};
    static const char *const collection[] = {
        "role_name", "role", "target_name", "collection", NULL};

    return pick(answer,
                strcmp(output_text(answer, "target_kind"), "collection") == 0 ? collection : scope);
}

static json_t *scoped_of(const json_t *answer)
{
    static const char *const pairs[] = {"class", "class", "object", "object", NULL};

    return pick(answer, pairs);
}

static const struct object_part scope_parts[] = {
    {.name = "objects",
     .path = "/objects",
     .list = "members",
     .key = "class/object",
     .item = scoped_of},
    {0},
};

static const struct object_field comment_only[] = {{.name = "comment"}, {0}};
static const struct object_field comment_fixed[] = {{.name = "comment", .is_fixed = true}, {0}};
static const struct object_field role_fields[] = {
    {.name = "comment"}, {.name = "permissions"}, {0}};
static const struct object_field administrator_fields[] = {
    {.name = "type", .member = "kind", .is_fixed = true},
    {.name = "external_name", .is_fixed = true},
    {.name = "comment"},
    {.name = "is_disabled"},
    {0}};
static const struct object_part administrator_parts[] = {
    {.name = "grants",
     .path = "/grants",
     .list = "grants",
     .key = "role/scope|collection",
     .item = grant_of},
    {0},
};

static const struct object_field dp_fields[] = {
    {.name = "comment"},
    {.name = "is_disabled"},
    {.name = "reserve_bytes"},
    {.name = "schedule"},
    {.name = "rate_limits"},
    {.name = "validation_schedule"},
    {.name = "sources", .value = sources_of},
    {0},
};
static const struct object_part dp_group_parts[] = {
    {.name = "members",
     .path = "/members",
     .list = "members",
     .body = "distribution_point",
     .item = name_of},
    {.name = "content", .path = "/content", .list = "content", .body = "content", .item = name_of},
    {0},
};

static const struct object_field boundary_fields[] = {
    {.name = "type", .member = "kind", .is_fixed = true}, {.name = "value", .is_fixed = true}, {0}};
static const struct object_part boundary_group_parts[] = {
    {.name = "boundaries",
     .path = "/boundaries",
     .list = "boundaries",
     .body = "boundary",
     .item = name_of},
    {.name = "distribution_points",
     .path = "/distribution-points",
     .list = "distribution_points",
     .body = "distribution_point",
     .item = name_of},
    {.name = "neighbours",
     .path = "/neighbours",
     .list = "neighbours",
     .key = "boundary_group",
     .item = neighbour_of,
     .is_replaced = true},
    {0},
};

static const struct object_field content_fields[] = {
    {.name = "version"},
    {.name = "comment"},
    {.name = "priority"},
    {.name = "keep_versions"},
    {.name = "source_path"},
    {0},
};
static const struct object_field boot_image_fields[] = {
    {.name = "arch", .is_fixed = true},
    {.name = "flavour", .is_fixed = true},
    {.name = "is_custom", .is_fixed = true},
    {.name = "prestart_command"},
    {.name = "version"},
    {.name = "comment"},
    {.name = "priority"},
    {.name = "keep_versions"},
    {0},
};

static const struct object_field device_fields[] = {
    {.name = "mac", .member = "macs", .value = first_of, .is_fixed = true},
    {.name = "smbios_uuid"},
    {.name = "is_blocked"},
    {.name = "block_reason"},
    {.name = "is_protected"},
    {0},
};
static const struct object_field collection_fields[] = {
    {.name = "comment"},
    {.name = "limiting", .member = "limiting_id", .place = "collections"},
    {.name = "variable_priority"},
    {0},
};
#define VARIABLES \
    { \
        .name = "variables", .path = "/variables", .key = "name", .item = variable_of, \
        .is_replaced = true \
    }
static const struct object_part device_parts[] = {
    VARIABLES,
    {.name = "users", .path = "/users", .body = "user", .item = user_of},
    {0},
};
static const struct object_part collection_parts[] = {
    {.name = "rules", .path = "/rules", .key = "type/device|name|collection", .item = rule_of},
    {.name = "windows", .path = "/windows", .key = "name", .item = window_of, .is_replaced = true},
    VARIABLES,
    {0},
};

static const struct object_field sequence_fields[] = {
    {.name = "description"},
    {.name = "boot_image", .member = "boot_image_id", .place = "boot-images"},
    {.name = "is_disabled"},
    {0},
};
static const struct object_field deployment_fields[] = {
    {.name = "task_sequence", .member = "task_sequence_name", .is_fixed = true},
    {.name = "collection", .member = "collection_name", .is_fixed = true},
    {.name = "purpose", .is_fixed = true},
    {.name = "content_option", .is_fixed = true},
    {.name = "is_debug", .is_fixed = true},
    {.name = "comment"},
    {.name = "make_available_to"},
    {.name = "available_from"},
    {.name = "expires"},
    {.name = "assignments"},
    {.name = "rerun"},
    {.name = "priority"},
    {.name = "lost_contact_s"},
    {.name = "alert_success_percent"},
    {.name = "alert_after_s"},
    {.name = "is_run_outside_windows"},
    {.name = "is_restart_outside_windows"},
    {.name = "max_run_min"},
    {.name = "is_wake_on_lan"},
    {.name = "is_progress_shown", .is_exact = true},
    {.name = "is_neighbour_allowed", .is_exact = true},
    {.name = "is_default_group_allowed", .is_exact = true},
    {.name = "available_over_days"},
    {.name = "is_disabled"},
    {0},
};

static json_t *phases_of(const json_t *answer)
{
    static const char *const pairs[] = {"name",
                                        "name",
                                        "collection_name",
                                        "collection",
                                        "purpose",
                                        "purpose",
                                        "begins",
                                        "begins",
                                        "begin_after_percent",
                                        "begin_after_percent",
                                        "begin_after_devices",
                                        "begin_after_devices",
                                        "defer_days",
                                        "defer_days",
                                        "deadline_days",
                                        "deadline_days",
                                        "content_option",
                                        "content_option",
                                        "comment",
                                        "comment",
                                        "make_available_to",
                                        "make_available_to",
                                        "rerun",
                                        "rerun",
                                        "priority",
                                        "priority",
                                        "lost_contact_s",
                                        "lost_contact_s",
                                        "alert_success_percent",
                                        "alert_success_percent",
                                        "alert_after_s",
                                        "alert_after_s",
                                        "is_run_outside_windows",
                                        "is_run_outside_windows",
                                        "is_restart_outside_windows",
                                        "is_restart_outside_windows",
                                        "max_run_min",
                                        "max_run_min",
                                        "is_wake_on_lan",
                                        "is_wake_on_lan",
                                        "is_progress_shown",
                                        "is_progress_shown",
                                        "is_neighbour_allowed",
                                        "is_neighbour_allowed",
                                        "is_default_group_allowed",
                                        "is_default_group_allowed",
                                        "available_over_days",
                                        "available_over_days",
                                        NULL};
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(answer); i++)
        (void)json_array_append_new(list, pick(json_array_get(answer, i), pairs));
    return list;
}

/* What stands in it is said once: a change would be one of phases that have begun. */
static const struct object_field phased_fields[] = {
    {.name = "task_sequence",
     .member = "task_sequence_id",
     .place = "task-sequences",
     .is_fixed = true},
    {.name = "comment", .is_fixed = true},
    {.name = "phases", .value = phases_of, .is_fixed = true},
    {0},
};

#define OWNER_DP \
    { \
        .name = "distribution_point", .member = "distribution_point_name", .is_fixed = true \
    }
#define UNKNOWN_RULE \
    {.name = "name_pattern", .is_exact = true}, {.name = "name_max", .is_exact = true}, \
        {.name = "is_name_asked", .is_exact = true}, \
        {.name = "is_approval_needed", .is_exact = true}, \
    { \
        .name = "approval_hours", .is_exact = true \
    }
static const struct object_field unknown_rule_fields[] = {
    OWNER_DP, {.name = "is_allowed", .is_exact = true}, UNKNOWN_RULE, {0}};
static const struct object_field unknown_deployment_fields[] = {
    {.name = "task_sequence", .member = "task_sequence_name", .is_fixed = true},
    {.name = "collection", .member = "collection_name", .is_fixed = true},
    UNKNOWN_RULE,
    {0}};
static const struct object_field boot_rule_fields[] = {
    OWNER_DP,
    {.name = "is_password_asked", .is_exact = true},
    {.name = "menu_s", .is_exact = true},
    {.name = "choice_s", .is_exact = true},
    {0}};
static const struct object_field affinity_fields[] = {{.name = "mode", .is_exact = true}, {0}};

#define CONTENT(k, p, command) \
    { \
        .kind = (k), .place = (p), .fields = content_fields, .change_place = "content", \
        .made_by = "slipway " command " add" \
    }

const struct object_kind object_kinds[] = {
    {.kind = "SecurityRole", .place = "security-roles", .fields = role_fields},
    {.kind = "DistributionPoint",
     .place = "distribution-points",
     .fields = dp_fields,
     .made_by = "slipwayd join",
     .is_kept = true},
    {.kind = "Boundary",
     .place = "boundaries",
     .fields = boundary_fields,
     .change_place = "",
     .is_listed_only = true},
    {.kind = "BoundaryGroup",
     .place = "boundary-groups",
     .fields = comment_only,
     .parts = boundary_group_parts},
    CONTENT("OsImage", "os-images", "os-image"),
    CONTENT("OsUpgradePackage", "os-upgrade-packages", "upgrade-package"),
    CONTENT("DriverPackage", "driver-packages", "driver-package"),
    CONTENT("Package", "packages", "package"),
    {.kind = "BootImage",
     .place = "boot-images",
     .fields = boot_image_fields,
     .change_place = "content"},
    {.kind = "DistributionPointGroup",
     .place = "distribution-point-groups",
     .fields = comment_fixed,
     .parts = dp_group_parts,
     .change_place = ""},
    {.kind = "DuplicateHardwareId",
     .place = "duplicate-hardware-ids",
     .id = "id",
     .fields = comment_fixed,
     .change_place = "",
     .is_listed_only = true},
    {.kind = "UnknownComputerRule",
     .place = "unknown-computer-rules",
     .fields = unknown_rule_fields,
     .is_listed_only = true,
     .rule = OBJECT_RULE_LIST},
    {.kind = "BootRule",
     .place = "boot-rules",
     .fields = boot_rule_fields,
     .is_listed_only = true,
     .rule = OBJECT_RULE_LIST},
    {.kind = "UserAffinityMode",
     .place = "user-affinity-mode",
     .fields = affinity_fields,
     .is_listed_only = true,
     .is_kept = true,
     .rule = OBJECT_RULE_SINGLE},
    {.kind = "Device", .place = "devices", .fields = device_fields, .parts = device_parts},
    {.kind = "Collection",
     .place = "collections",
     .fields = collection_fields,
     .parts = collection_parts},
    {.kind = "TaskSequence",
     .place = "task-sequences",
     .fields = sequence_fields,
     .has_sequence = true},
    {.kind = "SecurityScope",
     .place = "security-scopes",
     .fields = comment_fixed,
     .parts = scope_parts,
     .change_place = ""},
    {.kind = "Administrator",
     .place = "administrators",
     .fields = administrator_fields,
     .parts = administrator_parts},
    {.kind = "PhasedDeployment",
     .place = "phased-deployments",
     .fields = phased_fields,
     .change_place = "",
     .is_confirmed = true},
    {.kind = "Deployment",
     .place = "deployments",
     .fields = deployment_fields,
     .is_deployment = true},
    {.kind = "UnknownDeploymentRule",
     .place = "unknown-computer-rules",
     .fields = unknown_deployment_fields,
     .is_deployment = true,
     .rule = OBJECT_RULE_LIST},
    {0},
};

const struct object_kind *object_kind_find(const char *kind)
{
    for (const struct object_kind *k = object_kinds; k->kind; k++)
        if (strcasecmp(k->kind, kind) == 0)
            return k;
    return NULL;
}

static bool is_member(const struct object_kind *kind, const char *name)
{
    for (const struct object_field *f = kind->fields; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return true;
    for (const struct object_part *p = kind->parts; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return true;
    return kind->has_sequence && (strcmp(name, "document") == 0 || strcmp(name, "content") == 0);
}

static void put_members(struct buf *dst, const struct object_kind *kind)
{
    buf_adds(dst, kind->is_deployment ? "kind" : "kind, name");
    for (const struct object_field *f = kind->fields; f->name; f++)
        buf_addf(dst, ", %s", f->name);
    for (const struct object_part *p = kind->parts; p && p->name; p++)
        buf_addf(dst, ", %s", p->name);
    if (kind->has_sequence)
        buf_adds(dst, ", document, content");
}

/* "task_sequence -> collection" stands for the name that a deployment does not have. */
static bool has_name(const json_t *document, const struct object_kind *kind)
{
    if (kind->is_deployment)
        return output_text(document, "task_sequence")[0] && output_text(document, "collection")[0];
    if (kind->rule && output_text(document, "name")[0])
        return strcmp(output_text(document, "name"), OBJECT_RULE_SITE) == 0 &&
               !json_object_get(document, "distribution_point");
    if (kind->rule == OBJECT_RULE_LIST)
        return output_text(document, "distribution_point")[0];
    return output_text(document, "name")[0];
}

static bool check_parts(const json_t *document, const struct object_kind *kind, struct buf *why)
{
    for (const struct object_part *p = kind->parts; p && p->name; p++) {
        const json_t *list = json_object_get(document, p->name);

        if (list && !json_is_array(list)) {
            buf_addf(why, "%s is no list", p->name);
            return false;
        }
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *item = json_array_get(list, i);

            if (p->body ? json_is_string(item) : json_is_object(item))
                continue;
            buf_addf(why, "item %zu of %s is no %s", i + 1, p->name, p->body ? "name" : "mapping");
            return false;
        }
    }
    return true;
}

bool object_check(json_t *document, const struct object_kind **ret, struct buf *why)
{
    const char *key;
    json_t *value;

    *ret = object_kind_find(output_text(document, "kind"));
    if (!*ret) {
        buf_addf(why, "there is no kind \"%s\"; the kinds are", output_text(document, "kind"));
        for (const struct object_kind *k = object_kinds; k->kind; k++)
            buf_addf(why, "%s %s", k == object_kinds ? "" : ",", k->kind);
        return false;
    }
    if (!has_name(document, *ret)) {
        buf_adds(why,
                 (*ret)->is_deployment                ? "task_sequence or collection is missing"
                 : (*ret)->rule == OBJECT_RULE_SINGLE ? "its name is \"" OBJECT_RULE_SITE "\""
                 : (*ret)->rule                       ? "it has either the name \"" OBJECT_RULE_SITE
                                  "\", or a distribution_point"
                                : "name is missing, or no text");
        return false;
    }
    json_object_foreach(document, key, value)
    {
        if (strcmp(key, "kind") == 0 || (strcmp(key, "name") == 0 && !(*ret)->is_deployment) ||
            is_member(*ret, key))
            continue;
        buf_addf(why, "a %s has no member \"%s\"; it has ", (*ret)->kind, key);
        put_members(why, *ret);
        return false;
    }
    return check_parts(document, *ret, why);
}

void object_put_name(struct buf *dst, const json_t *document)
{
    const char *kind = output_text(document, "kind");

    if (output_text(document, "name")[0])
        buf_addf(dst, "%s \"%s\"", kind, output_text(document, "name"));
    else if (output_text(document, "distribution_point")[0])
        buf_addf(dst,
                 "%s of the distribution point \"%s\"",
                 kind,
                 output_text(document, "distribution_point"));
    else
        buf_addf(dst,
                 "%s of \"%s\" to \"%s\"",
                 kind,
                 output_text(document, "task_sequence"),
                 output_text(document, "collection"));
}
