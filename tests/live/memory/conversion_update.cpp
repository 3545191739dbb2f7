// The conversion of all objects, in one stop or (LAZY) each at its first use. It can be rolled back.
#include "target.hpp"

struct DataV2 {
  int number;
  int mark;
  int more;
};

MOULT_UPDATE {
  auto convert = [](const app::Data& old) -> DataV2 { return {old.number, 2 * old.number + 1, 0}; };
#ifdef LAZY
  moult::threaded_manager("memory").add_update(
      std::make_unique<moult::LazyConversionUpdate<app::Data, DataV2>>("data", convert));
#else
  moult::threaded_manager("memory").add_update(std::make_unique<moult::EagerConversionUpdate<app::Data, DataV2>>(
      "data", convert,
      moult::ConversionOptions<app::Data, DataV2>{.inverse = [](const DataV2& v2) { return app::Data(v2.number); }}));
#endif
}
