#include "moult/moult.hpp"

MOULT_UPDATE { this does not compile; }
