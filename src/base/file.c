#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return FAULT_BECAUSE(errno, "cannot open %s: %s", path, strerror(errno));
    int rc = fsync(fd) == 0 ? 0 : FAULT_BECAUSE(errno, "cannot sync %s: %s", path, strerror(errno));
    close(fd);
    return rc;
}

int file_sync(const char *path)
{
    return sync_path(path, 0);
}

int file_sync_folder(const char *path)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    const char *slash = strrchr(path, '/');
    const char *folder = ".";

    if (slash)
        folder = slash == path ? "/" : arena_z(arena, (struct str){path, (size_t)(slash - path)});
    return sync_path(folder, O_DIRECTORY);
}

/* Some file systems cannot see to it that nothing is replaced; there it is looked at before. */
static int rename_new(const char *path, const char *name)
{
    if (renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL)
        return errno;
    if (access(name, F_OK) == 0)
        return EEXIST;
    return rename(path, name) == 0 ? 0 : errno;
}

int file_publish(const char *path, const char *name)
{
    int number = rename_new(path, name);

    if (number == EEXIST)
        return FILE_EXISTS;
    if (number)
        return FAULT_BECAUSE(number, "cannot make %s: %s", name, strerror(number));
    return file_sync_folder(name);
}
