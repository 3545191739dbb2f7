// The conversion of all objects, in one stop, in one stop by several threads (CONCURRENT), or each at its first use
// (LAZY). In a stop it can be rolled back.
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
  moult::ConversionOptions<app::Data, DataV2> options{.inverse = [](const DataV2& v2) { return app::Data(v2.number); }};
#ifdef CONCURRENT
  options.transformers = moult::Transformers::concurrent;
#endif
  moult::threaded_manager("memory").add_update(
      std::make_unique<moult::EagerConversionUpdate<app::Data, DataV2>>("data", convert, std::move(options)));
#endif
}
