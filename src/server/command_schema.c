#include <stdio.h>

#include "base/buf.h"
#include "base/fault.h"
#include "model/schema/schema.h"
#include "server/commands.h"
#include "server/instance.h"

static void print_field(const struct catalogue *c, const struct field *f)
{
    const struct column *column = f->column;
    const struct relation *relation = catalogue_relation(c, column);
    printf("  %-24.*s %-12s", STR_ARG(f->name), types[column->type].name);
    if (column->primary_key)
        fputs(column->auto_increment ? " primary key, automatic" : " primary key", stdout);
    else if (!column->nullable)
        fputs(" not null", stdout);
    if (column->unique && !column->primary_key)
        fputs(" unique", stdout);
    if (relation)
        printf(" -> %.*s", STR_ARG(relation->one->name));
    putchar('\n');
}

static int print_text(struct tx *tx, void *context)
{
    (void)context;
    for (size_t i = 0; i < tx->catalogue->table_count; i++) {
        const struct table *t = tx->catalogue->tables[i];
        if (t->system)
            continue;
        printf("%.*s%s\n", STR_ARG(t->name), t->singleton ? " (singleton)" : "");
        for (size_t f = 0; f < t->shape.count; f++)
            if (!field_hidden(&t->fields[f]))
                print_field(tx->catalogue, &t->fields[f]);
    }
    return 0;
}

static int print_json(struct tx *tx, void *context)
{
    (void)context;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_put_lit(&b, "{\"collections\":");
    int rc = schema_write_collections(tx, &b);
    buf_put_lit(&b, ",\"fields\":");
    if (rc == 0)
        rc = schema_write_fields(tx, STR_NULL, &b);
    buf_put_lit(&b, ",\"relations\":");
    if (rc == 0)
        rc = schema_write_relations(tx, STR_NULL, &b);
    buf_put_lit(&b, "}\n");
    if (rc == 0)
        fwrite(b.at, 1, b.len, stdout);
    buf_deinit(&b);
    return rc;
}

int command_schema(const struct settings *settings, struct arguments *arguments)
{
    struct instance instance;
    bool json = arguments_flag(arguments, "json");
    if (!arguments_done(arguments))
        return 2;
    if (instance_open(settings, INSTANCE_READ, &instance) != 0)
        return 1;
    int rc = instance_read(&instance, json ? print_json : print_text, NULL);
    instance_close(&instance);
    return rc;
}
