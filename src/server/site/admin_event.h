/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers of the administrator's API about events (docs/api/openapi.yaml)
 */

#include "rt/http_server.h"

http_handler admin_follow_events;
