#include "moult/moult.hpp"

MOULT_UPDATE { throw moult::Error(moult::ErrorCode::invalid_argument, "this update wants nothing to do with you"); }
