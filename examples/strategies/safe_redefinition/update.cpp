// Replaces greet when no thread is inside it.
#include <moult/moult.hpp>

#include <iostream>
#include <semaphore>
#include <string>

extern std::binary_semaphore door;
void greet(const std::string& name, bool stays);

static void greet_v2(const std::string& name, bool stays) {
  std::cout << "welcome " << name << std::endl;
  if (stays) door.acquire();
  std::cout << "farewell " << name << std::endl;
}

MOULT_UPDATE {
  moult::threaded_manager("main").add_update(std::make_unique<moult::SafeRedefineUpdate>("greet", greet, greet_v2));
}
