#include "model/grid/kind_internal.h"

#include "base/text.h"
#include "base/zone.h"

/*
 * Settings of fields (baserow.md 10.3): a table of them, in the order in which they are told. Each
 * is checked by its fashion, when a client sends it and when it is read from the store; what does
 * not pass is refused there, and is the default here.
 */

enum fashion {
    FASHION_TEXT, /* at most `max` characters */
    FASHION_BOOLEAN,
    FASHION_INTEGER, /* min to max */
    FASHION_WORD,    /* one of `words` */
    FASHION_ZONE,    /* null, or the name of a time zone */
    FASHION_NUMBER,  /* null, or a number that the field can hold */
    FASHION_CHOICES,
    FASHION_CHOICE_ID,  /* null, or an option of the field */
    FASHION_CHOICE_IDS, /* null, or several of them */
};

struct setting {
    const char *key;
    unsigned kinds;
    enum fashion fashion;
    int min, max;
    const char *const *words;
    const char *initial; /* JSON */
};

static const char *const separators[] = {
    "", "SPACE_COMMA", "SPACE_PERIOD", "COMMA_PERIOD", "PERIOD_COMMA", NULL,
};
static const char *const styles[] = {"star", "heart", "thumbs-up", "flag", "smile", NULL};
static const char *const date_formats[] = {"EU", "US", "ISO", NULL};
static const char *const time_formats[] = {"24", "12", NULL};
static const char *const duration_formats[] = {
    "h:mm",   "h:mm:ss",   "h:mm:ss.s", "h:mm:ss.ss", "h:mm:ss.sss", "d h",
    "d h:mm", "d h:mm:ss", "d h mm",    "d h mm ss",  NULL,
};

#define DATED (KIND_BIT(KIND_DATE) | KIND_BIT(KIND_CREATED_ON) | KIND_BIT(KIND_LAST_MODIFIED))
#define SELECTS (KIND_BIT(KIND_SINGLE_SELECT) | KIND_BIT(KIND_MULTIPLE_SELECT))
enum { CHOICE_TEXT_MAX = 255 };

/* clang-format off */
static const struct setting settings[] = {
    {"text_default", KIND_BIT(KIND_TEXT), FASHION_TEXT, 0, 255, NULL, "\"\""},
    {"long_text_enable_rich_text", KIND_BIT(KIND_LONG_TEXT), FASHION_BOOLEAN, 0, 0, NULL, "false"},
    {"number_decimal_places", KIND_BIT(KIND_NUMBER), FASHION_INTEGER, 0, 10, NULL, "0"},
    {"number_negative", KIND_BIT(KIND_NUMBER), FASHION_BOOLEAN, 0, 0, NULL, "false"},
    {"number_prefix", KIND_BIT(KIND_NUMBER), FASHION_TEXT, 0, 10, NULL, "\"\""},
    {"number_suffix", KIND_BIT(KIND_NUMBER), FASHION_TEXT, 0, 100, NULL, "\"\""},
    {"number_separator", KIND_BIT(KIND_NUMBER), FASHION_WORD, 0, 0, separators, "\"\""},
    {"number_default", KIND_BIT(KIND_NUMBER), FASHION_NUMBER, 0, 0, NULL, "null"},
    {"max_value", KIND_BIT(KIND_RATING), FASHION_INTEGER, 1, 10, NULL, "5"},
    {"color", KIND_BIT(KIND_RATING), FASHION_TEXT, 0, 50, NULL, "\"dark-orange\""},
    {"style", KIND_BIT(KIND_RATING), FASHION_WORD, 0, 0, styles, "\"star\""},
    {"boolean_default", KIND_BIT(KIND_BOOLEAN), FASHION_BOOLEAN, 0, 0, NULL, "false"},
    {"date_format", DATED, FASHION_WORD, 0, 0, date_formats, "\"EU\""},
    {"date_include_time", DATED, FASHION_BOOLEAN, 0, 0, NULL, "false"},
    {"date_time_format", DATED, FASHION_WORD, 0, 0, time_formats, "\"24\""},
    {"date_show_tzinfo", DATED, FASHION_BOOLEAN, 0, 0, NULL, "false"},
    {"date_force_timezone", DATED, FASHION_ZONE, 0, 255, NULL, "null"},
    {"duration_format", KIND_BIT(KIND_DURATION), FASHION_WORD, 0, 0, duration_formats, "\"h:mm\""},
    {"select_options", SELECTS, FASHION_CHOICES, 0, 0, NULL, "[]"},
    {"single_select_default", KIND_BIT(KIND_SINGLE_SELECT), FASHION_CHOICE_ID, 0, 0, NULL, "null"},
    {"multiple_select_default", KIND_BIT(KIND_MULTIPLE_SELECT), FASHION_CHOICE_IDS, 0, 0, NULL, "null"},
    {"notify_user_when_added", KIND_BIT(KIND_MULTIPLE_COLLABORATORS), FASHION_BOOLEAN, 0, 0, NULL, "false"},
    {"allow_endpoint_authentication", KIND_BIT(KIND_PASSWORD), FASHION_BOOLEAN, 0, 0, NULL, "false"},
};
/* clang-format on */

