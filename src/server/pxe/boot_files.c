/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plat/clock.h"
#include "rt/log.h"
#include "server/pxe/boot_name.h"
#include "server/pxe/pxe_role.h"
#include "server/pxe/second_stage.h"

/* What grubx64-slipway.efi has where our address belongs: docs/protocol/boot.md. */
#define ADDRESS_SLOT "@SLIPWAY-SERVER-ADDRESS@@@@@@@@@@@@@@@@@"

enum {
    NAME_MAX_BYTES = 64,
    CONFIG_MAX_BYTES = 128,
    DETAIL_MAX_BYTES = 384,
    ARCH_BIOS = 0,
    ARCH_X64_UEFI = 7,
};
_Static_assert(sizeof(ADDRESS_SLOT) - 1 == 40, "as documented");

/* What is carried along while the site thinks. */
struct pending {
    uint64_t ticket;
    enum boot_name_kind kind;
};

static void reply_text(struct pxe_role *role, uint64_t ticket, const char *text)
{
    tftp_service_reply_bytes(role->tftp, ticket, bytes_of(text));
}

static void reply_grub_config(struct pxe_role *role, const struct tftp_ask *ask)
{
    char address[ADDRESS_TEXT_MAX];
    char text[CONFIG_MAX_BYTES];

    (void)snprintf(text,
                   sizeof(text),
                   "configfile (tftp,%s)/grub/device/${net_default_mac}.cfg\n",
                   address_text(address, ntohl(ask->local.s_addr)));
    reply_text(role, ask->ticket, text);
}

/* What firmware of that architecture calls its files. @folder: "SLP00001/x64" */
static const char *efi_name(const char *folder)
{
    size_t len = strlen(folder);

    return len > 4 && strcmp(folder + len - 4, "/x86") == 0 ? "ia32" : "x64";
}

/* @folder may be "": then there is no such file, which is what shim is told. */
static void reply_signed(struct pxe_role *role, uint64_t ticket, const char *folder)
{
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof(name), "%s/grub%s-signed.efi", folder, efi_name(folder));
    tftp_service_reply_file(role->tftp, ticket, name, NULL);
}

/* Our GRUB, told in its slot which address it was loaded from. */
static void reply_slipway(struct pxe_role *role, const struct tftp_ask *ask, const char *folder)
{
    char name[NAME_MAX_BYTES];
    char address[ADDRESS_TEXT_MAX];
    char slot[sizeof(ADDRESS_SLOT)];
    struct tftp_patch patch = {.find = bytes_of(ADDRESS_SLOT)};

    (void)snprintf(name, sizeof(name), "%s/grub%s-slipway.efi", folder, efi_name(folder));
    (void)snprintf(slot,
                   sizeof(slot),
                   "%-*s",
                   (int)sizeof(ADDRESS_SLOT) - 1,
                   address_text(address, ntohl(ask->local.s_addr)));
    patch.replace = bytes_of(slot);
    tftp_service_reply_file(role->tftp, ask->ticket, name, &patch);
}

static void reply_second_stage(struct pxe_role *role,
                               const struct tftp_ask *ask,
                               const char *folder,
                               struct boot_client *client)
{
    const char *why;
    char peer[ADDRESS_TEXT_MAX];
    char next_server[ADDRESS_TEXT_MAX];
    enum second_stage stage =
        second_stage_choose(client, ntohl(ask->local.s_addr), clock_monotonic_us(), &why);

    if (client) {
        client->served = stage;
        client->is_served_whole = false;
        client->is_grub_alive = false;
    }
    log_info("GRUB chosen",
             "peer=%s grub=%s why=%s next-server=%s",
             address_text(peer, ntohl(ask->peer.s_addr)),
             stage == SECOND_STAGE_SIGNED ? "signed" : "slipway",
             why,
             address_text(next_server, client ? client->next_server : 0));
    if (stage == SECOND_STAGE_SIGNED)
        reply_signed(role, ask->ticket, folder);
    else
        reply_slipway(role, ask, folder);
}

/* Shim refused our GRUB, and whoever sat there pressed a key: the signed one under another name. */
static void reply_mok_manager(struct pxe_role *role,
                              const struct tftp_ask *ask,
                              const char *folder,
                              struct boot_client *client)
{
    char peer[ADDRESS_TEXT_MAX];

    log_warning(
        "Secure Boot is on and refused our GRUB; the signed one needs the DHCP server's next-server to "
        "be this site, or use UEFI HTTP Boot",
        "peer=%s",
        address_text(peer, ntohl(ask->peer.s_addr)));
    if (client) {
        second_stage_refuse(client, clock_monotonic_us());
        site_link_report(role->site, client->mac, "secure-boot-refused", "shim refused our GRUB");
    }
    reply_signed(role, ask->ticket, folder);
}

