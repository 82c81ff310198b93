/* rand: numbers nobody can guess, from the kernel's generator. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Bytes fetched ahead, so that most numbers cost no system call. One per thread; zero it first. */
struct rand {
	uint8_t bytes[1024];
	size_t left;
};

uint16_t rand_u16(struct rand *);
/* Uniform in 0..below-1; below > 0. */
uint32_t rand_below(struct rand *, uint32_t below);

#endif
