# shellcheck shell=bash
# A DoT resolver of one's own, for the demonstration and the test of the container; to be sourced behind lib.sh.
# All of it lies in the current directory, $dir.

resolver_name=dns.demo.test # what the resolver's certificate says
pids=()

stop_all() {
	[[ ${#pids[@]} == 0 ]] || { kill "${pids[@]}" && wait "${pids[@]}"; } 2>/dev/null || true
}

is_open() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Starts a server in the background with its log in $dir/$1.log, and waits until it serves on port $2.
start() {
	local name=$1 port=$2 pid
	shift 2

	"$@" >"$dir/$name.log" 2>&1 &
	pid=$!
	pids+=("$pid")
	for _ in {1..500}; do
		if is_open "$port"; then
			return
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.02
	done
	cat "$dir/$name.log" >&2
	die "$name did not start"
}

make_certificates() {
	local new=(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2)

	"${new[@]}" -subj "/CN=A throw-away CA" -keyout ca.key -out ca.pem
	"${new[@]}" -CA ca.pem -CAkey ca.key -subj "/CN=$resolver_name" -addext "subjectAltName=DNS:$resolver_name" \
		-addext basicConstraints=critical,CA:FALSE -keyout resolver.key -out resolver.pem
}

# A small zone on 127.0.0.1, behind TLS on port $1 and in no other way. The program is copied, since Debian's
# AppArmor profile lets the one in /usr/sbin read no configuration but its own.
start_resolver() {
	make_certificates 2>openssl.log || { cat openssl.log >&2; die "openssl could not make certificates"; }
	cat >unbound.conf <<-END
		server:
		    directory: "$dir"
		    chroot: ""
		    username: ""
		    pidfile: ""
		    use-syslog: no
		    do-daemonize: no
		    num-threads: 1
		    module-config: "iterator"
		    interface: 127.0.0.1@$1
		    tls-port: $1
		    tls-service-key: "resolver.key"
		    tls-service-pem: "resolver.pem"
		    local-zone: demo.test. static
		    local-data: "www.demo.test. 300 IN A 192.0.2.80"
		    local-data: "www.demo.test. 300 IN AAAA 2001:db8::80"
		    local-data: 'www.demo.test. 300 IN TXT "carried under the voice"'
		remote-control:
		    control-enable: no
	END
	cp "$(command -v unbound)" unbound
	start resolver "$1" ./unbound -d -c unbound.conf
}
