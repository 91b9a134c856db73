/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a device that boots from the network is answered, and why (docs/protocol/boot.md)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "site/access.h"
#include "site/boot_rule.h"
#include "site/boot_target.h"
#include "site/site.h"

struct boot_request {
    char mac[MAC_TEXT_MAX];
    char uuid[UUID_TEXT_MAX]; /* "": not sent, or one that many machines share */
    unsigned arch;            /* DHCP option 93 */
    bool is_http;             /* UEFI HTTP Boot; otherwise PXE */
    bool is_ipxe;
    char server_address[64];
    const char *stage; /* "discover", "request" or "config" */
    const char *dp_id; /* of the remote distribution point that was asked; NULL: the site itself */
};

struct boot_decision {
    bool is_offer;
    const char *reason;           /* a fixed word */
    char text[512];               /* a sentence for people */
    char package_id[SITE_ID_MAX]; /* of the boot image; "" with silence */
    const char *image_text;       /* a sentence: why that one; "" */
    const char *arch;             /* of the boot image: "x64" or "x86" */
    char x86_package_id
        [SITE_ID_MAX]; /* for a 32-bit processor, which a BIOS says nothing of; "": none */
    char device_id[ACCESS_DEVICE_ID_MAX]; /* "": the site does not know it */
    unsigned dp_http_port; /* of the remote distribution point; 0: it is the site itself */
    int secure_boot;       /* of the last inventory: 1 on, 0 off, -1 not known */
    struct boot_rule rule; /* what it is asked, and how long */
    struct boot_target target;
};

/* The rules alone: the same database and request give the same answer, and nothing is changed. */
int boot_decide(struct site *site, const struct boot_request *request, struct boot_decision *ret);

/**
 * boot_decision_answer() - POST /internal/boot-decisions: decide, record, and for stage `config` make the menu with its
 * ticket
 * @dp_id: the distribution point whose role pxe asks; boot files come from there
 */
int boot_decision_answer(struct site *site, const char *dp_id, const json_t *body, json_t **ret);

/* POST /internal/boot-events: {"mac", "event", "detail"} */
int boot_event_report(struct site *site, const json_t *body);

/* @client, @stage: "" for what is no decision. */
struct boot_event {
    const char *mac;
    const char *event;
    const char *answer;
    const char *reason;
    const char *stage;
    const char *client;
    const char *detail;
    const char *dp_id; /* whose decision it is; NULL: nobody's */
};
int boot_event_add(struct site *site, const struct boot_event *event);

/* What happened on a device, in the history of the address that it has: whoever looks for it finds it with explain-boot. */
int boot_event_add_device(struct site *site,
                          const char *device_id,
                          const char *event,
                          const char *detail);

/**
 * boot_explain() - what would be answered now, and what was answered and done before
 * @which:     MAC address, SMBIOS UUID, or a device's id or name
 * @is_device: refuse also a MAC address and a UUID that no device of the site has
 */
int boot_explain(struct site *site, const char *which, bool is_device, json_t **ret);
