/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/security_role.h"

#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"

/* "class.verb", '*' for all; docs/security-roles.md has the same table for people. */
static const struct builtin {
    const char *id;
    const char *name;
    const char *comment;
    const char *permissions[40];
} builtins[] = {
    {"SLP0001R", "Full Administrator", "Everything", {"*.*"}},
    {"SLP0002R", "Read-only Analyst", "Sees everything but the audit log", {"*.read"}},
    {"SLP000AR",
     "Operating System Deployment Manager",
     "Images, packages, drivers and task sequences, and deploys them",
     {"site.read",
      "os-image.*",
      "os-upgrade-package.*",
      "boot-image.*",
      "driver-package.*",
      "package.*",
      "task-sequence.*",
      "operation.*",
      "collection.read",
      "collection.deploy",
      "device.read",
      "device.create",
      "device.modify",
      "device.approve",
      "deployment.*",
      "distribution-point.read",
      "distribution-point-group.read",
      "boundary.read",
      "boundary-group.read",
      "security-scope.read"}},
    {"SLP000BR",
     "Infrastructure Administrator",
     "Distribution points and their groups, boundaries, and what is where",
     {"site.*",
      "distribution-point.*",
      "distribution-point-group.*",
      "boundary.*",
      "boundary-group.*",
      "operation.*",
      "os-image.read",
      "os-image.distribute",
      "os-upgrade-package.read",
      "os-upgrade-package.distribute",
      "boot-image.read",
      "boot-image.distribute",
      "driver-package.read",
      "driver-package.distribute",
      "package.read",
      "package.distribute",
      "task-sequence.read",
      "task-sequence.distribute",
      "security-scope.read"}},
    {"SLP000ER",
     "Operations Administrator",
     "Everything but who may what",
     {"site.*",
      "os-image.*",
      "os-upgrade-package.*",
      "boot-image.*",
      "driver-package.*",
      "package.*",
      "task-sequence.*",
      "operation.*",
      "collection.*",
      "device.*",
      "deployment.*",
      "distribution-point.*",
      "distribution-point-group.*",
      "boundary.*",
      "boundary-group.*",
      "security-scope.read",
      "maintenance-window.*"}},
    {"SLP000FR",
     "Security Administrator",
     "Administrators, security roles and scopes, and the audit log",
     {"site.read",
      "administrator.*",
      "security-role.*",
      "security-scope.*",
      "audit-log.*",
      "*.set-scope",
      "*.read"}},
    {"SLP000KR",
     "Help Desk",
     "Deploys task sequences that are there to collections that it is given, approves devices, reads their logs",
     {"site.read",
      "task-sequence.read",
      "task-sequence.deploy",
      "collection.read",
      "collection.deploy",
      "device.read",
      "device.approve",
      "deployment.read",
      "deployment.create",
      "operation.read"}},
};

static int put(struct site *site, const struct builtin *role)
{
    int r = db_must(
        site->db,
        SQL_SECURITY_ROLE_BUILTIN,
        DB_ARGS(
            db_text(role->id), db_text(role->name), db_text(role->comment), db_u64(site->now_us)));

    if (r == 0)
        r = db_must(site->db, SQL_SECURITY_ROLE_PERMISSIONS_DROP, DB_ARGS(db_text(role->id)));
    for (size_t i = 0; r == 0 && role->permissions[i]; i++)
        r = security_role_permit(site, role->id, role->permissions[i]);
    return TRACE(r);
}

int security_role_put_builtins(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(site->db, &tx);

    for (size_t i = 0; r == 0 && i < sizeof(builtins) / sizeof(builtins[0]); i++)
        r = put(site, &builtins[i]);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}
