#include <memory>

#include "moult/moult.hpp"
#include "target.hpp"

int hidden_answer_v2(int tens) { return 20 * tens; }

// By a pointer, which leads to this file's own copy, or by its name.
MOULT_UPDATE {
#ifdef BY_NAME
  const moult::Function<int(int)> old_function = moult::function<int(int)>("hidden_answer");
#else
  int (*const old_function)(int) = &hidden_answer;
#endif
  moult::threaded_manager("main").add_update(
      std::make_unique<moult::SafeRedefineUpdate>("hidden", old_function, &hidden_answer_v2));
}
