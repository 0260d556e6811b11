#ifndef AGREE_DICE_H
#define AGREE_DICE_H

/* Randomness that a seed repeats (splitmix64). ROWCAST_SEED=<seed> runs a run again. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

extern uint64_t dice_seed; /* values.c */

static inline uint64_t dice_bits(void)
{
    uint64_t z = (dice_seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline size_t below(size_t count)
{
    return dice_bits() % count;
}

static inline bool chance(size_t percent)
{
    return below(100) < percent;
}

#define PICK(pool) ((pool)[below(COUNT_OF(pool))])

#endif
