/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers for the roles among themselves (docs/protocol/boot.md, docs/protocol/content.md)
 */

#include "rt/http_server.h"

http_handler internal_authorize; /* for nginx, on run/api.sock */
http_handler internal_decide_boot;
http_handler internal_report_boot_event;
http_handler internal_register_dp_key;
http_handler internal_renew_dp_token;
http_handler internal_claim_job;
http_handler internal_find_unnamed;
http_handler internal_report_job;
http_handler internal_back_up;
