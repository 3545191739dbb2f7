#include "compiler_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "failure.hpp"
#include "file_content.hpp"
#include "scratch_folder.hpp"

namespace moult::internal::cli {
namespace {

/// The child starts without this command's signal mask (scratch_folder.cpp), and in a process group of its own: a
/// compiler has children, which must end with it. SIGTTOU is blocked, so that they may write on the terminal.
int spawn(pid_t& child, char* const* arguments, const std::string& directory, int output) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGTTOU);
  ::posix_spawnattr_setsigmask(&attributes, &mask);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawnp(&child, arguments[0], &actions, &attributes, arguments, environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

/// False: the child has not ended by then. Without pidfd_open (a kernel before 5.3, seccomp) it waits for the end.
bool has_ended(pid_t child, Deadline deadline) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!process) return true;
  pollfd ended{process.get(), POLLIN, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    constexpr std::chrono::milliseconds an_hour = std::chrono::hours(1);
    const int ready =
        ::poll(&ended, 1, static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), an_hour).count()));
    if (ready > 0) return true;
    if (ready == 0 && std::chrono::steady_clock::now() >= deadline) return false;
    if (ready < 0 && errno != EINTR) return true;
  }
}

/// Ends the child's process group: politely, so that a compiler removes its temporary files, and then by force.
void end_group(pid_t child) {
  ::kill(-child, SIGTERM);
  if (!has_ended(child, std::chrono::steady_clock::now() + std::chrono::seconds(1))) ::kill(-child, SIGKILL);
}

}  // namespace

std::optional<bool> run_compiler(const std::vector<std::string>& arguments, const std::string& directory, int output,
                                 Deadline deadline) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error = spawn(child, pointers.data(), directory, output);
  if (error != 0)
    throw CommandFailure(ExitCode::usage, ErrorCode::system,
                         arguments.front() + ": cannot be run in " + directory + ": " + std::strerror(error));
  const EndedWithCommand ended(child);
  const bool is_in_time = has_ended(child, deadline);
  if (!is_in_time) end_group(child);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (!is_in_time) return std::nullopt;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

CommandResult run_for_output(const std::vector<std::string>& arguments, const std::string& directory,
                             const std::filesystem::path& file, Deadline deadline) {
  const Fd output(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!output)
    throw CommandFailure(ExitCode::usage, ErrorCode::system,
                         file.string() + ": cannot be written: " + std::strerror(errno));
  const std::optional<bool> ended = run_compiler(arguments, directory, output.get(), deadline);
  return {ended == true, ended.has_value(), content_of(file)};
}

void use_english_messages() {
  static const bool done = ::setenv("LC_ALL", "C", 1) == 0;
  static_cast<void>(done);
}

CompilerMessages::CompilerMessages(const std::filesystem::path& file, bool parse, std::string private_root)
    : path_(file), private_root_(std::move(private_root)) {
  if (!parse && private_root_.empty()) return;
  file_ = Fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  use_english_messages();
}

int CompilerMessages::output() const { return file_ ? file_.get() : STDERR_FILENO; }

std::vector<Diagnostic> CompilerMessages::take(const std::string& directory) const {
  if (!file_) return {};
  std::string text = content_of(path_);
  if (!private_root_.empty()) remove_all(text, private_root_);
  std::fwrite(text.data(), 1, text.size(), stderr);
  return parse_diagnostics(text, directory);
}

}  // namespace moult::internal::cli
