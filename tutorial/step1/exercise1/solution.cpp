// Replaces hello by hello_v2 while no thread is inside hello.
#include <moult/moult.hpp>

#include <iostream>

void hello();  // Defined by the application. The loader links it.

static void hello_v2() { std::cout << "hello Ada" << std::endl; }

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("hello");
  manager.add_update(std::make_unique<moult::SafeRedefineUpdate>("hello", hello, hello_v2));
}