/* ---- checking one ---- */

/* The settings of one field while they are read: later ones depend on earlier ones. */
struct reading {
    struct arena *arena;
    struct tx *tx; /* NULL: they come from the store, and are not complained about */
    const struct kind *kind;
    json_t *object; /* what was read so far */
    const struct kind_settings *before;
    int64_t *next_choice;
    struct map aliases; /* the number under which the client knows a choice → its id */
    bool foreign;       /* a default is no choice of this field */
    struct kind_mistake mistake;
};

static json_t *mistaken(struct reading *r, const char *code, const char *sentence)
{
    r->mistake = (struct kind_mistake){.code = code, .sentence = str_of(sentence)};
    return NULL;
}

static json_t *read_text(struct reading *r, const struct setting *s, const json_t *json)
{
    struct str text = json_str(json);
    if (json_is_number(json))
        text = json_text(r->arena, json);
    if (!text.at)
        return mistaken(r, "invalid", "Not a valid string.");
    if (text_length(text) > (size_t)s->max) {
        kind_mistaken(&r->mistake, r->arena, "max_length",
                      "Ensure this field has no more than %d characters.", s->max);
        return NULL;
    }
    return json_stringn(text.at, text.len);
}

static json_t *read_boolean(struct reading *r, const struct setting *s, const json_t *json)
{
    (void)s;
    bool truth;
    if (json_is_boolean(json))
        return json_boolean(json_is_true(json));
    struct str text = json_is_integer(json) ? json_text(r->arena, json) : json_str(json);
    return text.at && boolean_read(text, &truth)
               ? json_boolean(truth)
               : mistaken(r, "invalid", "Must be a valid boolean.");
}

static json_t *read_integer(struct reading *r, const struct setting *s, const json_t *json)
{
    int64_t number;
    if (json_is_integer(json))
        number = json_integer_value(json);
    else if (str_to_int64(json_str(json), &number) != 0)
        return mistaken(r, "invalid", "A valid integer is required.");
    if (number >= s->min && number <= s->max)
        return json_integer(number);
    bool below = number < s->min;
    kind_mistaken(&r->mistake, r->arena, below ? "min_value" : "max_value",
                  "Ensure this value is %s than or equal to %d.", below ? "greater" : "less",
                  below ? s->min : s->max);
    return NULL;
}

static json_t *refuse_word(struct reading *r, const json_t *json)
{
    struct str text = json_is_string(json) ? json_str(json) : json_text(r->arena, json);
    kind_mistaken(&r->mistake, r->arena, "invalid_choice", "\"%.*s\" is not a valid choice.",
                  STR_ARG(text));
    return NULL;
}

static json_t *read_word(struct reading *r, const struct setting *s, const json_t *json)
{
    struct str word = json_is_integer(json) ? json_text(r->arena, json) : json_str(json);
    for (size_t i = 0; word.at && s->words[i]; i++)
        if (str_equal(word, str_of(s->words[i])))
            return json_string(s->words[i]);
    return refuse_word(r, json);
}

static json_t *read_zone(struct reading *r, const struct setting *s, const json_t *json)
{
    const struct zone *zone;
    struct str name = json_str(json);
    if (json_is_null(json) || (name.at && name.len == 0))
        return json_null();
    if (!name.at || name.len > (size_t)s->max || zone_load(r->arena, name, &zone) != 0)
        return refuse_word(r, json);
    return json_stringn(name.at, name.len);
}

static const json_t *so_far(const struct reading *r, const char *key)
{
    return json_object_get(r->object, key);
}

