#include "model/grid/making.h"

/* Duplicates of fields: settings, and if wanted cells. A duplicate of a link has no other side. */

static struct link_draft same_link(const struct grid_field *f)
{
    return (struct link_draft){f->link ? f->link->target : NULL, false};
}

/* Cells that the server makes are its own in the duplicate. */
static int copy_cells(struct tx *tx, int64_t from_id, int64_t to_id)
{
    const struct grid_field *from = grid_field(tx->catalogue, from_id);
    const struct grid_field *to = grid_field(tx->catalogue, to_id);
    bool server = to->kind->flags & KIND_READ_ONLY;
    const struct cells source = {from, from->link ? NULL : from->column};
    const struct cells sink = {to, to->link ? NULL : to->column};

    if (server)
        return 0;
    int rc = table_expect_rows(tx, from->table->table);
    return rc == 0 ? convert_cells(tx, &from->table->table->shape, &source, &sink) : rc;
}

int grid_field_duplicate(struct tx *tx, int64_t id, bool with_data, int64_t *id_out)
{
    const struct grid_field *f;
    struct field_draft d;
    int64_t related;

    int rc = tx_follow(tx);
    if (rc == 0)
        rc = grid_find_field(tx, id, &f);
    if (rc != 0)
        return rc;
    const struct link_draft link = same_link(f);
    draft_of_field(tx, f, &d);
    d.name = draft_free_name(tx, f->table, f->name);
    d.primary = false;
    rc = draft_renumber_choices(tx, &d);
    if (rc == 0)
        rc = field_make(tx, f->table, &d, &link, id_out, &related);
    return rc == 0 && with_data ? copy_cells(tx, id, *id_out) : rc;
}
