/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/command.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/capture/capture.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"

enum {
    EXIT_USAGE = 2,
    EXIT_SIGNAL = 128, /* and its number, as a shell says it */
    BYTES_PER_MB = 1000 * 1000,
    TOKEN_MAX_BYTES = 1024,
    WHY_MAX_BYTES = 8192,
};

struct command {
    const char *source;
    const char *site;
    const char *pin;
    const char *name;
    const char *update;
    const char *version;
    const char *token_file;
};

static const char usage[] =
    "usage: slipway-agent capture FOLDER|VOLUME --site URL --pin PIN --name NAME\n"
    "           [--version TEXT | --update ID] [--token-file FILE]\n"
    "The token is the first line of FILE, or in the variable SLIPWAY_TOKEN.\n";

static const char **option(struct command *command, const char *word)
{
    const struct {
        const char *word;
        const char **value;
    } options[] = {
        {"--site", &command->site},
        {"--pin", &command->pin},
        {"--name", &command->name},
        {"--update", &command->update},
        {"--version", &command->version},
        {"--token-file", &command->token_file},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strcmp(word, options[i].word) == 0)
            return options[i].value;
    return NULL;
}

static bool parse(int argc, char **argv, struct command *ret)
{
    for (int i = 0; i < argc; i++) {
        const char **value = option(ret, argv[i]);

        if (value && i + 1 < argc && !*value)
            *value = argv[++i];
        else if (!value && argv[i][0] != '-' && !ret->source)
            ret->source = argv[i];
        else
            return false;
    }
    return ret->source && ret->site && ret->pin && ret->name && !(ret->update && ret->version);
}

static bool complain(const char *what)
{
    (void)fprintf(stderr, "slipway-agent: %s\n", what);
    return false;
}

/* @ret: the first line */
static bool read_token(const struct command *command, struct buf *ret)
{
    const char *variable =
        getenv("SLIPWAY_TOKEN"); /* NOLINT(concurrency-mt-unsafe): no thread yet */

    if (command->token_file && file_read(command->token_file, ret) != 0)
        return complain("SLW-0367: the file with the token cannot be read");
    if (!command->token_file)
        buf_adds(ret, variable ? variable : "");
    if (ret->len > 0)
        ret->ptr[strcspn(buf_str(ret), "\r\n")] = '\0';
    if (ret->failed || buf_str(ret)[0] == '\0')
        return complain("SLW-0367: no token: name a file with --token-file, or set SLIPWAY_TOKEN");
    return true;
}

static void show_bytes(void *ctx, uint64_t done_bytes)
{
    (void)ctx;
    (void)fprintf(stderr, "\rcapturing: %" PRIu64 " MB", done_bytes / BYTES_PER_MB);
}

static volatile sig_atomic_t was_signalled;

static void on_signal(int number)
{
    was_signalled = number;
}

static bool is_stopped(void *ctx)
{
    (void)ctx;
    return was_signalled != 0;
}

/* What the first of them ends in good order, the second one ends at once. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        (void)sigaction(numbers[i], &action, NULL);
}

static bool print(const struct capture_result *result)
{
    OWN(buf_fini) struct buf stages = BUF_INIT(WHY_MAX_BYTES);
    const struct sender_counts *counts = &result->counts;

    capture_put_stages(counts, &stages);
    return printf("%s: %" PRIu64 " bytes in %" PRIu64 " chunks; %" PRIu64
                  " bytes were new, %" PRIu64 " bytes were sent\n%s\n",
                  result->package_id,
                  counts->size_bytes,
                  counts->n_chunks,
                  counts->new_bytes,
                  counts->sent_bytes,
                  buf_str(&stages)) >= 0;
}

static int run(const struct command *command, const struct capture_options *options)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct capture_result result = {0};
    int r = capture_run(options, &result, &why);

    if (options->tell)
        (void)fputc('\n', stderr);
    switch (r) {
    case 0:
        break;
    case CAPTURE_E_SOURCE:
        (void)fprintf(stderr,
                      "slipway-agent: SLW-0366: %s could not be captured: %s\n",
                      command->source,
                      buf_str(&why));
        return EXIT_FAILURE;
    case CAPTURE_E_SITE:
        (void)fprintf(stderr,
                      "slipway-agent: SLW-0367: %s was not captured: %s\n",
                      command->source,
                      buf_str(&why));
        return EXIT_FAILURE;
    case CAPTURE_E_TOO_LARGE:
        (void)complain("SLW-0366: the tree has more chunks than an image may have");
        return EXIT_FAILURE;
    case CAPTURE_E_STOPPED:
        (void)complain("stopped; what was sent is found again by another capture within a day");
        return EXIT_SIGNAL + was_signalled;
    default:
        (void)complain(strerrordesc_np(-r));
        return EXIT_FAILURE;
    }
    return print(&result) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int capture_command(int argc, char **argv, const char *user_agent)
{
    OWN(buf_fini) struct buf token = BUF_INIT(TOKEN_MAX_BYTES);
    struct command command = {0};
    uint8_t pin[SHA256_BYTES];
    struct capture_volume volume;
    struct capture_options options = {
        .http = {.pin = pin, .user_agent = user_agent},
        .is_stopped = is_stopped,
        .tell = isatty(STDERR_FILENO) ? show_bytes : NULL,
    };

    if (!parse(argc, argv, &command)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!hex_parse(bytes_of(command.pin), SHA256_BYTES, pin)) {
        (void)complain("SLW-0367: the pin is not 64 hexadecimal digits");
        return EXIT_USAGE;
    }
    if (!read_token(&command, &token))
        return EXIT_USAGE;
    options.http.base_url = command.site;
    options.http.bearer = buf_str(&token);
    volume = (struct capture_volume){.source = command.source, .name = command.name};
    options.volumes = &volume;
    options.n_volumes = 1;
    options.name = command.name;
    options.version = command.version;
    options.package_id = command.update;
    catch_signals();
    return run(&command, &options);
}
