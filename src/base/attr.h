#ifndef BASE_ATTR_H
#define BASE_ATTR_H

/*
 * Compiler attributes, all behind names of ours.
 *
 * AUTO(frame_unref) struct frame *frame = ...; calls frame_unref(frame) when the scope ends. A type
 * opts in with AUTO_DEFINE beside the declaration of its destructor, which must accept NULL.
 */

#define AUTO(destructor) __attribute__((cleanup(destructor##_auto)))
#define AUTO_DEFINE(destructor, type)                                                              \
    static inline void destructor##_auto(type *at)                                                 \
    {                                                                                              \
        destructor(*at);                                                                           \
    }

#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))
#define NOT_NULL(argument) __attribute__((nonnull(argument)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

/* Asks the processor for memory that is needed soon. */
#define PREFETCH(at) __builtin_prefetch(at)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
