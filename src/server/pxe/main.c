/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "rt/log.h"
#include "server/pxe/pxe_role.h"
#include "server/role.h"

enum {
    PATH_MAX_BYTES = 4096,
};

const char *address_text(char dst[static ADDRESS_TEXT_MAX], uint32_t address)
{
    struct in_addr raw = {.s_addr = htonl(address)};

    if (!inet_ntop(AF_INET, &raw, dst, ADDRESS_TEXT_MAX))
        dst[0] = '\0';
    return dst;
}

/* Whether the word is in the list of words. */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; *at != '\0';) {
        size_t piece = strcspn(at, " ");

        if (piece == len && memcmp(at, word, len) == 0)
            return true;
        at += piece;
        at += strspn(at, " ");
    }
    return false;
}

bool pxe_role_name_interface(const struct pxe_role *role, unsigned index, char *name)
{
    const char *allowed = role->options->config->pxe_interfaces;
    char found[IF_NAMESIZE];

    if (!if_indextoname(index, found))
        return false;
    (void)snprintf(name, SITE_INTERFACE_MAX, "%s", found);
    return allowed[0] == '\0' || has_word(allowed, name);
}

static void on_decision(void *ctx,
                        const struct site_ask *ask,
                        const void *extra,
                        const struct site_decision *decision)
{
    if (ask->stage == SITE_ASK_CONFIG)
        boot_files_answer(ctx, extra, decision);
    else
        offers_answer(ctx, extra, decision);
}

static int start_site_link(struct pxe_role *role)
{
    char path[PATH_MAX_BYTES];
    struct site_link_options options = {
        .loop = &role->loop,
        .socket_path = path,
        .tokens = token_file_tokens(&role->token),
        .answer = on_decision,
        .ctx = role,
    };

    role->token.state_folder = role->options->state_folder;
    (void)snprintf(path, sizeof(path), "%s/run/roles.sock", role->options->state_folder);
    return TRACE(site_link_new(&options, &role->site));
}

static int start_tftp(struct pxe_role *role)
{
    char folder[PATH_MAX_BYTES];
    struct tftp_service_options options = {
        .loop = &role->loop,
        .socket_fd = role->options->tftp_fd,
        .boot_folder = folder,
        .resolve = boot_files_resolve,
        .event = boot_files_event,
        .ctx = role,
    };

    if (role->options->tftp_fd < 0)
        return 0;
    (void)snprintf(folder, sizeof(folder), "%s/dp/boot", role->options->state_folder);
    return TRACE(tftp_service_new(&options, &role->tftp));
}

static int start(struct pxe_role *role)
{
    int r = start_site_link(role);

    if (r == 0)
        r = start_tftp(role);
    if (r == 0)
        r = offers_new(role, &role->offers);
    return TRACE(r);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct pxe_role *role = signal->data;

    (void)number;
    uv_close((uv_handle_t *)signal, NULL);
    uv_stop(&role->loop);
}

/* Close everything and let the loop run out. */
static void stop(struct pxe_role *role)
{
    offers_stop(role->offers);
    tftp_service_stop(role->tftp);
    site_link_stop(role->site);
    (void)uv_run(&role->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&role->loop);
}

static int run(struct pxe_role *role)
{
    uv_signal_t term;
    int r = uv_signal_init(&role->loop, &term);

    if (r < 0)
        return ERR(r);
    term.data = role;
    r = uv_signal_start(&term, on_signal, SIGTERM);
    if (r == 0)
        r = start(role);
    if (r == 0) {
        log_info("ready",
                 "interfaces=\"%s\" leases=%s",
                 role->options->config->pxe_interfaces,
                 role->options->lease_fd >= 0 ? "heard" : "not heard");
        (void)uv_run(&role->loop, UV_RUN_DEFAULT);
    }
    if (!uv_is_closing((uv_handle_t *)&term))
        uv_close((uv_handle_t *)&term, NULL);
    stop(role);
    return r;
}

int server_pxe_main(const struct role_options *options)
{
    OWN(freep) struct pxe_role *role = calloc(1, sizeof(*role));
    int r;

    if (!role || site_link_size_pool() < 0 || uv_loop_init(&role->loop) < 0) {
        log_error("could not start", "error=\"%s\"", strerrordesc_np(ENOMEM));
        return ROLE_EXIT_FAILED;
    }
    role->options = options;
    r = run(role);
    if (r < 0) {
        log_error("could not start", "error=\"%s\"", strerrordesc_np(-r));
        return ROLE_EXIT_FAILED;
    }
    return ROLE_EXIT_DONE;
}
