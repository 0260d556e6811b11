#ifndef BASE_FILE_H
#define BASE_FILE_H

/* Files that last: what was written is there after a power loss only when it was synced. */

/* Syncs a file's content. 0 or a fault. */
int file_sync(const char *path);
/* Syncs the folder that the path stands in: a name is only as lasting as that. 0 or a fault. */
int file_sync_folder(const char *path);

enum { FILE_EXISTS = 1 };
/* Gives a file another name, which must be free; it lasts. 0, FILE_EXISTS or a fault. */
int file_publish(const char *path, const char *name);

#endif
