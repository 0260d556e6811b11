#include "server/rows_file.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

static int bad(const char *path, int line, const char *why)
{
    fprintf(stderr, "rowcast: %s, line %d: %s\n", path, line, why);
    return ROWS_FILE_BAD;
}

/* ---- CSV ---- */

struct csv_reading {
    struct arena *arena;
    json_t *rows, *row; /* NULL: the names are not complete yet */
    const char **names;
    size_t name_count, names_capacity, column;
    int line, row_line; /* the line being fed; the one where the row begins */
    int *lines;
    size_t lines_capacity;
    const char *wrong; /* the first thing that was; NULL: nothing */
    int wrong_line;
};

static void note_wrong(struct csv_reading *r, const char *wrong)
{
    if (r->wrong)
        return;
    r->wrong = wrong;
    r->wrong_line = r->row_line;
}

static json_t *made(json_t *value)
{
    if (!value)
        mem_exhausted();
    return value;
}

static void add_name(struct csv_reading *r, struct str name)
{
    if (r->name_count == r->names_capacity) {
        r->names_capacity = r->names_capacity ? r->names_capacity * 2 : 16;
        r->names = mem_resize(r->names, r->names_capacity * sizeof(*r->names));
    }
    r->names[r->name_count++] = arena_z(r->arena, str_trim(name));
}

static void check_names(struct csv_reading *r)
{
    struct map seen = {0};
    for (size_t i = 0; i < r->name_count; i++) {
        if (r->names[i][0] == '\0')
            note_wrong(r, "a name is empty");
        if (map_put(&seen, str_of(r->names[i]), r))
            note_wrong(r, "a name is there twice");
    }
    map_deinit(&seen);
}

static void on_cell(void *bytes, size_t size, void *context)
{
    struct csv_reading *r = context;
    if (!r->rows)
        add_name(r, (struct str){bytes, size});
    else if (r->column == r->name_count)
        note_wrong(r, "more cells than the first line has names");
    else
        json_object_set_new(r->row, r->names[r->column++],
                            made(size == 0 ? json_null() : json_stringn(bytes, size)));
}

static void add_row(struct csv_reading *r)
{
    size_t index = json_array_size(r->rows);
    if (index == r->lines_capacity) {
        r->lines_capacity = r->lines_capacity ? r->lines_capacity * 2 : 1024;
        r->lines = mem_resize(r->lines, r->lines_capacity * sizeof(*r->lines));
    }
    r->lines[index] = r->row_line;
    if (r->column < r->name_count)
        note_wrong(r, "fewer cells than the first line has names");
    json_array_append_new(r->rows, r->row);
}

static void on_row(int end, void *context)
{
    (void)end;
    struct csv_reading *r = context;
    if (r->rows)
        add_row(r);
    else {
        check_names(r);
        r->rows = made(json_array());
    }
    r->row = made(json_object());
    r->column = 0;
    r->row_line = r->line + 1;
}

static const char *feed_line(struct csv_reading *r, struct csv_parser *parser, struct str line)
{
    /* The parser skips blank lines between rows, and so does the count of lines. */
    if (r->row_line == r->line && str_trim(line).len == 0)
        r->row_line++;
    if (!text_is_plain(line))
        return "this is not UTF-8 text";
    if (csv_parse(parser, line.at, line.len, on_cell, on_row, r) != line.len)
        return "a quote stands where none may";
    return r->wrong;
}

static int feed_lines(struct csv_reading *r, struct csv_parser *parser, const char *path,
                      struct str text)
{
    r->row_line = 1;
    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);
        struct str line = {text.at, end ? (size_t)(end - text.at) + 1 : text.len};
        r->line++;
        const char *wrong = feed_line(r, parser, line);
        if (wrong)
            return bad(path, r->wrong ? r->wrong_line : r->line, wrong);
        text = str_skip(text, line.len);
    }
    if (csv_fini(parser, on_cell, on_row, r) != 0)
        return bad(path, r->row_line, "the row's quotes do not end");
    if (r->wrong)
        return bad(path, r->wrong_line, r->wrong);
    return r->rows ? 0 : bad(path, 1, "there is no line of names");
}

