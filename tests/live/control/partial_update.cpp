#include <memory>

#include "moult/moult.hpp"
#include "target.hpp"

int answer_v2() { return 2; }

class Impossible final : public moult::Update {
 public:
  Impossible() : Update("impossible") {}
  void prepare() override { throw moult::Error(moult::ErrorCode::unsupported, "this cannot be done"); }
  void apply() override {}
};

// Two updates, of which one is refused.
MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("main");
  manager.add_update(std::make_unique<moult::SafeRedefineUpdate>("possible", &answer, &answer_v2));
  manager.add_update(std::make_unique<Impossible>());
}
