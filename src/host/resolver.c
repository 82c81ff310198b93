#include "host/resolver.h"

#include "host/child.h"
#include "host/look.h"
#include "host/place.h"
#include "host/plan.h"
#include "host/saved.h"

#include <errno.h>
#include <string.h>

/* ---- what is said ---- */

static const char *why(int err)
{
	switch (-err) {
	case EXDEV:
	case EBUSY:
		return "it is a mount of its own, as in a container, whose resolver is set from "
		       "outside";
	case EPERM:
		return "not permitted; it may be immutable (lsattr)";
	case EEXIST:
		return "the name for what is there, with " EDIT_SAVED ", is taken";
	case EFBIG:
		return "it is too long to be a configuration of this kind";
	case EINVAL:
		return "it is neither a file nor a link";
	default:
		return strerror(-err);
	}
}

static int fail(const struct edit *c, int err)
{
	fprintf(stderr, "sotto: %s/%s: %s\n", c->folder, c->name, why(err));
	return 1;
}

static int fail_saved(int err)
{
	fprintf(stderr, "sotto: " SAVED_FILE ": %s\n",
		err == -EBADMSG ? "it makes no sense" : strerror(-err));
	return 1;
}

static void say_lines(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		printf("    %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void say_plan(const struct plan *p, const struct root *r)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct edit *c = &p->edits[i];

		if (c->had)
			printf("would keep %s/%s as %s" EDIT_SAVED "\n", c->folder, c->name,
				c->name);
		printf("would write %s/%s:\n", c->folder, c->name);
		say_lines(c->text);
	}
	if (*p->unit && root_is_host(r))
		printf("would run systemctl try-reload-or-restart %s\n", p->unit);
}

/* ---- back ---- */

/* Has the unit read what was changed. 0, or 1: it was not told. */
static int tell_unit(const struct resolver_job *j, const struct plan *p)
{
	const char *const argv[] = { "systemctl", "try-reload-or-restart", p->unit, NULL };

	if (!*p->unit || !root_is_host(j->root))
		return 0;
	if (j->dry_run) {
		printf("would run systemctl try-reload-or-restart %s\n", p->unit);
		return 0;
	}
	int status = child_run(argv, "");

	if (status == 0) {
		printf("ran systemctl try-reload-or-restart %s\n", p->unit);
		return 0;
	}
	fprintf(stderr, "sotto: systemctl: %s; if %s runs, it has to be restarted\n",
		status < 0 ? strerror(-status) : "it failed", p->unit);
	return 1;
}

/* What is there is not what was written, or cannot be put back. Does something wait to be put back?
 */
static bool say_left(const struct edit *c, enum edit_found found)
{
	const char *const folder = c->folder, *const name = c->name;

	if (found == EDIT_LOST)
		fprintf(stderr,
			"sotto: %s/%s" EDIT_SAVED " is gone, and with it what %s was; put a file "
			"there, or say --force to leave it as it is\n",
			folder, name, name);
	else if (c->had)
		fprintf(stderr,
			"sotto: %s/%s was changed since, and is left as it is; --force puts back "
			"%s" EDIT_SAVED ", removing that one keeps what is there\n",
			folder, name, name);
	else
		fprintf(stderr, "sotto: %s/%s was changed since, and is left as it is\n", folder,
			name);
	return c->had;
}

static int back_one(const struct resolver_job *j, const struct edit *c)
{
	enum edit_found found = edit_look(j->root, c);

	if (!j->force && (found == EDIT_ALTERED || found == EDIT_LOST))
		return say_left(c, found);
	if (found != EDIT_UNDONE && found != EDIT_LOST)
		printf("%s%s %s/%s\n", j->dry_run ? "would " : "",
			c->had               ? "put back"
				: j->dry_run ? "remove"
					     : "removed",
			c->folder, c->name);
	int err = j->dry_run ? 0 : edit_undo(j->root, c);

	return err ? fail(c, err) : 0;
}

/* Puts back whatever has been changed. 0, or 1: not all of it could be, and it stays kept. */
static int back(const struct resolver_job *j, const struct plan *p)
{
	int status = 0;

	for (size_t i = p->count; i-- > 0;)
		status |= back_one(j, &p->edits[i]);
	status |= tell_unit(j, p);
	if (status || j->dry_run)
		return status;
	int err = saved_remove(j->root);

	return err ? fail_saved(err) : 0;
}

int resolver_disable(const struct resolver_job *j)
{
	struct plan p;
	int err = saved_read(j->root, &p);

	if (err == -ENOENT) {
		puts("not enabled: nothing is changed");
		if (!j->dry_run)
			saved_remove(j->root); /* the empty folder that a crash has left */
		return 0;
	}
	return err ? fail_saved(err) : back(j, &p);
}

/* ---- there ---- */

