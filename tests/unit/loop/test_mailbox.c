/* Mail from other threads. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/attr.h"
#include "loop/loop.h"

enum { SENDERS = 4, LETTERS = 2000 };

struct letter {
    struct mail mail;
    unsigned sender, number;
};

struct scene {
    struct loop *loop;
    struct mailbox *box;
    unsigned expected[SENDERS]; /* the next number of each sender */
    unsigned taken, out_of_order, flushes;
    unsigned taken_max;
};

struct sender {
    struct scene *scene;
    struct letter *letters;
    pthread_t thread;
};

static struct letter letters[SENDERS][LETTERS];

static void take(void *context, struct mail *mail)
{
    struct scene *s = context;
    struct letter *letter = CONTAINER_OF(mail, struct letter, mail);

    if (letter->number != s->expected[letter->sender]++)
        s->out_of_order++;
    loop_at_end(s->loop);
    if (++s->taken == s->taken_max)
        loop_stop(s->loop);
}

static void flush(void *context)
{
    struct scene *s = context;

    s->flushes++;
}

static int set_up(void **state)
{
    static struct scene s;

    s = (struct scene){.loop = loop_new()};
    s.box = mailbox_new(s.loop, take, &s);
    loop_set_flush(s.loop, flush, &s);
    for (unsigned i = 0; i < SENDERS; i++) {
        for (unsigned j = 0; j < LETTERS; j++)
            letters[i][j] = (struct letter){.sender = i, .number = j};
    }
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    mailbox_free(s->box);
    loop_free(s->loop);
    return 0;
}

static void what_waits_is_taken_in_order_and_in_one_turn(void **state)
{
    struct scene *s = *state;

    s->taken_max = 10;
    for (unsigned i = 0; i < s->taken_max; i++)
        mailbox_post(s->box, &letters[0][i].mail);
    assert_int_equal(s->taken, 0);
    loop_run(s->loop);
    assert_int_equal(s->taken, 10);
    assert_int_equal(s->out_of_order, 0);
    assert_int_equal(s->flushes, 1);
}

static void *send_all(void *argument)
{
    struct sender *me = argument;

    for (unsigned i = 0; i < LETTERS; i++)
        mailbox_post(me->scene->box, &me->letters[i].mail);
    return NULL;
}

static void many_threads_lose_nothing_and_keep_their_order(void **state)
{
    struct scene *s = *state;
    struct sender senders[SENDERS];

    s->taken_max = SENDERS * LETTERS;
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.scene = s, .letters = letters[i]};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    loop_run(s->loop);
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    assert_int_equal(s->taken, SENDERS * LETTERS);
    assert_int_equal(s->out_of_order, 0);
}

struct echo {
    struct loop *loop;
    struct mailbox *box;
    unsigned taken;
};

static void take_and_post_again(void *context, struct mail *mail)
{
    struct echo *e = context;

    if (++e->taken < 5)
        mailbox_post(e->box, mail);
    else
        loop_stop(e->loop);
}

static void mail_may_be_posted_while_mail_is_taken(void **state)
{
    struct scene *s = *state;
    struct echo e = {.loop = s->loop};

    e.box = mailbox_new(s->loop, take_and_post_again, &e);
    mailbox_post(e.box, &letters[0][0].mail);
    loop_run(s->loop);
    assert_int_equal(e.taken, 5);
    mailbox_free(e.box);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_is_taken_in_order_and_in_one_turn),
        TEST(many_threads_lose_nothing_and_keep_their_order),
        TEST(mail_may_be_posted_while_mail_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
