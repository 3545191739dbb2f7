# Chromium visits the web server before, while and after it is updated; what it shows is in $REPORT/screenshots.
. "$(dirname "$0")/lib.sh"

# Installed beside the build, once for each version, and checked against the lock file's sum.
install_playwright() {
  local lock=$SOURCES/browser/package-lock.json
  if ! cmp -s "$lock" "$REPORT/browser/installed.json"; then
    mkdir -p "$REPORT/browser"
    cp "$SOURCES/browser/package.json" "$lock" "$REPORT/browser"
    npm ci --prefix "$REPORT/browser" --ignore-scripts --no-audit --no-fund >"$REPORT/browser/log" 2>&1 ||
      fail "playwright-core cannot be installed: $(cat "$REPORT/browser/log")"
    cp "$lock" "$REPORT/browser/installed.json"
  fi
  cp "$SOURCES/browser/browser_test.mjs" "$REPORT/browser" # where it finds what was installed
}

for program in node npm; do
  command -v "$program" >/dev/null || fail "$program is not there; ./dev install-packages installs it"
done
CHROMIUM=$(command -v chromium) || fail "chromium is not there; ./dev install-packages installs it"
install_playwright
start_server
rm -rf "$REPORT/screenshots"
# Chromium takes temporary files and settings from these.
mkdir "$base/home"
HOME=$base/home TMPDIR=$base/home ADDRESS=http://localhost:$port PID=$pid CHROMIUM=$CHROMIUM \
  SCREENSHOTS=$REPORT/screenshots node "$REPORT/browser/browser_test.mjs" || fail "see above"
