// A thread that stands in a function until it is let go.
#pragma once

#include <functional>
#include <semaphore>
#include <thread>

#include "moult/update.hpp"

namespace moult::test {

/// What a function calls to stand still.
using Stand = std::function<void()>;

class Standing final {
 public:
  /// Runs `call(stand)` in a thread of its own, and returns when that has called `stand`.
  explicit Standing(std::function<void(const Stand&)> call)
      : thread_([this, call = std::move(call)] {
          call([this] {
            id_ = this_thread_id();
            is_there_.release();
            may_go_.acquire();
          });
        }) {
    is_there_.acquire();
  }
  ~Standing() { let_go(); }
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;

  ThreadId id() const noexcept { return id_; }
  /// Lets the thread go on to its end.
  void let_go() {
    if (!thread_.joinable()) return;
    may_go_.release();
    thread_.join();
  }

 private:
  ThreadId id_{};
  std::binary_semaphore is_there_{0};
  std::binary_semaphore may_go_{0};
  std::thread thread_;
};

/// An update that does one thing in the stopped program, and perhaps fails after it; and one before the stop.
class StepUpdate final : public Update {
 public:
  StepUpdate(
      std::string name, std::function<void()> step, std::function<void()> before = [] {})
      : Update(std::move(name)), step_(std::move(step)), before_(std::move(before)) {}

  void prepare() override { before_(); }
  bool check_alterability() override { return true; }
  bool wait_alterability() override { return true; }
  void apply() override { step_(); }

 private:
  std::function<void()> step_;
  std::function<void()> before_;
};

}  // namespace moult::test
