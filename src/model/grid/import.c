#include "model/grid/import.h"

#include <inttypes.h>

#include "base/mem.h"
#include "model/grid/making.h"
#include "model/problem.h"
#include "model/progress.h"

/*
 * By pages of rows, each a batch of grid_rows_create() and one of grid_rows_update(). What does not
 * fit is found ahead of that cell by cell, but for what takes the store to know (links, values that
 * must be unique): of that the batch says what is wrong before it has written anything, is told
 * without these cells, and tried again.
 */

/* ---- what is asked for ---- */

static bool has_id(const int64_t *ids, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static int check_ids(struct tx *tx, const struct grid_table *t, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!grid_table_field(t, ids[i]))
            return refuse_wish(tx, GRID_FOREIGN_FIELD);
    return 0;
}

static bool tells_apart(const struct grid_field *f)
{
    return !f->link && f->column && !(f->kind->flags & KIND_NOT_SORTED) &&
           f->kind->id != KIND_MULTIPLE_SELECT && f->kind->id != KIND_MULTIPLE_COLLABORATORS;
}

static int check_keys(struct tx *tx, const struct grid_import *import)
{
    if (import->identifying_count == 0)
        return 0;
    if (json_array_size(import->keys) != json_array_size(import->rows))
        return refuse(tx, PROBLEM_UNPROCESSABLE,
                      "There must be as many upsert_values as there are rows");
    for (size_t i = 0; i < json_array_size(import->keys); i++)
        if (json_array_size(json_array_get(import->keys, i)) != import->identifying_count)
            return refuse(tx, PROBLEM_UNPROCESSABLE,
                          "Each of the upsert_values must have a value for each of the "
                          "upsert_fields");
    return 0;
}

int grid_import_check(struct tx *tx, const struct grid_table *t, const struct grid_import *import)
{
    int rc = check_ids(tx, t, import->skipped, import->skipped_count);
    if (rc == 0)
        rc = check_ids(tx, t, import->identifying, import->identifying_count);
    for (size_t i = 0; i < import->identifying_count && rc == 0; i++) {
        const struct grid_field *f = grid_table_field(t, import->identifying[i]);
        if (!tells_apart(f))
            rc = refuse(tx, PROBLEM_UNPROCESSABLE,
                        "Rows cannot be told apart by the field \"%.*s\"", STR_ARG(f->name));
    }
    return rc == 0 ? check_keys(tx, import) : rc;
}

/* ---- the fields that values are for ---- */

struct slot {
    const struct grid_field *field;
    struct str key; /* "field_31" */
    bool skipped;
};
struct importing {
    const struct grid_table *table;
    const struct grid_import *import;
    struct slot *slots;
    size_t slot_count;
    const int64_t *ids; /* by place: of rows that are there; 0: a new one */
    json_t *failing;
    size_t next; /* the place of the first row that is not in yet */
};

static void find_slots(struct tx *tx, struct importing *m)
{
    const struct grid_table *t = m->table;

    m->slots = ARENA_ARRAY(tx->arena, struct slot, t->field_count);
    for (size_t i = 0; i < t->field_count; i++) {
        const struct grid_field *f = &t->fields[i];
        if (!f->read_only)
            m->slots[m->slot_count++] = (struct slot){
                .field = f,
                .key = arena_printf(tx->arena, "field_%" PRId64, f->id),
                .skipped = has_id(m->import->skipped, m->import->skipped_count, f->id),
            };
    }
}

/* ---- the report ---- */

static void set_new(json_t *object, struct str key, json_t *value)
{
    if (!value || json_object_setn_new_nocheck(object, key.at, key.len, value) != 0)
        mem_exhausted();
}

/* What is there under the key, or an empty one. */
static json_t *child(json_t *object, struct str key, json_t *(*make)(void))
{
    json_t *found = json_object_getn(object, key.at, key.len);

    if (found)
        return found;
    found = make();
    set_new(object, key, found);
    return found;
}

static void report(struct tx *tx, struct importing *m, size_t place, struct str key,
                   const char *code, struct str sentence)
{
    json_t *row = child(m->failing, arena_printf(tx->arena, "%zu", place), json_object);
    json_t *mistake = json_object();

    set_new(mistake, STR("error"), json_stringn(sentence.at ? sentence.at : "", sentence.len));
    set_new(mistake, STR("code"), json_string(code));
    if (json_array_append_new(child(row, key, json_array), mistake) != 0)
        mem_exhausted();
}

/* ---- cells ---- */

