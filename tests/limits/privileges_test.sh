# Programs of root that give up their user, or their root folder.
. "$(dirname "$0")/lib.sh"
if ((EUID != 0)); then
  echo "skipped: only root's programs can give something up"
  exit 77
fi
cat >"$base/update.cpp" <<'END'
#include <moult/moult.hpp>
int answer();
static int second() { return 2; }
MOULT_UPDATE {
  moult::fetch_manager("main")->add_update(std::make_unique<moult::SafeRedefineUpdate>("answer", answer, second));
}
END

# It may read neither root's files nor the runtime folder that it has begun with, and has a folder of its own then.
umask 077
had_folder=$([[ -e /tmp/moult-65534 ]] && echo yes || true)
start_target
[[ $(say drop) == dropped ]] || fail "it keeps its user"
expect 0 "answer: applied" "$MOULT" apply "$pid" "$base/update.cpp" --build-dir "$BUILD"
versions 211
expect 0 "answer: rolled back" "$MOULT" rollback "$pid" answer
versions 111
cp "$BINARIES/limits_answer_2.so" "$base/closed.so"
expect 3 "$base/closed.so: cannot be opened: Permission denied" "$MOULT" apply "$pid" "$base/closed.so"
versions 111
kill "$pid"
wait "$pid" || true
[[ $had_folder ]] || rm -rf /tmp/moult-65534

start_target
[[ $(say leave) == left ]] || fail "it keeps its root folder"
expect 3 "runs in a container or a chroot, where the files of this command are not" \
  "$MOULT" apply "$pid" "$base/update.cpp" --build-dir "$BUILD"
expect 3 "runs in a container or a chroot" "$MOULT" check "$pid" "$BINARIES/limits_answer_2.so"
versions 111
