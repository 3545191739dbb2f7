// The update of step 3, exercise 1, to be completed: README.md says how. Each step says so itself until it is written.
#include <moult/moult.hpp>

#include <iostream>

void hello();  // The application's: linked when the update is loaded.

[[maybe_unused]] static void hello_v2() { std::cout << "hello Ada" << std::endl; }

class CustomUpdate final : public moult::Update {
 public:
  CustomUpdate() : Update("hello again") {}

  // Step 1: true, with the program stopped, as soon as hello is quiescent.
  bool wait_alterability() override {
    throw moult::Error(moult::ErrorCode::invalid_argument,
                       "wait_alterability is still to be written: see README.md, step 1");
  }

  // Step 2: from here on calls of hello reach hello_v2.
  void apply() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "apply is still to be written: see README.md, step 2");
  }

  // Step 3: lets the threads run that wait_alterability has stopped.
  void resume_hook() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "resume_hook is still to be written: see README.md, step 3");
  }
};

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("hello");
  manager.add_update(std::make_unique<CustomUpdate>());
}
