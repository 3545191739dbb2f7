#include "couple_v2.hpp"

MOULT_UPDATE { convert<moult::EagerConversionUpdate>("eager"); }
