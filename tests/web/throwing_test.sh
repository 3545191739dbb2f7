# A transformer that throws, while visitors come: everything is as before, and the good update applies.
. "$(dirname "$0")/lib.sh"
start_server
begin_load 5
for _ in {1..3}; do
  expect 1 "Page: failed.*the second page is too much" "$MOULT" apply "$pid" "$BINARIES/web_throwing.so" --timeout 120
  old_version
  served=$((served + 1))
done
applied
new_version
rolled_back log-in Page Session
end_load
counts_are_right