/* Told with the field's number of places, as cells are. */
static json_t *read_number(struct reading *r, const struct setting *s, const json_t *json)
{
    (void)s;
    if (json_is_null(json))
        return json_null();
    struct decimal d;
    struct str text = json_is_number(json) ? json_text(r->arena, json) : json_str(json);
    unsigned places = (unsigned)json_integer_value(so_far(r, "number_decimal_places"));
    struct column column = {.type = places > 0 ? TYPE_DECIMAL : TYPE_BIG_INTEGER,
                            .precision = DECIMAL_COLUMN_DIGITS,
                            .scale = (uint8_t)places};
    struct value cell;

    if (!text.at || decimal_read(str_trim(text), &d) != 0)
        return mistaken(r, "invalid", "A valid number is required.");
    decimal_round(&d, places);
    if (d.negative && !json_is_true(so_far(r, "number_negative")))
        return mistaken(r, "min_value", "Ensure this value is greater than or equal to 0.");
    if (!decimal_cell(&column, &d, &cell) || type_check(&column, &cell) != 0)
        return mistaken(r, "max_digits", "Ensure that there are no more digits than fit.");

    struct buf b;
    buf_init(&b, SIZE_MAX);
    decimal_put(&b, &d, places);
    json_t *out = json_stringn(b.at, b.len);
    buf_deinit(&b);
    return out;
}

/* ---- choices ---- */

static bool number_told(const json_t *json, int64_t *number_out)
{
    if (json_is_integer(json))
        *number_out = json_integer_value(json);
    else if (!json_is_string(json) || str_to_int64(json_str(json), number_out) != 0)
        return false;
    return true;
}

static struct str alias_key(const int64_t *told)
{
    return (struct str){(const char *)told, sizeof(*told)};
}

static void remember_alias(struct reading *r, int64_t told, int64_t id)
{
    int64_t *kept = ARENA_NEW(r->arena, int64_t);
    *kept = id;
    map_put(&r->aliases, alias_key(&told), kept);
}

/* The choice's id, under whatever number the client knows it. 0: it is none of the field's. */
static int64_t known_choice(const struct reading *r, int64_t told)
{
    const int64_t *id = map_get(&r->aliases, alias_key(&told));
    return id ? *id : 0;
}

/* Its own where the field has it already (but once in a list); else the next that is free. */
static int64_t choice_id(struct reading *r, const json_t *told)
{
    int64_t number = 0;
    bool has = number_told(json_get(told, "id"), &number) ||
               number_told(json_get(told, "upsert_id"), &number);
    bool stays = !r->tx || (has && r->before && settings_choice(r->before, number) &&
                            known_choice(r, number) == 0);
    int64_t id = stays ? number : (*r->next_choice)++;
    if (has)
        remember_alias(r, number, id);
    return id;
}

static bool read_choice(struct reading *r, const json_t *told, size_t index, json_t *list)
{
    struct str value = json_get_str(told, "value"), color = json_get_str(told, "color");

    if (!json_is_object(told))
        return mistaken(r, "invalid", "Expected an object with a value and a color.");
    if (json_is_number(json_get(told, "value")))
        value = json_text(r->arena, json_get(told, "value"));
    if (!value.at)
        return mistaken(r, "required", "The value of each option is required.");
    if (r->tx && str_trim(value).len == 0)
        return mistaken(r, "blank", "The value of an option may not be blank.");
    if (text_length(value) > CHOICE_TEXT_MAX || text_length(color) > CHOICE_TEXT_MAX)
        return mistaken(r, "max_length", "Ensure this field has no more than 255 characters.");
    if (!color.at)
        color = choice_color(index);
    json_array_append_new(list, choice_json(choice_id(r, told), value, color));
    return true;
}

