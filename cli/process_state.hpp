// Why a process does not answer, by its state in the kernel.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace moult::internal::cli {

/// The obstacle that keeps a process from answering, and the remedy: "is stopped (SIGSTOP, Ctrl-Z); kill -CONT 4711
/// lets it go on". Empty when its threads run, or nothing is known. A thread that a tracer stops only for moments
/// counts as running; to find out, a stopped one is observed for a quarter of a second.
std::string obstacle_in_state(int pid);

/// The last part of a path.
std::string base_name(const std::string& path);

/// The user that a process runs as, which need not be the one who started it. Nothing when there is no such process.
std::optional<uid_t> user_of(int pid);

/// True when "/" is another folder for a process than here: it runs in a container or a chroot. False when that is not
/// known.
bool has_other_root(int pid);

/// The executable of a process; empty when there is no such process or it is somebody else's.
std::string program_of(int pid);

}  // namespace moult::internal::cli
