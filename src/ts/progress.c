/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/progress.h"

#include <string.h>

#include "ts/sequence.h"

enum {
    PERCENT = 100,
};

void ts_progress_put(const struct ts_sequence *sequence,
                     size_t index,
                     const char *level,
                     struct buf *ret)
{
    bool has_counter = strcmp(level, "1") == 0 || strcmp(level, "2") == 0;
    bool has_percent = strcmp(level, "2") == 0 || strcmp(level, "3") == 0;
    size_t number;
    size_t n;

    ts_sequence_count(sequence, index, &number, &n);
    if (!has_counter && !has_percent)
        buf_addf(ret, "%zu of %zu", index + 1, ts_sequence_size(sequence));
    if (has_counter)
        buf_addf(ret, "%zu of %zu%s", number, n, has_percent ? " " : "");
    if (has_percent)
        buf_addf(ret, "(%zu%% complete)", n > 0 ? number * PERCENT / n : 0);
}
