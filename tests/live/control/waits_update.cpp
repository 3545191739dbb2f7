#include <chrono>
#include <memory>

#include "moult/moult.hpp"
#include "target.hpp"

int answer_v2() { return 2; }

// An entry that waits until its update is applied.
MOULT_UPDATE {
  const moult::UpdateHandle update = moult::threaded_manager("main").add_update(
      std::make_unique<moult::SafeRedefineUpdate>("answer", &answer, &answer_v2));
  if (update.wait(std::chrono::minutes(1)).state != moult::UpdateState::applied)
    throw moult::Error(moult::ErrorCode::timed_out, "answer is not in force");
}
