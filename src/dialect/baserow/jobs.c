/* Jobs (9.15): what there is, and the way of each from the request that asks for it to its end. */
#include "dialect/baserow/jobs.h"

#include <inttypes.h>

#include "base/clock.h"
#include "dialect/baserow/channel.h"
#include "dialect/baserow/shapes.h"
#include "dialect/baserow/telling.h"
#include "model/progress.h"
#include "session/service.h"
#include "wire/websocket.h"

static const char *const states[JOB_STATE_COUNT] = {
    [JOB_PENDING] = "pending", [JOB_STARTED] = "started",     [JOB_FINISHED] = "finished",
    [JOB_FAILED] = "failed",   [JOB_CANCELLED] = "cancelled",
};
static const struct job_type *const types_of_jobs[] = {
    &job_duplicate_table,
    &job_duplicate_field,
    &job_duplicate_application,
    &job_file_import,
};

/* ---- telling of one ---- */

static void put_time(struct buf *b, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_write_timestamp(ms, text);
    shape_key(b, key);
    shape_moment(b, str_of(text));
}

void job_write(struct buf *b, const struct catalogue *c, const struct job_facts *facts)
{
    buf_printf(b, "{\"id\":%" PRId64, facts->id);
    shape_text(b, "type", str_of(facts->type->name));
    shape_int(b, "progress_percentage", facts->percent);
    shape_text(b, "state", str_of(states[facts->state]));
    shape_text(b, "human_readable_error", facts->error);
    shape_text(b, "error_code", facts->error_code);
    put_time(b, "created_on", facts->created_ms);
    put_time(b, "updated_on", facts->updated_ms);
    facts->type->put(b, c, facts);
    buf_put_char(b, '}');
}

/* A read may be of a moment before the job's end: then it goes on, and what it made is not there.
 */
static struct job_facts facts_at(const struct tx *tx, struct job *job)
{
    struct job_facts facts = job_facts(job);

    if (facts.state == JOB_FINISHED && facts.result.sequence > tx->head)
        facts.state = JOB_STARTED;
    return facts;
}

static int answer(struct request *r, struct tx *tx, struct job *job, int status)
{
    const struct job_facts facts = facts_at(tx, job);
    struct buf b;

    reply_begin(&b);
    job_write(&b, tx->catalogue, &facts);
    return reply_with(r, tx, status, REPLY_JSON, NULL, 0, &b);
}

/* ---- the task, on the writer ---- */

struct task {
    struct job *job;
    struct job_result result;
};

static bool report(void *context, unsigned percent)
{
    return job_report(context, percent);
}

static int run_task(struct request *r, struct tx *tx)
{
    struct task *task = r->command;
    const struct job_facts facts = job_facts(task->job);
    struct progress progress = {.report = report, .context = task->job};

    task->result = (struct job_result){0};
    if (!job_start(task->job))
        return 0;
    tx->progress = &progress;
    int rc = facts.type->work(tx, &facts.wish, &task->result);
    tx->progress = NULL;
    if (rc == 0 && !job_seal(task->job))
        return refuse(tx, PROBLEM_UNPROCESSABLE, "%s", PROGRESS_STOPPED);
    return rc;
}

static void task_done(struct request *r)
{
    struct task *task = r->command;
    const char *code = "";
    struct str error = r->result == 0 ? STR_NULL : error_text(r->arena, &r->problem, &code);

    if (r->commit)
        task->result.sequence = r->commit->changes[r->commit->count - 1]->sequence;
    job_end(task->job, &task->result, error, str_of(code));
    job_unref(task->job);
}

/* Rows are written beside others; who makes tables is alone in the transaction. */
static const struct handler row_task = {
    .name = "job", .lane = LANE_WRITE, .run = run_task, .done = task_done};
static const struct handler schema_task = {
    .name = "job_schema", .lane = LANE_SCHEMA, .run = run_task, .done = task_done};

/* ---- asking for one ---- */

