#!/usr/bin/env bash
# scripts/install-packages installs what is missing, by name, and nothing else. Debian's programs are
# replaced by scripts that answer from a list and write down what they were asked.
set -euo pipefail
cd "$(dirname "$0")/../.."
failed=0
fake=$(mktemp -d)
trap 'rm -rf "$fake"' EXIT

check() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2', got '$3'"
        failed=1
    fi
}

mkdir "$fake/bin"
cat >"$fake/bin/dpkg-query" <<END
#!/bin/sh
cat "$fake/packages"
END
cat >"$fake/bin/apt-get" <<END
#!/bin/sh
echo "\$*" | sed 's/-q -y .*Retries=3 //' >>"$fake/asked"
END
printf '#!/bin/sh\nexec "$@"\n' >"$fake/bin/sudo"
printf '#!/bin/sh\n' >"$fake/bin/node"
chmod +x "$fake"/bin/*

# Every package that the script names is there, apart from those given.
packages_without() {
    local entry
    sed -n '/^build=(/,/^check=/p' scripts/install-packages | grep -oE '[a-z][a-z0-9.+|-]+' |
        tr '|' '\n' | sed 's/$/ installed/' >"$fake/packages"
    for entry in "$@"; do
        sed -i "/^$entry installed/d" "$fake/packages"
    done
    : >"$fake/asked"
}

run() { PATH="$fake/bin:$PATH" scripts/install-packages "$@" 2>"$fake/said" || echo "status $?"; }

packages_without
run build test check
check nothing_missing_nothing_asked_nothing_said "" "$(cat "$fake/asked" "$fake/said")"

packages_without libjq-dev ninja-build
run build
check missing_packages_are_installed_by_name \
    "update|install --no-install-recommends ninja-build libjq-dev" "$(paste -sd'|' "$fake/asked")"

packages_without cppcheck postgresql-15
run test
check a_group_leaves_the_packages_of_others_alone \
    "update|install --no-install-recommends postgresql-15" "$(paste -sd'|' "$fake/asked")"

packages_without pkg-config
run build
check one_of_two_equal_packages_is_enough "" "$(cat "$fake/asked")"

packages_without gcc
echo "gcc config-files" >>"$fake/packages"
run build
check a_removed_package_counts_as_missing "update|install --no-install-recommends gcc" \
    "$(paste -sd'|' "$fake/asked")"

packages_without gcc
check an_unknown_group_is_refused "status 2" "$(run everything)"
check and_nothing_is_installed_for_it "" "$(cat "$fake/asked")"

printf '#!/bin/sh\nexit 100\n' >"$fake/bin/apt-get"
check a_failed_installation_fails "status 100" "$(run build)"
exit "$failed"
