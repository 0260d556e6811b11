#ifndef UNIT_STORE_CHECK_H
#define UNIT_STORE_CHECK_H

/* What the tests of this floor share: short values, and comparisons that print. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "store/value.h"

#define TEXT(literal) value_text(STR(literal))
#define INTEGER(number) value_integer(number)
#define REAL(number) value_real(number)
#define NONE value_null()

#define assert_text(actual, expected) check_text((actual), (expected), __FILE__, __LINE__)
#define assert_value(actual, expected) check_value((actual), (expected), __FILE__, __LINE__)

UNUSED static void check_text(struct str actual, const char *expected, const char *file, int line)
{
    if (str_equal(actual, str_of(expected)))
        return;
    print_error("\"%.*s\" is not \"%s\"\n", STR_ARG(actual), expected);
    _fail(file, line);
}

UNUSED static void check_value(struct value actual, struct value expected, const char *file,
                               int line)
{
    if (actual.kind == expected.kind && value_equal(&actual, &expected))
        return;
    struct buf text;
    buf_init(&text, SIZE_MAX);
    value_put_key(&text, &actual);
    buf_put_lit(&text, " is not ");
    value_put_key(&text, &expected);
    print_error("%.*s\n", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
    _fail(file, line);
}

#endif
