/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/sequence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/own.h"
#include "cli/commands.h"
#include "cli/sequence_choose.h"
#include "cli/sequence_file.h"
#include "plat/file.h"
#include "ts/container_slim.h"
#include "ts/diag.h"

enum {
    FILE_MAX_BYTES = 6 * 1024 * 1024,
    XML_MAX_BYTES = 4 * 1024 * 1024,
    PATH_MAX_BYTES = 1024,
    NAME_MAX_BYTES = 255,
};

static const struct output_column diagnostic_columns[] = {
    {"SEVERITY", "severity", OUTPUT_TEXT},
    {"ID", "error_id", OUTPUT_TEXT},
    {"LINE", "line", OUTPUT_PLACE},
    {"COLUMN", "column", OUTPUT_PLACE},
    {"STEP", "step", OUTPUT_TEXT},
    {"MESSAGE", "message", OUTPUT_TEXT},
    {0},
};

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"Description", "description", OUTPUT_TEXT},
    {"Version", "version", OUTPUT_TEXT},
    {"Author", "author", OUTPUT_TEXT},
    {"Changed (UTC)", "changed_at", OUTPUT_TIME},
    {"Boot image", "boot_image_id", OUTPUT_TEXT},
    {"Wants the boot image", "wanted_boot_image_id", OUTPUT_TEXT},
    {"Steps", "n_steps", OUTPUT_TEXT},
    {"Disabled", "is_disabled", OUTPUT_TEXT},
    {"Can be deployed", "is_deployable", OUTPUT_TEXT},
    {"Imported", "imported", OUTPUT_TEXT},
    {"Created (UTC)", "created_at", OUTPUT_TIME},
    {0},
};

void sequence_path(struct buf *dst, const char *id_or_name, const char *behind)
{
    buf_adds(dst, "/task-sequences/");
    session_escape(dst, id_or_name);
    buf_adds(dst, behind);
}

/* Text goes as it is, so that it can be read in a log of requests; the rest as Base64. */
static bool put_file(struct session *s, const struct buf *content, json_t *body)
{
    OWN(buf_fini) struct buf base64 = BUF_INIT(2 * (size_t)FILE_MAX_BYTES);
    const char *text = buf_str(content);
    bool is_text =
        content->len > 0 && content->len <= XML_MAX_BYTES && strlen(text) == content->len;

    if (is_text && json_object_set_new(body, "xml", json_string(text)) == 0)
        return true;
    base64_put(&base64, buf_bytes(content));
    return json_object_set_new(body, "file", json_string(buf_str(&base64))) == 0 ||
           session_fail_errno(s, "reading the file", -ENOMEM);
}

bool sequence_names_file(const char *text)
{
    static const char *const starts[] = {"/", "./", "../"};
    static const char *const ends[] = {".xml", ".zip", ".yaml", ".yml"};
    size_t len = strlen(text);

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (len > strlen(ends[i]) &&
            bytes_eq_nocase(bytes_of(text + len - strlen(ends[i])), ends[i]))
            return true;
    return false;
}

static const char zip_mark[] = {'P', 'K', 3, 4};

static bool too_large(struct session *s, const char *file)
{
    return session_fail(s,
                        ARGS_EXIT_FAILURE,
                        "SLW-0704",
                        "%s cannot be read: line 1, column 1: it is larger than a file of task "
                        "sequences may be (%d bytes)",
                        file,
                        FILE_MAX_BYTES);
}

static int64_t read_at(void *ctx, uint64_t offset, void *dst, size_t cap)
{
    const int *fd = ctx;
    ssize_t n = pread(*fd, dst, cap, (off_t)offset);

    return n < 0 ? -errno : n;
}

/* Of a large .zip what describes task sequences and packages is read, and no content. Return: false: it was told why not. */
static bool read_large(struct session *s, const char *file, struct buf *content)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(fd_closep) int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct ts_container_source source = {.read_at = read_at, .ctx = &fd};
    char mark[sizeof(zip_mark)] = "";
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) != 0)
        return session_fail_errno(s, file, -errno);
    if (!S_ISREG(st.st_mode) || pread(fd, mark, sizeof(mark), 0) != (ssize_t)sizeof(mark) ||
        memcmp(mark, zip_mark, sizeof(mark)) != 0)
        return too_large(s, file);
    source.size_bytes = (uint64_t)st.st_size;
    buf_clear(content);
    r = ts_container_slim(&source, content, &diags);
    if (r > 0)
        return sequence_file_unreadable(s, file, &diags);
    if (r < 0 && content->failed)
        return too_large(s, file);
    return r == 0 || session_fail_errno(s, file, r);
}

