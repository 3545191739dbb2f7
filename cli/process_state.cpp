#include "process_state.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>

#include "target.hpp"

namespace moult::cli {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The letter behind the name in parentheses (proc(5)); the name may hold parentheses too.
char state_in(const std::string& stat) {
  const std::size_t at = stat.rfind(") ");
  return at == std::string::npos || at + 2 >= stat.size() ? '?' : stat[at + 2];
}

/// Of all threads: a debugger may have stopped one of them only.
std::set<char> states_of(const fs::path& process) {
  std::set<char> states;
  std::error_code ignored;
  for (fs::directory_iterator task(process / "task", ignored), end; task != end; task.increment(ignored))
    states.insert(state_in(text_of(task->path() / "stat")));
  return states;
}

int tracer_of(const fs::path& process) {
  constexpr std::string_view label = "TracerPid:";
  const std::string status = text_of(process / "status");
  const std::size_t at = status.find(label);
  return at == std::string::npos ? 0 : std::atoi(status.c_str() + at + label.size());
}

}  // namespace

std::string obstacle_in_state(int pid) {
  const fs::path process = "/proc/" + std::to_string(pid);
  const std::set<char> states = states_of(process);
  if (states.contains('t')) {
    const int tracer = tracer_of(process);
    return "is stopped by a debugger, " + base_name(program_of(tracer)) + " (pid " + std::to_string(tracer) +
           "); let it go on there";
  }
  if (states.contains('T')) return "is stopped (SIGSTOP, Ctrl-Z); kill -CONT " + std::to_string(pid) + " lets it go on";
  return {};
}

}  // namespace moult::cli
