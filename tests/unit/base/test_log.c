#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static char text[1 << 16];

/* Runs `speak` with standard error going into `text`. What is written must fit a pipe. */
static void listen(void (*speak)(void))
{
    int ends[2], before = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    speak();
    dup2(before, STDERR_FILENO); /* closes the last writing end */
    close(before);

    size_t len = 0;
    for (ssize_t got; (got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0;)
        len += (size_t)got;
    text[len] = '\0';
    close(ends[0]);
}

static void say_hello(void)
{
    errno = EPIPE;
    log_write(LOG_INFO, "session", "hello %s", "world");
    assert_int_equal(errno, EPIPE);
}

static void a_pretty_line_has_time_level_floor_and_text(void **state)
{
    (void)state;
    int hour, minute, second, ms, end = 0;

    log_configure(LOG_INFO, LOG_PRETTY);
    listen(say_hello);
    assert_int_equal(sscanf(text, "[%2d:%2d:%2d.%3d] INFO session: hello world\n%n", &hour, &minute,
                            &second, &ms, &end),
                     4);
    assert_int_equal(end, strlen(text));
    assert_int_equal(end, strlen("[12:34:56.789] INFO session: hello world\n"));
}

static void a_raw_line_is_one_json_object(void **state)
{
    (void)state;
    json_t *line;

    log_configure(LOG_INFO, LOG_RAW);
    listen(say_hello);
    assert_true(str_ends_with(str_of(text), STR("}\n")));
    assert_int_equal(json_read(NULL, str_of(text), &line, NULL), 0);
    assert_int_equal(json_object_size(line), 4);
    assert_int_equal(json_integer_value(json_get(line, "level")), 30);
    assert_true(json_integer_value(json_get(line, "time")) > INT64_C(1600000000000));
    assert_true(str_equal(json_get_str(line, "floor"), STR("session")));
    assert_true(str_equal(json_get_str(line, "msg"), STR("hello world")));
    json_unref(line);
}

static void say_one_of_each(void)
{
    for (enum log_level level = LOG_SILENT; level <= LOG_TRACE; level++)
        log_write(level, "server", "level %d", (int)level);
}

static void only_what_the_level_asks_for_is_written(void **state)
{
    (void)state;
    for (enum log_level level = LOG_SILENT; level <= LOG_TRACE; level++) {
        int lines = 0;
        log_configure(level, LOG_PRETTY);
        listen(say_one_of_each);
        for (const char *c = text; *c; c++)
            lines += *c == '\n';
        assert_int_equal(lines, level);
        assert_false(log_on(LOG_SILENT));
        assert_int_equal(log_on(LOG_WARN), level >= LOG_WARN);
    }
}

static int evaluated;

static void say_in_vain(void)
{
    LOG_AT(LOG_DEBUG, "live", "%d", ++evaluated);
    LOG_AT(LOG_WARN, "live", "%d", ++evaluated);
}

static void what_is_not_written_is_not_evaluated(void **state)
{
    (void)state;
    log_configure(LOG_WARN, LOG_PRETTY);
    listen(say_in_vain);
    assert_int_equal(evaluated, 1);
}

static void say_a_forgery(void)
{
    log_write(LOG_WARN, "session", "name %s",
              "x\n[00:00:00.000] FATAL all is lost \033[2J\x7f \xc3\xa4");
}

static void nobody_can_forge_a_line(void **state)
{
    (void)state;
    log_configure(LOG_INFO, LOG_PRETTY);
    listen(say_a_forgery);
    assert_non_null(
        strstr(text, "name x\\x0a[00:00:00.000] FATAL all is lost \\x1b[2J\\x7f \xc3\xa4\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    log_configure(LOG_INFO, LOG_RAW);
    listen(say_a_forgery);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void say_too_much(void)
{
    log_write(LOG_INFO, "server", "%09000d", 1);
}

static void a_long_text_is_cut_but_still_a_line(void **state)
{
    (void)state;
    log_configure(LOG_INFO, LOG_RAW);
    listen(say_too_much);
    assert_in_range(strlen(text), 4000, 4200);
    assert_true(str_ends_with(str_of(text), STR("0\"}\n")));
}

static void *say_often(void *letter)
{
    for (int i = 0; i < 100; i++)
        log_write(LOG_INFO, "live", "%s%s%s%s%s%s%s%s", (char *)letter, (char *)letter,
                  (char *)letter, (char *)letter, (char *)letter, (char *)letter, (char *)letter,
                  (char *)letter);
    return NULL;
}

static void say_all_at_once(void)
{
    static char letters[4][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, say_often, letters[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
}

static void lines_of_threads_never_mix(void **state)
{
    (void)state;
    struct str rest, line;
    size_t lines = 0;

    log_configure(LOG_INFO, LOG_PRETTY);
    listen(say_all_at_once);
    for (rest = str_of(text); str_next(&rest, '\n', &line) && line.len > 0; lines++) {
        struct str said = str_skip(line, strlen("[12:34:56.789] INFO live: "));
        assert_int_equal(said.len, 8);
        for (size_t i = 1; i < said.len; i++)
            assert_int_equal(said.at[i], said.at[0]);
    }
    assert_int_equal(lines, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pretty_line_has_time_level_floor_and_text),
        cmocka_unit_test(a_raw_line_is_one_json_object),
        cmocka_unit_test(only_what_the_level_asks_for_is_written),
        cmocka_unit_test(what_is_not_written_is_not_evaluated),
        cmocka_unit_test(nobody_can_forge_a_line),
        cmocka_unit_test(a_long_text_is_cut_but_still_a_line),
        cmocka_unit_test(lines_of_threads_never_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
