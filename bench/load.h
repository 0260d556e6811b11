#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

/*
 * What the load programs share: the clock, the account of processors, just enough of a WebSocket
 * client, and the tally of timed creates. Whatever goes wrong ends the program with its reason.
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
/* A blocking WebSocket connection to this machine, upgraded. */
int open_websocket(int port, const char *token);

/* What came on a connection and is not a whole message yet. */
enum { INCOMING = 65536 };
struct incoming {
    size_t used;
    char bytes[INCOMING];
};
typedef void message_fn(void *context, const char *text, size_t size);
/* Reads once, without waiting, and hands over each whole text message. */
void receive(int fd, struct incoming *in, message_fn *message, void *context);

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
