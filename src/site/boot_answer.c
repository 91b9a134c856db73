/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_decision.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/boot_config.h"
#include "site/device.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/rows.h"

enum {
    EVENTS_PER_MAC_MAX = 200,
    EVENTS_MAX = 100000, /* whoever makes up MAC addresses pushes out events, and fills no disk */
};

int boot_event_add(struct site *site, const struct boot_event *event)
{
    struct db_args args = DB_ARGS(db_text(event->mac),
                                  db_u64(site->now_us),
                                  db_text(event->event),
                                  db_text(event->answer),
                                  db_text(event->reason),
                                  db_text(event->stage),
                                  db_text(event->client),
                                  db_text(event->detail),
                                  db_text(event->dp_id ? event->dp_id : ""));
    int r = db_must(site->db, SQL_BOOT_EVENT_ADD, args);

    if (r == 0)
        r = db_must(site->db,
                    SQL_BOOT_EVENT_TRIM,
                    DB_ARGS(db_text(event->mac), db_u64(EVENTS_PER_MAC_MAX)));
    if (r == 0)
        r = db_must(site->db, SQL_BOOT_EVENT_TRIM_ALL, DB_ARGS(db_u64(EVENTS_MAX)));
    return TRACE(r);
}

int boot_event_add_device(struct site *site,
                          const char *device_id,
                          const char *event,
                          const char *detail)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char mac[MAC_TEXT_MAX] = "";
    int r = db_first(site->db, SQL_BOOT_DEVICE_MAC, DB_ARGS(db_text(device_id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW)
        (void)snprintf(mac, sizeof(mac), "%s", db_get_text(&rows, 0));
    db_rows_fini(&rows);
    return TRACE(
        boot_event_add(site, &(struct boot_event){mac, event, "", "", "", "", detail, NULL}));
}

static int read_request(struct site *site, const json_t *body, struct boot_request *ret)
{
    static const struct field fields[] = {
        {"mac", FIELD_MAC, true, 0, 0, NULL},
        {"uuid", FIELD_UUID, false, 0, 0, NULL},
        {"arch", FIELD_NUMBER, true, 0, UINT16_MAX, NULL},
        {"client", FIELD_CHOICE, true, 0, 0, "pxe|http"},
        {"ipxe", FIELD_BOOL, false, 0, 0, NULL},
        {"server_address", FIELD_TEXT, true, 1, 63, NULL},
        {"stage", FIELD_CHOICE, true, 0, 0, "discover|request|config"},
        {0},
    };
    uint8_t bytes[UUID_BYTES];
    int r = fields_check(site, body, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    *ret = (struct boot_request){
        .arch = (unsigned)field_number(body, "arch", 0),
        .is_http = strcmp(field_text(body, "client", ""), "http") == 0,
        .is_ipxe = field_bool(body, "ipxe"),
        .stage = field_text(body, "stage", ""),
    };
    if (mac_parse(bytes_of(field_text(body, "mac", "")), bytes))
        mac_put(ret->mac, bytes);
    if (uuid_parse(bytes_of(field_text(body, "uuid", "")), bytes))
        uuid_put(ret->uuid, bytes);
    (void)snprintf(ret->server_address,
                   sizeof(ret->server_address),
                   "%s",
                   field_text(body, "server_address", ""));
    if (strspn(ret->server_address, "0123456789.:abcdefABCDEF") != strlen(ret->server_address))
        return refuse(site, REFUSAL_INVALID, "\"server_address\" must be an IP address.");
    return 0;
}

static int make_config(struct site *site,
                       const struct boot_request *request,
                       const struct boot_decision *decision,
                       struct buf *ret)
{
    char ticket[TOKEN_TEXT_MAX];
    int r = access_new_boot_ticket(site, request->mac, ticket);
    struct boot_config config = {
        .site = site,
        .server_address = request->server_address,
        .dp_http_port = decision->dp_http_port,
        .package_id = decision->package_id,
        .x86_package_id = decision->x86_package_id,
        .arch = decision->arch,
        .mac = request->mac,
        .ticket = ticket,
        .title = decision->target.n_choices > 0 ? "Slipway" : decision->target.task_sequence_name,
        .menu_s = decision->rule.menu_s,
        /* what was chosen once goes on by itself */
        .is_required = decision->target.is_required || decision->target.is_preferred ||
                       strcmp(decision->target.order_state, "in-progress") == 0,
    };

    if (r < 0)
        return TRACE(r);
    if (request->is_ipxe)
        boot_config_put_ipxe(&config, ret);
    else
        boot_config_put_grub(&config, ret);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

/* The name of the boot file by TFTP. */
static void put_file(const struct boot_request *request,
                     const struct boot_decision *decision,
                     char *dst,
                     size_t cap)
{
    if (request->is_ipxe)
        (void)snprintf(dst, cap, "ipxe/%s.ipxe", request->mac);
    else
        (void)snprintf(dst,
                       cap,
                       "%s/%s/%s",
                       decision->package_id,
                       decision->arch,
                       request->arch == 0                   ? "undionly.kpxe"
                       : strcmp(decision->arch, "x86") == 0 ? "shimia32.efi"
                                                            : "shimx64.efi");
}

static int put_offer(struct site *site,
                     const struct boot_request *request,
                     const struct boot_decision *decision,
                     json_t *dst)
{
    OWN(buf_fini) struct buf config = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    OWN(buf_fini) struct buf url = BUF_INIT(BOOT_CONFIG_MAX_BYTES);
    const struct boot_config where = {
        .site = site,
        .server_address = request->server_address,
        .dp_http_port = decision->dp_http_port,
        .package_id = decision->package_id,
        .arch = decision->arch,
    };
    char file[128];

    put_file(request, decision, file, sizeof(file));
    boot_config_put_url(&where, "ramdisk.img", &url);
    (void)json_object_set_new(dst, "package_id", json_string(decision->package_id));
    (void)json_object_set_new(dst,
                              request->is_http ? "url" : "file",
                              json_string(request->is_http ? buf_str(&url) : file));
    if (strcmp(request->stage, "config") == 0) {
        int r = make_config(site, request, decision, &config);

        if (r < 0)
            return TRACE(r);
        (void)json_object_set_new(dst, "config", json_string(buf_str(&config)));
    }
    return url.failed ? ERR(-ENOMEM) : 0;
}

static json_t *secure_boot_value(const struct boot_decision *decision)
{
    return decision->secure_boot < 0 ? json_null() : json_boolean(decision->secure_boot);
}

int boot_decision_answer(struct site *site, const char *dp_id, const json_t *body, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *answer = NULL;
    struct boot_request request = {0};
    struct boot_decision decision = {0};
    int r = read_request(site, body, &request);

    if (r != 0)
        return TRACE(r);
    if (strcmp(dp_id, DP_OWN_ID) != 0)
        request.dp_id = dp_id;
    r = db_begin(site->db, &tx);
    if (r < 0)
        return TRACE(r);
    r = boot_decide(site, &request, &decision);
    if (r < 0)
        return TRACE(r);
    answer = json_pack("{s:s,s:s,s:s,s:n,s:s?,s:n,s:n,s:n,s:o}",
                       "answer",
                       decision.is_offer ? "offer" : "silence",
                       "reason",
                       decision.reason,
                       "text",
                       decision.text,
                       "package_id",
                       "arch",
                       decision.arch,
                       "file",
                       "url",
                       "config",
                       "secure_boot",
                       secure_boot_value(&decision));
    if (!answer)
        return ERR(-ENOMEM);
    r = decision.is_offer ? put_offer(site, &request, &decision, answer) : 0;
    if (r < 0)
        return TRACE(r);
    r = boot_event_add(site,
                       &(struct boot_event){request.mac,
                                            "decision",
                                            decision.is_offer ? "offer" : "silence",
                                            decision.reason,
                                            request.stage,
                                            request.is_http ? "http" : "pxe",
                                            decision.text,
                                            dp_id});
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(answer);
    return TRACE(db_commit(&tx));
}

int boot_event_report(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"mac", FIELD_MAC, true, 0, 0, NULL},
        {"event", FIELD_TEXT, true, 1, 64, NULL},
        {"detail", FIELD_TEXT, false, 0, 1024, NULL},
        {0},
    };
    uint8_t bytes[MAC_BYTES];
    char mac[MAC_TEXT_MAX];
    int r = fields_check(site, body, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (mac_parse(bytes_of(field_text(body, "mac", "")), bytes))
        mac_put(mac, bytes);
    return TRACE(boot_event_add(site,
                                &(struct boot_event){
                                    .mac = mac,
                                    .event = field_text(body, "event", ""),
                                    .answer = "",
                                    .reason = "",
                                    .stage = "",
                                    .client = "",
                                    .detail = field_text(body, "detail", ""),
                                }));
}
