/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is accepted can be asked for without a surprise, and what is not has a reason. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/steps/package_file.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    OWN(json_decrefp) json_t *file = NULL;
    struct package_program program;
    struct package_application application;
    const char *name;
    json_t *value;
    int r = package_file_parse((struct bytes){data, size}, &file, &why);

    if (r != 0) {
        assert(r < 0 || (r == PACKAGE_FILE_E_MALFORMED && why.len > 0 && !file));
        return 0;
    }
    json_object_foreach(json_object_get(file, "programs"), name, value)
    {
        assert(package_file_program(file, name, &program));
        assert(!program.command != !program.packages);
    }
    if (package_file_application(file, &application))
        assert(json_array_size(application.detection) > 0);
    return 0;
}
