# Sourced by the other tools: which Debian and Ubuntu packages mydocker needs, installing those that
# are missing, and building. It runs no test and no container.
# shellcheck shell=bash disable=SC2034  # the variables are for the files that source this one

packages_build=(
    g++ cmake ninja-build libasio-dev libspdlog-dev libtomlplusplus-dev nlohmann-json3-dev
    libcli11-dev libncurses-dev libboost-dev libboost-test-dev libarchive-dev
)
packages_vm=(qemu-system-x86 kmod xz-utils zstd)
packages_workload=(stress)
packages_fuzz=(clang libclang-rt-dev)

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/..")

die() {
    printf 'tools/%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

heading() {
    printf '\n== %s\n' "$*"
}

# Does this host's cgroup v2 tree offer everything that limits are made of?
has_all_controllers() {
    local controller
    [[ -r /sys/fs/cgroup/cgroup.controllers ]] || return 1
    for controller in memory cpu cpuset pids; do
        grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers || return 1
    done
}

missing_packages() {
    local package
    for package in "$@"; do
        # shellcheck disable=SC2016  # the dollar is dpkg's
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            printf '%s\n' "$package"
    done
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q -o DPkg::Lock::Timeout=120 \
        install -y --no-install-recommends "$@"
}

# Installs what is missing and nothing else; with nothing missing it needs neither root nor network.
install_packages() {
    local missing log
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null ||
        die "needs these Debian packages, and there is no apt-get to install them: ${missing[*]}"
    ((EUID == 0)) || die "packages are missing; use sudo, or install them first:
    sudo apt-get install ${missing[*]}"
    heading "Installing ${missing[*]}"
    log=$(mktemp)
    # The package lists may be absent or too old: only then are they fetched.
    if ! apt_install "${missing[@]}" >"$log" 2>&1; then
        if ! { timeout 300 apt-get -q update && apt_install "${missing[@]}"; } >"$log" 2>&1; then
            tail -n 20 "$log" >&2
            rm -f "$log"
            die "apt-get could not install ${missing[*]}"
        fi
    fi
    rm -f "$log"
}

# Under sudo the build belongs to whom the checkout belongs to, who can then build without sudo.
as_owner() {
    local owner home
    owner=$(stat -c %U "$root")
    if ((EUID != 0)) || [[ $owner == root || $owner == UNKNOWN ]]; then
        "$@"
    else
        home=$(getent passwd "$owner" | cut -d: -f6)
        runuser -u "$owner" -- env HOME="$home" "$@"
    fi
}

build() {  # PRESET DIRECTORY TARGET...
    local preset=$1 directory=$root/$2 launcher=()
    shift 2
    ! command -v ccache >/dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    as_owner timeout --foreground 300 cmake -C "$root/tools/presets/$preset.cmake" \
        -S "$root" -B "$directory" -G Ninja "${launcher[@]}" >/dev/null ||
        die "cmake could not configure $directory"
    as_owner timeout --foreground 3000 cmake --build "$directory" --target "$@" ||
        die "the build failed"
}
