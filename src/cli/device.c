/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include "base/own.h"
#include "base/text.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 1024,
    FILTER_PATH_MAX_BYTES = 16 * 1024,
};

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"MAC addresses", "macs", OUTPUT_TEXT},
    {"SMBIOS UUID", "smbios_uuid", OUTPUT_TEXT},
    {"TPM key", "tpm_key", OUTPUT_TEXT},
    {"Imported", "is_imported", OUTPUT_TEXT},
    {"In a maintenance window", "maintenance_window.is_open", OUTPUT_TEXT},
    {"Next maintenance window (UTC)", "maintenance_window.next_at", OUTPUT_TIME},
    {"Unknown computer", "is_unknown", OUTPUT_TEXT},
    {"Blocked", "is_blocked", OUTPUT_TEXT},
    {"Because", "block_reason", OUTPUT_TEXT},
    {"Protected", "is_protected", OUTPUT_TEXT},
    {"Collections", "collections", OUTPUT_TEXT},
    {"Primary users", "primary_users", OUTPUT_TEXT},
    {"Created (UTC)", "created_at", OUTPUT_TIME},
    {"Last seen (UTC)", "last_seen_at", OUTPUT_TIME},
    {"Manufacturer", "inventory.smbios.manufacturer", OUTPUT_TEXT},
    {"Model", "inventory.smbios.model", OUTPUT_TEXT},
    {"Serial number", "inventory.smbios.serial", OUTPUT_TEXT},
    {"Asset tag", "inventory.smbios.asset_tag", OUTPUT_TEXT},
    {"Firmware", "inventory.firmware", OUTPUT_TEXT},
    {"Secure Boot", "inventory.secure_boot", OUTPUT_TEXT},
    {"Architecture", "inventory.arch", OUTPUT_TEXT},
    {"Processor", "inventory.cpu", OUTPUT_TEXT},
    {"Processors", "inventory.n_cpus", OUTPUT_TEXT},
    {"Memory", "inventory.memory_bytes", OUTPUT_BYTES},
    {"TPM", "inventory.tpm", OUTPUT_TEXT},
    {"Agent", "inventory.agent_version", OUTPUT_TEXT},
    {"Deployment", "deployment.deployment_id", OUTPUT_TEXT},
    {"Its state", "deployment.state", OUTPUT_TEXT},
    {"Step of all", "deployment.position", OUTPUT_TEXT},
    {"Group", "deployment.step_group", OUTPUT_TEXT},
    {"Step", "deployment.step_name", OUTPUT_TEXT},
    {"Percent", "deployment.percent", OUTPUT_TEXT},
    {"Rate", "deployment.rate_bytes_per_s", OUTPUT_BYTES},
    {"Activity", "deployment.activity", OUTPUT_TEXT},
    {0},
};

bool device_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"NAME", "name", OUTPUT_TEXT},
        {"MAC ADDRESSES", "macs", OUTPUT_TEXT},
        {"IMPORTED", "is_imported", OUTPUT_TEXT},
        {"LAST SEEN (UTC)", "last_seen_at", OUTPUT_TIME},
        {"ID", "id", OUTPUT_TEXT},
        {0},
    };

    OWN(buf_fini) struct buf path = BUF_INIT(FILTER_PATH_MAX_BYTES);
    const char *filter = args_get(args, "filter");

    buf_adds(&path, filter ? "/devices?filter=" : "/devices");
    session_escape(&path, filter ? filter : "");
    return session_show_list(s, buf_str(&path), columns);
}

bool device_show(struct session *s, const struct args *args)
{
    static const struct output_column disks[] = {
        {"DISK", "name", OUTPUT_TEXT},
        {"MODEL", "model", OUTPUT_TEXT},
        {"SERIAL", "serial", OUTPUT_TEXT},
        {"SIZE", "size_bytes", OUTPUT_BYTES},
        {"REMOVABLE", "is_removable", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column nics[] = {
        {"INTERFACE", "name", OUTPUT_TEXT},
        {"MAC", "mac", OUTPUT_TEXT},
        {"DRIVER", "driver", OUTPUT_TEXT},
        {"LINK", "has_link", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *device = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[0]);
    return session_open(s) && session_get(s, &device, "/devices/%s", buf_str(&id)) &&
           session_print_fields(s, device, fields) &&
           session_print_part(s, "Disks", output_at(device, "inventory.disks"), disks) &&
           session_print_part(s, "Network", output_at(device, "inventory.nics"), nics);
}

static bool check_identity(struct session *s, const char *mac, const char *uuid, char *ret_mac)
{
    uint8_t mac_bytes[MAC_BYTES];
    uint8_t uuid_bytes[UUID_BYTES];

    ret_mac[0] = '\0';
    if (!mac && !uuid)
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "say by what it is known: --mac, --uuid, or both");
    if (mac && !mac_parse(bytes_of(mac), mac_bytes))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "\"%s\" is no MAC address (52:54:00:12:34:56)", mac);
    if (uuid && !uuid_parse(bytes_of(uuid), uuid_bytes))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "\"%s\" is no UUID", uuid);
    if (mac)
        mac_put(ret_mac, mac_bytes);
    return true;
}