static bool is_empty(const struct grid_field *f, const json_t *cell)
{
    bool blank = json_is_string(cell) && json_string_length(cell) == 0;

    return !cell || json_is_null(cell) || (blank && !(f->kind->flags & KIND_TEXTUAL));
}

/* Does it fit, as far as the cell alone says? Else it is reported. */
static int check_cell(struct tx *tx, struct importing *m, size_t place, const struct slot *s,
                      const json_t *cell, bool *fits_out)
{
    struct kind_mistake mistake = {0};
    struct value value;

    *fits_out = true;
    if (s->field->link)
        return 0;
    if (s->field->kind->id == KIND_PASSWORD) {
        report(tx, m, place, s->key, "invalid", STR("Passwords cannot be imported."));
        *fits_out = false;
        return 0;
    }
    int rc = kind_read(tx, s->field, cell, &value, &mistake);
    *fits_out = rc == 0;
    if (rc == KIND_MISTAKEN)
        report(tx, m, place, s->key, mistake.code, mistake.sentence);
    else if (rc == REFUSED) {
        report(tx, m, place, s->key, "invalid",
               arena_printf(tx->arena, "\"%.*s\" is not an option of the field.",
                            STR_ARG(tx->problem->value)));
        *tx->problem = (struct problem){.kind = PROBLEM_NONE};
    }
    return rc < 0 ? rc : 0;
}

/* Of a row that is there, what is empty now is emptied; of a new one, what has a default has it. */
static int read_row(struct tx *tx, struct importing *m, size_t place, json_t *cells)
{
    const json_t *row = json_array_get(m->import->rows, place);
    size_t given = json_array_size(row);
    int rc = 0;

    if (given > m->slot_count)
        return refuse(tx, PROBLEM_UNPROCESSABLE,
                      "Row %zu has more values than the table has fields", place);
    for (size_t i = 0; i < given && rc == 0; i++) {
        const struct slot *s = &m->slots[i];
        json_t *cell = json_array_get(row, i);
        bool fits;
        if (s->skipped)
            continue;
        if (is_empty(s->field, cell)) {
            if (m->ids[place] != 0 && s->field->kind->id != KIND_BOOLEAN)
                set_new(cells, s->key, json_null());
            continue;
        }
        rc = check_cell(tx, m, place, s, cell, &fits);
        if (rc == 0 && fits)
            set_new(cells, s->key, json_incref(cell));
    }
    return rc;
}

/* ---- batches ---- */

/* Rows of a page that are all new, or all there. */
struct batch {
    struct importing *importing;
    struct grid_input *inputs;
    json_t **cells; /* of each input */
    size_t *places;
    size_t count;
    bool there;
};

/* Rows that get different values are changed by operations of their own. Links that were made are
 * told of: they are seen in other tables, too. */
static void note_bulk(struct tx *tx, const struct table *table, size_t from)
{
    const struct commit *c = tx->commit;

    for (size_t i = from; i < c->count; i++) {
        const struct change *change = c->changes[i];
        if (change->table == table &&
            (i == from || change->operation != c->changes[i - 1]->operation))
            news_note(tx, NOTE_BULK, change->operation, table, 0, NULL);
    }
}

static int write_batch(struct tx *tx, struct batch *b)
{
    const struct grid_table *t = b->importing->table;
    const struct grid_inputs inputs = {.at = b->inputs, .count = b->count, .batch = true};
    size_t from = tx->commit->count;
    struct grid_rows rows;

    int rc = b->there ? grid_rows_update(tx, t, &inputs, &rows)
                      : grid_rows_create(tx, t, &inputs, 0, &rows);
    if (rc == 0)
        note_bulk(tx, t->table, from);
    return rc;
}

/* Takes out a cell that was found wrong. False: the row does not have it. */
static bool take_out(struct tx *tx, struct batch *b, size_t at, struct str key, const char *code,
                     struct str sentence)
{
    if (!json_object_getn(b->cells[at], key.at, key.len))
        return false;
    report(tx, b->importing, b->places[at], key, code, sentence);
    json_object_deln(b->cells[at], key.at, key.len);
    return true;
}

/* Values that the batch was refused for. False: there is nothing that can be done. */
static bool take_out_violations(struct tx *tx, struct batch *b)
{
    bool taken = false;

    if (tx->problem->kind != PROBLEM_FAILED_VALIDATION)
        return false;
    for (const struct violation *v = tx->problem->violations; v; v = v->next)
        if (v->item >= 0 && (size_t)v->item < b->count)
            taken |= take_out(tx, b, (size_t)v->item, v->field, arena_z(tx->arena, v->type),
                              v->substring);
    return taken;
}

