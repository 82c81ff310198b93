/* rand: chance that can be repeated. */
#ifndef SIM_RAND_H
#define SIM_RAND_H

#include <stdint.h>

/* Every generator that is used for the first time after this goes the same way again. */
void rand_seed(uint64_t seed);
/* From now on, numbers of 16 bits are no larger than this, one less than a power of two: so that
 * IDs meet again what was asked under them before. */
void rand_narrow(uint16_t most);

#endif