bool sequence_read_content(struct session *s,
                           const char *file,
                           struct buf *content,
                           bool *ret_is_there)
{
    int r = file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, content);

    if (ret_is_there)
        *ret_is_there = r == 0;
    if (ret_is_there && (r == -EISDIR || r == -ENOTDIR || r == -ENAMETOOLONG))
        return true; /* no file: the name of something at the site */
    if (r < 0)
        return session_fail_errno(s, file, r);
    if (r == FILE_E_TOO_LARGE && strcmp(file, "-") == 0)
        return too_large(s, "what comes by a pipe");
    if (r == FILE_E_TOO_LARGE) {
        if (ret_is_there)
            *ret_is_there = true;
        return read_large(s, file, content);
    }
    if (r != 0)
        return (ret_is_there && !sequence_names_file(file)) ||
               session_fail(s, ARGS_EXIT_FAILURE, "SLW-0704", "%s is not there", file);
    return content->len > 0 || session_fail(s, ARGS_EXIT_FAILURE, "SLW-0704", "%s is empty", file);
}

bool sequence_read(struct session *s, const char *file, json_t *body, bool *ret_is_there)
{
    OWN(buf_fini) struct buf content = BUF_INIT(FILE_MAX_BYTES);
    bool is_there = false;

    if (!sequence_read_content(s, file, &content, ret_is_there ? &is_there : NULL))
        return false;
    if (ret_is_there)
        *ret_is_there = is_there;
    return (ret_is_there && !is_there) || put_file(s, &content, body);
}

/* Where the first '=' is that has no '\\' before it; NULL if there is none. */
static const char *find_equals(const char *text)
{
    for (; *text; text++) {
        if (*text == '=')
            return text;
        if (*text == '\\' && text[1] != '\0')
            text++;
    }
    return NULL;
}

bool sequence_read_map(struct session *s, const struct args *args, json_t *body)
{
    json_t *map = json_object();

    if (args_get(args, "map-by-name"))
        (void)json_object_set_new(body, "map_by_name", json_true());
    for (size_t i = 0; i < args->n_repeated; i++) {
        const char *text = args->repeated[i];
        const char *equals = find_equals(text);
        OWN(buf_fini) struct buf from = BUF_INIT(PATH_MAX_BYTES);

        for (; equals && text < equals; text++) {
            text += *text == '\\' && text + 1 < equals ? 1 : 0;
            buf_add(&from, (struct bytes){(const uint8_t *)text, 1});
        }
        if (!equals || from.len == 0 || from.failed || equals[1] == '\0') {
            json_decref(map);
            return session_fail(s,
                                ARGS_EXIT_USAGE,
                                NULL,
                                "--map wants OLD=NEW, once for each reference; a '=' within OLD is "
                                "written \\=");
        }
        (void)json_object_set_new(map, buf_str(&from), json_string(equals + 1));
    }
    if (args->n_repeated > 0)
        return json_object_set_new(body, "map", map) == 0;
    json_decref(map);
    return true;
}

/* The members may be NULL: they are left out then. */
static bool set_text(json_t *body, const char *name, const char *value)
{
    return !value || json_object_set_new(body, name, json_string(value)) == 0;
}

/* What the file is called: a bare <sequence> of Configuration Manager has no name of its own. */
static bool set_file_name(json_t *body, const char *path)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t len = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    json_t *text = strcmp(path, "-") != 0 && len > 0 && len <= NAME_MAX_BYTES
                       ? json_stringn(name, len)
                       : NULL; /* also if it is not UTF-8 */

    return !text || json_object_set_new(body, "file_name", text) == 0;
}

/* Of a file with several: all that were imported, not only the one that was shown. */
static bool print_imported(struct session *s, const json_t *sequence)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"DEPLOYABLE", "is_deployable", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *rows = json_array();
    const json_t *ids = output_at(sequence, "imported");

    if (json_array_size(ids) < 2 || s->format != ARGS_FORMAT_TABLE)
        return true;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        json_t *one = NULL;

        if (!session_get(
                s, &one, "/task-sequences/%s", json_string_value(json_array_get(ids, i))) ||
            json_array_append_new(rows, one) < 0)
            return false;
    }
    return session_print_part(s, "Imported", rows, columns);
}

