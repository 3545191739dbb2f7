#include "pools.hpp"

struct DataV2 {
  int number;
  int twice;
};

MOULT_UPDATE {
  auto convert = [](const app::Data& old) -> DataV2 { return {old.number, 2 * old.number}; };
  moult::threaded_manager("main").add_update(
      std::make_unique<moult::LazyConversionUpdate<app::Data, DataV2>>("data", convert));
}
