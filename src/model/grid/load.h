#ifndef MODEL_GRID_LOAD_H
#define MODEL_GRID_LOAD_H

/* The catalogue's part of the grid: for catalogue.c and grid.c; everybody else asks by grid.h. */

#include "model/grid/grid.h"
#include "model/tables.h"

struct grid_junction {
    int64_t table; /* of the links */
    const struct grid_field *field;
};
struct grid {
    const struct grid_table *tables; /* by id, like the fields */
    const struct grid_field **fields;
    const struct grid_table **placed;      /* by application, order, id */
    const struct grid_field **links;       /* those that lead somewhere: by target, id */
    const struct grid_junction *junctions; /* by table */
    size_t table_count, field_count, link_count, junction_count;
};

/* Of a catalogue that has its tables, relations and workspaces; lives in its arena. */
int grid_load(const struct catalogue *c, const struct structure_rows *rows,
              const struct grid **grid_out);

#endif
