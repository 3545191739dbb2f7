#!/usr/bin/env bash
# libmoult.so exports what its public headers declare, and sigaltstack (src/platform/alternate_stack.cpp): nothing of its
# libraries, of the standard library, or of moult::internal, and no signature in which a class of moult::internal
# appears. And no object of its own is destroyed when the process exits, because its threads run until the very end.
#   exported_symbols.sh libmoult.so
set -euo pipefail

exported=$(nm --dynamic --demangle --defined-only "$1" | cut -d' ' -f3-)
for wanted in 'moult::name_of(moult::ErrorCode)' 'typeinfo for moult::Update' 'vtable for moult::ThreadedManager'; do
  grep -qxF "$wanted" <<<"$exported" || {
    echo "FAILED: $1 does not export $wanted, which programs and updates link" >&2
    exit 1
  }
done
foreign=$(grep -vE '^((typeinfo|typeinfo name|vtable|VTT|guard variable) for )?moult::|^(sigaltstack|moult_submit_edit)$' <<<"$exported" || true)
private=$(grep -F 'moult::internal::' <<<"$exported" || true)
if [[ -n $foreign$private ]]; then
  echo "FAILED: $1 exports what no public header declares:" >&2
  printf '%s\n' "$foreign" "$private" | grep . | head -40 >&2
  exit 1
fi
if nm --dynamic --undefined-only "$1" | grep -qw __cxa_atexit; then
  echo "FAILED: $1 has static objects with destructors (__cxa_atexit): make them by new, and never destroy them" >&2
  exit 1
fi
