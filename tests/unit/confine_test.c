/* What somebody who has got hold of the daemon would like to do. Each attempt is made by a child,
 * once as it is, where it must succeed or the case proves nothing, once in the sandbox, and once in
 * the strict one. */
#include "confine.h"

#include "base/rand.h"
#include "base/replace.h"
#include "case.h"
#include "net/routes.h"
#include "net/socket.h"
#include "net/system_names.h"
#include "net/tls_files.h"
#include "sandbox/privileges.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A folder for each kind of thing, a listener that is no upstream's, and one of an upstream. */
static struct world {
	char top[64], state[80], other[80], file[96], control[96];
	int stranger, server, abstract;
	struct addr stranger_at, server_at, listen_at, free_at;
	struct sockaddr_un abstract_at;
	struct config conf;
	int landlock; /* what the kernel has of it */
	pid_t pid; /* of the parent of those who try */
} w;

/* ---- the world ---- */

static int listen_somewhere(struct addr *at)
{
	socklen_t size = sizeof *at;

	OK(addr_parse(at, "127.0.0.1", 0));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	OK(fd >= 0 && bind(fd, &at->any, addr_size(at)) == 0 && listen(fd, 8) == 0);
	OK(getsockname(fd, &at->any, &size) == 0);
	return fd;
}

/* A port that nobody has, below those that connections of other tests may be given meanwhile. */
static void choose_free(struct addr *at)
{
	struct rand r = { 0 };
	int tcp, udp;

	OK(addr_parse(at, "127.0.0.1", 0));
	do {
		addr_set_port(at, (uint16_t)(10000 + rand_below(&r, 22000)));
		tcp = socket_bound(SOCK_STREAM, &(struct binding){ .addr = *at }, BIND_ALONE);
		udp = socket_bound(SOCK_DGRAM, &(struct binding){ .addr = *at }, BIND_ALONE);
		close(tcp);
		close(udp);
	} while (tcp < 0 || udp < 0);
}

static void listen_abstractly(void)
{
	w.abstract_at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(w.abstract_at.sun_path + 1, sizeof w.abstract_at.sun_path - 1, "%s", w.top);
	w.abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	OK(bind(w.abstract, (struct sockaddr *)&w.abstract_at, sizeof w.abstract_at) == 0);
	OK(listen(w.abstract, 8) == 0);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	OK(f && fputs(text, f) >= 0);
	EQ(fclose(f), 0);
}

static bool load(struct config *conf, FILE *err)
{
	struct config_sources sources = { .file = w.file, .certificates = true };

	return config_load(conf, &sources, err);
}

static void make_files(void)
{
	char text[1024], server[ADDR_TEXT], listener[ADDR_TEXT];

	snprintf(w.top, sizeof w.top, "/tmp/sotto-confine-XXXXXX");
	OK(mkdtemp(w.top));
	snprintf(w.state, sizeof w.state, "%s/state", w.top);
	snprintf(w.other, sizeof w.other, "%s/other", w.top);
	snprintf(w.file, sizeof w.file, "%s/etc/sotto.yaml", w.top);
	snprintf(w.control, sizeof w.control, "%s/state/control.sock", w.top);
	snprintf(text, sizeof text, "%s/etc", w.top);
	OK(mkdir(w.state, 0700) == 0 && mkdir(w.other, 0700) == 0 && mkdir(text, 0700) == 0);
	snprintf(text, sizeof text,
		"{listen: [\"%s\"], upstreams: [\"tcp://%s\"], state: \"%s\", control: \"%s\", "
		"require: nothing}",
		addr_print(&w.listen_at, listener), addr_print(&w.server_at, server), w.state,
		w.control);
	write_text(w.file, text);
}

static int set_up(void **unused)
{
	struct landlock kernel;

	(void)unused;
	w.stranger = listen_somewhere(&w.stranger_at);
	w.server = listen_somewhere(&w.server_at);
	choose_free(&w.listen_at);
	choose_free(&w.free_at);
	make_files();
	listen_abstractly();
	OK(load(&w.conf, stderr));
	w.pid = getpid();
	landlock_begin(&kernel);
	w.landlock = kernel.version;
	close(kernel.fd);
	return 0;
}

