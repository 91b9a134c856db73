/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Boot tickets: in the menu that the boot loader fetches, or, without a network in between, from the site as the role `pxe` gets them
 */

#include "base/text.h"
#include "connection.h"
#include "plat/random.h"

/* Ask for a device's menu on the socket of the roles; the answer is for ticket_read(). */
int ticket_ask(struct connection *roles, const uint8_t mac[static MAC_BYTES], const char *server);

/* Return: whether it holds a menu with a ticket. */
bool ticket_read(const struct answer *answer, char ret[static TOKEN_TEXT_MAX]);

/* The same of a menu's text (docs/protocol/boot.md). */
bool ticket_find(struct bytes menu, char ret[static TOKEN_TEXT_MAX]);
