# No request comes at all, and the update that waits for the accept loop at its static update point is applied.
. "$(dirname "$0")/lib.sh"
start_server
applied
rolled_back log-in Page Session
applied
new_version
