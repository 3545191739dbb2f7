// The folder in which an update is compiled; it is removed with the command, however that ends.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>

#include "base/fd.hpp"

namespace moult::internal::cli {

/// Who must be able to read what lies in a scratch folder.
enum class Readers { this_user, everybody };

/// A folder in the user's cache. The destructor removes it, and so does the end of the command by SIGINT, SIGTERM or
/// SIGHUP. The next one to be made removes the folders of killed commands.
class ScratchFolder final {
 public:
  /// $XDG_CACHE_HOME/moult, else ~/.cache/moult, else the temporary folder. For everybody the latter, and what the
  /// command makes from then on can be read by everybody. Throws CommandFailure (usage).
  explicit ScratchFolder(Readers readers = Readers::this_user);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  Fd lock_;  ///< tells other commands that the folder is in use
};

/// A process group of a child: a signal that ends the command goes to it, too, while this lives. In any thread.
class EndedWithCommand final {
 public:
  explicit EndedWithCommand(int group);
  ~EndedWithCommand();
  EndedWithCommand(const EndedWithCommand&) = delete;
  EndedWithCommand& operator=(const EndedWithCommand&) = delete;

 private:
  int group_;
};

/// While it lives, the first SIGINT, SIGTERM or SIGHUP does not end the command, but calls `act` in a thread of its
/// own. The next one ends the command. Needs a scratch folder. One at a time.
class Interruption final {
 public:
  /// `act` must not throw, and must not take long: until it returns, a second signal waits.
  explicit Interruption(std::function<void()> act);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// The signal that came; 0: none.
  int signal() const noexcept { return signal_.load(); }
  /// Ends the command as the signal that came would have.
  [[noreturn]] void end_command() const;

 private:
  friend class SignalWatch;
  bool take(int signal);

  std::function<void()> act_;
  std::atomic<int> signal_ = 0;
};

}  // namespace moult::internal::cli
