#ifndef UNIT_MODEL_LISTS_H
#define UNIT_MODEL_LISTS_H

/*
 * A table with a field of each kind, six rows, and three projects that they are linked to; lists of
 * them as "1 2 3". It is Wednesday, 2025-03-12, 10:00 UTC.
 */

#include "unit/model/making.h"

#include "base/clock.h"
#include "model/grid/filter.h"

#define NOW "2025-03-12T10:00:00Z"

static int64_t things, projects;

static const char *const thing_fields[] = {
    "{'name':'Notes','type':'long_text'}",
    "{'name':'Site','type':'url'}",
    "{'name':'Mail','type':'email'}",
    "{'name':'Phone','type':'phone_number'}",
    "{'name':'Num','type':'number','number_decimal_places':2,'number_negative':true,"
    "'number_prefix':'$','number_separator':'COMMA_PERIOD'}",
    "{'name':'Whole','type':'number'}",
    "{'name':'Rate','type':'rating'}",
    "{'name':'Done','type':'boolean'}",
    "{'name':'Day','type':'date','date_format':'EU'}",
    "{'name':'When','type':'date','date_format':'US','date_include_time':true,"
    "'date_time_format':'12','date_force_timezone':'Europe/Amsterdam'}",
    "{'name':'Dur','type':'duration','duration_format':'h:mm'}",
    "{'name':'One','type':'single_select','select_options':[{'value':'Red','color':'red'},"
    "{'value':'green','color':'green'},{'value':'Dark red','color':'red'}]}",
    "{'name':'Many','type':'multiple_select','select_options':[{'value':'a','color':'x'},"
    "{'value':'b','color':'x'},{'value':'c','color':'x'},{'value':'d','color':'x'},"
    "{'value':'e','color':'x'},{'value':'f','color':'x'},{'value':'g','color':'x'},"
    "{'value':'h','color':'x'},{'value':'i','color':'x'},{'value':'j','color':'x'},"
    "{'value':'k','color':'x'},{'value':'long word','color':'x'}]}",
    "{'name':'Team','type':'multiple_collaborators'}",
    "{'name':'Made','type':'created_on','date_format':'ISO','date_include_time':true}",
    "{'name':'By','type':'created_by'}",
    "{'name':'No','type':'autonumber'}",
    "{'name':'Uuid','type':'uuid'}",
    "{'name':'Pass','type':'password'}",
};

static const char *const thing_rows[] = {
    "{'Name':'Ann','Notes':'one red car','Site':'https://a.example','Mail':'ann@example.com',"
    "'Phone':'+31 20 1','Num':'1234.50','Whole':2,'Rate':5,'Done':true,'Day':'2025-03-12',"
    "'When':'2025-03-12T23:30:00Z','Dur':5400,'One':'Red','Many':['a'],'Links':['Alpha']}",
    "{'Name':'ann lee','Notes':'bored','Num':'2.5','Whole':3,'Day':'2025-03-11',"
    "'When':'2025-03-11T23:30:00Z','Dur':60,'One':'green','Many':['b','k'],"
    "'Links':['Beta','alphabet']}",
    "{'Name':'Bob','Notes':'Red_car','Num':'-4','Whole':10,'Rate':3,'Day':'2025-03-17',"
    "'When':'2025-03-12T12:00:00Z','Dur':93600,'One':'Dark red','Many':['k'],'Links':['alphabet']}",
    "{}",
    "{'Name':'\xc3\x84rger, it','Num':'100','Whole':12,'Rate':1,'Done':true,'Day':'2024-03-12',"
    "'When':'2025-03-30T00:59:00Z','One':'Red','Many':['a','b']}",
    "{'Name':'zo\xc3\xab','Num':'0','Whole':0,'Rate':2,'Day':'2025-04-01',"
    "'When':'2024-12-31T23:30:00Z','Many':['long word','a'],'Links':['Alpha','Beta']}",
};

