/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers for administrators: a deployment on one device, while it runs
 */

#include "rt/http_server.h"

http_handler admin_cancel_order;
http_handler admin_pause_order;
http_handler admin_resume_order;
http_handler admin_list_order_steps;
http_handler admin_get_order_state;
http_handler admin_want_order_log;
http_handler admin_get_order_log;
http_handler admin_debug_order;
http_handler admin_enable_order_debugging;
