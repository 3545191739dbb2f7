#include "protocol/runtime_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/folder.hpp"
#include "base/proc.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

/// Why `folder` must not be used; empty if it may be.
std::string objection(const struct stat& status, std::uint32_t user) {
  if (S_ISLNK(status.st_mode)) return "is a symbolic link";
  if (!S_ISDIR(status.st_mode)) return "is no folder";
  if (status.st_uid != user) return "belongs to user " + std::to_string(status.st_uid);
  if ((status.st_mode & 022) != 0) return "may be written to by other users";
  return {};
}

bool usable_parent(const fs::path& folder, std::uint32_t user) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == user;
}

void make_folder(const fs::path& folder, std::uint32_t user) {
  // An existing folder is checked like any other, so a race in creating it does no harm.
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw Error(ErrorCode::system, folder.string() + ": cannot be made: " + std::strerror(errno) +
                                       "; set XDG_RUNTIME_DIR to a folder of your own");
  check_folder(folder, user);
}

std::optional<int> pid_of(const std::string& name) {
  constexpr std::string_view suffix = ".sock";
  if (!name.ends_with(suffix)) return std::nullopt;
  int pid = 0;
  const char* const end = name.data() + name.size() - suffix.size();
  const auto [stopped, error] = std::from_chars(name.data(), end, pid);
  if (error != std::errc() || stopped != end || pid <= 0) return std::nullopt;
  return pid;
}

}  // namespace

RuntimeSurroundings RuntimeSurroundings::of_this_process() {
  RuntimeSurroundings surroundings;
  const char* const xdg = std::getenv("XDG_RUNTIME_DIR");
  if (xdg != nullptr) surroundings.xdg_runtime_dir = xdg;
  surroundings.user = ::geteuid();
  return surroundings;
}

RuntimeSurroundings RuntimeSurroundings::of_process(int pid) {
  struct stat status {};
  if (::stat(("/proc/" + std::to_string(pid)).c_str(), &status) != 0)
    throw Error(ErrorCode::not_found, "there is no process " + std::to_string(pid) + "; moult ps lists the programs");
  RuntimeSurroundings surroundings;
  surroundings.user = status.st_uid;
  std::ifstream file(proc::folder_of(pid) + "/environ", std::ios::binary);
  for (std::string variable; std::getline(file, variable, '\0');)
    if (variable.starts_with("XDG_RUNTIME_DIR="))
      surroundings.xdg_runtime_dir = variable.substr(variable.find('=') + 1);
  return surroundings;
}

std::vector<fs::path> candidate_folders(const RuntimeSurroundings& surroundings) {
  std::vector<fs::path> folders;
  // According to the XDG base directory specification, a relative path must be ignored.
  if (surroundings.xdg_runtime_dir.starts_with('/'))
    folders.push_back(fs::path(surroundings.xdg_runtime_dir) / "moult");
  const std::string user = std::to_string(surroundings.user);
  folders.push_back(fs::path(surroundings.run_user) / user / "moult");
  folders.push_back(fs::path(surroundings.temporary) / ("moult-" + user));
  return folders;
}

fs::path make_runtime_folder(const RuntimeSurroundings& surroundings) {
  const std::vector<fs::path> folders = candidate_folders(surroundings);
  for (const fs::path& folder : folders) {
    if (folder == folders.back() || !usable_parent(folder.parent_path(), surroundings.user)) continue;
    make_folder(folder, surroundings.user);
    return folder;
  }
  make_folder(folders.back(), surroundings.user);
  return folders.back();
}

void check_folder(const fs::path& folder, std::uint32_t user) {
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0)
    throw Error(ErrorCode::not_found, folder.string() + ": " + std::strerror(errno));
  const std::string why_not = objection(status, user);
  if (!why_not.empty())
    throw Error(ErrorCode::permission_denied,
                folder.string() + ": " + why_not + ", so it is not used for sockets; remove it or set XDG_RUNTIME_DIR");
}

bool is_trusted_folder(const fs::path& folder, std::uint32_t user) {
  struct stat status {};
  return ::lstat(folder.c_str(), &status) == 0 && objection(status, user).empty();
}

std::string socket_name(int pid) { return std::to_string(pid) + ".sock"; }

fs::path find_socket(int pid) {
  std::vector<RuntimeSurroundings> places{RuntimeSurroundings::of_this_process()};
  std::error_code ignored;
  if (fs::exists("/proc/" + std::to_string(pid), ignored)) places.push_back(RuntimeSurroundings::of_process(pid));
  for (const RuntimeSurroundings& place : places)
    for (const fs::path& folder : candidate_folders(place)) {
      fs::path path = folder / socket_name(pid);
      if (is_trusted_folder(folder, place.user) && fs::is_socket(fs::symlink_status(path, ignored))) return path;
    }
  return {};
}

std::vector<FoundSocket> find_sockets(const RuntimeSurroundings& surroundings) {
  std::vector<FoundSocket> found;
  for (const fs::path& folder : candidate_folders(surroundings)) {
    if (!is_trusted_folder(folder, surroundings.user)) continue;
    std::error_code ignored;
    for (const std::string& name : names_in(folder)) {
      const std::optional<int> pid = pid_of(name);
      if (pid && fs::is_socket(fs::symlink_status(folder / name, ignored))) found.push_back({*pid, folder / name});
    }
  }
  std::ranges::sort(found, {}, &FoundSocket::pid);
  return found;
}

}  // namespace moult::internal
