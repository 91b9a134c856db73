/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/state.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "agent/run/order.h"
#include "agent/run/target.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/document.h"
#include "ts/vars.h"

enum {
    VERSION = 1,
    N_STARTS_MAX = 1000,
    SOFTWARE_RETRIES = 2, /* as documented, of a step that says nothing */
    CUTS_MAX = 64,        /* in any other step: what never ends is no repetition */
    MISSED_BOOTS_MAX = 1, /* the disk gets one more chance */
    STATE_MODE = 0600,
    FOLDER_MODE = 0700,
};

DEFINE_FREEP(struct state *, state_free);

int state_new(struct state **ret)
{
    struct state *state = calloc(1, sizeof(*state));

    if (!state)
        return ERR(-ENOMEM);
    state->phase = STEP_IN_BOOT_IMAGE;
    *ret = state;
    return 0;
}

void state_free(struct state *state)
{
    if (!state)
        return;
    order_free(state->order);
    ts_vars_free(state->vars);
    connections_fini(&state->connections);
    explicit_bzero(state->key, sizeof(state->key));
    free(state);
}

void state_set_site(struct state *state, const struct link *link)
{
    const uint8_t *secret = link_key(link);

    state->site = *link_get_options(link);
    state->has_key = secret != NULL;
    if (secret)
        memcpy(state->key, secret, sizeof(state->key));
}

static bool get_bool(const json_t *object, const char *field)
{
    return json_is_true(json_object_get(object, field));
}

static bool get_number(const json_t *object, const char *field, uint64_t max, uint64_t *ret)
{
    const json_t *value = json_object_get(object, field);
    json_int_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < 0 || (uint64_t)n > max)
        return false;
    *ret = (uint64_t)n;
    return true;
}

static unsigned get_count(const json_t *object, const char *field)
{
    uint64_t n = 0;

    (void)get_number(object, field, N_STARTS_MAX, &n);
    return (unsigned)n;
}

/* One that is missing or beyond 32 bits is 0. */
static int get_code(const json_t *object, const char *field)
{
    json_int_t n = json_integer_value(json_object_get(object, field));

    return n >= INT_MIN && n <= INT_MAX ? (int)n : 0;
}

/* A text that fits @cap; a field that is missing is "". */
static bool get_text(const json_t *object, const char *field, char *dst, size_t cap)
{
    const json_t *value = json_object_get(object, field);
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    dst[0] = '\0';
    if (!value || json_is_null(value))
        return true;
    if (!text || len >= cap || strlen(text) != len)
        return false;
    memcpy(dst, text, len + 1);
    return true;
}

bool state_read_site(const json_t *site, struct state *state)
{
    const json_t *urls = json_object_get(site, "urls");
    const char *pin = json_string_value(json_object_get(site, "pin"));
    const char *key = json_string_value(json_object_get(site, "key"));
    size_t n = json_array_size(urls);

    if (n == 0 || n > LINK_URLS_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *url = json_string_value(json_array_get(urls, i));

        if (!url || strlen(url) >= LINK_URL_MAX)
            return false;
        memcpy(state->site.urls[i], url, strlen(url) + 1);
    }
    state->site.n_urls = n;
    state->site.has_pin = pin != NULL;
    state->has_key = key != NULL;
    return (!pin || hex_parse(bytes_of(pin), SHA256_BYTES, state->site.pin)) &&
           (!key || hex_parse(bytes_of(key), sizeof(state->key), state->key));
}

static bool read_target(const json_t *target, struct step_target *ret)
{
    ret->is_old = json_is_true(json_object_get(target, "is_old"));
    return json_is_object(target) &&
           get_text(target, "disk_serial", ret->disk_serial, sizeof(ret->disk_serial)) &&
           get_number(target, "disk_size_bytes", INT64_MAX, &ret->disk_size_bytes) &&
           get_text(target, "root_uuid", ret->root_uuid, sizeof(ret->root_uuid)) &&
           get_text(target, "esp_uuid", ret->esp_uuid, sizeof(ret->esp_uuid));
}

