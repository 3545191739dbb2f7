# A program of another user than root cannot read every file that the command can name.
. "$(dirname "$0")/lib.sh"
if ((EUID != 0)) || ! command -v setpriv >/dev/null; then
  echo "not tested: root reads every file, so this needs root and setpriv to become somebody else"
  exit 77
fi

# Where nobody can reach them.
chmod 755 "$base"
chown 65534 "$XDG_RUNTIME_DIR"
cp "$MOULT" "$base/moult"
cp "$TARGET" "$base/target"
cp "$BINARIES/limits_question_2.so" "$base/update.so"
chmod 755 "$base/moult" "$base/target"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
if ! "${nobody[@]}" "$base/moult" --help >/dev/null 2>&1; then
  echo "not tested: the built libraries lie where only root can read them"
  exit 77
fi
start_target "${nobody[@]}" "$base/target"

chmod 000 "$base/update.so"
expect 3 "update.so: cannot be opened: Permission denied" "${nobody[@]}" "$base/moult" apply "$pid" "$base/update.so"
versions 111
chmod 644 "$base/update.so"
expect 0 "question: applied" "${nobody[@]}" "$base/moult" apply "$pid" "$base/update.so"
versions 121
