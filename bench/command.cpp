// `moult apply` of a built update, as a whole process, until the update is in force.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include "bench.hpp"

extern char** environ;

namespace bench {
namespace {

struct Child {
  pid_t pid = -1;
  int output = -1;
};

Child start(const std::vector<std::string>& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  Child child{-1, ends[0]};
  int failed = ::posix_spawn(&child.pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed != 0) throw std::runtime_error("cannot start " + command[0]);
  return child;
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  ::close(fd);
  return text;
}

/// The program that updates are sent to; ended with the object.
class Target {
 public:
  explicit Target(const std::string& path) : child_(start({path})) {
    char byte;
    while (::read(child_.output, &byte, 1) == 1 && byte != '\n') {
    }
  }
  ~Target() {
    ::kill(child_.pid, SIGKILL);
    ::waitpid(child_.pid, nullptr, 0);
    ::close(child_.output);
  }
  std::string pid() const { return std::to_string(child_.pid); }

 private:
  Child child_;
};

}  // namespace

std::string output_of(const std::vector<std::string>& command) {
  Child child = start(command);
  std::string text = read_all(child.output);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  if (status != 0) throw std::runtime_error(command[0] + " failed: " + text);
  return text;
}

Rows measure_command(const Programs& programs) {
  std::filesystem::path runtime =
      std::filesystem::temp_directory_path() / ("moult-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directory(runtime);
  std::filesystem::permissions(runtime, std::filesystem::perms::owner_all);
  ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
  std::vector<double> times;
  {
    Target target(programs.folder + "/target");
    std::string update = programs.folder + "/target_update.so";
    for (int round = 0; round < 25; ++round)
      times.push_back(seconds_of([&] { output_of({programs.command, "apply", target.pid(), update}); }) * 1e3);
  }
  std::filesystem::remove_all(runtime);
  double time = median(times);
  return {{"moult apply of a built update, until in force", time, "ms", "50 ms", time / 50, 1.0}};
}

}  // namespace bench