static void
ask_for_config(struct pxe_role *role, const struct tftp_ask *ask, const struct boot_name *name)
{
    const struct boot_client *client = boot_clients_find(&role->clients, name->mac);
    bool is_ipxe = name->kind == BOOT_NAME_IPXE_SCRIPT;
    struct pending pending = {ask->ticket, name->kind};
    struct site_ask question = {
        .is_ipxe = is_ipxe,
        .arch = is_ipxe ? ARCH_BIOS : ARCH_X64_UEFI,
        .stage = SITE_ASK_CONFIG,
        .server_address = ntohl(ask->local.s_addr),
        .key = ask->ticket,
    };
    int r;

    memcpy(question.mac, name->mac, sizeof(question.mac));
    if (client) {
        memcpy(question.uuid, client->uuid, sizeof(question.uuid));
        question.has_uuid = client->has_uuid;
        question.arch = client->arch;
        question.is_http = client->is_http;
        question.relay = client->relay;
    }
    if (!pxe_role_name_interface(role, ask->interface, question.interface)) {
        tftp_service_reply_missing(role->tftp, ask->ticket);
        return;
    }
    r = site_link_ask(role->site, &question, &pending, sizeof(pending));
    if (r < 0)
        log_error("question to the site not asked", "error=\"%s\"", strerrordesc_np(-r));
    /* Busy: the loader asks again. */
}

void boot_files_resolve(void *ctx, const struct tftp_ask *ask)
{
    struct pxe_role *role = ctx;
    struct boot_name name = boot_name_read(ask->name);
    struct boot_client *client = boot_clients_find_address(&role->clients, ntohl(ask->peer.s_addr));

    if (client)
        client->seen_us = clock_monotonic_us();
    if (client && name.folder[0] == '\0')
        memcpy(name.folder, client->folder, sizeof(name.folder));
    switch (name.kind) {
    case BOOT_NAME_FILE:
        tftp_service_reply_file(role->tftp, ask->ticket, ask->name, NULL);
        return;
    case BOOT_NAME_SECOND_STAGE:
        reply_second_stage(role, ask, name.folder, client);
        return;
    case BOOT_NAME_MOK_MANAGER:
        reply_mok_manager(role, ask, name.folder, client);
        return;
    case BOOT_NAME_GRUB_CONFIG:
        if (client)
            client->is_grub_alive = true;
        reply_grub_config(role, ask);
        return;
    case BOOT_NAME_GRUB_MENU:
    case BOOT_NAME_IPXE_SCRIPT:
        ask_for_config(role, ask, &name);
        return;
    case BOOT_NAME_OTHER:
        tftp_service_reply_missing(role->tftp, ask->ticket);
        return;
    }
}

void boot_files_answer(struct pxe_role *role,
                       const void *extra,
                       const struct site_decision *decision)
{
    const struct pending *pending = extra;

    if (decision->is_away) {
        tftp_service_reply_missing(role->tftp, pending->ticket);
        return;
    }
    log_info("boot configuration",
             "kind=%s answer=%s reason=%s",
             pending->kind == BOOT_NAME_IPXE_SCRIPT ? "ipxe" : "grub",
             decision->is_offer ? "offer" : "silence",
             decision->reason);
    if (decision->is_offer && decision->config)
        reply_text(role, pending->ticket, decision->config);
    else if (pending->kind == BOOT_NAME_IPXE_SCRIPT)
        reply_text(role, pending->ticket, "#!ipxe\nexit\n");
    else
        reply_text(role, pending->ticket, "exit\n");
}

static void
report(struct pxe_role *role, const struct boot_client *client, const struct tftp_event *event)
{
    static const char *const words[] = {
        [TFTP_EVENT_ASKED] = "tftp",
        [TFTP_EVENT_FINISHED] = "tftp-finished",
        [TFTP_EVENT_FAILED] = "tftp-failed",
    };
    char why[SITE_TEXT_MAX];
    char detail[DETAIL_MAX_BYTES];

    (void)log_escape(why, sizeof(why), event->why, strlen(event->why));
    (void)snprintf(
        detail, sizeof(detail), "%.100s%s%s", event->name, why[0] != '\0' ? ": " : "", why);
    site_link_report(role->site, client->mac, words[event->kind], detail);
}

static void log_event(const struct tftp_event *event)
{
    char peer[ADDRESS_TEXT_MAX];
    char name[SITE_TEXT_MAX];
    char why[SITE_TEXT_MAX];

    (void)address_text(peer, ntohl(event->peer.s_addr));
    (void)log_escape(name, sizeof(name), event->name, strlen(event->name));
    (void)log_escape(why, sizeof(why), event->why, strlen(event->why));
    if (event->kind == TFTP_EVENT_FINISHED)
        log_info(
            "tftp: file sent", "peer=%s name=\"%s\" bytes=%" PRIu64, peer, name, event->size_bytes);
    else if (event->kind == TFTP_EVENT_FAILED)
        log_warning("tftp: transfer failed",
                    "peer=%s name=\"%s\" acked=%" PRIu64 " bytes=%" PRIu64 " why=\"%s\"",
                    peer,
                    name,
                    event->acked_bytes,
                    event->size_bytes,
                    why);
    else
        log_debug("tftp: request", "peer=%s name=\"%s\" kind=%d", peer, name, (int)event->kind);
}

void boot_files_event(void *ctx, const struct tftp_event *event)
{
    struct pxe_role *role = ctx;
    struct boot_client *client =
        boot_clients_find_address(&role->clients, ntohl(event->peer.s_addr));
    enum boot_name_kind kind = boot_name_read(event->name).kind;

    log_event(event);
    if (!client || kind == BOOT_NAME_OTHER || event->kind == TFTP_EVENT_SIZE ||
        event->kind == TFTP_EVENT_MISSING)
        return;
    if (event->kind == TFTP_EVENT_FINISHED && kind == BOOT_NAME_SECOND_STAGE)
        client->is_served_whole = true;
    report(role, client, event);
}