bool state_read_next(const json_t *json, struct state *state)
{
    const json_t *next = json_object_get(json, "next");
    const char *phase = json_string_value(json_object_get(json, "phase"));
    uint64_t step;

    if (!phase || !get_number(next, "step", TS_STEPS_MAX, &step))
        return false;
    if (strcmp(phase, "boot-image") == 0)
        state->phase = STEP_IN_BOOT_IMAGE;
    else if (strcmp(phase, "full-os") == 0)
        state->phase = STEP_IN_FULL_OS;
    else
        return false;
    state->next_step = (size_t)step;
    state->is_running = get_bool(next, "is_running");
    state->is_continued = get_bool(next, "is_continued");
    state->n_starts = get_count(next, "n_starts");
    state->n_cuts = get_count(next, "n_cuts");
    state->n_missed_boots = get_count(json, "n_missed_boots");
    state->has_applied_os = get_bool(json, "has_applied_os");
    return true;
}

static bool read_result(const json_t *json, struct state *state)
{
    const json_t *result = json_object_get(json, "result");
    const char *word = json_string_value(result);

    if (word && strcmp(word, "succeeded") == 0)
        state->result = STATE_SUCCEEDED;
    else if (word && strcmp(word, "failed") == 0)
        state->result = STATE_FAILED;
    else if (!json_is_null(result))
        return false;
    const json_t *until = json_object_get(json, "pause_until_us");

    state->is_paused = get_bool(json, "is_paused");
    (void)ts_debugger_from_json(json_object_get(json, "debugger"), &state->debugger);
    if (until && !json_is_null(until) &&
        !get_number(json, "pause_until_us", INT64_MAX, &state->pause_until_us))
        return false;
    state->exit_code = get_code(json, "exit_code");
    return get_text(json, "error_id", state->error_id, sizeof(state->error_id)) &&
           get_text(json, "message", state->message, sizeof(state->message));
}

/* One that is missing, or makes no sense, is 0: it is only told to people. */
static void read_traffic(const json_t *traffic, struct step_traffic *ret)
{
    (void)get_number(traffic, "downloaded_bytes", INT64_MAX, &ret->downloaded_bytes);
    (void)get_number(traffic, "reused_bytes", INT64_MAX, &ret->reused_bytes);
}

/* Return: 0, STATE_E_MALFORMED or -ENOMEM. */
static int read_variables(json_t *json, struct ts_vars *vars)
{
    json_t *object = json_object_get(json, "variables");
    const json_t *secrets = json_object_get(json, "secrets");
    const char *name;
    json_t *value;
    int r;

    if (!json_is_object(object))
        return STATE_E_MALFORMED;
    json_object_foreach(object, name, value)
    {
        const char *text = json_string_value(value);

        if (!text)
            return STATE_E_MALFORMED;
        r = ts_vars_set(vars, name, text, TS_BY_ENGINE);
        if (r != 0)
            return r < 0 ? TRACE(r) : STATE_E_MALFORMED;
    }
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        const char *secret = json_string_value(json_array_get(secrets, i));

        if (!secret)
            return STATE_E_MALFORMED;
        r = ts_vars_set_secret(vars, secret);
        if (r != 0)
            return r < 0 ? TRACE(r) : STATE_E_MALFORMED;
    }
    return 0;
}

static int malformed(struct buf *why, const char *what)
{
    buf_adds(why, what);
    return STATE_E_MALFORMED;
}