int job_ask(struct request *r, struct tx *tx, const struct job_type *type, int status)
{
    struct rest *rest = rest_of(r);
    const struct job_owner owner = {rest->account.id, rest->account.user, r->caller.origin};
    struct job_wish wish = {0};
    struct job *job;

    job_withdraw(rest->finding); /* of a turn before, which came to nothing */
    rest->finding = NULL;
    int rc = type->plan(tx, rest->data, &wish);
    if (rc == 0 && job_register(type, &owner, &wish, tx->now_ms, &job) != 0)
        rc = refuse_code(tx, ERROR_MAX_JOB_COUNT_EXCEEDED, NULL);
    if (rc != 0)
        return rc;
    rest->finding = job;
    return answer(r, tx, job, status);
}

void job_drop(struct request *r)
{
    job_withdraw(rest_of(r)->finding);
    rest_of(r)->finding = NULL;
    reply_problem(r);
}

/* The owner's other tabs hear of it, before they hear of what it does. */
static void tell_started(struct service *v, struct job *job)
{
    const struct job_owner *owner = job_owner(job);
    const struct job_facts facts = job_facts(job);
    struct user_channel name;
    struct buf b;

    message_begin(&b, "job_started");
    message_key(&b, "job");
    job_write(&b, service_catalogue(v), &facts);
    buf_put_char(&b, '}');
    AUTO(frame_unref) struct frame *frame = websocket_frame(WEBSOCKET_TEXT, buf_str(&b));
    service_tell(v, channel_of_user(owner->user, &name), frame, owner->origin, 0);
    buf_deinit(&b);
}

void job_begin(struct request *r)
{
    struct service *v = session_service(r->session);
    struct job *job = rest_of(r)->finding;
    const struct job_facts facts = job_facts(job);
    const struct handler *handler = facts.wish.rows_only ? &row_task : &schema_task;
    struct request *task = service_task(v, handler, r->principal);

    rest_of(r)->finding = NULL;
    if (!task) {
        job_end(job, &(struct job_result){0}, STR("The server is stopping."), STR(""));
        job_unref(job);
        return;
    }
    struct task *command = ARENA_NEW(task->arena, struct task);
    command->job = job;
    task->command = command;
    task->caller.origin = job_owner(job)->origin;
    tell_started(v, job);
    service_submit(task);
}

/* ---- routes ---- */

static const struct rule list_rules[] = {
    {.name = "job_ids", .kind = RULE_TEXT, .flags = RULE_BLANK},
    {.name = "states", .kind = RULE_TEXT, .flags = RULE_BLANK},
    {.name = NULL},
};
static const struct rule create_rules[] = {
    {.name = "type",
     .kind = RULE_CHOICE,
     .flags = RULE_REQUIRED,
     .choices = "duplicate_table,duplicate_field,duplicate_application,file_import"},
    {.name = NULL},
};

/* Which jobs are asked for; 0 bits: of any state. */
struct choice_of_jobs {
    struct str ids; /* comma text; absent: any */
    unsigned wanted, unwanted;
};

static int refuse_query(struct tx *tx, const char *field, struct str value, const char *what)
{
    json_t *text =
        json_string(arena_printf(tx->arena, "%.*s is not a valid %s.", STR_ARG(value), what).at);
    json_t *detail = json_pack("{s:[{s:o*, s:s}]}", field, "error", text, "code", "invalid");

    arena_on_free(tx->arena, json_release, detail);
    return refuse_code(tx, ERROR_QUERY_PARAMETER_VALIDATION, json_text(tx->arena, detail).at);
}

static int read_states(struct tx *tx, struct str list, struct choice_of_jobs *choice)
{
    struct str one;

    while (str_next(&list, ',', &one)) {
        bool negated = str_starts_with(str_trim(one), STR("!"));
        struct str name = str_skip(str_trim(one), negated ? 1 : 0);
        unsigned state = 0;
        if (name.len == 0 && !negated)
            continue;
        while (state < JOB_STATE_COUNT && !str_equal(name, str_of(states[state])))
            state++;
        if (state == JOB_STATE_COUNT)
            return refuse_query(tx, "states", name, "state");
        *(negated ? &choice->unwanted : &choice->wanted) |= 1u << state;
    }
    return 0;
}

static int check_ids(struct tx *tx, struct str list)
{
    struct str one;
    int64_t id;

    while (str_next(&list, ',', &one))
        if (str_to_int64(str_trim(one), &id) != 0)
            return refuse_query(tx, "job_ids", one, "integer");
    return 0;
}

