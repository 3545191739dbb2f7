// What a worker of an example is to do, handed over without waiting for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

class Inbox {
 public:
  void put(std::string text) {
    const std::lock_guard lock(mutex_);
    texts_.push_back(std::move(text));
    filled_.notify_one();
  }

  /// Waits for one.
  std::string take() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !texts_.empty(); });
    std::string text = std::move(texts_.front());
    texts_.pop_front();
    return text;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::string> texts_;
};
