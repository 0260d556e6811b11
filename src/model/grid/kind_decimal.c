#include "model/grid/kind_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* Numbers as the digits that people write. */

enum { EXPONENT_MAX = 100000, DECIMAL_TEXT_SIZE = DECIMAL_DIGITS_MAX + 3 };

size_t digit_run(struct str s)
{
    size_t n = 0;
    while (n < s.len && s.at[n] >= '0' && s.at[n] <= '9')
        n++;
    return n;
}

static struct str take_digits(struct str *rest)
{
    struct str digits = {rest->at, digit_run(*rest)};
    *rest = str_skip(*rest, digits.len);
    return digits;
}

static bool take_exponent(struct str *rest, int64_t *exponent_out)
{
    *exponent_out = 0;
    if (rest->len == 0)
        return true;
    if (rest->at[0] != 'e' && rest->at[0] != 'E')
        return false;
    int rc = str_to_int64(str_skip(*rest, 1), exponent_out);
    *rest = STR("");
    if (rc == STR_OUT_OF_RANGE || *exponent_out > EXPONENT_MAX || *exponent_out < -EXPONENT_MAX)
        *exponent_out = EXPONENT_MAX;
    return rc != STR_NOT_A_NUMBER;
}

/* Which digit stands at a place, of the whole part and the fraction written one behind the other.
 */
static char digit_at(struct str whole, struct str fraction, int64_t at)
{
    if (at < 0 || at >= (int64_t)(whole.len + fraction.len))
        return '0';
    return at < (int64_t)whole.len ? whole.at[at] : fraction.at[at - (int64_t)whole.len];
}

/* Moves the point by the exponent and leaves away the zeros that say nothing. */
static int settle(struct decimal *d, struct str whole, struct str fraction, int64_t exponent)
{
    int64_t point = (int64_t)whole.len + exponent;
    int64_t first = 0, end = (int64_t)(whole.len + fraction.len);
    while (first < end && digit_at(whole, fraction, first) == '0')
        first++;
    while (end > first && digit_at(whole, fraction, end - 1) == '0')
        end--;
    if (first == end) {
        d->whole = d->fraction = 0;
        d->negative = false;
        return 0;
    }
    if (first > point)
        first = point;
    if (end < point)
        end = point;
    if (end - first > DECIMAL_DIGITS_MAX)
        return DECIMAL_HUGE;
    d->whole = (unsigned)(point - first);
    d->fraction = (unsigned)(end - point);
    for (int64_t at = first; at < end; at++)
        d->digits[at - first] = digit_at(whole, fraction, at);
    return 0;
}

int decimal_read(struct str text, struct decimal *d_out)
{
    struct str rest = text, fraction = STR("");
    int64_t exponent;
    bool negative = rest.len > 0 && rest.at[0] == '-';

    if (negative || (rest.len > 0 && rest.at[0] == '+'))
        rest = str_skip(rest, 1);
    struct str whole = take_digits(&rest);
    if (rest.len > 0 && rest.at[0] == '.') {
        rest = str_skip(rest, 1);
        fraction = take_digits(&rest);
    }
    if (whole.len + fraction.len == 0 || !take_exponent(&rest, &exponent))
        return DECIMAL_NONE;
    d_out->negative = negative;
    return settle(d_out, whole, fraction, exponent);
}

struct decimal decimal_of(const struct value *number)
{
    char text[DECIMAL_TEXT_SIZE];
    struct decimal d = {.whole = 0};
    if (number->kind == VALUE_INTEGER)
        snprintf(text, sizeof(text), "%" PRId64, number->integer);
    else
        snprintf(text, sizeof(text), "%.*e", DECIMAL_COLUMN_DIGITS - 1, number->real);
    int rc = decimal_read(str_of(text), &d);
    assert(rc == 0);
    (void)rc;
    return d;
}

void decimal_round(struct decimal *d, unsigned places)
{
    if (d->fraction <= places)
        return;
    unsigned kept = d->whole + places;
    bool up = d->digits[kept] >= '5';
    d->fraction = places;
    for (unsigned at = kept; up && at-- > 0;) {
        up = d->digits[at] == '9';
        d->digits[at] = up ? '0' : (char)(d->digits[at] + 1);
    }
    if (up) { /* 9.99 → 10.0: one digit more in front; the last one went */
        memmove(d->digits + 1, d->digits, kept);
        d->digits[0] = '1';
        d->whole++;
    }
    while (d->fraction > 0 && d->digits[d->whole + d->fraction - 1] == '0')
        d->fraction--;
    if (d->whole + d->fraction == 0)
        d->negative = false;
}

void decimal_put(struct buf *b, const struct decimal *d, unsigned places)
{
    if (d->negative)
        buf_put_char(b, '-');
    if (d->whole == 0)
        buf_put_char(b, '0');
    buf_put(b, d->digits, d->whole);
    if (places > 0)
        buf_put_char(b, '.');
    for (unsigned i = 0; i < places; i++)
        buf_put_char(b, i < d->fraction ? d->digits[d->whole + i] : '0');
}

bool decimal_cell(const struct column *c, const struct decimal *d, struct value *cell_out)
{
    char text[DECIMAL_TEXT_SIZE];
    int64_t whole;
    double real;

    snprintf(text, sizeof(text), "%s%.*s%s.%.*s", d->negative ? "-" : "", (int)d->whole, d->digits,
             d->whole > 0 ? "" : "0", (int)d->fraction, d->digits + d->whole);
    if (types[c->type].kind == VALUE_REAL) {
        if (str_to_double(str_of(text), &real) != 0)
            return false;
        *cell_out = value_real(real);
        return true;
    }
    struct str digits = {text, strcspn(text, ".")};
    if (d->fraction > 0 || str_to_int64(digits, &whole) != 0)
        return false;
    *cell_out = value_integer(whole);
    return true;
}