static bool has_id(struct str list, int64_t wanted)
{
    struct str one;
    int64_t id;

    while (str_next(&list, ',', &one))
        if (str_to_int64(str_trim(one), &id) == 0 && id == wanted)
            return true;
    return false;
}

static bool is_asked_for(const struct choice_of_jobs *choice, const struct job_facts *facts)
{
    unsigned state = 1u << facts->state;

    if (choice->ids.len > 0 && !has_id(choice->ids, facts->id))
        return false;
    return (choice->wanted == 0 || choice->wanted & state) && !(choice->unwanted & state);
}

static int jobs_list(struct request *r, struct tx *tx)
{
    const struct rest *rest = rest_of(r);
    struct choice_of_jobs choice = {.ids = data_text(rest->asked, "job_ids")};
    bool started = false;
    struct job **jobs;
    struct buf b;

    int rc = check_ids(tx, choice.ids);
    if (rc == 0)
        rc = read_states(tx, data_text(rest->asked, "states"), &choice);
    if (rc != 0)
        return rc;
    size_t count = job_list(tx->arena, rest->account.id, &jobs);
    reply_begin(&b);
    buf_put_lit(&b, "{\"jobs\":[");
    for (size_t i = 0; i < count; i++) {
        const struct job_facts facts = facts_at(tx, jobs[i]);
        if (!is_asked_for(&choice, &facts))
            continue;
        if (started)
            buf_put_char(&b, ',');
        started = true;
        job_write(&b, tx->catalogue, &facts);
    }
    buf_put_lit(&b, "]}");
    return reply_json(r, tx, &b);
}

static void unref_in_arena(void *job)
{
    job_unref(job);
}

static int find(struct request *r, struct tx *tx, struct job **job_out)
{
    const struct rest *rest = rest_of(r);

    *job_out = job_find(rest->account.id, rest->ids[0]);
    if (!*job_out)
        return refuse_code(tx, ERROR_JOB_DOES_NOT_EXIST, NULL);
    arena_on_free(tx->arena, unref_in_arena, *job_out);
    return 0;
}

static int jobs_read(struct request *r, struct tx *tx)
{
    struct job *job;

    int rc = find(r, tx, &job);
    return rc == 0 ? answer(r, tx, job, 200) : rc;
}

static int jobs_create(struct request *r, struct tx *tx)
{
    struct rest *rest = rest_of(r);
    struct str name = json_get_str(rest->body, "type");
    const struct job_type *type = NULL;
    json_t *detail;

    for (size_t i = 0; i < COUNT_OF(types_of_jobs) && !type; i++)
        if (str_equal(name, str_of(types_of_jobs[i]->name)))
            type = types_of_jobs[i];
    if (!type) /* the route's rules let no other through */
        return refuse_code(tx, ERROR_REQUEST_BODY_VALIDATION, "{}");
    if (validate(tx->arena, type->rules, rest->body, &rest->data, &detail) > 0)
        return refuse_code(tx, ERROR_REQUEST_BODY_VALIDATION, json_text(tx->arena, detail).at);
    return job_ask(r, tx, type, 200);
}

/* It may run again, and has cancelled it then. */
static int jobs_cancel(struct request *r, struct tx *tx)
{
    struct rest *rest = rest_of(r);
    struct job *job;

    int rc = find(r, tx, &job);
    if (rc == 0 && rest->finding != job && !job_cancel(job))
        rc = refuse_code(tx, ERROR_JOB_NOT_CANCELLABLE, NULL);
    if (rc != 0)
        return rc;
    rest->finding = job;
    return answer(r, tx, job, 200);
}

const struct route job_routes[] = {
    {"GET", "/api/jobs/", ON_READER(jobs_list), 0, NULL, list_rules},
    {"POST", "/api/jobs/", ASKS_FOR_JOB(jobs_create), 0, create_rules, NULL},
    {"GET", "/api/jobs/:id/", ON_READER(jobs_read), 0, NULL, NULL},
    {"POST", "/api/jobs/:id/cancel/", ON_READER(jobs_cancel), 0, NULL, NULL},
    {NULL, NULL, {0}, 0, NULL, NULL},
};
