#define PCRE2_CODE_UNIT_WIDTH 8

#include "model/grid/kind_internal.h"

#include <assert.h>
#include <pcre2.h>
#include <pthread.h>

#include "base/text.h"
#include "model/password.h"

/*
 * Kinds whose cells are texts: as they are, after a pattern, or hashed. Columns that others made
 * may hold only some texts (a time, JSON): that is checked for all kinds in kind.c.
 */

static void write_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    (void)f;
    json_put_str(b, cell->text);
}

static void put_text(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    (void)f;
    buf_put_str(b, cell->text);
}

static bool parse_text(struct arena *a, const struct grid_field *f, struct str text,
                       struct value *value_out)
{
    if (text.len == 0)
        return false;
    (void)f;
    *value_out = value_text(arena_str(a, text));
    return true;
}

/* Numbers and truth values count as their text. An empty text is null where the column has none. */
static int read_text(struct tx *tx, const struct grid_field *f, const json_t *json,
                     struct value *value_out, struct kind_mistake *m)
{
    if (json_is_array(json) || json_is_object(json))
        return kind_mistaken(m, tx->arena, "invalid", "Not a valid string.");
    struct str text = json_is_string(json) ? json_str(json) : json_text(tx->arena, json);
    *value_out = text.len > 0 ? value_text(text) : kind_empty(f);
    return 0;
}

const struct kind_values textual_values = {
    read_text,
    write_text,
    put_text,
    parse_text,
};

/* ---- patterns (10.4) ---- */

enum pattern_id { PATTERN_URL, PATTERN_EMAIL, PATTERN_PHONE, PATTERN_COUNT };

#define EMAIL_PART "[\\p{L}\\p{N}_.\\[\\]!#$&*+/=?^`{|}~-]+"
static struct pattern {
    const char *text;
    size_t length_max; /* characters; 0: no limit */
    pcre2_code *code;
} patterns[PATTERN_COUNT] = {
    /* No blank anywhere; looked at once, so that long texts cost no more than their length. */
    [PATTERN_URL] = {"(?=\\S++\\z)\\S{0,255}(?:\\.|//)\\S", 0, NULL},
    [PATTERN_EMAIL] = {EMAIL_PART "@" EMAIL_PART "\\z", 254, NULL},
    [PATTERN_PHONE] = {"[0-9NnXx,+._*()#=;/ -]+\\z", 100, NULL},
};

static void compile_patterns(void)
{
    for (int i = 0; i < PATTERN_COUNT; i++) {
        int error;
        PCRE2_SIZE offset;
        patterns[i].code =
            pcre2_compile((PCRE2_SPTR)patterns[i].text, PCRE2_ZERO_TERMINATED,
                          PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C, &error,
                          &offset, NULL);
        assert(patterns[i].code);
    }
}

static bool matches(enum pattern_id id, struct str text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, compile_patterns);

    pcre2_match_data *match = pcre2_match_data_create_from_pattern(patterns[id].code, NULL);
    int found = pcre2_match(patterns[id].code, (PCRE2_SPTR)text.at, text.len, 0, 0, match, NULL);
    pcre2_match_data_free(match);
    return found > 0;
}

static int read_pattern(struct tx *tx, const struct grid_field *f, const json_t *json,
                        enum pattern_id id, const char *sentence, struct value *value_out,
                        struct kind_mistake *m)
{
    int rc = read_text(tx, f, json, value_out, m);
    struct str text = rc == 0 ? value_out->text : STR_NULL;
    if (rc != 0 || text.len == 0)
        return rc;
    size_t most = patterns[id].length_max;
    if (most > 0 && text_length(text) > most)
        return kind_mistaken(m, tx->arena, "max_length",
                             "Ensure this field has no more than %zu characters.", most);
    return matches(id, text) ? 0 : kind_mistaken(m, tx->arena, "invalid", "%s", sentence);
}

static bool parse_pattern(struct arena *a, const struct grid_field *f, enum pattern_id id,
                          struct str text, struct value *value_out)
{
    size_t most = patterns[id].length_max;
    return (most == 0 || text_length(text) <= most) && text.len > 0 && matches(id, text) &&
           parse_text(a, f, text, value_out);
}

