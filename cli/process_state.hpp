// What a process's state, as the kernel tells it, has to do with its silence.
#pragma once

#include <string>

namespace moult::internal::cli {

/// What keeps a process from answering, and what to do about it: "is stopped (SIGSTOP, Ctrl-Z); kill -CONT 4711 lets it
/// go on". Empty when its threads run, or nothing is known of it. A thread that a tracer stops for moments only runs;
/// to tell, a stopped one is looked at for a quarter of a second.
std::string obstacle_in_state(int pid);

/// The last part of a path.
std::string base_name(const std::string& path);

/// The executable of a process; empty when there is no such process or it is somebody else's.
std::string program_of(int pid);

}  // namespace moult::internal::cli
