#include "process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <utility>

extern char** environ;

namespace bench {

Process::Process(const std::vector<std::string>& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  output_ = ends[0];
  const int failed = ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed == 0) return;
  ::close(output_);
  throw std::runtime_error("cannot start " + command[0]);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), output_(std::exchange(other.output_, -1)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(output_, other.output_);
  return *this;
}

Process::~Process() {
  send(SIGKILL);
  wait();
  if (output_ >= 0) ::close(output_);
}

std::string Process::read_line() const {
  std::string line;
  for (char byte; ::read(output_, &byte, 1) == 1 && byte != '\n';) line += byte;
  return line;
}

std::string Process::read_all() const {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(output_, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

void Process::send(int signal) const noexcept {
  if (pid_ > 0) ::kill(pid_, signal);
}

int Process::wait() noexcept {
  if (pid_ < 0) return 0;
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string output_of(const std::vector<std::string>& command) {
  Process process(command);
  std::string text = process.read_all();
  if (process.wait() != 0) throw std::runtime_error(command[0] + " failed: " + text);
  return text;
}

}  // namespace bench
