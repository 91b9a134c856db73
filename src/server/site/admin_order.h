/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers for administrators: a deployment on one device, while it runs
 */

#include "rt/http_server.h"

http_handler admin_cancel_order;
http_handler admin_pause_order;
http_handler admin_resume_order;
