#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/*
 * The three results of a function that can fail:
 *     0  done.
 *   < 0  a fault (-errno): the world broke. Never matched on; passed up unchanged to the request
 *        boundary, which logs it once with its place, answers "internal error" and carries on.
 *   > 0  an outcome: documented by the function that returns it, handled by its caller.
 */

#include "base/attr.h"

/* Raises a fault: `return FAULT(EIO);` or with words: `return FAULT_BECAUSE(EIO, "…%s", text);` */
#define FAULT(number) fault_raise((number), __FILE__, __LINE__, NULL)
#define FAULT_BECAUSE(number, ...) fault_raise((number), __FILE__, __LINE__, __VA_ARGS__)

/* Remembers number, place and words for this thread; returns -number. */
int fault_raise(int number, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5);

/* The place and words of this thread's latest fault, for the log. Valid until the next fault. */
const char *fault_text(void);

#endif
