/* rand: chance that can be repeated. */
#ifndef SIM_RAND_H
#define SIM_RAND_H

#include <stdint.h>

/* Every generator that is used for the first time after this goes the same way again. */
void rand_seed(uint64_t seed);

#endif