/* The same of a batch of one row, whose value another one has. */
static bool take_out_unique(struct tx *tx, struct batch *b)
{
    const struct importing *m = b->importing;

    for (size_t i = 0; i < m->slot_count; i++)
        if (str_equal(m->slots[i].field->name, tx->problem->value))
            return take_out(tx, b, 0, m->slots[i].key, "unique",
                            STR("Another row has this value already."));
    return false;
}

static bool is_broken(const struct tx *tx)
{
    return tx->problem->kind == PROBLEM_UNPROCESSABLE &&
           str_equal(tx->problem->reason, STR(GRID_CONSTRAINT_BROKEN));
}

static int write_fitting(struct tx *tx, struct batch *b);

/* Which row breaks the constraint is not told: they are tried one by one. */
static int write_singly(struct tx *tx, const struct batch *b)
{
    int rc = 0;

    for (size_t i = 0; i < b->count && rc == 0; i++) {
        struct batch one = *b;
        one.inputs += i;
        one.cells += i;
        one.places += i;
        one.count = 1;
        rc = write_fitting(tx, &one);
    }
    return rc;
}

/* Each turn has fewer cells than the one before. */
static int write_fitting(struct tx *tx, struct batch *b)
{
    for (;;) {
        int rc = b->count > 0 ? write_batch(tx, b) : 0;
        if (rc != REFUSED)
            return rc;
        bool broken = is_broken(tx), taken = false;
        if (broken && b->count == 1)
            taken = take_out_unique(tx, b);
        else if (!broken)
            taken = take_out_violations(tx, b);
        if (!taken && !(broken && b->count > 1))
            return rc;
        *tx->problem = (struct problem){.kind = PROBLEM_NONE};
        if (!taken)
            return write_singly(tx, b);
    }
}

/* ---- pages ---- */

enum { PAGE_ROWS = 200 };

static struct batch new_batch(struct tx *tx, struct importing *m, bool there)
{
    return (struct batch){
        .importing = m,
        .inputs = ARENA_ARRAY(tx->arena, struct grid_input, PAGE_ROWS),
        .cells = ARENA_ARRAY(tx->arena, json_t *, PAGE_ROWS),
        .places = ARENA_ARRAY(tx->arena, size_t, PAGE_ROWS),
        .there = there,
    };
}

static int add_row(struct tx *tx, struct importing *m, size_t place, struct batch *b)
{
    json_t *cells = json_object();

    if (!cells)
        mem_exhausted();
    arena_on_free(tx->arena, json_release, cells);
    b->inputs[b->count] = (struct grid_input){.id = m->ids[place], .cells = cells};
    b->cells[b->count] = cells;
    b->places[b->count++] = place;
    return read_row(tx, m, place, cells);
}

static int import_page(struct tx *tx, void *context, bool *more_out)
{
    struct importing *m = context;
    struct batch fresh = new_batch(tx, m, false), there = new_batch(tx, m, true);
    size_t count = json_array_size(m->import->rows), from = m->next;
    int rc = 0;

    for (; rc == 0 && m->next < count && m->next < from + PAGE_ROWS; m->next++)
        rc = add_row(tx, m, m->next, m->ids[m->next] != 0 ? &there : &fresh);
    if (rc == 0)
        rc = write_fitting(tx, &fresh);
    if (rc == 0)
        rc = write_fitting(tx, &there);
    *more_out = m->next < count;
    return rc == 0 ? progress_step(tx, (int64_t)(m->next - from)) : rc;
}

int grid_import(struct tx *tx, int64_t table, const struct grid_import *import,
                const json_t **failing_out)
{
    struct importing m = {.import = import, .failing = json_object()};
    int64_t *ids;

    if (!m.failing)
        mem_exhausted();
    arena_on_free(tx->arena, json_release, m.failing);
    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find(tx, table, &m.table);
    if (rc == 0)
        rc = grid_import_check(tx, m.table, import);
    if (rc == 0)
        rc = import_match(tx, m.table, import, &ids);
    if (rc != 0)
        return rc;
    m.ids = ids;
    find_slots(tx, &m);
    progress_expect(tx, (int64_t)json_array_size(import->rows));
    rc = json_array_size(import->rows) > 0 ? table_in_pages(tx, import_page, &m) : 0;
    if (rc == 0)
        *failing_out = m.failing;
    return rc;
}
