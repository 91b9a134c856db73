/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/api.h"

#include <stddef.h>

#include "server/site/admin.h"
#include "server/site/admin_content.h"
#include "server/site/client.h"
#include "server/site/internal.h"

#define V1 "/api/v1"

enum {
    SMALL_MAX_BYTES = 64 * 1024,
    REGISTRATION_MAX_BYTES = 256 * 1024,
    LOG_MAX_BYTES = 256 * 1024,
    XML_MAX_BYTES = 8 * 1024 * 1024, /* as JSON, where half of the characters may be escaped */
    RESULT_MAX_BYTES = 1024 * 1024,
};

const struct http_route api_routes[] = {
    {"POST", V1 "/logins", SMALL_MAX_BYTES, admin_create_login},
    {"DELETE", V1 "/logins/current", 0, admin_delete_current_login},
    {"GET", V1 "/status", 0, admin_get_status},
    {"GET", V1 "/os-images", 0, admin_list_os_images},
    {"POST", V1 "/os-images", SMALL_MAX_BYTES, admin_create_os_image},
    {"GET", V1 "/os-images/{id}", 0, admin_get_os_image},
    {"GET", V1 "/os-upgrade-packages", 0, admin_list_os_upgrade_packages},
    {"POST", V1 "/os-upgrade-packages", SMALL_MAX_BYTES, admin_create_os_upgrade_package},
    {"GET", V1 "/os-upgrade-packages/{id}", 0, admin_get_os_upgrade_package},
    {"GET", V1 "/boot-images", 0, admin_list_boot_images},
    {"POST", V1 "/boot-images", SMALL_MAX_BYTES, admin_create_boot_image},
    {"GET", V1 "/boot-images/{id}", 0, admin_get_boot_image},
    {"GET", V1 "/driver-packages", 0, admin_list_driver_packages},
    {"POST", V1 "/driver-packages", SMALL_MAX_BYTES, admin_create_driver_package},
    {"GET", V1 "/driver-packages/{id}", 0, admin_get_driver_package},
    {"GET", V1 "/packages", 0, admin_list_packages},
    {"POST", V1 "/packages", SMALL_MAX_BYTES, admin_create_package},
    {"GET", V1 "/packages/{id}", 0, admin_get_package},
    {"GET", V1 "/content", 0, admin_list_content},
    {"GET", V1 "/content/{id}", 0, admin_get_content},
    {"PATCH", V1 "/content/{id}", SMALL_MAX_BYTES, admin_change_content},
    {"DELETE", V1 "/content/{id}", 0, admin_delete_content},
    {"GET", V1 "/content/{id}/versions", 0, admin_list_content_versions},
    {"POST", V1 "/content/{id}/versions", SMALL_MAX_BYTES, admin_update_content},
    {"POST", V1 "/content/{id}/rollback", SMALL_MAX_BYTES, admin_roll_back_content},
    {"POST", V1 "/content/{id}/exports", SMALL_MAX_BYTES, admin_export_content},
    {"GET", V1 "/operations", 0, admin_list_operations},
    {"GET", V1 "/operations/{id}", 0, admin_get_operation},
    {"POST", V1 "/operations/{id}/cancellation", SMALL_MAX_BYTES, admin_cancel_operation},
    {"GET", V1 "/task-sequences", 0, admin_list_task_sequences},
    {"POST", V1 "/task-sequences", XML_MAX_BYTES, admin_create_task_sequence},
    {"POST", V1 "/task-sequences:validate", XML_MAX_BYTES, admin_validate_task_sequence},
    {"GET", V1 "/task-sequences/{id}", 0, admin_get_task_sequence},
    {"GET", V1 "/task-sequences/{id}/xml", 0, admin_get_task_sequence_xml},
    {"GET", V1 "/collections", 0, admin_list_collections},
    {"POST", V1 "/collections", SMALL_MAX_BYTES, admin_create_collection},
    {"GET", V1 "/collections/{id}", 0, admin_get_collection},
    {"POST", V1 "/collections/{id}/members", SMALL_MAX_BYTES, admin_add_collection_member},
    {"GET", V1 "/devices", 0, admin_list_devices},
    {"POST", V1 "/devices", SMALL_MAX_BYTES, admin_create_device},
    {"GET", V1 "/devices/{id}", 0, admin_get_device},
    {"GET", V1 "/devices/{id}/boot-explanation", 0, admin_explain_device_boot},
    {"GET", V1 "/boot-explanations/{mac_or_uuid}", 0, admin_explain_boot},
    {"GET", V1 "/devices/{id}/log", 0, admin_get_device_log},
    {"GET", V1 "/deployments", 0, admin_list_deployments},
    {"POST", V1 "/deployments", SMALL_MAX_BYTES, admin_create_deployment},
    {"GET", V1 "/deployments/{id}", 0, admin_get_deployment},
    {"POST", V1 "/deployments/{id}/cancellation", SMALL_MAX_BYTES, admin_cancel_deployment},
    {"GET", V1 "/status-messages", 0, admin_list_status_messages},
    {"GET", V1 "/client/time", 0, client_time},
    {"POST", V1 "/client/registrations", REGISTRATION_MAX_BYTES, client_register},
    {"POST", V1 "/client/orders", SMALL_MAX_BYTES, client_get_order},
    {"POST", V1 "/client/orders/{id}/status", SMALL_MAX_BYTES, client_report_status},
    {"POST", V1 "/client/log", LOG_MAX_BYTES, client_send_log},
    {"GET", V1 "/internal/authorize", 0, internal_authorize},
    {0},
};

const struct http_route api_role_routes[] = {
    {"POST", V1 "/internal/boot-decisions", SMALL_MAX_BYTES, internal_decide_boot},
    {"POST", V1 "/internal/boot-events", SMALL_MAX_BYTES, internal_report_boot_event},
    {"POST", V1 "/internal/dp/jobs:claim", SMALL_MAX_BYTES, internal_claim_job},
    {"PATCH", V1 "/internal/dp/jobs/{id}", RESULT_MAX_BYTES, internal_report_job},
    {0},
};
