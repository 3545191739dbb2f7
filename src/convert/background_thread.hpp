// A thread for work that no fault may wait for: draining conversions, visiting accessed objects.
#pragma once

#include <functional>
#include <list>
#include <thread>

#include "base/guarded.hpp"

namespace moult::internal {

/// Carries out jobs one after another. It is stopped like any thread of the program, or stops the others itself. It
/// lives until the process ends, and sleeps while there is no job.
class BackgroundThread final {
 public:
  /// True when the job is done; otherwise it is called again. When it throws (no memory, or the program cannot be
  /// stopped now) it is called again after a pause.
  using Job = std::function<bool()>;
  using Jobs = std::list<Job>;

  /// `name` has at most 15 characters.
  explicit BackgroundThread(const char* name) noexcept : name_(name) {}
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;

  /// Does nothing when the thread runs. Throws std::system_error, std::bad_alloc.
  void start();
  /// The jobs are destroyed in the thread. Safe in any thread, service threads included.
  void add(Jobs jobs) noexcept;

 private:
  struct State {
    Jobs jobs{};
    std::jthread thread{};
  };
  [[noreturn]] void run();
  Job next();

  const char* name_;
  Guarded<State> state_;
};

}  // namespace moult::internal
