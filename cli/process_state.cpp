#include "process_state.hpp"

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "base/proc.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

/// Empty when the thread has ended, also between opening and reading, when the stream's buffer would throw.
std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  std::string text;
  std::getline(stream, text, '\0');
  return text;
}

/// The letter behind the name in parentheses (proc(5)); the name may contain parentheses too.
char state_in(const std::string& stat) {
  const std::size_t at = stat.rfind(") ");
  return at == std::string::npos || at + 2 >= stat.size() ? '?' : stat[at + 2];
}

/// The number behind `label`; 0 when there is none.
long number_in(const std::string& status, std::string_view label) {
  const std::size_t at = status.find(label);
  return at == std::string::npos ? 0 : std::atol(status.c_str() + at + label.size());
}

struct Standstill {
  char state = '?';
  long switches = 0;  ///< how often the thread has left a processor
  bool operator==(const Standstill&) const = default;
};
using Standstills = std::map<std::string, Standstill>;  // by thread

/// All threads that are stopped now: a debugger may have stopped only one of them.
Standstills standstills_of(const fs::path& process) {
  Standstills all;
  std::error_code ignored;
  for (fs::directory_iterator task(process / "task", ignored), end; task != end; task.increment(ignored)) {
    const char state = state_in(text_of(task->path() / "stat"));
    if (state != 't' && state != 'T') continue;
    const std::string status = text_of(task->path() / "status");
    all[task->path().filename()] = {state, number_in(status, "\nvoluntary_ctxt_switches:")};
  }
  return all;
}

/// A traced thread stops for a moment at each system call (strace), signal and new thread (gdb). So a thread counts as
/// stopped when it has not moved for this long.
constexpr std::chrono::milliseconds longest_moment{250};

/// The states of threads that have not moved.
std::set<char> lasting_states_of(const fs::path& process) {
  Standstills lasting = standstills_of(process);
  const std::chrono::steady_clock::time_point until = std::chrono::steady_clock::now() + longest_moment;
  while (!lasting.empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const Standstills now = standstills_of(process);
    std::erase_if(lasting, [&](const auto& before) {
      const auto found = now.find(before.first);
      return found == now.end() || found->second != before.second;
    });
  }
  std::set<char> states;
  for (const auto& [thread, standstill] : lasting) states.insert(standstill.state);
  return states;
}

}  // namespace

std::string obstacle_in_state(int pid) {
  const fs::path process = "/proc/" + std::to_string(pid);
  const std::set<char> states = lasting_states_of(process);
  if (states.contains('t')) {
    const int tracer = static_cast<int>(number_in(text_of(fs::path(proc::folder_of(pid)) / "status"), "TracerPid:"));
    return "is stopped by a debugger, " + base_name(program_of(tracer)) + " (pid " + std::to_string(tracer) +
           "); let it go on there";
  }
  if (states.contains('T')) return "is stopped (SIGSTOP, Ctrl-Z); kill -CONT " + std::to_string(pid) + " lets it go on";
  return {};
}

std::string base_name(const std::string& path) { return fs::path(path).filename().string(); }

std::optional<uid_t> user_of(int pid) {
  const std::string status = text_of(fs::path("/proc") / std::to_string(pid) / "status");
  constexpr std::string_view label = "\nUid:";
  const std::size_t at = status.find(label);
  if (at == std::string::npos) return std::nullopt;
  std::istringstream numbers(status.substr(at + label.size()));
  uid_t started = 0;
  uid_t effective = 0;
  return numbers >> started >> effective ? std::optional(effective) : std::nullopt;
}

bool has_other_root(int pid) {
  struct stat its {};
  struct stat own {};
  if (::stat((proc::folder_of(pid) + "/root/").c_str(), &its) != 0 || ::stat("/", &own) != 0) return false;
  return its.st_dev != own.st_dev || its.st_ino != own.st_ino;
}

std::string program_of(int pid) {
  std::error_code error;
  std::string path = fs::read_symlink(proc::folder_of(pid) + "/exe", error).string();
  constexpr std::string_view deleted = " (deleted)";
  if (path.ends_with(deleted)) path.resize(path.size() - deleted.size());
  return path;
}

}  // namespace moult::internal::cli