bool sequence_import(struct session *s, const struct args *args)
{
    static const struct output_column packages[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"VERSION", "version", OUTPUT_TEXT},
        {"FILES OF ITS CONTENT", "n_files", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *sequence = NULL;
    json_t *body = json_object();

    if (!set_text(body, "name", args_get(args, "name")) ||
        !set_text(body, "boot_image_id", args_get(args, "boot-image")) ||
        !set_text(body, "into", args_get(args, "into")) ||
        !set_file_name(body, args->operands[0]) || !sequence_read_map(s, args, body) ||
        !sequence_read(s, args->operands[0], body, NULL) || !session_open(s)) {
        json_decref(body);
        return false;
    }
    return session_call(s, "POST", "/task-sequences", body, &sequence) &&
           sequence_print(s, sequence) && print_imported(s, sequence) &&
           session_print_part(s, "Packages in the file", output_at(sequence, "packages"), packages);
}

static bool get_validation(struct session *s, const struct args *args, json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf content = BUF_INIT(FILE_MAX_BYTES);
    const char *operand = args->operands[0];
    json_t *body;
    bool is_there = false;

    if (!sequence_read_content(s, operand, &content, &is_there))
        return false;
    if (is_there && (args_get(args, "offline") || !sequence_file_has_login(s)))
        return sequence_file_validate(s, operand, buf_bytes(&content), ret);
    if (!session_open(s))
        return false;
    if (!is_there) {
        sequence_path(&path, operand, "/validation");
        return session_get(s, ret, "%s", buf_str(&path));
    }
    body = json_object();
    if (!put_file(s, &content, body)) {
        json_decref(body);
        return false;
    }
    return session_call(s, "POST", "/task-sequences:validate", body, ret);
}

/* Of a file with several task sequences, each finding says of which it is. */
static bool has_sequences(const json_t *diagnostics)
{
    return output_at(json_array_get(diagnostics, 0), "sequence") != NULL;
}

static const struct output_column missing_columns[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"NAME", "name", OUTPUT_TEXT},
    {"KIND", "kind", OUTPUT_TEXT},
    {0},
};

static bool print_findings(struct session *s, const json_t *value)
{
    static const struct output_column of_several[] = {
        {"SEVERITY", "severity", OUTPUT_TEXT},
        {"ID", "error_id", OUTPUT_TEXT},
        {"TASK SEQUENCE", "sequence", OUTPUT_TEXT},
        {"LINE", "line", OUTPUT_PLACE},
        {"COLUMN", "column", OUTPUT_PLACE},
        {"STEP", "step", OUTPUT_TEXT},
        {"MESSAGE", "message", OUTPUT_TEXT},
        {0},
    };
    const json_t *diagnostics = output_at(value, "diagnostics");

    return session_print_part(s, "Missing here", output_at(value, "missing"), missing_columns) &&
           session_print_part(s,
                              "Diagnostics",
                              diagnostics,
                              has_sequences(diagnostics) ? of_several : diagnostic_columns);
}

bool sequence_print(struct session *s, json_t *sequence)
{
    static const struct output_column mapped[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"NOW", "to", OUTPUT_TEXT},
        {0},
    };

    return session_print_fields(s, sequence, fields) &&
           session_print_part(s, "Mapped by name", output_at(sequence, "mapped_by_name"), mapped) &&
           print_findings(s, sequence);
}

bool sequence_validate(struct session *s, const struct args *args)
{
    static const struct output_column verdict[] = {{"Valid", "is_valid", OUTPUT_TEXT}, {0}};
    static const struct output_column offline[] = {
        {"Valid", "is_valid", OUTPUT_TEXT},
        {"References checked", "are_references_checked", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *validation = NULL;
    bool is_offline;

    if (!get_validation(s, args, &validation))
        return false;
    is_offline = output_at(validation, "are_references_checked") != NULL;
    if (!session_print_fields(s, validation, is_offline ? offline : verdict) ||
        !print_findings(s, validation))
        return false;
    if (!json_is_true(output_at(validation, "is_valid")))
        s->exit_code = ARGS_EXIT_FAILURE;
    return true;
}

bool sequence_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"VERSION", "version", OUTPUT_TEXT},
        {"BOOT IMAGE", "boot_image_id", OUTPUT_TEXT},
        {"STEPS", "n_steps", OUTPUT_TEXT},
        {"DISABLED", "is_disabled", OUTPUT_TEXT},
        {"DEPLOYABLE", "is_deployable", OUTPUT_TEXT},
        {"CHANGED (UTC)", "changed_at", OUTPUT_TIME},
        {0},
    };

    (void)args;
    return session_show_list(s, "/task-sequences", columns);
}

