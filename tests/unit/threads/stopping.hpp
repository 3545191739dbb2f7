// Shared by the tests of stops.
#pragma once

#include <chrono>
#include <memory>
#include <thread>

#include "platform/tasks.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

using namespace std::chrono_literals;

inline std::unique_ptr<StoppedWorld> stop(std::chrono::milliseconds timeout = 5s) {
  return StoppedWorld::stop({.timeout = timeout, .keep_out = {}});
}

/// Gives a thread that should be stopped the time to show that it is not.
inline void look_away() {
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
}

/// Waits until the thread sleeps in a system call, according to /proc.
inline void await_blocked(pid_t task) {
  while (blocked_call(task).number < 0 && task_status(task).exists) std::this_thread::yield();
}

}  // namespace moult::internal
