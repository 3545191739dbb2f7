// How long the updates of this folder try.
#pragma once

#include <chrono>

#include "moult/update.hpp"

/// A minute for a moment in which no thread is where it may not be, and much of it for one stop on a busy machine.
inline moult::Patience patient() {
  return {.max_tries = 3000,
          .sleep_time = std::chrono::milliseconds(20),
          .stop_timeout = std::chrono::seconds(20),
          .max_postponements = 0};
}
