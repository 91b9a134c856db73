/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/test_fixture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "plat/file.h"

enum {
    ARGV_MAX = 24,
    WHY_MAX_BYTES = 512,
};

static void *serve(void *arg)
{
    struct fixture *f = arg;

    (void)http_server_run(f->server);
    return NULL;
}

void fixture_start(struct fixture *f, const struct http_route *routes, void *ctx)
{
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/test_cli.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->socket, sizeof(f->socket), "%s/api.sock", f->folder);
    (void)snprintf(f->output, sizeof(f->output), "%s/output", f->folder);
    const struct http_server_options options = {
        .socket_path = f->socket, .socket_mode = 0600, .routes = routes, .ctx = ctx};

    assert_int_equal(http_server_new(&options, &f->server), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

void fixture_stop(struct fixture *f)
{
    http_server_stop(f->server);
    assert_int_equal(pthread_join(f->thread, NULL), 0);
    http_server_free(f->server);
    assert_int_equal(dir_remove(f->folder), 0);
}

static int split(char *words, char *argv[static ARGV_MAX])
{
    int argc = 1;

    while (words && argc < ARGV_MAX) {
        argv[argc++] = words;
        words = strchr(words, '|');
        if (words)
            *words++ = '\0';
    }
    assert_null(words);
    return argc;
}

static enum args_exit call(struct fixture *f, const struct args *args)
{
    OWN(session_fini) struct session s;
    OWN(freep) char *url = NULL;

    session_init(&s, args->format == ARGS_FORMAT_TABLE ? ARGS_FORMAT_JSON : args->format);
    assert_true(asprintf(&url, "unix:%s", f->socket) > 0);
    s.env = (struct credentials_env){.config_home = f->folder, .url = url};
    return commands_run(&s, args);
}

enum args_exit fixture_run(struct fixture *f, const char *words, struct buf *output)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    OWN(freep) char *copy = strdup(words);
    char program[] = "slipway";
    char *argv[ARGV_MAX] = {program};
    struct args args;
    enum args_exit code;
    int console;

    assert_non_null(copy);
    if (args_parse(commands, split(copy, argv), argv, &args, &why) != 0)
        return ARGS_EXIT_USAGE;
    if (!output)
        return call(f, &args);
    console = dup(STDOUT_FILENO);
    assert_non_null(freopen(f->output, "w", stdout));
    code = call(f, &args);
    (void)fflush(stdout);
    assert_int_equal(dup2(console, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(console);
    assert_int_equal(file_read(f->output, output), 0);
    return code;
}
