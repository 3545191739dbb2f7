// Replaces hello by hello_v2 with an update class made of low-level mechanisms.
#include <moult/moult.hpp>

#include <iostream>

void hello();  // Defined by the application. The loader links it.

static void hello_v2() { std::cout << "hello Ada" << std::endl; }

class CustomUpdate final : public moult::Update {
 public:
  CustomUpdate() : Update("hello again") {}

  bool wait_alterability() override { return moult::wait_quiescence_of_function(hello, patience()); }
  void apply() override { moult::redefine_function(hello, hello_v2); }
  void resume_hook() override { moult::resume_suspended_threads(); }
};

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("hello");
  manager.add_update(std::make_unique<CustomUpdate>());
}