bool device_import(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *device = NULL;
    char mac[MAC_TEXT_MAX];
    json_t *body;

    if (!check_identity(s, args_get(args, "mac"), args_get(args, "uuid"), mac) || !session_open(s))
        return false;
    body = json_pack("{s:s, s:s*, s:s*, s:s*, s:b}",
                     "name",
                     args->operands[0],
                     "mac",
                     mac[0] ? mac : NULL,
                     "smbios_uuid",
                     args_get(args, "uuid"),
                     "collection",
                     args_get(args, "collection"),
                     "validate_only",
                     (int)args->is_dry);
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "a name is not UTF-8");
    return session_call(s, "POST", "/devices", body, &device) &&
           session_print_fields(s, device, fields);
}

static const struct output_column judged[] = {
    {"DEPLOYMENT", "deployment_id", OUTPUT_TEXT},
    {"TASK SEQUENCE", "task_sequence_name", OUTPUT_TEXT},
    {"COLLECTION", "collection_name", OUTPUT_TEXT},
    {"PURPOSE", "purpose", OUTPUT_TEXT},
    {"PRIORITY", "priority", OUTPUT_TEXT},
    {"STATE", "verdict", OUTPUT_TEXT},
    {"UNTIL (UTC)", "changes_at", OUTPUT_TIME},
    {0},
};

bool device_explain_client(struct session *s, const struct args *args)
{
    static const struct output_column explained[] = {
        {"Device", "device.name", OUTPUT_TEXT},
        {"Is a client", "is_client", OUTPUT_TEXT},
        {"Last heard (UTC)", "device.last_seen_at", OUTPUT_TIME},
        {"Its key lapses (UTC)", "key_expires_at", OUTPUT_TIME},
        {"Would begin", "begins", OUTPUT_TEXT},
        {"In a maintenance window", "maintenance_window.is_open", OUTPUT_TEXT},
        {"Next window (UTC)", "maintenance_window.next_at", OUTPUT_TIME},
        {0},
    };
    OWN(session_json_freep) json_t *explanation = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[0]);
    return session_open(s) &&
           session_get(s, &explanation, "/devices/%s/client-explanation", buf_str(&id)) &&
           session_print_fields(s, explanation, explained) &&
           session_print_part(s,
                              "Deployments, the chosen one first",
                              output_at(explanation, "deployments"),
                              judged);
}

bool device_explain_boot(struct session *s, const struct args *args)
{
    static const struct output_column decision[] = {
        {"MAC address", "mac", OUTPUT_TEXT},
        {"SMBIOS UUID", "uuid", OUTPUT_TEXT},
        {"Device", "device.name", OUTPUT_TEXT},
        {"Answer", "decision.answer", OUTPUT_TEXT},
        {"Reason", "decision.reason", OUTPUT_TEXT},
        {"That is", "decision.text", OUTPUT_TEXT},
        {"Boot image", "decision.package_id", OUTPUT_TEXT},
        {"Why this one", "decision.boot_image_text", OUTPUT_TEXT},
        {"Deployment", "decision.deployment_id", OUTPUT_TEXT},
        {"In a maintenance window", "maintenance_window.is_open", OUTPUT_TEXT},
        {"Next window (UTC)", "maintenance_window.next_at", OUTPUT_TIME},
        {"Password asked, of", "screen.password_of", OUTPUT_TEXT},
        {"Screen waits for", "screen.waits_for", OUTPUT_TEXT},
        {"Wrong passwords", "screen.n_wrong", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column choices[] = {
        {"DEPLOYMENT", "deployment_id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"COMMENT", "comment", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column variables[] = {
        {"NAME", "name", OUTPUT_TEXT},
        {"SECRET", "is_secret", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column history[] = {
        {"TIME (UTC)", "time", OUTPUT_TIME},
        {"EVENT", "event", OUTPUT_TEXT},
        {"REASON", "reason", OUTPUT_TEXT},
        {"WHAT", "text", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *explanation = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[0]);
    return session_open(s) && session_get(s, &explanation, "/boot-explanations/%s", buf_str(&id)) &&
           session_print_fields(s, explanation, decision) &&
           session_print_part(s,
                              "Deployments, the chosen one first",
                              output_at(explanation, "deployments"),
                              judged) &&
           session_print_part(s,
                              "What the screen lets choose, the default first",
                              output_at(explanation, "screen.choices"),
                              choices) &&
           session_print_part(s,
                              "Variables that the screen asks for",
                              output_at(explanation, "screen.variables"),
                              variables) &&
           session_print_part(
               s, "What happened, newest first", output_at(explanation, "history"), history);
}
