// A signal may arrive at any time, and a handler may do very little. So while a scratch folder exists, a thread waits
// for the signals that end the command; all other threads block them. It removes the folders, and then lets the signal
// take its default effect. Before that, an Interruption may do what is better done than left.
//
// A command that is killed leaves its folder. The next one must not take the folder of a running command for that. A
// pid would not tell: with a home folder that containers share, the command may run where its pid is not seen. So each
// folder holds a file that its command keeps locked (flock), and the kernel gives the lock back at the command's end.
#include "scratch_folder.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/folder.hpp"
#include "base/guarded.hpp"
#include "failure.hpp"

namespace moult::internal::cli {

/// Waits for a signal from construction to destruction.
class SignalWatch final {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  Guarded<std::set<std::filesystem::path>>& folders() noexcept { return folders_; }
  Guarded<Interruption*>& interruption() noexcept { return interruption_; }
  [[noreturn]] void end_by(int signal);

 private:
  void wait();

  sigset_t before_{};
  std::atomic<bool> over_ = false;
  Guarded<std::set<std::filesystem::path>> folders_;
  Guarded<Interruption*> interruption_;
  std::jthread thread_;
};

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "moult-update-";
constexpr std::size_t random_size = 6;  // as mkdtemp makes it
constexpr const char* lock_name = "lock";

/// Process groups of children. Never destroyed: the watching thread reads it.
Guarded<std::set<int>>& groups_to_end() {
  static Guarded<std::set<int>>& only = *new Guarded<std::set<int>>();
  return only;
}

/// Wakes the watching thread when it is not needed any more.
constexpr int wake_signal = SIGUSR1;

sigset_t watched_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, wake_signal}) ::sigaddset(&signals, signal);
  return signals;
}

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

/// The parent may be /tmp, with folders of other programs.
bool is_scratch_name(const std::string& name) {
  return name.starts_with(prefix) && name.size() == prefix.size() + random_size;
}

/// Takes a folder's lock until `lock` is closed. False if another process has it, or the file system knows no locks.
bool take(const Fd& lock) { return ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0; }

/// Without a lock's file a folder is not in use: it was there before the folder got its name.
bool is_in_use(const fs::path& folder) {
  const Fd lock(::open((folder / lock_name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  return lock ? !take(lock) : errno != ENOENT;
}

/// Removes the folders of killed commands, of this user only: others cannot be removed.
void remove_leftovers(const fs::path& parent) {
  std::error_code ignored;
  for (fs::directory_iterator entry(parent, ignored), end; entry != end; entry.increment(ignored))
    if (is_scratch_name(entry->path().filename().string()) && !is_in_use(entry->path())) remove_folder(entry->path());
}

/// The folder gets the name that others look for when its lock is taken. A command that is killed before leaves a
/// folder without content.
fs::path make_locked_folder(const fs::path& parent, Fd& lock) {
  std::string unlocked = (parent / "moult-new-XXXXXX").string();
  const auto check = [&](bool is_done) {
    if (!is_done)
      throw CommandFailure(ExitCode::usage, ErrorCode::system,
                           unlocked + ": cannot be made: " + std::strerror(errno) + "; set XDG_CACHE_HOME");
  };
  check(::mkdtemp(unlocked.data()) != nullptr);
  lock = Fd(::open((fs::path(unlocked) / lock_name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  check(static_cast<bool>(lock));
  take(lock);  // in a file system without locks nobody can take it from us, so that the folder stays
  fs::path folder = parent / (std::string(prefix) + unlocked.substr(unlocked.size() - random_size));
  check(::rename(unlocked.c_str(), folder.c_str()) == 0);
  return folder;
}

}  // namespace

SignalWatch::SignalWatch() {
  const sigset_t signals = watched_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
  thread_ = std::jthread([this] { wait(); });
}

SignalWatch::~SignalWatch() {
  over_ = true;
  ::pthread_kill(thread_.native_handle(), wake_signal);
  thread_.join();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::wait() {
  const sigset_t signals = watched_signals();
  while (!over_) {
    int signal = wake_signal;
    ::sigwait(&signals, &signal);
    if (signal == wake_signal) continue;
    const bool is_taken =
        interruption_.with([&](Interruption* current) { return current != nullptr && current->take(signal); });
    if (!is_taken) end_by(signal);
  }
}

void SignalWatch::end_by(int signal) {
  groups_to_end().with([&](const std::set<int>& groups) {
    for (const int group : groups) ::kill(-group, signal);
  });
  folders_.with([](std::set<fs::path>& folders) {
    for (const fs::path& folder : folders) remove_folder(folder);
  });
  std::signal(signal, SIG_DFL);
  const sigset_t signals = watched_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::raise(signal);
  std::_Exit(128 + signal);
}

ScratchFolder::ScratchFolder(Readers readers) {
  fs::path parent = cache_folder();
  std::error_code error;
  fs::create_directories(parent, error);
  if (readers == Readers::everybody || ::access(parent.c_str(), W_OK) != 0) parent = fs::temp_directory_path();
  remove_leftovers(parent);
  if (watch() == nullptr) watch() = std::make_unique<SignalWatch>();
  path_ = make_locked_folder(parent, lock_);
  watch()->folders().with([&](std::set<fs::path>& folders) { folders.insert(path_); });
  if (readers == Readers::this_user) return;
  constexpr mode_t but_for_writing = 022;
  ::umask(but_for_writing);
  fs::permissions(path_, fs::perms(0755), error);
}

ScratchFolder::~ScratchFolder() {
  remove_folder(path_);
  const bool is_last = watch()->folders().with([&](std::set<fs::path>& folders) {
    folders.erase(path_);
    return folders.empty();
  });
  if (is_last) watch().reset();
}

EndedWithCommand::EndedWithCommand(int group) : group_(group) {
  groups_to_end().with([&](std::set<int>& groups) { groups.insert(group_); });
}

EndedWithCommand::~EndedWithCommand() {
  groups_to_end().with([&](std::set<int>& groups) { groups.erase(group_); });
}

Interruption::Interruption(std::function<void()> act) : act_(std::move(act)) {
  watch()->interruption().with([this](Interruption*& current) { current = this; });
}

Interruption::~Interruption() {
  watch()->interruption().with([](Interruption*& current) { current = nullptr; });
}

bool Interruption::take(int signal) {
  if (signal_.exchange(signal) != 0) return false;
  act_();
  return true;
}

void Interruption::end_command() const { watch()->end_by(signal()); }

}  // namespace moult::internal::cli
