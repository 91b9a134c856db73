/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * How much of an image an old system has, without a machine around it:
 *
 *     bench_seed STORE MANIFEST OLD FOLDER
 *
 * Puts together what it can of the content MANIFEST of the store (a folder "dp/content") from the files below OLD,
 * onto a shelf in FOLDER. Prints what was found, and what would have to be downloaded, as one JSON object.
 */

#include <inttypes.h>
#include <stdio.h>

#include "agent/fetch/seed.h"
#include "agent/fetch/shelf.h"
#include "base/buf.h"
#include "base/own.h"
#include "format/manifest/manifest.h"
#include "format/pack/chunk_list.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
};

static bool read_from(const char *store, const char *folder, const char *name, struct buf *ret)
{
    char path[PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s/%s", store, folder, name);
    return file_read(path, ret) == 0;
}

static void print(const struct manifest *manifest, const struct seed_report *report)
{
    uint64_t all = 0;

    for (size_t i = 0; i < manifest->n_packs; i++)
        all += manifest->packs[i].stored_bytes;
    (void)printf("{\"packs\": %zu, \"stored_bytes\": %" PRIu64 ", \"seeded_packs\": %u, "
                 "\"seeded_bytes\": %" PRIu64 ", \"download_bytes\": %" PRIu64
                 ", \"known_but_downloaded_plain_bytes\": %" PRIu64 ", \"files\": %" PRIu64
                 ", \"read_bytes\": %" PRIu64 ", \"hashed_bytes\": %" PRIu64
                 ", \"bad\": %u, \"elapsed_us\": %" PRIu64 "}\n",
                 manifest->n_packs,
                 all,
                 report->n_packs,
                 report->stored_bytes,
                 all - report->stored_bytes,
                 report->part_bytes,
                 report->n_files,
                 report->read_bytes,
                 report->hashed_bytes,
                 report->n_bad,
                 report->elapsed_us);
}

int main(int argc, char **argv)
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    OWN(buf_fini) struct buf list = BUF_INIT(CHUNK_LIST_MAX_BYTES);
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(shelf_freep) struct shelf *shelf = NULL;
    struct seed_report report;

    if (argc != 5 || !read_from(argv[1], "manifests", argv[2], &text) ||
        !read_from(argv[1], "lists", argv[2], &list) ||
        manifest_parse(buf_bytes(&text), &manifest) != 0 || shelf_open(argv[4], &shelf) != 0) {
        (void)fprintf(stderr, "usage: bench_seed STORE MANIFEST OLD FOLDER\n");
        return 2;
    }

    const struct seed_options options = {
        .shelf = shelf, .manifest = &manifest, .list = buf_bytes(&list), .root = argv[3]};

    if (seed_run(&options, &report) != 0)
        return 1;
    print(&manifest, &report);
    return 0;
}
