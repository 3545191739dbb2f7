#include "protocol/leftovers.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/fd.hpp"
#include "base/folder.hpp"
#include "protocol/progress_file.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

/// The process in the name of a folder of copies or of a page of progress.
std::optional<int> maker_of(const std::string& name) {
  int pid = 0;
  std::from_chars(name.data(), name.data() + name.size(), pid);
  return pid > 0 && (name == updates_name(pid) || name == progress_name(pid)) ? std::optional(pid) : std::nullopt;
}

bool has_ended(int pid) {
  std::error_code error;
  return !fs::exists("/proc/" + std::to_string(pid), error) && !error;
}

double seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double now_by(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return seconds(time);
}

/// The process's start, in seconds since 1970. Nothing if the kernel does not say. Field 22 of proc(5)'s stat, in ticks
/// since the boot.
std::optional<double> start_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(end_of_name + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) rest >> skipped;
  double ticks = 0;
  if (!(rest >> ticks)) return std::nullopt;
  return now_by(CLOCK_REALTIME) - now_by(CLOCK_BOOTTIME) + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

bool is_older_than_process(const fs::path& path, int pid) {
  constexpr double margin = 5;  // the two clocks differ a little
  struct stat status {};
  const std::optional<double> start = start_of(pid);
  return start && ::lstat(path.c_str(), &status) == 0 && seconds(status.st_mtim) + margin < *start;
}

bool nobody_listens(const fs::path& path) {
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!probe || path.native().size() >= sizeof(address.sun_path)) return false;
  std::ranges::copy(path.native(), address.sun_path);
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

void remove_unowned(const fs::path& folder) {
  std::error_code ignored;
  for (const std::string& name : names_in(folder)) {
    const std::optional<int> pid = maker_of(name);
    // A socket in use proves a process of another container, with pids of its own.
    if (!pid || !has_ended(*pid) || fs::exists(folder / socket_name(*pid), ignored)) continue;
    if (name == updates_name(*pid)) {
      remove_folder(folder / name);
    } else {
      ::unlink((folder / name).c_str());
    }
  }
}

}  // namespace

std::string updates_name(int pid) { return std::to_string(pid) + ".updates"; }

void remove_leftovers(const RuntimeSurroundings& surroundings) {
  for (const FoundSocket& found : find_sockets(surroundings))
    if (nobody_listens(found.path) && (has_ended(found.pid) || is_older_than_process(found.path, found.pid)))
      ::unlink(found.path.c_str());
  for (const fs::path& folder : candidate_folders(surroundings))
    if (is_trusted_folder(folder, surroundings.user)) remove_unowned(folder);
}

}  // namespace moult::internal
