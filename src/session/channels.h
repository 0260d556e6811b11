#ifndef SESSION_CHANNELS_H
#define SESSION_CHANNELS_H

/*
 * The inside of channels: who listens (channels.c), what was told (memory.c), and how who was away
 * hears it (replay.c). The loop thread's.
 *
 *   channel ──► listeners, in order of listening
 *      └──────► traces, in order of telling ──► events, each known to all channels it was told on
 *
 * An event is remembered once, and leaves a trace on each channel that it was told on. Events go in
 * the order in which they came, so the oldest event is the oldest of each of its channels, and what
 * a channel remembers has no gaps: all that was told on it above `complete_from`.
 */

#include "session/internal.h"

struct channel {
    struct listener *first, *last;
    struct walk *walks; /* under way, the innermost first */
    struct trace *oldest, *newest;
    int64_t complete_from;
    /* While nobody listens and it still remembers: its place among such, the longest first. */
    struct channel *longer, *shorter;
    int64_t left_ms; /* monotonic, when the last listener left; 0: it is not among them */
    size_t name_len;
    char name[];
};

struct listener {
    struct channel *channel;
    struct session *session;
    struct listener *next, *previous; /* of the channel */
    struct listener *next_of_session; /* the one that came before */
    uint64_t number;                  /* rising */
    int64_t since;                    /* the head of events when it began */
};

struct told {
    struct told *older, *newer;
    struct trace *traces;
    int64_t number, time_ms; /* monotonic */
    uint64_t but_origin;
    struct frame *frame;
};

struct trace {
    struct told *event;
    struct channel *channel;
    struct trace *older, *newer;   /* of the channel */
    struct trace *next, *previous; /* of the event */
};

/* ---- channels.c ---- */
/* A channel that nobody listens to, walks or remembers goes. */
void channel_release(struct service *v, struct channel *c);
void channel_free(struct service *v, struct channel *c);

/* ---- memory.c ---- */
/* The greatest number that an event may have that was told until now. */
int64_t memory_head(const struct service *v);
/* Does the service remember at all? Then a channel outlives its listeners for a while. */
bool memory_is_kept(const struct service *v);
void memory_add(struct service *v, struct channel *c, int64_t event, struct frame *frame,
                uint64_t but_origin);
/* Its last listener left: it is remembered from now on for so long. */
void memory_begin_absence(struct service *v, struct channel *c);
void memory_end_absence(struct service *v, struct channel *c);
/* Drops all that the channel remembers. */
void memory_drop(struct service *v, struct channel *c);
/* Drops what is too old, and what is too much. */
void memory_trim(struct service *v);
/* All channels forget what they remember, and those that nobody listens to go. */
void memory_clear(struct service *v);

/* ---- replay.c ---- */
/* Do events wait for this session? */
bool session_is_held(const struct session *s);
void replay_drop(struct session *s); /* it waits for nothing more */

#endif
