/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers of the agent's calls (docs/protocol/client-api.md)
 */

#include "rt/http_server.h"

http_handler client_time;
http_handler client_register;
http_handler client_renew_token;
http_handler client_make_tpm_credential;
http_handler client_get_order;
http_handler client_put_inventory;
http_handler client_list_deployments;
http_handler client_put_name;
http_handler client_put_boot_password;
http_handler client_put_choice;
http_handler client_reopen_choice;
http_handler client_drop_choice;
http_handler client_put_prestart;
http_handler client_put_variables;
http_handler client_report_status;
http_handler client_get_wish;
http_handler client_put_state;
http_handler client_put_log;
http_handler client_debug;
http_handler client_send_log;
http_handler client_begin_capture;
http_handler client_get_capture;
http_handler client_publish_capture;
