#include "host/run.h"

#include "host/words.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { EXIT_CONFIG = 78 };

extern char **environ;

/* What is printed counts when it has arrived. */
static int printed(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "sotto: cannot write to standard output: %s\n", strerror(errno));
	return 1;
}

static struct config *load(const struct host_words *w)
{
	const struct config_sources sources = {
		.file = w->file,
		.environment = environ,
		.listen = w->listen,
	};

	return config_new(&sources, stderr);
}

/* Does it change this host? In an image the file system says who may. */
static bool needs_root(const struct host_words *w)
{
	if (w->deed == DEED_INTERCEPT)
		return w->remove || w->intercept.apply;
	return w->deed != DEED_STATUS && !w->dry_run && strcmp(w->root, "/") == 0;
}

/* One at a time changes a tree: others wait. A descriptor that holds the lock, or -errno. */
static int lock(const struct root *r)
{
	int fd = root_at(r, "/", O_RDONLY | O_DIRECTORY);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int run_resolver(const struct host_words *w, resolver_alive_fn *is_alive)
{
	struct root root;
	bool changes = w->deed != DEED_STATUS && !w->dry_run;
	int status, held = -1, err = root_open(&root, w->root);

	if (!err && changes)
		err = held = lock(&root);
	if (err < 0) {
		fprintf(stderr, "sotto: %s: %s\n", w->root, strerror(-err));
		root_close(&root);
		return 1;
	}
	struct config *config = w->deed == DEED_ENABLE ? load(w) : NULL;
	const struct resolver_job job = { &root, w->dry_run, w->force, config, is_alive };

	if (w->deed == DEED_ENABLE)
		status = config ? resolver_enable(&job) : EXIT_CONFIG;
	else
		status = w->deed == DEED_DISABLE ? resolver_disable(&job) : resolver_status(&job);
	config_free(config);
	if (held >= 0)
		close(held);
	root_close(&root);
	return status;
}

static int run_intercept(const struct host_words *w)
{
	if (w->remove)
		return intercept_remove();
	struct config *config = load(w);
	int status = config ? intercept_run(&w->intercept, config) : EXIT_CONFIG;

	config_free(config);
	return status;
}

int host_run(int argc, char **argv, resolver_alive_fn *is_alive)
{
	struct host_words w;
	int status = host_words_read(&w, argc, argv);

	if (status >= 0)
		return status;
	if (needs_root(&w) && geteuid() != 0) {
		fputs("sotto: this changes the host: only root may\n", stderr);
		return 1;
	}
	if (w.deed == DEED_INTERCEPT)
		return printed(run_intercept(&w));
	return printed(run_resolver(&w, is_alive));
}
