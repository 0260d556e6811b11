/* The outbox against a plain list of the same frames. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/outbox.h"

static struct frame *frame_of(const char *text)
{
    return frame_from(str_of(text), STR_NULL);
}

static void push(struct outbox *box, const char *text)
{
    struct frame *frame = frame_of(text);

    outbox_push(box, frame);
    frame_unref(frame);
}

/* All that waits, as one text. */
static const char *waiting(const struct outbox *box)
{
    static char text[256];
    struct iovec vectors[64];
    size_t count = outbox_fill(box, vectors, 64);
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        memcpy(text + size, vectors[i].iov_base, vectors[i].iov_len);
        size += vectors[i].iov_len;
    }
    text[size] = '\0';
    assert_int_equal(size, box->bytes);
    return text;
}

static void an_empty_outbox_holds_no_memory(void **state)
{
    struct outbox box;
    (void)state;

    outbox_init(&box);
    assert_null(box.ring);
    for (int i = 0; i < 40; i++)
        push(&box, "x");
    outbox_sent(&box, 40);
    assert_null(box.ring);
    assert_int_equal(box.bytes, 0);
    push(&box, "one");
    assert_ptr_equal(box.ring, &box.single);
    outbox_deinit(&box);
    assert_null(box.ring);
    outbox_deinit(&box);
}

static void frames_are_shared_and_let_go_when_sent(void **state)
{
    struct outbox a, b;
    struct frame *frame = frame_of("shared");
    (void)state;

    outbox_init(&a);
    outbox_init(&b);
    outbox_push(&a, frame);
    outbox_push(&b, frame);
    assert_int_equal(frame->references, 3);
    outbox_sent(&a, 6);
    assert_int_equal(frame->references, 2);
    outbox_deinit(&b);
    assert_int_equal(frame->references, 1);
    frame_unref(frame);
}

static void a_part_that_was_sent_is_not_offered_again(void **state)
{
    struct outbox box;
    (void)state;

    outbox_init(&box);
    push(&box, "abc");
    push(&box, "def");
    push(&box, "ghi");
    assert_string_equal(waiting(&box), "abcdefghi");
    outbox_sent(&box, 1);
    assert_string_equal(waiting(&box), "bcdefghi");
    outbox_sent(&box, 2);
    assert_string_equal(waiting(&box), "defghi");
    assert_int_equal(box.count, 2);
    outbox_sent(&box, 4);
    assert_string_equal(waiting(&box), "hi");
    outbox_sent(&box, 0);
    assert_string_equal(waiting(&box), "hi");
    outbox_deinit(&box);
}

static void empty_frames_pass_through(void **state)
{
    struct outbox box;
    (void)state;

    outbox_init(&box);
    push(&box, "");
    push(&box, "a");
    push(&box, "");
    outbox_sent(&box, 1);
    assert_int_equal(box.count, 0);
    outbox_deinit(&box);
}

static void dropping_keeps_the_frame_that_is_partly_gone(void **state)
{
    struct outbox box;
    (void)state;

    outbox_init(&box);
    push(&box, "abc");
    push(&box, "def");
    outbox_sent(&box, 2);
    outbox_drop_unsent(&box);
    assert_string_equal(waiting(&box), "c");
    push(&box, "last");
    assert_string_equal(waiting(&box), "clast");
    outbox_sent(&box, 1);
    outbox_drop_unsent(&box);
    assert_int_equal(box.count, 0);
    assert_null(box.ring);
    outbox_deinit(&box);
}

static void filling_stops_at_its_limit(void **state)
{
    struct outbox box;
    struct iovec vectors[3];
    (void)state;

    outbox_init(&box);
    push(&box, "a");
    push(&box, "b");
    assert_int_equal(outbox_fill(&box, vectors, 3), 2);
    push(&box, "c");
    assert_int_equal(outbox_fill(&box, vectors, 3), 3);
    push(&box, "d");
    assert_int_equal(outbox_fill(&box, vectors, 3), 3);
    outbox_deinit(&box);
}

/* Pushes and sends in changing amounts: the ring wraps and grows, the bytes stay in order. */
static void order_survives_wrapping_and_growing(void **state)
{
    struct outbox box;
    unsigned pushed = 0, sent = 0, seed = 7;
    (void)state;

    outbox_init(&box);
    for (int round = 0; round < 2000; round++) {
        seed = seed * 1103515245u + 12345u;
        for (unsigned i = 0; i < (seed >> 16) % 7; i++) {
            char text[2] = {(char)('a' + pushed++ % 26), 0};
            push(&box, text);
        }
        for (unsigned i = 0; i < (seed >> 20) % 7 && sent < pushed; i++) {
            struct iovec first;
            assert_int_equal(outbox_fill(&box, &first, 1), 1);
            assert_int_equal(*(char *)first.iov_base, 'a' + sent++ % 26);
            outbox_sent(&box, 1);
        }
        assert_int_equal(box.bytes, pushed - sent);
    }
    outbox_deinit(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_outbox_holds_no_memory),
        cmocka_unit_test(frames_are_shared_and_let_go_when_sent),
        cmocka_unit_test(a_part_that_was_sent_is_not_offered_again),
        cmocka_unit_test(empty_frames_pass_through),
        cmocka_unit_test(dropping_keeps_the_frame_that_is_partly_gone),
        cmocka_unit_test(filling_stops_at_its_limit),
        cmocka_unit_test(order_survives_wrapping_and_growing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
