/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ticket.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

#define ON_COMMAND_LINE "slipway.ticket="

enum {
    BODY_MAX = 512,
    HTTP_OK = 200,
};

int ticket_ask(struct connection *roles, const uint8_t mac[static MAC_BYTES], const char *server)
{
    char text[MAC_TEXT_MAX];
    char body[BODY_MAX];

    mac_put(text, mac);
    (void)snprintf(
        body,
        sizeof(body),
        "{\"mac\": \"%s\", \"uuid\": null, \"arch\": 7, \"client\": \"pxe\", \"ipxe\": false, \"interface\": \"eth0\","
        " \"server_address\": \"%s\", \"relay\": null, \"stage\": \"config\"}",
        text,
        server);
    return connection_ask(roles, "POST", "/api/v1/internal/boot-decisions", NULL, bytes_of(body));
}

bool ticket_find(struct bytes menu, char ret[static TOKEN_TEXT_MAX])
{
    const char *at =
        menu.len > 0 ? memmem(menu.ptr, menu.len, ON_COMMAND_LINE, strlen(ON_COMMAND_LINE)) : NULL;
    size_t left;
    size_t len = 0;

    if (!at)
        return false;
    at += strlen(ON_COMMAND_LINE);
    left = menu.len - (size_t)(at - (const char *)menu.ptr);
    while (len < left && at[len] > ' ')
        len++;
    if (len == 0 || len >= TOKEN_TEXT_MAX)
        return false;
    memcpy(ret, at, len);
    ret[len] = '\0';
    return true;
}

bool ticket_read(const struct answer *answer, char ret[static TOKEN_TEXT_MAX])
{
    OWN(json_decrefp) json_t *body = NULL;
    const char *menu;

    if (answer->status != HTTP_OK)
        return false;
    body = json_loadb((const char *)answer->body.ptr, answer->body.len, 0, NULL);
    menu = json_string_value(json_object_get(body, "config"));
    return menu && ticket_find(bytes_of(menu), ret);
}
