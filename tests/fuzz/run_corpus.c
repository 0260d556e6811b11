/*
 * Runs a fuzz target over each file of a folder, so that the kept corpus is a test with every
 * compiler: run_corpus FOLDER. Fails when the folder has no file.
 */

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { FILE_BYTES_MAX = 1 << 20 };

/* Returns false when the file could not be read. */
static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FILE_BYTES_MAX);
    bool read = false;
    if (file && data) {
        size_t size = fread(data, 1, FILE_BYTES_MAX, file);
        uint8_t *exact = realloc(data, size ? size : 1); /* so that reading past it shows */
        data = exact ? exact : data;
        read = !ferror(file);
        if (read)
            LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    if (file)
        fclose(file);
    return read;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: run_corpus FOLDER\n");
        return EXIT_FAILURE;
    }
    size_t files = 0;
    bool good = true;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[4096];
        struct stat about;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
            continue;
        files++;
        if (!run_file(path)) {
            fprintf(stderr, "cannot read %s\n", path);
            good = false;
        }
    }
    closedir(folder);
    printf("%zu files\n", files);
    return good && files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
