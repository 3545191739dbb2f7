// A class without debug information: this file is compiled without -g.
#include "moult/heap_walker.hpp"

namespace subject {

struct Ghost {
  int number = 0;
};

void walk_for_ghosts() {
  moult::HeapWalker walker;
  walker.on<Ghost>([](Ghost& ghost) { ghost.number = 1; });
  moult::traverse_heap(walker);
}

}  // namespace subject