static bool print_document(struct session *s, const char *path)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    OWN(session_json_freep) json_t *problem = NULL;
    int r = session_try(s, "GET", path, NULL, &answer);

    if (r != 0)
        return session_no_answer(s, r);
    if (answer.status == 200)
        return session_write(s, &answer.body);
    problem = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
    return session_problem(s, answer.status, problem);
}

bool sequence_export(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf content = BUF_INIT(FILE_MAX_BYTES);
    bool is_there = false;
    bool is_export = args->command->run == sequence_export;
    const char *version = is_export ? args_get(args, "version") : NULL;
    const char *format = is_export ? args_get(args, "format") : NULL;

    if (format && strcmp(format, "zip") == 0 && s->is_out_terminal)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "a .zip is nothing for a terminal; let it go into a file: > NAME.zip");
    if (!sequence_read_content(s, args->operands[0], &content, &is_there))
        return false;
    if (is_there)
        return sequence_file_convert(s,
                                     args->operands[0],
                                     buf_bytes(&content),
                                     args_get(args, "sequence"),
                                     format ? format : "xml");
    sequence_path(&path, args->operands[0], "/");
    buf_adds(&path, format ? format : "xml"); /* one of the words of the option */
    if (version) {
        buf_adds(&path, "?version=");
        session_escape(&path, version);
    }
    return sequence_choose_from_file(s, args_get(args, "sequence")) && session_open(s) &&
           print_document(s, buf_str(&path));
}

/* A value of several lines has no place in a table: it is behind it. */
static void put_long(json_t *row, struct buf *ret)
{
    const char *value = output_text(row, "value");
    const char *path = output_text(row, "path");

    if (!strchr(value, '\n'))
        return;
    buf_adds(ret, "\n");
    output_put_safe(ret, output_text(row, "label"), strlen(output_text(row, "label")));
    buf_adds(ret, " of ");
    output_put_safe(ret, path, strlen(path));
    buf_adds(ret, ":\n");
    while (*value) {
        size_t len = strcspn(value, "\n");

        buf_adds(ret, "    ");
        output_put_safe(ret, value, len - (len > 0 && value[len - 1] == '\r' ? 1 : 0));
        buf_adds(ret, "\n");
        value += len + (value[len] == '\n' ? 1 : 0);
    }
    (void)json_object_set_new(row, "value", json_string("(below)"));
}

static bool
print_properties(struct session *s, const json_t *properties, const struct output_column *columns)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);

    for (size_t i = 0; s->format == ARGS_FORMAT_TABLE && i < json_array_size(properties); i++)
        put_long(json_array_get(properties, i), &text);
    return session_print_part(s, "Properties", properties, columns) &&
           (text.len == 0 || session_write(s, &text));
}

/* Of a file that is there, otherwise of the site. */
static bool get_shown(struct session *s, const struct args *args, json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf content = BUF_INIT(FILE_MAX_BYTES);
    const char *operand = args->operands[0];
    bool is_there = false;

    if (!sequence_read_content(s, operand, &content, &is_there))
        return false;
    if (is_there)
        return sequence_file_show(s, operand, buf_bytes(&content), args_get(args, "sequence"), ret);
    sequence_path(&path, operand, "");
    return sequence_choose_from_file(s, args_get(args, "sequence")) && session_open(s) &&
           session_get(s, ret, "%s", buf_str(&path));
}

bool sequence_show(struct session *s, const struct args *args)
{
    static const struct output_column steps[] = {
        {"STEP", "index", OUTPUT_STEP},
        {"NAME", "name", OUTPUT_TEXT},
        {"PATH", "path", OUTPUT_TEXT},
        {"TYPE", "type", OUTPUT_TEXT},
        {"ENABLED", "is_enabled", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column settings[] = {
        {"STEP", "path", OUTPUT_TEXT},
        {"PROPERTY", "name", OUTPUT_TEXT},
        {"VALUE", "value", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *sequence = NULL;

    if (args_get(args, "xml"))
        return sequence_export(s, args);
    return get_shown(s, args, &sequence) && sequence_print(s, sequence) &&
           session_print_part(s, "Steps", output_at(sequence, "steps"), steps) &&
           print_properties(s, output_at(sequence, "properties"), settings);
}
