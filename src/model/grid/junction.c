#include "base/mem.h"
#include "model/grid/making.h"

/*
 * Links (baserow.md 10.7): a table with a row for each link, and a field on one side or on both
 * that shows it. What a field shows stands in its settings: the table, which of its columns is this
 * row's and which the other's, and the field on the other side.
 */

/* ---- what a body says ---- */

static const json_t *told_table(const json_t *body)
{
    const json_t *told = json_get(body, "link_row_table_id");
    return told ? told : json_get(body, "link_row_table");
}

static int find_target(struct tx *tx, const struct grid_table *t, const struct grid_field *before,
                       const json_t *body, const struct grid_table **target_out)
{
    const json_t *told = told_table(body);
    bool linked = before && before->link;

    if (!told && linked) {
        *target_out = before->link->target;
        return 0;
    }
    if (!json_is_integer(told))
        return refuse_wish(tx, GRID_LINK_NO_TABLE);
    int rc = grid_find(tx, json_integer_value(told), target_out);
    if (rc != 0)
        return rc;
    if ((*target_out)->application != t->application)
        return refuse_wish(tx, GRID_LINK_FOREIGN);
    /* A column that refers to one row of a table is what others made it. */
    if (linked && !before->link->junction && *target_out != before->link->target)
        return refuse_wish(tx, GRID_KIND_FIXED);
    return 0;
}

/* Without a word a link has another side, unless it leads back to its own table. */
static bool wants_related(struct arena *a, const struct grid_table *t,
                          const struct grid_field *before, const json_t *body,
                          const struct grid_table *target)
{
    bool otherwise = target != t;

    if (before && before->link && before->link->target == target)
        otherwise = before->link->related != NULL;
    return draft_boolean(a, body, "has_related_field", otherwise);
}

int link_read(struct tx *tx, const struct grid_table *t, const struct grid_field *before,
              const json_t *body, struct field_draft *d, struct link_draft *link_out)
{
    bool several = !before || !before->link || before->settings.several;
    const struct grid_table *target;

    int rc = find_target(tx, t, before, body, &target);
    if (rc != 0)
        return rc;
    bool column = before && before->link && !before->link->junction;
    if (!column)
        several = draft_boolean(tx->arena, body, "link_row_multiple_relationships", several);
    draft_set(d, "link_row_multiple_relationships", json_boolean(several));
    *link_out =
        (struct link_draft){target, !column && wants_related(tx->arena, t, before, body, target)};
    draft_finish(tx, d);
    return 0;
}

/* ---- the table ---- */

static bool is_table(const void *context, struct str slug)
{
    const struct catalogue *c = context;
    bool found = catalogue_table(c, slug) || catalogue_trashed_table(c, slug);

    for (size_t i = 0; i < c->table_count && !found; i++)
        found = str_equal_nocase(c->tables[i]->name, slug);
    for (size_t i = 0; i < c->trashed_count && !found; i++)
        found = str_equal_nocase(c->trashed[i]->name, slug);
    return found;
}

struct str table_slug(struct tx *tx, struct str name)
{
    return grid_slug(tx->arena, name, "table", is_table, tx->catalogue);
}

/* "customers_id", cut to what a name may have. */
static struct str side_name(struct tx *tx, const char *prefix, const struct grid_table *t)
{
    enum { ENDING = 3 };
    struct str name = arena_printf(tx->arena, "%s%.*s", prefix, STR_ARG(t->table->name));

    if (name.len > STORE_NAME_MAX - ENDING)
        name.len = STORE_NAME_MAX - ENDING;
    return arena_printf(tx->arena, "%.*s_id", STR_ARG(name));
}

/* Refers to the rows of a table; goes with them. */
static struct column side_column(struct tx *tx, const struct grid_table *t, struct str name)
{
    const struct column *key = table_key(t->table);
    struct reference *reference = ARENA_NEW(tx->arena, struct reference);

    *reference = (struct reference){t->table->shape.name, key->name, ON_DELETE_CASCADE};
    return (struct column){
        .name = name,
        .type = key->type,
        .length_max = key->length_max,
        .indexed = true,
        .reference = reference,
    };
}

struct value *plain_field_row(struct tx *tx, struct str table, const struct column *c)
{
    struct value *row = schema_blank(tx, SYSTEM_FIELDS);

    schema_set(SYSTEM_FIELDS, row, "collection", value_text(table));
    schema_set(SYSTEM_FIELDS, row, "field", value_text(c->name));
    schema_set(SYSTEM_FIELDS, row, "hidden", value_integer(1));
    schema_set(SYSTEM_FIELDS, row, "sort", value_integer((int64_t)c->index + 1));
    if (c->reference)
        schema_set(SYSTEM_FIELDS, row, "special", value_text(STR("m2o")));
    column_to_row(tx->arena, c, row);
    return row;
}

static int insert_relation(struct tx *tx, struct str table, const struct column *side,
                           const struct column *other)
{
    struct value *row = schema_blank(tx, SYSTEM_RELATIONS);

    schema_set(SYSTEM_RELATIONS, row, "many_collection", value_text(table));
    schema_set(SYSTEM_RELATIONS, row, "many_field", value_text(side->name));
    schema_set(SYSTEM_RELATIONS, row, "one_collection", value_text(side->reference->table));
    schema_set(SYSTEM_RELATIONS, row, "junction_field", value_text(other->name));
    schema_set(SYSTEM_RELATIONS, row, "rowcast_on_delete",
               value_text(str_of(reference_action_name(side->reference->on_delete))));
    return schema_insert(tx, SYSTEM_RELATIONS, row);
}

struct column table_number_key(void)
{
    return (struct column){
        .name = STR("id"), .type = TYPE_INTEGER, .primary_key = true, .auto_increment = true};
}

