// Answers each line of standard input with the results of every way to a function, until the input ends. An update may
// change them all, or be refused; nothing between.
#include <cstdio>
#include <moult/listener.hpp>
#include <moult/manager.hpp>

#include "shop.hpp"

int main() {
  moult::Listener listener;
  moult::ThreadedManager manager("default");
  int (*volatile pointer)(int) = &price;
  Shelf* volatile shelf = new Shelf;
  char line[80];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    std::printf("%d %d %d %d %d %d %d %d\n", price(10), pointer(10), total(10), tax(10), bill(10, 3), twin(10),
                shelf->capacity(), shelf->room());
    std::fflush(stdout);
  }
  delete shelf;
}
