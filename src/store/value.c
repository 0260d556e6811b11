#include "store/value.h"

#include <inttypes.h>
#include <stdio.h>

static int compare_integers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_reals(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* Converting the integer to a real would lose its last digits past 2^53, so the real is split into
 * its whole part, which fits an integer, and its fraction. */
static int compare_integer_real(int64_t a, double b)
{
    if (b >= 0x1p63)
        return -1;
    if (b < -0x1p63)
        return 1;
    int64_t whole = (int64_t)b;
    if (a != whole)
        return compare_integers(a, whole);
    return compare_reals(0, b - (double)whole);
}

int value_compare(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_TEXT || b->kind == VALUE_TEXT) {
        if (a->kind != b->kind)
            return a->kind == VALUE_TEXT ? 1 : -1;
        return str_compare(a->text, b->text);
    }
    if (a->kind == VALUE_INTEGER)
        return b->kind == VALUE_INTEGER ? compare_integers(a->integer, b->integer)
                                        : compare_integer_real(a->integer, b->real);
    return b->kind == VALUE_REAL ? compare_reals(a->real, b->real)
                                 : -compare_integer_real(b->integer, a->real);
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (value_is_null(a) || value_is_null(b))
        return a->kind == b->kind;
    return value_compare(a, b) == 0;
}

double value_round_decimal(double number)
{
    char text[STR_DOUBLE_SIZE];
    double rounded;
    int length = snprintf(text, sizeof(text), "%.15g", number);
    bool finite = str_to_double((struct str){text, (size_t)length}, &rounded) == 0;
    return finite ? rounded : number; /* the largest doubles would be rounded to infinity */
}

struct value value_copy(struct arena *a, const struct value *v)
{
    return v->kind == VALUE_TEXT ? value_text(arena_str(a, v->text)) : *v;
}

struct value *value_copy_row(struct arena *a, const struct value *row, size_t count)
{
    size_t text_size = 0;
    for (size_t i = 0; i < count; i++)
        if (row[i].kind == VALUE_TEXT)
            text_size += row[i].text.len;

    struct value *copy = arena_alloc(a, sizeof(*copy) * count + text_size);
    char *text = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = row[i];
        if (row[i].kind != VALUE_TEXT)
            continue;
        copy[i].text.at = text;
        if (row[i].text.len)
            memcpy(text, row[i].text.at, row[i].text.len);
        text += row[i].text.len;
    }
    return copy;
}

/* Key of null or a number. */
enum { NUMBER_KEY_SIZE = 40 };
static size_t write_number_key(const struct value *v, char *key_out)
{
    int length = 0;
    if (v->kind == VALUE_NULL)
        length = snprintf(key_out, NUMBER_KEY_SIZE, "n");
    else if (v->kind == VALUE_INTEGER)
        length = snprintf(key_out, NUMBER_KEY_SIZE, "i%" PRId64, v->integer);
    else if (v->real >= -0x1p63 && v->real < 0x1p63 && (double)(int64_t)v->real == v->real)
        length = snprintf(key_out, NUMBER_KEY_SIZE, "i%" PRId64, (int64_t)v->real);
    else
        length = snprintf(key_out, NUMBER_KEY_SIZE, "r%.17g", v->real);
    return (size_t)length;
}

struct str value_key(struct arena *a, const struct value *v)
{
    if (v->kind == VALUE_TEXT) {
        char *key = arena_alloc(a, v->text.len + 1);
        key[0] = 't';
        if (v->text.len)
            memcpy(key + 1, v->text.at, v->text.len);
        return (struct str){key, v->text.len + 1};
    }
    char key[NUMBER_KEY_SIZE];
    size_t size = write_number_key(v, key);
    return arena_str(a, (struct str){key, size});
}

void value_put_key(struct buf *b, const struct value *v)
{
    if (v->kind == VALUE_TEXT) {
        buf_printf(b, "t%zu:", v->text.len);
        buf_put_str(b, v->text);
        return;
    }
    char key[NUMBER_KEY_SIZE];
    buf_put(b, key, write_number_key(v, key));
}
