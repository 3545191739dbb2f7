#!/usr/bin/env bash
# There is no room for an update where the server keeps its copies, nor for building one; then there is.
set -euo pipefail

# A disk of its own, in a mount namespace of its own.
if [[ ${1-} != in_namespace ]]; then
  for options in --mount "--map-root-user --mount"; do
    # shellcheck disable=SC2086
    if unshare $options mount -t tmpfs none /mnt 2>/dev/null; then exec unshare $options "$0" in_namespace; fi
  done
  echo "not tested: no disk can be mounted"
  exit 77
fi
# shellcheck source=examples/key_value_server/tests/lib.sh
source "$(dirname "$0")/lib.sh"
trap 'end_all; umount "$folder/run" "$folder/tmp"; finish' EXIT
mkdir "$folder/tmp"
mount -t tmpfs -o size=256k,mode=700 none "$folder/run"
mount -t tmpfs -o size=4k none "$folder/tmp"
head -c 4096 /dev/zero >"$folder/tmp/full"

start_loaded_server --threads 2
start_clients
expect 3 "No space left on device" "$moult" apply "$server" "$programs/key_value_lazy.so" --timeout 100
await_requests
is_of_version_1
printf '#include <moult/load.hpp>\nMOULT_UPDATE {}\n' >"$folder/small.cpp"
TMPDIR=$folder/tmp expect 2 "No space left on device" "$moult" apply "$server" "$folder/small.cpp" -p "$MOULT_BUILD"
await_requests
is_of_version_1

mount -o remount,size=64m "$folder/run"
good_update_applies
stop_server
