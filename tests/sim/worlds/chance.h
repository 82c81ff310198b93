/* chance: numbers that one seed decides, for who directs a world; the daemon has its own. */
#ifndef WORLDS_CHANCE_H
#define WORLDS_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

/* 0..below-1; below > 0. */
uint32_t chance_below(struct chance *, uint32_t below);
/* least..most. */
uint32_t chance_between(struct chance *, uint32_t least, uint32_t most);
/* So many times of a thousand. */
bool chance_of(struct chance *, unsigned per_mille);

#endif
