#!/usr/bin/env bash
# tools/abi fails where the library differs from the recorded description: by a symbol that is gone, a field that has
# moved, and an enumerator with another value.
#   breaks_are_seen.sh tools/abi DESCRIPTION RECORDED
set -euo pipefail
abi=$1 description=$2 recorded=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# As if the interface had been another one when it was recorded.
xz --decompress --stdout "$recorded/library.xml.xz" |
  sed -e 's/_ZN5moult10is_appliedESt17basic_string_viewIcSt11char_traitsIcEE/_ZN5moult12was_appliedESt17basic_string_viewIcSt11char_traitsIcEE/g' \
    -e '/<class-decl name=.UpdateReport. size/,/<\/class-decl>/ {
          s/layout-offset-in-bits=.704./layout-offset-in-bits="706"/
        }' \
    -e "s/<enumerator name='not_yet' value='1'/<enumerator name='not_yet' value='9'/" |
  xz >"$scratch/library.xml.xz"

if "$abi" check "$description" "$scratch" 2>"$scratch/told"; then
  echo "FAILED: nothing was noticed" >&2
  exit 1
fi
for wanted in 'was_applied' "'std::string reason' offset changed" "'moult::Requirements::not_yet'" 'raise MOULT_ABI_VERSION'; do
  grep -qF -- "$wanted" "$scratch/told" || {
    echo "FAILED: the report does not name $wanted" >&2
    cat "$scratch/told" >&2
    exit 1
  }
done
