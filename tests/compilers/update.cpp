// The second version of one function, PRICE, TAX or CAPACITY. That of tax() uses registers that the first one left
// alone.
#include <moult/moult.hpp>

#include "shop.hpp"

namespace {

int price_v2(int pieces) { return pieces * 5; }

int tax_v2(int pieces) {
  asm volatile(
      "xor %%ecx, %%ecx\n xor %%edx, %%edx\n xor %%esi, %%esi\n xor %%r8d, %%r8d\n xor %%r9d, %%r9d\n"
      "xor %%r10d, %%r10d\n xor %%r11d, %%r11d" ::
          : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc");
  return pieces * 2;
}

struct Shelf_v2 {
  int capacity() const { return 20; }
  void* table;
};

}  // namespace

MOULT_UPDATE {
#if defined PRICE
  const moult::Redefinition change(moult::function<int(int)>("price"), price_v2);
#elif defined TAX
  const moult::Redefinition change(moult::function<int(int)>("tax"), tax_v2);
#else
  const moult::Redefinition change(moult::function<int (Shelf::*)() const>("Shelf::capacity"), &Shelf_v2::capacity);
#endif
  moult::threaded_manager("default").add_update(
      std::make_unique<moult::SafeRedefineUpdate>("season", std::vector<moult::Redefinition>{change}));
}
