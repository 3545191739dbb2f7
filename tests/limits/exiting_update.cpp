#include <cstdlib>

#include "moult/load.hpp"

MOULT_UPDATE { std::_Exit(0); }
