/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/parent_start.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/log.h"
#include "server/config.h"
#include "server/parent/failure.h"
#include "server/parent/parent.h"

/* The state folder as the children, who work elsewhere, must know it. */
static int find_state(const char *name, bool is_dry, char ret[static PATH_MAX])
{
    int r = is_dry ? 0 : dir_make(name, 0755);

    if (r < 0)
        return parent_fail_errno(r, "cannot make the state folder", name);
    if (realpath(name, ret))
        return PARENT_EXIT_OK;
    if (!is_dry || snprintf(ret, PATH_MAX, "%s", name) >= PATH_MAX)
        return parent_fail_errno(-errno, "cannot use the state folder", name);
    return PARENT_EXIT_OK;
}

int parent_start(const char *state_folder, const char *config_file, bool is_dry)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(buf_fini) struct buf text = BUF_INIT(SERVER_CONFIG_MAX_BYTES);
    OWN(server_config_fini) struct server_config config = {.site_name = NULL};
    char state[PATH_MAX];
    struct parent_options options = {
        .config = &config,
        .config_file = config_file ? config_file : SERVER_CONFIG_FILE,
        .state_folder = state,
    };
    int r = server_config_read(options.config_file, !config_file, &text, &why);

    if (r == 0)
        r = server_config_parse(options.config_file, buf_bytes(&text), &config, &why);
    if (r < 0)
        return parent_fail_errno(r, "cannot read", options.config_file);
    if (r > 0)
        return parent_fail(PARENT_EXIT_BAD_CONFIG, "%s", buf_str(&why));
    options.config_text = buf_str(&text);
    log_init("slipwayd", (enum log_level)config.log_level);
    if (server_config_check_mode(options.config_file, &config, &why) > 0)
        log_warning("the configuration is no secret", "text=\"%s\"", buf_str(&why));
    r = find_state(state_folder, is_dry, state);
    if (r != PARENT_EXIT_OK)
        return r;
    r = remote_load(state, &options.remote);
    if (r < 0)
        return parent_fail_errno(r, "cannot read keys/site-url in", state);
    if (r == REMOTE_E_DAMAGED)
        return parent_fail(PARENT_EXIT_BAD_KEYS,
                           "keys/site-url in %s is damaged: remove it, and join the site again",
                           state);
    return is_dry ? parent_explain(&options) : parent_run(&options);
}
