#!/usr/bin/env bash
# Debian's security fixes of redis as live updates of one running server: redis.sh FOLDER
#
# The server is built of Debian's source package as it was before its fixes. Then each fix is applied to the sources, in
# the package's order, and the edit to the server, while redis-benchmark loads it. A fix that is refused is left out.
# FOLDER gets the table; what is there already is used again. MOULT, LIBRARY and INCLUDE are the build's.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1" && cd "$1" || exit 1
folder=$PWD
started=()
trap 'for each in "${started[@]}"; do kill "$each" 2>/dev/null; done; wait' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

# The package, with an apt of its own: what the machine has configured does not change.
if ! compgen -G 'redis_*.debian.tar.xz' >/dev/null; then
  mkdir -p apt/lists/partial apt/cache/archives/partial
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  for suite in 'debian bookworm' 'debian-security bookworm-security'; do
    echo "deb-src [signed-by=$keyring] http://deb.debian.org/$suite main"
  done >apt/sources.list
  cat >apt/apt.conf <<END
Dir::State::Lists "$folder/apt/lists";
Dir::Cache "$folder/apt/cache";
Dir::Etc::SourceList "$folder/apt/sources.list";
Dir::Etc::SourceParts "-";
APT::Sandbox::User "";
END
  { APT_CONFIG=apt/apt.conf apt-get -qq update && APT_CONFIG=apt/apt.conf apt-get -qq source --download-only redis; } ||
    { echo "skipped: the source package of redis cannot be fetched"; exit 77; }
fi
version=$(basename redis_*.dsc .dsc)
rm -rf tree debian && mkdir tree debian
tar xf redis_*.orig.tar.gz -C tree --strip-components 1
tar xf redis_*.debian.tar.xz -C debian --strip-components 1
mapfile -t patches < <(grep -v '^#' debian/patches/series)

is_fix() { [[ $1 == *CVE* ]] || grep -qE 'CVE-[0-9]{4}-' "../debian/patches/$1"; }
code_of() { objcopy -O binary --only-section=.text "$1" /dev/stdout | sha256sum; }

cd tree || exit 1
fixes=()
for each in "${patches[@]}"; do
  if is_fix "$each"; then fixes+=("$each"); else patch -p1 -s <"../debian/patches/$each" || fail "$each does not apply"; fi
done
CFLAGS='-g -O2 -fstack-protector-strong' bear -- make -j"$(nproc)" MALLOC=libc >../make.log 2>&1 || fail "make: $(tail ../make.log)"
"${CXX:-g++}" -std=c++20 -O2 -fPIC -shared -I"$INCLUDE" "$here/listener.cpp" -o ../listener.so "$LIBRARY" \
  -Wl,-rpath,"$(dirname "$LIBRARY")" || exit 1
find . -name '*.[ch]' -exec touch -d '1 hour ago' {} +

socket=$folder/redis.sock
rm -f "$socket"
(cd .. && LD_PRELOAD=./listener.so exec tree/src/redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no) >../server.log 2>&1 &
server=$!
started+=("$server")
ask() { src/redis-cli -s "$socket" "$@" 2>&1; }
for ((i = 0; i < 100; ++i)); do [[ $(ask ping) == PONG ]] && break; sleep 0.1; done
[[ $(ask ping) == PONG ]] || fail "the server does not start: $(tail ../server.log)"
src/redis-benchmark -s "$socket" -l -q -c 8 -t set,get,lpush,lpop,zadd >../load.log 2>&1 &
load=$!
started+=("$load")

# What shows that a fix is in force: questions, and the answer from then on.
check() {
  case $1 in
    *1113*)
      [[ $(ask eval 'return bit.tohex(65535, -2147483648)' 0) == 0000FFFF ]] || fail "$1: bit.tohex"
      [[ $(ask acl setuser bob '%~abc') == *"Error in ACL SETUSER modifier"* ]] || fail "$1: ACL SETUSER" ;;
    *51741*) [[ $(ask acl setuser bob '%') == *"Error in ACL SETUSER modifier"* ]] || fail "$1: ACL SETUSER %" ;;
  esac
}

table=$folder/redis.md
printf '%s, in one process under load:\n\n| fix | outcome | functions | pause |\n|---|---|---|---|\n' "$version" >"$table"
applied=0 refused=0 last_code=''
for each in "${fixes[@]}"; do
  filterdiff -i '*.c' -i '*.h' "../debian/patches/$each" >../fix.patch
  name=$(grep -ohE 'CVE-[0-9]{4}-[0-9]+' <<<"$each" || basename "$each" .patch)
  rm -rf ../kept && mkdir ../kept && cp -rp src deps ../kept
  patch -p1 -s --no-backup-if-mismatch <../fix.patch || fail "$each does not apply"
  rm -f ../fix.so
  if ! "$MOULT" build src/redis-server -o ../fix.so --timeout 600 >../said 2>&1; then
    reason=$(grep -vE '^(moult: )?note: ' ../said | head -1)
    echo "| $name | refused: ${reason#moult: } | | |" | tee -a "$table"
    rm -rf src deps && mv ../kept/src ../kept/deps .
    refused=$((refused + 1))
    continue
  fi
  code=$(code_of ../fix.so)
  if [[ $code == "$last_code" ]]; then
    echo "| $name | changes no code of this build | | |" | tee -a "$table"
    continue
  fi
  last_code=$code
  reply=$("$MOULT" apply "$server" ../fix.so --json) || fail "$each: apply: $reply"
  pause=$(grep -oE '"pause_ns": *[0-9]+' <<<"$reply" | grep -oE '[0-9]+' | head -1)
  functions=$(grep -oE '[0-9]+ functions? replaced' ../said | grep -oE '^[0-9]+')
  echo "| $name | applied | $functions | $((pause / 1000)) us |" | tee -a "$table"
  applied=$((applied + 1))
  check "$each"
  [[ $(ask ping) == PONG ]] || fail "$each: the server is gone: $(tail ../server.log)"
  kill -0 "$load" 2>/dev/null || fail "$each: a request failed: $(tail -3 ../load.log)"
done
printf '\n%s of %s fixes applied, %s refused.\n' "$applied" "${#fixes[@]}" "$refused" | tee -a "$table"
grep -qiE 'error|failed' ../load.log && fail "the load met errors: $(grep -iE 'error|failed' ../load.log | head -3)"
((refused * 10 <= ${#fixes[@]})) || fail "more than one of ten is refused"
