#include <chrono>
#include <thread>

#include "moult/moult.hpp"

// An entry that does not come back for longer than any test lasts.
MOULT_UPDATE { std::this_thread::sleep_for(std::chrono::hours(1)); }