int junction_make(struct tx *tx, const struct grid_table *near, const struct grid_table *far,
                  struct str slug, struct junction *junction_out)
{
    enum { KEY, NEAR, FAR, SIDES };
    struct column columns[SIDES];
    struct value *rows[SIDES], *row = schema_blank(tx, SYSTEM_COLLECTIONS);
    struct str name = table_slug(
        tx, arena_printf(tx->arena, "%.*s_%.*s", STR_ARG(near->table->name), STR_ARG(slug)));

    columns[KEY] = table_number_key();
    columns[NEAR] = side_column(tx, near, side_name(tx, "", near));
    columns[FAR] = side_column(tx, far, side_name(tx, "", far));
    if (str_equal_nocase(columns[NEAR].name, columns[FAR].name))
        columns[FAR].name = side_name(tx, "related_", far);
    for (unsigned i = 0; i < SIDES; i++) {
        columns[i].index = i;
        rows[i] = plain_field_row(tx, name, &columns[i]);
    }
    schema_set(SYSTEM_COLLECTIONS, row, "collection", value_text(name));
    schema_set(SYSTEM_COLLECTIONS, row, "hidden", value_integer(1));
    schema_set(SYSTEM_COLLECTIONS, row, "rowcast_table_id", value_integer(tx->catalogue->version));
    schema_set(SYSTEM_COLLECTIONS, row, "rowcast_application",
               value_integer(near->application->id));
    schema_set(SYSTEM_COLLECTIONS, row, "rowcast_junction", value_integer(1));
    int rc = schema_make_table(tx, row, rows, columns, SIDES);
    if (rc == 0)
        rc = insert_relation(tx, name, &columns[NEAR], &columns[FAR]);
    if (rc == 0)
        rc = insert_relation(tx, name, &columns[FAR], &columns[NEAR]);
    if (rc == 0)
        rc = tx_follow(tx);
    if (rc == 0)
        *junction_out = (struct junction){name, columns[NEAR].name, columns[FAR].name};
    return rc;
}

static const struct expr *names(struct tx *tx, enum system_table which, const char *column,
                                struct str name)
{
    return system_test(tx->arena, which, column, OP_EQ, value_text(name));
}

/* Nothing refers to such a table. */
int junction_drop(struct tx *tx, struct str name)
{
    int rc =
        schema_delete(tx, SYSTEM_RELATIONS, names(tx, SYSTEM_RELATIONS, "many_collection", name));
    if (rc == 0)
        rc = schema_delete(tx, SYSTEM_PERMISSIONS,
                           names(tx, SYSTEM_PERMISSIONS, "collection", name));
    if (rc == 0)
        rc = schema_delete(tx, SYSTEM_FIELDS, names(tx, SYSTEM_FIELDS, "collection", name));
    if (rc == 0)
        rc = schema_delete(tx, SYSTEM_COLLECTIONS,
                           names(tx, SYSTEM_COLLECTIONS, "collection", name));
    return rc == 0 ? store_drop_table(tx->store, name) : rc;
}

struct junction junction_of(const struct grid_link *link)
{
    return (struct junction){link->junction->name, link->near->name, link->far->name};
}

/* ---- the fields ---- */

static json_t *text_json(struct str s)
{
    return json_stringn(s.at, s.len);
}

void link_settle(struct field_draft *d, const struct grid_table *target, const struct junction *j,
                 int64_t related)
{
    draft_set(d, "table", json_integer(target->id));
    draft_set(d, "junction", text_json(j->name));
    draft_set(d, "near", text_json(j->near));
    draft_set(d, "far", text_json(j->far));
    draft_set(d, "related", related ? json_integer(related) : json_null());
}

int link_make_related(struct tx *tx, const struct grid_table *t, int64_t id,
                      const struct link_draft *link, const struct junction *j, int64_t own,
                      int64_t *related_out)
{
    const struct junction back = {j->name, j->far, j->near};
    struct field_draft d = {
        .kind = &kinds[KIND_LINK_ROW],
        .name = draft_free_name(tx, link->target, t->name),
    };
    struct system_rows rows;

    int rc = field_rows(tx, link->target->table, &rows);
    if (rc == 0)
        rc = kind_read_settings(tx, d.kind, NULL, NULL, NULL, &d.settings);
    if (rc != 0)
        return rc;
    if (link->target->field_count >= SCHEMA_FIELDS_MAX || rows.count >= FIELD_ROWS_MAX)
        return refuse_wish(tx, GRID_TOO_MANY_FIELDS);
    draft_set(&d, "link_row_multiple_relationships", json_true());
    link_settle(&d, t, &back, id);
    draft_finish(tx, &d);
    d.order = field_last_order(&rows) + 1;
    return field_insert(tx, link->target->table, &d,
                        field_slug(tx, link->target->table, &rows, d.name), own, related_out);
}

int link_set_related(struct tx *tx, int64_t id, int64_t related)
{
    const struct value *row;
    json_t *settings;

    int rc = field_row(tx, id, &row);
    if (rc == 0 && json_read_in(tx->arena, system_text(SYSTEM_FIELDS, row, "rowcast_settings"),
                                &settings, NULL) != 0)
        settings = NULL;
    if (rc != 0 || !settings)
        return rc;
    if (json_object_set_new(settings, "related", related ? json_integer(related) : json_null()))
        mem_exhausted();
    struct value *changed = schema_copy(tx, SYSTEM_FIELDS, row);
    schema_set(SYSTEM_FIELDS, changed, "rowcast_settings",
               value_text(json_text(tx->arena, settings)));
    return schema_update(tx, SYSTEM_FIELDS, row, changed);
}