/* One family of patterns: the two ways that ask one. */
#define PATTERN_VALUES(name, id, sentence)                                                         \
    static int read_##name(struct tx *tx, const struct grid_field *f, const json_t *json,          \
                           struct value *value_out, struct kind_mistake *m)                        \
    {                                                                                              \
        return read_pattern(tx, f, json, id, sentence, value_out, m);                              \
    }                                                                                              \
    static bool parse_##name(struct arena *a, const struct grid_field *f, struct str text,         \
                             struct value *value_out)                                              \
    {                                                                                              \
        return parse_pattern(a, f, id, text, value_out);                                           \
    }                                                                                              \
    const struct kind_values name##_values = {                                                     \
        read_##name,                                                                               \
        write_text,                                                                                \
        put_text,                                                                                  \
        parse_##name,                                                                              \
    }

PATTERN_VALUES(url, PATTERN_URL, "Enter a valid URL.");
PATTERN_VALUES(email, PATTERN_EMAIL, "Enter a valid email address.");
PATTERN_VALUES(phone, PATTERN_PHONE, "Enter a valid phone number.");

/* ---- passwords ---- */

static bool is_hashed(const struct grid_field *f)
{
    const struct table *t = f->table->table;
    return f->column->type == TYPE_HASH || (f->column->index < t->shape.count &&
                                            (t->fields[f->column->index].special & SPECIAL_HASH));
}

/* What was told, or is stored, comes back from clients that send whole rows. */
static bool is_sent_back(const json_t *json)
{
    struct str text = json_str(json);
    return json_is_true(json) || str_equal(text, SECRET_SET) ||
           str_starts_with(text, STR("$argon2"));
}

static const struct prepared *find_prepared(const struct tx *tx, const json_t *json)
{
    const struct prepared *p = tx->prepared;
    while (p && p->plain != json)
        p = p->next;
    return p;
}

bool kind_needs_preparing(const struct grid_field *f, const json_t *json)
{
    return f->kind->id == KIND_PASSWORD && f->column && is_hashed(f) && json_str(json).len > 0 &&
           !is_sent_back(json);
}

enum { PREPARED_MAX = 100 }; /* as in payload.c: a reader is busy with each for a while */

int kind_prepare(struct tx *tx, const struct grid_field *f, const json_t *json)
{
    size_t count = 0;
    if (!kind_needs_preparing(f, json))
        return 0;
    for (const struct prepared *p = tx->prepared; p; p = p->next)
        count++;
    if (count >= PREPARED_MAX)
        return refuse(tx, PROBLEM_INVALID_PAYLOAD, "At most %d passwords fit into one request",
                      PREPARED_MAX);

    struct prepared *made = ARENA_NEW(tx->arena, struct prepared);
    made->plain = json;
    int rc = password_hash(tx->settings, tx->arena, json_str(json), &made->hash);
    if (rc != 0)
        return rc;
    made->next = tx->prepared;
    tx->prepared = made;
    return 0;
}

static int read_password(struct tx *tx, const struct grid_field *f, const json_t *json,
                         struct value *value_out, struct kind_mistake *m)
{
    if (is_sent_back(json))
        return KIND_KEPT;
    struct str plain = json_str(json);
    if (!plain.at)
        return kind_mistaken(m, tx->arena, "invalid", "Not a valid string.");
    if (plain.len == 0)
        return 0;
    if (!is_hashed(f)) {
        *value_out = value_text(plain);
        return 0;
    }
    const struct prepared *p = find_prepared(tx, json);
    if (p) {
        *value_out = value_text(p->hash);
        return 0;
    }
    /* It was no password yet when the request was prepared: rare enough to hash where it holds up
     * who writes. */
    struct str hash;
    int rc = password_hash(tx->settings, tx->arena, plain, &hash);
    if (rc == 0)
        *value_out = value_text(hash);
    return rc;
}

bool kind_password_fits(const struct tx *tx, const struct grid_field *f, const struct value *cell,
                        struct str plain)
{
    return is_hashed(f) && cell->kind == VALUE_TEXT &&
           password_verify(tx->settings, cell->text, plain);
}

static void write_password(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    (void)f;
    buf_put_str(b, cell->text.len > 0 ? STR("true") : STR("null"));
}

static void put_nothing(struct buf *b, const struct grid_field *f, const struct value *cell)
{
    (void)b;
    (void)f;
    (void)cell;
}

const struct kind_values password_values = {
    read_password,
    write_password,
    put_nothing,
    NULL,
};
