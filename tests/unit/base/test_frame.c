#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/frame.h"

#include <pthread.h>

static void a_frame_joins_head_and_body(void **state)
{
    (void)state;
    AUTO(frame_unref) struct frame *both = frame_from(STR("head:"), STR("body"));
    AUTO(frame_unref) struct frame *head = frame_from(STR("head"), STR_NULL);
    AUTO(frame_unref) struct frame *body = frame_from(STR_NULL, STR("body"));
    AUTO(frame_unref) struct frame *none = frame_from(STR_NULL, STR_NULL);

    assert_int_equal(both->size, 9);
    assert_memory_equal(both->bytes, "head:body", 9);
    assert_memory_equal(head->bytes, "head", 4);
    assert_memory_equal(body->bytes, "body", 4);
    assert_int_equal(none->size, 0);
}

static void a_frame_lives_until_its_last_reference_goes(void **state)
{
    (void)state;
    struct frame *f = frame_new(4);

    memcpy(f->bytes, "text", 4);
    assert_ptr_equal(frame_ref(f), f);
    assert_int_equal(atomic_load(&f->references), 2);
    frame_unref(f);
    assert_memory_equal(f->bytes, "text", 4); /* a frame freed too early fails the sanitizer here */
    frame_unref(f);
    frame_unref(NULL);
}

enum { TURNS = 20000 };

static void *take_and_drop(void *at)
{
    struct frame *f = at;

    for (int i = 0; i < TURNS; i++)
        frame_unref(frame_ref(f));
    frame_unref(f);
    return NULL;
}

static void threads_may_share_a_frame(void **state)
{
    (void)state;
    struct frame *f = frame_from(STR("shared"), STR_NULL);
    pthread_t threads[4];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, frame_ref(f)), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&f->references), 1);
    frame_unref(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_joins_head_and_body),
        cmocka_unit_test(a_frame_lives_until_its_last_reference_goes),
        cmocka_unit_test(threads_may_share_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
