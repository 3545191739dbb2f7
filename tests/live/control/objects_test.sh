# moult objects: which classes have a pool, and what lives in it, before a conversion and after.
. "$(dirname "$0")/lib.sh"

start_target
expect 0 "^no class of this program has a pool yet" "$MOULT" objects "$pid"

start_target "$BINARIES/live_control_pools"
expect 0 "LIVE +OBJECT +SLOT +MEMORY +CLASS" "$MOULT" objects "$pid"
expect 0 "1000 +4 +80 +[0-9]+ KiB +app::Data"$'\n' "$MOULT" objects "$pid"
expect 0 "3 +204 +272 +[0-9]+ KiB +app::Data \(subclasses\)" "$MOULT" objects "$pid"
expect 0 '"class":"app::Data","of_subclass":false,"held":\[\{"class":"app::Data","live":1000,"object_size":4\}\]' \
  "$MOULT" objects "$pid" --json

expect 0 "applied" "$MOULT" apply "$pid" "$BINARIES/live_control_pools_update.so"
expect 0 "0 +4 +80 +[0-9]+ KiB +app::Data"$'\n'" *1000 +8 +80 +DataV2 \(made as app::Data\)" "$MOULT" objects "$pid"
for _ in 1 2; do echo >&8; done
for _ in {1..100}; do
  [[ $("$MOULT" objects "$pid" --json) == *'"class":"app::Data","live":2'* ]] && break
  sleep 0.05
done
expect 0 '"class":"app::Data","live":2.*"class":"DataV2","live":1000' "$MOULT" objects "$pid" --json

# A field that the file's entry adds by itself.
field="the field count of app::Data"
expect 3 "$field cannot be added here: a dry run makes no change.*move that to apply" \
  "$MOULT" check "$pid" "$BINARIES/live_control_direct_field.so"
! "$MOULT" log "$pid" | grep -q "count" || fail "a dry run tells of a change"
expect 0 "warning: $field added, int: by the file's entry itself" \
  "$MOULT" apply "$pid" "$BINARIES/live_control_direct_field.so"
expect 0 "$field added, int, outside of any update" "$MOULT" log "$pid"

start_target "$BINARIES/live_control_pools"
expect 0 "applied" "$MOULT" apply "$pid" "$BINARIES/live_control_pools_lazy_update.so"
made="1000 +8 +80 +DataV2 \(made as app::Data\)"
expect 0 "$made.*"$'\n\n'"CONVERTED +OF +FAILED +AT FIRST USE"$'\n'"0 +1000 +0 +app::Data to DataV2" \
  "$MOULT" objects "$pid"
echo >&8 # a new object's slot is among those of others
for _ in {1..100}; do
  [[ $("$MOULT" objects "$pid" --json) == *'"waiting":'*'"converted":'[1-9]* ]] && break
  sleep 0.05
done
waits='"old_class":"app::Data","new_class":"DataV2","objects":1000,"converted":[1-9][0-9]*,"failed":0'
expect 0 "\"waiting\":\\[\\{$waits,\"chunks\":[1-9][0-9]*,\"converted_chunks\":1\\}\\]" "$MOULT" objects "$pid" --json

expect 5 "no program" "$MOULT" objects there-is-none
expect 2 "TARGET" "$MOULT" objects
expect 0 "Examples:" "$MOULT" objects --help
