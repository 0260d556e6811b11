#include "server/rows_file.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"

/* ---- CSV ---- */

struct csv_reading {
    struct arena *arena;
    json_t *rows, *row;
    const char **names;
    size_t name_count, names_capacity, column;
    int line, row_line; /* the line being fed; the one that the row began on */
    int *lines;
    size_t lines_capacity;
    bool too_many; /* a row with more cells than names */
};

static void add_name(struct csv_reading *r, struct str name)
{
    if (r->name_count == r->names_capacity) {
        r->names_capacity = r->names_capacity ? r->names_capacity * 2 : 16;
        r->names = mem_resize(r->names, r->names_capacity * sizeof(*r->names));
    }
    r->names[r->name_count++] = arena_z(r->arena, str_trim(name));
}

static void on_cell(void *bytes, size_t size, void *context)
{
    struct csv_reading *r = context;
    struct str cell = {bytes, size};
    if (r->lines_capacity == 0 && !r->rows) {
        add_name(r, cell);
        return;
    }
    if (r->column == 0)
        r->row_line = r->line;
    if (r->column >= r->name_count) {
        r->too_many = true;
        return;
    }
    const char *name = r->names[r->column++];
    /* An empty cell is no value. Text that is not UTF-8 makes jansson refuse: seen by the caller.
     */
    json_t *value = size == 0 ? json_null() : json_stringn(cell.at, cell.len);
    if (value)
        json_object_set_new(r->row, name, value);
    else
        r->too_many = true;
}

static void on_row(int end, void *context)
{
    (void)end;
    struct csv_reading *r = context;
    if (!r->rows) { /* the names are complete */
        r->rows = json_array();
        r->row = json_object();
        return;
    }
    size_t index = json_array_size(r->rows);
    if (index == r->lines_capacity) {
        r->lines_capacity = r->lines_capacity ? r->lines_capacity * 2 : 1024;
        r->lines = mem_resize(r->lines, r->lines_capacity * sizeof(*r->lines));
    }
    r->lines[index] = r->row_line;
    json_array_append_new(r->rows, r->row);
    r->row = json_object();
    r->column = 0;
}

static int bad(const char *path, int line, const char *why)
{
    fprintf(stderr, "rowcast: %s, line %d: %s\n", path, line, why);
    return ROWS_FILE_BAD;
}

static int feed_lines(FILE *file, const char *path, struct csv_parser *parser,
                      struct csv_reading *reading)
{
    char *line = NULL;
    size_t capacity = 0;
    int rc = 0;
    for (ssize_t size; rc == 0 && (size = getline(&line, &capacity, file)) > 0;) {
        reading->line++;
        size_t mark =
            reading->line == 1 && size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        if (csv_parse(parser, line + mark, (size_t)size - mark, on_cell, on_row, reading) !=
            (size_t)size - mark)
            rc = bad(path, reading->line, csv_strerror(csv_error(parser)));
        else if (reading->too_many)
            rc = bad(path, reading->line, "more cells than the first line has names, or no UTF-8");
    }
    if (rc == 0 && csv_fini(parser, on_cell, on_row, reading) != 0)
        rc = bad(path, reading->line, csv_strerror(csv_error(parser)));
    free(line);
    return rc;
}

static int read_csv(struct arena *a, const char *path, FILE *file, struct rows_file *out)
{
    struct csv_parser parser;
    struct csv_reading reading = {.arena = a};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return bad(path, 0, "no memory");
    int rc = feed_lines(file, path, &parser, &reading);
    csv_free(&parser);
    if (rc == 0 && !reading.rows)
        rc = bad(path, 1, "there is no line of names");
    if (rc == 0) {
        size_t count = json_array_size(reading.rows);
        int *lines = ARENA_ARRAY(a, int, count + 1);
        if (count)
            memcpy(lines, reading.lines, count * sizeof(*lines));
        arena_on_free(a, json_release, reading.rows);
        *out = (struct rows_file){.rows = reading.rows, .lines = lines, .textual = true};
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

static int read_json(struct arena *a, const char *path, FILE *file, struct rows_file *out)
{
    json_error_t error;
    json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return bad(path, error.line, error.text);
    arena_on_free(a, json_release, root);
    json_t *list = find_list(root);
    if (!list)
        return bad(path, 1, "there is no list of objects, or more than one");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_is_object(json_array_get(list, i)))
            continue;
        fprintf(stderr, "rowcast: %s, item %zu is no object\n", path, i + 1);
        return ROWS_FILE_BAD;
    }
    *out = (struct rows_file){.rows = list};
    return 0;
}

int rows_file_read(struct arena *a, const char *path, struct rows_file *file_out)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "rowcast: cannot read %s: %s\n", path, strerror(errno));
        return ROWS_FILE_BAD;
    }
    int first;
    do
        first = fgetc(file);
    while (first == ' ' || first == '\n' || first == '\r' || first == '\t');
    rewind(file);
    int rc = first == '[' || first == '{' ? read_json(a, path, file, file_out)
                                          : read_csv(a, path, file, file_out);
    fclose(file);
    return rc;
}

struct str rows_file_place(const struct rows_file *f, struct arena *a, size_t row)
{
    return f->lines ? arena_printf(a, "line %d", f->lines[row])
                    : arena_printf(a, "item %zu", row + 1);
}
