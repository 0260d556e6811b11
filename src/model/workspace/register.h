#ifndef MODEL_WORKSPACE_REGISTER_H
#define MODEL_WORKSPACE_REGISTER_H

/* The catalogue's part of workspaces: for catalogue.c and writer.c; everybody else asks by
 * workspace.h. */

#include "model/commit.h"
#include "model/workspace/workspace.h"

struct workspace_register;
/* Reads workspaces, members with their people, and applications; lives in the arena. */
int workspace_register_load(struct store *store, struct arena *a,
                            const struct workspace_register **register_out);
/* Puts all workspaces, by id, into an array (NULL: none is wanted); returns how many there are. */
size_t catalogue_workspaces(const struct catalogue *c, const struct workspace **into);
/* Does the application, or its workspace, lie in the trash? These are not in the register. */
bool workspace_register_is_trashed(const struct workspace_register *r, int64_t application);
/* Does the commit change what the register holds? */
bool workspace_register_touched(const struct commit *commit);

#endif
