#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { WORDS_SIZE = 4096 }; /* longer texts are cut */

/* The numbers are those that readers of JSON logs know from Node's loggers (directus.md B.13). */
static const struct {
    const char *name;
    int number;
} levels[] = {
    [LOG_SILENT] = {"SILENT", 100}, [LOG_FATAL] = {"FATAL", 60}, [LOG_ERROR] = {"ERROR", 50},
    [LOG_WARN] = {"WARN", 40},      [LOG_INFO] = {"INFO", 30},   [LOG_DEBUG] = {"DEBUG", 20},
    [LOG_TRACE] = {"TRACE", 10},
};

/* Written before threads start, read by all of them. */
static enum log_level configured_level = LOG_INFO;
static enum log_style configured_style = LOG_PRETTY;

void log_configure(enum log_level level, enum log_style style)
{
    configured_level = level;
    configured_style = style;
}

bool log_on(enum log_level level)
{
    return level > LOG_SILENT && level <= configured_level;
}

/* What came from outside must not be able to forge a line, or to steer a terminal. */
static void put_harmless(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < 0x20 || byte == 0x7f)
            buf_printf(b, "\\x%02x", byte);
        else
            buf_put_char(b, text.at[i]);
    }
}

static void put_pretty(struct buf *b, enum log_level level, const char *floor, struct str text)
{
    int64_t now = clock_now_ms();
    char time[CLOCK_TEXT_MAX];

    clock_write_time(now, time);
    buf_printf(b, "[%s.%03d] %s %s: ", time, (int)(now % 1000), levels[level].name, floor);
    put_harmless(b, text);
}

static void put_raw(struct buf *b, enum log_level level, const char *floor, struct str text)
{
    buf_printf(b, "{\"level\":%d,\"time\":", levels[level].number);
    json_put_int(b, clock_now_ms());
    buf_put_lit(b, ",\"floor\":");
    json_put_str(b, str_of(floor));
    buf_put_lit(b, ",\"msg\":");
    json_put_str(b, text);
    buf_put_char(b, '}');
}

/* One write, because that is what keeps the lines of threads and processes apart. */
static void write_line(struct str line)
{
    ssize_t written;

    do
        written = write(STDERR_FILENO, line.at, line.len);
    while (written < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *floor, const char *format, ...)
{
    char words[WORDS_SIZE];
    int errno_before = errno;
    struct buf line;
    va_list arguments;

    if (!log_on(level))
        return;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);

    buf_init(&line, SIZE_MAX);
    (configured_style == LOG_RAW ? put_raw : put_pretty)(&line, level, floor, str_of(words));
    buf_put_char(&line, '\n');
    write_line(buf_str(&line));
    buf_deinit(&line);
    errno = errno_before;
}
