/* fuzz: what a target offers. It is run by libFuzzer, or by run_corpus.c over files. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What must hold for any input; not assert(), which a release build leaves out. */
#define HOLDS(x) ((x) ? (void)0 : __builtin_trap())

#endif
