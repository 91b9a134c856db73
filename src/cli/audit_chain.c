/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/audit_chain.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "plat/digest.h"

enum {
    RECORD_MAX_BYTES = 256 * 1024,
    NUMBER_MAX = 24,
};

/* "5:hello,"; "-," for what is not there */
static void put_part(struct buf *dst, const json_t *value)
{
    const char *text = json_string_value(value);

    if (text)
        buf_addf(dst, "%zu:%s,", strlen(text), text);
    else
        buf_adds(dst, "-,");
}

static void put_number(struct buf *dst, const json_t *value)
{
    char text[NUMBER_MAX];

    (void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    buf_addf(dst, "%zu:%s,", strlen(text), text);
}

/* Return: whether it can be hashed. */
static bool hash_of(const char *before, const json_t *record, char ret[static SHA256_TEXT_MAX])
{
    static const char *const parts[] = {
        "who", "address", "action", "object", "detail", "before", "after"};
    OWN(buf_fini) struct buf text = BUF_INIT(RECORD_MAX_BYTES);
    const json_t *request = json_object_get(record, "request_id");
    uint8_t hash[SHA256_BYTES];

    buf_addf(&text, "%zu:%s,", strlen(before), before);
    put_number(&text, json_object_get(record, "number"));
    put_number(&text, json_object_get(record, "time_us"));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        put_part(&text, json_object_get(record, parts[i]));
    if (json_is_string(request))
        put_part(&text, request);
    if (text.failed || digest_sha256(buf_bytes(&text), hash) < 0)
        return false;
    hex_put(ret, (struct bytes){hash, sizeof(hash)});
    return true;
}

bool audit_chain_add(struct audit_chain *chain, const json_t *record)
{
    const char *said = json_string_value(json_object_get(record, "hash"));
    char hash[SHA256_TEXT_MAX];

    if (!said || !json_is_integer(json_object_get(record, "number")) ||
        !json_is_integer(json_object_get(record, "time_us")))
        chain->why = "it is no record of an audit log with its hash, number and time_us";
    else if (json_integer_value(json_object_get(record, "number")) != chain->number + 1)
        chain->why = "its number does not follow";
    else if (!hash_of(chain->head, record, hash) || strcmp(hash, said) != 0)
        chain->why = "its hash is not that of what it says and of the records before";
    if (chain->why)
        return false;
    chain->number++;
    memcpy(chain->head, hash, sizeof(hash));
    return true;
}