UNUSED static int lists_setup(void **state)
{
    making_setup(state);
    struct instance *in = *state;
    char link[128];

    projects = table(in, "Projects", "['Title']", "[['Alpha'],['Beta'],['alphabet']]");
    things = table(in, "Things", "['Name']", "[]");
    for (size_t i = 0; i < COUNT_OF(thing_fields); i++)
        add(in, things, thing_fields[i]);
    snprintf(link, sizeof(link), "{'name':'Links','type':'link_row','link_row_table_id':%d}",
             (int)projects);
    add(in, things, link);
    for (size_t i = 0; i < COUNT_OF(thing_rows); i++)
        assert_int_equal(put(in, things, 0, thing_rows[i]), 0);
    snprintf(link, sizeof(link), "{'Team':[{'id':%d}]}",
             (int)catalogue_workspace(now(in), place.workspace)->members[0]->account);
    assert_int_equal(put(in, things, 1, link), 0);
    return 0;
}

/* ---- asking ---- */

struct asking {
    struct instance *in;
    int (*read)(struct tx *tx, struct asking *a);
    const char *type, *field, *value; /* of a filter; NULL: none */
    struct grid_query query;
    const struct grid_order *orders;
    int64_t id; /* of a row whose neighbour is asked for */
    bool previous;
    const char *ids; /* the answer */
};

static inline const struct grid_field *thing(struct tx *tx, const char *name)
{
    const struct grid_field *f =
        grid_table_field_named(grid_table(tx->catalogue, things), str_of(name));
    if (!f)
        fail_msg("no field %s", name);
    return f;
}

/* "$Red,$green" in a value: the ids of these options; "@ann": her account's. */
static inline struct str ids_of(struct tx *tx, const struct grid_field *f, const char *value)
{
    struct str rest = str_of(value), part;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    if ((value[0] != '$' && value[0] != '@') || !value[1])
        return rest;
    while (str_next(&rest, ',', &part)) {
        const struct choice *c = settings_choice_named(&f->settings, str_skip(part, 1));
        int64_t id = part.at[0] == '@' ? f->table->application->workspace->members[0]->account
                     : c               ? c->id
                                       : 0;
        buf_printf(&b, "%s%lld", b.len > 0 ? "," : "", (long long)id);
    }
    struct str ids = arena_str(tx->arena, buf_str(&b));
    buf_deinit(&b);
    return ids;
}

static inline int ask(struct tx *tx, void *context)
{
    struct asking *a = context;
    assert_int_equal(clock_parse_ms(STR(NOW), &tx->now_ms), 0);
    if (a->type) {
        const struct filter_type *type = filter_type_find(str_of(a->type));
        const struct grid_field *f = thing(tx, a->field);
        if (!type)
            fail_msg("no filter %s", a->type);
        if (!filter_type_fits(type, f)) {
            a->ids = "unfit";
            return 0;
        }
        int rc = filter_build(tx, type, f, ids_of(tx, f, a->value), &a->query.where);
        if (rc != 0)
            return rc;
    }
    return a->read(tx, a);
}

static inline const char *ids_told(struct asking *a, const struct grid_rows *rows)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < rows->count; i++)
        buf_printf(&b, "%s%d", i > 0 ? " " : "", (int)grid_row_id(rows->table, rows->at[i]));
    const char *text = arena_z(a->in->arena, b.len > 0 ? buf_str(&b) : STR(""));
    buf_deinit(&b);
    return text;
}

static inline int read_list(struct tx *tx, struct asking *a)
{
    const struct grid_table *t = grid_table(tx->catalogue, things);
    struct grid_rows rows;
    int64_t count;
    int rc = grid_rows_list(tx, t, &a->query, &rows);
    if (rc == 0)
        rc = grid_rows_count(tx, t, &a->query, &count);
    if (rc == 0 && a->query.limit == 100)
        assert_int_equal(count, rows.count);
    a->ids = rc == 0 ? ids_told(a, &rows) : NULL;
    return rc;
}

UNUSED static const char *list(struct instance *in, struct asking a)
{
    a.in = in;
    a.read = a.read ? a.read : read_list;
    if (a.query.limit == 0)
        a.query.limit = 100;
    assert_int_equal(read_as(in, place.ann, ask, &a), 0);
    return a.ids;
}
#define LIST(...) list(in, (struct asking){__VA_ARGS__})

#endif