static void *keep(struct arena *a, const void *at, size_t size)
{
    void *kept = arena_alloc(a, size + 1);
    if (size)
        memcpy(kept, at, size);
    return kept;
}

static int read_csv(struct arena *a, const char *path, struct str text, struct rows_file *out)
{
    struct csv_parser parser;
    struct csv_reading reading = {.arena = a};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        mem_exhausted();
    csv_set_blk_size(&parser, text.len / 16 + 4096); /* a cell grows in so few steps */
    int rc = feed_lines(&reading, &parser, path, text);
    csv_free(&parser);
    if (rc == 0) {
        size_t count = json_array_size(reading.rows);
        arena_on_free(a, json_release, reading.rows);
        *out = (struct rows_file){
            .rows = reading.rows,
            .lines = keep(a, reading.lines, count * sizeof(*reading.lines)),
            .names = keep(a, reading.names, reading.name_count * sizeof(*reading.names)),
            .name_count = reading.name_count};
    } else
        json_decref(reading.rows);
    json_decref(reading.row);
    mem_free(reading.names);
    mem_free(reading.lines);
    return rc;
}

/* ---- JSON ---- */

/* A list, or the only list in an object, as iso-codes and many exports wrap it. */
static json_t *find_list(json_t *root)
{
    if (json_is_array(root))
        return root;
    json_t *found = NULL, *value;
    const char *name;
    json_object_foreach(root, name, value)
    {
        if (!json_is_array(value))
            continue;
        if (found)
            return NULL;
        found = value;
    }
    return found;
}

static int read_json(struct arena *a, const char *path, struct str text, struct rows_file *out)
{
    json_error_t error;
    json_t *root = json_loadb(text.at ? text.at : "", text.len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return bad(path, error.line, error.text);
    arena_on_free(a, json_release, root);
    json_t *list = find_list(root);
    if (!list)
        return bad(path, 1, "there is no list of objects, or more than one");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_is_object(json_array_get(list, i)))
            continue;
        fprintf(stderr, "rowcast: %s, item %zu: this is no object\n", path, i + 1);
        return ROWS_FILE_BAD;
    }
    *out = (struct rows_file){.rows = list};
    return 0;
}

/* ---- both ---- */

/* Through plain reads, so that a pipe will do. 0 or an errno. */
static int read_whole(const char *path, struct buf *text)
{
    enum { READ_SIZE = 64 * 1024 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    ssize_t size = 0;
    for (char *at; (at = buf_reserve(text, READ_SIZE)); text->len += (size_t)size) {
        do
            size = read(fd, at, READ_SIZE);
        while (size < 0 && errno == EINTR);
        if (size <= 0)
            break;
    }
    int rc = text->failed ? EFBIG : size < 0 ? errno : 0;
    close(fd);
    return rc;
}

static bool looks_like_json(const char *path, struct str text)
{
    struct str name = str_of(path), start = str_trim(text);
    if (str_ends_with(name, STR(".json")) || str_ends_with(name, STR(".csv")))
        return str_ends_with(name, STR(".json"));
    return start.len > 0 && (start.at[0] == '[' || start.at[0] == '{');
}

int rows_file_read(struct arena *a, const char *path, struct rows_file *file_out)
{
    struct buf bytes;
    buf_init(&bytes, ROWS_FILE_BYTES_MAX);
    int rc = read_whole(path, &bytes);
    if (rc != 0) {
        fprintf(stderr, "rowcast: cannot read %s: %s\n", path, strerror(rc));
        rc = ROWS_FILE_BAD;
    } else {
        struct str text = buf_str(&bytes), mark = STR("\xef\xbb\xbf");
        if (str_starts_with(text, mark))
            text = str_skip(text, mark.len);
        rc = (looks_like_json(path, text) ? read_json : read_csv)(a, path, text, file_out);
    }
    buf_deinit(&bytes);
    return rc;
}

struct str rows_file_place(const struct rows_file *f, struct arena *a, size_t row)
{
    return f->lines ? arena_printf(a, "line %d", f->lines[row])
                    : arena_printf(a, "item %zu", row + 1);
}
