/* landlock: see landlock.h.
 *
 * The kernel's interface is written down here, since the headers of Debian 12 end with its second
 * version, and what is built there is to use what a later kernel can do.
 */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(n) (UINT64_C(1) << (n))

enum { ASK_VERSION = 1 }; /* a flag of landlock_create_ruleset(2) */
enum rule { BELOW = 1, PORT = 2 };

#define FS_WRITE_FILE  BIT(1)
#define FS_READ_FILE   BIT(2)
#define FS_READ_DIR    BIT(3)
#define FS_REMOVE_FILE BIT(5)
#define FS_MAKE_REG    BIT(8)
#define FS_MAKE_SOCK   BIT(9)
#define FS_TRUNCATE    BIT(14)

#define NET_BIND_TCP    BIT(0)
#define NET_CONNECT_TCP BIT(1)

#define SCOPE_ABSTRACT_UNIX_SOCKET BIT(0)
#define SCOPE_SIGNAL               BIT(1)

/* The rights to files that each version knows: those up to making links, moving to other folders,
 * truncating, and controlling devices. */
static const uint64_t files[] = { 0, BIT(13) - 1, BIT(14) - 1, BIT(15) - 1, BIT(15) - 1,
	BIT(16) - 1 };
enum { FILES_VERSION = sizeof files / sizeof *files - 1, NET_VERSION = 4, SCOPE_VERSION = 6 };

/* A kernel that knows less takes it all the same if the rest is zero. */
struct ruleset {
	uint64_t fs, net, scope;
};

struct below {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct port {
	uint64_t allowed, port;
};

static uint64_t files_of(int version)
{
	return files[version < FILES_VERSION ? version : FILES_VERSION];
}

void landlock_begin(struct landlock *l)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

	*l = (struct landlock){ .version = (int)version, .fd = -1 };
	if (version > 0) {
		const struct ruleset all = {
			.fs = files_of(l->version),
			.net = version < NET_VERSION ? 0 : NET_BIND_TCP | NET_CONNECT_TCP,
			.scope = version < SCOPE_VERSION
				? 0
				: SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL,
		};

		l->fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	}
	if (l->fd < 0)
		l->err = -errno;
}

static void add(struct landlock *l, enum rule kind, const void *rule)
{
	if (syscall(SYS_landlock_add_rule, l->fd, kind, rule, 0) < 0 && !l->err)
		l->err = -errno;
}

/* ---- files ---- */

static bool is_folder(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

static void allow(struct landlock *l, const char *path, uint64_t rights)
{
	if (l->fd < 0)
		return;
	struct below rule = { .fd = open(path, O_PATH | O_CLOEXEC) };

	if (rule.fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			l->err = -errno;
		return;
	}
	/* The kernel refuses what makes no sense, and what it does not know. */
	rule.allowed = rights & files_of(l->version);
	if (!is_folder(rule.fd))
		rule.allowed &= FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;
	add(l, BELOW, &rule);
	close(rule.fd);
}

void landlock_read(struct landlock *l, const char *path)
{
	allow(l, path, FS_READ_FILE | FS_READ_DIR);
}

void landlock_write(struct landlock *l, const char *folder)
{
	allow(l, folder,
		FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG |
			FS_REMOVE_FILE);
}

void landlock_sockets(struct landlock *l, const char *folder)
{
	allow(l, folder, FS_MAKE_SOCK | FS_REMOVE_FILE);
}

/* ---- ports ---- */

static void allow_port(struct landlock *l, uint16_t port, uint64_t rights)
{
	const struct port rule = { rights, port };

	if (l->fd >= 0 && l->version >= NET_VERSION)
		add(l, PORT, &rule);
}

static void note(uint8_t *ports, uint16_t port)
{
	ports[port / 8] |= (uint8_t)(1 << port % 8);
}

static bool is_noted(const struct landlock *l, const uint8_t *ports, uint16_t port)
{
	return l->version < NET_VERSION || ports[port / 8] & 1 << port % 8;
}

void landlock_connect(struct landlock *l, uint16_t port)
{
	note(l->connects, port);
	allow_port(l, port, NET_CONNECT_TCP);
}

void landlock_bind(struct landlock *l, uint16_t port)
{
	note(l->binds, port);
	allow_port(l, port, NET_BIND_TCP);
}

bool landlock_lets_connect(const struct landlock *l, uint16_t port)
{
	return is_noted(l, l->connects, port);
}

bool landlock_lets_bind(const struct landlock *l, uint16_t port)
{
	return is_noted(l, l->binds, port);
}

/* ---- entering ---- */

int landlock_enter(struct landlock *l)
{
	if (!l->err && syscall(SYS_landlock_restrict_self, l->fd, 0) < 0)
		l->err = -errno;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	return l->err ? l->err : l->version;
}
