// What the tests of threads that leave their calls share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "moult/manager.hpp"
#include "moult/reboot.hpp"
#include "moult/static_points.hpp"

namespace moult::reboot_test {

using namespace std::chrono_literals;

/// What has happened, in the order it did; written by one thread after the other.
class Trace final {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};
inline Trace trace;

/// Tells when it is destroyed.
class Guard final {
 public:
  explicit Guard(std::string name) : name_(std::move(name)) {}
  ~Guard() { trace.add("~" + name_); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  std::string name_;
};

/// Where subjects go round until they are told to end.
inline std::atomic<bool> is_to_end = false;
inline void await(const std::atomic<bool>& flag) {
  while (!flag) std::this_thread::yield();
}

/// By a manager with a thread of its own; reports when it has ended.
inline UpdateReport carry_out(std::unique_ptr<Update> update) {
  update->set_patience({.max_tries = 60, .sleep_time = 1s, .stop_timeout = 20s, .max_postponements = 0});
  return threaded_manager("reboot").add_update(std::move(update)).wait(120s);
}

inline void expect_applied(const UpdateReport& report) {
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
}

}  // namespace moult::reboot_test
