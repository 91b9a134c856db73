/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers of the administrator's API for content and the work on it (docs/api/openapi.yaml), named as its operations are
 */

#include "rt/http_server.h"

http_handler admin_list_os_images;
http_handler admin_create_os_image;
http_handler admin_get_os_image;
http_handler admin_list_os_upgrade_packages;
http_handler admin_create_os_upgrade_package;
http_handler admin_get_os_upgrade_package;
http_handler admin_list_boot_images;
http_handler admin_create_boot_image;
http_handler admin_get_boot_image;
http_handler admin_list_driver_packages;
http_handler admin_create_driver_package;
http_handler admin_get_driver_package;
http_handler admin_list_packages;
http_handler admin_create_package;
http_handler admin_get_package;
http_handler admin_list_content;
http_handler admin_get_content;
http_handler admin_change_content;
http_handler admin_delete_content;
http_handler admin_list_content_versions;
http_handler admin_update_content;
http_handler admin_roll_back_content;
http_handler admin_export_content;
http_handler admin_prestage_content;
http_handler admin_list_operations;
http_handler admin_get_operation;
http_handler admin_cancel_operation;
