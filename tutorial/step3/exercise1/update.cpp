// The update of step 3, exercise 1. README.md describes how to complete it. Each step throws until you write it.
#include <moult/moult.hpp>

#include <iostream>

void hello();  // Defined by the application. The loader links it.

[[maybe_unused]] static void hello_v2() { std::cout << "hello Ada" << std::endl; }

class CustomUpdate final : public moult::Update {
 public:
  CustomUpdate() : Update("hello again") {}

  // Step 1: return true, with the program stopped, when hello is quiescent.
  bool wait_alterability() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "wait_alterability is missing: see README.md, step 1");
  }

  // Step 2: redefine hello as hello_v2.
  void apply() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "apply is missing: see README.md, step 2");
  }

  // Step 3: resume the threads that wait_alterability has stopped.
  void resume_hook() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "resume_hook is missing: see README.md, step 3");
  }
};

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("hello");
  manager.add_update(std::make_unique<CustomUpdate>());
}
