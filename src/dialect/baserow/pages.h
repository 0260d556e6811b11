#ifndef DIALECT_BASEROW_PAGES_H
#define DIALECT_BASEROW_PAGES_H

/*
 * Pages: what clients of the channel look at (baserow.md 3).
 *
 * A page is known by its channel, "table/7", which its parameters name: 7 and "7" are one page. Its
 * parameters are told back as they were sent. Who may look is asked once, when it subscribes; what
 * is lost with a membership is taken by pages_revoke (3.4). Loop thread.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "model/grid/tokens.h"

/* Who looks. */
struct viewer {
    struct str user;                    /* absent: nobody in particular */
    const struct database_token *token; /* a program: only tables that it may read; NULL: no */
};

enum { PAGE_PARAMETERS_MAX = 2 };
struct page_type {
    const char *name;
    /* What a client gives, and what stands before it in the channel's name; a parameter without
     * such a part does not tell pages apart. */
    struct page_parameter {
        const char *name, *before;
        enum { PARAMETER_NUMBER, PARAMETER_TEXT } kind;
    } parameters[PAGE_PARAMETERS_MAX];
    bool anonymous; /* open to those without an account */
    /*
     * May this viewer look at what the frame names? Then also the workspace with whose membership
     * that ends, 0 for none. In memory. NULL: nothing of this kind is here, so nobody may.
     */
    bool (*open)(const struct catalogue *c, const struct viewer *v, const json_t *frame,
                 int64_t *workspace_out);
    /* Is there, in the store, what the frame names? NULL: the catalogue knows. Worker. */
    int (*find)(struct tx *tx, const json_t *frame, bool *there_out);
};
const struct page_type *page_type_find(struct str name); /* NULL: unknown */
/* The channel of the page that a frame means; absent when a parameter is missing, falsy or no
 * number where one is needed. In the arena. */
struct str page_channel(struct arena *a, const struct page_type *type, const json_t *frame);
/* `{"table_id":7}`: the type's parameters as the frame has them, null where it has none. */
void page_put_parameters(struct buf *b, const struct page_type *type, const json_t *frame);

/* What one socket looks at, in order of subscription. A zeroed struct is empty. */
struct page {
    const struct page_type *type;
    int64_t workspace; /* 0: none */
    struct str channel, parameters;
    struct page *next;
};
struct pages {
    struct page *first;
};
void pages_deinit(struct pages *pages);
/* Copies; a page that is there stays where and as it was. */
void pages_add(struct pages *pages, const struct page *page);
void pages_remove(struct pages *pages, struct str channel);
/* Takes out those of a workspace; `lost` is called for each, in order. */
void pages_revoke(struct pages *pages, int64_t workspace,
                  void (*lost)(void *context, const struct page *page), void *context);

#endif
