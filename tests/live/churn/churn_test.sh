# Threads that are made, renamed, joined and detached, and children that are forked and run another program, during every kind
# of update.
. "$(dirname "$0")/lib.sh"
start_target
for _ in {1..2}; do every_kind 100; done
end_target
