# Functions that cannot be redefined: each is refused with its reason, by an update as a user would write it.
. "$(dirname "$0")/lib.sh"
start_target

# No such function, and one of a name that is not quite right.
refused 3 "anwser: no function of that name has a symbol; there (is|are) .*answer\(\)" "$BINARIES/limits_refused_missing.so"
refused 3 "twin fits 2 functions.*target.cpp.*target_twin.cpp.*put the source file in front" \
  "$BINARIES/limits_refused_ambiguous.so"
refused 3 "answer: none has the parameters \(double\).*answer\(\)" "$BINARIES/limits_refused_other_signature.so"
refused 3 "inlined: refused .*copied\(\): inlined at .*target.cpp:[0-9]+ .*question\(\).*MOULT_UPDATABLE" \
  "$BINARIES/limits_refused_inlined.so"
refused 3 "too_short: refused .*short_answer.*redefine its callers" "$BINARIES/limits_refused_too_short.so"
refused 3 "branched: refused .*looping_answer.*redefine its callers" "$BINARIES/limits_refused_branched.so"
