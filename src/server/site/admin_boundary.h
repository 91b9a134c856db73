/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers of boundaries and boundary groups (docs/api/openapi.yaml), named as its operations are
 */

#include "rt/http_server.h"

http_handler admin_list_boundaries;
http_handler admin_create_boundary;
http_handler admin_delete_boundary;

http_handler admin_list_boundary_groups;
http_handler admin_create_boundary_group;
http_handler admin_get_boundary_group;
http_handler admin_set_boundary_group;
http_handler admin_delete_boundary_group;
http_handler admin_add_boundary_group_boundary;
http_handler admin_remove_boundary_group_boundary;
http_handler admin_add_boundary_group_distribution_point;
http_handler admin_remove_boundary_group_distribution_point;
http_handler admin_add_boundary_group_neighbour;
http_handler admin_remove_boundary_group_neighbour;
http_handler admin_explain_boundary;
