// Where the sockets are: the same rule for the program that listens and the command that connects.
//
// A socket's folder decides who can put a socket of his own in its place, so a folder is used only when it belongs to
// this user and nobody else may write to it. XDG_RUNTIME_DIR of somebody else (a root shell keeps it) is passed over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "moult/error.hpp"

namespace moult::internal {

/// What the rule depends on.
struct RuntimeSurroundings {
  std::string xdg_runtime_dir;  ///< empty when it is not set
  std::uint32_t user = 0;       ///< the folders' owner
  std::string run_user = "/run/user";
  std::string temporary = "/tmp";

  /// Of this process: its environment and its effective user.
  static RuntimeSurroundings of_this_process();
  /// Of another process of this user (or any, for root), by /proc/PID. Throws Error: not_found.
  static RuntimeSurroundings of_process(int pid);
};

/// The folders where sockets of that user may be, most wanted first, whether they exist or not.
std::vector<std::filesystem::path> candidate_folders(const RuntimeSurroundings& surroundings);

/// The first folder that can be used, made with mode 0700 when it is not there yet. Throws Error: permission_denied
/// (the last resort in /tmp belongs to somebody else or is open to others), system.
std::filesystem::path make_runtime_folder(const RuntimeSurroundings& surroundings);

/// Throws Error (permission_denied) unless `folder` is a folder, no symbolic link, of `user`, that nobody else may
/// write to. not_found when it is not there.
void check_folder(const std::filesystem::path& folder, std::uint32_t user);

/// True where check_folder has nothing to say.
bool is_trusted_folder(const std::filesystem::path& folder, std::uint32_t user);

/// "PID.sock".
std::string socket_name(int pid);

/// The socket that process `pid` listens on, in the folders of this process or of that one; empty when there is none.
std::filesystem::path find_socket(int pid);

struct FoundSocket {
  int pid = 0;
  std::filesystem::path path;
};
/// Every socket in the folders of this process's user, by pid. Folders that must not be trusted are passed over.
std::vector<FoundSocket> find_sockets(const RuntimeSurroundings& surroundings);

}  // namespace moult::internal