/* Where this host's programs can ask, and somebody answers. False: told why not. */
static bool find_place(const struct resolver_job *j, const struct look *l, struct addr *at)
{
	const struct endpoint *e = place_find(j->config, at);
	char text[ADDR_TEXT];

	if (!e)
		fputs("sotto: `listen` has no plain DNS on loopback that `allow` lets this host "
		      "ask; add 127.0.0.1:53\n",
			stderr);
	else if (plan_needs_port(l) && addr_port(at) != PORT_DNS)
		fprintf(stderr,
			"sotto: it listens at %s, and resolv.conf knows no ports; add 127.0.0.1:53 "
			"to `listen`\n",
			addr_print(at, text));
	else if (j->dry_run || j->force || !root_is_host(j->root) ||
		j->is_alive(&j->config->listen, e))
		return true;
	else
		fprintf(stderr, "sotto: nobody answers at %s; start sotto first, or say --force\n",
			addr_print(at, text));
	return false;
}

static bool is_in_force(const struct root *r, const struct plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (edit_look(r, &p->edits[i]) != EDIT_IN_FORCE)
			return false;
	return true;
}

/* What was enabled before is put back first, unless it is the same. -1: go on. */
static int before(const struct resolver_job *j, const struct addr *at)
{
	struct plan p;
	char text[ADDR_TEXT];
	int err = saved_read(j->root, &p);

	if (err)
		return err == -ENOENT ? -1 : fail_saved(err);
	if (is_in_force(j->root, &p) && strcmp(p.at, addr_print(at, text)) == 0) {
		printf("enabled already: programs ask %s\n", p.at);
		return 0;
	}
	int status = back(j, &p);

	if (j->dry_run)
		puts("would then look what is there, and change that");
	return status || j->dry_run ? status : -1;
}

/* Makes all changes, or none. */
static int make(const struct resolver_job *j, const struct plan *p)
{
	int err = saved_write(j->root, p);

	if (err) {
		saved_remove(j->root);
		return fail_saved(err);
	}
	for (size_t i = 0; i < p->count; i++) {
		const struct edit *c = &p->edits[i];

		err = edit_make(j->root, c);
		if (err) {
			fail(c, err);
			back(j, p);
			return 1;
		}
		printf("wrote %s/%s", c->folder, c->name);
		if (c->had)
			printf("; what was there is %s" EDIT_SAVED, c->name);
		putchar('\n');
	}
	int status = tell_unit(j, p);

	printf("enabled: programs ask %s\n", p->at);
	return status;
}

int resolver_enable(const struct resolver_job *j)
{
	struct look l;
	struct plan p;
	struct addr at;
	int err = look_at(j->root, &l);

	if (!err && !find_place(j, &l, &at))
		return 1;
	int status = err ? -1 : before(j, &at);

	if (status >= 0)
		return status;
	if (!err)
		err = look_at(j->root, &l); /* anew: something may have been put back */
	if (err) {
		fprintf(stderr, "sotto: " LOOK_FOLDER "/" LOOK_NAME ": %s\n", why(err));
		return 1;
	}
	err = plan_make(&p, j->root, &l, &at);
	if (err)
		return fail(&p.edits[p.count - 1], err);
	if (j->dry_run) {
		say_plan(&p, j->root);
		return 0;
	}
	return make(j, &p);
}

/* ---- how it stands ---- */

static void say_edit(const struct edit *c, enum edit_found found)
{
	static const char *const says[] = {
		[EDIT_IN_FORCE] = "as it was written",
		[EDIT_UNDONE] = "not changed, or put back",
		[EDIT_REMOVED] = "was removed since",
		[EDIT_ALTERED] = "was changed since",
		[EDIT_LOST] = "as it was written, but what was there is gone",
	};

	printf("  %s/%s: %s\n", c->folder, c->name, says[found]);
}

int resolver_status(const struct resolver_job *j)
{
	struct plan p;
	struct look l;
	int err = saved_read(j->root, &p);

	if (err && err != -ENOENT)
		return fail_saved(err);
	if (!err) {
		bool in_force = is_in_force(j->root, &p);

		printf("%s: programs ask %s\n",
			in_force ? "enabled" : "enabled in part, or changed since", p.at);
		for (size_t i = 0; i < p.count; i++)
			say_edit(&p.edits[i], edit_look(j->root, &p.edits[i]));
		return !in_force;
	}
	err = look_at(j->root, &l);
	if (err) {
		fprintf(stderr, "sotto: " LOOK_FOLDER "/" LOOK_NAME ": %s\n", why(err));
		return 1;
	}
	printf("not enabled: " LOOK_FOLDER "/" LOOK_NAME " is %s%s%s%s\n",
		*l.link           ? "a link to "
			: *l.text ? "a file "
				  : "empty, or not there",
		l.link, *l.link ? ", " : "", *l.link || *l.text ? look_says(&l) : "");
	return 1;
}
