/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * slipway.conf(5), read once by the parent and given to every role as it is
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "rt/config.h"

#define SERVER_CONFIG_FILE  "/etc/slipway/slipway.conf"
#define SERVER_STATE_FOLDER "/var/lib/slipway"

enum {
    SERVER_CONFIG_MAX_BYTES = 64 * 1024,
};

/* All texts are owned; lists are words separated by single spaces, "" if there are none. */
struct server_config {
    char *site_name;                 /* [site] name; never "" */
    char *organization;              /* [site] organization; never "" */
    char *addresses;                 /* [site] address: where clients reach us; never "" */
    uint64_t http_port;              /* [site] http-port */
    uint64_t https_port;             /* [site] https-port */
    char *load_balancers;            /* [site] load-balancers: addresses; "": none */
    uint64_t load_balancer_port;     /* [site] load-balancer-port */
    bool is_unknown_computers_on;    /* [site] unknown-computers */
    uint64_t order_hours;            /* [site] order-hours */
    uint64_t requests_per_s;         /* [site] requests-per-second; 0: no limit */
    uint64_t address_requests_per_s; /* [site] address-requests-per-second; 0: no limit */
    uint64_t deployment_usual_size;  /* [site] deployment-usual-size; 0: none */
    uint64_t deployment_max_size;    /* [site] deployment-max-size; 0: none */
    uint64_t client_poll_min;        /* [site] client-poll-minutes */
    uint64_t wake_port;              /* [site] wake-on-lan-port */
    uint64_t wake_packets_per_s;     /* [site] wake-on-lan-packets-per-second */
    bool is_wake_unicast_on;         /* [site] wake-on-lan-unicast */
    unsigned deployment_protected;   /* [site] deployment-protected; 0: block; 1: warn */
    char *database;                  /* [site] database; "": SQLite. May hold a password */
    char *directory_urls; /* [directory] url; "": none. All of it: src/site/directory.h */
    char *directory_ca_file;
    unsigned directory_kind; /* 0: ldap; 1: active-directory */
    char *directory_bind_dn;
    char *directory_password_file;
    char *directory_user_base;
    char *directory_user_attribute; /* never "" */
    char *directory_group_base;
    uint64_t directory_check_s;
    uint64_t directory_trust_minutes;
    char *oidc_issuer; /* [oidc] issuer; "": none. All of it: src/site/oidc.h */
    char *oidc_client_id;
    char *oidc_secret_file;
    char *oidc_ca_file;
    char *oidc_redirect_uris;
    char *oidc_scopes;
    char *oidc_groups_claim;
    char *oidc_name_claim;
    uint64_t oidc_trust_minutes;
    bool is_pxe_on;                /* [pxe] enabled */
    char *pxe_interfaces;          /* [pxe] interfaces; "": all */
    uint64_t pxe_dhcp_port;        /* [pxe] dhcp-port */
    uint64_t pxe_boot_server_port; /* [pxe] boot-server-port */
    uint64_t pxe_tftp_port;        /* [pxe] tftp-port */
    bool is_dp_on;                 /* [dp] enabled */
    char *boot_image_kernel_roots; /* [boot-image] kernel-root */
    char *boot_image_x86_root;     /* [boot-image] x86-root; it may not be there */
    char *alert_webhook;           /* [alerts] webhook: https://...; "": none, as the next ones */
    char *alert_webhook_secret;    /* [alerts] webhook-secret */
    char *alert_webhook_ca;        /* [alerts] webhook-ca: a file */
    char *alert_mail_server;       /* [alerts] mail-server: smtp:// or smtps:// */
    char *alert_mail_from;         /* [alerts] mail-from */
    char *alert_mail_to;           /* [alerts] mail-to: addresses */
    char *alert_mail_user;         /* [alerts] mail-user */
    char *alert_mail_password;     /* [alerts] mail-password */
    char *alert_mail_ca;           /* [alerts] mail-ca: a file */
    unsigned log_level;            /* [log] level, an enum log_level */
};

/* The table, for config_parse() and for the manual. */
extern const struct config_key server_config_keys[];

/**
 * server_config_parse() - read the text, and find out what it leaves to us: name and addresses
 * @file: name for messages
 * @ret:  zeroed; server_config_fini() releases it, also after a failure
 * @why:  on outcome 1: one line for people
 *
 * Return: 0; 1 if the text is wrong; or -errno.
 */
int server_config_parse(const char *file,
                        struct bytes text,
                        struct server_config *ret,
                        struct buf *why);
void server_config_fini(struct server_config *config);

/**
 * server_config_read() - the text of a file
 * @is_optional: a file that is not there counts as an empty one
 * @ret: its max is SERVER_CONFIG_MAX_BYTES
 *
 * Return: 0; or 1 with @why.
 */
int server_config_read(const char *file, bool is_optional, struct buf *ret, struct buf *why);

/**
 * server_config_check_mode() - is a file that has a secret in it for everybody to read
 *
 * Return: 0; or 1 with @why.
 */
int server_config_check_mode(const char *file, const struct server_config *config, struct buf *why);

/* Both in one. */
int server_config_load(const char *file,
                       bool is_optional,
                       struct server_config *ret,
                       struct buf *why);
