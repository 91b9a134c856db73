/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_decision.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/boot_gate.h"
#include "site/device.h"
#include "site/dp.h"
#include "site/maintenance_window.h"
#include "site/rows.h"

/* What a device of this kind would send: nobody knows until it does. */
static struct boot_request usual_request(void)
{
    return (struct boot_request){.arch = 7, .server_address = "", .stage = "discover"};
}

static int
complete_from_device(struct site *site, const char *device_id, struct boot_request *request)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(db_rows_fini) struct db_rows mac = {0};
    int r = db_first(site->db, SQL_BOOT_DEVICE, DB_ARGS(db_text(device_id)), &rows);

    if (r == DB_ROW && strcmp(db_get_text(&rows, 4), "bios") == 0)
        request->arch = 0;
    if (r == DB_ROW && !request->mac[0] && !request->uuid[0])
        (void)snprintf(request->uuid, sizeof(request->uuid), "%s", db_get_text(&rows, 7));
    if (r < 0 || request->mac[0])
        return r < 0 ? TRACE(r) : 0;
    r = db_first(site->db, SQL_BOOT_DEVICE_MAC, DB_ARGS(db_text(device_id)), &mac);
    if (r == DB_ROW)
        (void)snprintf(request->mac, sizeof(request->mac), "%s", db_get_text(&mac, 0));
    return r < 0 ? TRACE(r) : 0;
}

/* Of a known device that has no mark of its own left: whatever asks, it is not taken for this one. */
static void decide_without_mark(const char *device_id, struct boot_decision *ret)
{
    *ret = (struct boot_decision){
        .reason = "no-hardware-id", .image_text = "", .arch = "", .secure_boot = -1};
    (void)snprintf(ret->device_id, sizeof(ret->device_id), "%s", device_id);
    (void)snprintf(
        ret->text,
        sizeof(ret->text),
        "The device has no MAC address and no SMBIOS UUID of its own, so no computer that starts is taken for it. Give it "
        "one: slipway device set.");
}

static json_t *text_or_null(const char *text)
{
    return text[0] ? json_string(text) : json_null();
}

static int
put(struct site *site, const struct boot_request *request, const char *device_id, json_t **ret)
{
    OWN(json_freep) json_t *history = NULL;
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep) json_t *deployments = NULL;
    OWN(json_freep) json_t *asked = NULL;
    OWN(json_freep) json_t *window = NULL;
    struct boot_decision decision;
    int r = 0;

    if (device_id[0] && !request->mac[0] && !request->uuid[0])
        decide_without_mark(device_id, &decision);
    else
        r = boot_decide(site, request, &decision);
    if (r < 0)
        return TRACE(r);
    r = rows_array(site->db, SQL_BOOT_EVENT_HISTORY, DB_ARGS(db_text(request->mac)), &history);
    if (r < 0)
        return TRACE(r);
    r = boot_target_list(site, decision.device_id, false, &deployments);
    if (r == 0)
        r = boot_gate_explain(
            site, decision.device_id, request->dp_id ? request->dp_id : DP_OWN_ID, &asked);
    if (r == 0)
        r = device_windows_explain(site, decision.device_id, &window);
    if (r == 0 && decision.device_id[0])
        r = device_get(site, decision.device_id, &device);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:s,s:o,s:{s:s,s:s,s:s,s:o,s:s,s:o},s:O,s:O,s:O,s:O}",
                     "mac",
                     request->mac,
                     "uuid",
                     request->uuid,
                     "device",
                     device ? json_incref(device) : json_null(),
                     "decision",
                     "answer",
                     decision.is_offer ? "offer" : "silence",
                     "reason",
                     decision.reason,
                     "text",
                     decision.text,
                     "package_id",
                     text_or_null(decision.package_id),
                     "boot_image_text",
                     decision.image_text,
                     "deployment_id",
                     text_or_null(decision.target.deployment_id),
                     "deployments",
                     deployments,
                     "maintenance_window",
                     window,
                     "screen",
                     asked,
                     "history",
                     history);
    return *ret ? 0 : ERR(-ENOMEM);
}

int boot_explain(struct site *site, const char *which, bool is_device, json_t **ret)
{
    struct boot_request request = usual_request();
    char device_id[ACCESS_DEVICE_ID_MAX] = "";
    uint8_t bytes[UUID_BYTES];
    int r;

    if (mac_parse(bytes_of(which), bytes))
        mac_put(request.mac, bytes);
    else if (uuid_parse(bytes_of(which), bytes))
        uuid_put(request.uuid, bytes);
    r = device_find(site, which, device_id);
    if (r < 0)
        return TRACE(r);
    if (r == SITE_E_REFUSED && (is_device || (!request.mac[0] && !request.uuid[0])))
        return SITE_E_REFUSED;
    if (r == SITE_E_REFUSED)
        device_id[0] = '\0';
    else {
        r = complete_from_device(site, device_id, &request);
        if (r < 0)
            return TRACE(r);
    }
    return TRACE(put(site, &request, device_id, ret));
}
