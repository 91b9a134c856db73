/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers of distribution points, their groups and distribution (docs/api/openapi.yaml), named as its operations are
 */

#include "rt/http_server.h"

http_handler admin_list_distribution_points;
http_handler admin_get_distribution_point;
http_handler admin_set_distribution_point;
http_handler admin_remove_distribution_point;
http_handler admin_create_distribution_point_token;
http_handler admin_join_distribution_point; /* by the host that joins, with that token */

http_handler admin_list_distribution_point_groups;
http_handler admin_create_distribution_point_group;
http_handler admin_get_distribution_point_group;
http_handler admin_delete_distribution_point_group;
http_handler admin_add_distribution_point_group_member;
http_handler admin_remove_distribution_point_group_member;
http_handler admin_add_distribution_point_group_content;
http_handler admin_remove_distribution_point_group_content;

http_handler admin_get_distribution;
http_handler admin_distribute_content;
http_handler admin_redistribute_content;
http_handler admin_validate_content;
http_handler admin_cancel_distribution;
http_handler admin_remove_content;
http_handler admin_get_distribution_history;
