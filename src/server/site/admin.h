/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers of the administrator's API (docs/api/openapi.yaml), named as its operations are
 */

#include "rt/http_server.h"

http_handler admin_get_status;
http_handler admin_list_task_sequences;
http_handler admin_create_task_sequence;
http_handler admin_validate_task_sequence;
http_handler admin_get_task_sequence;
http_handler admin_get_task_sequence_xml;
http_handler admin_get_task_sequence_yaml;
http_handler admin_get_task_sequence_zip;
http_handler admin_change_task_sequence;
http_handler admin_get_task_sequence_validation;
http_handler admin_list_task_sequence_versions;
http_handler admin_edit_task_sequence;
http_handler admin_compare_task_sequence;
http_handler admin_copy_task_sequence;
http_handler admin_list_collections;
http_handler admin_create_collection;
http_handler admin_get_collection;
http_handler admin_add_collection_member;
http_handler admin_change_collection;
http_handler admin_list_collection_variables;
http_handler admin_set_collection_variable;
http_handler admin_remove_collection_variable;
http_handler admin_list_device_variables;
http_handler admin_set_device_variable;
http_handler admin_remove_device_variable;
http_handler admin_list_effective_variables;
http_handler admin_list_devices;
http_handler admin_create_device;
http_handler admin_get_device;
http_handler admin_explain_device_boot;
http_handler admin_explain_boot;
http_handler admin_get_device_log;
http_handler admin_list_deployments;
http_handler admin_create_deployment;
http_handler admin_get_deployment;
http_handler admin_cancel_deployment;
http_handler admin_list_status_messages;
