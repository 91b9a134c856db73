/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diff_parts.h"

/* A number of those that are put in order. */
struct cell {
    size_t length; /* of the longest run that ends with it */
    size_t next;   /* the next one with a run of this length; n: none */
};

static bool has_grown(const int *numbers, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (numbers[i] < numbers[i - 1])
            return false;
    return true;
}

/* How many of the @n_runs, whose smallest ends are @ends and grow, end before @number. */
static size_t count_before(const int *ends, size_t n_runs, int number)
{
    size_t from = 0;
    size_t to = n_runs;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (ends[middle] < number)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* @ends: room for all. @first: of each length the first cell. Return: the length of the longest run. */
static size_t measure(const int *numbers, size_t n, struct cell *cells, int *ends, size_t *first)
{
    size_t n_runs = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = count_before(ends, n_runs, numbers[i]);

        cells[i].length = k;
        ends[k] = numbers[i];
        n_runs += k == n_runs;
    }
    for (size_t i = n; i-- > 0;) {
        cells[i].next = first[cells[i].length];
        first[cells[i].length] = i;
    }
    return n_runs;
}

int ts_diff_order(const int *numbers, size_t n, bool *ret_is_kept)
{
    OWN(freep) struct cell *cells = NULL;
    OWN(freep) int *ends = NULL;
    OWN(freep) size_t *first = NULL;
    size_t length;
    size_t behind = n;

    for (size_t i = 0; i < n; i++)
        ret_is_kept[i] = true;
    if (has_grown(numbers, n))
        return 0;
    cells = calloc(n, sizeof(*cells));
    ends = calloc(n, sizeof(*ends));
    first = calloc(n, sizeof(*first));
    if (!cells || !ends || !first)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        ret_is_kept[i] = false;
        first[i] = n;
    }
    length = measure(numbers, n, cells, ends, first);
    while (length-- > 0) {
        size_t i = first[length];

        /* those of one length become smaller, so the first that fits stands before the one that follows it */
        while (behind < n && numbers[i] > numbers[behind])
            i = cells[i].next;
        ret_is_kept[i] = true;
        behind = i;
    }
    return 0;
}
