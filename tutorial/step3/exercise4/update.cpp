// The update of step 3, exercise 4. README.md describes how to complete it. Each step throws until you write it.
#include <moult/moult.hpp>

#include <iostream>
#include <thread>

#include "pace.hpp"

// Step 2: write the thread's new main function.
[[maybe_unused]] static void say_hello_v2(std::chrono::milliseconds) {}

// Waits until the thread named "hello" is at a static update point, whatever the point's name.
class HelloUpdate final : public moult::StaticPointUpdate {
 public:
  HelloUpdate() : StaticPointUpdate("hello", {}, {moult::get_thread_by_name("hello")}) {}

  // Step 3: restart the thread with say_hello_v2.
  void apply() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "apply is missing: see README.md, step 3");
  }

  // Step 4: override wait_over. It returns true when the thread has left say_hello.
};

MOULT_UPDATE {
  [[maybe_unused]] moult::ThreadedManager& manager = moult::threaded_manager("hello");
  // Step 5: pass a HelloUpdate to the manager. Remove this throw.
  throw moult::Error(moult::ErrorCode::invalid_argument, "HelloUpdate is not complete: see README.md, steps 1 to 5");
}