static int read_state(json_t *json, struct state *state, struct buf *why)
{
    uint64_t version;
    int r;

    if (!get_number(json, "version", UINT32_MAX, &version) || version != VERSION)
        return malformed(why, "version is not 1");
    r = order_parse(json_object_get(json, "order"), &state->order, why);
    if (r != 0)
        return r < 0 ? TRACE(r) : STATE_E_MALFORMED;
    if (!state_read_site(json_object_get(json, "site"), state))
        return malformed(why, "site is not what it should be");
    if (!get_number(json, "seq", INT64_MAX / 2, &state->seq) || !state_read_next(json, state))
        return malformed(why, "seq, phase or next is not what it should be");
    if (!read_target(json_object_get(json, "target"), &state->target))
        return malformed(why, "target is not what it should be");
    if (!read_result(json, state) || !get_number(json, "started_us", INT64_MAX, &state->started_us))
        return malformed(why, "result or started_us is not what it should be");
    read_traffic(json_object_get(json, "traffic"), &state->traffic);
    r = connections_read(json_object_get(json, "network_folders"), &state->connections);
    if (r != 0)
        return r < 0 ? TRACE(r) : malformed(why, "network_folders is not what it should be");
    r = ts_vars_new(&state->vars);
    if (r < 0)
        return TRACE(r);
    r = read_variables(json, state->vars);
    if (r > 0)
        return malformed(why, "variables or secrets are not what they should be");
    return r < 0 ? TRACE(r) : 0;
}

int state_parse(struct bytes text, struct state **ret, struct buf *why)
{
    OWN(state_freep) struct state *state = NULL;
    OWN(json_decrefp) json_t *json = NULL;
    int r;

    if (text.len > STATE_MAX_BYTES)
        return malformed(why, "it is too large");
    json = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return malformed(why, "it is not JSON");
    r = state_new(&state);
    if (!state)
        return TRACE(r);
    r = read_state(json, state, why);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    *ret = TAKE(state);
    return 0;
}

json_t *state_site_json(const struct state *state)
{
    json_t *urls = json_array();
    char pin[SHA256_TEXT_MAX];
    char key[SIGNATURE_KEY_TEXT_MAX];
    json_t *ret;

    for (size_t i = 0; i < state->site.n_urls; i++)
        (void)json_array_append_new(urls, json_string(state->site.urls[i]));
    hex_put(pin, (struct bytes){state->site.pin, SHA256_BYTES});
    hex_put(key, (struct bytes){state->key, sizeof(state->key)});
    ret = json_pack("{s:o, s:s?, s:s?}",
                    "urls",
                    urls,
                    "pin",
                    state->site.has_pin ? pin : NULL,
                    "key",
                    state->has_key ? key : NULL);
    explicit_bzero(key, sizeof(key));
    return ret;
}

static void variables_json(const struct ts_vars *vars, json_t *values, json_t *secrets)
{
    const char *name;
    const char *value;
    bool is_secret;

    for (size_t i = 0; ts_vars_at(vars, i, &name, &value, &is_secret); i++) {
        if (is_secret)
            (void)json_array_append_new(secrets, json_string(name));
        if (value[0] != '\0')
            (void)json_object_set_new(values, name, json_string(value));
    }
}

json_t *state_next_json(const struct state *state)
{
    return json_pack("{s:I, s:b, s:b, s:I, s:I}",
                     "step",
                     (json_int_t)state->next_step,
                     "is_running",
                     state->is_running,
                     "is_continued",
                     state->is_continued,
                     "n_starts",
                     (json_int_t)state->n_starts,
                     "n_cuts",
                     (json_int_t)state->n_cuts);
}

static json_t *target_json(const struct step_target *target)
{
    return json_pack("{s:s, s:I, s:s, s:s, s:b}",
                     "disk_serial",
                     target->disk_serial,
                     "disk_size_bytes",
                     (json_int_t)target->disk_size_bytes,
                     "root_uuid",
                     target->root_uuid,
                     "esp_uuid",
                     target->esp_uuid,
                     "is_old",
                     (int)target->is_old);
}