static int tear_down(void **unused)
{
	char command[128];

	(void)unused;
	config_clear(&w.conf);
	close(w.stranger);
	close(w.server);
	close(w.abstract);
	snprintf(command, sizeof command, "rm -r %s", w.top);
	return system(command);
}

/* ---- attempts ---- */

typedef int attempt(void); /* 0, or why it failed: an errno */

/* What became of it in a child: 0, an errno, or the negative number of the signal that ended it. */
static int outcome(enum sandbox_mode mode, attempt *try)
{
	struct sandbox sandbox;
	int status;
	pid_t child = fork();

	OK(child >= 0);
	if (child == 0) {
		w.conf.sandbox = mode;
		confine(&sandbox, &w.conf, w.control);
		_exit(try());
	}
	OK(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void must_be_possible(attempt *try)
{
	int err = outcome(SANDBOX_OFF, try);

	if (!err)
		return;
	print_message("not possible here, be there a sandbox or not: %s\n", strerror(err));
	skip();
}

static void landlock_refuses(attempt *try, int version, int err)
{
	if (w.landlock < version) {
		print_message("Landlock is of version %d here, not %d\n", w.landlock, version);
		skip();
	}
	must_be_possible(try);
	EQ(outcome(SANDBOX_ON, try), err);
	EQ(outcome(SANDBOX_STRICT, try), err);
}

static void need_seccomp(void)
{
#ifndef SOTTO_SECCOMP
	print_message("this build has no libseccomp\n");
	skip();
#endif
}

static void seccomp_refuses(attempt *try)
{
	need_seccomp();
	must_be_possible(try);
	EQ(outcome(SANDBOX_ON, try), EPERM);
	EQ(outcome(SANDBOX_STRICT, try), -SIGSYS);
}

/* Who asks is told that the kernel does not know the call. */
static void seccomp_hides(attempt *try)
{
	need_seccomp();
	must_be_possible(try);
	EQ(outcome(SANDBOX_ON, try), ENOSYS);
	EQ(outcome(SANDBOX_STRICT, try), ENOSYS);
}

static int result(long returned)
{
	return returned < 0 ? errno : 0;
}

/* ---- files ---- */

static int read_shadow(void)
{
	return result(open("/etc/shadow", O_RDONLY));
}

CASE(passwords_cannot_be_read)
{
	landlock_refuses(read_shadow, 1, EACCES);
}

static void *in_thread(void *err)
{
	*(int *)err = read_shadow();
	return NULL;
}

static int read_shadow_in_a_thread(void)
{
	pthread_t thread;
	int err = 0, created = pthread_create(&thread, NULL, in_thread, &err);

	if (created)
		return created;
	pthread_join(thread, NULL);
	return err;
}

CASE(nor_in_a_thread_that_starts_later)
{
	landlock_refuses(read_shadow_in_a_thread, 1, EACCES);
}

static int make_in(const char *folder)
{
	char path[128];

	snprintf(path, sizeof path, "%s/new", folder);
	int err = result(open(path, O_WRONLY | O_CREAT, 0600));

	unlink(path);
	return err;
}

static int write_outside(void)
{
	return make_in(w.other);
}

CASE(nothing_is_written_outside_of_the_state_folder)
{
	landlock_refuses(write_outside, 1, EACCES);
}

static int change_configuration(void)
{
	return result(open(w.file, O_WRONLY));
}

CASE(the_configuration_can_be_read_and_not_changed)
{
	landlock_refuses(change_configuration, 1, EACCES);
}

/* ---- programs and processes ---- */

static int run_a_program(void)
{
	char *const arguments[] = { (char[]){ "true" }, NULL };

	return result(execv("/bin/true", arguments));
}

CASE(no_program_can_be_run)
{
	seccomp_refuses(run_a_program);
}

static int wait_for(pid_t child)
{
	if (child == 0)
		_exit(0);
	if (child < 0)
		return errno;
	return waitpid(child, NULL, 0) == child ? 0 : errno;
}

static int fork_once(void)
{
	return wait_for(fork());
}

CASE(no_process_can_be_made)
{
	seccomp_refuses(fork_once);
}

static int clone3_once(void)
{
	uint64_t arguments[8] = { [4] = SIGCHLD };

	return wait_for((pid_t)syscall(SYS_clone3, arguments, sizeof arguments));
}

/* So that the C library asks for it in a way that can be looked at. */
CASE(nor_by_the_call_that_hides_what_it_wants)
{
	seccomp_hides(clone3_once);
}

static int debug_parent(void)
{
	return result(ptrace(PTRACE_SEIZE, w.pid, NULL, NULL));
}

CASE(no_process_can_be_debugged)
{
#ifdef SOTTO_SANITIZED /* which needs the call, among its own */
	landlock_refuses(debug_parent, 1, EPERM);
#else
	seccomp_refuses(debug_parent);
#endif
}

static int kill_parent(void)
{
	return result(kill(w.pid, 0));
}

CASE(no_process_can_be_killed)
{
	seccomp_refuses(kill_parent);
}

static int kill_thread_of_parent(void)
{
	return result(syscall(SYS_tgkill, w.pid, w.pid, 0));
}

CASE(nor_by_its_thread)
{
	seccomp_refuses(kill_thread_of_parent);
}

/* ---- memory ---- */

static int map_code(void)
{
	void *page = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : 0;
}

CASE(no_memory_can_be_had_that_runs)
{
	seccomp_refuses(map_code);
}

static int map_library(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	return page == MAP_FAILED ? errno : 0;
}

CASE(no_file_can_be_loaded_as_code)
{
	seccomp_refuses(map_library);
}

static int make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

CASE(no_data_can_be_made_to_run)
{
	seccomp_refuses(make_code);
}

/* ---- network ---- */

static int connect_to(const struct addr *to)
{
	return result(
		connect(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &to->any, addr_size(to)));
}

static int connect_to_stranger(void)
{
	return connect_to(&w.stranger_at);
}

CASE(no_port_can_be_reached_that_is_no_servers)
{
	landlock_refuses(connect_to_stranger, 4, EACCES);
}

static int bind_elsewhere(void)
{
	return result(bind(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &w.free_at.any,
		addr_size(&w.free_at)));
}

CASE(nobody_can_be_served_on_another_port)
{
	landlock_refuses(bind_elsewhere, 4, EACCES);
}

static int connect_to_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return result(connect(fd, (struct sockaddr *)&w.abstract_at, sizeof w.abstract_at));
}

CASE(no_abstract_socket_of_others_can_be_reached)
{
	landlock_refuses(connect_to_abstract, 6, EPERM);
}

static int open_packets(void)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

CASE(no_packets_can_be_seen)
{
	seccomp_refuses(open_packets);
}

static int open_mptcp(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 262)); /* IPPROTO_MPTCP */
}

