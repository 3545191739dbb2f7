// Converts objects, and stays at one of them until a file is there.
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "pools.hpp"

struct DataV2 {
  int number;
  int twice;
};

namespace {

DataV2 convert(const app::Data& old) {
  while (old.number == 15'000 && ::access(std::getenv("GO"), F_OK) != 0) std::this_thread::yield();
  return {old.number, 2 * old.number};
}

}  // namespace

MOULT_UPDATE {
#ifdef DRAINED
  moult::threaded_manager("main").add_update(std::make_unique<moult::LazyConversionUpdate<app::Data, DataV2>>(
      "data", convert, moult::ConversionOptions<app::Data, DataV2>{}, moult::Untouched::drained));
#else
  moult::threaded_manager("main").add_update(
      std::make_unique<moult::EagerConversionUpdate<app::Data, DataV2>>("data", convert));
#endif
}
