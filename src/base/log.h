#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The diagnostic log: one line an event to standard error, as text ("pretty") or JSON ("raw").
 *
 *   [12:34:56.789] INFO session: text                                      (UTC)
 *   {"level":30,"time":1704190496789,"floor":"session","msg":"text"}
 *
 * Control characters in the text are escaped; a text past 4 KiB is cut. Keeps errno.
 * Floors below session log nothing but debug. Secrets (passwords, tokens, keys) are never passed
 * in. Any thread; lines never mix.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"

enum log_level { LOG_SILENT, LOG_FATAL, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };
enum log_style { LOG_PRETTY, LOG_RAW };

void log_configure(enum log_level level, enum log_style style); /* before threads start */
bool log_on(enum log_level level);

/* `floor` is the folder that speaks: "session". The text is one sentence without a newline. */
void log_write(enum log_level level, const char *floor, const char *format, ...) PRINTF_LIKE(3, 4);

#define LOG_AT(level, floor, ...)                                                                  \
    do {                                                                                           \
        if (log_on(level))                                                                         \
            log_write((level), (floor), __VA_ARGS__);                                              \
    } while (0)

#endif
