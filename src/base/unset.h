/* unset: a variable that is written before it is read, of a function that runs for each packet.
 *
 * The compiler is told to fill all others with zeros, so that what is forgotten is no secret of
 * somebody else's; of a large one that costs more than what the function does.
 */
#ifndef BASE_UNSET_H
#define BASE_UNSET_H

#define UNSET __attribute__((uninitialized))

#endif
