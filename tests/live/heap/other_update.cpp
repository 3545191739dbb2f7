// An update that knows a class of the program otherwise, with the same size.
#include "moult/heap_walker.hpp"

namespace app {

struct Setting {
  short first = 0;
  short second = 0;
};

}  // namespace app

struct OtherUpdate {
  void (*walk)();
};

namespace {

void walk() {
  moult::HeapWalker walker;
  walker.on<app::Setting>([](app::Setting& setting) { setting.first = 1; });
  moult::traverse_heap(walker);
}

}  // namespace

extern "C" const OtherUpdate loaded_update{walk};