CASE(no_port_can_be_reached_by_a_protocol_that_landlock_does_not_see)
{
	seccomp_refuses(open_mptcp);
}

static int bind_privileged(void)
{
	struct addr a;

	OK(addr_parse(&a, "127.0.0.1:67", 0));
	return result(bind(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), &a.any, addr_size(&a)));
}

CASE(no_port_of_the_system_can_be_had)
{
	char first[16] = "";
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");

	if (f && fgets(first, sizeof first, f) && strtol(first, NULL, 10) <= 67) {
		print_message("anybody may bind any port here\n");
		skip();
	}
	fclose(f);
	must_be_possible(bind_privileged);
	EQ(outcome(SANDBOX_ON, bind_privileged), EACCES);
}

/* ---- the kernel ---- */

static int read_keys(void)
{
	return result(
		syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1, 0, 0));
}

CASE(no_key_of_the_kernel_can_be_had)
{
	seccomp_refuses(read_keys);
}

static int make_ring(void)
{
	struct io_uring_params params = { 0 };

	return result(syscall(SYS_io_uring_setup, 1, &params));
}

/* libuv asks for it and goes on without, so it is not there rather than forbidden. */
CASE(no_ring_can_be_had_to_go_round_the_filter)
{
	seccomp_hides(make_ring);
}

