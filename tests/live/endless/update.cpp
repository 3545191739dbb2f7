// Replaces FUNCTION, and tries twice.
#include <memory>

#include "moult/moult.hpp"
#include "program.hpp"

namespace {

[[maybe_unused]] void serve() {}
[[maybe_unused]] void work() {}
[[maybe_unused]] int turn() { return 0; }
[[maybe_unused]] int new_main() { return 0; }

template <class Old, class New>
void submit(Old old_function, New new_function) {
  auto update = std::make_unique<moult::SafeRedefineUpdate>("update", old_function, new_function);
  update->set_patience({.max_tries = 2, .sleep_time = std::chrono::milliseconds(200), .max_postponements = 0});
  moult::fetch_manager("main")->add_update(std::move(update));
}

}  // namespace

MOULT_UPDATE {
#ifdef MAIN
  submit(moult::function<int()>("main"), &new_main);
#else
  submit(&app::FUNCTION, &FUNCTION);
#endif
}
