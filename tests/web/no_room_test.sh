# No room on the disk, neither for the update that the command builds nor for the copy that the server makes of it,
# while visitors come: it is refused, the old version serves, and with room again the update applies.
if [[ ${IN_NAMESPACE-} != yes ]]; then
  unshare --mount true 2>/dev/null || { echo "skipped: no small disk can be mounted here (unshare --mount)"; exit 77; }
  IN_NAMESPACE=yes exec unshare --mount bash "$0"
fi
. "$(dirname "$0")/lib.sh"

trap 'umount --lazy "$XDG_CACHE_HOME" "$XDG_RUNTIME_DIR"; finish' EXIT
small_disk() {
  mkdir -p "$1"
  mount -t tmpfs -o size=1m,mode=700 tmpfs "$1"
}
fill() { cat /dev/zero >"$1/filling" 2>/dev/null || true; }
make_room() { rm "$1/filling"; }

small_disk "$XDG_CACHE_HOME"
small_disk "$XDG_RUNTIME_DIR"
start_server
begin_load 5

fill "$XDG_CACHE_HOME"
expect 2 "No space left on device" "$MOULT" apply "$pid" "$EXERCISE/solution.cpp"
make_room "$XDG_CACHE_HOME"
old_version

fill "$XDG_RUNTIME_DIR"
expect 3 "No space left on device" "$MOULT" apply "$pid" "$SOLUTION"
make_room "$XDG_RUNTIME_DIR"
old_version
served=$((served + 2))

mount -o remount,size=64m "$XDG_RUNTIME_DIR"
applied
new_version
rolled_back log-in Page Session
end_load
counts_are_right
