# shellcheck shell=bash
# What ./run, ./test and the scripts beside them share; to be sourced. Sets top, the root of the tree.

top=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
PATH=$PATH:/usr/sbin:/sbin # unbound and dpkg's helpers, which a user's PATH may lack

# The packages of Debian 12 and 13 that each purpose needs.
# shellcheck disable=SC2034
{
	build_packages=(gcc libc6-dev meson ninja-build pkgconf libssl-dev libuv1-dev libfyaml-dev libjansson-dev
		libldns-dev libpcre2-dev libpsl-dev libseccomp-dev publicsuffix scdoc
		ca-certificates)
	demo_packages=(unbound openssl bind9-dnsutils)
	test_packages=("${build_packages[@]}" "${demo_packages[@]}"
		clang libclang-rt-dev gcovr shellcheck cppcheck libcmocka-dev python3 python3-pytest python3-pytest-xdist python3-dnspython
		python3-cryptography python3-yaml knot-resolver knot-dnsutils dnsmasq-base dnsdist haproxy iproute2 iptables nftables procps
		binutils systemd python3-seccomp sslscan knot nsd tcpdump)
	faults_packages=(python3 python3-cryptography iproute2 iptables unbound dnsdist stubby smartdns)
	full_packages=(clang-tidy valgrind buildah debootstrap testssl.sh)
}

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

as_root() {
	if [[ $(id -u) == 0 ]]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Installs those of the packages that are missing; says nothing if none is.
need_packages() {
	local installed missing=() package

	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say "This is no Debian: what the build does not find, install by hand ($*)."
		return
	fi
	installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null || true)
	for package; do
		grep -qxF "ii $package" <<<"$installed" || missing+=("$package")
	done
	[[ ${#missing[@]} -gt 0 ]] || return 0
	if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
		die "packages are missing, and this needs root: apt-get install ${missing[*]}"
	fi
	say "Installing packages: ${missing[*]}"
	as_root "$top/tools/install-packages" "${missing[@]}" || die "the packages could not be installed"
}

# Sets up the build folder $1 with the options that follow, unless it is set up just so.
configure() {
	local dir=$1 with
	shift
	with="$top ${CC:-} $* $(cksum <"$top/meson.build")" # which holds the defaults of options

	[[ $(cat "$dir/configured-with" 2>/dev/null) != "$with" ]] || return 0
	rm -rf "$dir/meson-private"
	mkdir -p "$dir"
	if ! meson setup "$dir" "$top" "$@" >"$dir/setup.log" 2>&1; then
		cat "$dir/setup.log" >&2
		die "$dir could not be set up"
	fi
	printf '%s\n' "$with" >"$dir/configured-with"
}

# Builds the release, build/sotto.
build_release() {
	[[ -x $top/build/sotto ]] || say "Building $top/build/sotto"
	configure "$top/build" -Dtests=disabled -Db_lto=true
	ninja --quiet -C "$top/build" | sed '/no work to do/d' >&2 || die "the build failed"
}
