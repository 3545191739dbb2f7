#include "pools.hpp"

struct DataV2 {
  explicit DataV2(const app::Data& old) : number(old.number), twice(2 * old.number) {}
  int number;
  int twice;
};

MOULT_UPDATE {
  auto convert = [](const app::Data& old) { return DataV2(old); };
  moult::threaded_manager("main").add_update(
      std::make_unique<moult::EagerConversionUpdate<app::Data, DataV2>>("data", convert));
}
