#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

/* libFuzzer's entry point: each fuzz target defines it; it returns 0. */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
