#pragma once

#include "moult/relinking.hpp"

namespace app {

/// Never returns.
MOULT_UPDATABLE void serve();
/// What a thread runs until it is told to end.
MOULT_UPDATABLE void work();
/// Is called again and again.
MOULT_UPDATABLE int turn();

}  // namespace app
