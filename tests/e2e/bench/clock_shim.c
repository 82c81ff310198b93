/* The date as a test wants it: loaded before a program, it answers for the kernel. The file that
 * $CLOCK_SHIM names holds what to say, and may change at any time. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const volatile struct {
	int64_t ahead_s; /* of the real clock */
	int64_t synchronised;
	int64_t asleep_s; /* counted by the clock of the boot alone */
} *said;

__attribute__((constructor)) static void begin(void)
{
	int fd = open(getenv("CLOCK_SHIM"), O_RDONLY | O_CLOEXEC);

	said = mmap(NULL, sizeof *said, PROT_READ, MAP_SHARED, fd, 0);
	if (fd < 0 || said == MAP_FAILED)
		abort();
	close(fd);
	unsetenv("LD_PRELOAD");
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, id, now);

	if (result == 0 && id == CLOCK_REALTIME && said)
		now->tv_sec += said->ahead_s;
	if (result == 0 && id == CLOCK_BOOTTIME && said)
		now->tv_sec += said->asleep_s;
	return result;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}

int adjtimex(struct timex *state)
{
	state->status = said->synchronised ? STA_PLL : STA_UNSYNC;
	return said->synchronised ? TIME_OK : TIME_ERROR;
}
