#include "dialect/baserow/relevance.h"

#include "model/grid/grid.h"
#include "model/journal.h"
#include "model/system.h"
#include "session/session.h"

/*
 * The last event that a client knows may stand in the middle of its commit: then the rest of that
 * commit may be what it missed, and all of the commit's entries count. It is the commit's last one
 * exactly when its number is the last of the commit's numbers (telling.h).
 */

enum { ENTRIES_MAX = 10000 };

struct search {
    struct tx *tx;
    const struct interest *interest;
    int64_t first, last;   /* sequence numbers: the entry of the event `after`, and the end */
    bool at_end_of_change; /* `after` may be the last event of its commit */
    int64_t next;          /* the entry that comes next, if none is gone */
    int64_t commit;        /* of the first */
    bool first_concerns, found;
};

/* ---- what of the journal is told to anybody ---- */

/* Columns of an update that no message is about are not listed; NULL: every change of the table is
 * told of. An update that changed nothing is one that was asked for, and is told of. */
static const struct telling_table {
    enum system_table table;
    const char *columns;
} telling_tables[] = {
    {SYSTEM_USERS, "first_name,last_name,email"},
    {SYSTEM_ACCOUNTS, NULL},
    {SYSTEM_WORKSPACES, NULL},
    {SYSTEM_MEMBERS, NULL},
    {SYSTEM_INVITATIONS, NULL},
    {SYSTEM_APPLICATIONS, NULL},
    {SYSTEM_COLLECTIONS, NULL},
    {SYSTEM_FIELDS, NULL},
    {SYSTEM_RELATIONS, NULL},
};

static bool lists_one_of(struct str changed, const char *columns)
{
    struct str rest = str_of(columns), column, left, name;

    while (str_next(&rest, ',', &column))
        for (left = changed; str_next(&left, ',', &name);)
            if (str_equal(name, column))
                return true;
    return false;
}

static bool is_of_user(const struct journal_entry *e)
{
    bool updates = str_equal(e->kind, str_of(change_kind_name(CHANGE_UPDATE)));

    for (size_t i = 0; i < COUNT_OF(telling_tables); i++) {
        const struct telling_table *t = &telling_tables[i];
        if (str_equal(e->table, system_table(t->table)->name))
            return !t->columns || !updates || lists_one_of(e->changed, t->columns);
    }
    return false;
}

static bool is_of_system(struct str table)
{
    for (unsigned i = 0; i < SYSTEM_TABLE_COUNT; i++)
        if (str_equal(table, system_table((enum system_table)i)->name))
            return true;
    return false;
}

/* ---- what of the journal is told on pages ---- */

static bool is_linked_by(const struct grid_field *field, struct str table)
{
    const struct grid_link *link = field->link;

    return link && (str_equal(link->target->table->name, table) ||
                    (link->junction && str_equal(link->junction->name, table)));
}

/* Rows of one table are told of on the pages of those that they are linked with, too. As a table is
 * linked now: a change of that concerns everybody anyway. */
static bool is_of_page(const struct catalogue *c, const struct grid_table *page, struct str table)
{
    size_t count;

    if (!page || str_equal(page->table->name, table))
        return true;
    for (size_t i = 0; i < page->field_count; i++)
        if (is_linked_by(&page->fields[i], table))
            return true;
    const struct grid_field *const *links = grid_links_to(c, page, &count);
    for (size_t i = 0; i < count; i++)
        if (str_equal(links[i]->table->table->name, table) || is_linked_by(links[i], table))
            return true;
    return false;
}

static bool is_of_pages(const struct search *search, struct str table)
{
    const struct interest *interest = search->interest;
    const struct catalogue *c = search->tx->catalogue;

    for (size_t i = 0; i < interest->table_count; i++)
        if (is_of_page(c, grid_table(c, interest->tables[i]), table))
            return true;
    return interest->everything;
}

static bool concerns(const struct search *search, const struct journal_entry *e)
{
    return is_of_user(e) || (!is_of_system(e->table) && is_of_pages(search, e->table));
}

/* ---- the search ---- */

enum { ENOUGH = 1 };

static int judge_first(struct search *search, const struct journal_entry *e)
{
    search->commit = e->commit;
    search->first_concerns = concerns(search, e);
    search->found = !search->at_end_of_change && (search->first_concerns || e->position > 0);
    return search->found ? ENOUGH : 0;
}

static int judge(void *context, const struct journal_entry *e)
{
    struct search *search = context;

    if (e->sequence > search->last)
        return ENOUGH;
    if (e->sequence != search->next++) {
        search->found = true;
        return ENOUGH;
    }
    if (e->sequence == search->first)
        return judge_first(search, e);
    bool cut_in_two = e->commit == search->commit && search->first_concerns;
    search->found = cut_in_two || concerns(search, e);
    return search->found ? ENOUGH : 0;
}

int relevance_search(struct tx *tx, const struct interest *interest, int64_t after, int64_t until,
                     bool *concerns_out)
{
    int64_t first = after / EVENTS_PER_CHANGE;
    struct search search = {
        .tx = tx,
        .interest = interest,
        .first = first,
        .last = until / EVENTS_PER_CHANGE,
        .at_end_of_change = after % EVENTS_PER_CHANGE == EVENTS_PER_CHANGE - 1,
        .next = first > 0 ? first : 1,
    };

    int rc = journal_survey(tx->store, search.next - 1, ENTRIES_MAX, judge, &search);
    if (rc < 0)
        return rc;
    *concerns_out = search.found || search.next <= search.last;
    return 0;
}
