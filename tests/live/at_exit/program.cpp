// Says "ready" and obeys: greet, thread (greets in a thread that ends), shared, and anything else ends it.
#include "program.hpp"

#include <atomic>
#include <iostream>
#include <thread>

#include "moult/moult.hpp"

namespace app {

void say(const std::string& line) { std::cout << line << '\n'; }

std::string greet() { return "hello"; }

namespace {

/// Its thread greets when every static object that was made later is gone, and its destructor does.
class Last final {
 public:
  Last() : thread_([this] { greet_when_woken(); }) {}
  Last(const Last&) = delete;
  Last& operator=(const Last&) = delete;
  ~Last() {
    say("destructor: " + greet());
    is_woken_ = true;
    is_woken_.notify_one();
    thread_.join();
  }

 private:
  void greet_when_woken() {
    is_woken_.wait(false);
    say("thread: " + greet());
  }

  std::atomic<bool> is_woken_ = false;
  std::thread thread_;
};

Last last;

}  // namespace
}  // namespace app

int main() {
  std::ios::sync_with_stdio(false);
  std::atexit([] { app::say("function: " + app::greet()); });
  moult::ThreadedManager manager("main");
  moult::Listener listener;
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line); std::cout << std::flush) {
    if (line == "greet")
      app::say(app::greet());
    else if (line == "thread")
      std::thread([] { app::say(app::greet()); }).join();
    else if (line == "shared")
      app::say(app::shared().name);
    else
      return 0;
  }
}
