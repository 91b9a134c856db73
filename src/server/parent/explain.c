/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/parent.h"

#include <inttypes.h>
#include <stdio.h>

#include "plat/file.h"
#include "server/parent/failure.h"
#include "server/parent/prepare.h"
#include "server/parent/users.h"

static void say_users(const struct users *users)
{
    for (unsigned i = 0; i < N_CHILDREN; i++)
        (void)printf("user: %s (%" PRIu32 ")\n",
                     users->is_root ? users_names[i] : "the caller",
                     users->uids[i]);
}

static void say_what_it_is(const struct parent_options *options)
{
    const struct server_config *config = options->config;

    if (options->remote.is_on)
        (void)printf("distribution point of: %s\n"
                     "http: port %" PRIu64 "\n",
                     options->remote.url,
                     config->http_port);
    else
        (void)printf("site: %s at %s\n"
                     "http: port %" PRIu64 "\n"
                     "https: port %" PRIu64 "\n"
                     "database: %s\n",
                     config->site_name,
                     config->addresses,
                     config->http_port,
                     config->https_port,
                     config->database[0] != '\0' ? "PostgreSQL" : "SQLite, in the state folder");
}

int parent_explain(const struct parent_options *options)
{
    const struct server_config *config = options->config;
    const char *nginx = prepare_find_nginx();
    struct users users;
    int r = users_find(&users);

    if (r < 0)
        return parent_fail_errno(r, "cannot find the users of", "the roles");
    (void)printf("configuration: %s\n"
                 "state folder: %s (%s)\n",
                 options->config_file,
                 options->state_folder,
                 file_exists(options->state_folder) ? "exists" : "will be made");
    say_what_it_is(options);
    if (config->is_pxe_on)
        (void)printf("pxe: ports %" PRIu64 ", %" PRIu64 " and %" PRIu64 " on %s\n",
                     config->pxe_dhcp_port,
                     config->pxe_boot_server_port,
                     config->pxe_tftp_port,
                     config->pxe_interfaces[0] != '\0' ? config->pxe_interfaces : "all interfaces");
    (void)printf("roles:%s%s%s\n",
                 options->remote.is_on ? "" : " site",
                 config->is_dp_on ? " dp" : "",
                 config->is_pxe_on ? " pxe" : "");
    say_users(&users);
    if (!nginx)
        return parent_fail(PARENT_EXIT_NO_NGINX, "nginx is not installed (Debian: nginx-light)");
    (void)printf("nginx: %s\n", nginx);
    return PARENT_EXIT_OK;
}
