// The interface between the program and its update.
#pragma once

#include <memory>

#include "moult/lazy_update.hpp"

struct LoadedUpdate {
  std::unique_ptr<moult::Update> (*change_hands)();
  std::unique_ptr<moult::Update> (*change_decks)();
  moult::LazyObjects (*objects)();  ///< of the newest update
  int (*new_ends)();                ///< how many new destructors have run
};
