// Visitors for the programs of the examples: each is a thread in one long call, which does what is typed for it.
#pragma once

#include <condition_variable>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

/// What one visitor is asked to do, one request after the other.
class Requests {
 public:
  /// The visitor's side: waits for the next request. Nothing when the visitor is to leave.
  std::optional<std::string> next() {
    std::unique_lock lock(mutex_);
    is_busy_ = false;
    changed_.notify_all();
    changed_.wait(lock, [&] { return is_busy_; });
    return std::exchange(request_, std::nullopt);
  }

  /// The other side: returns when the visitor asks for the next one.
  void give(std::string request) {
    std::unique_lock lock(mutex_);
    request_ = std::move(request);
    is_busy_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_busy_; });
  }

  void wait_until_ready() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !is_busy_; });
  }

  void close() {
    const std::lock_guard lock(mutex_);
    is_busy_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_busy_ = true;
  std::optional<std::string> request_;
};

using Session = void (*)(const std::string& name, Requests& requests);

/// Reads lines until there are no more: "NAME arrives" has a new thread call `session`, "NAME leaves" ends its call,
/// and "NAME WORDS" is a request.
inline void receive_visitors(Session session) {
  struct Visitor {
    Requests requests;
    std::thread thread;
  };
  std::map<std::string, Visitor> visitors;
  for (std::string name, words; std::cin >> name && std::getline(std::cin >> std::ws, words);) {
    Visitor& visitor = visitors[name];
    if (words == "arrives") {
      visitor.thread = std::thread([=, &visitor] { session(name, visitor.requests); });
      visitor.requests.wait_until_ready();
    } else if (words == "leaves") {
      visitor.requests.close();
      visitor.thread.join();
      visitors.erase(name);
    } else {
      visitor.requests.give(words);
    }
  }
  for (auto& [name, visitor] : visitors) {
    visitor.requests.close();
    visitor.thread.join();
  }
}
