/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Runs a fuzzer's entry point over every file of a corpus folder, so that a compiler without libFuzzer
 * replays what fuzzing once found. A folder that is missing or empty fails: nothing was tested.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX_BYTES = 1 << 20,
};

static int replay(const char *folder, const char *name)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

    if (n < 0 || (size_t)n >= sizeof(path))
        return -1;

    FILE *file = fopen(path, "rb");

    if (!file)
        return -1;

    uint8_t *whole = malloc(INPUT_MAX_BYTES);
    size_t len = whole ? fread(whole, 1, INPUT_MAX_BYTES, file) : 0;
    /* exactly its size, so that AddressSanitizer sees a read past the end */
    uint8_t *exact = whole ? realloc(whole, len > 0 ? len : 1) : NULL;

    (void)fclose(file);
    if (!exact) {
        free(whole);
        return -1;
    }
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    unsigned n_replayed = 0;

    if (!dir) {
        (void)fprintf(stderr, "usage: %s CORPUS_DIR (a folder that exists)\n", argv[0]);
        return 2;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR */
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_name[0] == '.')
            continue;
        if (replay(argv[1], e->d_name) != 0) {
            (void)fprintf(stderr, "%s/%s: cannot read\n", argv[1], e->d_name);
            return 1;
        }
        n_replayed++;
    }
    (void)closedir(dir);
    (void)printf("%u inputs replayed\n", n_replayed);
    return n_replayed > 0 ? 0 : 1;
}
