/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pwm/pwm.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a run through the stream saw; the sum tells borders at different places apart. */
struct seen {
    uint64_t n_bytes;
    uint64_t n_units;
    uint64_t borders;
    int outcome;
};

/* What the header of a unit says is what comes. */
struct unit {
    uint64_t n_bytes; /* behind the header */
    uint64_t wanted;
    bool is_resource;
};

static void
check_unit(const struct pwm_splitter *splitter, const struct pwm_piece *piece, struct unit *unit)
{
    if (piece->is_head_end)
        *unit = (struct unit){.wanted = splitter->size_bytes,
                              .is_resource = splitter->part != PWM_OTHER};
    if (!piece->is_head)
        unit->n_bytes += piece->bytes.len;
    if (piece->ends_unit && unit->is_resource && unit->n_bytes != unit->wanted)
        abort();
}

/* Feed @src in parts of @step bytes, and one byte more each time. */
static struct seen run(struct bytes src, size_t step)
{
    struct pwm_splitter splitter;
    struct seen seen = {0};
    struct unit unit = {0};

    pwm_init(&splitter);
    while (src.len > 0 && seen.outcome == 0) {
        struct bytes part = {src.ptr, step < src.len ? step : src.len};
        const uint8_t *expected = part.ptr;

        src = (struct bytes){src.ptr + part.len, src.len - part.len};
        step++;
        while (part.len > 0 && seen.outcome == 0) {
            struct pwm_piece piece;

            seen.outcome = pwm_next(&splitter, &part, &piece);
            if (seen.outcome != 0)
                break;
            if (piece.bytes.ptr != expected || piece.bytes.len == 0)
                abort();
            check_unit(&splitter, &piece, &unit);
            expected += piece.bytes.len;
            seen.n_bytes += piece.bytes.len;
            seen.n_units += piece.ends_unit;
            seen.borders = piece.ends_unit ? seen.borders * 31 + seen.n_bytes : seen.borders;
        }
    }
    if (seen.outcome != 0 && pwm_is_complete(&splitter))
        abort();
    return seen;
}

/* The bytes come out as they went in, and how they are fed does not move a border. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes src = {data, size};
    struct seen whole = run(src, size > 0 ? size : 1);
    struct seen parts = run(src, size > 0 ? 1 + data[0] % 50u : 1);

    if (whole.outcome != parts.outcome || whole.n_units != parts.n_units ||
        whole.borders != parts.borders)
        abort();
    if (whole.outcome == 0 && (whole.n_bytes != size || parts.n_bytes != size))
        abort();
    return 0;
}
