#include "base/fault.h"

#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FAULT_TEXT_SIZE = 1024 };

static _Thread_local char latest[FAULT_TEXT_SIZE];

/* Compilers name files as the build named them; what matters starts at the floor. */
static const char *from_floor(const char *file)
{
    static const char root[] = "src/";
    const char *found = NULL;

    for (const char *at = file; (at = strstr(at, root)); at++)
        found = at;
    return found ? found + strlen(root) : file;
}

int fault_raise(int number, const char *file, int line, const char *format, ...)
{
    char words[FAULT_TEXT_SIZE / 2] = "", reason[128];

    assert(number > 0);
    if (format) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(words, sizeof(words), format, arguments);
        va_end(arguments);
    }
    /* Built aside first: the words may quote the fault before this one. */
    char text[FAULT_TEXT_SIZE];
    snprintf(text, sizeof(text), "%s:%d: %s%s%s", from_floor(file), line,
             strerror_r(number, reason, sizeof(reason)), format ? ": " : "", words);
    memcpy(latest, text, sizeof(latest));
    return -number;
}

const char *fault_text(void)
{
    return latest;
}
