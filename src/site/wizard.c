/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wizard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "site/boot_target.h"
#include "site/fields.h"
#include "site/variable.h"

static const json_t *find(const json_t *asked, const char *name)
{
    for (size_t i = 0; i < json_array_size(asked); i++)
        if (strcasecmp(field_text(json_array_get(asked, i), "name", ""), name) == 0)
            return json_array_get(asked, i);
    return NULL;
}

int wizard_asked(
    struct site *site, const char *device_id, char *ret_deployment, char **ret_name, json_t **ret)
{
    OWN(freep) char *name = NULL;
    struct boot_target target = {0};
    bool is_asked;
    int r = boot_target_find(site, device_id, NULL, NULL, NULL, &target);

    if (r < 0)
        return TRACE(r);
    is_asked = boot_target_is_open(&target) && !target.is_required && !target.is_preferred;
    name = strdup(target.task_sequence_name);
    if (!name)
        return ERR(-ENOMEM);
    r = variable_list_asked(site, is_asked ? device_id : NULL, ret);
    if (r < 0)
        return TRACE(r);
    (void)snprintf(ret_deployment, SITE_ID_MAX, "%s", is_asked ? target.deployment_id : "");
    *ret_name = TAKE(name);
    return 0;
}

static int check(struct site *site, const json_t *asked, const char *name, const json_t *value)
{
    const char *text = json_string_value(value);
    int r;

    if (!text || strlen(text) != json_string_length(value))
        return refuse(site, REFUSAL_VARIABLE, "The value of %.100s is no text.", name);
    r = variable_check(site, name, text);
    if (r != 0)
        return TRACE(r);
    return find(asked, name) ? 0
                             : refuse(site,
                                      REFUSAL_VARIABLE,
                                      "%.100s is none of the variables that are asked for.",
                                      name);
}

static int keep(struct site *site,
                const char *device_id,
                const char *deployment_id,
                const json_t *asked,
                const char *value)
{
    return TRACE(db_must(site->db,
                         SQL_WIZARD_VARIABLE_ADD,
                         DB_ARGS(db_text(device_id),
                                 db_text(deployment_id),
                                 db_text(field_text(asked, "name", "")),
                                 db_text(value),
                                 db_u64(field_bool(asked, "is_secret") ? 1 : 0))));
}

/* {"a": …, "A": …}: which of them counts nobody could say */
static bool is_said_twice(json_t *variables, const char *name)
{
    const char *other;
    json_t *value;
    size_t n = 0;

    json_object_foreach(variables, other, value) n += strcasecmp(other, name) == 0 ? 1 : 0;
    return n > 1;
}

int wizard_keep(struct site *site,
                const char *device_id,
                const char *deployment_id,
                const json_t *asked,
                json_t *variables)
{
    const char *name;
    json_t *value;
    int r = wizard_forget(site, device_id);

    json_object_foreach(variables, name, value)
    {
        if (r == 0)
            r = check(site, asked, name, value);
        if (r == 0 && is_said_twice(variables, name))
            r = refuse(site, REFUSAL_VARIABLE, "%.100s is there twice.", name);
        if (r == 0 && json_string_length(value) > 0)
            r = keep(site, device_id, deployment_id, find(asked, name), json_string_value(value));
    }
    return TRACE(r);
}

int wizard_forget(struct site *site, const char *device_id)
{
    return TRACE(db_run(site->db, SQL_WIZARD_VARIABLE_DROP, DB_ARGS(db_text(device_id)), NULL));
}

int wizard_forget_order(struct site *site, const char *order_id)
{
    return TRACE(
        db_run(site->db, SQL_WIZARD_VARIABLE_DROP_OF_ORDER, DB_ARGS(db_text(order_id)), NULL));
}
