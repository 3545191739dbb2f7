# wrk's visitors, while the server is updated and taken back again and again: no request fails, no page and no session
# loses count. MOULT_SOAK makes it a hundred times. The report says how long answers took, with and without updates.
. "$(dirname "$0")/lib.sh"
rounds=2
[[ -z ${MOULT_SOAK-} ]] || rounds=100
start_server

begin_load 1
sleep 2
end_load
declare -A without
for name in "${!figure[@]}"; do without[$name]=${figure[$name]}; done
counts_are_right
without[counted]=$counted

begin_load 1
began=$SECONDS
for ((round = 1; round <= rounds; ++round)); do
  applied
  new_version
  rolled_back log-in Page Session
done
seconds=$((SECONDS - began))
end_load
counts_are_right
figure[counted]=$counted

mkdir -p "$REPORT"
row() { printf '%-28s %12s %12s\n' "$@"; }
{
  echo "$visitors visitors of the web server; $rounds rounds of an update and its roll-back in $seconds s"
  row "" "no updates" updates
  row requests "${without[requests]}" "${figure[requests]}"
  row "failed requests" "$((without[socket_errors] + without[status_errors] + without[wrong]))" \
    "$((figure[socket_errors] + figure[status_errors] + figure[wrong]))"
  row "pages served" "${without[served]}" "${figure[served]}"
  row "pages counted" "${without[counted]}" "${figure[counted]}"
  row "asked to log in" "${without[forms]}" "${figure[forms]}"
  for name in p50 p99 max; do row "latency $name, microseconds" "${without[$name]}" "${figure[$name]}"; done
} | tee "$REPORT/load.txt"

# as_json NAME: that array's figures.
as_json() {
  local -n of=$1
  local failed=$((of[socket_errors] + of[status_errors] + of[wrong]))
  printf '{"requests": %d, "failed": %d, "served": %d, "counted": %d, "p50_us": %d, "p99_us": %d, "max_us": %d}' \
    "${of[requests]}" "$failed" "${of[served]}" "${of[counted]}" "${of[p50]}" "${of[p99]}" "${of[max]}"
}
printf '{"visitors": %d, "rounds": %d, "seconds": %d, "without_updates": %s, "with_updates": %s}\n' \
  "$visitors" "$rounds" "$seconds" "$(as_json without)" "$(as_json figure)" >"$REPORT/load.json"
