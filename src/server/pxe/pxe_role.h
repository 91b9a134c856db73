/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of the role `pxe`, which share one loop, one table of clients and one link to the site:
 *
 *     offers.c      hears DHCP, asks the site, answers
 *     boot_files.c  answers TFTP requests
 */

#include <netinet/in.h>
#include <stdint.h>
#include <uv.h>

#include "rt/token_file.h"
#include "server/pxe/boot_clients.h"
#include "server/pxe/site_link.h"
#include "server/pxe/tftp_service.h"
#include "server/role.h"

struct offers;

struct pxe_role {
    const struct role_options *options;
    uv_loop_t loop;
    struct boot_clients clients;
    struct token_file token;   /* for @site */
    struct site_link *site;    /* owned */
    struct tftp_service *tftp; /* owned; NULL: no TFTP */
    struct offers *offers;     /* owned */
};

enum {
    ADDRESS_TEXT_MAX = INET_ADDRSTRLEN,
};

/* "10.77.0.1" of a number in host byte order. Return: @dst */
const char *address_text(char dst[static ADDRESS_TEXT_MAX], uint32_t address);

/* Whether the administrator lets us answer on that interface; @name: SITE_INTERFACE_MAX bytes. */
bool pxe_role_name_interface(const struct pxe_role *role, unsigned index, char *name);

/* The DHCP half; descriptors of -1 are left out. */
int offers_new(struct pxe_role *role, struct offers **ret);
void offers_stop(struct offers *offers);

/* The site has answered a question that offers.c asked. */
void offers_answer(struct pxe_role *role, const void *extra, const struct site_decision *decision);

/* The TFTP half: the two callbacks of tftp_service, @ctx a struct pxe_role. */
void boot_files_resolve(void *ctx, const struct tftp_ask *ask);
void boot_files_event(void *ctx, const struct tftp_event *event);

/* The site has answered a question that boot_files.c asked. */
void boot_files_answer(struct pxe_role *role,
                       const void *extra,
                       const struct site_decision *decision);
