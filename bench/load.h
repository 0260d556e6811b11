#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

/*
 * What the load programs share: the clock, the account of processors, just enough of a WebSocket
 * and of an HTTP client, and the tally of timed creates. Whatever goes wrong ends the program with
 * its reason.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Noreturn void die(const char *why);
double now(void);                         /* seconds, monotonic */
int64_t number_of(const char *argument);  /* of the command line, not below 0 */
int64_t cpu_ns(const char *pid);          /* on a processor, all threads of a process */
int64_t children_cpu_ns(const char *pid); /* the same, of the process and those it started */

/* ---- the wire ---- */

void send_all(int fd, const void *bytes, size_t size);
/* A masked text frame; returns its size. `at` has room for FRAME_HEAD_MAX more than the text. */
enum { FRAME_HEAD_MAX = 8 };
size_t put_frame(char *at, const char *text);
void send_text(int fd, const char *text);
size_t frame_size(size_t text_size); /* of a server's frame with so much text */
int open_connection(int port);       /* a blocking one, to this machine */
/* The same, upgraded; the target is a path and query that the token ends. */
int open_websocket(int port, const char *target, const char *token);

/* What came on a connection and is not a whole message yet. */
enum { INCOMING = 65536 };
struct incoming {
    size_t used;
    char bytes[INCOMING];
};
typedef void message_fn(void *context, const char *text, size_t size);
/* Reads once, without waiting, and hands over each whole text message. */
void receive(int fd, struct incoming *in, message_fn *message, void *context);
/* The same, of HTTP: the body of each whole answer, which has to be a 200 that tells its length. */
void receive_answers(int fd, struct incoming *in, message_fn *answer, void *context);
/* The number behind a mark; -1: the mark is not there. */
int64_t number_after(const char *text, size_t size, const char *mark);

/* ---- creates, timed ---- */

/* The row of a number, the same for everybody. */
struct order {
    long long number;
    char customer[32];
    const char *note;
    int amount;
};
struct order order_of(int64_t number);
enum { ORDER_JSON_MAX = 256 };
void put_order_json(char *at, const struct order *order); /* terminated */

/* A run: creates answered between `begin` and `end` count; those before warm up. */
struct span {
    double begin, end;
};
struct span span_from_now(double seconds);

/* One thread's creates. All zero: none yet. */
struct tally {
    int64_t all;     /* acknowledged at any time of the run */
    float *waits_us; /* of those within the span */
    size_t count, size;
};
void tally_add(struct tally *t, const struct span *span, double sent, double answered);
void tally_join(struct tally *to, struct tally *from); /* empties `from` */

/* The run's account, as one JSON object. */
struct usage {
    double seconds;
    int64_t program_ns, server_ns; /* the one measured, and the database server; 0: none */
};
void tally_print(struct tally *t, const struct usage *usage);

#endif
