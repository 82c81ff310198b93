#include "sandbox/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What could be had again: by a program with rights of its own, and by the children of this one. It
 * needs CAP_SETPCAP; who has not even that keeps nothing of use. */
static void drop_bounds(void)
{
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static bool is_without_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &head, has) == 0 && !has[0].permitted && !has[1].permitted &&
		!has[0].effective && !has[1].effective;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	drop_bounds();
	if (syscall(SYS_capset, &head, none) < 0)
		return -errno;
	return is_without_capabilities() ? 0 : -EPERM;
}

int privileges_drop(void)
{
	const struct rlimit nothing = { 0, 0 };
	int err = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 && !err)
		err = -errno;
	if (setrlimit(RLIMIT_CORE, &nothing) < 0 && !err)
		err = -errno;
	int kept = drop_capabilities();

	return err ? err : kept;
}
