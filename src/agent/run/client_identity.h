/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Who an installed system is at its site, when its task sequence is over (docs/clients.md)
 */

#include "agent/run/link.h"
#include "plat/signature.h"

#define CLIENT_FOLDER "var/lib/slipway/client" /* below the system's root */
#define CLIENT_FILE   CLIENT_FOLDER "/client.json"

enum {
    CLIENT_NAME_MAX = 256,
};

/* Outcomes of client_identity_read() beside 0 */
enum {
    CLIENT_E_NONE = 1,      /* this is no client */
    CLIENT_E_MALFORMED = 2, /* the file makes no sense */
};

struct client_identity {
    struct link_options site;
    uint8_t key[SIGNATURE_KEY_BYTES]; /* the secret half of the device's */
    char device_id[LINK_DEVICE_MAX];
    char device_name[CLIENT_NAME_MAX];
};

/**
 * client_identity_read() - of the system at @root; "": this one
 *
 * Return: 0, CLIENT_E_NONE, CLIENT_E_MALFORMED, or -errno.
 */
int client_identity_read(const char *root, struct client_identity *ret);

/* Durably, and readable by root alone. */
int client_identity_write(const char *root, const struct client_identity *identity);

/* It is none any more. */
int client_identity_remove(const char *root);

/* The secret goes from memory. For OWN(client_identity_fini). */
void client_identity_fini(struct client_identity *identity);
