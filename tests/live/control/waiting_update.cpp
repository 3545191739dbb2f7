#include <memory>

#include "impossible.hpp"
#include "moult/moult.hpp"

class Waiting final : public moult::Update {
 public:
  Waiting() : Update("waiting") {}
  moult::Requirements check_requirements() override { return moult::Requirements::not_yet; }
  void apply() override {}
};

// One update that goes on, one that is refused, and an entry that ends badly.
MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("main");
  manager.add_update(std::make_unique<Waiting>());
  manager.add_update(std::make_unique<Impossible>());
  throw moult::Error(moult::ErrorCode::invalid_argument, "the entry came to no good end");
}