static int make_map(void)
{
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	return result(syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map));
}

CASE(no_program_of_the_kernel_can_be_made)
{
	seccomp_refuses(make_map);
}

static int own_users(void)
{
	return result(unshare(CLONE_NEWUSER));
}

CASE(no_namespace_can_be_had_to_be_root_in)
{
	seccomp_refuses(own_users);
}

/* ---- what is left ---- */

static int keeps_nothing(void)
{
	struct rlimit core;
	bool kept = prctl(PR_GET_DUMPABLE) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
		getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_cur || core.rlim_max;

	return kept ? EPERM : 0;
}

/* Looked at before the filter, which forbids to look. */
CASE(no_core_file_is_written_and_nobody_looks_into_the_memory)
{
	int status;
	pid_t child = fork();

	OK(child >= 0);
	if (child == 0)
		_exit(privileges_drop() || keeps_nothing());
	OK(waitpid(child, &status, 0) == child);
	EQ(WEXITSTATUS(status), 0);
}

static int write_digits(void *unused, FILE *out)
{
	(void)unused;
	return fputs("42\n", out) < 0 ? -EIO : 0;
}

static int write_state(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/clock", w.state);
	int err = replace_file(path, 0600, write_digits, NULL);

	return err ? -err : -replace_file(path, 0600, write_digits, NULL);
}

CASE(the_state_is_written)
{
	EQ(outcome(SANDBOX_STRICT, write_state), 0);
}

static int reload(void)
{
	struct config again;
	struct fault f;

	if (!load(&again, stderr))
		return EIO;
	config_clear(&again);
	struct tls_trust *trust = tls_trust_load(NULL, &f);

	tls_trust_free(trust);
	return trust ? 0 : EIO;
}

CASE(the_configuration_and_the_certificates_are_read_anew)
{
	must_be_possible(reload);
	EQ(outcome(SANDBOX_STRICT, reload), 0);
}

/* As editors do it. */
CASE(a_configuration_that_was_replaced_is_read_all_the_same)
{
	char fresh[128];
	int ready[2], go[2], status;
	char octet = 0;
	struct sandbox sandbox;

	snprintf(fresh, sizeof fresh, "%s/etc/fresh", w.top);
	OK(pipe(ready) == 0 && pipe(go) == 0);
	pid_t child = fork();

	OK(child >= 0);
	if (child == 0) {
		w.conf.sandbox = SANDBOX_STRICT;
		confine(&sandbox, &w.conf, w.control);
		OK(write(ready[1], &octet, 1) == 1 && read(go[0], &octet, 1) == 1);
		_exit(reload());
	}
	OK(read(ready[0], &octet, 1) == 1);
	write_text(fresh, "{upstreams: [\"tls://192.0.2.1\"], state: none, control: none}");
	OK(rename(fresh, w.file) == 0 && write(go[1], &octet, 1) == 1);
	OK(waitpid(child, &status, 0) == child);
	EQ(status, 0);
	close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
}

static char new_ca[128];

static void copy_system_ca(void)
{
	char command[256];

	snprintf(command, sizeof command, "cp %s %s", tls_trust_path(NULL), new_ca);
	EQ(system(command), 0);
}

/* An ordinary error, and whose it is can be said. */
static int reload_with_a_new_file(void)
{
	static char text[4096];
	const struct config_override other[] = { { "tls.ca", new_ca, NULL } };
	struct config_sources sources = {
		.file = w.file, .overrides = other, .override_count = 1, .certificates = true
	};
	struct config again;
	struct sandbox sandbox = { .landlock = 1 };
	FILE *err = fmemopen(text, sizeof text, "w");
	bool ok = config_load(&again, &sources, err);

	fclose(err);
	if (ok)
		return 0;
	return strstr(text, new_ca) && sandbox_hint(&sandbox, text) ? EACCES : EIO;
}

