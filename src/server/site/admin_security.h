/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Handlers of the administrator's API about who may what, named as its operations are
 */

#include <jansson.h>

#include "rt/http_server.h"

struct login_answer;

/* What somebody gets who was let in: a token, or a cookie and its second secret. @ret: owned by the caller */
int admin_put_login(struct http_exchange *x, const struct login_answer *login, json_t **ret);

http_handler admin_create_login;
http_handler admin_delete_current_login;
http_handler admin_start_oidc;
http_handler admin_finish_oidc;
http_handler admin_change_own_password;
http_handler admin_list_tokens;
http_handler admin_create_token;
http_handler admin_revoke_token;
http_handler admin_list_administrators;
http_handler admin_create_administrator;
http_handler admin_get_administrator;
http_handler admin_change_administrator;
http_handler admin_delete_administrator;
http_handler admin_set_password;
http_handler admin_grant;
http_handler admin_revoke;
http_handler admin_list_audit_log;
http_handler admin_verify_audit_log;
http_handler admin_list_security_roles;
http_handler admin_create_security_role;
http_handler admin_get_security_role;
http_handler admin_change_security_role;
http_handler admin_delete_security_role;
http_handler admin_list_security_scopes;
http_handler admin_create_security_scope;
http_handler admin_get_security_scope;
http_handler admin_delete_security_scope;
http_handler admin_add_security_scope_object;
http_handler admin_remove_security_scope_object;
