/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the program can do: the table, and what stands behind each row
 */

#include "cli/args.h"

/* Ends with .noun == NULL. */
extern const struct args_command commands[];

/* Do what @args say: ask first if that is needed, try only if that is wanted. Return: the exit code of the program. */
enum args_exit commands_run(struct session *s, const struct args *args);

/* The whole program but main(). Return: the exit code. */
enum args_exit commands_main(int argc, char *const *argv);

/* site.c */
args_run site_login;
args_run site_logout;
args_run token_save;
args_run site_status;

/* image.c */
args_run image_os_list;
args_run image_boot_build;
args_run image_boot_list;

/* cmdlet.c */
args_run cmdlet_show;
enum args_exit cmdlet_answer(
    const char *word); /* Of who typed a cmdlet: print what to type here. Return: the exit code. */

/* events.c */
args_run events_print;

/* export.c */
args_run image_os_export;
args_run content_prestage;

/* content.c; what the noun says */
args_run content_add_file;
args_run content_create;
args_run content_create_file;
args_run content_update;
args_run content_update_file;
args_run content_rebuild;
args_run content_list;
args_run content_show;
args_run content_delete;
args_run content_versions;
args_run content_rollback;
args_run content_set;
args_run content_set_boot_image;

/* operation.c */
args_run operation_is_over; /* of operation show --watch */
args_run operation_list;
args_run operation_show;
args_run operation_cancel;

/* sequence.c */
args_run sequence_import;
args_run sequence_validate;
args_run sequence_list;
args_run sequence_show;
args_run sequence_export;
args_run sequence_diff;
args_run sequence_history;
args_run sequence_set;
args_run sequence_copy;
args_run sequence_enable;
args_run sequence_disable;
args_run sequence_step;
args_run sequence_delete;

/* simulate.c */
args_run sequence_simulate;

/* device.c */
args_run device_list;
args_run device_show;
args_run device_facts;
args_run device_import;
args_run device_explain_boot;
args_run device_explain_client;

/* device_change.c */
args_run device_import_file;
args_run device_rename;
args_run device_set;
args_run device_block;
args_run device_unblock;
args_run device_protect;
args_run device_unprotect;
args_run device_forget_tpm_key;
args_run device_wake;
args_run device_delete;
args_run device_history;
args_run device_duplicate_id;

/* collection.c */
args_run collection_list;
args_run collection_create;
args_run collection_show;
args_run collection_add_member;
args_run collection_set;
args_run collection_delete;
args_run collection_update;

/* collection_rule.c */
args_run collection_rule_run;

/* variable.c; the noun says whose */
args_run variable_run;

/* deployment.c */
args_run deployment_create;
args_run deployment_list;
args_run deployment_show;
args_run deployment_cancel;
args_run deployment_pause;
args_run deployment_resume;

/* deployment_device.c */
args_run deployment_is_over; /* of deployment status --watch */
args_run deployment_state;
args_run deployment_status;
args_run report_show;
args_run alert_list;
args_run alert_acknowledge;
args_run alert_close;
args_run deployment_steps;
args_run deployment_log;

/* debug.c */
args_run deployment_debug;

/* deployment_terms.c */
args_run deployment_set;
args_run deployment_enable;
args_run deployment_disable;
args_run deployment_delete;
args_run phased_deployment_create;
args_run phased_deployment_list;
args_run phased_deployment_show;
args_run phased_deployment_pause;
args_run phased_deployment_resume;
args_run phased_deployment_next;
args_run phased_deployment_delete;
args_run device_clear_pxe;
args_run collection_clear_pxe;

/* distribution.c */
args_run distribution_distribute;
args_run distribution_status;
args_run distribution_redistribute;
args_run distribution_validate;
args_run distribution_cancel;
args_run distribution_remove;
args_run distribution_history;

/* dp.c */
args_run dp_create_token;
args_run dp_list;
args_run dp_show;
args_run dp_set;
args_run dp_remove;

/* dp_group.c */
args_run dp_group_create;
args_run dp_group_list;
args_run dp_group_show;
args_run dp_group_delete;
args_run dp_group_add_member;
args_run dp_group_remove_member;
args_run dp_group_add_content;

/* boundary.c */
args_run boundary_create;
args_run boundary_list;
args_run boundary_delete;
args_run boundary_group_create;
args_run boundary_group_list;
args_run boundary_group_show;
args_run boundary_group_set;
args_run boundary_group_delete;
args_run boundary_group_add_boundary;
args_run boundary_group_remove_boundary;
args_run boundary_group_add_dp;
args_run boundary_group_remove_dp;
args_run boundary_group_add_neighbour;
args_run boundary_group_remove_neighbour;
args_run boundary_group_explain;

/* affinity.c */
args_run affinity_list;
args_run affinity_add;
args_run affinity_remove;
args_run affinity_import;
args_run affinity_requests;
args_run affinity_approve;
args_run affinity_deny;
args_run affinity_mode;

/* collection_window.c */
args_run collection_window;

/* pxe.c */
args_run pxe_rule;
args_run pxe_password;

/* unknown.c */
args_run unknown_list;
args_run unknown_approve;
args_run unknown_deny;
args_run unknown_forget;
args_run unknown_rule;
args_run unknown_preview_name;

/* security.c */
args_run admin_list;
args_run admin_show;
args_run admin_create;
args_run admin_password;
args_run admin_disable;
args_run admin_enable;
args_run admin_delete;
args_run admin_grant;
args_run admin_revoke;
args_run token_list;
args_run token_create;
args_run token_revoke;
args_run security_role_list;
args_run security_role_show;
args_run security_role_copy;
args_run security_role_import;
args_run security_role_set;
args_run security_role_delete;
args_run security_scope_list;
args_run security_scope_create;
args_run security_scope_show;
args_run security_scope_delete;
args_run security_scope_add;
args_run security_scope_remove;

/* audit.c */
args_run audit_list;
args_run audit_verify;
args_run audit_export;

/* messages.c */
args_run messages_log;

/* apply.c */
args_run site_apply;
args_run site_diff;
args_run site_delete;

/* export_site.c */
args_run site_get;
args_run site_export;
