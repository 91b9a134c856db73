/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/adapter.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum {
    VARIABLE_MAX_BYTES = 64,
    DOMAIN_MAX = 253,
    BITS_OF_IPV4 = 32,
    BITS_OF_IPV6 = 128,
    METRIC_MAX = 9999, /* as Windows has it */
};

bool ts_address_is_v6(const char *address)
{
    return strchr(address, ':') != NULL;
}

/* "192.0.2.5" */
static bool parse_v4(const char *text, uint32_t *ret)
{
    uint32_t address = 0;

    for (size_t i = 0; i < 4; i++) {
        size_t len = strspn(text, "0123456789");
        uint64_t n = 0;

        if (len == 0 || len > 3 || (len > 1 && text[0] == '0') ||
            !bytes_parse_u64((struct bytes){(const uint8_t *)text, len}, 0, 255, &n) ||
            text[len] != (i < 3 ? '.' : '\0'))
            return false;
        address = address << 8 | (uint32_t)n;
        text += len + (i < 3 ? 1 : 0);
    }
    *ret = address;
    return true;
}

/* Groups of up to four digits, eight of them, or fewer with "::" once; the last two may be written as IPv4. */
static bool is_v6(const char *text)
{
    bool has_gap = strncmp(text, "::", 2) == 0;
    size_t n = 0;
    uint32_t v4;

    text += has_gap ? 2 : 0;
    while (*text) {
        size_t len = strspn(text, "0123456789abcdefABCDEF");

        if (text[len] == '.' && parse_v4(text, &v4)) {
            n += 2;
            break;
        }
        if (len == 0 || len > 4 || (text[len] != ':' && text[len] != '\0'))
            return false;
        n++;
        text += len;
        if (strncmp(text, "::", 2) == 0) {
            if (has_gap)
                return false;
            has_gap = true;
            text += 2;
        } else if (*text == ':' && *++text == '\0') {
            return false;
        }
    }
    return has_gap ? n < 8 : n == 8;
}

static bool is_address(const char *text)
{
    uint32_t v4;

    return ts_address_is_v6(text) ? is_v6(text) : parse_v4(text, &v4);
}

static bool is_domain(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= DOMAIN_MAX && text[0] != '-' && text[0] != '.' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == len;
}

static bool is_anything(const char *text)
{
    return text[0] != '\0';
}

bool ts_prefix_of_mask(const char *mask, unsigned *ret)
{
    uint32_t bits;
    unsigned n = 0;

    if (!parse_v4(mask, &bits))
        return false;
    while (n < BITS_OF_IPV4 && (bits & (UINT32_C(1) << (31 - n))) != 0)
        n++;
    if (n < BITS_OF_IPV4 && (bits << n) != 0)
        return false;
    *ret = n;
    return n > 0;
}

void ts_words_add(struct ts_words *words, const char *word)
{
    size_t len = strlen(word);

    if (words->n == TS_WORDS_MAX || len == 0 || len >= TS_WORD_MAX)
        return;
    for (size_t i = 0; i < words->n; i++)
        if (bytes_eq_nocase(bytes_of(word), words->items[i]))
            return;
    memcpy(words->items[words->n++], word, len + 1);
}

/* "a,b c" into words that pass @is_good. */
static bool read_words(const char *text, bool (*is_good)(const char *), struct ts_words *ret)
{
    ret->n = 0;
    while (*text) {
        size_t len = strcspn(text, ", ;");

        if (len > 0) {
            if (ret->n == TS_WORDS_MAX || len >= TS_WORD_MAX)
                return false;
            memcpy(ret->items[ret->n], text, len);
            ret->items[ret->n][len] = '\0';
            if (!is_good(ret->items[ret->n]))
                return false;
            ret->n++;
        }
        text += len + (text[len] != '\0' ? 1 : 0);
    }
    return true;
}

/* A property of adapter @i, and its variable's name. */
struct value {
    char name[VARIABLE_MAX_BYTES];
    const char *text;
};

static struct value value_of(const struct ts_values *source, size_t i, const char *property)
{
    struct value v;

    (void)snprintf(v.name, sizeof(v.name), "OSDAdapter%zu%s", i, property);
    v.text = source->get(source->ctx, v.name);
    return v;
}

static int is_malformed(const struct value *v, const char *what, struct buf *why)
{
    buf_addf(why, "%s \"%.128s\" %s", v->name, v->text, what);
    return TS_ADAPTER_E_MALFORMED;
}

static bool read_bits(const char *text, unsigned max, unsigned *ret)
{
    uint64_t n = 0;

    if (!bytes_parse_u64(bytes_of(text), 1, max, &n))
        return false;
    *ret = (unsigned)n;
    return true;
}

/* "192.0.2.5/24" is cut behind the address. Return: false if the bits make no sense. */
static bool take_bits(char *address, bool *ret_has_bits, unsigned *ret)
{
    char *slash = strchr(address, '/');

    *ret_has_bits = slash != NULL;
    if (!slash)
        return true;
    *slash = '\0';
    return read_bits(slash + 1, ts_address_is_v6(address) ? BITS_OF_IPV6 : BITS_OF_IPV4, ret);
}

