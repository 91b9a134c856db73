/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/object.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/administrator.h"
#include "site/boundary.h"
#include "site/collection.h"
#include "site/content.h"
#include "site/deployment.h"
#include "site/device.h"
#include "site/dp.h"
#include "site/dp_group.h"
#include "site/job.h"
#include "site/phased_deployment.h"
#include "site/security_role.h"
#include "site/security_scope.h"

static int find_content(struct site *site, const char *which, char *ret)
{
    return TRACE(content_find(site, CONTENT_FIND_ALL, which, ret));
}

static int find_os_image(struct site *site, const char *which, char *ret)
{
    return TRACE(content_find(site, CONTENT_OS_IMAGE, which, ret));
}

static int find_os_upgrade_package(struct site *site, const char *which, char *ret)
{
    return TRACE(content_find(site, CONTENT_OS_UPGRADE_PACKAGE, which, ret));
}

static int find_boot_image(struct site *site, const char *which, char *ret)
{
    return TRACE(content_find(site, CONTENT_BOOT_IMAGE, which, ret));
}

static int find_driver_package(struct site *site, const char *which, char *ret)
{
    return TRACE(content_find(site, CONTENT_DRIVER_PACKAGE, which, ret));
}

static int find_package(struct site *site, const char *which, char *ret)
{
    return TRACE(content_find(site, CONTENT_PACKAGE, which, ret));
}

static int find_task_sequence(struct site *site, const char *which, char *ret)
{
    return TRACE(content_find(site, CONTENT_FIND_TASK_SEQUENCES, which, ret));
}

static int find_deployment(struct site *site, const char *which, char *ret)
{
    OWN(json_freep) json_t *row = NULL;
    int r = rows_one(site->db, SQL_DEPLOYMENT_GET, DB_ARGS(db_text(which)), &row);

    if (r < 0)
        return TRACE(r);
    if (!row)
        return refuse(site, REFUSAL_MISSING, "There is no deployment \"%.100s\".", which);
    (void)snprintf(ret, SITE_ID_MAX, "%s", which);
    return 0;
}

static int find_operation(struct site *site, const char *which, char *ret)
{
    OWN(json_freep) json_t *row = NULL;
    int r = operation_get(site, which, &row);

    if (r == 0)
        (void)snprintf(ret, UUID_TEXT_MAX, "%s", which);
    return TRACE(r);
}

struct finder {
    const char *class;
    int (*find)(struct site *site, const char *which, char *ret);
};

/* Return: 0, OBJECT_E_UNSCOPED if none of them is of the class, or what it says. */
static int find_by(const struct finder *finders,
                   struct site *site,
                   const char *class,
                   const char *which,
                   char *ret)
{
    for (; finders->class; finders++)
        if (strcmp(finders->class, class) == 0)
            return TRACE(finders->find(site, which, ret));
    return OBJECT_E_UNSCOPED;
}

int object_find(struct site *site,
                const char *class,
                const char *which,
                char ret[static PRINCIPAL_OBJECT_MAX])
{
    static const struct finder finders[] = {
        {"boot-image", find_boot_image},
        {"boundary-group", boundary_group_find},
        {"collection", collection_find},
        {"content", find_content},
        {"deployment", find_deployment},
        {"device", device_find},
        {"distribution-point", dp_find},
        {"distribution-point-group", dp_group_find},
        {"driver-package", find_driver_package},
        {"operation", find_operation},
        {"os-image", find_os_image},
        {"os-upgrade-package", find_os_upgrade_package},
        {"package", find_package},
        {"phased-deployment", phased_deployment_find},
        {"task-sequence", find_task_sequence},
        {NULL, NULL},
    };

    return find_by(finders, site, class, which, ret);
}

int object_find_any(struct site *site,
                    const char *class,
                    const char *which,
                    char ret[static PRINCIPAL_OBJECT_MAX])
{
    static const struct finder finders[] = {
        {"administrator", administrator_find},
        {"security-role", security_role_find},
        {"security-scope", security_scope_find},
        {NULL, NULL},
    };
    int r = object_find(site, class, which, ret);

    if (r == OBJECT_E_UNSCOPED)
        r = find_by(finders, site, class, which, ret);
    if (r != OBJECT_E_UNSCOPED)
        return TRACE(r);
    (void)snprintf(ret, PRINCIPAL_OBJECT_MAX, "%s", which);
    return 0;
}
