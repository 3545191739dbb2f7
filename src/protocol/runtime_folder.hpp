// Where the sockets are. The listening program and the connecting command follow the same rule.
//
// A socket's folder decides which users can replace the socket. So a folder is used only if it belongs to this user and
// no other user may write to it. Another user's XDG_RUNTIME_DIR (a root shell keeps it) is ignored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "moult/error.hpp"

namespace moult::internal {

/// The input of the rule.
struct RuntimeSurroundings {
  std::string xdg_runtime_dir;  ///< empty when it is not set
  std::uint32_t user = 0;       ///< the folders' owner
  std::string run_user = "/run/user";
  std::string temporary = "/tmp";

  /// This process's environment and effective user.
  static RuntimeSurroundings of_this_process();
  /// Those of another process of this user (for root: of any user), from /proc/PID. Throws Error (not_found).
  static RuntimeSurroundings of_process(int pid);
};

/// The folders that may hold the user's sockets, the preferred one first, whether they exist or not.
std::vector<std::filesystem::path> candidate_folders(const RuntimeSurroundings& surroundings);

/// The first usable folder, created with mode 0700 if it does not exist. Throws Error: system, and
/// permission_denied: the last choice, in /tmp, belongs to another user or is open to others.
std::filesystem::path make_runtime_folder(const RuntimeSurroundings& surroundings);

/// Throws Error:
/// not_found: `folder` is not there
/// permission_denied: it is no folder, is a symbolic link, does not belong to `user`, or others may write to it
void check_folder(const std::filesystem::path& folder, std::uint32_t user);

/// Whether check_folder would not throw.
bool is_trusted_folder(const std::filesystem::path& folder, std::uint32_t user);

/// "PID.sock".
std::string socket_name(int pid);

/// The socket of process `pid`, and no symbolic link to one, in this process's folders or in its own; empty if there is
/// none.
std::filesystem::path find_socket(int pid);

struct FoundSocket {
  int pid = 0;
  std::filesystem::path path;
};
/// Every socket in the folders of this process's user, by pid. Ignores symbolic links, and folders that are not
/// trusted.
std::vector<FoundSocket> find_sockets(const RuntimeSurroundings& surroundings);

}  // namespace moult::internal