static int
read_addresses(const struct ts_values *source, size_t i, struct ts_adapter *ret, struct buf *why)
{
    const struct value addresses = value_of(source, i, "IPAddressList");
    const struct value mask = value_of(source, i, "SubnetMask");
    struct ts_words masks = {.n = 0};

    if (addresses.text[0] == '\0') {
        buf_addf(why, "%s is not set, and DHCP is off", addresses.name);
        return TS_ADAPTER_E_MISSING;
    }
    if (!read_words(addresses.text, is_anything, &ret->addresses))
        return is_malformed(&addresses, "are too many addresses", why);
    if (!read_words(mask.text, is_anything, &masks))
        return is_malformed(&mask, "are too many masks", why);
    if (masks.n > 0 && masks.n != ret->addresses.n)
        return is_malformed(&mask, "are not as many as the addresses", why);
    for (size_t k = 0; k < ret->addresses.n; k++) {
        char *address = ret->addresses.items[k];
        bool has_bits;

        if (!take_bits(address, &has_bits, &ret->prefixes[k]) || !is_address(address))
            return is_malformed(&addresses, "has what is no address", why);
        if (has_bits)
            continue;
        if (masks.n == 0) {
            buf_addf(why, "%s is not set", mask.name);
            return TS_ADAPTER_E_MISSING;
        }
        if (ts_address_is_v6(address)
                ? !read_bits(masks.items[k], BITS_OF_IPV6, &ret->prefixes[k])
                : !ts_prefix_of_mask(masks.items[k], &ret->prefixes[k]) &&
                      !read_bits(masks.items[k], BITS_OF_IPV4, &ret->prefixes[k]))
            return is_malformed(&mask, "has what is no subnet mask", why);
    }
    return 0;
}

/* "automatic" leaves it to the system. */
static int
read_metrics(const struct ts_values *source, size_t i, struct ts_adapter *ret, struct buf *why)
{
    const struct value v = value_of(source, i, "GatewayCostMetric");
    struct ts_words metrics = {.n = 0};

    if (!read_words(v.text, is_anything, &metrics))
        return is_malformed(&v, "are too many metrics", why);
    for (size_t k = 0; k < metrics.n; k++)
        if (!bytes_eq_nocase(bytes_of(metrics.items[k]), "automatic") &&
            strcmp(metrics.items[k], "0") != 0 &&
            !read_bits(metrics.items[k], METRIC_MAX, &ret->metrics[k]))
            return is_malformed(&v, "is no metric: 1 to 9999, or automatic", why);
    return 0;
}

int ts_adapter_read(const struct ts_values *source,
                    size_t i,
                    struct ts_adapter *ret,
                    struct buf *why)
{
    const struct value mac = value_of(source, i, "MacAddress");
    const struct value gateways = value_of(source, i, "Gateways");
    const struct value dns = value_of(source, i, "DNSServerList");
    uint8_t bytes[MAC_BYTES];
    int r = 0;

    *ret = (struct ts_adapter){
        .is_dhcp = !bytes_eq_nocase(bytes_of(value_of(source, i, "EnableDHCP").text), "false")};
    if (mac.text[0] != '\0' && !mac_parse(bytes_of(mac.text), bytes))
        return is_malformed(&mac, "is no MAC address", why);
    if (!ret->is_dhcp) {
        r = read_addresses(source, i, ret, why);
        if (r == 0 && !read_words(gateways.text, is_address, &ret->gateways))
            r = is_malformed(&gateways, "are no addresses", why);
        if (r == 0)
            r = read_metrics(source, i, ret, why);
    }
    if (r == 0 && !read_words(dns.text, is_address, &ret->dns))
        r = is_malformed(&dns, "are no addresses", why);
    return r;
}

static int add_domains(const struct value *v, struct ts_words *ret, struct buf *why)
{
    struct ts_words found = {.n = 0};

    if (!read_words(v->text, is_domain, &found))
        return is_malformed(v, "is no domain", why);
    for (size_t k = 0; k < found.n; k++)
        ts_words_add(ret, found.items[k]);
    return 0;
}

int ts_adapter_read_search(const struct ts_values *source,
                           size_t i,
                           struct ts_words *ret,
                           struct buf *why)
{
    const struct value of_all[] = {
        {"OSDDNSDomain", source->get(source->ctx, "OSDDNSDomain")},
        {"OSDDNSSuffixSearchOrder", source->get(source->ctx, "OSDDNSSuffixSearchOrder")},
    };
    int r = 0;

    ret->n = 0;
    if (i != SIZE_MAX) {
        const struct value own = value_of(source, i, "DNSDomain");

        r = add_domains(&own, ret, why);
    }
    for (size_t k = 0; r == 0 && k < sizeof(of_all) / sizeof(of_all[0]); k++)
        r = add_domains(&of_all[k], ret, why);
    return r;
}

size_t ts_adapter_count(const struct ts_values *source)
{
    static const char *const names[] = {"OSDAdapterCount", "OSDAdapter"};
    uint64_t n = 0;

    for (size_t i = 0; n == 0 && i < sizeof(names) / sizeof(names[0]); i++)
        (void)bytes_parse_u64(bytes_of(source->get(source->ctx, names[i])), 0, SIZE_MAX / 2, &n);
    return (size_t)n;
}