static json_t *read_choices(struct reading *r, const struct setting *s, const json_t *json)
{
    (void)s;
    if (!json_is_array(json))
        return mistaken(r, "not_a_list", "Expected a list of items.");

    json_t *list = json_array();
    size_t index;
    json_t *told;
    json_array_foreach(json, index, told)
    {
        if (!read_choice(r, told, index, list)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *foreign(struct reading *r, const json_t *json)
{
    r->foreign = true;
    r->mistake.sentence = json_text(r->arena, json);
    return NULL;
}

static json_t *read_choice_id(struct reading *r, const struct setting *s, const json_t *json)
{
    (void)s;
    if (json_is_null(json))
        return json_null();
    int64_t told;
    if (!number_told(json, &told))
        return mistaken(r, "invalid", "A valid integer is required.");
    int64_t id = known_choice(r, told);
    return id != 0 ? json_integer(id) : foreign(r, json);
}

static json_t *read_choice_ids(struct reading *r, const struct setting *s, const json_t *json)
{
    if (json_is_null(json))
        return json_null();
    if (!json_is_array(json))
        return mistaken(r, "not_a_list", "Expected a list of items.");

    json_t *list = json_array();
    size_t index;
    json_t *told;
    json_array_foreach(json, index, told)
    {
        json_t *id = json_is_null(told) ? foreign(r, told) : read_choice_id(r, s, told);
        if (!id) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, id);
    }
    return list;
}

typedef json_t *read_setting(struct reading *r, const struct setting *s, const json_t *json);
static read_setting *const fashions[] = {
    [FASHION_TEXT] = read_text,
    [FASHION_BOOLEAN] = read_boolean,
    [FASHION_INTEGER] = read_integer,
    [FASHION_WORD] = read_word,
    [FASHION_ZONE] = read_zone,
    [FASHION_NUMBER] = read_number,
    [FASHION_CHOICES] = read_choices,
    [FASHION_CHOICE_ID] = read_choice_id,
    [FASHION_CHOICE_IDS] = read_choice_ids,
};

/* ---- reading all of them ---- */

static json_t *initial_setting(struct arena *a, const struct setting *s)
{
    json_t *value = NULL;
    json_read(a, str_of(s->initial), &value, NULL);
    return value;
}

static void keep_or_default(struct reading *r, const struct setting *s, const json_t *kept)
{
    /* Options that stay are known by their own ids, also to a field of another kind. */
    json_t *value = kept ? fashions[s->fashion](r, s, kept) : NULL;
    json_object_set_new(r->object, s->key, value ? value : initial_setting(r->arena, s));
    r->foreign = false;
    r->mistake = (struct kind_mistake){.code = NULL};
}

static void read_told(struct reading *r, const struct setting *s, const json_t *told)
{
    json_t *value;
    bool may_be_null = strcmp(s->initial, "null") == 0;

    if (json_is_null(told) && !may_be_null)
        value = mistaken(r, "null", "This field may not be null.");
    else
        value = fashions[s->fashion](r, s, told);
    if (value) {
        json_object_set_new(r->object, s->key, value);
        return;
    }
    json_object_set_new(r->object, s->key, initial_setting(r->arena, s));
    if (r->mistake.code)
        grid_refuse_value(r->tx, -1, str_of(s->key), r->mistake.code, "%.*s",
                          STR_ARG(r->mistake.sentence));
}

int kind_read_settings(struct tx *tx, const struct kind *kind, const json_t *body,
                       const struct kind_settings *before, int64_t *next_choice,
                       json_t **settings_out)
{
    struct str stranger = STR_NULL;
    bool refused = false;
    struct reading r = {.arena = tx->arena,
                        .tx = tx,
                        .kind = kind,
                        .object = json_object(),
                        .before = before,
                        .next_choice = next_choice};
    arena_on_free(tx->arena, json_release, r.object);

    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        const struct setting *s = &settings[i];
        const json_t *told = json_get(body, s->key);
        if (!(s->kinds & KIND_BIT(kind->id)))
            continue;
        if (!told) {
            keep_or_default(&r, s, before ? json_object_get(before->json, s->key) : NULL);
            continue;
        }
        read_told(&r, s, told);
        if (r.foreign && !stranger.at)
            stranger = r.mistake.sentence;
        refused = refused || r.mistake.code;
        r.foreign = false;
        r.mistake = (struct kind_mistake){.code = NULL};
    }
    map_deinit(&r.aliases);
    if (refused)
        return REFUSED;
    if (stranger.at) {
        int rc = refuse(tx, PROBLEM_UNPROCESSABLE, GRID_CHOICE_FOREIGN);
        tx->problem->value = stranger;
        return rc;
    }
    *settings_out = r.object;
    return 0;
}

json_t *settings_normal(struct arena *a, const struct kind *kind, const json_t *stored)
{
    struct reading r = {.arena = a, .kind = kind, .object = json_object()};
    arena_on_free(a, json_release, r.object);
    for (size_t i = 0; i < COUNT_OF(settings); i++)
        if (settings[i].kinds & KIND_BIT(kind->id))
            keep_or_default(&r, &settings[i], json_get(stored, settings[i].key));
    map_deinit(&r.aliases);
    return r.object;
}
