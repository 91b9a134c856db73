/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "agent/facts/parts.h"
#include "agent/steps/capture_network.h"
#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    NAME_MAX_BYTES = 256,
    ROLE_WORKSTATION =
        0, /* Win32_ComputerSystem.DomainRole; one more: it is a member of a domain */
    ROLE_SERVER = 2,
};

static bool is_server(unsigned chassis)
{
    static const unsigned servers[] = {17, 23, 28, 29};

    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
        if (servers[i] == chassis)
            return true;
    return false;
}

/* By what joined it: sssd, Samba, or the keytab alone. */
void gather_domain(struct gather *g, struct ts_instance *i)
{
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    OWN(fd_closep)
    int root = open(g->root[0] != '\0' ? g->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    unsigned role = is_server(g->chassis) ? ROLE_SERVER : ROLE_WORKSTATION;
    bool is_domain = false;

    if (root < 0 || capture_network_find_membership(root, &is_domain, &name) != 0 || name.failed ||
        name.len == 0) {
        is_domain = false;
        buf_clear(&name);
        buf_adds(&name, "WORKGROUP");
    }
    gather_text(g, i, "Domain", buf_str(&name));
    gather_text(g, i, "Workgroup", is_domain ? "" : buf_str(&name));
    ts_instance_add_boolean(g->table, i, "PartOfDomain", is_domain);
    gather_number(g, i, "DomainRole", role + (is_domain ? 1 : 0));
}
