// What a process's state, as the kernel tells it, has to do with its silence.
#pragma once

#include <string>

namespace moult::internal::cli {

/// What keeps a process from answering, and what to do about it: "is stopped (SIGSTOP, Ctrl-Z); kill -CONT 4711 lets it
/// go on". Empty when its threads run, or nothing is known of it. A thread that a tracer stops for moments only runs;
/// to tell, a stopped one is looked at for a quarter of a second.
std::string obstacle_in_state(int pid);

}  // namespace moult::internal::cli