CASE(a_file_that_is_new_to_a_reload_is_an_error_of_the_sandbox)
{
	struct sandbox none = { 0 }, some = { .landlock = 1 };

	snprintf(new_ca, sizeof new_ca, "%s/ca.pem", w.other);
	copy_system_ca();
	landlock_refuses(reload_with_a_new_file, 1, EACCES);
	OK(!sandbox_hint(&none, "Permission denied"));
	OK(!sandbox_hint(&some, "No such file or directory"));
}

static int serve(void)
{
	struct loop *loop = loop_new();
	struct routes *routes;
	int tcp = socket_bound(SOCK_STREAM, &(struct binding){ .addr = w.listen_at }, BIND_FIRST);
	int udp = socket_bound(SOCK_DGRAM, &(struct binding){ .addr = w.listen_at }, BIND_FIRST);
	int err = loop ? routes_watch(&routes, loop, NULL, NULL) : -ENOMEM;

	if (!err)
		routes_unwatch(routes);
	loop_free(loop);
	return tcp < 0 ? -tcp : udp < 0 ? -udp : -err;
}

CASE(a_worker_could_be_started_anew)
{
	EQ(outcome(SANDBOX_STRICT, serve), 0);
}

static int reach_server(void)
{
	return connect_to(&w.server_at);
}

CASE(servers_are_reached)
{
	EQ(outcome(SANDBOX_STRICT, reach_server), 0);
}

static int look_up(void)
{
	struct system_names names;

	system_names_find(&names, "localhost");
	return names.count ? 0 : ENOENT;
}

/* Where a server is given by a name of one label. */
CASE(the_system_resolves_names)
{
	struct server_conf *s = &w.conf.upstream.servers[0];
	const char *before = s->host;

	s->host = "localhost";
	must_be_possible(look_up);
	EQ(outcome(SANDBOX_STRICT, look_up), 0);
	s->host = before;
}

static int draw(void)
{
	struct rand r = { 0 };

	rand_u16(&r);
	return 0;
}

CASE(there_is_chance)
{
	EQ(outcome(SANDBOX_STRICT, draw), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CLAIM(passwords_cannot_be_read),
		CLAIM(nor_in_a_thread_that_starts_later),
		CLAIM(nothing_is_written_outside_of_the_state_folder),
		CLAIM(the_configuration_can_be_read_and_not_changed),
		CLAIM(no_program_can_be_run),
		CLAIM(no_process_can_be_made),
		CLAIM(nor_by_the_call_that_hides_what_it_wants),
		CLAIM(no_process_can_be_debugged),
		CLAIM(no_process_can_be_killed),
		CLAIM(nor_by_its_thread),
		CLAIM(no_memory_can_be_had_that_runs),
		CLAIM(no_file_can_be_loaded_as_code),
		CLAIM(no_data_can_be_made_to_run),
		CLAIM(no_port_can_be_reached_that_is_no_servers),
		CLAIM(nobody_can_be_served_on_another_port),
		CLAIM(no_abstract_socket_of_others_can_be_reached),
		CLAIM(no_packets_can_be_seen),
		CLAIM(no_port_can_be_reached_by_a_protocol_that_landlock_does_not_see),
		CLAIM(no_port_of_the_system_can_be_had),
		CLAIM(no_key_of_the_kernel_can_be_had),
		CLAIM(no_ring_can_be_had_to_go_round_the_filter),
		CLAIM(no_program_of_the_kernel_can_be_made),
		CLAIM(no_namespace_can_be_had_to_be_root_in),
		CLAIM(no_core_file_is_written_and_nobody_looks_into_the_memory),
		CLAIM(the_state_is_written),
		CLAIM(the_configuration_and_the_certificates_are_read_anew),
		CLAIM(a_configuration_that_was_replaced_is_read_all_the_same),
		CLAIM(a_file_that_is_new_to_a_reload_is_an_error_of_the_sandbox),
		CLAIM(a_worker_could_be_started_anew),
		CLAIM(servers_are_reached),
		CLAIM(the_system_resolves_names),
		CLAIM(there_is_chance),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
