// Loads the update named on its command line as any shared object, and calls its entry.
#include <dlfcn.h>

#include <cstdio>

#include "greetings.hpp"
#include "moult/moult.hpp"

std::string place() { return PLACE; }

int main(int, char** arguments) {
  std::printf("%s from %s\n", greeting().c_str(), place().c_str());
  void* update = dlopen(arguments[1], RTLD_NOW);
  if (update == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  reinterpret_cast<void (*)()>(dlsym(update, "moult_update_entry"))();
}
