// A signal may arrive at any time, and a handler may do very little. So while a scratch folder exists, a thread waits
// for the signals that end the command; all other threads block them. It removes the folders, and then lets the signal
// take its default effect.
#include "scratch_folder.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/guarded.hpp"
#include "failure.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "update-";

std::atomic<int> child_to_end = 0;

/// Wakes the watching thread when it is not needed any more.
constexpr int wake_signal = SIGUSR1;

sigset_t watched_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, wake_signal}) ::sigaddset(&signals, signal);
  return signals;
}

void remove_folder(const fs::path& folder) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

/// Waits for a signal from construction to destruction.
class SignalWatch final {
 public:
  SignalWatch() {
    const sigset_t signals = watched_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
    thread_ = std::jthread([this] { wait(); });
  }
  ~SignalWatch() {
    over_ = true;
    ::pthread_kill(thread_.native_handle(), wake_signal);
    thread_.join();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  Guarded<std::set<fs::path>>& folders() noexcept { return folders_; }

 private:
  void wait() {
    const sigset_t signals = watched_signals();
    int signal = wake_signal;
    while (signal == wake_signal && !over_) ::sigwait(&signals, &signal);
    if (signal != wake_signal) end_by(signal);
  }

  [[noreturn]] void end_by(int signal) {
    if (child_to_end != 0) ::kill(child_to_end, signal);
    folders_.with([](std::set<fs::path>& folders) {
      for (const fs::path& folder : folders) remove_folder(folder);
    });
    std::signal(signal, SIG_DFL);
    const sigset_t signals = watched_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    std::raise(signal);
    std::_Exit(128 + signal);
  }

  sigset_t before_{};
  std::atomic<bool> over_ = false;
  Guarded<std::set<fs::path>> folders_;
  std::jthread thread_;
};

/// Lives as long as there are folders. For the one thread that makes them.
std::unique_ptr<SignalWatch>& watch() {
  static std::unique_ptr<SignalWatch> the_watch;
  return the_watch;
}

fs::path cache_folder() {
  const char* const xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg != nullptr && *xdg == '/') return fs::path(xdg) / "moult";
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fs::path(home) / ".cache/moult";
  return fs::temp_directory_path();
}

/// The pid in "update-PID-XXXXXX".
std::optional<int> maker_of(const std::string& name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid);
  return error == std::errc() && *end == '-' && pid > 0 ? std::optional(pid) : std::nullopt;
}

/// Removes the folders of killed commands, of this user only: others cannot be removed.
void remove_leftovers(const fs::path& parent) {
  std::error_code ignored;
  for (fs::directory_iterator entry(parent, ignored), end; entry != end; entry.increment(ignored)) {
    const std::optional<int> pid = maker_of(entry->path().filename().string());
    if (pid && ::kill(*pid, 0) != 0 && errno == ESRCH) remove_folder(entry->path());
  }
}

}  // namespace

ScratchFolder::ScratchFolder() {
  fs::path parent = cache_folder();
  std::error_code error;
  fs::create_directories(parent, error);
  if (::access(parent.c_str(), W_OK) != 0) parent = fs::temp_directory_path();
  remove_leftovers(parent);
  if (watch() == nullptr) watch() = std::make_unique<SignalWatch>();
  std::string pattern = (parent / (std::string(prefix) + std::to_string(::getpid()) + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw CommandFailure(ExitCode::usage, ErrorCode::system,
                         pattern + ": cannot be made: " + std::strerror(errno) + "; set XDG_CACHE_HOME");
  path_ = pattern;
  watch()->folders().with([&](std::set<fs::path>& folders) { folders.insert(path_); });
}

ScratchFolder::~ScratchFolder() {
  remove_folder(path_);
  const bool is_last = watch()->folders().with([&](std::set<fs::path>& folders) {
    folders.erase(path_);
    return folders.empty();
  });
  if (is_last) watch().reset();
}

void set_child_to_end(int pid) noexcept { child_to_end = pid; }

}  // namespace moult::internal::cli