static json_t *state_json(const struct state *state)
{
    static const char *const results[] = {
        [STATE_UNDECIDED] = NULL, [STATE_SUCCEEDED] = "succeeded", [STATE_FAILED] = "failed"};
    json_t *values = json_object();
    json_t *secrets = json_array();

    variables_json(state->vars, values, secrets);
    return json_pack(
        "{s:i, s:O, s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:b, s:I, s:s?, s:s?, s:s?, s:i, s:I, s:{s:I, s:I}, s:b, s:I, "
        "s:o, s:o}",
        "version",
        VERSION,
        "order",
        state->order->raw,
        "site",
        state_site_json(state),
        "seq",
        (json_int_t)state->seq,
        "phase",
        state->phase == STEP_IN_FULL_OS ? "full-os" : "boot-image",
        "next",
        state_next_json(state),
        "variables",
        values,
        "secrets",
        secrets,
        "target",
        target_json(&state->target),
        "has_applied_os",
        state->has_applied_os,
        "n_missed_boots",
        (json_int_t)state->n_missed_boots,
        "result",
        results[state->result],
        "error_id",
        state->error_id[0] != '\0' ? state->error_id : NULL,
        "message",
        state->message[0] != '\0' ? state->message : NULL,
        "exit_code",
        state->exit_code,
        "started_us",
        (json_int_t)state->started_us,
        "traffic",
        "downloaded_bytes",
        (json_int_t)state->traffic.downloaded_bytes,
        "reused_bytes",
        (json_int_t)state->traffic.reused_bytes,
        "is_paused",
        state->is_paused,
        "pause_until_us",
        (json_int_t)state->pause_until_us,
        "debugger",
        ts_debugger_to_json(&state->debugger),
        "network_folders",
        connections_json(&state->connections, true));
}

static int add_piece(const char *piece, size_t size, void *ctx)
{
    buf_add(ctx, (struct bytes){(const uint8_t *)piece, size});
    return 0;
}

int state_put(const struct state *state, struct buf *ret)
{
    OWN(json_decrefp) json_t *json = state_json(state);

    if (!json || json_dump_callback(json, add_piece, ret, JSON_INDENT(1)) != 0 || ret->failed)
        return ERR(-ENOMEM);
    return 0;
}

int state_write(const struct state *state, const char *root)
{
    OWN(buf_fini) struct buf text = BUF_INIT(STATE_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(4096);
    int r;

    r = state_put(state, &text);
    if (r < 0)
        return TRACE(r);
    buf_addf(&path, "%s/%s", root, TARGET_STATE_FOLDER);
    r = dir_make(buf_str(&path), FOLDER_MODE);
    if (r < 0)
        return TRACE(r);
    buf_clear(&path);
    buf_addf(&path, "%s/%s", root, TARGET_STATE_FILE);
    return TRACE(file_write(buf_str(&path), buf_bytes(&text), STATE_MODE));
}

void state_note_success(struct state *state, const char *type)
{
    if (strcmp(type, "SMS_TaskSequence_ApplyOperatingSystemAction") == 0)
        state->has_applied_os = true;
    if (strcmp(type, "SMS_TaskSequence_CaptureSystemImageAction") == 0)
        state->has_applied_os = false;
}

enum state_resume state_resume(const struct state *state,
                               enum step_environment here,
                               bool is_repeatable,
                               unsigned retry_count)
{
    /* that an operating system runs is for itself to say */
    bool is_os_wanted = state->result == STATE_SUCCEEDED
                            ? state->has_applied_os
                            : state->result == STATE_UNDECIDED && state->phase == STEP_IN_FULL_OS;

    if (here == STEP_IN_BOOT_IMAGE && is_os_wanted)
        return state->n_missed_boots > MISSED_BOOTS_MAX ? STATE_FAIL_NO_BOOT : STATE_RESTART_TO_OS;
    if (state->result != STATE_UNDECIDED)
        return STATE_REPORT;
    if (state->is_running && !is_repeatable && state->n_starts > retry_count)
        return STATE_FAIL_STEP;
    return STATE_GO_ON;
}

unsigned state_cuts_max(const char *type, unsigned retry_count)
{
    bool is_software = strcmp(type, "SMS_TaskSequence_InstallApplicationAction") == 0 ||
                       strcmp(type, "SMS_TaskSequence_InstallUpdateAction") == 0;

    if (!is_software)
        return CUTS_MAX;
    return retry_count > 0 ? retry_count : SOFTWARE_RETRIES;
}
